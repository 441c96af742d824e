//! The loop: receive one thing, drain what else is there, update, draw once. Everything that can
//! happen comes through one bounded channel; nothing here waits for the engine or the disk.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use async_signal::{Signal, Signals};
use smol::Timer;
use smol::future;
use smol::stream::StreamExt;

use super::app::{App, Effect, Message};
use super::effects::Effects;
use super::incoming::{Incoming, Pointed};
use super::input::Input;
use super::scene::Scene;
use super::services::Services;
use super::terminal::Screen;
use super::{Cause, Exit, MonitorError, Options};
use crate::model::{Event, ShutdownReport, ShutdownWait, TaskId, Timestamp};
use crate::service::Subscription;
use crate::settings::OnHangup;

/// How much may wait to be taken in. When it is full, senders wait; the engine never does, for its
/// own subscription counts what was missed.
const BACKLOG: usize = 256;

/// The least time between frames that answer a person: at most 30 a second.
const FRAME: Duration = Duration::from_millis(34);

/// The time between frames that only show progress: the less, the fewer bytes the last one had. A change
/// is on the screen within a fifth of a second.
const PROGRESS_FRAMES: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_millis(190));

/// So many bytes a second are what a slow line carries beside the answers to a person.
const BYTES_A_SECOND: u32 = 3000;

/// What happens within this time is part of the answer to a person.
const ANSWERING: Duration = Duration::from_secs(1);

/// What runs while the monitor is open.
pub(super) struct Runtime {
    app: App,
    services: Arc<dyn Services>,
    /// `None` once the terminal is gone.
    screen: Option<Screen>,
    input: Option<Input>,
    effects: Effects,
    sender: Sender<Incoming>,
    receiver: Receiver<Incoming>,
    patience: Duration,
    on_hangup: OnHangup,
    /// Tasks that changed since the last frame.
    stale: HashSet<TaskId>,
    /// Why a frame is due.
    due: Due,
    drawn: Instant,
    /// How long after it the next frame comes that only shows progress.
    pace: Duration,
    /// A frame was due while the one before had not left yet.
    waits: bool,
    /// When a person did something last.
    asked: Option<Instant>,
    /// A stop of our own is followed by a signal that we know about.
    woke_by_itself: bool,
    cause: Cause,
    report: Option<ShutdownReport>,
    helpers: Vec<JoinHandle<()>>,
    /// Whether the engine is being shut down from here.
    stopping: bool,
    leave: bool,
}

/// What has woken the loop.
enum Woken {
    By(Incoming),
    /// The terminal has taken the last frame, or can't.
    FrameLeft(io::Result<()>),
    ByTime,
}

/// What waits to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Nothing,
    Progress,
    Answer,
}

impl Runtime {
    /// Takes the terminal and shows the first frame, before anything of the engine is read.
    pub(super) fn new(
        app: App,
        services: Arc<dyn Services>,
        options: &Options,
        scene: Scene,
    ) -> Result<Self, MonitorError> {
        let (sender, receiver) = async_channel::bounded(BACKLOG);
        let effects = Effects::start(Arc::clone(&services), &sender)?;
        let asked = app.is_attached.then(Instant::now);
        let mut runtime = Self {
            app,
            services,
            screen: Some(Screen::enter(scene)?),
            input: None,
            effects,
            sender,
            receiver,
            patience: options.shutdown_timeout,
            on_hangup: options.on_hangup,
            stale: HashSet::new(),
            due: Due::Answer,
            drawn: Instant::now(),
            pace: PROGRESS_FRAMES.0,
            waits: false,
            // Whoever attaches waits for what is there.
            asked,
            woke_by_itself: false,
            cause: Cause::Quit,
            report: None,
            helpers: Vec::new(),
            stopping: false,
            leave: false,
        };
        runtime.draw();
        runtime.input = Some(Input::start(runtime.sender.clone())?);
        Ok(runtime)
    }

