//! Follows narrations to their ends, through the ends of those who do the work.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use signal_hook::consts::{SIGHUP, SIGINT};

use crate::cli::handover::hand_over;
use crate::cli::queue::ended_before;
use crate::cli::report::{Narrated, Reporter};
use crate::cli::signals::Signals;
use crate::cli::site::{Next, Site};
use crate::model::{Event, SegmentId, TaskId, TaskState};
use crate::narrate::Voices;
use crate::service::{
    Action, RefusalKind, SegmentView, Service, TaskAction, TaskSummary, one_message,
};
use crate::settings::{OnHangup, Settings};
use crate::text::printable;
use crate::webhook::still_owed;

/// How long a second Ctrl-C is waited for.
const AGAIN: Duration = Duration::from_secs(3);
/// How long the end of what was cancelled is waited for.
const CANCELLED: Duration = Duration::from_secs(10);
/// How long it is waited, once a narration was cancelled, for the task that goes on with it: with another voice
/// it is cancelled and begun again.
const HEIR: Duration = Duration::from_secs(2);
/// How long what is owed to webhooks has to leave before this does.
const DELIVERY: Duration = Duration::from_secs(5);
/// How many segments are read at a time.
const WINDOW: usize = 200;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each of them has, or the work in this process was stopped.
    Ended,
    /// The work goes on elsewhere without us.
    Left,
    /// The terminal of this process is gone, and another one goes on.
    TerminalLost,
    /// Whoever did the work was told to end.
    Abandoned,
}

/// Narrations that are followed.
pub(super) struct Narrating<'a> {
    settings: &'a Settings,
    voices: &'a Arc<Voices>,
    signals: &'a Signals,
    heard: Receiver<i32>,
    reporter: &'a mut Reporter,
    mine: Vec<Mine>,
    /// Whether they are cancelled from here, so that nothing goes on with them.
    is_cancelling: bool,
}

struct Mine {
    task: TaskSummary,
    is_open: bool,
    window: Window,
    /// Until when its end is not told, because another task may go on with it.
    held: Option<Instant>,
}

impl Mine {
    /// Whether another task has taken its place.
    fn is_continued_by(&self, other: &TaskSummary) -> bool {
        let old = &self.task;
        old.folder.is_some()
            && old.folder == other.folder
            && old.id != other.id
            && old.created_at <= other.created_at
    }

    /// Tells how it has ended.
    fn end(&mut self, reporter: &mut Reporter) {
        let ended = Event::Ended {
            task: self.task.id.clone(),
            state: self.task.state,
            error: self.task.error.clone(),
        };
        reporter.event(&ended, &self.task, None);
        (self.is_open, self.held) = (false, None);
    }

    /// Follows the task that goes on with it.
    fn continue_as(&mut self, task: TaskSummary, reporter: &mut Reporter) {
        let (title, voice) = (printable(&task.title), printable(&task.voice));
        reporter.note(&format!(
            "{title} was begun again elsewhere, spoken by {voice}: this follows it ({})",
            task.id
        ));
        reporter.replaced(&self.task.id, &task.id);
        self.task = task;
        self.window = Window::default();
        self.held = None;
    }
}

