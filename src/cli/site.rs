//! Where the queue is worked: in this process, or in another one that is followed over its socket. When
//! that one goes, whoever comes next is followed; where nobody comes, this process goes on itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use smol::future::FutureExt;

use super::on_complete::OnComplete;
use super::queue::{Owner, answering, goes_on};
use super::signals::Signals;
use super::submit::{Opening, open_engine_with};
use crate::engine::{Engine, OpenError, ShutdownWait, Subscription};
use crate::http::{Follow, Remote, Told};
use crate::model::{Event, TaskId, TaskStatus};
use crate::narrate::Voices;
use crate::service::{Host, Local, Service, TaskSummary};
use crate::settings::{OnHangup, Settings};
use crate::webhook::Webhooks;

/// How long a library is waited for that someone has open who does not answer: they begin, or end.
const BUSY: Duration = Duration::from_secs(10);
/// How long another process is waited for that the work was handed to.
const HANDED: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(50);

/// Where the queue is worked.
pub(super) enum Site {
    Here(Box<Here>),
    There(Box<There>),
}

/// The engine of this process, which others can reach.
pub(super) struct Here {
    events: Subscription,
    // The server goes before the service, and that before the engine.
    owner: Option<Owner>,
    pub service: Arc<Local>,
    _on_complete: Option<OnComplete>,
    webhooks: Option<Webhooks>,
    pub engine: Engine,
    /// What an earlier process had left.
    left: HashSet<TaskId>,
    is_handed_over: bool,
}

/// Another process.
pub(super) struct There {
    follow: Follow,
    pub service: Remote,
}

/// What happens next.
#[derive(Debug)]
pub(super) enum Next {
    /// Something; how its task stands, if it is about one.
    Happened(Event, Option<Box<TaskSummary>>),
    /// Everything is to be read again.
    Afresh,
    /// The work there ends in good order.
    Ended {
        /// Whether another process goes on with it.
        handed_over: bool,
    },
    /// The other process is gone without a word.
    Lost,
    /// A signal came to this process.
    Signal(i32),
    /// The time is over.
    Late,
}

impl Site {
    /// Whoever has the library open, or else this process opens it. With `paused` nothing begins here
    /// before [`Self::begin`].
    ///
    /// # Errors
    /// Nobody can be reached, and it can't be opened.
    pub(super) fn find(
        settings: &Settings,
        voices: &Arc<Voices>,
        signals: &Signals,
        paused: bool,
    ) -> anyhow::Result<Self> {
        let until = Instant::now() + BUSY;
        loop {
            if let Some(there) = There::reach(settings)? {
                return Ok(Self::There(Box::new(there)));
            }
            let opening = Opening {
                paused,
                ..Opening::default()
            };
            match open_engine_with(settings, voices, opening) {
                Ok(engine) => {
                    let here = Here::new(engine, voices, settings, signals)?;
                    return Ok(Self::Here(Box::new(here)));
                }
                Err(error) if !is_in_use(&error) => return Err(error),
                Err(error) if Instant::now() > until || signals.raised() => return Err(error),
                Err(_) => std::thread::sleep(STEP),
            }
        }
    }

    /// The same once the one that was followed is gone; one that it was handed to is waited for.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(super) fn find_again(
        settings: &Settings,
        voices: &Arc<Voices>,
        signals: &Signals,
        handed_over: bool,
    ) -> anyhow::Result<Self> {
        if handed_over && let Some(there) = There::await_heir(settings, HANDED, signals)? {
            return Ok(Self::There(Box::new(there)));
        }
        Self::find(settings, voices, signals, false)
    }

    /// Whether the work of this process is to go on in another one.
    pub(super) fn is_handed_over(&self) -> bool {
        matches!(self, Self::Here(here) if here.is_handed_over())
    }

    pub(super) fn service(&self) -> &dyn Service {
        match self {
            Self::Here(here) => &*here.service,
            Self::There(there) => &there.service,
        }
    }

    /// Lets the queue go on that [`Self::find`] has opened paused.
    pub(super) fn begin(&self) {
        if let Self::Here(here) = self {
            here.engine.resume_queue();
        }
    }

    /// What happens next: signals go before events.
    pub(super) fn next(&mut self, signals: &Receiver<i32>, until: Option<Instant>) -> Next {
        let signal = async {
            match signals.recv().await {
                Ok(signal) => Next::Signal(signal),
                Err(_) => smol::future::pending().await,
            }
        };
        let late = async {
            match until {
                Some(at) => smol::Timer::at(at).await,
                None => smol::future::pending().await,
            };
            Next::Late
        };
        let told = async {
            match self {
                Self::Here(here) => here.next().await,
                Self::There(there) => there.next().await,
            }
        };
        smol::block_on(signal.or(late).or(told))
    }
}

