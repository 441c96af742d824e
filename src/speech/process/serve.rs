//! The child's side: one voice is served on standard input and output, until the input ends.
//!
//! The end of the input is how the child learns that nobody needs it any more, also when its parent was
//! killed: the system closes the parent's end of the pipe, and no other process has that end. The
//! system can also be asked for a signal at the parent's death (`PR_SET_PDEATHSIG`); it comes when the
//! *thread* ends that has started the child, which may be long before the program does.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender};

use super::super::{FrontEnd, SpeechError, Synthesizer, Utterance, Voice};
use super::frame::Frame;
use super::limits;
use super::message::{
    Answer, Hello, MessageError, Numbered, PROTOCOL, Reply, Request, Settings, process_error,
};
use crate::engine::{Interrupt, NarrationSettings, StopReason};

/// Requests that may wait for a thread. The parent waits for the reply to each but the last few.
const BACKLOG: usize = 64;

/// How long the threads may take to end after the input has.
const GRACE: Duration = Duration::from_secs(2);

/// Serves one voice on this process's standard input and output, until the input ends. For a process
/// that was started for this and has nothing else to do: both streams are gone for everybody else.
///
/// # Errors
/// [`SpeechError::Process`] if the parent does not speak as it should.
pub fn serve() -> Result<(), SpeechError> {
    let (input, output) = take_pipes().map_err(process_error)?;
    let replies = Arc::new(Replies(Mutex::new(output)));
    let hello = Hello::ours().bytes().map_err(process_error)?;
    replies.write(&hello);
    let mut input = io::BufReader::new(input);
    let mut server = Server {
        replies,
        running: Arc::default(),
        lanes: None,
    };
    let served = server.serve(&mut input);
    server.end();
    served.map_err(process_error)
}

/// The pipes, under numbers that only this module knows. What foreign libraries print goes to standard
/// error, and they have nothing to read.
fn take_pipes() -> io::Result<(File, File)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((input.into(), output.into()))
}

struct Server {
    replies: Arc<Replies>,
    running: Arc<Running>,
    /// There once a voice is loaded.
    lanes: Option<Lanes>,
}

/// The threads that do the work.
struct Lanes {
    texts: Sender<TextJob>,
    models: Sender<ModelJob>,
    threads: Vec<JoinHandle<()>>,
    /// Each thread has the other end, and loses it when it ends.
    ended: std::sync::mpsc::Receiver<()>,
}

/// Opens the front end, if there is no text.
struct TextJob {
    number: u64,
    text: Option<String>,
}

struct ModelJob {
    number: u64,
    task: ModelTask,
}

enum ModelTask {
    WarmUp(Arc<Interrupt>),
    Open(Arc<Interrupt>),
    CompareLayouts(Arc<Interrupt>),
    Synthesize(Box<Synthesis>),
    CancelPrefetch { model: u64 },
    Close { model: u64 },
}

struct Synthesis {
    model: u64,
    utterance: Utterance,
    ahead: Vec<Utterance>,
    settings: Settings,
    interrupt: Arc<Interrupt>,
}

/// Writes replies, each as a whole.
struct Replies(Mutex<File>);

impl Replies {
    fn send(&self, number: u64, reply: Reply) {
        let bytes = Answer { number, reply }.bytes().or_else(|error| {
            let error = SpeechError::Run(format!("what came of it can't be sent: {error}"));
            let reply = Reply::Failed(error);
            Answer { number, reply }.bytes()
        });
        match bytes {
            Ok(bytes) => self.write(&bytes),
            Err(error) => tracing::error!(%error, "a reply can't be written"),
        }
    }

    fn write(&self, bytes: &[u8]) {
        // If nobody reads any more, the input ends as well.
        let _ = lock(&self.0).write_all(bytes);
    }
}

/// What can be broken off, Each request has an interrupt of its own, so that a stop that comes late
/// has nothing to stop.
#[derive(Default)]
struct Running(Mutex<HashMap<u64, Stoppable>>);

struct Stoppable {
    interrupt: Arc<Interrupt>,
    /// Nobody waits for it but whoever comes after it.
    is_warm_up: bool,
}

impl Running {
    fn begin(&self, number: u64, is_warm_up: bool) -> Arc<Interrupt> {
        let interrupt = Arc::<Interrupt>::default();
        let stoppable = Stoppable {
            interrupt: Arc::clone(&interrupt),
            is_warm_up,
        };
        lock(&self.0).insert(number, stoppable);
        interrupt
    }

    fn end(&self, number: u64) {
        lock(&self.0).remove(&number);
    }

    /// Breaks off a request, and what it may have to wait for.
    fn stop(&self, number: u64) {
        if lock(&self.0).contains_key(&number) {
            self.raise(|other, is_warm_up| other == number || is_warm_up);
        }
    }