    /// Runs until it is time to leave, with everything async on this one thread.
    pub(super) fn run(mut self) -> Result<Exit, MonitorError> {
        let signals = Signals::new([
            Signal::Term,
            Signal::Int,
            Signal::Hup,
            Signal::Tstp,
            Signal::Cont,
            Signal::Winch,
        ])?;
        let events = self.services.service().events();
        let executor = smol::LocalExecutor::new();
        executor
            .spawn(forward_signals(signals, self.sender.clone()))
            .detach();
        executor
            .spawn(forward_events(events, self.sender.clone()))
            .detach();
        self.reload();
        self.due = Due::Answer;
        smol::block_on(executor.run(self.work()));
        self.input = None;
        // Gives the terminal back before anyone waits for the last threads.
        self.screen = None;
        // Nobody is left to be told.
        self.receiver.close();
        drop(self.effects);
        for helper in self.helpers {
            // A helper only waits for the engine, which has shut down.
            let _ = helper.join();
        }
        Ok(Exit {
            cause: self.cause,
            report: self.report,
        })
    }

    async fn work(&mut self) {
        // One alarm for all: one that is reset for each event would wake the reactor's thread each time.
        let (mut alarm, mut set) = (Timer::never(), None);
        while !self.leave {
            let at = self.draw_at();
            if set != at {
                alarm = at.map_or_else(Timer::never, Timer::at);
                set = at;
            }
            let Self {
                receiver, screen, ..
            } = &mut *self;
            let recv = async { receiver.recv().await.map_or(Woken::ByTime, Woken::By) };
            let leaves = async {
                match screen {
                    Some(screen) => Woken::FrameLeft(screen.has_left().await),
                    None => future::pending().await,
                }
            };
            let rings = async {
                (&mut alarm).await;
                set = None;
                Woken::ByTime
            };
            // The left side first: what happened goes before the clock.
            match future::or(recv, future::or(leaves, rings)).await {
                Woken::By(incoming) => {
                    let mut next = Some(incoming);
                    while let Some(incoming) = next {
                        self.take(incoming);
                        next = self.receiver.try_recv().ok();
                    }
                }
                Woken::FrameLeft(left) => self.frame_left(left),
                Woken::ByTime => {}
            }
            self.draw_if_due();
        }
    }

    /// When to draw, if nothing happens before.
    fn draw_at(&self) -> Option<Instant> {
        match self.due {
            Due::Answer => Some(self.drawn + FRAME),
            Due::Progress => Some(self.drawn + self.pace),
            Due::Nothing => {
                let ticks = self.app.ticks().filter(|_| self.screen.is_some());
                ticks.map(|ticks| self.drawn + ticks)
            }
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Person(message) => {
                // What a key does depends on how things stand, not on what the last frame showed.
                self.refresh();
                self.ask(message);
            }
            Incoming::Pointer(at, what) => {
                // What was clicked is what was seen: the rows of the last frame.
                let spot = self.screen.as_ref().map(|screen| screen.spot(at));
                let spot = spot.unwrap_or_default();
                self.ask(match what {
                    Pointed::Click => Message::Click(spot),
                    Pointed::Wheel(rows) => Message::Wheel(spot, rows),
                });
            }
            Incoming::Told(message) => self.take_told(message),
            Incoming::Engine(event) => self.take_event(event),
            Incoming::Signal(signal) => self.take_signal(signal),
            Incoming::TerminalLost => self.lose_terminal(),
            Incoming::EngineGone => {
                // If we shut it down ourselves, the report is still to come.
                if !self.stopping {
                    self.cause = Cause::ServiceEnded;
                    self.update(Message::Stopped);
                }
            }
            Incoming::Stopped(report) => {
                self.report = Some(report);
                self.update(Message::Stopped);
            }
        }
    }

    /// A person did this, and is answered.
    fn ask(&mut self, message: Message) {
        self.due = Due::Answer;
        self.asked = Some(Instant::now());
        self.update(message);
    }

    /// Whether what happens now may be what a person has just asked for; otherwise it follows the work.
    fn is_answering(&self) -> bool {
        self.asked.is_some_and(|asked| asked.elapsed() < ANSWERING)
    }

    fn take_event(&mut self, event: Event) {
        let is_mere_progress = matches!(
            event,
            Event::Progress { .. }
                | Event::SegmentStarted { .. }
                | Event::SegmentCompleted { .. }
                | Event::Missed { .. }
        );
        // What another process has brought is what the person came to see.
        let is_brought = self.app.is_attached && matches!(event, Event::Missed { .. });
        let due = if self.is_answering() && (is_brought || !is_mere_progress) {
            Due::Answer
        } else {
            Due::Progress
        };
        self.due = self.due.max(due);
        self.stale.extend(event.task().cloned());
        match event {
            Event::Missed { .. } | Event::Breaker { .. } => self.reload(),
            Event::ShuttingDown => self.update(Message::EngineStopping),
            Event::QueuePaused { paused } => self.update(Message::QueuePaused(paused)),
            _ => {}
        }
    }

