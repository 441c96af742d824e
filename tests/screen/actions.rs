//! Every action that the help lists, by each of its keys: what it does is seen on the screen, on
//! the disk or by the process.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::book::Book;
use crate::desk::{Desk, LONG_TITLE, ODD, SHORT, page, state, stopped};
use crate::kit::{self, wait_for};
use crate::pty::Terminal;

const UP: &str = "up one row";
const DOWN: &str = "down one row";
const PAGE_UP: &str = "up one page, also of an opened text";
const PAGE_DOWN: &str = "down one page, also of an opened text";
const FIRST: &str = "to the first row";
const LAST: &str = "to the segment in work, again: to the last row";
const PANE: &str = "between queue and segments";
const OPEN: &str = "a task's segments, a segment's text, a row's place";
const BACK: &str = "back, close, no filter";
const FOLLOW: &str = "follow the work again";
const ERRORS: &str = "errors of the task, or its segments";
const FILTER: &str = "show only rows with these words";
const THEME: &str = "choose a theme";
const ADD: &str = "add a text: a path or what is pasted";
const CANCEL: &str = "cancel the selected task; its clips stay";
const CANCEL_ALL: &str = "cancel every task";
const RETRY_ALL: &str = "try everything again that failed or was cancelled";
const RETRY: &str = "try again: this segment, or what failed of a task";
const HOLD: &str = "hold the selected task back, or let it go on";
const HOLD_ALL: &str = "pause everything after the segment in work, or go on";
const SOONER: &str = "run the selected task sooner";
const LATER: &str = "run the selected task later";
const PLAY: &str = "play this clip or narration; again: stop";
const HEAR: &str = "hear a voice";
const WORD: &str = "say a word of the segment otherwise, here or everywhere";
const HEAR_WORD: &str = "hear the segment with the word said so; hear the voice";
const OTHER_VOICE: &str = "another voice speaks all of it, in the same folder";
const FOLDER: &str = "open the folder with the clips";
const COPY: &str = "copy the path of the clip or the folder";
const HELP: &str = "every key, and what it does";
const PALETTE: &str = "every action by its name";
const QUIT: &str = "quit; asks while work is running";
const SUSPEND: &str = "suspend; `fg` comes back";
const REDRAW: &str = "draw the screen afresh";
const YES: &str = "yes; for quitting: finish the segment in work";
const ALL: &str = "quit when everything is done";
const NOW: &str = "quit now; the segment in work is made again";
const BACKGROUND: &str = "quit; the work goes on in the background";
const NO: &str = "no, stay";
const TAKE: &str = "take what is typed or chosen";
const LEAVE: &str = "close without it";
const COMPLETE: &str = "complete the path; elsewhere: the next field";
const BEFORE: &str = "the value before, or the cursor to the left";
const NEXT: &str = "the next value, or the cursor to the right";
const HURRY: &str = "while finishing: stop now";

/// With a frame of this height the whole help is seen.
const TALL: (u16, u16) = (120, 80);
const USUAL: (u16, u16) = (120, 36);

#[test]
fn every_action_of_the_help_does_what_it_says() {
    let mut book = reading();
    arranging(&mut book);
    leaving(&mut book);
    hurrying(&mut book);
    book.assert_all_tried();
}

