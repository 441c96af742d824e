//! Pictures of the screen, and what must hold on every screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::engine::{TaskState, TaskStatus};
use crate::monitor::action::TABLE;
use crate::monitor::app::{App, Message};
use crate::monitor::fixtures::{self, NOW};
use crate::monitor::keys::Key;
use crate::monitor::theme::{ColorDepth, Theme};
use crate::monitor::view;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 12)];

/// The screen at this size after these keys.
fn screen(tasks: Vec<TaskStatus>, keys: &str, (width, height): (u16, u16)) -> Buffer {
    screen_in("dark", ColorDepth::TrueColor, tasks, keys, (width, height))
}

fn screen_in(
    theme: &str,
    depth: ColorDepth,
    tasks: Vec<TaskStatus>,
    keys: &str,
    (width, height): (u16, u16),
) -> Buffer {
    let themes = Theme::built_in(depth).unwrap();
    let theme = crate::monitor::theme::position(&themes, theme).unwrap();
    let mut app = App::new(themes, theme, false);
    let area = Rect::new(0, 0, width, height);
    let draw = |app: &mut App| {
        let mut buf = Buffer::empty(area);
        let layout = view::draw(&mut buf, app);
        app.drawn(layout);
        buf
    };
    app.update(Message::Reset(tasks), NOW);
    let mut buf = draw(&mut app);
    for name in keys.split_whitespace() {
        app.update(Message::Key(Key::parse(name).unwrap()), NOW);
        buf = draw(&mut app);
    }
    buf
}

