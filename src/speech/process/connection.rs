//! The parent's side of one child: starts it, asks it, breaks it off, lets it go when nobody has used it
//! for some time, and sees to its end. Every wait here is bounded, or ended by the end of the child; one
//! that does not end when it should is killed.

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Write};
use std::ops::Deref;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::SpeechError;
use super::super::error::is_about_memory;
use super::frame::{Frame, FrameError};
use super::message::{
    Answer, Hello, Load, MessageError, Numbered, PROTOCOL, Reply, Request, process_error,
};
use super::{ARGUMENT, Terms, log};
use crate::engine::{Interrupt, Shortage};

/// How long a child may take to start and to load its voice.
const START: Duration = Duration::from_secs(30);
/// How long it may take for what takes milliseconds.
const SHORT: Duration = Duration::from_secs(60);
/// How long it may take to break off a request.
const STOP: Duration = Duration::from_secs(2);
/// How long it may take to end.
const END: Duration = Duration::from_secs(1);
/// How long its last words may take to come in.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Time is counted in slices of this: while the whole program is suspended, no more than one passes.
const SLICE: Duration = Duration::from_millis(250);
/// Requests that may wait to be written.
const BACKLOG: usize = 64;

/// What the child keeps of the environment: where the system finds programs and libraries, its
/// languages, and what we log. Whatever secrets there are stay here.
const ENVIRONMENT: [&str; 9] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "ALOUD_LOG",
    "RUST_BACKTRACE",
];

/// The number of the first request, which has the child load its voice.
const LOAD: u64 = 1;

/// A child that serves a voice. Dropped, it is ended and reaped.
pub(super) struct Connection {
    process: Arc<Process>,
    threads: Vec<JoinHandle<()>>,
}

/// Who has this uses the child: it is not let go meanwhile.
pub(super) struct Lease(Arc<Connection>);

impl Lease {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Deref for Lease {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.0.process.lock();
        state.users -= 1;
        if state.users == 0 {
            state.unused_since = Instant::now();
        }
        drop(state);
        self.0.process.changed.notify_all();
    }
}

struct Process {
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

impl Connection {
    /// Starts a child that is to serve this voice, and returns at once: [`Self::ready`] waits until it
    /// does, or tells how it ended.
    ///
    /// # Errors
    /// [`SpeechError::Process`] if it can't be started, [`SpeechError::Shortage`].
    pub(super) fn start(program: &Path, load: &Load, terms: Terms) -> Result<Lease, SpeechError> {
        let mut child = command(program).spawn().map_err(|error| {
            let doing = format!("start the voice's process {}", program.display());
            match Shortage::of(&error) {
                Some(shortage) => SpeechError::Shortage { doing, shortage },
                None => process_error(format!("can't {doing}: {error}")),
            }
        })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process {
            voice: load.name().to_owned(),
            terms,
            child: Mutex::new(child),
            next: AtomicU64::new(LOAD),
            state: Mutex::new(State::new()),
            changed: Condvar::new(),
        };
        let mut connection = Self {
            process: Arc::new(process),
            threads: Vec::new(),
        };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(process_error("it has no pipes"));
        };
        let hello = Hello::ours().bytes().map_err(process_error)?;
        connection.process.send(hello)?;
        connection.tell(Request::Load(Box::new(load.clone())));
        connection.start_threads(stdin, stdout, stderr)?;
        Ok(Lease(Arc::new(connection)))
    }

