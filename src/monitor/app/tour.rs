//! The tour: shows the program by itself, with captions, by pressing the keys that a person would
//! press. It knows what it waits for and for how long at most, so that it fits any machine; whoever
//! touches a key or the mouse takes over.

use std::path::PathBuf;
use std::time::Duration;

use super::{App, Effect, Leaving, Question};
use crate::model::{TaskId, TaskState, TaskStatus, Timestamp};
use crate::monitor::action::{Action, Mode};
use crate::monitor::keys::Key;

/// What the tour needs prepared: three narrations, of which the second and the third are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TourPlan {
    /// Narrated from the beginning.
    pub first: TaskId,
    /// Fails on the way, for `obstacle` stands where one of its clips should go.
    pub second: TaskId,
    /// Is cancelled.
    pub third: TaskId,
    /// An empty folder.
    pub obstacle: PathBuf,
}

/// What the tour waits for.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The first narration has some clips.
    Clips,
    /// The second has failed.
    Failure,
    /// The retry of the second has come past the place.
    Success,
    /// The retry of the second has ended.
    Mended,
    /// The third is in work and has a clip.
    Third,
    /// The third has been cancelled.
    Cancelled,
}

/// One of the three narrations.
#[derive(Clone, Copy, Debug)]
enum Which {
    First,
    Second,
    Third,
}

/// One step of the script.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Shows another caption.
    Say(&'static str),
    /// Lets people look for so many tenths of a second.
    Look(i64),
    /// Waits for something to happen, for so many seconds at most.
    Until(Event, i64),
    /// Presses the key of an action.
    Press(Action),
    /// Types letters.
    Type(&'static str),
    /// Moves to a narration by its keys.
    Select(Which),
    /// Takes the obstacle away.
    ClearTheWay,
}

use Step::{ClearTheWay, Look, Press, Say, Select, Type, Until};

const SCRIPT: &[Step] = &[
    Say(
        "Three stories wait in the queue. The first is being read by a neural voice, on this machine.",
    ),
    Look(55),
    Until(Event::Clips, 30),
    Say(
        "Below: its segments. Each finished one is a clip on the disk, with its length and the speed it was made at.",
    ),
    Look(60),
    Say("Choose a segment: the detail shows how it is spoken and what its clip looks like."),
    Press(Action::SwitchPane),
    Press(Action::Up),
    Press(Action::Up),
    Look(50),
    Press(Action::Open),
    Look(30),
    Press(Action::Back),
    Say("Every clip of every story is on the second page, in the order in which they were made."),
    Press(Action::Clips),
    Look(45),
    Say("And how the program does is on the last: the worker, memory, disk, speed over time."),
    Press(Action::Health),
    Look(50),
    Press(Action::Queue),
    Say("Whatever can be done has a name. The palette finds it, and here it opens the themes."),
    Press(Action::Palette),
    Type("theme"),
    Press(Action::Accept),
    Press(Action::Down),
    Look(8),
    Press(Action::Down),
    Look(12),
    Press(Action::Down),
    Look(8),
    Press(Action::Leave),
    Say("The second story was held back. Now it may begin …"),
    Press(Action::Follow),
    Select(Which::Second),
    Press(Action::Pause),
    Say(
        "… but something stands in the way of one of its clips. It is tried again, twice, and then says so.",
    ),
    Until(Event::Failure, 40),
    Look(25),
    Say(
        "An error names what happened, to what, and what to do next. What was finished stays finished.",
    ),
    Select(Which::Second),
    Press(Action::Errors),
    Look(60),
    Say("The way is clear again. Retry: only what is missing is made."),
    ClearTheWay,
    Press(Action::Retry),
    Until(Event::Success, 30),
    Look(20),
    Until(Event::Mended, 60),
    Look(10),
    Say(
        "The third story begins, and we change our mind. Cancel asks first, for work has begun; its clips stay.",
    ),
    Select(Which::Third),
    Press(Action::Pause),
    Until(Event::Third, 60),
    Select(Which::Third),
    Press(Action::Cancel),
    Look(20),
    Press(Action::Confirm),
    Until(Event::Cancelled, 10),
    Look(30),
    Say("Cancelled is not lost: retry goes on where it stopped."),
    Select(Which::Third),
    Press(Action::Retry),
    Until(Event::Third, 30),
    Look(20),
    Say(
        "The end: quitting finishes the segment in work, and the rest would go on at the next start.",
    ),
    Press(Action::Quit),
    Look(45),
    Press(Action::Confirm),
    Look(20),
];

/// The time between deciding on a key and pressing it: its name is shown meanwhile.
const PRESS: i64 = 900;

/// The time between two letters, or two steps to a row.
const LETTER: i64 = 160;

/// How often the tour looks whether it continues.
pub(super) const BEAT: Duration = Duration::from_millis(80);

/// Where the tour is.
#[derive(Debug)]
pub(crate) struct Tour {
    plan: TourPlan,
    at: usize,
    /// When this step began.
    since: Option<Timestamp>,
    /// Letters typed of this step.
    typed: usize,
    caption: &'static str,
    /// The key that is about to be pressed.
    key: Option<Key>,
    /// The tasks that try the second and the third again.
    retried: [Option<TaskId>; 2],
}

impl Tour {
    pub(crate) fn new(plan: TourPlan) -> Self {
        Self {
            plan,
            at: 0,
            since: None,
            typed: 0,
            caption: "",
            key: None,
            retried: [None, None],
        }
    }

    /// What is said now.
    pub(crate) fn caption(&self) -> &'static str {
        self.caption
    }

    /// The key that is about to be pressed.
    pub(crate) fn key(&self) -> Option<Key> {
        self.key
    }

    /// How far it is, in captions: this one, and all.
    pub(crate) fn progress(&self) -> (usize, usize) {
        let captions = |steps: &[Step]| steps.iter().filter(|step| matches!(step, Say(_))).count();
        (
            captions(&SCRIPT[..self.at.min(SCRIPT.len())]),
            captions(SCRIPT),
        )
    }

    fn id(&self, which: Which) -> &TaskId {
        match which {
            Which::First => &self.plan.first,
            Which::Second => self.retried[0].as_ref().unwrap_or(&self.plan.second),
            Which::Third => self.retried[1].as_ref().unwrap_or(&self.plan.third),
        }
    }
}

