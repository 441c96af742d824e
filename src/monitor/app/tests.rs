//! The model driven by key strings, without a terminal.

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::*;
use crate::model::{ErrorCode, ErrorObject, Priority};
use crate::monitor::action::TABLE;
use crate::monitor::fixtures::{self, NOW};
use crate::monitor::keys::Key;
use crate::monitor::layout::ListArea;
use crate::monitor::scene::Scene;
use crate::monitor::services::Completion;
use crate::monitor::theme::{ColorDepth, Theme};
use crate::narrate::NewText;
use crate::text::FormatName;

mod any;
mod leaving;
mod lists;
mod word;
mod zoom;

/// The model with a screen behind it, so that pages and clicks know where things are.
struct Screen {
    app: App,
    scene: Scene,
    size: Rect,
    effects: Vec<Effect>,
    /// Closer looks come beside what a key asks for.
    looks: Vec<Detail>,
}

impl Screen {
    fn of(tasks: Vec<TaskStatus>) -> Self {
        let mut screen = Self {
            app: fixtures::app("dark", ColorDepth::TrueColor),
            scene: fixtures::scene(ColorDepth::TrueColor),
            size: Rect::new(0, 0, 120, 36),
            effects: Vec::new(),
            looks: Vec::new(),
        };
        screen.tell(Message::Reset(tasks));
        screen
    }

    fn tell(&mut self, message: Message) {
        self.effects = self.app.update(message, NOW);
        self.looks.clear();
        self.effects.retain(|effect| match effect {
            Effect::Look(detail) => {
                self.looks.push((**detail).clone());
                false
            }
            _ => true,
        });
        let mut buf = Buffer::empty(self.size);
        self.scene.draw(&mut buf, &mut self.app);
    }

    /// Presses keys, named and separated by spaces. Returns what the last one asked for.
    fn press(&mut self, keys: &str) -> &[Effect] {
        for name in keys.split_whitespace() {
            self.tell(Message::Key(Key::parse(name).unwrap()));
        }
        &self.effects
    }

    fn selected(&self) -> &str {
        self.app.selected().unwrap().id.as_str()
    }

    fn segment(&self) -> u32 {
        self.app.segment.get()
    }

    fn click(&mut self, area: Rect) {
        let spot = self.scene.spot(Position::new(area.x, area.y));
        self.tell(Message::Click(spot));
    }
}

const KEEPER: &str = "the-lighthouse-keeper";

#[test]
fn the_selection_follows_the_work_until_someone_moves() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 118));

    let mut task = screen.app.selected().unwrap().clone();
    fixtures::complete(&mut task, 118);
    task.current_segment = Some(SegmentId::new(119));
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.segment(), 119);

    screen.press("tab k k");
    assert_eq!(screen.segment(), 117);
    task.current_segment = Some(SegmentId::new(120));
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.segment(), 117);

    screen.press("f");
    assert_eq!(screen.segment(), 120);
    // End: to the work first, then to the end.
    screen.press("home end");
    assert_eq!(screen.segment(), 120);
    screen.press("end");
    assert_eq!(screen.segment(), 190);
}

#[test]
fn following_goes_on_with_the_next_task() {
    let mut tasks = fixtures::working();
    let mut screen = Screen::of(tasks.clone());
    let mut keeper = tasks.remove(1);
    keeper.current_segment = None;
    fixtures::finish(&mut keeper);
    screen.tell(Message::Task(Box::new(keeper)));
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 118));
    let mut train = tasks.remove(1);
    fixtures::start(&mut train, 0);
    assert!(is_opening(&train));
    screen.tell(Message::Task(Box::new(train)));
    assert_eq!(
        (screen.selected(), screen.segment()),
        ("the-night-train", 1)
    );
}

