//! The model driven by key strings, without a terminal.

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::*;
use crate::model::{ErrorCode, ErrorObject, Priority};
use crate::monitor::action::TABLE;
use crate::monitor::fixtures::{self, NOW};
use crate::monitor::keys::Key;
use crate::monitor::services::Completion;
use crate::monitor::theme::ColorDepth;
use crate::monitor::view;
use crate::narrate::NewText;

mod zoom;

/// The model with a screen behind it, so that pages and clicks know where things are.
struct Screen {
    app: App,
    size: Rect,
    effects: Vec<Effect>,
    /// Closer looks come beside what a key asks for.
    looks: Vec<Detail>,
}

impl Screen {
    fn of(tasks: Vec<TaskStatus>) -> Self {
        let mut screen = Self {
            app: fixtures::app("dark", ColorDepth::TrueColor),
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
        let layout = view::draw(&mut buf, &self.app);
        self.app.drawn(layout);
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
        self.tell(Message::Click(Position::new(area.x, area.y)));
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
    let page = screen.app.layout.lower.page() as u32;
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
fn cancelling_asks_only_where_something_runs() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("c"), []);
    assert_eq!(screen.app.mode(), Mode::Ask);
    assert_eq!(screen.press("esc"), []);
    assert_eq!(screen.press("c y"), [Effect::Cancel(KEEPER.into())]);
    let train = TaskId::from("the-night-train");
    assert_eq!(screen.press("down c"), [Effect::Cancel(train)]);
    assert_eq!(screen.press("home c"), []);
    assert!(screen.app.notice.as_deref().unwrap().contains("already"));
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn a_question_goes_away_when_its_task_ends() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("c");
    screen.tell(Message::Reset(fixtures::finished()));
    assert_eq!(screen.app.mode(), Mode::Main);
    assert_eq!(screen.press("enter"), []);
}

#[test]
fn quitting_asks_while_work_runs_and_can_be_hurried() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("q"), []);
    assert_eq!(screen.press("n"), []);
    assert_eq!(screen.app.mode(), Mode::Main);
    assert_eq!(screen.press("C-c enter"), [Effect::Stop]);
    assert_eq!(screen.app.mode(), Mode::Stopping);
    assert_eq!(screen.press("x"), []);
    assert_eq!(screen.press("q"), [Effect::Hurry]);
    assert_eq!(screen.press("q"), []);
    screen.tell(Message::Stopped);
    assert_eq!(screen.effects, [Effect::Quit]);
}

#[test]
fn the_work_is_left_running_where_that_is_possible() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!(screen.press("q l"), []);
    assert_eq!(screen.app.mode(), Mode::AskQuit);
    screen.app.can_hand_over = true;
    assert_eq!(screen.press("l"), [Effect::HandOver, Effect::Stop]);
    assert_eq!(screen.app.mode(), Mode::Stopping);
    // A pause of the queue would not stay.
    let mut screen = Screen::of(fixtures::working());
    screen.app.can_hand_over = true;
    screen.tell(Message::QueuePaused(true));
    assert!(!screen.app.offers(Action::LeaveRunning));
}

#[test]
fn quitting_asks_nothing_when_nothing_runs() {
    let mut screen = Screen::of(fixtures::finished());
    assert_eq!(screen.press("q"), [Effect::Stop]);
}

#[test]
fn signals_stop_without_a_question_and_twice_means_now() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("?");
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Stop]);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Hurry]);
}

#[test]
fn one_signal_is_one_signal_wherever_it_was_heard_first() {
    let mut screen = Screen::of(fixtures::working());
    screen.tell(Message::EngineStopping);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Stop]);
    screen.tell(Message::Terminate);
    assert_eq!(screen.effects, [Effect::Hurry]);
}

