//! Words that are to be said otherwise: a line in a lexicon, and what it touches is made again.

use std::sync::Arc;
use std::time::Duration;

use smol::Timer;
use smol::future::or;

use super::{Local, lock};
use crate::engine::{SubmitError, WaitError};
use crate::model::{Narration, TaskId, TaskKind};
use crate::narrate::{
    ChangedLexicon, Language, LibraryId, Manner, Owner, lexicon_for, pass_on, read_again, spoken_by,
};
use crate::service::adding::refused;
use crate::service::{
    Action, Corrected, Correction, Done, Refusal, Service, TaskAction, foreign, speaker_of, voice,
};
use crate::speech::Speaker;

/// How long a narration that is in work may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

impl Local {
    pub(super) fn correct_word(
        &self,
        id: &TaskId,
        correction: &Correction,
    ) -> Result<Corrected, Refusal> {
        // One line after the other, or one would be lost; a trial writes none.
        let _correcting = (!correction.is_trial).then(|| lock(&self.correcting));
        let (word, said) = (correction.word.trim(), correction.said.trim());
        if said.is_empty() {
            let message = "nothing is to be said for it: give other words, or phonemes such as \
                           /ˈoʊmən/";
            return Err(Refusal::invalid(message));
        }
        let id = &self.newest(id);
        let advice = "Write the word into the lexicon and narrate the text again: what is said as before is not \
                      made again";
        let narration = self.narration(id, advice)?;
        let file = narration.file.as_deref();
        if correction.only_here && file.is_none() {
            let message = "this text was read from no file, so it has no lexicon of its own; say it \
                           for all texts";
            return Err(Refusal::invalid(message));
        }
        let ready = voice::usable(&self.settings, &narration.voice).map_err(refused)?;
        let version = &*narration.voice_version;
        if !version.is_empty() && version != ready.voice.info().version {
            let why = "was made with another version of its voice; narrate the text again";
            return Err(Refusal::conflict(id, why));
        }
        let paths = &self.settings.paths;
        let wrong = |error| refused(anyhow::Error::from(error));
        let own = file.filter(|_| correction.only_here);
        let changed = ChangedLexicon::new(paths, own, word, said).map_err(wrong)?;
        if own.is_none() && changed.is_overruled(file).map_err(wrong)? {
            let message = "the lexicon beside this text says something of its own for this word: say it \
                           for this text";
            return Err(Refusal::invalid(message));
        }
        let manner = Manner {
            pauses: &self.settings.pauses,
            taste: &self.settings.taste(),
            lexicon: &changed.lexicon_for(paths, file).map_err(wrong)?,
        };
        let again = read_again(&narration, &ready.voice.info().language, manner);
        let old = narration.plan.iter().map(|(_, segment)| &segment.reading);
        let new = again.plan.iter().map(|(_, segment)| &segment.reading);
        let segments = old.zip(new).filter(|(old, new)| old != new).count();
        let looked_at = correction.segment.and_then(|id| again.plan.get(id));
        let mut corrected = Corrected {
            lexicon: changed.path().display().to_string(),
            segments,
            spoken: looked_at.map(|segment| segment.spoken().into_owned()),
            task: None,
        };
        if !correction.is_trial {
            changed.write().map_err(wrong)?;
            tracing::info!(task = %id, word, said, segments, "said otherwise from now on");
            if segments > 0 {
                let made = self.make_again(id, &narration, again);
                // The person is told what is so now, whatever else is wrong.
                let kept = |mut refusal: Refusal| {
                    let advice = refusal.error.remediation;
                    let kept =
                        "The word is in the lexicon, and holds for what is narrated from now on";
                    refusal.error.remediation = match advice.is_empty() {
                        true => kept.into(),
                        false => format!("{advice}. {kept}"),
                    };
                    refusal
                };
                corrected.task = Some(made.map_err(kept)?);
            }
        }
        Ok(corrected)
    }

    /// Has another voice, or another speaker, speak a narration, in its folder. With the task that does.
    pub(super) fn render(
        &self,
        id: &TaskId,
        voice: &str,
        speaker: Option<&Speaker>,
    ) -> Result<Done, Refusal> {
        let _correcting = lock(&self.correcting);
        let id = &self.newest(id);
        let advice = "Narrate the text again with this voice";
        let narration = self.narration(id, advice)?;
        let ready = voice::usable(&self.settings, voice).map_err(refused)?;
        let info = ready.voice.info();
        let speaker = speaker.map(|speaker| speaker_of(info, speaker)).transpose();
        let speaker = speaker.map_err(refused)?;
        // By its name or by its path, it is the same voice: what failed is made again.
        let is_same = speaker.is_none() || speaker == narration.settings.speaker;
        if is_same && *narration.voice_version == *info.version {
            return self.act_on(id, &TaskAction::Retry(Vec::new()));
        }
        let lexicon = lexicon_for(&self.settings.paths, narration.file.as_deref());
        let manner = Manner {
            pauses: &self.settings.pauses,
            taste: &self.settings.taste(),
            lexicon: &lexicon.map_err(|error| refused(error.into()))?,
        };
        let again = spoken_by(&narration, info, &ready.reference, speaker, manner);
        let texts = narration.plan.iter().map(|(_, segment)| &*segment.text);
        let language = Language::of_texts(None, texts);
        let notes = foreign(&self.settings, info, language.as_ref());
        Ok(Done {
            notes: Vec::from_iter(notes),
            ..Done::of(self.make_again(id, &narration, again)?)
        })
    }