impl<'a> Narrating<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        voices: &'a Arc<Voices>,
        (signals, heard): (&'a Signals, Receiver<i32>),
        reporter: &'a mut Reporter,
        tasks: Vec<TaskSummary>,
    ) -> Self {
        let mine = tasks.into_iter().map(|task| Mine {
            task,
            is_open: true,
            window: Window::default(),
            held: None,
        });
        Self {
            settings,
            voices,
            signals,
            heard,
            reporter,
            mine: mine.collect(),
            is_cancelling: false,
        }
    }

    /// Tells what happens until every one of them has ended, a signal asks for the end, or whoever does
    /// the work is told to end.
    ///
    /// # Errors
    /// Whoever did the work is gone, and it can't go on here.
    pub(super) fn follow(
        mut self,
        mut site: Site,
    ) -> anyhow::Result<(Vec<Narrated>, Way, Instant)> {
        self.say_where(&site);
        let way = loop {
            let handed_over = match self.watch(&mut site) {
                Stop::Way(way) => break way,
                Stop::Gone { handed_over } => handed_over,
            };
            site = Site::find_again(self.settings, self.voices, self.signals, handed_over)?;
            self.say_where(&site);
            self.read_again(site.service());
        };
        let tasks = self.mine.iter().map(|mine| Narrated {
            faulty: faulty(site.service(), &mine.task),
            task: mine.task.clone(),
        });
        let tasks = tasks.collect();
        // What webhooks are waited for is no work.
        let ended = Instant::now();
        if let Site::Here(here) = &mut site {
            // What others have brought is theirs to end.
            if !self.signals.raised() && here.has_more() {
                here.hand_over(self.settings.shutdown_timeout);
            }
            if !here.is_handed_over() {
                let patience = match self.signals.raised() {
                    true => Duration::ZERO,
                    false => DELIVERY,
                };
                if let Some(owed) = still_owed(here.deliver_within(patience)) {
                    self.reporter.note(&owed);
                }
            }
            here.end();
        }
        if site.is_handed_over() {
            // The next one can begin only then.
            drop(site);
            self.hand_over();
        }
        Ok((tasks, way, ended))
    }

    fn hand_over(&self) {
        match hand_over(self.settings) {
            Ok(process) => self.reporter.note(&format!(
                "the work goes on in the background (process {process}); `aloud` shows it"
            )),
            Err(error) => self.reporter.note(&format!(
                "nobody goes on with the work, which continues at the next start: {}",
                one_message(&error)
            )),
        }
    }

    fn say_where(&self, site: &Site) {
        if let Site::There(there) = site {
            let process = there.service.info().pid;
            self.reporter.note(&format!(
                "another aloud (process {process}) does the work: Ctrl-C leaves it there, twice cancels it"
            ));
        }
    }

    fn watch(&mut self, site: &mut Site) -> Stop {
        let mut leaving: Option<Leaving> = None;
        while self.mine.iter().any(|mine| mine.is_open) {
            let held = self.mine.iter().filter_map(|mine| mine.held).min();
            let leaves = leaving.as_ref().map(|leaving| leaving.at);
            match site.next(&self.heard, leaves.into_iter().chain(held).min()) {
                Next::Happened(event, task) => self.tell(site.service(), &event, task),
                Next::Afresh => self.read_again(site.service()),
                Next::Signal(signal) if matches!(site, Site::There(_)) => {
                    match self.interrupted(site.service(), signal, leaving.is_some()) {
                        Some(next) => leaving = Some(next),
                        None => return Stop::Way(self.left()),
                    }
                }
                Next::Signal(SIGHUP) if self.settings.on_hangup == OnHangup::HandOver => {
                    tracing::warn!("the terminal is gone: the work goes on in the background");
                    if let Site::Here(here) = site {
                        here.hand_over(self.settings.shutdown_timeout);
                    }
                }
                // The engine is being shut down, and says when it is.
                Next::Signal(_) => {}
                Next::Late if leaves.is_some_and(|at| at <= Instant::now()) => {
                    return Stop::Way(self.left());
                }
                Next::Late => self.tell_held(),
                Next::Lost => return Stop::Gone { handed_over: false },
                Next::Ended { handed_over } => {
                    self.read_again(site.service());
                    return match site {
                        Site::Here(here) if here.is_handed_over() => Stop::Way(Way::TerminalLost),
                        Site::Here(_) => Stop::Way(Way::Ended),
                        Site::There(_) if handed_over => Stop::Gone { handed_over },
                        Site::There(_) => Stop::Way(Way::Abandoned),
                    };
                }
            }
        }
        Stop::Way(Way::Ended)
    }

    /// The first Ctrl-C leaves after a moment, the second within it cancels; `None` leaves now, as any
    /// other signal does.
    fn interrupted(&mut self, service: &dyn Service, signal: i32, again: bool) -> Option<Leaving> {
        if signal != SIGINT {
            return None;
        }
        let now = Instant::now();
        if !again {
            let seconds = AGAIN.as_secs();
            self.reporter.note(&format!(
                "leaving: Ctrl-C again within {seconds} s cancels the work"
            ));
            return Some(Leaving { at: now + AGAIN });
        }
        self.is_cancelling = true;
        for mine in self.mine.iter().filter(|mine| mine.is_open) {
            let action = Action::Task {
                task: mine.task.id.clone(),
                what: TaskAction::Cancel,
            };
            // Whatever has ended in the meantime needs no cancelling.
            if let Err(refusal) = service.act(&action)
                && !matches!(refusal.kind, RefusalKind::Conflict | RefusalKind::NotFound)
            {
                self.reporter
                    .note(&format!("it can't be cancelled: {refusal}"));
            }
        }
        Some(Leaving {
            at: now + CANCELLED,
        })
    }

    fn left(&self) -> Way {
        let open = self.mine.iter().filter(|mine| mine.is_open);
        let ids: Vec<_> = open.map(|mine| mine.task.id.to_string()).collect();
        self.reporter.note(&format!(
            "the work goes on without this; `aloud status` shows it, `aloud cancel {}` ends it",
            ids.join(" ")
        ));
        Way::Left
    }

    fn tell(&mut self, service: &dyn Service, event: &Event, task: Option<Box<TaskSummary>>) {
        let Some(mine) = self
            .mine
            .iter_mut()
            .find(|mine| event.task() == Some(&mine.task.id))
        else {
            let heir = task.and_then(|task| {
                let mut held = self.mine.iter_mut().filter(|mine| mine.held.is_some());
                Some((held.find(|mine| mine.is_continued_by(&task))?, task))
            });
            if let Some((mine, task)) = heir {
                mine.continue_as(*task, self.reporter);
                // It may have ended already.
                self.read_again(service);
            }
            return;
        };
        if let Some(task) = task {
            mine.task = *task;
        }
        let is_cancelled = matches!(
            event,
            Event::Ended {
                state: TaskState::Cancelled,
                ..
            }
        );
        if mine.held.is_some() {
            // Whatever comes now is about one that has ended.
        } else if is_cancelled && mine.is_open && !self.is_cancelling {
            mine.held = Some(Instant::now() + HEIR);
            self.read_again(service);
        } else if matches!(event, Event::Removed { .. }) {
            mine.is_open = false;
        } else if mine.is_open {
            let segment = match event {
                Event::SegmentCompleted { segment, .. } => Some(segment.segment_id),
                Event::SegmentFailed { segment_id, .. } => Some(*segment_id),
                _ => None,
            };
            let segment = segment.and_then(|id| mine.window.segment(service, &mine.task.id, id));
            self.reporter.event(event, &mine.task, segment);
            mine.is_open = !matches!(event, Event::Ended { .. });
        }
    }

    /// Tells the ends that nothing has come after.
    fn tell_held(&mut self) {
        let now = Instant::now();
        let is_over = |mine: &&mut Mine| mine.held.is_some_and(|until| until <= now);
        for mine in self.mine.iter_mut().filter(is_over) {
            mine.end(self.reporter);
        }
    }

    /// How each one stands now; an end that nobody told is told now.
    fn read_again(&mut self, service: &dyn Service) {
        for mine in self.mine.iter_mut().filter(|mine| mine.is_open) {
            let mut is_gone = false;
            match service.task(&mine.task.id) {
                Ok(task) => mine.task = task,
                // It has ended, and was cleared away.
                Err(refusal) if refusal.kind == RefusalKind::NotFound => {
                    ended_before(service, &mut mine.task);
                    is_gone = true;
                }
                // Whoever was asked is gone, which is noticed next.
                Err(_) => return,
            }
            let is_over = is_gone || mine.task.state == TaskState::Cancelled;
            if is_over && !self.is_cancelling {
                let all = service.all_tasks().unwrap_or_default();
                let heirs = all.into_iter().filter(|task| mine.is_continued_by(task));
                if let Some(heir) = heirs.max_by_key(|task| task.created_at) {
                    mine.continue_as(heir, self.reporter);
                    is_gone = false;
                } else if mine.held.is_some() {
                    continue;
                }
            }
            if mine.task.state.is_terminal() {
                mine.end(self.reporter);
            } else if is_gone {
                mine.is_open = false;
            }
        }
    }
}

