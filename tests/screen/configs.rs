//! Wrong configurations: each has its message and exit code 2, before the screen is taken. And a
//! right one: keys of one's own.

use crate::book::Book;
use crate::desk::{Desk, SHORT, state};
use crate::pty::{Terminal, has};

#[test]
fn whatever_is_wrong_is_told_before_the_screen_is_taken() {
    let desk = Desk::new("");
    desk.home.write(
        "config/themes/mine.toml",
        "inherits = \"dark\"\n[roles]\nqueu = \"red\"\n",
    );
    let cases: &[(&str, &[&str])] = &[
        (
            "theme = \"drak\"",
            &["there is no theme “drak”", "did you mean “dark”?"],
        ),
        ("theme = \"mine\"", &["theme “mine”"]),
        (
            "[keys]\ncancle = \"x\"",
            &["there is no action “cancle”", "did you mean “cancel”?"],
        ),
        (
            "[keys]\ncancel = \"C-nonsense\"",
            &["keys.cancel: “C-nonsense” is no key"],
        ),
        (
            "[keys]\ncancel = \"q\"",
            &["keys.cancel: “q” is the key of quit; give quit another one as well"],
        ),
        (
            "[keys]\nyes = \"j\"",
            &["keys.yes: the answers to questions keep their keys"],
        ),
        (
            "[keys]\ncancel = [\"x\", \"d\"]",
            &["config.toml:3", "keys.cancel"],
        ),
        ("keys = \"x\"", &["config.toml:2", "keys"]),
        (
            "symbols = \"x\"",
            &[
                "config.toml:2",
                "`symbols` must be \"auto\", \"unicode\" or \"ascii\"",
            ],
        ),
        (
            "on_hangup = \"x\"",
            &[
                "config.toml:2",
                "`on_hangup` must be \"hand-over\", \"finish\" or \"stop\"",
            ],
        ),
        (
            "theem = \"dark\"",
            &["config.toml:2", "did you mean `theme`?"],
        ),
    ];
    for (lines, says) in cases {
        let config = std::fs::read_to_string(desk.home.path("config/config.toml")).unwrap();
        desk.add_config(lines);
        let mut command = desk.command();
        // It would go before the setting.
        command.env_remove("ALOUD_SYMBOLS");
        let mut terminal = Terminal::start(command, (240, 24));
        assert_eq!(terminal.exit_code(), 2, "{lines}\n{}", terminal.text());
        let said = terminal.text();
        assert!(said.starts_with("aloud: "), "{said}");
        for part in *says {
            assert!(said.contains(part), "{lines}: `{part}` is not in\n{said}");
        }
        assert!(
            !has(terminal.raw(), b"\x1b[?1049h"),
            "{lines}: the screen was taken"
        );
        desk.configure(&config);
    }
}

#[test]
fn keys_of_ones_own_act_and_stand_in_the_help() {
    let desk = Desk::new("[keys]\ncancel = \"x C-k\"\nplay = \"\"\n");
    let terminal = &mut desk.open((120, 80));
    terminal.until("Nothing to narrate yet");
    let mut book = Book::read(terminal);
    terminal.press("q");
    terminal.until_gone("Esc closes");
    terminal.press("P");
    terminal.until("paused: nothing begins");
    for (file, key) in [("one.txt", "x"), ("two.txt", "Ctrl-K")] {
        desk.add(terminal, file, &SHORT.replace("Quiet", file));
        let title = format!("The {file} Road");
        state(terminal, &title, "PENDING");
        // The old one does nothing any more.
        terminal.press("c");
        book.press(terminal, "cancel the selected task; its clips stay", key);
        state(terminal, &title, "CANCELLED");
    }
    terminal.until("⊘ ended");
    terminal.press("q");
    assert_eq!(terminal.exit_code(), 0);
}