impl Here {
    fn new(
        engine: Engine,
        voices: &Arc<Voices>,
        settings: &Settings,
        signals: &Signals,
    ) -> anyhow::Result<Self> {
        signals.shut_down(&engine, settings.shutdown_timeout);
        if settings.on_hangup != OnHangup::Stop {
            // Whoever follows decides what the loss of the terminal means.
            signals.spare_hangup();
        }
        let left = engine.tasks().into_iter().map(|task| task.id).collect();
        let on_complete = OnComplete::start(&engine, settings)?;
        let webhooks = Webhooks::start(engine.outbox(), &settings.webhooks)?;
        let log = super::logging::last_lines;
        let service = Local::new(engine.clone(), Arc::clone(voices), settings.clone(), log);
        let service = Arc::new(service);
        let events = engine.subscribe();
        Ok(Self {
            events,
            left,
            is_handed_over: false,
            owner: Owner::start_or_log(
                &engine,
                Arc::clone(&service) as Arc<dyn Host>,
                &settings.http,
            ),
            service,
            _on_complete: on_complete,
            webhooks,
            engine,
        })
    }

    async fn next(&mut self) -> Next {
        match self.events.recv().await {
            Ok(Event::Missed { .. }) => Next::Afresh,
            Ok(event) => {
                let task = event.task().and_then(|task| self.service.task(task).ok());
                Next::Happened(event, task.map(Box::new))
            }
            Err(_) => Next::Ended {
                handed_over: self.is_handed_over,
            },
        }
    }

    /// Gives what is owed to webhooks so much time to leave, and returns how much is owed then.
    pub(super) fn deliver_within(&self, patience: Duration) -> u64 {
        let webhooks = self.webhooks.as_ref();
        webhooks.map_or(0, |webhooks| webhooks.deliver_within(patience))
    }

    /// Ends the work at once: what is unfinished continues at the next start.
    pub(super) fn end(&self) {
        self.engine.shutdown(ShutdownWait::Now);
    }

    /// Ends the work here after the segment in work, for another process to go on with it: whoever looks
    /// on is told. That process can begin once this is dropped.
    pub(super) fn hand_over(&mut self, patience: Duration) {
        self.is_handed_over = true;
        if let Some(owner) = &self.owner {
            owner.hand_over();
        }
        self.engine.shutdown(ShutdownWait::Segments(patience));
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.is_handed_over
    }

    /// Whether there is work that someone else waits for: they have brought it in the meantime, or they
    /// look on; or something recurs.
    pub(super) fn has_more(&self) -> bool {
        let is_watched = self
            .owner
            .as_ref()
            .is_some_and(|owner| owner.watchers() > 0);
        let is_theirs = |task: &&TaskStatus| is_watched || !self.left.contains(&task.id);
        let recurs = !self.engine.recurring_tasks().is_empty();
        recurs || self.engine.tasks().iter().filter(is_theirs).any(goes_on)
    }
}

impl There {
    /// Follows whoever answers, if someone does.
    ///
    /// # Errors
    /// They speak another version of the interface.
    pub(super) fn reach(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let Some(service) = answering(settings)? else {
            return Ok(None);
        };
        let Ok(mut follow) = service.listen() else {
            // One that ends in this moment is gone.
            return Ok(None);
        };
        // It begins by telling everything, which whoever follows reads as they need it.
        let is_there = matches!(smol::block_on(follow.recv()), Some(Ok(Told::Snapshot(_))));
        Ok(is_there.then_some(Self { follow, service }))
    }

    /// The same, waiting for someone to come.
    ///
    /// # Errors
    /// As [`Self::reach`].
    pub(super) fn await_heir(
        settings: &Settings,
        patience: Duration,
        signals: &Signals,
    ) -> anyhow::Result<Option<Self>> {
        let until = Instant::now() + patience;
        loop {
            let there = Self::reach(settings)?;
            if there.is_some() || Instant::now() > until || signals.raised() {
                return Ok(there);
            }
            std::thread::sleep(STEP);
        }
    }

    async fn next(&mut self) -> Next {
        match self.follow.recv().await {
            Some(Ok(Told::Happened(Event::Missed { .. }, _) | Told::Snapshot(_))) => Next::Afresh,
            Some(Ok(Told::Happened(event, task))) => Next::Happened(event, task),
            Some(Ok(Told::Bye { goes_on })) => Next::Ended {
                handed_over: goes_on,
            },
            Some(Err(_)) | None => Next::Lost,
        }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::InUse { .. }))
}