    fn stop_all(&self) {
        self.raise(|_, _| true);
    }

    fn raise(&self, is_meant: impl Fn(u64, bool) -> bool) {
        let running = lock(&self.0);
        let meant = running
            .iter()
            .filter(|(number, it)| is_meant(**number, it.is_warm_up));
        let meant: Vec<_> = meant.map(|(_, it)| Arc::clone(&it.interrupt)).collect();
        drop(running);
        for interrupt in meant {
            interrupt.raise(StopReason::Cancel);
        }
    }
}

impl Server {
    fn serve(&mut self, input: &mut impl io::Read) -> Result<(), MessageError> {
        let Some(first) = Frame::read(input)? else {
            return Ok(());
        };
        let hello = Hello::of(&first)?;
        if hello.protocol != PROTOCOL {
            // It has our hello by now and can tell.
            return Err(MessageError::Protocol(hello));
        }
        while let Some(frame) = Frame::read(input)? {
            let Numbered { number, request } = Numbered::of(&frame)?;
            if let Err(error) = self.take(number, request) {
                self.running.end(number);
                self.replies.send(number, Reply::Failed(error));
            }
        }
        Ok(())
    }

    /// Takes a request on. Never waits.
    fn take(&mut self, number: u64, request: Request) -> Result<(), SpeechError> {
        let task = match request {
            Request::Load(load) => {
                let (limits, first_core) = load.limits();
                limits::apply(&limits, first_core)?;
                let (files, runtime) = load.into_parts();
                // Threads take it from the one that starts them: before there are any.
                #[cfg(target_os = "linux")]
                super::confine::confine(&files, &runtime);
                let voice = super::super::load(&files, &runtime)?;
                let version = voice.info().version.clone();
                self.start(voice)?;
                self.replies.send(number, Reply::Loaded { version });
                return Ok(());
            }
            Request::Stop { number } => {
                self.running.stop(number);
                return Ok(());
            }
            Request::FrontEnd => return self.prepare(number, None),
            Request::Prepare { text } => return self.prepare(number, Some(text)),
            Request::WarmUp => ModelTask::WarmUp(self.running.begin(number, true)),
            Request::Open => ModelTask::Open(self.running.begin(number, false)),
            Request::CompareLayouts => ModelTask::CompareLayouts(self.running.begin(number, false)),
            Request::Synthesize {
                model,
                utterance,
                ahead,
                settings,
            } => ModelTask::Synthesize(Box::new(Synthesis {
                model,
                utterance,
                ahead,
                settings,
                interrupt: self.running.begin(number, false),
            })),
            Request::CancelPrefetch { model } => ModelTask::CancelPrefetch { model },
            Request::Close { model } => ModelTask::Close { model },
        };
        let lanes = self.lanes()?;
        lanes
            .models
            .try_send(ModelJob { number, task })
            .map_err(|_| overload())
    }

    fn prepare(&self, number: u64, text: Option<String>) -> Result<(), SpeechError> {
        let job = TextJob { number, text };
        self.lanes()?.texts.try_send(job).map_err(|_| overload())
    }

    fn lanes(&self) -> Result<&Lanes, SpeechError> {
        self.lanes
            .as_ref()
            .ok_or_else(|| process_error("no voice is loaded"))
    }

    fn start(&mut self, voice: Arc<dyn Voice>) -> Result<(), SpeechError> {
        if self.lanes.is_some() {
            return Err(process_error("a voice is loaded already"));
        }
        let (texts, to_prepare) = async_channel::bounded(BACKLOG);
        let (models, to_run) = async_channel::bounded(BACKLOG);
        let (alive, ended) = sync_channel::<()>(0);
        let front_end = FrontEndThread {
            voice: Arc::clone(&voice),
            replies: Arc::clone(&self.replies),
            front_end: None,
            alive: alive.clone(),
        };
        let replies = Arc::clone(&self.replies);
        let running = Arc::clone(&self.running);
        let run_models = move || {
            let models = HashMap::new();
            let model = ModelThread {
                voice,
                replies,
                running,
                models,
                warm: None,
                alive,
            };
            model.run(&to_run);
        };
        let threads = vec![
            spawn("aloud-front-end", move || front_end.run(&to_prepare))?,
            spawn("aloud-model", run_models)?,
        ];
        self.lanes = Some(Lanes {
            texts,
            models,
            threads,
            ended,
        });
        Ok(())
    }

    /// Breaks off whatever runs, and waits for the threads.
    fn end(self) {
        let Some(lanes) = self.lanes else {
            return;
        };
        lanes.texts.close();
        lanes.models.close();
        self.running.stop_all();
        if lanes.ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the voice does not end; its process is killed");
            let me = rustix::process::getpid();
            // Nothing after this runs.
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
        for thread in lanes.threads {
            // One that panicked has ended the process.
            drop(thread.join());
        }
    }
}

