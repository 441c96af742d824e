//! What goes over the line while nobody touches a key.

use crate::desk::{Desk, state};

/// What each frame begins and ends with.
const FRAME: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");

/// The bytes of each frame that was written after so many bytes. The title stands behind them, in a
/// write of its own where nothing else has changed.
fn frames(raw: &[u8], from: usize) -> Vec<usize> {
    let (begin, end) = FRAME;
    let places = |mark| (from..raw.len()).filter(move |at| raw[*at..].starts_with(mark));
    let ends: Vec<usize> = places(end).map(|at| at + end.len()).collect();
    let length = |at| Some(ends.iter().find(|end| **end > at)? - at);
    places(begin).filter_map(length).collect()
}

#[test]
fn progress_takes_few_bytes_however_fast_it_is() {
    let desk = Desk::new("");
    let title = desk.begin_long();
    let mut terminal = desk.open((120, 36));
    state(&mut terminal, title, "PROCESSING");
    terminal.until("in work");
    let from = terminal.raw().len();
    terminal.until_seen("thirty frames", |seen| frames(seen.raw(), from).len() >= 30);
    let most = frames(terminal.raw(), from).into_iter().max();
    assert!(most <= Some(400), "{most:?} bytes");
    // A key is answered with the whole screen that it asks for.
    terminal.press("2");
    terminal.until_seen("the page of clips", |seen| {
        frames(seen.raw(), from).into_iter().max() > Some(400)
    });
    terminal.press("q");
    terminal.until("Quit?");
    terminal.press("i");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
}