    /// The task that has the folder of this one by now: whoever tried again what had failed in it, or made it
    /// again.
    fn newest(&self, id: &TaskId) -> TaskId {
        let folder = self.engine.task_status(id).and_then(|task| task.folder);
        let newest = folder.and_then(|folder| {
            let tasks = self.engine.tasks();
            let newest = tasks
                .iter()
                .rfind(|task| task.folder.as_ref() == Some(&folder));
            newest.map(|task| task.id.clone())
        });
        newest.unwrap_or_else(|| id.clone())
    }

    /// A narration that is still whole; `advice` is for one that is not.
    fn narration(&self, id: &TaskId, advice: &str) -> Result<Arc<Narration>, Refusal> {
        let stored = self.engine.stored_narration(id);
        let stored = stored.map_err(|error| Refusal::failed(error.to_string()))?;
        stored.ok_or_else(|| match self.engine.task_status(id).map(|task| task.kind) {
            None => Refusal::no_task(id),
            Some(TaskKind::Narration) => {
                Refusal::conflict(id, "has left only a line of history").with_remediation(advice)
            }
            Some(_) => Refusal::conflict(id, "is no narration"),
        })
    }

    /// The task that takes the place of this one. Whatever may refuse that does so before anything is
    /// cancelled.
    fn make_again(&self, id: &TaskId, old: &Narration, new: Narration) -> Result<TaskId, Refusal> {
        let failed = |error: std::io::Error| Refusal::failed(error.to_string());
        let library = LibraryId::of(&self.settings.paths.library).map_err(failed)?;
        let (from, to) = (Owner::new(&library, old), Owner::new(&library, &new));
        let status = self.engine.task_status(id);
        let unfinished = status.filter(|status| !status.state.is_terminal());
        if unfinished.is_some() {
            let mut tasks = self.engine.tasks().into_iter();
            if tasks.any(|task| !task.state.is_terminal() && task.after.contains(id)) {
                let why = "has tasks that wait for its end; try it again when it has ended";
                return Err(Refusal::conflict(id, why));
            }
        }
        // It is the old one's until nothing else can be wrong.
        if !pass_on(&new.folder, &from, &from).map_err(failed)? {
            let folder = new.folder.display();
            let why = format!("has no folder any more: {folder} is another's");
            return Err(Refusal::conflict(id, &why));
        }
        let began = unfinished
            .as_ref()
            .is_none_or(|it| it.started_at.is_some() || !it.completed_segments.is_empty());
        if unfinished.is_some() {
            // One that has ended in this moment is what was wanted.
            let _ = self.engine.cancel_task(id);
            self.await_end(id)?;
        }
        let folder = new.folder.clone();
        pass_on(&folder, &from, &to).map_err(failed)?;
        let waits_alike = unfinished.is_some();
        let task = match self.engine.submit_instead(id, new, waits_alike) {
            Ok(task) => task,
            // Someone has added the same text meanwhile.
            Err(SubmitError::Duplicate(task)) => task,
            Err(error) => {
                // One that has handed its clips over is replaced, whatever came after that. An engine that
                // ends can't be asked, and has taken nothing.
                if !matches!(self.engine.stored_narration(id), Ok(None))
                    && let Err(error) = pass_on(&folder, &to, &from)
                {
                    tracing::error!(%error, folder = %folder.display(), "its mark can't be set back");
                }
                return Err(Refusal::from(error)
                    .with_remediation("Its clips are kept: try it again with `aloud retry`"));
            }
        };
        if began {
            // A person listens to it. It is there in any case.
            let tasks = vec![task.clone()];
            let _ = self.act(&Action::First { tasks });
        }
        Ok(task)
    }

    fn await_end(&self, id: &TaskId) -> Result<(), Refusal> {
        let ended = async { Some(self.engine.wait_async(id).await) };
        let late = async {
            Timer::after(PATIENCE).await;
            None
        };
        match smol::block_on(or(ended, late)) {
            Some(Ok(_) | Err(WaitError::Unknown)) => Ok(()),
            Some(Err(_)) => Err(SubmitError::ShutDown.into()),
            None => Err(Refusal::conflict(
                id,
                "is being cancelled and does not end; try it again when it has ended",
            )),
        }
    }
}
