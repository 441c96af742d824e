//! Whatever comes, in whatever order and on screens of any size, the model stays sound. Nothing is drawn.

use proptest::prelude::*;

use super::*;
use crate::service::Corrected;

/// Something that may happen, with numbers for what it is about.
#[derive(Clone, Debug)]
enum Happens {
    Key(&'static str),
    Text(String),
    Click(Spot),
    Wheel(Spot, i32),
    /// A frame of another size.
    Drawn(Drawn),
    /// The next segment of a task.
    Made(usize),
    /// A segment fails, or is mended.
    Failed(usize, u32),
    Ended(usize, TaskState),
    Removed(usize),
    Reset,
    Paused(bool),
    /// What is awaited of a word comes, or not.
    Corrected(bool),
    Later(i64),
}

const KEYS: [&str; 48] = [
    "up", "down", "pgup", "pgdn", "home", "end", "left", "right", "tab", "backtab", "enter", "esc",
    "space", "bspace", "1", "2", "3", "4", "5", "6", "a", "c", "C", "r", "R", "p", "P", "K", "J",
    "e", "w", "f", "t", "v", "y", "o", "?", ":", "/", "q", "i", "l", "n", "C-c", "C-t", "C-l",
    "C-o", "C-u",
];

fn spot() -> impl Strategy<Value = Spot> {
    let place = || {
        prop::option::of(prop_oneof![
            (0usize..300).prop_map(Place::Row),
            Just(Place::Beside),
        ])
    };
    let actions: Vec<Action> = TABLE.iter().map(|info| info.action).collect();
    let button = prop::option::of(prop::sample::select(actions));
    let form = (prop::option::of(0usize..9), prop::option::of(0usize..5));
    (button, place(), form, place(), place(), any::<bool>()).prop_map(
        |(button, choice, (field, value), queue, lower, is_zoom)| Spot {
            button,
            choice,
            field,
            value,
            queue,
            lower,
            is_zoom,
        },
    )
}

fn happens() -> impl Strategy<Value = Happens> {
    let rows = || 0usize..100;
    let pages = (rows(), rows(), rows(), rows(), rows());
    let drawn = (pages, rows(), rows()).prop_map(|(pages, help_scroll, zoom_scroll)| {
        let (queue, lower, choices, zoom, help) = pages;
        Drawn {
            pages: Pages {
                queue,
                lower,
                choices,
                zoom,
                help,
            },
            help_scroll,
            zoom_scroll,
        }
    });
    let task = || 0usize..3;
    let state = prop::sample::select(TaskState::ALL.to_vec());
    prop_oneof![
        8 => prop::sample::select(KEYS.to_vec()).prop_map(Happens::Key),
        1 => "[a-z /.]{0,6}".prop_map(Happens::Text),
        2 => spot().prop_map(Happens::Click),
        1 => (spot(), -9..9).prop_map(|(over, rows)| Happens::Wheel(over, rows)),
        2 => drawn.prop_map(Happens::Drawn),
        4 => task().prop_map(Happens::Made),
        1 => (task(), 1u32..41).prop_map(|(task, segment)| Happens::Failed(task, segment)),
        1 => (task(), state).prop_map(|(task, state)| Happens::Ended(task, state)),
        1 => task().prop_map(Happens::Removed),
        1 => Just(Happens::Reset),
        1 => any::<bool>().prop_map(Happens::Paused),
        1 => any::<bool>().prop_map(Happens::Corrected),
        2 => (0i64..30_000).prop_map(Happens::Later),
    ]
}

/// What the engine knows, and what of it the model was told.
struct Library {
    tasks: Vec<TaskStatus>,
    told: [bool; 3],
}

impl Library {
    fn new() -> Self {
        let tasks = ["one", "two", "three"].map(|id| fixtures::narration(id, id, 40));
        Self {
            tasks: tasks.into(),
            told: [true; 3],
        }
    }

    fn all(&self) -> Message {
        let told = self.tasks.iter().zip(self.told);
        let told = told.filter(|(_, is_told)| *is_told);
        Message::Reset(told.map(|(task, _)| task.clone()).collect())
    }

    fn task(&mut self, at: usize) -> Message {
        self.told[at] = true;
        Message::Task(Box::new(self.tasks[at].clone()))
    }

