//! The parent's side of one child: starts it, asks it, breaks it off, lets it go when nobody has used it
//! for some time, and sees to its end.

use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::SpeechError;
use super::child::{END, Process};
use super::ending;
use super::message::{Hello, Load, Numbered, Reply, Request, process_error};
use super::{ARGUMENT, Terms};
use crate::engine::{Interrupt, Shortage};

/// How long it may take for what takes milliseconds.
const SHORT: Duration = Duration::from_secs(60);

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
        self.0.process.leave();
    }
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
        let process = Process::new(load.name(), child, terms);
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
        self.process.enter().then(|| Lease(Arc::clone(self)))
    }

    /// Bytes of memory that it has in use; `None` if it has ended, or where the system does not tell.
    pub(super) fn memory(&self) -> Option<u64> {
        let is_there = self.process.end().is_none();
        let id = is_there.then(|| self.process.id())?;
        crate::memory::resident(&id.to_string())
    }

    /// Why no other may take its place, if it has ended so.
    pub(super) fn spent(&self) -> Option<SpeechError> {
        let end = self.process.end();
        end.filter(|end| matches!(end, SpeechError::CpuLimit { .. }))
    }

    /// Waits until it has loaded its voice, and returns the voice's version. `interrupt` ends the
    /// waiting.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], what is wrong with the voice or with the process.
    pub(super) fn ready(&self, interrupt: Option<&Interrupt>) -> Result<String, SpeechError> {
        let process = Arc::clone(&self.process);
        let look = move || process.look_again();
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
        self.process.close_unused();
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
        process.forget(number);
        // Whatever came of it, nobody wants it any more.
        if interrupt.is_some_and(Interrupt::is_now) {
            return Err(SpeechError::Interrupted);
        }
        match reply? {
            Reply::Failed(error) => Err(process.could_not(error)),
            reply => Ok((number, reply)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Its input ends, and so does the child.
        self.process.close();
        self.process.wait_for_end(END);
        self.process
            .kill(ending::killed("it did not end when it should"));
        for thread in self.threads.drain(..) {
            // They end with the child; a panic there is in the log.
            drop(thread.join());
        }
        // Where no thread could be started for it, it is reaped here.
        self.process.reap_rest();
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