impl App {
    /// Begins the tour.
    pub(crate) fn begin_tour(&mut self, plan: TourPlan) {
        self.tour = Some(Tour::new(plan));
    }

    /// Someone takes over: whatever the tour put in the way goes.
    pub(super) fn end_tour(&mut self) -> Vec<Effect> {
        match self.tour.take() {
            Some(tour) => {
                self.notice = Some("the tour has ended: go on yourself, ? is the help".to_owned());
                vec![Effect::ClearTheWay(tour.plan.obstacle)]
            }
            None => Vec::new(),
        }
    }

    /// A retry has another id: first that of the second narration, then that of the third.
    pub(super) fn tour_retried(&mut self, id: &TaskId) {
        let free = self
            .tour
            .as_mut()
            .and_then(|tour| tour.retried.iter_mut().find(|retried| retried.is_none()));
        if let Some(free) = free {
            *free = Some(id.clone());
        }
    }

    /// Goes on with the tour as far as it can go now.
    pub(super) fn tour_on(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(mut tour) = self.tour.take() {
            if self.leaving != Leaving::No {
                return effects;
            }
            let Some(&step) = SCRIPT.get(tour.at) else {
                return effects;
            };
            let since = *tour.since.get_or_insert(self.now);
            let passed = (self.now.0 - since.0).max(0);
            let key = tour.next_key(self, step, passed);
            tour.key = match step {
                Press(action) => self.keymap.keys(self.mode(), action).next(),
                _ => None,
            };
            let pressed = key.is_some();
            let is_over = match step {
                Say(caption) => {
                    tour.caption = caption;
                    true
                }
                Look(tenths) => passed >= tenths * 100,
                Until(event, most) => self.has_happened(&tour, event) || passed >= most * 1000,
                // An action without a key would hold it up for ever.
                Press(_) => pressed || tour.key.is_none(),
                Type(text) => tour.typed >= text.chars().count(),
                Select(which) => self.is_selected(tour.id(which)) || passed >= 10_000,
                ClearTheWay => {
                    effects.push(Effect::ClearTheWay(tour.plan.obstacle.clone()));
                    true
                }
            };
            if is_over {
                tour.at += 1;
                (tour.since, tour.typed, tour.key) = (None, 0, None);
            }
            self.tour = Some(tour);
            if let Some(key) = key {
                effects.extend(self.key(key));
            }
            if !is_over {
                return effects;
            }
        }
        effects
    }

