//! The parent's side of one child: starts it, asks it, breaks it off, and sees to its end. Every wait
//! here is bounded, or ended by the end of the child; one that does not end when it should is killed.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use rustix::process::Signal;

use super::super::SpeechError;
use super::frame::Frame;
use super::message::{
    Answer, Hello, Load, MessageError, Numbered, PROTOCOL, Reply, Request, process_error,
};
use super::{ARGUMENT, log};
use crate::engine::{Interrupt, Shortage};

/// How long a child may take to start and to load its voice.
const START: Duration = Duration::from_secs(30);
/// How long it may take for what takes milliseconds.
const SHORT: Duration = Duration::from_secs(60);
/// How long it may take to break off a request.
const STOP: Duration = Duration::from_secs(2);
/// How long it may take to end.
const END: Duration = Duration::from_secs(1);
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

/// A child that serves a voice. Dropped, it is ended and reaped.
pub(super) struct Connection {
    process: Arc<Process>,
    threads: Vec<JoinHandle<()>>,
}

struct Process {
    voice: String,
    child: Mutex<Child>,
    outgoing: Sender<Vec<u8>>,
    next: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether the child has said who it is.
    greeted: bool,
    waiting: HashMap<u64, Waiting>,
    /// Why it was killed by us.
    verdict: Option<SpeechError>,
    /// How it ended, once it has been reaped.
    ended: Option<SpeechError>,
}

impl State {
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
    /// Starts a child that serves this voice; returns the voice's version as well. `interrupt` ends
    /// the waiting.
    ///
    /// # Errors
    /// [`SpeechError::Process`] if it can't be started or is not what it should be,
    /// [`SpeechError::Interrupted`], or what is wrong with the voice.
    pub(super) fn start(
        program: &Path,
        load: &Load,
        interrupt: Option<&Interrupt>,
    ) -> Result<(Self, String), SpeechError> {
        let mut child = command(program).spawn().map_err(|error| {
            let doing = format!("start the voice's process {}", program.display());
            match Shortage::of(&error) {
                Some(shortage) => SpeechError::Shortage { doing, shortage },
                None => process_error(format!("can't {doing}: {error}")),
            }
        })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (outgoing, to_write) = async_channel::bounded(BACKLOG);
        let process = Process {
            voice: load.name().to_owned(),
            child: Mutex::new(child),
            outgoing,
            next: AtomicU64::new(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let mut connection = Self {
            process: Arc::new(process),
            threads: Vec::new(),
        };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(process_error("it has no pipes"));
        };
        connection.start_threads(stdin, stdout, stderr, to_write)?;
        let hello = Hello::ours().bytes().map_err(process_error)?;
        connection.process.send(hello)?;
        let load = Request::Load(Box::new(load.clone()));
        match connection.ask(load, Some(START), interrupt)? {
            Reply::Loaded { version } => Ok((connection, version)),
            other => Err(connection.process.out_of_place(&other)),
        }
    }

    fn start_threads(
        &mut self,
        stdin: ChildStdin,
        stdout: ChildStdout,
        stderr: ChildStderr,
        to_write: Receiver<Vec<u8>>,
    ) -> Result<(), SpeechError> {
        let process = Arc::clone(&self.process);
        self.spawn("aloud-voice-out", move || process.read(stdout))?;
        let process = Arc::clone(&self.process);
        self.spawn("aloud-voice-in", move || process.write(stdin, &to_write))?;
        let voice = self.process.voice.clone();
        self.spawn("aloud-voice-log", move || log::read(stderr, &voice))
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

    /// Whether it can be asked. It may end at any time.
    pub(super) fn is_alive(&self) -> bool {
        self.process.lock().end().is_none()
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
            Reply::Failed(error) => Err(error),
            reply => Ok((number, reply)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Its input ends, and so does the child.
        self.process.outgoing.close();
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
        match self.outgoing.try_send(bytes) {
            Err(error) if error.is_full() => Err(process_error("it takes no more requests")),
            // If it is closed the child ends, and how it ended is what a request is told.
            _ => Ok(()),
        }
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
            let begun = Instant::now();
            let slice = SLICE.min(bound.saturating_sub(waited));
            state = wait_timeout(&self.changed, state, slice);
            waited += begun.elapsed().min(slice);
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

    /// Waits until the child was reaped, this long at most.
    fn wait_for_end(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while state.ended.is_none()
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            state = wait_timeout(&self.changed, state, left);
        }
    }

    /// Writes what is sent, until that ends.
    fn write(&self, mut stdin: ChildStdin, to_write: &Receiver<Vec<u8>>) {
        while let Ok(bytes) = to_write.recv_blocking() {
            if stdin.write_all(&bytes).is_err() {
                to_write.close();
                // Usually it has ended, and the other thread is about to tell how.
                self.wait_for_end(END);
                self.kill(killed("it no longer takes requests"));
                break;
            }
        }
    }

    /// Reads replies to the end, and sees that the child ends with them.
    fn read(&self, stdout: ChildStdout) {
        let mut stdout = BufReader::new(stdout);
        if let Err(error) = self.read_replies(&mut stdout) {
            self.kill(process_error(error));
        }
        let status = self.reap();
        self.outgoing.close();
        let mut state = self.lock();
        let verdict = state.verdict.take();
        let how = verdict.unwrap_or_else(|| how_ended(status, state.greeted));
        if state.waiting.values().any(|it| it.reply.is_none()) {
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
            // Nobody waits for it any more: fine.
            if let Some(waiting) = self.lock().waiting.get_mut(&number) {
                waiting.reply = Some(reply);
            }
            self.changed.notify_all();
        }
        Ok(())
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
