//! Speech for someone who listens now: which voice is meant, what of the text is spoken, and the way to a
//! worker.

use serde_json::json;

use super::Local;
use crate::assets::{Assets, canonical_name};
use crate::narrate::{Casting, Manner, Request, lexicon_for, speech_plan};
use crate::service::speech::{FOREIGN_VOICES, Source, begin};
use crate::service::submit::{Ready, with_casting};
use crate::service::{Refusal, SpeechOrder, SpeechStream, current_trace, voice};
use crate::text::{FormatName, printable};

/// How much of a text is its title.
const TITLE_CHARS: usize = 40;

impl Local {
    pub(super) fn speak_now(&self, order: &SpeechOrder) -> Result<SpeechStream, Refusal> {
        let seat = self.listeners.enter()?;
        self.check_text(&order.text)?;
        let name = self.meant(order.voice.as_deref())?;
        let is_usual = name == self.settings.voice;
        let ready = voice::usable(&self.settings, &name)
            .map_err(|error| about(Refusal::of(&error), "voice"))?;
        let info = ready.voice.info();
        let speed = order.speed.unwrap_or(self.settings.speed);
        let speaker = self.settings.speaker.as_ref().filter(|_| is_usual);
        let settings = voice::check(info, speed, speaker)
            .map_err(|error| about(Refusal::of(&error), "speed"))?;
        if self.engine.stats().processing == 0 {
            // It opens while the text is cut.
            self.voices.warm_up(&ready.reference, &ready.voice);
        }
        let bytes = order.text.clone().into_bytes();
        let (plan, settings) = Request::from_bytes("the input".to_owned(), None, bytes)
            // Other programs' words have no markup but what asks for pauses, phonemes and the like.
            .map(|request| request.written_as(Some(FormatName::Plain)))
            .and_then(|request| {
                let manner = Manner {
                    pauses: &self.settings.pauses,
                    taste: &self.settings.taste(),
                    lexicon: &lexicon_for(&self.settings.paths, None)?,
                };
                let narrator = (info, ready.reference.as_str());
                with_casting(&self.settings, |casting| {
                    // A program that asks for a voice gets that one, also for what is quoted.
                    let casting = Casting {
                        dialogue: None,
                        chapters: None,
                        ..*casting
                    };
                    speech_plan(&request, narrator, &settings, manner, &casting)
                })
            })
            .map_err(|error| about(Refusal::invalid(error.to_string()), "input"))?;
        let Ready { voice, reference } = &ready;
        let source = Source {
            title: title(&order.text).into(),
            plan: plan.into(),
            voice: reference.as_str().into(),
            voice_version: voice.info().version.as_str().into(),
            settings,
            rate: voice.info().sample_rate,
            format: order.format,
            trace: current_trace(),
        };
        begin(self.engine.clone(), source, seat)
    }

    /// What `voice` may be in an order: the voices that are installed, and the names that the settings
    /// give them.
    pub(super) fn voices_to_order(&self) -> Vec<String> {
        let assets = Assets::from_settings(&self.settings);
        let installed = assets.voices().into_iter().filter(|voice| voice.installed);
        let mut names: Vec<_> = installed.map(|voice| voice.name).collect();
        let others = self.settings.voices.keys().cloned();
        for name in others.chain([self.usual_name()]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What the voice of the settings is called, also where they name its file.
    fn usual_name(&self) -> String {
        let voice = &self.settings.voice;
        let file = voice.strip_suffix(".onnx");
        let name = file.and_then(|file| file.rsplit('/').next());
        name.unwrap_or(voice).to_owned()
    }

    /// The voice that this name stands for. A path is no name here: whoever asks may be anywhere.
    fn meant(&self, name: Option<&str>) -> Result<String, Refusal> {
        let Some(name) = name.map(str::trim) else {
            return Ok(self.settings.voice.clone());
        };
        if let Some(voice) = self.settings.voices.get(name) {
            return Ok(voice.clone());
        }
        if FOREIGN_VOICES.contains(&name) || name == self.usual_name() {
            return Ok(self.settings.voice.clone());
        }
        let names = self.voices_to_order();
        if names.iter().any(|known| known == name) {
            return Ok(name.to_owned());
        }
        let assets = Assets::from_settings(&self.settings);
        if assets.is_known_blend(name) && assets.voice(name).is_ok() {
            return Ok(canonical_name(name));
        }
        let (name, names) = (printable(name), names.join(", "));
        let message = format!(
            "there is no voice {name} here: choose one of {names}, or install others with `aloud setup`"
        );
        Err(about(Refusal::invalid(message), "voice"))
    }

    fn check_text(&self, text: &str) -> Result<(), Refusal> {
        let most = self.settings.speech.max_chars as usize;
        let message = if text.trim().is_empty() {
            "there is no text to speak: the input is empty".to_owned()
        } else if text.len() > most && text.chars().count() > most {
            format!(
                "the input is longer than {most} characters: send less at a time, narrate it as a task, or \
                 raise speech.max_chars in the settings"
            )
        } else {
            return Ok(());
        };
        Err(about(Refusal::invalid(message), "input"))
    }
}

/// Says which part of the order is wrong.
fn about(mut refusal: Refusal, field: &str) -> Refusal {
    refusal.error.details = json!({ "field": field });
    refusal
}

fn title(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(TITLE_CHARS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
