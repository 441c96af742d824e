//! Carries out what the model asks for, away from the thread that draws. Three threads, each with
//! one kind of work, in order: commands to the engine; errands that read files or speak; closer
//! looks, of which only the latest counts. They end when this goes.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::{fs, io};

use async_channel::{Sender, TrySendError};

use super::app::{Detail, Effect, Heard, Message, Vitals, Wave};
use super::incoming::Incoming;
use super::services::Services;
use crate::clip;
use crate::memory;
use crate::model::Timestamp;
use crate::service::{Action, Done, Refusal, TaskAction};

/// How much may wait to be done by one thread. A person who asks for more is told to wait.
const BACKLOG: usize = 64;

/// How many narrations of the past are shown.
const HISTORY: usize = 500;

/// Stretches that a clip's loudness is told for: more than a screen has columns of dots.
const PEAKS: usize = 480;

type Job = Box<dyn FnOnce() -> Option<Message> + Send>;

/// A thread that does one thing after the other.
struct Worker {
    name: &'static str,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(name: &'static str, backlog: usize, to: Sender<Incoming>) -> io::Result<Self> {
        let (jobs, waiting) = async_channel::bounded::<Job>(backlog);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Ok(job) = waiting.recv_blocking() {
                    let done = panic::catch_unwind(AssertUnwindSafe(job));
                    let message = done.unwrap_or_else(|_| {
                        let words = "that went wrong inside the program; the log says more";
                        Some(Message::Said(words.to_owned()))
                    });
                    if let Some(Message::Said(words)) = &message {
                        tracing::info!("{words}");
                    }
                    if let Some(message) = message
                        && to.send_blocking(Incoming::Told(message)).is_err()
                    {
                        return;
                    }
                }
            })?;
        Ok(Self {
            name,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Returns whether there was room for it.
    fn give(&self, job: Job) -> bool {
        let Some(jobs) = &self.jobs else {
            return false;
        };
        match jobs.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                tracing::warn!(thread = self.name, "too much was asked for at once");
                false
            }
        }
    }

    /// Takes the place of whatever waits.
    fn give_latest(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Closed only when this goes.
            let _ = jobs.force_send(job);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            // What waits is not begun any more.
            jobs.close();
        }
        if let Some(thread) = self.thread.take() {
            // Its jobs catch their panics.
            let _ = thread.join();
        }
    }
}

/// The threads, and what they work with.
pub(super) struct Effects {
    services: Arc<dyn Services>,
    commands: Worker,
    jobs: Worker,
    looks: Worker,
}

impl Effects {
    pub(super) fn start(services: Arc<dyn Services>, to: &Sender<Incoming>) -> io::Result<Self> {
        Ok(Self {
            services,
            commands: Worker::start("aloud-commands", BACKLOG, to.clone())?,
            jobs: Worker::start("aloud-jobs", BACKLOG, to.clone())?,
            looks: Worker::start("aloud-looks", 1, to.clone())?,
        })
    }

    /// Has it done, if it is one of these threads' work. Gives back what is the loop's own.
    pub(super) fn carry_out(&self, effect: Effect) -> Result<Option<Message>, Effect> {
        let (worker, job) = match command(&self.services, effect) {
            Ok(job) => (&self.commands, job),
            Err(effect) => match errand(&self.services, effect) {
                Ok(job) => (&self.jobs, job),
                Err(Effect::Look(detail)) => {
                    let services = Arc::clone(&self.services);
                    self.looks
                        .give_latest(Box::new(move || Some(look(*detail, &*services))));
                    return Ok(None);
                }
                Err(own) => return Err(own),
            },
        };
        if worker.give(job) {
            return Ok(None);
        }
        let words = "too much at once: wait until what was asked for is done";
        Ok(Some(Message::Said(words.to_owned())))
    }
}

/// What is done to tasks, one after the other.
fn command(services: &Arc<dyn Services>, effect: Effect) -> Result<Job, Effect> {
    let (services, looks) = (Arc::clone(services), Arc::clone(services));
    let act = move |action: Action| services.service().act(&action);
    let to = |task, what| Action::Task { task, what };
    Ok(match effect {
        // Whatever refuses these is seen on the screen.
        Effect::Cancel(id) => quiet(act, to(id, TaskAction::Cancel)),
        Effect::CancelAll => quiet(act, Action::CancelAll),
        Effect::ResumeAll => quiet(act, Action::ResumeAll),
        Effect::PauseQueue(true) => quiet(act, Action::PauseQueue),
        Effect::PauseQueue(false) => quiet(act, Action::ResumeQueue),
        Effect::Retry(id, segments) => Box::new(move || {
            let again = act(to(id.clone(), TaskAction::Retry(segments)));
            let again = again.map(|done| done.tasks.into_iter().next().unwrap_or(id));
            Some(Message::Retried(again.map_err(|why| why.to_string())))
        }),
        Effect::Render(id, voice) => Box::new(move || {
            let again = act(to(id.clone(), TaskAction::Render(voice, None)));
            let again = again.map(|done| done.tasks.into_iter().next().unwrap_or(id));
            Some(Message::Retried(again.map_err(|why| why.to_string())))
        }),
        Effect::RetryAll => Box::new(move || {
            let tried = act(Action::RetryAll);
            Some(Message::Said(
                tried.map_or_else(|why| why.to_string(), |it| retried(&it)),
            ))
        }),
        Effect::Pause(id, pause) => Box::new(move || {
            let what = if pause {
                TaskAction::Pause
            } else {
                TaskAction::Resume
            };
            let why = act(to(id.clone(), what)).err()?;
            // Pressed twice before the first was seen, it is what was wanted.
            let is_so = looks.service().task(&id).is_ok_and(|it| it.paused == pause);
            (!is_so).then(|| Message::Said(why.to_string()))
        }),
        Effect::Correct(id, correction) => Box::new(move || {
            let corrected = looks.service().correct(&id, &correction);
            let corrected = corrected.map_err(|why| why.to_string());
            Some(Message::Corrected(id, correction, corrected))
        }),
        Effect::Shift { task, sooner } => Box::new(move || {
            let moved = act(to(task, TaskAction::shift(sooner)));
            let is_there = "it is there already".to_owned();
            moved.is_err().then_some(Message::Said(is_there))
        }),
        other => return Err(other),
    })
}