#[test]
fn moving_stays_within_the_lists() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("up up up up");
    assert_eq!(screen.selected(), "instructions");
    screen.press("j j j j j");
    assert_eq!(screen.selected(), "the-night-train");
    screen.press("g enter pgup");
    assert_eq!((screen.selected(), screen.segment()), ("instructions", 1));
    screen.press("pgdn");
    let page = screen.app.pages.lower as u32;
    assert_eq!(screen.segment(), page);
    screen.press("G G");
    assert_eq!(screen.segment(), 40);
}

#[test]
fn a_selection_stays_on_its_task_when_rows_go() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("end");
    assert_eq!(screen.selected(), "the-night-train");
    screen.tell(Message::Removed(vec![TaskId::from("instructions")]));
    assert_eq!(screen.selected(), "the-night-train");
    screen.tell(Message::Reset(fixtures::working()));
    assert_eq!(screen.selected(), "the-night-train");
    screen.tell(Message::Reset(Vec::new()));
    assert!(screen.app.selected().is_none());
    screen.press("enter tab e c up down end pgdn f");
    assert_eq!(screen.app.focus, Pane::Queue);
}

#[test]
fn the_mouse_selects_scrolls_and_answers() {
    let mut screen = Screen::of(fixtures::working());
    let row = |list: ListArea, row: u16| Rect::new(list.rows.x, list.rows.y + row, 1, 1);
    screen.click(row(screen.scene.layout().queue, 2));
    assert_eq!(screen.selected(), "the-night-train");
    screen.click(row(screen.scene.layout().queue, 1));
    let first = screen.scene.layout().lower.first as u32;
    screen.click(row(screen.scene.layout().lower, 0));
    assert_eq!(
        (screen.app.focus, screen.segment()),
        (Pane::Lower, first + 1)
    );
    let at = Position::new(
        row(screen.scene.layout().lower, 0).x,
        row(screen.scene.layout().lower, 0).y,
    );
    let over = screen.scene.spot(at);
    screen.tell(Message::Wheel(over, 3));
    assert_eq!(screen.segment(), first + 4);

    let button = |screen: &Screen, action: Action| {
        let buttons = screen.scene.layout().buttons.iter();
        buttons
            .clone()
            .find(|(_, found)| *found == action)
            .unwrap()
            .0
    };
    let quit = button(&screen, Action::Quit);
    screen.click(quit);
    assert_eq!(screen.app.mode(), Mode::AskQuit);
    let stay = button(&screen, Action::Decline);
    screen.click(stay);
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn help_scrolls_and_closes() {
    let mut screen = Screen::of(fixtures::working());
    screen.size = Rect::new(0, 0, 40, 12);
    screen.press("?");
    assert_eq!(screen.app.mode(), Mode::Help);
    screen.press("end");
    let bottom = screen.app.help_scroll;
    assert!(bottom > 0 && bottom < 300);
    screen.press("up");
    assert_eq!(screen.app.help_scroll, bottom - 1);
    screen.press("home esc");
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn themes_are_seen_before_they_are_chosen() {
    let mut screen = Screen::of(Vec::new());
    let names: Vec<_> = Theme::names().collect();
    for name in &names[1..] {
        screen.press("t");
        assert_eq!(screen.app.themes[screen.app.theme()], names[0]);
        for letter in name.chars() {
            screen.tell(Message::Key(Key::letter(letter)));
        }
        assert_eq!(screen.app.themes[screen.app.theme()], *name);
        screen.press("esc");
        assert_eq!(screen.app.themes[screen.app.theme()], names[0]);
    }
    screen.press("t down enter");
    assert_eq!(screen.app.themes[screen.app.theme()], names[1]);
    let notice = screen.app.notice.as_deref().unwrap();
    assert!(notice.contains("config.toml"), "{notice}");
}

#[test]
fn the_palette_runs_every_action_by_its_name() {
    for info in TABLE.iter().filter(|info| info.is_command()) {
        if info.action == Action::Palette {
            continue;
        }
        let mut screen = Screen::of(fixtures::working());
        screen.press("2 :");
        assert_eq!(screen.app.mode(), Mode::Pick);
        for letter in info.name.chars() {
            screen.tell(Message::Key(Key::letter(letter)));
        }
        let Some(Overlay::Picker(picker)) = &screen.app.overlay else {
            panic!("no palette");
        };
        assert_eq!(picker.chosen().unwrap().1.action, Some(info.action));
    }
    // Or by what somebody else would call it.
    for (typed, action) in [
        ("colour", Action::Theme),
        ("search", Action::Filter),
        ("exit", Action::Quit),
        ("clipboard", Action::CopyPath),
        ("delete all", Action::CancelAll),
        ("pause all", Action::PauseQueue),
    ] {
        let mut screen = Screen::of(fixtures::working());
        screen.press(":");
        for letter in typed.chars() {
            screen.tell(Message::Key(Key::letter(letter)));
        }
        let Some(Overlay::Picker(picker)) = &screen.app.overlay else {
            panic!("no palette");
        };
        assert_eq!(picker.chosen().unwrap().1.action, Some(action), "{typed}");
    }
    let mut screen = Screen::of(fixtures::working());
    let effects = screen.press(": n i g h enter");
    assert_eq!(effects, []);
    assert_eq!(screen.app.mode(), Mode::Pick, "nothing is called that");
    screen.press("bspace bspace bspace bspace p a u s e - q u e u e enter");
    assert_eq!(screen.effects, [Effect::PauseQueue(true)]);
}

#[test]
fn a_new_narration_is_typed_or_pasted() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("a"), [Effect::FindVoices]);
    screen.press("enter");
    let Some(Overlay::Form(form)) = &screen.app.overlay else {
        panic!("no form");
    };
    assert!(form.problem.as_deref().unwrap().contains("path"));
    assert_eq!(screen.press("s t o tab"), [Effect::Complete("sto".into())]);
    let completion = Completion {
        common: "story.txt".into(),
        candidates: vec!["story.txt".into()],
    };
    screen.tell(Message::Completed("sto".into(), completion));
    let voice = |name: &str, is_installed| VoiceChoice {
        name: name.into(),
        about: String::new(),
        is_installed,
    };
    let voices = vec![voice("a", true), voice("b", false), voice("c", true)];
    screen.tell(Message::Voices(voices));
    screen.press("down right right right down right right down bspace 2 down down right");
    let effects = screen.press("enter").to_vec();
    let [Effect::Add(new)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(new.text, NewText::File("story.txt".into()));
    assert_eq!((new.voice.as_str(), new.speed), ("c", 2.0));
    assert_eq!(new.priority, Priority::High);
    assert_eq!(new.written_as, Some(FormatName::Html));
    // Once is enough.
    assert_eq!(screen.press("enter"), []);
    screen.tell(Message::Added(Err("there is no such file".into())));
    assert_eq!(screen.app.mode(), Mode::Form);
    assert!(matches!(screen.press("enter"), [Effect::Add(_)]));
    screen.tell(Message::Added(Ok(fixtures::submitted(
        &"the-night-train".into(),
    ))));
    assert_eq!(
        (screen.app.mode(), screen.selected()),
        (Mode::Main, "the-night-train")
    );

    let mut marked = fixtures::submitted(&"the-night-train".into());
    marked.notes = vec!["it looks like Markdown, and is read so".into()];
    screen.tell(Message::Added(Ok(marked)));
    assert_eq!(
        screen.app.notice.as_deref(),
        Some("added to the queue; it looks like Markdown, and is read so")
    );

    screen.tell(Message::Paste("Rain again.\nAnd again.".into()));
    let effects = screen.press("enter").to_vec();
    let [Effect::Add(new)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(new.text, NewText::Typed("Rain again.\nAnd again.".into()));
}

#[test]
fn actions_are_about_what_is_selected() {
    let mut tasks = fixtures::working();
    tasks[2].rank = 5;
    let mut next = fixtures::narration("next", "Next", 10);
    next.rank = 6;
    tasks.push(next);
    let mut screen = Screen::of(tasks);
    let next = || TaskId::from("next");
    let shift = |sooner| Effect::Shift {
        task: next(),
        sooner,
    };
    assert_eq!(screen.press("end K"), [shift(true)]);
    assert_eq!(screen.press("J"), [shift(false)]);
    assert_eq!(screen.press("p"), [Effect::Pause(next(), true)]);
    // The selection goes with its row.
    let mut moved = screen.app.selected().unwrap().clone();
    (moved.rank, moved.paused) = (4, true);
    screen.tell(Message::Task(Box::new(moved)));
    assert_eq!((screen.selected(), screen.app.selected_row()), ("next", 2));
    assert_eq!(screen.press("p"), [Effect::Pause(next(), false)]);

    // Of a finished task: a clip, its path, its folder, all of it again.
    let folder = PathBuf::from("/home/ada/Narrations/instructions");
    screen.press("home");
    assert_eq!(screen.press("o"), [Effect::OpenFolder(folder.clone())]);
    assert_eq!(
        screen.press("y"),
        [Effect::Copy(folder.display().to_string())]
    );
    assert_eq!(screen.press("r"), [], "nothing failed");
    screen.press("tab home");
    let clip = folder.join("0001-instructions.wav");
    assert_eq!(screen.press("space"), [Effect::Play(clip.clone())]);
    assert_eq!(
        screen.press("y"),
        [Effect::Copy(clip.display().to_string())]
    );
    assert_eq!(screen.press("r"), [], "it is done");

    // Everything at once asks first.
    assert_eq!(screen.press("X"), []);
    assert_eq!(screen.press("y"), [Effect::CancelAll]);
}

#[test]
fn what_is_in_work_can_be_paused() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("p"), [Effect::Pause(KEEPER.into(), true)]);
    assert!(
        screen
            .app
            .notice
            .as_deref()
            .unwrap()
            .contains("segment in work")
    );
    let mut keeper = screen.app.selected().unwrap().clone();
    keeper.paused = true;
    screen.tell(Message::Task(Box::new(keeper.clone())));
    assert_eq!(screen.press("p"), [Effect::Pause(KEEPER.into(), false)]);
    keeper.kind = TaskKind::Closure;
    screen.tell(Message::Task(Box::new(keeper)));
    assert_eq!(screen.press("p"), [], "it can't be put back");

    assert_eq!(screen.press("P"), [Effect::PauseQueue(true)]);
    screen.tell(Message::QueuePaused(true));
    assert!(
        screen
            .app
            .notice
            .as_deref()
            .unwrap()
            .contains("finished first")
    );
    let mut back = fixtures::working().remove(1);
    (back.state, back.current_segment) = (TaskState::Pending, None);
    screen.tell(Message::Task(Box::new(back)));
    assert_eq!(screen.app.notice.as_deref(), Some("paused: nothing begins"));
    assert_eq!(screen.press("P"), [Effect::PauseQueue(false)]);
}