/// Why nobody is watched any more.
enum Stop {
    Way(Way),
    /// Whoever did the work.
    Gone {
        handed_over: bool,
    },
}

/// When it leaves.
struct Leaving {
    at: Instant,
}

/// Those segments of a task that something went wrong with.
fn faulty(service: &dyn Service, task: &TaskSummary) -> Vec<SegmentView> {
    let mut faulty = Vec::new();
    let mut from = SegmentId::FIRST;
    while faulty.len() < task.failed_segments {
        // One that nobody knows any more has its number only.
        let segments = service.segments(&task.id, from, WINDOW).unwrap_or_default();
        let Some(last) = segments.last() else {
            break;
        };
        from = SegmentId::new(last.segment_id.get() + 1);
        faulty.extend(segments.into_iter().filter(|it| !it.errors.is_empty()));
    }
    faulty
}

/// The segments around the one that was asked for last.
#[derive(Default)]
struct Window(HashMap<SegmentId, SegmentView>);

impl Window {
    /// What a segment says; that does not change with its state.
    fn segment(
        &mut self,
        service: &dyn Service,
        task: &TaskId,
        id: SegmentId,
    ) -> Option<&SegmentView> {
        if !self.0.contains_key(&id) {
            let segments = service.segments(task, id, WINDOW).ok()?;
            let segments = segments.into_iter();
            self.0 = segments.map(|it| (it.segment_id, it)).collect();
        }
        self.0.get(&id)
    }
}
