//! Runs a voice that was cut in two on several threads. What one lane does has a thread or two, for
//! the voice's many small steps share out badly: while one lane makes the frames of the utterance
//! that comes next, the others make samples of the one in work, a window at a time.
//!
//! The owner asks for one utterance at a time and waits for it. Whoever changes what there is to do
//! wakes everybody: the owner when it asks or stops, a lane when it is done with something. Between
//! two requests the lanes go on with what was announced, and then sleep.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::onnx::{Chain, Inputs, Model, Stop};
use super::super::turn::{Turn, caught};
use super::super::{Speech, SpeechError};
use super::windows::{Frames, Latent, windows};
use crate::engine::Interrupt;

/// The requests ahead that are begun with.
const AHEAD: usize = 3;

/// What a voice is asked to say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    /// The phonemes' numbers, shape `[n]`.
    pub ids: Vec<i64>,
    /// Noise, length and noise of the lengths.
    pub scales: [f32; 3],
    /// For a voice of several speakers.
    pub speaker: Option<i64>,
}

impl Request {
    /// As a Piper model wants it.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if the runtime does not take them.
    pub(super) fn inputs(&self) -> Result<Inputs<'static>, SpeechError> {
        let count = i64::try_from(self.ids.len()).unwrap_or(i64::MAX);
        let mut inputs = Inputs::default();
        inputs.add("input", vec![1, count], self.ids.clone())?;
        inputs.add("input_lengths", vec![1], vec![count])?;
        inputs.add("scales", vec![3], self.scales.to_vec())?;
        if let Some(speaker) = self.speaker {
            inputs.add("sid", vec![1], vec![speaker])?;
        }
        Ok(inputs)
    }
}

/// The threads, and what they do. Dropped, it ends and joins them.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: Stop,
    frames: Frames,
    /// The most frames of a window.
    window: usize,
    lanes: usize,
}

struct State {
    /// What was asked for, and what was announced.
    utterances: VecDeque<Utterance>,
    /// The first half of the voice, unless a lane has it.
    encoder: Option<Chain>,
    /// How many lanes run a model.
    running: usize,
    turn: Turn,
    closing: bool,
    /// The number of the next passage.
    next: u64,
}

/// An utterance on its way.
struct Utterance {
    number: u64,
    request: Arc<Request>,
    stage: Stage,
    /// How long lanes were at it, all of them together.
    work: Duration,
}

enum Stage {
    Waiting,
    Encoding,
    Decoding(Decoding),
    Ended(Result<Said, SpeechError>),
}

/// What an utterance has become.
#[derive(Default)]
struct Said {
    samples: Vec<f32>,
    /// The samples of each id; empty if the voice does not tell.
    durations: Vec<u32>,
}

struct Decoding {
    latent: Arc<Latent>,
    windows: Vec<Range<usize>>,
    /// How many of them were taken.
    taken: usize,
    /// The samples of each, when they are made.
    pieces: Vec<Vec<f32>>,
    /// How many are still to be made.
    left: usize,
}

/// What a lane does next.
enum Job {
    Encode(u64, Arc<Request>, Chain),
    Decode(u64, Arc<Latent>, usize, Range<usize>),
}

/// What came of it.
struct Done {
    number: u64,
    /// Back from the lane that had it.
    encoder: Option<Chain>,
    made: Result<Output, SpeechError>,
    took: Duration,
}

enum Output {
    Latent(Latent),
    /// The samples of the window with this number.
    Piece(usize, Vec<f32>),
}

impl Lanes {
    /// Starts a lane for each of the second halves. `window` is the most frames that are made into
    /// samples at a time.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if a thread can't be started.
    pub(super) fn start(
        encoder: Chain,
        decoders: Vec<Model>,
        frames: Frames,
        window: usize,
    ) -> Result<Self, SpeechError> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                utterances: VecDeque::new(),
                encoder: Some(encoder),
                running: 0,
                turn: Turn::default(),
                closing: false,
                next: 0,
            }),
            changed: Condvar::new(),
            stop: Stop::new()?,
            frames,
            window,
            lanes: decoders.len(),
        });
        let mut lanes = Self {
            shared,
            threads: Vec::new(),
        };
        for (index, decoder) in decoders.into_iter().enumerate() {
            let shared = Arc::clone(&lanes.shared);
            let thread = std::thread::Builder::new()
                .name(format!("aloud-lane-{index}"))
                .spawn(move || shared.work(decoder))
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

    /// How many requests ahead keep all lanes at work: with fewer, a short one before a long one
    /// leaves some without.
    pub(super) fn looks_ahead(&self) -> usize {
        // A single lane would only be kept from what is asked for.
        if self.shared.lanes > 1 { AHEAD } else { 0 }
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
        self.stop.reset()
    }

    /// The samples; `None` if it was stopped.
    fn ask_and_wait(
        &self,
        request: Request,
        ahead: Vec<Request>,
    ) -> Option<Result<Speech, SpeechError>> {
        let mut state = self.lock();
        state.evict(&request, &ahead);
        for (place, request) in std::iter::once(request).chain(ahead).enumerate() {
            match state.utterances.get(place) {
                Some(known) if *known.request == request => {}
                _ => {
                    state.utterances.truncate(place);
                    state.announce(request);
                }
            }
        }
        self.changed.notify_all();
        loop {
            if state.turn.stopped {
                return None;
            }
            let first = state.utterances.front_mut()?;
            if let Stage::Ended(result) = &mut first.stage {
                let said = std::mem::replace(result, Ok(Said::default()));
                let lanes = u32::try_from(self.lanes).unwrap_or(u32::MAX).max(1);
                let work = first.work / lanes;
                state.utterances.pop_front();
                return Some(said.map(|said| Speech {
                    samples: said.samples,
                    durations: said.durations,
                    work,
                }));
            }
            state = self.wait(state);
        }
    }

    fn work(&self, mut decoder: Model) {
        let mut state = self.lock();
        while !state.closing {
            let Some(job) = state.next_job() else {
                state = self.wait(state);
                continue;
            };
            state.running += 1;
            drop(state);
            let done = self.run(job, &mut decoder);
            state = self.lock();
            state.running -= 1;
            state.put(done, self.window);
            self.changed.notify_all();
        }
    }

    fn run(&self, job: Job, decoder: &mut Model) -> Done {
        let begun = Instant::now();
        let (number, encoder, made) = match job {
            Job::Encode(number, request, mut encoder) => {
                let made = caught(|| {
                    let mut wanted = self.frames.wanted(decoder);
                    wanted.extend(self.frames.durations.clone());
                    let values = encoder.run(request.inputs()?, &wanted, &self.stop)?;
                    let latent = Latent::new(values, request.ids.len(), &self.frames)?;
                    Ok(Output::Latent(latent))
                });
                (number, Some(encoder), made)
            }
            Job::Decode(number, latent, index, window) => {
                let made = caught(|| {
                    let samples = latent.decode(window, &self.frames, decoder, &self.stop)?;
                    Ok(Output::Piece(index, samples))
                });
                (number, None, made)
            }
        };
        Done {
            number,
            encoder,
            made,
            took: begun.elapsed(),
        }
    }
}