    fn take_told(&mut self, message: Message) {
        let is_quiet = match &message {
            Message::Log(_) | Message::Vitals(_) => true,
            Message::Looked(_) => !self.is_answering(),
            _ => false,
        };
        let due = if is_quiet { Due::Progress } else { Due::Answer };
        self.due = self.due.max(due);
        let begun = match &message {
            Message::Added(Ok(submitted)) => Some(&submitted.id),
            Message::Retried(Ok(id)) => Some(id),
            Message::Corrected(_, _, Ok(corrected)) => corrected.task.as_ref(),
            _ => None,
        };
        if let Some(status) = begun.and_then(|id| self.services.service().status(id)) {
            // Its event may still be on its way.
            self.update(Message::Task(Box::new(status)));
        }
        self.update(message);
    }

    fn take_signal(&mut self, signal: Signal) {
        self.due = Due::Answer;
        match signal {
            Signal::Term | Signal::Int => {
                self.cause = if signal == Signal::Term {
                    Cause::Terminated
                } else {
                    Cause::Interrupted
                };
                self.update(Message::Terminate);
            }
            Signal::Hup => self.lose_terminal(),
            Signal::Tstp => self.suspend(),
            Signal::Cont if self.woke_by_itself => self.woke_by_itself = false,
            Signal::Cont => self.on_screen(Screen::resume),
            _ => {}
        }
    }

    /// Works on without a screen until the segment in work is done. Told twice, by the signal and
    /// by the closed terminal, it happens once.
    fn lose_terminal(&mut self) {
        if self.screen.is_none() {
            return;
        }
        self.refresh();
        self.screen = None;
        self.input = None;
        self.cause = Cause::TerminalLost;
        if self.on_hangup == OnHangup::Finish && self.app.goes_on() && !self.app.is_attached {
            tracing::warn!("the terminal is gone: working on to the end without it");
            self.app.is_unattended = true;
            return;
        }
        tracing::warn!("the terminal is gone: finishing the segment in work, then leaving");
        if self.app.mode() != super::action::Mode::Stopping {
            if self.on_hangup == OnHangup::HandOver && self.app.goes_on() {
                self.services.hand_over();
            }
            self.update(Message::Terminate);
        }
    }

    fn update(&mut self, message: Message) {
        for effect in self.app.update(message, Timestamp::now()) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        if self.screen.is_none() && matches!(effect, Effect::Look(_) | Effect::Measure) {
            return;
        }
        let own = match self.effects.carry_out(effect) {
            Ok(None) => return,
            Ok(Some(message)) => return self.update(message),
            Err(own) => own,
        };
        match own {
            Effect::HandOver => {
                self.services.hand_over();
                self.cause = Cause::LeftRunning;
            }
            Effect::Stop => {
                let wait = ShutdownWait::Segments(self.patience);
                self.stopping = true;
                // Where another program does the work there is nothing to be ended.
                if self.app.is_attached || !self.help("aloud-shutdown", wait) {
                    // The last handle stops the engine too, only less gently.
                    self.leave = true;
                }
            }
            Effect::Hurry => {
                self.help("aloud-hurry", ShutdownWait::Now);
            }
            Effect::Suspend => self.suspend(),
            Effect::Redraw => self.on_screen(|screen| {
                screen.refresh();
                Ok(())
            }),
            Effect::Copy(text) => self.on_screen(|screen| screen.copy(&text)),
            Effect::Quit => self.leave = true,
            other => tracing::error!(?other, "nobody carries this out"),
        }
    }

