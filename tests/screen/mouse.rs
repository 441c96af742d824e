//! The same by mouse: tabs, hints, rows, the palette, answers and the form, where they were drawn.

use crate::desk::{Desk, ODD, SHORT, page, state};
use crate::kit;

#[test]
fn the_mouse_reaches_what_the_keys_reach() {
    let desk = Desk::new("");
    let terminal = &mut desk.open((120, 36));
    terminal.until("Nothing to narrate yet");
    // A hint, a field of the form, and its button.
    terminal.click("a add");
    terminal.until("Add a text");
    terminal.press(&desk.home.write("short.txt", SHORT));
    terminal.until("short.txt");
    terminal.click("Priority");
    terminal.until("▸ Priority");
    terminal.click(" high ");
    terminal.until("[high]");
    terminal.click("Speed");
    terminal.until("▸ Speed");
    terminal.click("Enter add   Esc");
    state(terminal, "The Quiet Road", "COMPLETED");
    desk.add(terminal, "odd.txt", ODD);
    state(terminal, "The Odd Word", "FAILED");

    // Tabs, and rows: the first click selects, the second one opens.
    terminal.click("2 Clips");
    page(terminal, "Clips");
    terminal.click("5  Once a hare came by.");
    terminal.until("Segment 5 ");
    terminal.click("5  Once a hare came by.");
    page(terminal, "Queue");
    terminal.until("Segments · The Quiet Road");
    terminal.click("✘ The Odd Word");
    terminal.until("Segments · The Odd Word");
    terminal.click("e errors");
    terminal.until("Errors · The Odd Word");
    terminal.click("✘    3");
    terminal.until("UNKNOWN_PHONEMES");
    terminal.click("Esc back");
    terminal.until("Segments · The Odd Word");

    // A row of the palette, the wheel over the help, and a click that closes it.
    terminal.click(": all");
    terminal.until("All actions");
    terminal.press("history");
    // All of it was taken in: rows move with each letter.
    terminal.until("› history");
    terminal.until_gone("cancel-all");
    terminal.click("narrations that have ended");
    page(terminal, "History");
    terminal.click("? help");
    terminal.until(" Move ");
    let (col, row) = terminal.find(" Move ").unwrap();
    terminal.press(&format!("\u{1b}[<65;{col};{}M", row + 3));
    terminal.until_gone(" Move ");
    terminal.click("Esc closes");
    terminal.until_gone("Esc closes");

    // Answers.
    terminal.click("1 Queue");
    page(terminal, "Queue");
    terminal.press("P");
    terminal.until("paused: nothing begins");
    desk.add(terminal, "third.txt", &SHORT.replace("Quiet", "Third"));
    state(terminal, "The Third Road", "PENDING");
    terminal.click("q quit");
    terminal.until("Quit?");
    terminal.click("stay");
    terminal.until_gone("Quit?");
    terminal.click("q quit");
    terminal.until("Quit?");
    terminal.click("quit now");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    assert_eq!(kit::stored_states(&desk.home).last().unwrap(), "PENDING");
}