#[test]
fn it_leaves_by_itself_only_when_told_to() {
    let mut app = fixtures::app("mono", ColorDepth::None);
    app.exit_when_done = true;
    assert_eq!(app.update(Message::Reset(Vec::new()), NOW), []);
    let effects = app.update(Message::Reset(fixtures::working()), NOW);
    assert!(!effects.contains(&Effect::Stop));
    let effects = app.update(Message::Reset(fixtures::finished()), NOW);
    assert!(effects.contains(&Effect::Stop));
}

#[test]
fn unattended_it_does_not_wait_for_what_is_held_back() {
    let mut app = fixtures::app("mono", ColorDepth::None);
    app.is_unattended = true;
    let effects = app.update(Message::Reset(fixtures::working()), NOW);
    assert!(!effects.contains(&Effect::Stop));
    let mut held = fixtures::narration("held", "Held", 3);
    held.paused = true;
    let tasks = vec![held.clone(), fixtures::narration("free", "Free", 3)];
    assert!(
        !app.update(Message::Reset(tasks), NOW)
            .contains(&Effect::Stop)
    );
    let tasks = [fixtures::finished(), vec![held]].concat();
    assert!(
        app.update(Message::Reset(tasks), NOW)
            .contains(&Effect::Stop)
    );
}

#[test]
fn errors_are_listed_and_lead_to_their_place() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("e");
    assert_eq!(screen.app.lower, Lower::Errors);
    assert_eq!(screen.app.selected_segment(), SegmentId::new(113));
    screen.press("enter");
    assert_eq!((screen.app.lower, screen.segment()), (Lower::Segments, 113));
    screen.press("enter");
    assert!(screen.app.zoomed);
    // Back out of the segment, out of the list, and to a task without errors.
    screen.press("esc esc g e");
    assert_eq!(
        (screen.app.focus, screen.app.lower),
        (Pane::Queue, Lower::Segments)
    );
    assert!(screen.app.notice.is_some());
}

