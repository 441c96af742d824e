//! The model driven by key strings, without a terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::*;
use crate::monitor::fixtures::{self, NOW};
use crate::monitor::theme::ColorDepth;
use crate::monitor::view;

/// The model with a screen behind it, so that pages and clicks know where things are.
struct Screen {
    app: App,
    size: Rect,
    effects: Vec<Effect>,
}

impl Screen {
    fn of(tasks: Vec<TaskStatus>) -> Self {
        let themes = Theme::built_in(ColorDepth::TrueColor).unwrap();
        let mut screen = Self {
            app: App::new(themes, 0, false),
            size: Rect::new(0, 0, 120, 36),
            effects: Vec::new(),
        };
        screen.tell(Message::Reset(tasks));
        screen
    }

    fn tell(&mut self, message: Message) {
        self.effects = self.app.update(message, NOW);
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

    fn click(&mut self, area: Rect) {
        self.tell(Message::Click(Position::new(area.x, area.y)));
    }
}

const KEEPER: &str = "the-lighthouse-keeper";

#[test]
fn the_selection_follows_the_work_until_someone_moves() {
    let mut screen = Screen::of(fixtures::working());
    assert_eq!((screen.selected(), screen.app.segment), (KEEPER, 118));

    let mut task = screen.app.selected().unwrap().clone();
    fixtures::complete(&mut task, 118);
    task.current_segment = Some(119);
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.app.segment, 119);

    screen.press("tab k k");
    assert_eq!(screen.app.segment, 117);
    task.current_segment = Some(120);
    screen.tell(Message::Task(Box::new(task.clone())));
    assert_eq!(screen.app.segment, 117);

    screen.press("f");
    assert_eq!(screen.app.segment, 120);
    // End: to the work first, then to the end.
    screen.press("home end");
    assert_eq!(screen.app.segment, 120);
    screen.press("end");
    assert_eq!(screen.app.segment, 190);
}

#[test]
fn following_goes_on_with_the_next_task() {
    let mut tasks = fixtures::working();
    let mut screen = Screen::of(tasks.clone());
    let mut keeper = tasks.remove(1);
    keeper.current_segment = None;
    fixtures::finish(&mut keeper);
    screen.tell(Message::Task(Box::new(keeper)));
    assert_eq!((screen.selected(), screen.app.segment), (KEEPER, 118));
    let mut train = tasks.remove(1);
    fixtures::start(&mut train, 0);
    assert!(is_opening(&train));
    screen.tell(Message::Task(Box::new(train)));
    assert_eq!(
        (screen.selected(), screen.app.segment),
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
    assert_eq!((screen.selected(), screen.app.segment), ("instructions", 1));
    screen.press("pgdn");
    let page = screen.app.layout.lower.page() as u32;
    assert_eq!(screen.app.segment, page);
    screen.press("G G");
    assert_eq!(screen.app.segment, 40);
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
    assert_eq!(screen.app.mode(), Mode::AskCancel);
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
fn it_leaves_by_itself_only_when_told_to() {
    let themes = Theme::built_in(ColorDepth::None).unwrap();
    let mut app = App::new(themes, 0, true);
    assert_eq!(app.update(Message::Reset(Vec::new()), NOW), []);
    assert_eq!(app.update(Message::Reset(fixtures::working()), NOW), []);
    let effects = app.update(Message::Reset(fixtures::finished()), NOW);
    assert_eq!(effects, [Effect::Stop]);
}

#[test]
fn errors_are_listed_and_lead_to_their_place() {
    let mut screen = Screen::of(fixtures::working());
    screen.press("e");
    assert_eq!(screen.app.lower, Lower::Errors);
    assert_eq!(screen.app.selected_segment(), 113);
    screen.press("enter");
    assert_eq!(
        (screen.app.lower, screen.app.segment),
        (Lower::Segments, 113)
    );
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
        (screen.app.focus, screen.app.segment),
        (Pane::Lower, first + 1)
    );
    let at = Position::new(
        row(screen.app.layout.lower, 0).x,
        row(screen.app.layout.lower, 0).y,
    );
    screen.tell(Message::Wheel(at, 3));
    assert_eq!(screen.app.segment, first + 4);

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
    assert!(bottom > 0 && bottom < 100);
    screen.press("up");
    assert_eq!(screen.app.help_scroll, bottom - 1);
    screen.press("home esc");
    assert_eq!(screen.app.mode(), Mode::Main);
}

#[test]
fn themes_go_round() {
    let mut screen = Screen::of(Vec::new());
    let mut seen = Vec::new();
    let names: Vec<_> = Theme::names().collect();
    for _ in &names {
        seen.push(screen.app.theme().name().to_owned());
        screen.press("t");
    }
    assert_eq!(seen, names);
    assert_eq!(screen.app.theme().name(), names[0]);
}

/// Every action of the table does something a person can notice, from its first key.
#[test]
fn every_action_acts() {
    use crate::monitor::action::TABLE;

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
                    (Mode::Main, _) => "",
                    (Mode::Help, Action::Up | Action::PageUp | Action::First) => "? end",
                    (Mode::Help, _) => "?",
                    (Mode::AskQuit, _) => "q",
                    (Mode::AskCancel, _) => "c",
                    (Mode::Stopping, _) => "q enter",
                };
                let mut screen = Screen::of(fixtures::working());
                screen.size = Rect::new(0, 0, 80, 20);
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