/// Looks at what is narrated, and changes nothing.
fn reading() -> Book {
    let desk = Desk::new("");
    let player = desk.script(
        "player",
        "echo \"$$ $1\" >> \"$0.told\"; exec tail -f --pid=$PPID /dev/null",
    );
    desk.script("bin/xdg-open", "echo \"$1\" >> \"$0.told\"");
    desk.add_config(&format!("player = \"{player}\"\n"));
    let mut command = desk.command();
    command.env("DISPLAY", ":7");
    let path = std::env::var("PATH").unwrap();
    command.env(
        "PATH",
        format!("{}:{path}", desk.home.path("bin").display()),
    );
    let terminal = &mut Terminal::start(command, TALL);
    terminal.until("Nothing to narrate yet");
    let mut book = Book::read(terminal);
    let book = &mut book;

    reading_help(book, terminal);
    desk.add(terminal, "short.txt", SHORT);
    terminal.until("COMPLETED");
    desk.add(terminal, "odd.txt", ODD);
    terminal.until("FAILED");
    turning_pages(book, terminal);
    moving(book, terminal);
    looking_closer(book, terminal);
    choosing(book, terminal);
    hearing(book, terminal, &desk);
    saying_otherwise(book, terminal);

    // Nothing runs: it asks nothing.
    book.press(terminal, QUIT, "q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    std::mem::take(book)
}

fn reading_help(book: &mut Book, terminal: &mut Terminal) {
    terminal.resize(80, 24);
    terminal.until("↓ more");
    terminal.until(" Move ");
    for (down, down_key, up, up_key) in [
        (DOWN, "↓", UP, "↑"),
        (DOWN, "j", UP, "k"),
        (PAGE_DOWN, "PgDn", PAGE_UP, "PgUp"),
        (PAGE_DOWN, "Ctrl-F", PAGE_UP, "Ctrl-B"),
        (LAST, "End", FIRST, "Home"),
        (LAST, "G", FIRST, "g"),
    ] {
        book.press(terminal, down, down_key);
        terminal.until_gone(" Move ");
        book.press(terminal, up, up_key);
        terminal.until(" Move ");
    }
    for key in ["q", "?", "Enter", "Esc"] {
        book.press(terminal, BACK, key);
        terminal.until_gone("Esc closes");
        if key != "Esc" {
            book.press(terminal, HELP, "?");
            terminal.until("Esc closes");
        }
    }
    terminal.resize(USUAL.0, USUAL.1);
    terminal.until("Nothing to narrate yet");
}

fn turning_pages(book: &mut Book, terminal: &mut Terminal) {
    for (key, help, title, there) in [
        (
            "2",
            "finished clips of all tasks",
            "Clips",
            "The road lay still.",
        ),
        ("3", "errors of all tasks", "Errors", "UNKNOWN_PHONEMES"),
        ("4", "narrations that have ended", "History", "2 narrations"),
        ("5", "what the program logs", "Log", "following"),
        (
            "6",
            "worker, memory, disk, speed over time",
            "Health",
            "Memory",
        ),
        ("1", "the queue and its segments", "Queue", "The Quiet Road"),
    ] {
        book.press(terminal, help, key);
        page(terminal, title);
        terminal.until(there);
    }
    for (next, before) in [("→", "←"), ("]", "[")] {
        for title in ["Clips", "Errors", "History", "Log", "Health", "Queue"] {
            book.press(terminal, "the next page", next);
            page(terminal, title);
        }
        for title in ["Health", "Log", "History", "Errors", "Clips", "Queue"] {
            book.press(terminal, "the page before", before);
            page(terminal, title);
        }
    }
}

/// On the page of clips the detail tells which one is selected.
fn moving(book: &mut Book, terminal: &mut Terminal) {
    terminal.press("2");
    page(terminal, "Clips");
    for (help, key, shown) in [
        (FIRST, "Home", ["Segment 1 ", "of 11"]),
        (DOWN, "↓", ["Segment 2 ", "of 11"]),
        (DOWN, "j", ["Segment 3 ", "of 11"]),
        (UP, "↑", ["Segment 2 ", "of 11"]),
        (UP, "k", ["Segment 1 ", "of 11"]),
        (LAST, "End", ["Segment 4 ", "of 4"]),
        (FIRST, "g", ["Segment 1 ", "of 11"]),
        (LAST, "G", ["Segment 4 ", "of 4"]),
        (PAGE_UP, "PgUp", ["Segment 1 ", "of 11"]),
        (PAGE_DOWN, "PgDn", ["Segment 4 ", "of 4"]),
        (PAGE_UP, "Ctrl-B", ["Segment 1 ", "of 11"]),
        (PAGE_DOWN, "Ctrl-F", ["Segment 4 ", "of 4"]),
    ] {
        book.press(terminal, help, key);
        terminal.until_screen(&format!("{key}: {shown:?}"), |screen| {
            shown.iter().all(|words| screen.contains(words))
        });
    }
    // To its place in the task, with its own text over the whole width, and back to the list.
    book.press(terminal, OPEN, "Enter");
    page(terminal, "Queue");
    book.press(terminal, OPEN, "Enter");
    terminal.until_gone("Segments · ");
    book.press(terminal, BACK, "Esc");
    terminal.until("Segments · The Odd Word");
}

fn looking_closer(book: &mut Book, terminal: &mut Terminal) {
    book.press(terminal, ERRORS, "e");
    terminal.until("Errors · The Odd Word");
    book.press(terminal, ERRORS, "e");
    terminal.until("Segments · The Odd Word");
    // The keys go to the other pane: there they move between segments, here between tasks.
    for key in ["Tab", "Shift-Tab"] {
        book.press(terminal, PANE, key);
        terminal.press("g");
        terminal.until("Segments · The Quiet Road");
        terminal.press("G");
        terminal.until("Segments · The Odd Word");
        terminal.press("\t");
        terminal.press("g");
        terminal.until("Segment 1 ");
        terminal.press("G");
        terminal.until("Segment 4 ");
        terminal.until("Segments · The Odd Word");
    }
    // The newest clip, once a person has left it.
    terminal.press("2");
    page(terminal, "Clips");
    terminal.press("g");
    terminal.until("f follow");
    book.press(terminal, FOLLOW, "f");
    terminal.until_gone("f follow");
    terminal.until("Segment 4 ");
    book.press(terminal, FILTER, "/");
    terminal.press("hare");
    terminal.until_gone("It did not mind.");
    terminal.until("Once a hare came by.");
    book.press(terminal, TAKE, "Enter");
    terminal.until_gone("Esc close ");
    assert!(!terminal.text().contains("It did not mind."));
    book.press(terminal, BACK, "Esc");
    terminal.until("It did not mind.");
    book.press(terminal, FILTER, "/");
    terminal.press("rain");
    terminal.until_gone("It did not mind.");
    book.press(terminal, LEAVE, "Esc");
    terminal.until("It did not mind.");
}

fn choosing(book: &mut Book, terminal: &mut Terminal) {
    for key in [":", "Ctrl-P"] {
        book.press(terminal, PALETTE, key);
        terminal.until("All actions");
        terminal.press("narrations ended");
        terminal.until_gone("cancel-all");
        book.press(terminal, TAKE, "Enter");
        page(terminal, "History");
        terminal.press("1");
        page(terminal, "Queue");
    }
    let colours = |terminal: &Terminal| {
        let cell = terminal.cell_of("aloud");
        (cell.fgcolor(), cell.bgcolor())
    };
    let before = colours(terminal);
    book.press(terminal, THEME, "t");
    terminal.until("high-contrast");
    terminal.press("light");
    terminal.until_seen("other colours", |terminal| colours(terminal) != before);
    book.press(terminal, LEAVE, "Esc");
    terminal.until_seen("the colours of before", |terminal| {
        colours(terminal) == before && !terminal.text().contains("high-contrast")
    });
    terminal.press("t");
    terminal.until("high-contrast");
    terminal.press("light");
    terminal.until_seen("other colours", |terminal| colours(terminal) != before);
    book.press(terminal, TAKE, "Enter");
    terminal.until("theme = \"light\"");
    assert_ne!(colours(terminal), before);
}

fn hearing(book: &mut Book, terminal: &mut Terminal, desk: &Desk) {
    let told = |count: usize| {
        let lines = wait_for("the player", || {
            let told = fs::read_to_string(desk.home.path("player.told")).ok()?;
            let lines: Vec<String> = told.lines().map(str::to_owned).collect();
            (lines.len() >= count).then_some(lines)
        });
        let (process, file) = lines.last().unwrap().split_once(' ').unwrap();
        (process.to_owned(), file.to_owned())
    };
    let folder = desk.home.path("narrations/short");
    terminal.press("2");
    page(terminal, "Clips");
    terminal.press("g");
    terminal.until("of 11");
    book.press(terminal, PLAY, "Space");
    terminal.until("playing; the same key stops it");
    let (process, file) = told(1);
    let clip = folder.join("0001-the-quiet-road.wav");
    assert_eq!(Path::new(&file), clip);
    book.press(terminal, PLAY, "Space");
    terminal.until("stopped");
    wait_for("the player's end", || {
        (!Path::new("/proc").join(&process).exists()).then_some(())
    });

    book.press(terminal, COPY, "y");
    terminal.until("copied: ");
    let copied = format!("\u{1b}]52;c;{}", base64(clip.to_str().unwrap().as_bytes()));
    terminal.until_written(0, copied.as_bytes());
    book.press(terminal, FOLDER, "o");
    let shown = wait_for("the folder", || {
        let told = fs::read_to_string(desk.home.path("bin/xdg-open.told")).ok()?;
        told.ends_with('\n').then_some(told)
    });
    assert_eq!(Path::new(shown.trim_end()), folder);

    book.press(terminal, HEAR, "v");
    terminal.until("Hear a voice");
    terminal.press("joe-medium");
    terminal.until("› joe-medium");
    terminal.until("en_US · medium");
    book.press(terminal, TAKE, "Enter");
    terminal.until("this is en_US-joe-medium");
    assert!(told(2).1.contains("aloud-preview-"));
    book.press(terminal, LEAVE, "Esc");
    terminal.until_gone("Hear a voice");
    book.press(terminal, OTHER_VOICE, "V");
    terminal.until("Have it spoken by");
    book.press(terminal, LEAVE, "Esc");
    terminal.until_gone("Have it spoken by");
    let from = terminal.raw().len();
    book.press(terminal, REDRAW, "Ctrl-L");
    terminal.until_written(from, b"\x1b[2J");
    terminal.until("The road lay still.");
}

/// A word of a clip, and of the same segment where it is opened.
fn saying_otherwise(book: &mut Book, terminal: &mut Terminal) {
    book.press(terminal, WORD, "w");
    terminal.until("Say a word otherwise");
    book.press(terminal, HEAR_WORD, "Ctrl-O");
    terminal.until("type what is to be said");
    terminal.press("rowed");
    terminal.until_gone("type what is to be said");
    book.press(terminal, COMPLETE, "Tab");
    terminal.until("▸ For");
    book.press(terminal, NEXT, "→");
    terminal.until("[this text]");
    book.press(terminal, LEAVE, "Esc");
    terminal.until_gone("Say a word otherwise");
    terminal.press("\r");
    page(terminal, "Queue");
    terminal.press("\r");
    terminal.until("e word");
    terminal.press("e");
    terminal.until("Say a word otherwise");
    book.press(terminal, LEAVE, "Esc");
    terminal.until_gone("Say a word otherwise");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let all = chunk
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        let all = all << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place > chunk.len() {
                '='
            } else {
                letter.into()
            });
        }
    }
    text
}