#[test]
fn the_mouse_selects_scrolls_and_answers() {
    let mut screen = Screen::of(fixtures::working());
    let row = |list: ListArea, row: u16| Rect::new(list.rows.x, list.rows.y + row, 1, 1);
    screen.click(row(screen.app.layout.queue, 2));
    assert_eq!(screen.selected(), "the-night-train");
    screen.click(row(screen.app.layout.queue, 1));
    let first = screen.app.layout.lower.first as u32;
    screen.click(row(screen.app.layout.lower, 0));
    assert_eq!(
        (screen.app.focus, screen.segment()),
        (Pane::Lower, first + 1)
    );
    let at = Position::new(
        row(screen.app.layout.lower, 0).x,
        row(screen.app.layout.lower, 0).y,
    );
    screen.tell(Message::Wheel(at, 3));
    assert_eq!(screen.segment(), first + 4);

    let button = |screen: &Screen, action: Action| {
        let buttons = screen.app.layout.buttons.iter();
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
        assert_eq!(screen.app.theme().name(), names[0]);
        for letter in name.chars() {
            screen.tell(Message::Key(Key::letter(letter)));
        }
        assert_eq!(screen.app.theme().name(), *name);
        screen.press("esc");
        assert_eq!(screen.app.theme().name(), names[0]);
    }
    screen.press("t down enter");
    assert_eq!(screen.app.theme().name(), names[1]);
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
fn a_filter_narrows_the_list_that_has_the_keys() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("/ n i g h t");
    assert_eq!(screen.app.mode(), Mode::Filter);
    assert_eq!(
        (screen.app.tasks.len(), screen.selected()),
        (1, "the-night-train")
    );
    screen.press("enter");
    assert_eq!((screen.app.mode(), screen.app.tasks.len()), (Mode::Main, 1));
    screen.press("esc");
    assert_eq!(
        (screen.app.tasks.len(), screen.selected()),
        (3, "the-night-train")
    );

    screen.press("tab / g u l l s enter");
    let (_, len) = screen.app.lower_rows();
    assert_eq!(len, 412 / 8 + 1);
    let text = |screen: &Screen| {
        let plan = screen.app.selected().unwrap().plan.clone().unwrap();
        plan.get(screen.segment()).unwrap().text.clone()
    };
    assert!(text(&screen).contains("gulls"));
    screen.press("end");
    assert!(text(&screen).contains("gulls"));
    screen.press("/ esc");
    assert_eq!(screen.app.lower_rows().1, 412);

    screen.press("2 / c l o c k w o r k enter");
    assert_eq!(screen.app.clips.len(), 5 + 15);
    assert!(screen.app.clips.all() > 100);
    screen.press("enter");
    assert_eq!(
        (screen.app.page, screen.app.focus),
        (Page::Queue, Pane::Lower)
    );
    assert!(text(&screen).contains("clockwork"));
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
    screen.press("down right right down bspace 2 down down right");
    let effects = screen.press("enter").to_vec();
    let [Effect::Add(new)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(new.text, NewText::File("story.txt".into()));
    assert_eq!((new.voice.as_str(), new.speed), ("c", 2.0));
    assert_eq!(new.priority, Priority::High);
    // Once is enough.
    assert_eq!(screen.press("enter"), []);
    screen.tell(Message::Added(Err("there is no such file".into())));
    assert_eq!(screen.app.mode(), Mode::Form);
    assert!(matches!(screen.press("enter"), [Effect::Add(_)]));
    screen.tell(Message::Added(Ok("the-night-train".into())));
    assert_eq!(
        (screen.app.mode(), screen.selected()),
        (Mode::Main, "the-night-train")
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
fn quitting_when_all_is_done_lets_go_of_what_is_held_back() {
    let mut tasks = fixtures::working();
    tasks.retain(|task| task.state == TaskState::Pending);
    tasks[0].paused = true;
    let mut screen = Screen::of(tasks);
    screen.tell(Message::QueuePaused(true));
    assert_eq!(screen.press("q a"), [Effect::ResumeAll]);
    assert!(screen.app.exit_when_done);
}

/// Nothing is done to a task that nobody sees.
#[test]
fn what_a_filter_hides_is_not_selected() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("/ z z z enter");
    assert_eq!(screen.app.tasks.len(), 0);
    assert!(screen.app.selected().is_none());
    for key in ["c", "p", "r", "J", "e", "y", "o"] {
        assert_eq!(screen.press(key), [], "{key}");
        assert!(screen.app.notice.is_some(), "{key}");
    }
    // The running task stays hidden when it makes progress, and a new one is shown.
    let running = screen.app.tasks.first_running().unwrap().clone();
    screen.tell(Message::Task(Box::new(running)));
    assert!(screen.app.selected().is_none());
    let added = fixtures::narration("added", "Added", 3);
    screen.tell(Message::Task(Box::new(added.clone())));
    screen.tell(Message::Added(Ok(added.id.clone())));
    assert_eq!(screen.app.selected().unwrap().id, added.id);

    // Of segments none is opened where none is seen.
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab / z z z enter enter");
    assert!(!screen.app.zoomed);
    assert_eq!(screen.app.selected_segment(), SegmentId::TASK);
}

#[test]
fn a_filter_that_is_left_leads_back() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab home down down");
    assert_eq!(screen.app.selected_segment(), SegmentId::new(3));
    screen.press("/ 9 9 esc");
    assert_eq!(screen.app.selected_segment(), SegmentId::new(3));
    screen.press("2 home down / z z esc");
    assert_eq!(screen.app.clips.cursor.row, 1);
    let mut screen = Screen::of(fixtures::working());
    let before = screen.app.selected().unwrap().id.clone();
    screen.press("/ t r a i n");
    assert_ne!(screen.app.selected().unwrap().id, before);
    screen.press("esc");
    assert_eq!(screen.app.selected().unwrap().id, before);
    assert!(screen.app.follows());
}

#[test]
fn a_text_that_is_read_stays() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab");
    assert!(screen.app.follows());
    screen.press("enter");
    let here = screen.app.selected_segment();
    let mut running = screen.app.tasks.first_running().unwrap().clone();
    running.current_segment = running
        .current_segment
        .map(|now| SegmentId::new(now.get() + 3));
    screen.tell(Message::Task(Box::new(running)));
    assert_eq!(screen.app.selected_segment(), here);
    screen.press("f");
    assert_eq!(screen.app.selected_segment().get(), here.get() + 3);
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
fn a_failed_segment_is_tried_again_from_the_page_of_errors() {
    let mut tasks = fixtures::finished();
    tasks[1].state = TaskState::Failed;
    let mut screen = Screen::of(tasks);
    screen.press("3 g");
    assert_eq!(screen.app.errors.all(), 1);
    assert_eq!(
        screen.press("r"),
        [Effect::Retry(KEEPER.into(), vec![SegmentId::new(113)])]
    );
    screen.tell(Message::Failed(KEEPER.into(), SegmentId::new(113)));
    assert_eq!(screen.app.errors.all(), 1, "told twice, it is one");
    screen.press("enter");
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 113));
}

