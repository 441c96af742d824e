//! Tells the service manager how `aloud serve` is: that it is ready, what it does, that it still
//! runs, and that it ends. systemd names the socket for that in `NOTIFY_SOCKET`; without one this does
//! nothing. It only looks, and a service manager that does not listen holds up nothing.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use crate::engine::{Engine, Hooks, Stats};

/// How often what it does is looked at; told is only what has changed.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// How much longer than the segment in work the end may take: threads are joined, files closed.
const JOINING: Duration = Duration::from_secs(10);
/// The engine is never asked more often than this.
const SHORTEST: Duration = Duration::from_millis(20);
/// How long the last word may take to be sent.
const LAST_WORD: Duration = Duration::from_secs(2);

/// What the thread is told.
enum Word {
    Stopping,
    Over,
}

/// Hears of the engine's end, before there is an engine.
pub(super) struct Ear {
    say: Sender<Word>,
    heard: Receiver<Word>,
}

impl Ear {
    pub(super) fn new() -> Self {
        let (say, heard) = channel();
        Self { say, heard }
    }

    /// Hooks for the engine that is listened to.
    pub(super) fn hooks(&self) -> Hooks {
        let say = self.say.clone();
        Hooks::default().before_stop(move || {
            // Nobody may listen.
            let _ = say.send(Word::Stopping);
        })
    }
}

/// Tells the service manager, on a thread of its own, until it is dropped.
pub(super) struct Notifier {
    say: Sender<Word>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Tells that everything stands, and from now on how things are. `None` where nobody wants to
    /// know. `patience` is how long the end waits for the segment in work.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub(super) fn start(ear: Ear, engine: &Engine, patience: Duration) -> io::Result<Option<Self>> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(None);
        }
        let Ear { say, heard } = ear;
        let (over, ended) = channel();
        let engine = engine.clone();
        let watchdog = sd_notify::watchdog_enabled();
        let thread = std::thread::Builder::new()
            .name("aloud-notify".into())
            .spawn(move || {
                let teller = Teller::new(watchdog, patience, Instant::now());
                run(teller, &heard, &engine);
                drop(over);
            })?;
        Ok(Some(Self {
            say,
            ended,
            thread: Some(thread),
        }))
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // It fails where the thread has ended.
        let _ = self.say.send(Word::Over);
        // A socket that nobody reads may hold it up: then it goes with the process.
        let is_over = self.ended.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Disconnected);
        if is_over
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that tells the service manager has panicked");
        }
    }
}