/// A queue that is held, so that nothing moves but what a person moves.
fn arranging(book: &mut Book) {
    let desk = Desk::new("");
    let terminal = &mut desk.open(USUAL);
    terminal.until("Nothing to narrate yet");
    book.press(terminal, HOLD_ALL, "P");
    terminal.until("paused: nothing begins");
    typing_a_path(book, terminal, &desk);
    let second = desk
        .home
        .write("second.txt", SHORT.replace("Quiet", "Second"));
    // As some file managers drop it.
    terminal.paste(&format!("file://{}", second.replace("second", "%73econd")));
    terminal.until("%73econd.txt");
    terminal.press("\r");
    terminal.until_gone("Add a text");
    desk.add(terminal, "third.txt", &SHORT.replace("Quiet", "Third"));
    terminal.until("paused, P goes on");
    let order = |terminal: &Terminal| {
        let mut titles = ["Quiet", "Second", "Third"];
        titles.sort_by_key(|title| {
            terminal
                .find(&format!("○ The {title} Road"))
                .map(|(_, row)| row)
        });
        titles
    };
    terminal.until("Segments · The Third Road");
    book.press(terminal, SOONER, "K");
    terminal.until_seen("Third before Second", |terminal| {
        order(terminal) == ["Quiet", "Third", "Second"]
    });
    book.press(terminal, SOONER, "K");
    terminal.until_seen("Third first", |terminal| {
        order(terminal) == ["Third", "Quiet", "Second"]
    });
    book.press(terminal, LATER, "J");
    terminal.until_seen("Quiet first", |terminal| {
        order(terminal) == ["Quiet", "Third", "Second"]
    });
    // One that never began goes without a question.
    book.press(terminal, CANCEL, "c");
    state(terminal, "The Third Road", "CANCELLED");
    // One is held for itself as well, and stays when the others go on.
    terminal.press("G");
    terminal.until("Segments · The Second Road");
    book.press(terminal, HOLD, "p");
    state(terminal, "The Second Road", "PAUSED");
    for title in ["The Quiet Road", "The Second Road", "The Third Road"] {
        assert!(!terminal.text().contains("COMPLETED"), "{title}");
    }
    book.press(terminal, HOLD_ALL, "P");
    state(terminal, "The Quiet Road", "COMPLETED");
    state(terminal, "The Second Road", "PAUSED");
    book.press(terminal, HOLD, "p");
    state(terminal, "The Second Road", "COMPLETED");
    terminal.press("g");
    terminal.until("Segments · The Third Road");
    book.press(terminal, RETRY, "r");
    state(terminal, "The Third Road", "COMPLETED");
    book.press(terminal, FOLDER, "o");
    terminal.until("there is no desktop here");
    for name in ["short", "second", "third"] {
        assert_eq!(
            kit::clips(&desk.home.path("narrations").join(name)).len(),
            11,
            "{name}"
        );
    }

    // Everything at once, after a question.
    terminal.press("P");
    terminal.until("paused: nothing begins");
    pasting_a_text(book, terminal);
    for (key, stays) in [("n", true), ("Esc", true), ("c", false)] {
        book.press(terminal, CANCEL_ALL, "X");
        terminal.until("Cancel everything?");
        book.press(terminal, if stays { NO } else { YES }, key);
        terminal.until_gone("Cancel everything?");
        assert!(!stays || terminal.text().contains("PENDING"));
    }
    state(terminal, "Rain again", "CANCELLED");
    terminal.press("P");
    terminal.until("the queue goes on");
    book.press(terminal, RETRY_ALL, "R");
    terminal.until("4 narrations");
    let pasted = desk.home.path("narrations/rain-again");
    assert_eq!(kit::clips(&pasted).len(), 2, "{}", terminal.text());
    book.press(terminal, QUIT, "Ctrl-C");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
}