#[test]
fn a_closer_look_is_asked_for_once_and_shown_when_it_comes() {
    let mut screen = Screen::of(fixtures::said_otherwise());
    screen.press("tab up");
    let first = screen.looks.clone();
    assert_eq!(first[0].of, Some((KEEPER.into(), SegmentId::new(117))));
    let clip = first[0].clip.as_ref().unwrap().display().to_string();
    assert!(clip.contains("/the-lighthouse-keeper/0117-"), "{clip}");
    screen.press("?");
    assert_eq!(screen.looks, []);
    screen.press("esc up");
    let second = screen.looks.clone();
    let spoken = &second[0].spoken;
    assert!(
        spoken.starts_with("doctor Orr paid forty-nine dollars"),
        "{spoken}"
    );
    // The answer about another segment comes too late.
    let mut late = first[0].clone();
    late.phonemes = Some(Ok("leɪt".into()));
    screen.tell(Message::Looked(Box::new(late)));
    assert_eq!(screen.app.detail.phonemes, None);
    let mut found = second[0].clone();
    found.phonemes = Some(Ok("wˈɛn".into()));
    screen.tell(Message::Looked(Box::new(found)));
    assert!(screen.app.detail.phonemes.is_some());
}

/// Every action of the table does something a person can notice, from each of its keys.
#[test]
fn every_action_acts() {
    for info in TABLE {
        for binding in info.bindings {
            for (&mode, name) in binding
                .modes
                .iter()
                .flat_map(|mode| binding.keys.iter().map(move |key| (mode, key)))
            {
                let prepare = match (mode, info.action) {
                    (Mode::Main, Action::Up | Action::PageUp) => "end",
                    (Mode::Main, Action::Down | Action::PageDown | Action::Last) => "home",
                    (Mode::Main, Action::Back | Action::Follow) => "tab up",
                    (Mode::Main, Action::Queue) => "2",
                    (Mode::Main, _) => "",
                    (Mode::Help, Action::Up | Action::PageUp | Action::First) => "? end",
                    (Mode::Help, _) => "?",
                    (Mode::AskQuit, _) => "q",
                    (Mode::Ask, _) => "c",
                    (Mode::Pick, Action::Up | Action::PageUp) => ": pgdn",
                    (Mode::Pick, _) => ":",
                    (Mode::PickVoice, Action::Up | Action::PageUp) => "V pgdn",
                    (Mode::PickVoice, _) => "V",
                    (Mode::Filter, _) => "/",
                    (Mode::Form, Action::Up) => "a down",
                    (Mode::Form, Action::PreviousValue | Action::NextValue) => "a down",
                    (Mode::Form, _) => "a",
                    (Mode::Word, Action::Up) => "tab w down",
                    (Mode::Word, _) => "tab w",
                    (Mode::Stopping, _) => "q enter",
                };
                let mut screen = Screen::of(fixtures::working());
                screen.size = Rect::new(0, 0, 80, 20);
                screen.app.can_hand_over = true;
                screen.tell(Message::Voices(voices()));
                screen.press(prepare);
                assert_eq!(screen.app.mode(), mode);
                screen.effects.clear();
                let before = format!("{:?}", screen.app);
                screen.press(name);
                let changed = before != format!("{:?}", screen.app);
                let acted = changed || !screen.effects.is_empty();
                assert!(acted, "{name} in {mode:?} does nothing");
            }
        }
    }
}

/// Two that are there and one that is not.
fn voices() -> Vec<VoiceChoice> {
    let voice = |name: &str, is_installed| VoiceChoice {
        name: name.into(),
        about: "en_US".into(),
        is_installed,
    };
    vec![
        voice("joe", true),
        voice("ada", true),
        voice("absent", false),
    ]
}

#[test]
fn a_narration_is_given_to_another_voice_that_is_there() {
    let mut screen = Screen::of(fixtures::finished());
    screen.tell(Message::Voices(voices()));
    assert_eq!(screen.press("V"), [Effect::FindVoices]);
    assert_eq!(screen.app.mode(), Mode::PickVoice);
    let speed = screen.app.defaults.speed;
    let ada = || "ada".to_owned();
    assert_eq!(
        screen.press("down C-o"),
        [Effect::Preview {
            voice: ada(),
            speed
        }]
    );
    let task = screen.app.target().unwrap().task.id.clone();
    assert_eq!(screen.press("enter"), [Effect::Render(task, ada())]);
    assert_eq!(screen.app.mode(), Mode::Main);
    screen.press("V end down down enter");
    assert!(
        screen
            .app
            .notice
            .as_ref()
            .unwrap()
            .contains("not installed")
    );
}
