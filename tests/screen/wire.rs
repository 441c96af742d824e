//! What goes over the line while nobody touches a key.

use crate::desk::{Desk, state};

/// Begins each frame.
const BEGIN: &[u8] = b"\x1b[?2026h";

/// The bytes of each frame that was written after so many bytes, the last one not included: there may
/// be more of it to come.
fn frames(raw: &[u8], from: usize) -> Vec<usize> {
    let begins = |at: &usize| raw[*at..].starts_with(BEGIN);
    let begins: Vec<usize> = (from..raw.len()).filter(begins).collect();
    begins.windows(2).map(|two| two[1] - two[0]).collect()
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