/// A path with completion, and the other fields.
fn typing_a_path(book: &mut Book, terminal: &mut Terminal, desk: &Desk) {
    let file = desk.home.write("short.txt", SHORT);
    book.press(terminal, ADD, "a");
    terminal.until("Add a text");
    book.press(terminal, LEAVE, "Esc");
    terminal.until_gone("Add a text");
    book.press(terminal, ADD, "a");
    terminal.until("Add a text");
    terminal.press(file.strip_suffix("ort.txt").unwrap());
    book.press(terminal, COMPLETE, "Tab");
    terminal.until("/short.txt");
    // The cursor goes back and forth over a letter; the text stays what it was.
    book.press(terminal, BEFORE, "←");
    terminal.press("\u{7f}x");
    terminal.until("/short.txt");
    book.press(terminal, NEXT, "→");
    // Down to the priority, the last of the fields.
    for _ in 0..5 {
        book.press(terminal, DOWN, "↓");
    }
    terminal.until("[normal]");
    book.press(terminal, NEXT, "→");
    terminal.until("[high]");
    book.press(terminal, BEFORE, "←");
    terminal.until("[normal]");
    book.press(terminal, UP, "↑");
    terminal.until("▸ Speaker");
    book.press(terminal, TAKE, "Enter");
    terminal.until_gone("Add a text");
    state(terminal, "The Quiet Road", "PENDING");
}