fn overload() -> SpeechError {
    process_error("too many requests wait")
}

/// Starts a thread whose panic is a crash of the process: the parent then knows at once, where a thread
/// that is missing would leave it waiting.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, SpeechError> {
    struct Abort;
    impl Drop for Abort {
        fn drop(&mut self) {
            if std::thread::panicking() {
                std::process::abort();
            }
        }
    }
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            let _abort = Abort;
            work();
        })
        .map_err(|error| process_error(format!("a thread can't start: {error}")))
}

struct FrontEndThread {
    voice: Arc<dyn Voice>,
    replies: Arc<Replies>,
    front_end: Option<Box<dyn FrontEnd>>,
    alive: SyncSender<()>,
}

impl FrontEndThread {
    fn run(mut self, jobs: &Receiver<TextJob>) {
        while let Ok(TextJob { number, text }) = jobs.recv_blocking() {
            let reply = self.prepare(text.as_deref()).unwrap_or_else(Reply::Failed);
            self.replies.send(number, reply);
        }
        drop(self.front_end);
        drop(self.alive);
    }

    fn prepare(&mut self, text: Option<&str>) -> Result<Reply, SpeechError> {
        let front_end = match &self.front_end {
            Some(front_end) => front_end,
            None => self.front_end.insert(self.voice.front_end()?),
        };
        Ok(match text {
            Some(text) => Reply::Prepared(front_end.prepare(text)?),
            None => Reply::Done,
        })
    }
}

struct ModelThread {
    voice: Arc<dyn Voice>,
    replies: Arc<Replies>,
    running: Arc<Running>,
    /// By the numbers of the requests that opened them.
    models: HashMap<u64, Box<dyn Synthesizer>>,
    /// One that was opened before anyone asked for it.
    warm: Option<Box<dyn Synthesizer>>,
    alive: SyncSender<()>,
}

impl ModelThread {
    /// The models are made, used and dropped here.
    fn run(mut self, jobs: &Receiver<ModelJob>) {
        while let Ok(ModelJob { number, task }) = jobs.recv_blocking() {
            match task {
                ModelTask::Close { model } => {
                    drop(self.models.remove(&model));
                    continue;
                }
                ModelTask::WarmUp(interrupt) => {
                    self.warm_up(&interrupt);
                    self.running.end(number);
                    continue;
                }
                _ => {}
            }
            let reply = self.carry_out(number, task).unwrap_or_else(Reply::Failed);
            // Before the reply: whoever has that can stop nothing any more.
            self.running.end(number);
            self.replies.send(number, reply);
        }
        drop((self.models, self.warm));
        drop(self.alive);
    }

    fn warm_up(&mut self, interrupt: &Interrupt) {
        if self.models.is_empty() && self.warm.is_none() {
            // What is wrong with it is told to whoever opens it.
            self.warm = self.voice.open(interrupt).ok();
        }
    }

    fn carry_out(&mut self, number: u64, task: ModelTask) -> Result<Reply, SpeechError> {
        match task {
            ModelTask::Open(interrupt) => {
                let model = match self.warm.take() {
                    Some(model) => model,
                    None => self.voice.open(&interrupt)?,
                };
                let opened = Reply::Opened {
                    looks_ahead: model.looks_ahead(),
                    checksum: model.checksum(),
                };
                self.models.insert(number, model);
                Ok(opened)
            }
            ModelTask::Synthesize(synthesis) => {
                let ahead: Vec<_> = synthesis.ahead.iter().collect();
                let settings = NarrationSettings::from(synthesis.settings);
                let (utterance, interrupt) = (&synthesis.utterance, &synthesis.interrupt);
                let model = self.model(synthesis.model)?;
                let speech = model.synthesize(utterance, &ahead, &settings, interrupt)?;
                Ok(Reply::Spoken(speech))
            }
            ModelTask::CompareLayouts(interrupt) => {
                Ok(Reply::Compared(self.voice.compare_layouts(&interrupt)?))
            }
            ModelTask::CancelPrefetch { model } => {
                self.model(model)?.cancel_prefetch()?;
                Ok(Reply::Done)
            }
            // They have no reply; `run` has seen to them.
            ModelTask::Close { .. } | ModelTask::WarmUp(_) => Ok(Reply::Done),
        }
    }

    fn model(&mut self, number: u64) -> Result<&mut dyn Synthesizer, SpeechError> {
        match self.models.get_mut(&number) {
            Some(model) => Ok(model.as_mut()),
            None => Err(process_error(format!("there is no model {number}"))),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
