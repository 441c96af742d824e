//! What is done while nobody wants anything: the layouts of the voice that spoke last are compared, once for
//! each voice, processor and runtime, and the faster one is remembered for whoever opens it next. It runs
//! in a process of its own, nicely, and whatever comes breaks it off.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use smol::Timer;
use smol::future::{block_on, or};

use crate::assets::Assets;
use crate::engine::{Engine, Event, Interrupt, NoMoreEvents, StopReason, Subscription};
use crate::narrate::{Tuned, Tuning, load_voice, machine, runtime};
use crate::settings::Settings;
use crate::speech::{Layout, SpeechError};

/// Nothing has happened for so long: probably nobody is about to want something.
const QUIET: Duration = Duration::from_secs(20);

/// Whatever else runs on the machine comes first.
const NICENESS: u32 = 19;

/// The thread that waits for such a time, until this is dropped or the engine has shut down.
pub(super) struct IdleCheck {
    /// It ends when this is closed.
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl IdleCheck {
    /// Starts it, unless the settings leave nothing to choose.
    pub(super) fn start(engine: &Engine, settings: &Settings) -> std::io::Result<Option<Self>> {
        if settings.layout.is_some() || settings.voice_program.is_none() {
            return Ok(None);
        }
        let mut settings = settings.clone();
        settings.limits.niceness = NICENESS;
        let (stop, stopped) = async_channel::bounded(1);
        let mut idle = Idle {
            stopped,
            engine: engine.clone(),
            events: engine.subscribe(),
            voice: None,
            settings,
        };
        let thread = thread::Builder::new()
            .name("aloud-idle".into())
            .spawn(move || idle.watch())?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for IdleCheck {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take() {
            // A panic there is in the log; the work is done all the same.
            let _ = thread.join();
        }
    }
}

struct Idle {
    stopped: Receiver<()>,
    engine: Engine,
    events: Subscription,
    /// The voice that spoke last, if it was not looked at since.
    voice: Option<Arc<str>>,
    settings: Settings,
}

impl Idle {
    fn watch(&mut self) {
        loop {
            let quiet = async {
                Timer::after(QUIET).await;
                Next::Quiet
            };
            match block_on(or(self.next(), quiet)) {
                Next::Event(event) => self.note(&event),
                Next::End => return,
                Next::Quiet if self.is_idle() => self.check(),
                Next::Quiet => {}
            }
        }
    }

    /// The next event, or the end.
    async fn next(&self) -> Next {
        let stopped = async {
            // Nobody sends anything: it is closed.
            let _ = self.stopped.recv().await;
            Next::End
        };
        let event = async {
            let event = self.events.recv().await;
            event.map_or_else(|NoMoreEvents| Next::End, Next::Event)
        };
        or(stopped, event).await
    }

    /// Whether nothing runs; what waits for its time or is held back does not matter.
    fn is_idle(&self) -> bool {
        self.engine.stats().processing == 0
    }

    fn note(&mut self, event: &Event) {
        if let Event::Ended { task, .. } = event
            && let Some(status) = self.engine.task_status(task)
            && !status.voice.is_empty()
            && !status.completed_segments.is_empty()
        {
            self.voice = Some(status.voice);
        }
    }

    fn check(&mut self) {
        let Some(name) = self.voice.take() else {
            return;
        };
        match self.compare(&name) {
            Ok(()) => {}
            Err(error) if error.is::<Busy>() => {
                self.voice.get_or_insert(name);
            }
            Err(error) => tracing::warn!(voice = %name, "its layouts can't be compared: {error:#}"),
        }
    }

    fn compare(&mut self, name: &str) -> anyhow::Result<()> {
        let voice = load_voice(&self.settings, name)?;
        let library = Assets::from_settings(&self.settings).onnxruntime()?;
        let version = voice.info().version.clone();
        let known = Tuning::read(&self.settings.paths).here(&version, &library);
        if known.is_some_and(|known| known.layout.is_some()) {
            return Ok(());
        }
        let interrupt = Interrupt::default();
        let compared = thread::scope(|scope| {
            let (ended, end) = async_channel::bounded::<()>(1);
            let (voice, its) = (&voice, &interrupt);
            let compare = move || {
                // Whoever waits for the end is let go with it.
                let _ended = ended;
                voice.compare_layouts(its)
            };
            let comparing = thread::Builder::new()
                .name("aloud-compare".into())
                .spawn_scoped(scope, compare)?;
            self.stand_by(&end, &interrupt);
            anyhow::Ok(
                comparing
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        })?;
        let compared = match compared {
            Err(SpeechError::Interrupted) => return Err(Busy.into()),
            compared => compared?,
        };
        let layout = compared.map_or(Layout::Plain, |compared| compared.best());
        let paths = &self.settings.paths;
        let mut tuning = Tuning::read(paths);
        let tuned = Tuned {
            layout: Some(layout),
            runtime: runtime(&library),
            ..tuning.here(&version, &library).unwrap_or_default()
        };
        tuning.put(paths, &machine(), &version, tuned)?;
        tracing::info!(voice = %name, ?layout, ?compared, "its layouts are compared");
        Ok(())
    }

    /// Waits for the end of a comparison, and breaks it off when something else is to be done.
    fn stand_by(&mut self, end: &Receiver<()>, interrupt: &Interrupt) {
        loop {
            let ended = async {
                let _ = end.recv().await;
                Next::Quiet
            };
            match block_on(or(ended, self.next())) {
                Next::Quiet => return,
                Next::Event(event) => {
                    self.note(&event);
                    if !self.is_idle() {
                        interrupt.raise(StopReason::Cancel);
                    }
                }
                Next::End => {
                    interrupt.raise(StopReason::Cancel);
                    return;
                }
            }
        }
    }
}

enum Next {
    Event(Event),
    /// There was none for a while, or none is waited for any more.
    Quiet,
    /// There will be none.
    End,
}

/// Something else was to be done.
#[derive(Debug, thiserror::Error)]
#[error("something else was to be done")]
struct Busy;