    fn message(&mut self, happens: Happens) -> Message {
        match happens {
            Happens::Key(name) => Message::Key(Key::parse(name).unwrap()),
            Happens::Text(text) => Message::Paste(text),
            Happens::Click(on) => Message::Click(on),
            Happens::Wheel(over, rows) => Message::Wheel(over, rows),
            Happens::Made(at) => {
                let task = &mut self.tasks[at];
                let next = (1..=40).find(|id| task.completed_segments.get(*id).is_none());
                if let Some(id) = next.filter(|_| !task.state.is_terminal()) {
                    fixtures::start(task, 0);
                    fixtures::complete(task, id);
                    task.current_segment = (id < 40).then(|| SegmentId::new(id + 1));
                }
                self.task(at)
            }
            Happens::Failed(at, segment) => {
                let (errors, segment) = (&mut self.tasks[at].errors, SegmentId::new(segment));
                if errors.has(segment) {
                    errors.clear(segment);
                } else {
                    errors.push(segment, ErrorObject::new("X", "x"));
                }
                self.task(at)
            }
            Happens::Ended(at, state) => {
                let task = &mut self.tasks[at];
                task.state = state;
                task.completed_at = state.is_terminal().then_some(NOW);
                if state.is_terminal() {
                    task.current_segment = None;
                }
                task.error = (state == TaskState::Failed).then(|| ErrorObject::new("X", "x"));
                self.task(at)
            }
            Happens::Removed(at) => {
                self.told[at] = false;
                Message::Removed(vec![self.tasks[at].id.clone()])
            }
            Happens::Reset => self.all(),
            Happens::Paused(paused) => Message::QueuePaused(paused),
            Happens::Corrected(_) | Happens::Drawn(_) | Happens::Later(_) => Message::Tick,
        }
    }
}

/// What is answered to the word that is awaited.
fn answer(app: &App, is_so: bool) -> Option<Message> {
    let Some(Overlay::Word(form)) = &app.overlay else {
        return None;
    };
    let sent = form.sent.clone()?;
    let task = form.task.clone();
    let corrected = Corrected {
        lexicon: "lexicon.toml".to_owned(),
        segments: usize::from(is_so),
        spoken: Some("x".into()),
        task: (is_so && !sent.is_trial).then(|| task.clone()),
    };
    let result = if is_so {
        Ok(corrected)
    } else {
        Err("no".into())
    };
    Some(Message::Corrected(task, sent, result))
}

proptest! {
    #[test]
    fn the_model_stays_sound(all in prop::collection::vec(happens(), 1..120)) {
        let mut app = fixtures::app("dark", ColorDepth::TrueColor);
        let mut library = Library::new();
        let mut now = NOW;
        app.update(library.all(), now);
        for happens in all {
            match happens {
                Happens::Later(millis) => now = Timestamp(now.0 + millis),
                Happens::Drawn(drawn) => app.drawn(drawn),
                Happens::Corrected(is_so) => {
                    if let Some(answer) = answer(&app, is_so) {
                        app.update(answer, now);
                    }
                }
                _ => {}
            }
            app.update(library.message(happens), now);

            let seen: Vec<&TaskStatus> = app.tasks.iter().collect();
            prop_assert_eq!(seen.len(), library.told.iter().filter(|told| **told).count());
            // What a frame says in several places is the same everywhere.
            let clips: usize = seen.iter().map(|task| task.completed_segments.len()).sum();
            let errors: usize = seen.iter().map(|task| error_count(task)).sum();
            let totals = app.tasks.totals();
            prop_assert_eq!((app.clips.all(), totals.clips), (clips, clips as u64));
            prop_assert_eq!((app.errors.all(), totals.errors), (errors, errors as u64));
            // Every list has its cursor in it.
            prop_assert!(app.clips.cursor.row <= app.clips.len().saturating_sub(1));
            prop_assert!(app.errors.cursor.row <= app.errors.len().saturating_sub(1));
            let (row, len) = app.lower_rows();
            prop_assert!(row <= len.saturating_sub(1), "row {} of {}", row, len);
            if let Some(target) = app.shown_segment() {
                prop_assert!(target.segment.get() <= segment_count(target.task));
            }
            // There is always a way out.
            let out = app.keymap.action(app.mode(), Key::parse("C-c").unwrap());
            prop_assert!(out.is_some());
        }
    }
}
