//! The process itself and what is on its way to it and back: three threads write to it, read from it and
//! hear what it says beside; whoever asks waits here. Every wait is bounded, or ended by the end of the
//! child; one that does not end when it should is killed.

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Span;

use super::super::SpeechError;
use super::super::error::is_about_memory;
use super::ending::{self, killed};
use super::frame::{Frame, FrameError};
use super::message::{
    Answer, Hello, MessageError, Numbered, PROTOCOL, Reply, Request, process_error,
};
use super::{Terms, log};

/// How long a child may take to start and to load its voice.
const START: Duration = Duration::from_secs(30);
/// How long it may take to break off a request.
const STOP: Duration = Duration::from_secs(2);
/// How long it may take to end.
pub(super) const END: Duration = Duration::from_secs(1);
/// How long its last words may take to come in.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Time is counted in slices of this: while the whole program is suspended, no more than one passes.
const SLICE: Duration = Duration::from_millis(250);
/// Requests that may wait to be written.
const BACKLOG: usize = 64;

/// The number of the first request, which has the child load its voice.
const LOAD: u64 = 1;

pub(super) struct Process {
    voice: String,
    terms: Terms,
    child: Mutex<Child>,
    next: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// What is still to be written to it.
    outgoing: VecDeque<Vec<u8>>,
    /// It takes no more requests, and ends when it has done what it was asked.
    closing: bool,
    users: usize,
    unused_since: Instant,
    /// Whether the child has said who it is.
    greeted: bool,
    /// What came of loading its voice: the voice's version.
    loaded: Option<Result<String, SpeechError>>,
    /// Whether its last words are in the log.
    has_said_all: bool,
    /// Whether it has said that it lacks memory.
    lacks_memory: bool,
    waiting: HashMap<u64, Waiting>,
    /// On whose behalf it works: what it says belongs there in the log. With several at a time, whoever
    /// has asked last.
    span: Span,
    /// Why it was killed by us.
    verdict: Option<SpeechError>,
    /// How it ended, once it has been reaped.
    ended: Option<SpeechError>,
}

impl State {
    fn new() -> Self {
        Self {
            outgoing: VecDeque::new(),
            closing: false,
            // Whoever starts it.
            users: 1,
            unused_since: Instant::now(),
            greeted: false,
            loaded: None,
            has_said_all: false,
            lacks_memory: false,
            waiting: HashMap::new(),
            span: Span::current(),
            verdict: None,
            ended: None,
        }
    }

    fn end(&self) -> Option<&SpeechError> {
        self.verdict.as_ref().or(self.ended.as_ref())
    }
}

/// A request without its reply.
#[derive(Default)]
struct Waiting {
    reply: Option<Reply>,
    stopped: bool,
}

