//! Speaks several utterances at once, each on a thread and a session of its own: the model's steps are too
//! small to be shared out. What was asked for comes first; the others begin with what comes next, and what
//! they have made is kept until somebody asks for it.
//!
//! The owner asks for one utterance at a time and waits for it. Whoever changes what there is to do
//! wakes everybody: the owner when it asks or stops, a lane when it is done with something.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::onnx::{Model, Stop};
use super::super::said::Said;
use super::super::turn::{Turn, caught};
use super::super::{Speech, SpeechError};
use super::said::{Request, say};
use super::waveform::Waveform;
use crate::engine::Interrupt;

/// More requests ahead would only be kept longer.
const AHEAD: usize = 3;

/// The threads, and what they do. Dropped, it ends and joins them.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Ends what runs of the model.
    stop: Stop,
    /// The same for what follows it.
    stopped: AtomicBool,
    lanes: usize,
}

#[derive(Default)]
struct State {
    /// What was asked for, and what was announced.
    utterances: VecDeque<Utterance>,
    /// How many lanes are at something.
    running: usize,
    turn: Turn,
    closing: bool,
    /// The number of the next utterance.
    next: u64,
}

/// An utterance on its way.
struct Utterance {
    number: u64,
    request: Arc<Request>,
    stage: Stage,
}

enum Stage {
    Waiting,
    Running,
    Ended(Result<Said, SpeechError>, Duration),
}

impl Lanes {
    /// Starts a lane for each of these models, which are the same.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if a thread can't be started.
    pub(super) fn start(models: Vec<Model>) -> Result<Self, SpeechError> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: Stop::new()?,
            stopped: AtomicBool::new(false),
            lanes: models.len(),
        });
        let mut lanes = Self {
            shared,
            threads: Vec::new(),
        };
        for (index, model) in models.into_iter().enumerate() {
            let shared = Arc::clone(&lanes.shared);
            let thread = std::thread::Builder::new()
                .name(format!("aloud-lane-{index}"))
                .spawn(move || shared.work(model))
                .map_err(|error| SpeechError::Run(format!("a thread can't start: {error}")))?;
            lanes.threads.push(thread);
        }
        Ok(lanes)
    }

    /// Speaks what is asked for, and begins with what comes `ahead` where there is a lane that would
    /// have nothing to do.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] if `interrupt` broke it off; [`SpeechError::Run`].
    pub(super) fn speak(
        &mut self,
        request: Request,
        ahead: Vec<Request>,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let to_stop = Arc::clone(&self.shared);
        let asked = self.shared.lock().turn.begin();
        let spoken = interrupt.breaking(
            // Whoever stops a request may come when the next is in work.
            move || to_stop.stop(Some(asked)),
            || self.shared.ask_and_wait(request, ahead),
        );
        self.shared.drain()?;
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        spoken.unwrap_or(Err(SpeechError::Interrupted))
    }

    /// How many requests ahead keep all lanes at work, while the one that was asked for is waited for and
    /// while it is taken away.
    pub(super) fn looks_ahead(&self) -> usize {
        // A single lane would only be kept from what is asked for.
        if self.shared.lanes > 1 {
            self.shared.lanes.min(AHEAD)
        } else {
            0
        }
    }

    /// Stops what was announced, and forgets it.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if runs can't begin again.
    pub(super) fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        self.shared.stop(None);
        self.shared.drain()
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.stop(None);
        for thread in self.threads.drain(..) {
            // A lane ends without a panic: it catches those of its jobs.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        (self.changed.wait(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the request with this number, if it is in work; whatever there is if `None`.
    fn stop(&self, asked: Option<u64>) {
        let mut state = self.lock();
        if state.turn.stop(asked) {
            // Under the lock: after `drain` it would never be taken back.
            self.stopped.store(true, Ordering::Relaxed);
            self.stop.stop();
            self.changed.notify_all();
        }
    }

    /// Ends the request in work. If it was stopped: waits until nothing runs, and forgets what was on
    /// its way.
    fn drain(&self) -> Result<(), SpeechError> {
        let mut state = self.lock();
        if !state.turn.end() {
            return Ok(());
        }
        while state.running > 0 {
            state = self.wait(state);
        }
        state.utterances.clear();
        state.turn.resume();
        self.stopped.store(false, Ordering::Relaxed);
        self.stop.reset()
    }

    /// The samples; `None` if it was stopped.
    fn ask_and_wait(
        &self,
        request: Request,
        ahead: Vec<Request>,
    ) -> Option<Result<Speech, SpeechError>> {
        let mut state = self.lock();
        state.ask(request, ahead);
        self.changed.notify_all();
        loop {
            if state.turn.stopped {
                return None;
            }
            let first = state.utterances.pop_front()?;
            if let Stage::Ended(said, took) = first.stage {
                let lanes = u32::try_from(self.lanes).unwrap_or(u32::MAX).max(1);
                return Some(said.map(|said| Speech {
                    samples: said.samples,
                    durations: said.durations,
                    work: took / lanes,
                }));
            }
            state.utterances.push_front(first);
            state = self.wait(state);
        }
    }

    fn work(&self, mut model: Model) {
        let mut waveform = Waveform::new();
        let mut state = self.lock();
        while !state.closing {
            let Some((number, request)) = state.next_job() else {
                state = self.wait(state);
                continue;
            };
            state.running += 1;
            drop(state);
            let begun = Instant::now();
            let is_stopped = || self.stopped.load(Ordering::Relaxed);
            let said = caught(|| say(&request, &mut model, &mut waveform, &self.stop, is_stopped));
            let took = begun.elapsed();
            state = self.lock();
            state.running -= 1;
            state.put(number, said, took);
            self.changed.notify_all();
        }
    }
}

