//! Pictures of the screen, and what must hold on every screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use std::path::PathBuf;

use crate::model::{HistoryEntry, RunSummary, SegmentId, TaskState, TaskStatus, Timestamp};
use crate::monitor::action::TABLE;
use crate::monitor::app::{App, Message, Vitals};
use crate::monitor::fixtures::{self, NOW};
use crate::monitor::keys::Key;
use crate::monitor::services::LogLine;
use crate::monitor::theme::{ColorDepth, SymbolSet};
use crate::monitor::view;
use crate::service::Health;

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
    let mut app = fixtures::app(theme, depth);
    let area = Rect::new(0, 0, width, height);
    let mut scene = fixtures::scene(depth);
    let mut draw = |app: &mut App| {
        let mut buf = Buffer::empty(area);
        scene.draw(&mut buf, app);
        buf
    };
    app.update(Message::Reset(tasks), NOW);
    for message in told() {
        app.update(message, NOW);
    }
    for second in 0..40 {
        let fast = 40 * second * second;
        app.speeds.note(
            Timestamp(NOW.0 + 2000 * second),
            u64::try_from(fast).unwrap(),
            true,
        );
    }
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
fn a_long_segment_scrolls() {
    pictures(
        "segment_long",
        &fixtures::long_segment,
        "tab up up up up up",
    );
    let open = "tab up up up up up enter";
    pictures("segment_long_zoomed", &fixtures::long_segment, open);
    let end = format!("{open}{}", " pgdn".repeat(40));
    pictures("segment_long_end", &fixtures::long_segment, &end);
}

/// Messages that bring what pages show.
fn told() -> Vec<Message> {
    let past = |id: &str, title: &str, state, clips, hour: i64| HistoryEntry {
        id: id.into(),
        title: title.into(),
        state,
        voice: "en_US-joe-medium".into(),
        folder: PathBuf::from(format!("/home/ada/Narrations/{id}")).into(),
        created_at: Timestamp(0),
        completed_at: Timestamp(hour * 3_600_000),
        summary: Some(RunSummary {
            segments: 40,
            done: clips,
            errors: 40 - clips,
            audio_seconds: f64::from(clips) * 4.6,
        }),
        problem: None,
    };
    let line = |time: &str, level, text: &str| LogLine {
        time: time.into(),
        level,
        text: text.into(),
    };
    let health = Health {
        active_threads: 1,
        max_threads: 1,
        abandoned_threads: 0,
        active_tasks: 1,
        backlog: 1,
        idle_share: Some(0.004),
        is_shutdown: false,
        shutting_down: false,
        library: "/home/ada/.local/share/aloud/library".into(),
        uptime_seconds: 3725.0,
    };
    vec![
        Message::History(Ok(vec![
            past("instructions", "Instructions", TaskState::Completed, 40, 20),
            past("tides", "On Tides", TaskState::Cancelled, 17, 3),
        ])),
        Message::Log(vec![
            line(
                "09:59:01",
                tracing::Level::INFO,
                "2 old tasks left the list",
            ),
            line(
                "09:59:58",
                tracing::Level::WARN,
                "1 task still active after 30 s",
            ),
            line(
                "10:00:00",
                tracing::Level::ERROR,
                "the database is \u{1b}[31mgone",
            ),
        ]),
        Message::Vitals(Box::new(Vitals {
            health,
            memory: Some(312_400_000),
            disk: Some((12_300_000_000, 250_000_000_000)),
            database: Some(1_240_000),
            threads: Some(14),
            at: NOW,
        })),
    ]
}

#[test]
fn pages() {
    for (name, keys) in [
        ("clips", "2"),
        ("all_errors", "3"),
        ("history", "4"),
        ("log", "5"),
        ("health", "6"),
        ("palette", ": c a n"),
        ("themes", "t down down"),
        ("form", "a s t o r y"),
        ("form_format", "a down right right"),
        ("word", "tab up up w right right down s h i p s"),
        ("filter", "/ n i"),
        ("paused", "end p"),
    ] {
        pictures(name, &fixtures::working, keys);
    }
}