fn run(mut teller: Teller, heard: &Receiver<Word>, engine: &Engine) {
    let mut is_heard = true;
    loop {
        let now = Instant::now();
        if teller.asks_for_pulse(now) {
            let pulse = engine.pulse(teller.pulse_time());
            if let Err(error) = pulse {
                tracing::error!(%error, "the watchdog is not told that all is well");
            }
            teller.felt(pulse.map_err(|error| error.to_string()));
        }
        let status = status(&engine.stats(), engine.is_queue_paused());
        let told = teller.tell(now, &status);
        if !told.is_empty() {
            let sent = sd_notify::notify(&told.iter().map(Told::as_state).collect::<Vec<_>>());
            if let Err(error) = &sent
                && is_heard
            {
                tracing::warn!(%error, "the service manager can't be told anything");
            }
            is_heard = sent.is_ok();
            if !is_heard {
                teller.was_not_heard(&told);
            }
        }
        match heard.recv_timeout(teller.wait(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Word::Stopping) => teller.stop(Instant::now()),
            Ok(Word::Over) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What the queue does, in one line.
fn status(stats: &Stats, is_paused: bool) -> String {
    let mut said = match (stats.processing, stats.pending) {
        (0, 0) => "nothing to do".to_owned(),
        (running, waiting) => format!("{running} running, {waiting} waiting"),
    };
    if is_paused {
        said.push_str("; the queue is paused");
    }
    said
}

/// What is told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Ready,
    Stopping,
    Status(String),
    Alive,
    /// It takes longer: so much from now on.
    MoreTime(Duration),
}

impl Told {
    fn as_state(&self) -> NotifyState<'_> {
        match self {
            Self::Ready => NotifyState::Ready,
            Self::Stopping => NotifyState::Stopping,
            Self::Status(said) => NotifyState::Status(said),
            Self::Alive => NotifyState::Watchdog,
            Self::MoreTime(time) => {
                let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
                NotifyState::ExtendTimeoutUsec(micros)
            }
        }
    }
}

/// Decides what is told when.
struct Teller {
    /// How often the watchdog wants to hear that all is well.
    pulse: Option<Duration>,
    next_pulse: Instant,
    /// How long the end waits for the segment in work.
    patience: Duration,
    stopping: Option<Instant>,
    is_ready: bool,
    said_stopping: bool,
    /// Whether the engine has answered since this was told last.
    is_alive: bool,
    /// What of the engine did not answer when it was asked last.
    trouble: Option<String>,
    status: String,
}

impl Teller {
    /// `watchdog` is the time after which the service manager takes silence for a hang.
    fn new(watchdog: Option<Duration>, patience: Duration, now: Instant) -> Self {
        Self {
            // One answer may be late, and the next still comes in time.
            pulse: watchdog.map(|limit| (limit / 4).max(SHORTEST)),
            next_pulse: now,
            patience,
            stopping: None,
            is_ready: false,
            said_stopping: false,
            is_alive: false,
            trouble: None,
            status: String::new(),
        }
    }

    fn stop(&mut self, now: Instant) {
        self.stopping.get_or_insert(now);
    }

    /// How long the next look around may wait.
    fn wait(&self, now: Instant) -> Duration {
        let next = self
            .pulse
            .map(|_| self.next_pulse.saturating_duration_since(now));
        next.map_or(LOOK_AROUND, |next| next.min(LOOK_AROUND))
    }

    /// Whether it must be known now that the engine still runs. The end has a limit of its own.
    fn asks_for_pulse(&mut self, now: Instant) -> bool {
        let Some(every) = self.pulse else {
            return false;
        };
        let is_due = now >= self.next_pulse;
        if is_due {
            self.next_pulse = now + every;
        }
        is_due && self.stopping.is_none()
    }

    /// Whether the engine still runs, or what of it does not.
    fn felt(&mut self, pulse: Result<(), String>) {
        self.is_alive = pulse.is_ok();
        self.trouble = pulse.err();
    }

    /// How long each of the engine's threads may take to answer.
    fn pulse_time(&self) -> Duration {
        self.pulse.unwrap_or_default() / 2
    }

    /// All of this that holds for long is to be told again.
    fn was_not_heard(&mut self, told: &[Told]) {
        for word in told {
            match word {
                Told::Ready => self.is_ready = false,
                Told::Stopping => self.said_stopping = false,
                Told::Status(_) => self.status.clear(),
                Told::Alive | Told::MoreTime(_) => {}
            }
        }
    }

    /// What there is to tell.
    fn tell(&mut self, now: Instant, queue: &str) -> Vec<Told> {
        let mut told = Vec::new();
        if !self.is_ready {
            self.is_ready = true;
            told.push(Told::Ready);
        }
        if std::mem::take(&mut self.is_alive) {
            told.push(Told::Alive);
        }
        let status = match (self.stopping, &self.trouble) {
            (Some(since), _) => {
                if !self.said_stopping {
                    self.said_stopping = true;
                    told.push(Told::Stopping);
                }
                if now.saturating_duration_since(since) < self.patience {
                    told.push(Told::MoreTime(JOINING));
                }
                format!("ending after the segment in work: {queue}")
            }
            (None, Some(trouble)) => trouble.clone(),
            (None, None) => queue.to_owned(),
        };
        if status != self.status {
            self.status.clone_from(&status);
            told.push(Told::Status(status));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    fn says(status: &str) -> Told {
        Told::Status(status.to_owned())
    }

    #[test]
    fn it_is_ready_once_and_tells_what_has_changed() {
        let now = Instant::now();
        let mut teller = Teller::new(None, PATIENCE, now);
        assert!(!teller.asks_for_pulse(now));
        let first = [Told::Ready, says("idle")];
        assert_eq!(teller.tell(now, "idle"), first);
        teller.was_not_heard(&first);
        assert_eq!(teller.tell(now, "idle"), first);
        assert_eq!(teller.tell(now, "idle"), []);
        assert_eq!(teller.tell(now, "busy"), [says("busy")]);
        assert_eq!(teller.wait(now), LOOK_AROUND);
    }

    #[test]
    fn the_watchdog_hears_of_it_in_time_and_only_if_the_engine_answers() {
        let now = Instant::now();
        let mut teller = Teller::new(Some(2 * SECOND), PATIENCE, now);
        assert!(teller.asks_for_pulse(now));
        teller.felt(Ok(()));
        let first = [Told::Ready, Told::Alive, says("idle")];
        assert_eq!(teller.tell(now, "idle"), first);
        assert!(!teller.asks_for_pulse(now));
        assert_eq!(teller.tell(now, "idle"), []);
        assert_eq!(teller.wait(now), SECOND / 2);
        let later = now + SECOND / 2;
        assert!(teller.asks_for_pulse(later));
        teller.felt(Err("it hangs".to_owned()));
        assert_eq!(teller.tell(later, "idle"), [says("it hangs")]);
        // Until it answers again.
        assert_eq!(teller.tell(later, "busy"), []);
        teller.felt(Ok(()));
        assert_eq!(teller.tell(later, "busy"), [Told::Alive, says("busy")]);
        // Two answers of two threads take no longer than the time to the next question.
        assert!(2 * teller.pulse_time() <= SECOND / 2);
    }

    #[test]
    fn the_end_gets_its_time_and_no_more() {
        let now = Instant::now();
        let mut teller = Teller::new(Some(SECOND), PATIENCE, now);
        teller.tell(now, "busy");
        teller.stop(now);
        // It has a limit of its own; still no look around follows the other without a pause.
        assert!(!teller.asks_for_pulse(now + SECOND));
        assert_eq!(teller.wait(now + SECOND), SECOND / 4);
        let more = || Told::MoreTime(JOINING);
        let told = teller.tell(now, "busy");
        let status = says("ending after the segment in work: busy");
        assert_eq!(told, [Told::Stopping, more(), status]);
        assert_eq!(teller.tell(now + PATIENCE / 2, "busy"), [more()]);
        assert_eq!(teller.tell(now + PATIENCE, "busy"), []);
    }
}