    fn is_selected(&self, id: &TaskId) -> bool {
        self.selected().is_some_and(|task| task.id == *id) && self.focus == super::Pane::Queue
    }

    fn has_happened(&self, tour: &Tour, event: Event) -> bool {
        let task = |which| self.tasks.by_id(tour.id(which));
        let clips = |task: &TaskStatus| task.completed_segments.len();
        match event {
            Event::Clips => task(Which::First).is_some_and(|task| clips(task) >= 6),
            Event::Failure => {
                task(Which::Second).is_some_and(|task| task.state == TaskState::Failed)
            }
            Event::Success => {
                tour.retried[0].is_some()
                    && task(Which::Second).is_some_and(|task| clips(task) >= 8)
            }
            Event::Mended => {
                tour.retried[0].is_some()
                    && task(Which::Second).is_some_and(|task| task.state.is_terminal())
            }
            Event::Third => task(Which::Third).is_some_and(|task| {
                task.state.is_terminal()
                    || (task.state == TaskState::Processing && clips(task) >= 2)
            }),
            Event::Cancelled => task(Which::Third).is_some_and(|task| task.state.is_terminal()),
        }
    }
}

impl Tour {
    /// The key to press now, if it is time for one.
    fn next_key(&mut self, app: &App, step: Step, passed: i64) -> Option<Key> {
        let beats = |beats: usize| {
            i64::try_from(beats)
                .unwrap_or(i64::MAX)
                .saturating_mul(LETTER)
        };
        match step {
            // A question that nobody has asked is not answered.
            Press(Action::Confirm)
                if !matches!(app.question, Some(Question::Cancel(_) | Question::Quit)) =>
            {
                None
            }
            Press(action) => {
                let key = app.keymap.keys(app.mode(), action).next();
                key.filter(|_| passed >= PRESS)
            }
            Type(text) if passed >= beats(self.typed + 1) => {
                let letter = text.chars().nth(self.typed)?;
                self.typed += 1;
                Some(Key::letter(letter))
            }
            Select(which) if passed >= beats(self.typed + 1) => {
                self.typed += 1;
                let action = match app.mode() {
                    Mode::Main if app.focus == super::Pane::Lower => Action::SwitchPane,
                    Mode::Main => {
                        let wanted = app.tasks.row_of(self.id(which))?;
                        match wanted.cmp(&app.selected_row()) {
                            std::cmp::Ordering::Less => Action::Up,
                            std::cmp::Ordering::Equal => return None,
                            std::cmp::Ordering::Greater => Action::Down,
                        }
                    }
                    _ => Action::Back,
                };
                app.keymap.keys(app.mode(), action).next()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::app::Message;
    use crate::monitor::fixtures::{self, NOW};
    use crate::monitor::theme::ColorDepth;

    fn plan() -> TourPlan {
        TourPlan {
            first: "first".into(),
            second: "second".into(),
            third: "third".into(),
            obstacle: "/tmp/obstacle".into(),
        }
    }

    /// The tour in a world where everything happens as it should, as fast as it is asked for.
    #[test]
    fn it_goes_from_its_beginning_to_a_clean_end() {
        let mut app = fixtures::app("dark", ColorDepth::TrueColor);
        let mut first = fixtures::narration("first", "First", 20);
        fixtures::start(&mut first, 1);
        for id in 1..9 {
            fixtures::complete(&mut first, id);
        }
        let mut second = fixtures::narration("second", "Second", 20);
        let mut third = fixtures::narration("third", "Third", 20);
        (second.paused, second.rank) = (true, 1);
        (third.paused, third.rank) = (true, 2);
        app.update(
            Message::Reset(vec![first, second.clone(), third.clone()]),
            NOW,
        );
        app.begin_tour(plan());
        let (mut seen, mut captions, mut now) = (Vec::new(), Vec::new(), NOW);
        while app.leaving == Leaving::No {
            now.0 += 50;
            assert!(now.0 - NOW.0 < 180_000, "stuck at {:?}", app.tour);
            let effects = app.update(Message::Tick, now);
            if let Some(tour) = &app.tour
                && captions.last() != Some(&tour.caption())
            {
                captions.push(tour.caption());
            }
            for effect in effects {
                match &effect {
                    Effect::Pause(id, false) if id.as_str() == "second" => {
                        second.paused = false;
                        second.state = TaskState::Failed;
                        second.completed_at = Some(now);
                        app.update(Message::Task(Box::new(second.clone())), now);
                    }
                    Effect::Pause(id, false) if id.as_str() == "third" => {
                        third.paused = false;
                        fixtures::start(&mut third, 0);
                        fixtures::complete(&mut third, 1);
                        fixtures::complete(&mut third, 2);
                        app.update(Message::Task(Box::new(third.clone())), now);
                    }
                    Effect::Retry(id, _) if id.as_str() == "third" => {
                        let mut more = fixtures::narration("more", "Third", 20);
                        fixtures::start(&mut more, 0);
                        fixtures::complete(&mut more, 1);
                        fixtures::complete(&mut more, 2);
                        app.update(Message::Task(Box::new(more)), now);
                        app.update(Message::Retried(Ok("more".into())), now);
                    }
                    Effect::Retry(..) => {
                        let mut again = fixtures::narration("again", "Second", 20);
                        again.state = TaskState::Completed;
                        for id in 1..10 {
                            fixtures::complete(&mut again, id);
                        }
                        app.update(Message::Task(Box::new(again)), now);
                        app.update(Message::Retried(Ok("again".into())), now);
                    }
                    Effect::Cancel(_) => {
                        third.state = TaskState::Cancelled;
                        app.update(Message::Task(Box::new(third.clone())), now);
                    }
                    _ => {}
                }
                seen.push(effect);
            }
        }
        assert!(seen.contains(&Effect::ClearTheWay(plan().obstacle)));
        assert!(seen.contains(&Effect::Cancel("third".into())));
        assert!(seen.contains(&Effect::Retry("second".into(), Vec::new())));
        assert!(seen.contains(&Effect::Retry("third".into(), Vec::new())));
        assert!(seen.contains(&Effect::Stop));
        let says = SCRIPT.iter().filter(|step| matches!(step, Say(_)));
        assert_eq!(
            captions.iter().filter(|said| !said.is_empty()).count(),
            says.count()
        );
        assert!(captions.iter().all(|said| said.chars().count() <= 120));
    }

    #[test]
    fn any_key_takes_over_and_clears_the_way() {
        let mut app = fixtures::app("dark", ColorDepth::TrueColor);
        app.update(Message::Reset(fixtures::working()), NOW);
        app.begin_tour(plan());
        app.update(Message::Tick, NOW);
        assert!(!app.tour.as_ref().unwrap().caption().is_empty());
        let effects = app.update(Message::Key(Key::letter('q')), NOW);
        assert_eq!(effects, [Effect::ClearTheWay(plan().obstacle)]);
        assert!(app.tour.is_none() && app.question.is_none());
        app.update(Message::Key(Key::letter('q')), NOW);
        assert!(app.question.is_some());
    }
}