/// The styles of all cells: a letter for each, and what the letters stand for.
fn styles(buf: &Buffer) -> String {
    let mut legend: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for y in 0..buf.area.height {
        let mut row = String::new();
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            let style = format!("{} on {} {:?}", cell.fg, cell.bg, cell.modifier);
            let place = legend.iter().position(|known| *known == style);
            let place = place.unwrap_or_else(|| {
                legend.push(style);
                legend.len() - 1
            });
            row.push(char::from(b'a' + u8::try_from(place).unwrap()));
        }
        rows.push(row);
    }
    let legend = legend.iter().zip('a'..);
    let legend = legend.map(|(style, letter)| format!("{letter}: {style}"));
    format!(
        "{}\n{}",
        rows.join("\n"),
        legend.collect::<Vec<_>>().join("\n")
    )
}

#[test]
fn every_page_has_the_styles_of_its_theme() {
    for (name, keys) in [
        ("queue", ""),
        ("clips", "2"),
        ("errors", "3"),
        ("history", "4"),
        ("log", "5"),
        ("health", "6"),
        ("palette", ":"),
        ("form", "a"),
        ("help", "?"),
        ("quit", "q"),
    ] {
        let drawn = SIZES.map(|size| {
            let buf = screen_in(
                "light",
                ColorDepth::TrueColor,
                fixtures::working(),
                keys,
                size,
            );
            format!("{}\n\n{}", text(&buf), styles(&buf))
        });
        insta::assert_snapshot!(format!("light_{name}"), drawn.join("\n\n"));
    }
}

#[test]
fn a_closer_look_shows_phonemes_and_the_wave() {
    closer_look("detail", &fixtures::working);
}

#[test]
fn what_is_said_otherwise_is_seen() {
    closer_look("said", &fixtures::said_otherwise);
    pictures("said_zoomed", &fixtures::said_otherwise, "tab up up enter");
}

/// Pictures of segment 116 with all that can be known of it.
fn closer_look(name: &str, tasks: &dyn Fn() -> Vec<TaskStatus>) {
    for size in SIZES {
        let mut app = fixtures::app("dark", ColorDepth::TrueColor);
        app.update(Message::Reset(tasks()), NOW);
        for key in ["tab", "up", "up"] {
            app.update(Message::Key(Key::parse(key).unwrap()), NOW);
        }
        let mut detail = app.detail.clone();
        detail.phonemes = Some(Ok("wˌɛn mˈɔːɹnɪŋ kˈeɪm, θɹˈiː fˈɪʃɪŋ bˈoʊts stˈʊd".into()));
        let peaks = (0..480_u16).map(|n| (f32::from(n) / 20.0).sin().abs() * 0.9);
        let peaks: Vec<f32> = peaks.collect();
        detail.wave = Some(Ok(crate::monitor::app::Wave::of(&peaks)));
        app.update(Message::Looked(Box::new(detail)), NOW);
        let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        fixtures::scene(ColorDepth::TrueColor).draw(&mut buf, &mut app);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&buf));
    }
}

/// Two tasks have a segment of the same number, and the closer look at the one may still be here when
/// the other is drawn.
#[test]
fn an_opened_segment_shows_no_phonemes_of_another_task() {
    let mut app = fixtures::app("dark", ColorDepth::TrueColor);
    app.update(Message::Reset(fixtures::working()), NOW);
    for key in ["tab", "up", "up", "enter"] {
        app.update(Message::Key(Key::parse(key).unwrap()), NOW);
    }
    app.detail.phonemes = Some(Ok("wˌɛn mˈɔːɹnɪŋ kˈeɪm".into()));
    let drawn = |app: &mut App| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 120, 36));
        fixtures::scene(ColorDepth::TrueColor).draw(&mut buf, app);
        text(&buf)
    };
    assert!(app.zoomed && drawn(&mut app).contains("mˈɔːɹnɪŋ"));
    let (task, _) = app.detail.of.as_mut().unwrap();
    *task = "the-night-train".into();
    assert!(!drawn(&mut app).contains("mˈɔːɹnɪŋ"));
}