fn pasting_a_text(book: &mut Book, terminal: &mut Terminal) {
    book.press(terminal, ADD, "a");
    terminal.until("Add a text");
    terminal.paste("Rain again.\n\nAnd it did not stop.\n");
    terminal.until("pasted");
    book.press(terminal, TAKE, "Enter");
    terminal.until_gone("Add a text");
    state(terminal, "Rain again", "PENDING");
}

/// Work that lasts, and every answer to the question how to quit.
fn leaving(book: &mut Book) {
    let desk = Desk::new("");
    desk.begin_long();
    let folder = desk.home.path("narrations/long");
    let made = || kit::clips(&folder).len();
    let mut terminal = desk.open(USUAL);
    let term = &mut terminal;
    state(term, LONG_TITLE, "PROCESSING");
    for key in ["Esc", "n"] {
        book.press(term, QUIT, "q");
        term.until("Quit?");
        book.press(term, NO, key);
        term.until_gone("Quit?");
    }
    suspending(book, term);
    pausing(book, term, &made);
    cancelling(book, term);
    for (quit, yes) in [("q", "q"), ("Ctrl-C", "Ctrl-C"), ("q", "y"), ("q", "Enter")] {
        state(&mut terminal, LONG_TITLE, "PROCESSING");
        let before = made();
        wait_for("more clips", || (made() > before).then_some(()));
        book.press(&mut terminal, QUIT, quit);
        terminal.until("Quit?");
        book.press(&mut terminal, YES, yes);
        assert_eq!(terminal.exit_code(), 0, "{yes}");
        terminal.assert_given_back();
        assert!(terminal.text().contains("it continues at the next start"));
        assert_eq!(kit::stored_states(&desk.home).last().unwrap(), "PENDING");
        terminal = desk.open(USUAL);
    }
    state(&mut terminal, LONG_TITLE, "PROCESSING");
    terminal.press("q");
    terminal.until("Quit?");
    book.press(&mut terminal, NOW, "i");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    assert_eq!(kit::stored_states(&desk.home).last().unwrap(), "PENDING");

    let mut terminal = desk.open(USUAL);
    state(&mut terminal, LONG_TITLE, "PROCESSING");
    terminal.press("q");
    terminal.until("Quit?");
    book.press(&mut terminal, BACKGROUND, "l");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    let said = terminal.text();
    assert!(said.contains("goes on in the background"), "{said}");
    assert_eq!(desk.home.run(&["stop"]).code, Some(0));

    // What is held back is let go for it.
    let desk = Desk::new("");
    let mut terminal = desk.open(USUAL);
    terminal.until("Nothing to narrate yet");
    terminal.press("P");
    terminal.until("paused: nothing begins");
    desk.add(&mut terminal, "short.txt", SHORT);
    state(&mut terminal, "The Quiet Road", "PENDING");
    terminal.press("q");
    terminal.until("Quit?");
    book.press(&mut terminal, ALL, "a");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(kit::clips(&desk.home.path("narrations/short")).len(), 11);
}