impl State {
    /// Puts what is asked for first, and what is ahead behind it; of what was announced before, what stands
    /// at its place is kept.
    fn ask(&mut self, request: Request, ahead: Vec<Request>) {
        // Asked once more for what it has said, it keeps what comes after.
        let known = self.utterances.iter().map(|utterance| &*utterance.request);
        if !self.utterances.is_empty() && known.eq(&ahead) && ahead.first() != Some(&request) {
            self.announce(request.clone());
            self.utterances.rotate_right(1);
        }
        for (place, request) in std::iter::once(request).chain(ahead).enumerate() {
            match self.utterances.get(place) {
                Some(known) if *known.request == request => {}
                _ => {
                    self.utterances.truncate(place);
                    self.announce(request);
                }
            }
        }
    }

    fn announce(&mut self, request: Request) {
        self.utterances.push_back(Utterance {
            number: self.next,
            request: Arc::new(request),
            stage: Stage::Waiting,
        });
        self.next += 1;
    }

    fn next_job(&mut self) -> Option<(u64, Arc<Request>)> {
        if self.turn.stopped {
            return None;
        }
        let waiting = |utterance: &&mut Utterance| matches!(utterance.stage, Stage::Waiting);
        let utterance = self.utterances.iter_mut().find(waiting)?;
        utterance.stage = Stage::Running;
        Some((utterance.number, Arc::clone(&utterance.request)))
    }

    /// Takes in what a lane has made. What nobody wants any more is forgotten.
    fn put(&mut self, number: u64, said: Result<Said, SpeechError>, took: Duration) {
        let mut utterances = self.utterances.iter_mut();
        if let Some(utterance) = utterances.find(|utterance| utterance.number == number) {
            utterance.stage = Stage::Ended(said, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: i64) -> Request {
        Request {
            pieces: vec![vec![0, id, 0]],
            speed: 1.0,
        }
    }

    fn said() -> Result<Said, SpeechError> {
        Ok(Said::default())
    }

    #[test]
    fn what_was_announced_is_kept_until_it_is_asked_for() {
        let mut state = State::default();
        state.ask(request(1), vec![request(2), request(3)]);
        let first = state.next_job().unwrap();
        let second = state.next_job().unwrap();
        assert_eq!((*first.1).clone(), request(1));
        // The second is done before the first.
        state.put(second.0, said(), Duration::ZERO);
        state.put(first.0, said(), Duration::ZERO);
        state.utterances.pop_front();
        state.ask(request(2), vec![request(3), request(4)]);
        assert!(matches!(state.utterances[0].stage, Stage::Ended(..)));
        assert_eq!(*state.next_job().unwrap().1, request(3));
        // Something else is asked for: what was announced is forgotten, also what still runs.
        state.ask(request(9), vec![]);
        assert_eq!(*state.next_job().unwrap().1, request(9));
        assert!(state.next_job().is_none());
        state.put(2, said(), Duration::ZERO);
        assert!(matches!(state.utterances[0].stage, Stage::Running));
    }

    #[test]
    fn asked_for_the_same_again_it_keeps_what_comes_after() {
        let mut state = State::default();
        state.ask(request(1), vec![request(2)]);
        while let Some((number, _)) = state.next_job() {
            state.put(number, said(), Duration::ZERO);
        }
        state.utterances.pop_front();
        state.ask(request(1), vec![request(2)]);
        assert!(matches!(state.utterances[0].stage, Stage::Waiting));
        assert!(matches!(state.utterances[1].stage, Stage::Ended(..)));
        state.turn.stop(None);
        assert!(state.next_job().is_none(), "nothing new is begun");
    }
}
