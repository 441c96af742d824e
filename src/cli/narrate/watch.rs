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
use crate::model::{Event, SegmentId, TaskId};
use crate::narrate::Voices;
use crate::service::{
    Action, RefusalKind, SegmentView, Service, TaskAction, TaskSummary, one_message,
};
use crate::settings::{OnHangup, Settings};
use crate::webhook::still_owed;

/// How long a second Ctrl-C is waited for.
const AGAIN: Duration = Duration::from_secs(3);
/// How long the end of what was cancelled is waited for.
const CANCELLED: Duration = Duration::from_secs(10);
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
}

struct Mine {
    task: TaskSummary,
    is_open: bool,
    window: Window,
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
        });
        Self {
            settings,
            voices,
            signals,
            heard,
            reporter,
            mine: mine.collect(),
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
            match site.next(&self.heard, leaving.as_ref().map(|leaving| leaving.at)) {
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
                Next::Late => return Stop::Way(self.left()),
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
    fn interrupted(&self, service: &dyn Service, signal: i32, again: bool) -> Option<Leaving> {
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
            return;
        };
        if let Some(task) = task {
            mine.task = *task;
        }
        if matches!(event, Event::Removed { .. }) {
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

    /// How each one stands now; an end that nobody told is told now.
    fn read_again(&mut self, service: &dyn Service) {
        for mine in self.mine.iter_mut().filter(|mine| mine.is_open) {
            match service.task(&mine.task.id) {
                Ok(task) => mine.task = task,
                Err(refusal) if refusal.kind == RefusalKind::NotFound => {
                    // It has ended, and was cleared away.
                    ended_before(service, &mut mine.task);
                    mine.is_open = false;
                }
                // Whoever was asked is gone, which is noticed next.
                Err(_) => return,
            }
            if mine.task.state.is_terminal() {
                let ended = Event::Ended {
                    task: mine.task.id.clone(),
                    state: mine.task.state,
                    error: mine.task.error.clone(),
                };
                self.reporter.event(&ended, &mine.task, None);
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