fn suspending(book: &mut Book, terminal: &mut Terminal) {
    let from = terminal.raw().len();
    book.press(terminal, SUSPEND, "Ctrl-Z");
    wait_for("the stop", || stopped(terminal.process_id()).then_some(()));
    terminal.until_seen("the terminal given back", |terminal| {
        !terminal.screen().alternate_screen()
    });
    terminal.assert_given_back();
    terminal.signal(Signal::CONT);
    terminal.until_written(from, b"\x1b[2J");
    terminal.until("PROCESSING");
    terminal.press("?");
    terminal.until("Esc closes");
    terminal.press("q");
    terminal.until_gone("Esc closes");
    assert!(terminal.screen().alternate_screen());
    assert!(terminal.screen().bracketed_paste());
    assert!(terminal.screen().hide_cursor());
    assert_ne!(
        terminal.screen().mouse_protocol_mode(),
        vt100::MouseProtocolMode::None
    );
}

/// What is in work goes back to its place with its clips, and goes on from there.
fn pausing(book: &mut Book, terminal: &mut Terminal, made: &dyn Fn() -> usize) {
    state(terminal, LONG_TITLE, "PROCESSING");
    let before = wait_for("a clip", || Some(made()).filter(|clips| *clips > 0));
    book.press(terminal, HOLD_ALL, "P");
    state(terminal, LONG_TITLE, "PENDING");
    terminal.until("‖ paused");
    terminal.until("paused, P goes on");
    let clips = made();
    assert!(clips >= before, "its clips stay");
    book.press(terminal, HOLD_ALL, "P");
    state(terminal, LONG_TITLE, "PROCESSING");
    wait_for("more clips", || (made() > clips).then_some(()));
    // The same for this one alone.
    book.press(terminal, HOLD, "p");
    state(terminal, LONG_TITLE, "PAUSED");
    terminal.until("‖ paused");
    book.press(terminal, HOLD, "p");
    state(terminal, LONG_TITLE, "PROCESSING");
}

fn cancelling(book: &mut Book, terminal: &mut Terminal) {
    for (cancelled, key) in [(1, "Enter"), (2, "y")] {
        state(terminal, LONG_TITLE, "PROCESSING");
        book.press(terminal, CANCEL, "c");
        terminal.until("Cancel “The Long Road”?");
        book.press(terminal, YES, key);
        terminal.until_screen("one more that is cancelled", |screen| {
            let ended = ["CANCELLED", "RETRIED"].map(|word| screen.matches(word).count());
            ended.iter().sum::<usize>() == cancelled
        });
        // It goes on as a task of its own.
        terminal.press("r");
    }
}

/// The voice that takes seconds for its one segment: the first answer waits for it, the key that
/// hurries does not.
fn hurrying(book: &mut Book) {
    for key in ["q", "Ctrl-C"] {
        let desk = Desk::new("");
        desk.configure("speed = 0.25\nthreads = 1\n");
        let terminal = &mut desk.open(USUAL);
        terminal.until("Nothing to narrate yet");
        desk.add(
            terminal,
            "slow.txt",
            "She walked along the shore until the wind had dropped and the boats had all come \
             home, and then she walked the whole way back, counting the lamps in the windows.",
        );
        terminal.until("in work");
        terminal.press("q");
        book.press(terminal, YES, "y");
        book.press(terminal, HURRY, key);
        assert_eq!(terminal.exit_code(), 0);
        terminal.assert_given_back();
        assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
        assert!(kit::finished(&desk.home, None).is_empty(), "it waited");
    }
}
