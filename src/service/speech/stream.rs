//! From a worker to a listener: the worker speaks a segment after the other as long as the listener has
//! room for more, and is free for others when it has not. When room is made, another task goes on from
//! there. So neither waits for the other, and what is in memory is bounded.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use futures_lite::FutureExt;

use super::Seat;
use crate::audio::encode::{EncodeError, Encoder, Format};
use crate::engine::{Engine, SpeechListener, SpeechRequest, Submission, WaitError, Work};
use crate::model::{
    ErrorCode, ErrorObject, NarrationSettings, Plan, SegmentId, TaskId, TaskState, TaskStatus,
    Trace,
};
use crate::service::{Refusal, RefusalKind};

/// How many segments wait for a listener at most.
const WAITING: usize = 16;
/// So few of them, and it goes on.
const FEW: usize = WAITING / 2;

/// What is spoken, and how.
#[derive(Clone)]
pub(in crate::service) struct Source {
    pub title: Arc<str>,
    pub plan: Arc<Plan>,
    pub voice: Arc<str>,
    pub voice_version: Arc<str>,
    pub settings: NarrationSettings,
    /// Samples a second of the voice.
    pub rate: u32,
    pub format: Format,
    pub trace: Option<Arc<Trace>>,
}

/// The listener's side of the worker.
struct Ear {
    plan: Arc<Plan>,
    rate: u32,
    pieces: Sender<Vec<u8>>,
    state: Mutex<State>,
}

struct State {
    format: Format,
    /// The segment that is spoken next.
    next: SegmentId,
    encoder: Option<Box<dyn Encoder>>,
    /// How many samples there will be, once that is known.
    samples: Option<u64>,
    /// Samples that had a sound to them.
    heard: u64,
    /// Silence from before the first sound: if none comes, nobody is sent anything.
    held: Vec<u8>,
    /// There was no room for more, and nobody speaks.
    is_resting: bool,
    error: Option<EncodeError>,
}

type Ending = Pin<Box<dyn Future<Output = Result<TaskStatus, WaitError>> + Send>>;

/// Sound as it is made. Dropped, it frees the voice within a segment.
pub struct SpeechStream {
    engine: Engine,
    source: Source,
    ear: Arc<Ear>,
    pieces: Receiver<Vec<u8>>,
    task: TaskId,
    /// The end of that task; `None` once it has been seen.
    ending: Option<Ending>,
    _seat: Seat,
}

impl fmt::Debug for SpeechStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpeechStream")
            .field("task", &self.task)
            .field("format", &self.source.format)
            .finish_non_exhaustive()
    }
}

/// Has a text spoken. Returns at once.
pub(in crate::service) fn begin(
    engine: Engine,
    source: Source,
    seat: Seat,
) -> Result<SpeechStream, Refusal> {
    // What can't be encoded is not begun.
    let encoder = source.format.encoder(source.rate, None);
    encoder.map_err(|error| Refusal::invalid(error.to_string()))?;
    let (sender, pieces) = async_channel::bounded(WAITING);
    let ear = Arc::new(Ear {
        plan: Arc::clone(&source.plan),
        rate: source.rate,
        pieces: sender,
        state: Mutex::new(State {
            format: source.format,
            next: SegmentId::FIRST,
            encoder: None,
            samples: None,
            heard: 0,
            held: Vec::new(),
            is_resting: false,
            error: None,
        }),
    });
    let (task, ending) = submit(&engine, &source, &ear)?;
    Ok(SpeechStream {
        engine,
        source,
        ear,
        pieces,
        task,
        ending: Some(ending),
        _seat: seat,
    })
}

fn submit(engine: &Engine, source: &Source, ear: &Arc<Ear>) -> Result<(TaskId, Ending), Refusal> {
    let speech = SpeechRequest {
        title: Arc::clone(&source.title),
        plan: Arc::clone(&source.plan),
        voice: Arc::clone(&source.voice),
        voice_version: Arc::clone(&source.voice_version),
        settings: source.settings.clone(),
        listener: Arc::<Ear>::clone(ear),
    };
    let submission = Submission::new(Work::Speech(speech))
        .urgent()
        .trace(source.trace.clone());
    let task = engine.submit(submission)?;
    let (engine, id) = (engine.clone(), task.clone());
    let ending = Box::pin(async move { engine.wait_async(&id).await });
    Ok((task, ending))
}

impl SpeechStream {
    /// What the pieces are, all together.
    #[must_use]
    pub fn format(&self) -> Format {
        self.source.format
    }