impl State {
    /// Asked once more for what it has said, it keeps what comes after.
    fn evict(&mut self, request: &Request, ahead: &[Request]) {
        let known = self.utterances.iter().map(|utterance| &*utterance.request);
        if !self.utterances.is_empty() && known.eq(ahead) && ahead.first() != Some(request) {
            self.announce(request.clone());
            self.utterances.rotate_right(1);
        }
    }

    fn announce(&mut self, request: Request) {
        self.utterances.push_back(Utterance {
            number: self.next,
            request: Arc::new(request),
            stage: Stage::Waiting,
            work: Duration::ZERO,
        });
        self.next += 1;
    }

    /// Frames come first: with them there is something to do for all lanes.
    fn next_job(&mut self) -> Option<Job> {
        if self.turn.stopped {
            return None;
        }
        let waiting = |utterance: &&mut Utterance| matches!(utterance.stage, Stage::Waiting);
        if let Some(utterance) = self.utterances.iter_mut().find(waiting)
            && let Some(encoder) = self.encoder.take()
        {
            utterance.stage = Stage::Encoding;
            let request = Arc::clone(&utterance.request);
            return Some(Job::Encode(utterance.number, request, encoder));
        }
        self.utterances.iter_mut().find_map(|utterance| {
            let Stage::Decoding(decoding) = &mut utterance.stage else {
                return None;
            };
            let index = decoding.taken;
            let window = decoding.windows.get(index)?.clone();
            decoding.taken += 1;
            let latent = Arc::clone(&decoding.latent);
            Some(Job::Decode(utterance.number, latent, index, window))
        })
    }

    /// Takes in what a lane has made. What nobody wants any more is forgotten.
    fn put(&mut self, done: Done, window: usize) {
        if done.encoder.is_some() {
            self.encoder = done.encoder;
        }
        let mut utterances = self.utterances.iter_mut();
        if let Some(utterance) = utterances.find(|utterance| utterance.number == done.number) {
            utterance.work += done.took;
            utterance.take(done.made, window);
        }
    }
}

impl Decoding {
    /// All pieces are made. Whatever has become of the windows, the clip is as long as the voice has said.
    fn end(&self) -> Result<Said, SpeechError> {
        let samples = self.pieces.concat();
        let durations = self.latent.durations.clone();
        let told: u64 = durations.iter().map(|&one| u64::from(one)).sum();
        if !durations.is_empty() && told != samples.len() as u64 {
            let reason = format!("{told} samples were to be made, and {} were", samples.len());
            return Err(SpeechError::Run(reason));
        }
        Ok(Said { samples, durations })
    }
}

impl Utterance {
    fn take(&mut self, made: Result<Output, SpeechError>, window: usize) {
        match (made, &mut self.stage) {
            (Err(error), _) => self.stage = Stage::Ended(Err(error)),
            (Ok(Output::Latent(latent)), _) => {
                let windows = windows(latent.frames, window);
                let count = windows.len();
                self.stage = if count == 0 {
                    Stage::Ended(Ok(Said::default()))
                } else {
                    Stage::Decoding(Decoding {
                        latent: Arc::new(latent),
                        windows,
                        taken: 0,
                        pieces: vec![Vec::new(); count],
                        left: count,
                    })
                };
            }
            (Ok(Output::Piece(index, samples)), Stage::Decoding(decoding)) => {
                decoding.pieces[index] = samples;
                decoding.left -= 1;
                if decoding.left == 0 {
                    self.stage = Stage::Ended(decoding.end());
                }
            }
            // A window before it failed.
            (Ok(Output::Piece(..)), _) => {}
        }
    }
}