/// What a person would read.
fn text(buf: &Buffer) -> String {
    let mut lines = Vec::new();
    for y in 0..buf.area.height {
        let (mut line, mut skip) = (String::new(), 0);
        for x in 0..buf.area.width {
            let symbol = buf[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = view::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn pictures(name: &str, tasks: &dyn Fn() -> Vec<TaskStatus>, keys: &str) {
    for (width, height) in SIZES {
        let buf = screen(tasks(), keys, (width, height));
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&buf));
    }
}

#[test]
fn working() {
    pictures("working", &fixtures::working, "");
}

#[test]
fn segments_and_errors() {
    pictures("errors", &fixtures::working, "e");
    pictures("segment_zoomed", &fixtures::working, "tab up up enter");
}

#[test]
fn done() {
    pictures("done", &fixtures::finished, "");
}

#[test]
fn empty() {
    pictures("empty", &Vec::new, "");
}

#[test]
fn help() {
    pictures("help", &fixtures::working, "?");
}

#[test]
fn questions() {
    pictures("quit", &fixtures::working, "q");
    pictures("cancel", &fixtures::working, "c");
    pictures("finishing", &fixtures::working, "q enter");
}

#[test]
fn opening_the_voice() {
    let opening = || {
        let mut task = fixtures::narration("the-night-train", "The Night Train", 412);
        fixtures::start(&mut task, 2);
        vec![task]
    };
    pictures("opening", &opening, "");
}

#[test]
fn a_failed_task_says_why() {
    let failed = || {
        let mut tasks = fixtures::working();
        tasks[1].state = TaskState::Failed;
        tasks[1].current_segment = None;
        tasks[1].completed_at = Some(NOW);
        let error = crate::engine::ErrorObject::new("DISK_FULL", "no space left for the clips");
        tasks[1].error = Some(error.with_remediation("Free some space, then retry"));
        tasks[2].state = TaskState::Cancelled;
        tasks
    };
    pictures("failed", &failed, "down e");
}

/// The styles of the cells where these words stand.
fn style_of(buf: &Buffer, words: &str) -> (Option<Color>, Option<Color>, Modifier) {
    for y in 0..buf.area.height {
        let row: Vec<&str> = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        let starts = (0..row.len()).find(|x| row[*x..].concat().starts_with(words));
        if let Some(x) = starts {
            let style = buf[(u16::try_from(x).unwrap(), y)].style();
            return (style.fg, style.bg, style.add_modifier);
        }
    }
    panic!("“{words}” is not on the screen");
}

#[test]
fn the_dark_theme_has_its_colours() {
    let buf = screen(fixtures::working(), "", (120, 36));
    let (night, raised) = (Color::Rgb(0x12, 0x14, 0x1c), Color::Rgb(0x26, 0x2b, 0x3d));
    let amber = Color::Rgb(0xf5, 0xc2, 0x6b);
    let green = Color::Rgb(0x8f, 0xcf, 0x8a);
    let red = Color::Rgb(0xf2, 0x7d, 0x84);
    let blue = Color::Rgb(0x82, 0xaa, 0xff);
    let bold = Modifier::BOLD;
    let none = Modifier::empty();
    assert_eq!(style_of(&buf, "aloud"), (Some(blue), Some(night), bold));
    assert_eq!(
        style_of(&buf, "COMPLETED"),
        (Some(green), Some(night), none)
    );
    // The selected row.
    assert_eq!(
        style_of(&buf, "PROCESSING"),
        (Some(amber), Some(raised), bold)
    );
    assert_eq!(style_of(&buf, "✘ 113"), (Some(red), Some(night), bold));
}

#[test]
fn without_colours_symbols_and_words_say_it() {
    let buf = screen_in("mono", ColorDepth::None, fixtures::working(), "", (120, 36));
    for cell in buf.content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    let (_, _, modifier) = style_of(&buf, "PROCESSING");
    assert!(modifier.contains(Modifier::REVERSED));
    let small = screen_in("mono", ColorDepth::None, fixtures::working(), "", (80, 24));
    insta::assert_snapshot!("mono_80x24", text(&small));
}

#[test]
fn every_action_is_in_the_help() {
    let buf = screen(fixtures::working(), "?", (100, 60));
    let shown = text(&buf);
    for info in TABLE {
        assert!(shown.contains(info.help), "{:?} is missing", info.action);
        for key in info.all_keys() {
            let line = shown.lines().find(|line| line.contains(info.help)).unwrap();
            assert!(
                line.contains(&key.to_string()),
                "{key} of {:?}",
                info.action
            );
        }
    }
}

#[test]
fn hints_are_keys_that_act() {
    let shown = text(&screen(fixtures::working(), "", (120, 36)));
    let last = shown.lines().last().unwrap();
    for hint in ["? help", "c cancel", "e errors", "q quit"] {
        assert!(last.contains(hint), "{last}");
    }
    assert!(!last.contains("follow"), "it follows already: {last}");
}

/// Titles and texts that try to break out of their line.
#[test]
fn hostile_text_stays_in_its_place() {
    let titles = [
        "\x1b[2J\x1b]0;owned\x07red \x1b[31malert\r\nsecond\tline",
        "日本語の題名はとても長いので切らなければならないのです、そうでしょう、きっとそうです",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "مرحبا \u{202E}gnp.exe\u{202C} \u{2066}x\u{2069}",
        "👩‍👩‍👧‍👦👩‍🚀🏴‍☠️ family",
        "\u{200B}\u{FEFF}\u{301}",
        "",
    ];
    for (width, height) in [
        (120, 36),
        (80, 24),
        (40, 12),
        (70, 18),
        (30, 8),
        (10, 3),
        (1, 1),
    ] {
        let mut calm = fixtures::working();
        calm[1].title = "x".into();
        let plain = screen(calm, "", (width, height));
        for title in titles {
            let mut tasks = fixtures::working();
            tasks[1].title = title.into();
            let buf = screen(tasks, "", (width, height));
            for cell in buf.content() {
                assert!(!cell.symbol().chars().any(char::is_control), "{title:?}");
                assert!(!cell.symbol().contains('\u{202E}'), "{title:?}");
            }
            // The frames stand where they stood.
            for y in 0..height {
                for x in [0, width - 1] {
                    let (here, there) = (buf[(x, y)].symbol(), plain[(x, y)].symbol());
                    assert_eq!(here, there, "{title:?} at {x},{y} of {width}×{height}");
                }
            }
        }
    }
}

#[test]
fn every_size_can_be_drawn_in_every_state() {
    let states: [(&dyn Fn() -> Vec<TaskStatus>, &str); 6] = [
        (&fixtures::working, ""),
        (&fixtures::working, "?"),
        (&fixtures::working, "q"),
        (&fixtures::working, "e"),
        (&fixtures::finished, "tab enter"),
        (&Vec::new, ""),
    ];
    for (tasks, keys) in states {
        for width in [1, 2, 20, 29, 30, 40, 55, 69, 70, 80, 100, 300] {
            for height in [1, 2, 7, 8, 12, 17, 18, 24, 60] {
                screen(tasks(), keys, (width, height));
            }
        }
    }
}

#[test]
fn a_closure_without_a_plan_is_shown_too() {
    let mut tasks = fixtures::working();
    for task in &mut tasks {
        task.plan = None;
        task.folder = None;
        task.voice = "".into();
        task.kind = crate::engine::TaskKind::Closure;
    }
    for size in SIZES {
        screen(tasks.clone(), "tab end", size);
    }
}