    /// How many bytes all pieces have together, if that is known. Ask after the first piece.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let state = self.ear.lock();
        state.samples.and_then(|all| state.format.length(all))
    }

    /// The next bytes; `None` after the last.
    ///
    /// # Errors
    /// [`Refusal`]: it can't be spoken, or the program is ending. Nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Refusal>> {
        enum Step {
            Piece(Result<Vec<u8>, async_channel::RecvError>),
            Ended(Box<Result<TaskStatus, WaitError>>),
        }
        loop {
            if let Ok(piece) = self.pieces.try_recv() {
                return Some(self.go_on_if_few().map(|()| piece));
            }
            let ending = self.ending.as_mut()?;
            let piece = async { Step::Piece(self.pieces.recv().await) };
            let ended = async { Step::Ended(Box::new(ending.await)) };
            match piece.or(ended).await {
                Step::Piece(Ok(piece)) => return Some(self.go_on_if_few().map(|()| piece)),
                Step::Piece(Err(_)) => return None,
                Step::Ended(ended) => {
                    self.ending = None;
                    if let Err(refusal) = self.judge(*ended) {
                        return Some(Err(refusal));
                    }
                    // Its last pieces may have come in between.
                    if let Err(refusal) = self.go_on_if_few() {
                        return Some(Err(refusal));
                    }
                    if self.ending.is_none() && self.pieces.is_empty() {
                        return None;
                    }
                }
            }
        }
    }

    /// Has it spoken on if that was left off for want of room, and there is room again.
    fn go_on_if_few(&mut self) -> Result<(), Refusal> {
        if self.pieces.len() > FEW || !std::mem::take(&mut self.ear.lock().is_resting) {
            return Ok(());
        }
        let (task, ending) = submit(&self.engine, &self.source, &self.ear)?;
        self.task = task;
        self.ending = Some(ending);
        Ok(())
    }

    /// What the end of the task means.
    fn judge(&self, ended: Result<TaskStatus, WaitError>) -> Result<(), Refusal> {
        let state = self.ear.lock();
        if let Some(error) = &state.error {
            return Err(Refusal::failed(error.to_string()));
        }
        let Ok(status) = ended else {
            return Err(Refusal::shutting_down());
        };
        match (status.state, status.error) {
            (TaskState::Completed, _) if state.is_over(&self.source.plan) && state.heard == 0 => {
                Err(Refusal::invalid(
                    "nothing in this text can be spoken by this voice; write it in words, or choose a \
                     voice of its language",
                ))
            }
            (TaskState::Completed, _) => Ok(()),
            (_, Some(error)) if error.code == ErrorCode::Shutdown => Err(Refusal::shutting_down()),
            (_, error) => Err(Refusal {
                kind: RefusalKind::Failed,
                error: error.unwrap_or_else(|| {
                    ErrorObject::new(ErrorCode::Cancelled, "the speech was cancelled")
                }),
            }),
        }
    }
}

impl Drop for SpeechStream {
    fn drop(&mut self) {
        self.pieces.close();
        if self.ending.is_some() {
            // It may have ended in between, which is as well.
            let _ = self.engine.cancel_task(&self.task);
        }
    }
}

/// Silence is encoded in pieces of so many samples, for a text may ask for a minute of it.
static SILENCE: [i16; 4096] = [0; 4096];

impl State {
    fn is_over(&self, plan: &Plan) -> bool {
        self.next.get() > plan.len()
    }
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The silence after a segment, in samples; there is none after the last.
    fn pause(&self, segment: SegmentId) -> u64 {
        let pause = self.plan.get(segment).map_or(0, |segment| segment.pause_ms);
        let is_last = segment.get() >= self.plan.len();
        if is_last {
            0
        } else {
            u64::from(pause) * u64::from(self.rate) / 1000
        }
    }

    fn encode(&self, state: &mut State, samples: &[i16]) -> Result<Vec<u8>, EncodeError> {
        let segment = state.next;
        let is_last = segment.get() >= self.plan.len();
        let encoder = match &mut state.encoder {
            Some(encoder) => encoder,
            slot => {
                if is_last {
                    state.samples = Some(samples.len() as u64);
                }
                slot.insert(state.format.encoder(self.rate, state.samples)?)
            }
        };
        let mut bytes = encoder.push(samples)?;
        let mut pause = self.pause(segment);
        while pause > 0 {
            let part = pause.min(SILENCE.len() as u64);
            let samples = usize::try_from(part).unwrap_or(SILENCE.len());
            bytes.extend(encoder.push(&SILENCE[..samples])?);
            pause -= part;
        }
        if is_last {
            bytes.extend(encoder.finish()?);
        }
        Ok(bytes)
    }
}

impl SpeechListener for Ear {
    fn next(&self) -> Option<SegmentId> {
        let mut state = self.lock();
        if state.is_over(&self.plan) || state.error.is_some() || self.pieces.is_closed() {
            return None;
        }
        if self.pieces.len() >= WAITING {
            state.is_resting = true;
            return None;
        }
        Some(state.next)
    }

    fn expect(&self, samples: u64) {
        let all = SegmentId::all(self.plan.len());
        let pauses: u64 = all.map(|segment| self.pause(segment)).sum();
        self.lock().samples = Some(samples + pauses);
    }

    fn hear(&self, _: SegmentId, samples: &[i16], _: u32) {
        let mut state = self.lock();
        match self.encode(&mut state, samples) {
            Ok(bytes) => state.held.extend(bytes),
            Err(error) => state.error = Some(error),
        }
        state.heard += samples.len() as u64;
        state.next = state.next.next();
        if state.heard > 0 && !state.held.is_empty() {
            let piece = std::mem::take(&mut state.held);
            // There was room when it was asked for, and nobody else fills it.
            let _ = self.pieces.try_send(piece);
        }
    }
}