fn quiet(
    act: impl FnOnce(Action) -> Result<Done, Refusal> + Send + 'static,
    action: Action,
) -> Job {
    Box::new(move || {
        if let Err(why) = act(action) {
            tracing::info!("{why}");
        }
        None
    })
}

fn retried(done: &Done) -> String {
    match (done.tasks.len(), done.refused.first()) {
        (0, None) => "there is nothing to try again".to_owned(),
        (1, None) => "1 task is tried again".to_owned(),
        (begun, None) => format!("{begun} tasks are tried again"),
        (begun, Some(why)) => format!("{begun} tried again, not all: {why}"),
    }
}

/// What reads files, speaks, or asks the system.
fn errand(services: &Arc<dyn Services>, effect: Effect) -> Result<Job, Effect> {
    let services = Arc::clone(services);
    Ok(match effect {
        Effect::Add(new) => Box::new(move || Some(Message::Added(services.add(&new)))),
        Effect::FindVoices => Box::new(move || Some(Message::Voices(services.voices()))),
        Effect::Complete(typed) => Box::new(move || {
            let completion = services.complete(&typed);
            Some(Message::Completed(typed, completion))
        }),
        Effect::Preview { voice, speed } => Box::new(move || {
            let heard = services.preview(&voice, speed);
            let words = heard.map_or_else(|why| why, |()| format!("this is {voice}"));
            Some(Message::Said(words))
        }),
        Effect::Hear {
            voice,
            speed,
            spoken,
        } => Box::new(move || {
            let phonemes = services.phonemes(&voice, &spoken).ok();
            let problem = services.hear(&voice, speed, &spoken).err();
            Some(Message::Heard(Box::new(Heard {
                spoken,
                phonemes,
                problem,
            })))
        }),
        Effect::Play(file) => Box::new(move || Some(play(&*services, &file))),
        Effect::OpenFolder(folder) => {
            Box::new(move || services.open_folder(&folder).err().map(Message::Said))
        }
        Effect::ClearTheWay(folder) => Box::new(move || {
            // Whoever took it away before has done the same.
            let _ = fs::remove_dir(folder);
            None
        }),
        Effect::ReadHistory => Box::new(move || {
            let past = services.service().history(HISTORY);
            Some(Message::History(past.map_err(|error| error.to_string())))
        }),
        Effect::ReadLog => Box::new(move || Some(Message::Log(services.log()))),
        Effect::Measure => Box::new(move || {
            Some(match measure(&*services) {
                Ok(vitals) => Message::Vitals(Box::new(vitals)),
                Err(why) => Message::Said(why.to_string()),
            })
        }),
        other => return Err(other),
    })
}

impl Drop for Effects {
    fn drop(&mut self) {
        // The threads are joined next.
        self.services.leave();
    }
}

fn play(services: &dyn Services, file: &Path) -> Message {
    Message::Said(match services.play(file) {
        Ok(true) => "playing; the same key stops it".to_owned(),
        Ok(false) => "stopped".to_owned(),
        Err(why) => why,
    })
}

/// How the segment will be spoken, and what its clip looks like.
fn look(mut detail: Detail, services: &dyn Services) -> Message {
    if detail.phonemes.is_none() && !detail.voice.is_empty() {
        detail.phonemes = Some(services.phonemes(&detail.voice, &detail.spoken));
    }
    if let Some(clip) = &detail.clip {
        let peaks = clip::peaks(clip, PEAKS);
        detail.wave = Some(match peaks {
            Ok(peaks) => Ok(Wave::of(&peaks)),
            Err(error) => Err(error.to_string()),
        });
    }
    Message::Looked(Box::new(detail))
}

fn measure(services: &dyn Services) -> Result<Vitals, Refusal> {
    let service = services.service();
    let health = service.health()?;
    let database = database_bytes(&health.library);
    // Of whoever does the work, which may be another process.
    let worker = service.info().pid;
    let threads = fs::read_dir(format!("/proc/{worker}/task"));
    Ok(Vitals {
        memory: memory(worker),
        disk: disk(&services.output()),
        database,
        threads: threads.ok().map(Iterator::count),
        at: Timestamp::now(),
        health,
    })
}

/// Bytes of memory that a process and its voices have in use, where the system says so.
fn memory(process: u32) -> Option<u64> {
    let own = if process == std::process::id() {
        memory_stats::memory_stats()?.physical_mem as u64
    } else {
        memory::resident(&process.to_string())?
    };
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    let children = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let voices: u64 = children
        .map(|all| {
            all.split_whitespace()
                .filter_map(memory::resident)
                .sum::<u64>()
        })
        .sum();
    Some(own + voices)
}

/// The free bytes and the size of the disk that `folder` is on, or will be.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some((
        disk.f_bavail.saturating_mul(disk.f_frsize),
        disk.f_blocks.saturating_mul(disk.f_frsize),
    ))
}

/// The bytes of the library's database with its log.
fn database_bytes(library: &Path) -> Option<u64> {
    let mut all = None;
    for entry in fs::read_dir(library).ok()?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().contains(".db")
            && let Ok(metadata) = entry.metadata()
        {
            *all.get_or_insert(0) += metadata.len();
        }
    }
    all
}