    fn start_threads(
        &mut self,
        stdin: ChildStdin,
        stdout: ChildStdout,
        stderr: ChildStderr,
    ) -> Result<(), SpeechError> {
        let process = Arc::clone(&self.process);
        self.spawn("aloud-voice-out", move || process.read(stdout))?;
        let process = Arc::clone(&self.process);
        self.spawn("aloud-voice-in", move || process.write(stdin))?;
        let process = Arc::clone(&self.process);
        self.spawn("aloud-voice-log", move || process.listen(stderr))
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), SpeechError> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        let failed = |error| process_error(format!("a thread for it can't start: {error}"));
        self.threads.push(thread.map_err(failed)?);
        Ok(())
    }

    /// Uses it, unless it has ended or is about to.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Lease> {
        let mut state = self.process.lock();
        if state.end().is_some() || state.closing {
            return None;
        }
        state.users += 1;
        drop(state);
        Some(Lease(Arc::clone(self)))
    }

    /// Why no other may take its place, if it has ended so.
    pub(super) fn is_last(&self) -> Option<SpeechError> {
        let end = self.process.lock().end().cloned();
        end.filter(|end| matches!(end, SpeechError::CpuLimit { .. }))
    }

    /// Waits until it has loaded its voice, and returns the voice's version. `interrupt` ends the
    /// waiting.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], what is wrong with the voice or with the process.
    pub(super) fn ready(&self, interrupt: Option<&Interrupt>) -> Result<String, SpeechError> {
        let process = Arc::clone(&self.process);
        let look = move || process.changed.notify_all();
        match interrupt {
            None => self.process.wait_until_loaded(&|| false),
            Some(interrupt) => interrupt.breaking(look, || {
                self.process.wait_until_loaded(&|| interrupt.is_now())
            }),
        }
    }

    /// It is not to be used any more: whoever asks next gets another.
    pub(super) fn retire(&self) {
        self.process.close();
    }

    /// The same, unless someone uses it.
    pub(super) fn retire_unused(&self) {
        let mut state = self.process.lock();
        state.closing |= state.users == 0;
        drop(state);
        self.process.changed.notify_all();
    }

    /// Asks for what takes milliseconds.
    ///
    /// # Errors
    /// What the child says, or how it ended.
    pub(super) fn ask_briefly(&self, request: Request) -> Result<Reply, SpeechError> {
        self.ask(request, Some(SHORT), None)
    }

    /// Asks for what may take long, and is broken off by `interrupt`. Returns the request's number as
    /// well.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], what the child says, or how it ended.
    pub(super) fn ask_patiently(
        &self,
        request: Request,
        interrupt: &Interrupt,
    ) -> Result<(u64, Reply), SpeechError> {
        self.ask_numbered(request, None, Some(interrupt))
    }

    /// Sends a request that has no reply.
    pub(super) fn tell(&self, request: Request) {
        let number = self.process.number();
        // A child that has ended needs to be told nothing.
        if let Ok(bytes) = (Numbered { number, request }).bytes() {
            let _ = self.process.send(bytes);
        }
    }

    /// The error about a reply that does not fit its request. The child is ended.
    pub(super) fn out_of_place(&self, reply: &Reply) -> SpeechError {
        self.process.out_of_place(reply)
    }

    fn ask(
        &self,
        request: Request,
        patience: Option<Duration>,
        interrupt: Option<&Interrupt>,
    ) -> Result<Reply, SpeechError> {
        let (_, reply) = self.ask_numbered(request, patience, interrupt)?;
        Ok(reply)
    }

    fn ask_numbered(
        &self,
        request: Request,
        patience: Option<Duration>,
        interrupt: Option<&Interrupt>,
    ) -> Result<(u64, Reply), SpeechError> {
        let process = &self.process;
        if interrupt.is_some_and(Interrupt::is_now) {
            return Err(SpeechError::Interrupted);
        }
        let number = process.number();
        let numbered = Numbered { number, request };
        let bytes = numbered.bytes().map_err(|error| {
            SpeechError::Run(format!("the text can't be sent to the voice: {error}"))
        })?;
        process.begin(number)?;
        let reply = process.send(bytes).and_then(|()| match interrupt {
            None => process.wait(number, patience),
            Some(interrupt) => {
                let to_stop = Arc::clone(process);
                let stop = move || to_stop.stop(number);
                interrupt.breaking(stop, || process.wait(number, patience))
            }
        });
        process.lock().waiting.remove(&number);
        // Whatever came of it, nobody wants it any more.
        if interrupt.is_some_and(Interrupt::is_now) {
            return Err(SpeechError::Interrupted);
        }
        match reply? {
            Reply::Failed(error) => Err(process.limited(error)),
            reply => Ok((number, reply)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Its input ends, and so does the child.
        self.process.close();
        self.process.wait_for_end(END);
        self.process.kill(killed("it did not end when it should"));
        for thread in self.threads.drain(..) {
            // They end with the child; a panic there is in the log.
            drop(thread.join());
        }
        // Where no thread could be started for it, it is reaped here.
        let _ = lock(&self.process.child).wait();
    }
}

fn command(program: &Path) -> Command {
    let kept = ENVIRONMENT
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .env_clear()
        .envs(kept)
        // Being told later, ONNX Runtime has begun a database of what it is used for by then.
        .env("ORT_DISABLE_TELEMETRY", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // The keys of a terminal signal its foreground group. What Ctrl-C means for the voice is the
        // parent's to decide.
        .process_group(0);
    command
}

impl Process {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Expects a reply with this number.
    fn begin(&self, number: u64) -> Result<(), SpeechError> {
        let mut state = self.lock();
        if let Some(end) = state.end() {
            return Err(end.clone());
        }
        state.waiting.insert(number, Waiting::default());
        Ok(())
    }

    /// Hands bytes to the thread that writes. Never waits.
    fn send(&self, bytes: Vec<u8>) -> Result<(), SpeechError> {
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
    fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    fn wait_until_loaded(&self, is_interrupted: &dyn Fn() -> bool) -> Result<String, SpeechError> {
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
    fn wait(&self, number: u64, patience: Option<Duration>) -> Result<Reply, SpeechError> {
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
    fn stop(&self, number: u64) {
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
    fn kill(&self, verdict: SpeechError) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.verdict.get_or_insert(verdict);
        }
        drop(state);
        self.changed.notify_all();
        // It fails if the child has ended, which is what is wanted.
        let _ = lock(&self.child).kill();
    }

    fn out_of_place(&self, reply: &Reply) -> SpeechError {
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
    fn wait_for_end(&self, patience: Duration) {
        self.wait_for(patience, |state| state.ended.is_some());
    }

    /// Writes what is sent, until that ends or the child is let go.
    fn write(&self, mut stdin: ChildStdin) {
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
    fn listen(&self, stderr: ChildStderr) {
        log::read(stderr, &self.voice, |line| {
            if is_about_memory(line) {
                self.lock().lacks_memory = true;
            }
        });
        self.lock().has_said_all = true;
        self.changed.notify_all();
    }

    /// Reads replies to the end, and sees that the child ends with them.
    fn read(&self, stdout: ChildStdout) {
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
        let how = verdict.unwrap_or_else(|| self.how_ended(status, &state));
        if state.waiting.values().any(|it| it.reply.is_none()) {
            tracing::warn!(voice = self.voice, error = %how, "the voice's process has ended");
        }
        state.ended = Some(how);
        drop(state);
        self.changed.notify_all();
    }

    fn how_ended(&self, status: Option<ExitStatus>, state: &State) -> SpeechError {
        let is_over =
            |signal: Signal| status.and_then(|status| status.signal()) == Some(signal.as_raw());
        let limits = &self.terms.limits;
        match limits.cpu_seconds {
            // The second limit is a second later, if it lives on after the first.
            Some(seconds) if is_over(Signal::XCPU) => return SpeechError::CpuLimit { seconds },
            _ => {}
        }
        let how = how_ended(status, state.greeted);
        let is_crash = matches!(how, SpeechError::Crashed { .. });
        match (limits.memory_bytes, is_crash && state.lacks_memory) {
            (Some(limit), true) => SpeechError::MemoryLimit { limit },
            (None, true) => killed("it got too little memory"),
            (_, false) => how,
        }
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
            Reply::Failed(error) => Err(self.limited(error)),
            _ => Err(process_error("a reply does not fit its request")),
        }
    }

    /// What the child could not do, seen in the light of its limits. One that lacks memory is not used
    /// any more: another begins with all that it may have.
    fn limited(&self, error: SpeechError) -> SpeechError {
        let is_short = matches!(
            error,
            SpeechError::Shortage {
                shortage: Shortage::Memory,
                ..
            }
        );
        let limit = self.terms.limits.memory_bytes;
        if !is_short && (limit.is_none() || !is_about_memory(&error.to_string())) {
            return error;
        }
        self.close();
        match limit {
            Some(limit) => SpeechError::MemoryLimit { limit },
            None => error,
        }
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

fn killed(reason: &str) -> SpeechError {
    SpeechError::Killed {
        reason: reason.to_owned(),
    }
}

fn how_ended(status: Option<ExitStatus>, greeted: bool) -> SpeechError {
    const CRASHES: [(Signal, &str); 5] = [
        (Signal::SEGV, "SIGSEGV"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ILL, "SIGILL"),
        (Signal::FPE, "SIGFPE"),
    ];
    let Some(status) = status else {
        return killed("nobody knows why");
    };
    match (status.signal(), status.code()) {
        (Some(raw), _) => {
            let crash = CRASHES.iter().find(|(signal, _)| signal.as_raw() == raw);
            match crash {
                Some((_, signal)) => SpeechError::Crashed { signal },
                None if raw == Signal::KILL.as_raw() => {
                    killed("the system ended it, perhaps for want of memory")
                }
                None => killed(&format!("it was ended by signal {raw}")),
            }
        }
        (None, code) => {
            let code = code.unwrap_or_default();
            if greeted {
                killed(&format!("it ended by itself, with exit code {code}"))
            } else {
                process_error(format!(
                    "it ended with exit code {code} before it said who it is"
                ))
            }
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