/// Nothing that a font could lack, on any page.
#[test]
fn with_ascii_symbols_every_screen_is_ascii() {
    let mut tasks = fixtures::working();
    tasks[2].state = TaskState::Cancelled;
    // Letters of the text itself stay what they are.
    tasks[1].errors = crate::model::SegmentErrors::default();
    tasks[1].errors.push(
        SegmentId::new(113),
        crate::model::ErrorObject::new("SILENT", "nothing to hear"),
    );
    for keys in [
        "",
        "e",
        "2",
        "3",
        "4",
        "5",
        "6",
        ":",
        "t",
        "a",
        "?",
        "q",
        "tab up enter",
        "tab up up up up up enter",
        "4 enter",
        "5 enter",
        "/ x",
        "tab up w",
        "tab up up up up up w",
    ] {
        for size in SIZES {
            let mut buf = screen(tasks.clone(), keys, size);
            SymbolSet::Ascii.apply(&mut buf);
            let odd = buf.content().iter().find(|cell| !cell.symbol().is_ascii());
            assert!(odd.is_none(), "{odd:?} after {keys:?}");
        }
    }
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
fn a_pause_is_seen_while_it_comes_and_when_it_is_there() {
    let mut tasks = fixtures::working();
    for name in ["pausing", "pause"] {
        for size in SIZES {
            let mut app = fixtures::app("dark", ColorDepth::TrueColor);
            app.update(Message::Reset(tasks.clone()), NOW);
            app.update(Message::QueuePaused(true), NOW);
            let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            fixtures::scene(ColorDepth::TrueColor).draw(&mut buf, &mut app);
            let (width, height) = size;
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&buf));
        }
        tasks[1].state = TaskState::Pending;
        tasks[1].current_segment = None;
        (tasks[1].started_at, tasks[1].earlier_seconds) = (None, 125.0);
    }
}

#[test]
fn a_failed_task_says_why() {
    let failed = || {
        let mut tasks = fixtures::working();
        tasks[1].state = TaskState::Failed;
        tasks[1].current_segment = None;
        tasks[1].completed_at = Some(NOW);
        let error = crate::model::ErrorObject::new("DISK_FULL", "no space left for the clips");
        tasks[1].error = Some(error.with_remediation("Free some space, then retry"));
        tasks[2].state = TaskState::Cancelled;
        tasks
    };
    pictures("failed", &failed, "down e");
}

