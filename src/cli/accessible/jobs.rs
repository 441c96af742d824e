//! What may take its time: reading a text, speaking a sample, asking for phonemes. One thread does
//! one after the other, away from the loop that answers; it ends when this goes, breaking off what
//! can be broken off.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_channel::Sender;

use super::Incoming;
use super::defaults::{Change, NarrationDefaults};
use super::words::heard;
use crate::cli::desk::Desk;
use crate::model::TaskId;
use crate::narrate::NewText;
use crate::service::{Correction, Submitted, one_message};
use crate::service::{Interrupt, StopReason};
use crate::text::printable;

/// How many may wait. A person who asks for more is told to wait.
const BACKLOG: usize = 64;

/// Something to be done.
#[derive(Debug)]
pub(super) enum Errand {
    /// Narrate this text.
    Add(NewText),
    /// Narrate in another way from now on, or say in which.
    Change(Change, String),
    /// Have a word of this task said otherwise.
    Correct(TaskId, Correction),
    /// Let this voice be heard.
    Voice(String),
    /// How this voice will speak these words, and what to call that.
    Phonemes {
        voice: String,
        text: String,
        what: String,
    },
}

/// What became of it. An error is a sentence that says what to do.
#[derive(Debug)]
pub(super) enum Outcome {
    Added(Result<Submitted, String>),
    Said(String),
}

/// The thread.
pub(super) struct BackgroundJobs {
    jobs: Option<Sender<Errand>>,
    leaving: Arc<Interrupt>,
    thread: Option<JoinHandle<()>>,
    /// How many were given and have not come back.
    pub(super) waiting: usize,
}

impl BackgroundJobs {
    /// Starts the thread, which tells what became of each errand.
    ///
    /// # Errors
    /// There is no thread available.
    pub(super) fn start(desk: Arc<Desk>, to: Sender<Incoming>) -> io::Result<Self> {
        let (jobs, given) = async_channel::bounded::<Errand>(BACKLOG);
        let leaving = Arc::new(Interrupt::default());
        let interrupt = Arc::clone(&leaving);
        let thread = thread::Builder::new()
            .name("aloud-jobs".to_owned())
            .spawn(move || {
                let mut defaults = NarrationDefaults::new(&desk);
                while let Ok(errand) = given.recv_blocking() {
                    let work = AssertUnwindSafe(|| run(&desk, &mut defaults, errand, &interrupt));
                    let outcome = panic::catch_unwind(work).unwrap_or_else(|_| {
                        let words = "That went wrong inside the program; log says more.";
                        Outcome::Said(words.to_owned())
                    });
                    if to.send_blocking(Incoming::Done(outcome)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            jobs: Some(jobs),
            leaving,
            thread: Some(thread),
            waiting: 0,
        })
    }

    /// Has it done. Returns whether there was room for it.
    pub(super) fn give(&mut self, errand: Errand) -> bool {
        let given = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.try_send(errand).is_ok());
        self.waiting += usize::from(given);
        given
    }
}

impl Drop for BackgroundJobs {
    fn drop(&mut self) {
        self.leaving.raise(StopReason::Shutdown);
        if let Some(jobs) = self.jobs.take() {
            // What waits is not begun any more.
            jobs.close();
        }
        if let Some(thread) = self.thread.take() {
            // Its errands catch their panics.
            let _ = thread.join();
        }
    }
}

fn corrections(correction: &Correction, segments: usize) -> String {
    let Correction { word, said, .. } = correction;
    let again = match segments {
        0 => "no segment is made again".to_owned(),
        1 => "1 segment is made again".to_owned(),
        many => format!("{many} segments are made again"),
    };
    heard(&printable(&format!(
        "{word} is said as {said} from now on; {again}."
    )))
}

fn run(
    desk: &Desk,
    defaults: &mut NarrationDefaults,
    errand: Errand,
    interrupt: &Interrupt,
) -> Outcome {
    let why = |error: anyhow::Error| heard(&one_message(&error));
    match errand {
        Errand::Add(text) => {
            let added = desk.service().add(&defaults.narrate(text), None);
            Outcome::Added(added.map_err(|why| heard(&why.to_string())))
        }
        Errand::Change(what, value) => Outcome::Said(match defaults.change(what, &value, desk) {
            Ok(sentence) => sentence,
            Err(why) => format!("Nothing was changed: {why}."),
        }),
        Errand::Correct(task, correction) => {
            Outcome::Said(match desk.service().correct(&task, &correction) {
                Ok(corrected) => corrections(&correction, corrected.segments),
                Err(why) => {
                    let advice = &why.error.remediation;
                    heard(
                        printable(format!("{}: {why}. {advice}", correction.word).trim_end())
                            .as_ref(),
                    )
                }
            })
        }
        Errand::Voice(name) => {
            let file = desk
                .hearing()
                .preview(&name, defaults.speed(), None, interrupt);
            Outcome::Said(match file.and_then(|file| desk.play(&file)) {
                Ok(()) => format!("This is the voice {name}."),
                Err(error) => format!("The voice can't be heard: {}", why(error)),
            })
        }
        Errand::Phonemes { voice, text, what } => {
            Outcome::Said(match desk.hearing().phonemes(&voice, &text) {
                Ok(utterance) => match utterance.problem() {
                    None => format!("{what}: {}", utterance.phonemes),
                    Some(problem) => {
                        format!("{what}, but the voice {problem}: {}", utterance.phonemes)
                    }
                },
                Err(error) => format!("The phonemes can't be had: {}", why(error)),
            })
        }
    }
}