impl Process {
    pub(super) fn new(voice: &str, child: Child, terms: Terms) -> Self {
        Self {
            voice: voice.to_owned(),
            terms,
            child: Mutex::new(child),
            next: AtomicU64::new(LOAD),
            state: Mutex::new(State::new()),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The system's number of it.
    pub(super) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Someone uses it, unless it has ended or is about to: it is not let go then.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.lock();
        let is_there = state.end().is_none() && !state.closing;
        state.users += usize::from(is_there);
        is_there
    }

    pub(super) fn leave(&self) {
        let mut state = self.lock();
        state.users -= 1;
        state.unused_since = Instant::now();
        if state.users == 0 {
            state.span = Span::none();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// How it has ended.
    pub(super) fn end(&self) -> Option<SpeechError> {
        self.lock().end().cloned()
    }

    /// Has those who wait look whether they are to go on with it.
    pub(super) fn look_again(&self) {
        // Whoever is between a look and its wait has the lock.
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Nobody wants this reply any more.
    pub(super) fn forget(&self, number: u64) {
        self.lock().waiting.remove(&number);
    }

    /// Expects a reply with this number.
    pub(super) fn begin(&self, number: u64) -> Result<(), SpeechError> {
        let mut state = self.lock();
        if let Some(end) = state.end() {
            return Err(end.clone());
        }
        state.waiting.insert(number, Waiting::default());
        state.span = Span::current();
        Ok(())
    }

    /// Hands bytes to the thread that writes. Never waits.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), SpeechError> {
        let mut state = self.lock();
        if state.outgoing.len() == BACKLOG {
            return Err(process_error("it takes no more requests"));
        }
        // If it is closed the child ends, and how it ended is what a request is told.
        state.outgoing.push_back(bytes);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Lets the child end, when it has read what was sent.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// The same, unless someone uses it.
    pub(super) fn close_unused(&self) {
        let mut state = self.lock();
        state.closing |= state.users == 0;
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn wait_until_loaded(
        &self,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<String, SpeechError> {
        let mut state = self.lock();
        let mut waited = Duration::ZERO;
        loop {
            if is_interrupted() {
                return Err(SpeechError::Interrupted);
            }
            if let Some(loaded) = &state.loaded {
                return loaded.clone();
            }
            if let Some(end) = state.end() {
                return Err(end.clone());
            }
            if waited >= START {
                drop(state);
                let error = killed("it did not answer in time, so it was killed");
                self.kill(error.clone());
                return Err(error);
            }
            (state, waited) = self.wait_a_slice(state, START, waited);
        }
    }

    /// Time is counted in slices: returns how much has passed in all.
    fn wait_a_slice<'a>(
        &self,
        state: MutexGuard<'a, State>,
        bound: Duration,
        waited: Duration,
    ) -> (MutexGuard<'a, State>, Duration) {
        let begun = Instant::now();
        let slice = SLICE.min(bound.saturating_sub(waited));
        let state = wait_timeout(&self.changed, state, slice);
        (state, waited + begun.elapsed().min(slice))
    }

    /// Waits for a reply, this long at most; once it was told to stop, until that is overdue.
    pub(super) fn wait(
        &self,
        number: u64,
        patience: Option<Duration>,
    ) -> Result<Reply, SpeechError> {
        let mut state = self.lock();
        let mut waited = Duration::ZERO;
        let mut is_stopping = false;
        loop {
            let end = state.end().cloned();
            let waiting = state.waiting.entry(number).or_default();
            if let Some(reply) = waiting.reply.take() {
                return Ok(reply);
            }
            if let Some(end) = end {
                return Err(end);
            }
            if waiting.stopped && !is_stopping {
                is_stopping = true;
                waited = Duration::ZERO;
            }
            let bound = if is_stopping { Some(STOP) } else { patience };
            let Some(bound) = bound else {
                state = wait(&self.changed, state);
                continue;
            };
            if waited >= bound {
                drop(state);
                let error = killed("it did not answer in time, so it was killed");
                self.kill(error.clone());
                return Err(error);
            }
            (state, waited) = self.wait_a_slice(state, bound, waited);
        }
    }

    /// Tells the child to break off the request with this number. Never waits.
    pub(super) fn stop(&self, number: u64) {
        let mut state = self.lock();
        let Some(waiting) = state.waiting.get_mut(&number) else {
            return;
        };
        if std::mem::replace(&mut waiting.stopped, true) {
            return;
        }
        drop(state);
        self.changed.notify_all();
        let request = Request::Stop { number };
        let number = self.number();
        // If it can't be sent, the child is overdue soon.
        if let Ok(bytes) = (Numbered { number, request }).bytes() {
            let _ = self.send(bytes);
        }
    }

    /// Kills the child for this reason, unless it has ended.
    pub(super) fn kill(&self, verdict: SpeechError) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.verdict.get_or_insert(verdict);
        }
        drop(state);
        self.changed.notify_all();
        // It fails if the child has ended, which is what is wanted.
        let _ = lock(&self.child).kill();
    }

    pub(super) fn out_of_place(&self, reply: &Reply) -> SpeechError {
        tracing::warn!(
            voice = self.voice,
            ?reply,
            "a reply does not fit its request"
        );
        let error = process_error("a reply does not fit its request");
        self.kill(error.clone());
        error
    }

    /// Waits until this is so, this long at most.
    fn wait_for(&self, patience: Duration, is_so: impl Fn(&State) -> bool) {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while !is_so(&state)
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            state = wait_timeout(&self.changed, state, left);
        }
    }

    /// Waits until the child was reaped, this long at most.
    pub(super) fn wait_for_end(&self, patience: Duration) {
        self.wait_for(patience, |state| state.ended.is_some());
    }

    /// Writes what is sent, until that ends or the child is let go.
    pub(super) fn write(&self, mut stdin: ChildStdin) {
        while let Some(bytes) = self.next_to_write() {
            if stdin.write_all(&bytes).is_err() {
                self.close();
                // Usually it has ended, and the other thread is about to tell how.
                self.wait_for_end(END);
                self.kill(killed("it no longer takes requests"));
                return;
            }
        }
        drop(stdin);
        // Its own threads may take this long to break off.
        self.wait_for_end(STOP + END);
        self.kill(killed("it did not end when it should"));
    }

    fn next_to_write(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if let Some(bytes) = state.outgoing.pop_front() {
                return Some(bytes);
            }
            if state.closing {
                return None;
            }
            let unused = Some(state.unused_since).filter(|_| state.users == 0);
            state = match self.terms.keep.zip(unused) {
                None => wait(&self.changed, state),
                Some((keep, since)) => match keep.checked_sub(since.elapsed()) {
                    Some(left) if !left.is_zero() => wait_timeout(&self.changed, state, left),
                    _ => {
                        state.closing = true;
                        drop(state);
                        tracing::info!(
                            voice = self.voice,
                            "the voice has had nothing to do for {} s; its process is let go",
                            keep.as_secs()
                        );
                        return None;
                    }
                },
            };
        }
    }

    /// Puts into the log what the child says, to the end.
    pub(super) fn listen(&self, stderr: ChildStderr) {
        log::read(stderr, &self.voice, |line| {
            let mut state = self.lock();
            state.lacks_memory |= is_about_memory(line);
            state.span.clone()
        });
        self.lock().has_said_all = true;
        self.changed.notify_all();
    }

    /// Reads replies to the end, and sees that the child ends with them.
    pub(super) fn read(&self, stdout: ChildStdout) {
        let mut stdout = BufReader::new(stdout);
        let cut_off = match self.read_replies(&mut stdout) {
            Ok(()) => None,
            // It may have died over it, and that is the cause then.
            Err(MessageError::Frame(error @ FrameError::Truncated)) => Some(process_error(error)),
            Err(error) => {
                self.kill(process_error(error));
                None
            }
        };
        let status = self.reap();
        // Something that it has started may still have the other end.
        self.wait_for(LAST_WORDS, |state| state.has_said_all);
        let mut state = self.lock();
        state.closing = true;
        let has_died = status.is_none_or(|status| status.signal().is_some());
        let verdict = state.verdict.take().or(cut_off.filter(|_| !has_died));
        let how = verdict.unwrap_or_else(|| {
            ending::how_ended(
                status,
                state.greeted,
                state.lacks_memory,
                &self.terms.limits,
            )
        });
        if state.waiting.values().any(|it| it.reply.is_none()) {
            let _entered = state.span.enter();
            tracing::warn!(voice = self.voice, error = %how, "the voice's process has ended");
        }
        state.ended = Some(how);
        drop(state);
        self.changed.notify_all();
    }

    fn read_replies(&self, from: &mut impl std::io::Read) -> Result<(), MessageError> {
        let Some(first) = Frame::read(from)? else {
            return Ok(());
        };
        let hello = Hello::of(&first)?;
        if hello.protocol != PROTOCOL {
            return Err(MessageError::Protocol(hello));
        }
        self.lock().greeted = true;
        while let Some(frame) = Frame::read(from)? {
            let Answer { number, reply } = Answer::of(&frame)?;
            if number == LOAD {
                let loaded = self.loaded(reply);
                self.lock().loaded.get_or_insert(loaded);
            } else if let Some(waiting) = self.lock().waiting.get_mut(&number) {
                waiting.reply = Some(reply);
            }
            // Otherwise nobody waits for it any more: fine.
            self.changed.notify_all();
        }
        Ok(())
    }

    fn loaded(&self, reply: Reply) -> Result<String, SpeechError> {
        match reply {
            Reply::Loaded { version } => Ok(version),
            Reply::Failed(error) => Err(self.could_not(error)),
            _ => Err(process_error("a reply does not fit its request")),
        }
    }

    /// What the child could not do. One that lacks memory is not used any more.
    pub(super) fn could_not(&self, error: SpeechError) -> SpeechError {
        let (error, is_spent) = ending::could_not(error, &self.terms.limits);
        if is_spent {
            self.close();
        }
        error
    }

    /// Waits for the end of a child that was killed.
    pub(super) fn reap_rest(&self) {
        let _ = lock(&self.child).wait();
    }

    /// Waits for the end of a child that has closed its output; one that does not end is killed.
    fn reap(&self) -> Option<ExitStatus> {
        const STEP: Duration = Duration::from_millis(2);
        let mut waited = Duration::ZERO;
        loop {
            match lock(&self.child).try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => {}
                // Whoever embeds this has reaped it.
                Err(_) => return None,
            }
            if waited == END {
                self.kill(killed("it closed its output, so it was killed"));
            }
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(changed: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

fn wait_timeout<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> MutexGuard<'a, T> {
    let waited = changed.wait_timeout(guard, timeout);
    waited.unwrap_or_else(PoisonError::into_inner).0
}