/// On a slow line progress must cost little: rows stay where they are, bars grow by a cell, and a list
/// turns a page rather than moving by rows.
#[test]
fn a_second_of_progress_takes_few_bytes() {
    for keys in ["", "tab end", "tab home", "2", "2 up"] {
        let (depth, size) = (ColorDepth::Ansi256, (120, 36));
        let mut still = crate::monitor::HeadlessRenderer::new("dark", depth, size).unwrap();
        let mut tasks = fixtures::working();
        still.show(tasks.clone(), NOW);
        for key in keys.split_whitespace() {
            assert!(still.press(key));
        }
        still.draw();
        let mut task = tasks.swap_remove(1);
        let mut now = NOW;
        let mut seconds = Vec::new();
        // Three segments a second, ten frames a second.
        for id in (118..178).map(SegmentId::new) {
            fixtures::complete(&mut task, id);
            task.current_segment = Some(id.next());
            still.change(task.clone(), now);
            let mut bytes = 0;
            for _ in 0..3 {
                now = Timestamp(now.0 + 111);
                still.wait_until(now);
                bytes += still.draw().len();
            }
            seconds.push(bytes * 3);
        }
        seconds.sort_unstable();
        let median = seconds[seconds.len() / 2];
        assert!(
            (1..=2500).contains(&median),
            "“{keys}”: {median} bytes a second"
        );
    }
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
    let buf = screen(fixtures::working(), "?", (100, 90));
    let (shown, app) = (text(&buf), fixtures::app("dark", ColorDepth::TrueColor));
    for info in TABLE {
        assert!(shown.contains(info.help), "{:?} is missing", info.action);
        for key in app.all_keys(info.action) {
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
fn on_a_small_screen_the_help_is_whole_as_well() {
    let app = fixtures::app("dark", ColorDepth::TrueColor);
    for size in [(40, 12), (60, 16), (30, 8)] {
        let mut seen: Vec<String> = Vec::new();
        let (mut keys, mut before) = ("?".to_owned(), String::new());
        loop {
            let shown = text(&screen(fixtures::working(), &keys, size));
            if shown == before {
                break;
            }
            let inside = shown.lines().filter_map(|line| {
                let inside = line.split('│').nth(1)?;
                Some(inside.split_whitespace().collect::<Vec<_>>().join(" "))
            });
            for line in inside {
                assert!(!line.contains('…'), "{line:?} at {size:?}");
                seen.push(line);
            }
            keys.push_str(" pgdn");
            before = shown;
        }
        let all = seen.join(" ");
        for word in TABLE.iter().flat_map(|info| info.help.split_whitespace()) {
            assert!(all.contains(word), "{word:?} at {size:?}");
        }
        for info in TABLE {
            for key in app.all_keys(info.action) {
                assert!(all.contains(&key.to_string()), "{key} at {size:?}");
            }
        }
        assert!(all.contains("⊘ cancelled"));
    }
    pictures("help_further", &fixtures::working, "? pgdn pgdn pgdn");
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
fn the_head_says_when_all_that_is_left_is_held_back() {
    let mut tasks = fixtures::working();
    tasks.retain(|task| task.state == TaskState::Pending);
    assert!(text(&screen(tasks.clone(), "", (80, 24))).contains("○ waiting"));
    for task in &mut tasks {
        task.paused = true;
    }
    assert!(text(&screen(tasks, "", (80, 24))).contains("‖ paused"));
}

/// Half of it would hide the edge of a dialog.
#[test]
fn nothing_wide_reaches_under_a_dialog() {
    let wide = "日".repeat(50);
    for title in [wide.clone(), format!("x{wide}")] {
        for (keys, size) in [
            ("q", (120, 36)),
            (":", (120, 36)),
            ("?", (80, 24)),
            ("a", (80, 24)),
        ] {
            let mut tasks = fixtures::working();
            for task in &mut tasks {
                task.title = title.as_str().into();
            }
            let buf = screen(tasks, keys, size);
            for row in buf.content().chunks(usize::from(size.0)) {
                for two in row
                    .windows(2)
                    .filter(|two| super::text::width(two[0].symbol()) > 1)
                {
                    assert_eq!(two[1].symbol(), " ", "“{keys}”");
                }
            }
        }
    }
}

#[test]
fn every_size_can_be_drawn_in_every_state() {
    let states: [(&dyn Fn() -> Vec<TaskStatus>, &str); 19] = [
        (&fixtures::said_otherwise, "tab up up"),
        (&fixtures::said_otherwise, "tab up up enter pgdn"),
        (&fixtures::long_segment, "tab up up up up up"),
        (&fixtures::long_segment, "tab up up up up up enter pgdn"),
        (&fixtures::working, "4 enter pgdn"),
        (&fixtures::working, ""),
        (&fixtures::working, "2"),
        (&fixtures::working, "3"),
        (&fixtures::working, "4"),
        (&fixtures::working, "5"),
        (&fixtures::working, "6"),
        (&fixtures::working, ":"),
        (&fixtures::working, "t"),
        (&fixtures::working, "a"),
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
        task.kind = crate::model::TaskKind::Closure;
    }
    for size in SIZES {
        screen(tasks.clone(), "tab end", size);
    }
}