    /// Ends the work, which may take a while, on a thread of its own. Returns whether there was one
    /// available.
    fn help(&mut self, name: &str, wait: ShutdownWait) -> bool {
        let (sender, services) = (self.sender.clone(), Arc::clone(&self.services));
        let helper = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let report = services.stop(wait);
            // Who hurries is not the one who was asked first. The loop may have left already.
            if wait != ShutdownWait::Now {
                let _ = sender.send_blocking(Incoming::Stopped(report));
            }
        });
        match helper {
            Ok(helper) => {
                self.helpers.retain(|helper| !helper.is_finished());
                self.helpers.push(helper);
                true
            }
            Err(error) => {
                tracing::error!(%error, name, "no thread could be started");
                self.app.notice = Some(format!("the system gives no thread: {error}"));
                false
            }
        }
    }

    /// Reads everything afresh.
    fn reload(&mut self) {
        self.stale.clear();
        let tasks = self.services.service().statuses();
        // Whoever is followed has it at hand.
        let is_paused = self.services.service().is_queue_paused();
        self.update(Message::QueuePaused(is_paused.unwrap_or_default()));
        self.update(Message::Reset(tasks));
        self.due = self.due.max(Due::Progress);
    }

    fn draw_if_due(&mut self) {
        if self.draw_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.refresh();
        self.update(Message::Tick);
        self.draw();
        if self.app.is_looking() {
            self.due = Due::Answer;
        }
    }

    /// Brings the model up to date. However many events a task had, it is read once.
    fn refresh(&mut self) {
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut self.stale) {
            match self.services.service().status(&id) {
                Some(status) => changed.push(status),
                None => gone.push(id),
            }
        }
        if !changed.is_empty() {
            self.update(Message::Tasks(changed));
        }
        if !gone.is_empty() {
            self.update(Message::Removed(gone));
        }
        if let Some(task) = self.app.selected() {
            self.services.service().look_at(&task.id);
        }
    }

    /// Draws a frame, unless the one before has not left yet: then that is waited for, and what is drawn
    /// is how things stand by then.
    fn draw(&mut self) {
        self.due = Due::Nothing;
        self.drawn = Instant::now();
        let Some(screen) = &mut self.screen else {
            return;
        };
        self.waits = !screen.is_idle();
        if self.waits {
            return;
        }
        match screen.draw(&mut self.app) {
            Ok(bytes) => {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                let (least, most) = PROGRESS_FRAMES;
                self.pace = (Duration::from_secs(1) * bytes / BYTES_A_SECOND).clamp(least, most);
            }
            Err(error) => self.cannot_write(&error),
        }
    }

    /// The terminal has taken the last frame.
    fn frame_left(&mut self, left: io::Result<()>) {
        match left {
            Ok(()) if self.waits => self.due = Due::Answer,
            Ok(()) => {}
            Err(error) => self.cannot_write(&error),
        }
    }

    fn cannot_write(&mut self, error: &io::Error) {
        tracing::warn!(%error, "the terminal can't be written to");
        self.lose_terminal();
    }

    fn on_screen(&mut self, work: impl FnOnce(&mut Screen) -> io::Result<()>) {
        self.due = Due::Answer;
        if let Some(Err(error)) = self.screen.as_mut().map(work) {
            tracing::warn!(%error, "the terminal can't be set up");
            self.lose_terminal();
        }
    }

    /// Gives the terminal back and stops until someone says `fg`. The whole process stops, work
    /// included; scripts around it stop with it, as with any other program.
    fn suspend(&mut self) {
        let Some(screen) = &mut self.screen else {
            return;
        };
        // Or it would eat the shell's keys.
        self.input = None;
        screen.pause();
        self.woke_by_itself = true;
        if let Err(error) =
            rustix::process::kill_current_process_group(rustix::process::Signal::STOP)
        {
            self.woke_by_itself = false;
            self.app.notice = Some(format!("can't suspend: {error}"));
        }
        self.on_screen(Screen::resume);
        match Input::start(self.sender.clone()) {
            Ok(input) => self.input = Some(input),
            Err(error) => {
                tracing::warn!(%error, "the keyboard can't be read");
                self.lose_terminal();
            }
        }
    }
}

async fn forward_signals(mut signals: Signals, to: Sender<Incoming>) {
    while let Some(signal) = signals.next().await {
        let Ok(signal) = signal else { continue };
        if to.send(Incoming::Signal(signal)).await.is_err() {
            return;
        }
    }
}

async fn forward_events(events: Subscription, to: Sender<Incoming>) {
    while let Ok(event) = events.recv().await {
        if to.send(Incoming::Engine(event)).await.is_err() {
            return;
        }
    }
    // Without a receiver nobody has to know.
    let _ = to.send(Incoming::EngineGone).await;
}