#[test]
fn what_ended_a_task_is_shown_at_its_segment() {
    let mut tasks = fixtures::working();
    let mut error = ErrorObject::new(ErrorCode::Output, "the clip can't be written");
    error.details = serde_json::json!({ "segment_id": 118 });
    tasks[1].state = TaskState::Failed;
    tasks[1].current_segment = None;
    tasks[1].error = Some(error);
    assert_eq!(
        segment_state(&tasks[1], SegmentId::new(118)),
        SegmentState::Failed
    );
    assert_eq!(
        segment_state(&tasks[1], SegmentId::new(119)),
        SegmentState::NotMade
    );
    let mut screen = Screen::of(tasks);
    screen.press("3 end enter");
    assert_eq!((screen.selected(), screen.segment()), (KEEPER, 118));
}

#[test]
fn lists_that_grow_follow_their_end_until_someone_moves() {
    let mut tasks = fixtures::working();
    let mut screen = Screen::of(tasks.clone());
    screen.press("2");
    let all = screen.app.clips.all();
    assert_eq!(screen.app.clips.cursor.row, all - 1);
    let mut task = tasks.remove(1);
    fixtures::complete(&mut task, 118);
    screen.tell(Message::Clip(task.id.clone(), SegmentId::new(118)));
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.app.clips.cursor.row, all);
    screen.press("up");
    screen.tell(Message::Clip(task.id.clone(), SegmentId::new(119)));
    assert_eq!(screen.app.clips.cursor.row, all - 1);
    screen.tell(Message::Removed(vec!["instructions".into()]));
    assert_eq!(
        screen.app.clips.selected().unwrap().segment,
        SegmentId::new(117)
    );
    screen.press("f");
    assert_eq!(
        screen.app.clips.selected().unwrap().segment,
        SegmentId::new(119)
    );
}

#[test]
fn a_closer_look_is_asked_for_once_and_shown_when_it_comes() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("tab up");
    let first = screen.looks.clone();
    assert_eq!(first[0].of, Some((KEEPER.into(), SegmentId::new(117))));
    let clip = first[0].clip.as_ref().unwrap().display().to_string();
    assert!(clip.contains("/the-lighthouse-keeper/0117-"), "{clip}");
    screen.press("?");
    assert_eq!(screen.looks, []);
    screen.press("esc up");
    let second = screen.looks.clone();
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
                    (Mode::Filter, _) => "/",
                    (Mode::Form, Action::Up) => "a down",
                    (Mode::Form, Action::PreviousValue | Action::NextValue) => {
                        "a down down down down"
                    }
                    (Mode::Form, _) => "a",
                    (Mode::Stopping, _) => "q enter",
                };
                let mut screen = Screen::of(fixtures::working());
                screen.size = Rect::new(0, 0, 80, 20);
                screen.app.can_hand_over = true;
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
