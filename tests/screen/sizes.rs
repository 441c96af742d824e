//! The window changes its size over and over while work is running: the screen is whole afterwards.

use rustix::process::Signal;

use crate::desk::{Desk, SHORT, state};

#[test]
fn two_hundred_sizes_leave_the_screen_whole() {
    let desk = Desk::new("");
    let title = desk.begin_long();
    let terminal = &mut desk.open((120, 36));
    state(terminal, title, "PROCESSING");
    let mut random = fastrand::Rng::with_seed(7);
    let corners = [
        (1, 1),
        (300, 100),
        (1, 100),
        (300, 1),
        (30, 8),
        (29, 8),
        (69, 17),
        (70, 18),
    ];
    let sizes = corners.into_iter().chain(std::iter::repeat_with(move || {
        (random.u16(1..=300), random.u16(1..=100))
    }));
    for (place, (cols, rows)) in sizes.take(200).enumerate() {
        terminal.resize(cols, rows);
        // Sometimes one at a time, sometimes as fast as they come, with keys in between.
        if place % 10 == 0 {
            let from = terminal.raw().len();
            terminal.press("\u{1b}[B");
            terminal.until_written(from, b"\x1b[2J");
        }
    }
    // What has no size at all is no reason to end.
    terminal.resize_unseen(0, 0);
    terminal.resize(120, 36);
    state(terminal, title, "PROCESSING");
    terminal.until(": all");
    terminal.press("c");
    terminal.until("Cancel “The Long Road”?");
    terminal.press("y");
    state(terminal, title, "CANCELLED");
    terminal.until("⊘ ended");
    desk.add(terminal, "short.txt", SHORT);
    terminal.until("added to the queue");
    state(terminal, "The Quiet Road", "COMPLETED");
    // A key takes the notice away; what is left does not change any more.
    terminal.press("g");
    terminal.until_gone("added to the queue");
    terminal.until("Segments · The Long Road");
    terminal.press("G");
    terminal.until("Segments · The Quiet Road");
    // The other one's may still be there.
    terminal.until("kwˈaɪət");
    terminal.until("⣿");
    let drawn = terminal.text();
    let from = terminal.raw().len();
    terminal.press("\u{c}");
    terminal.until_written(from, b"\x1b[2J");
    terminal.until_screen("the same screen", |screen| screen == drawn);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143);
    terminal.assert_given_back();
}
