//! How texts are narrated from now on: what is changed by `use`, `speed`, `speaker` and `priority`, and
//! said by each of them.

use super::words::heard;
use crate::cli::desk::Desk;
use crate::model::Priority;
use crate::narrate::{NewNarration, NewText};
use crate::service::one_message;

/// What is to be changed. Without a value it is only said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Voice,
    Speed,
    Speaker,
    Priority,
}

/// The voice and its ways, for the texts to come.
pub(super) struct NarrationDefaults(NewNarration);

impl NarrationDefaults {
    /// As the settings have it.
    pub(super) fn new(desk: &Desk) -> Self {
        Self(desk.defaults(NewText::Typed(String::new())))
    }

    /// This text, spoken like that.
    pub(super) fn narrate(&self, text: NewText) -> NewNarration {
        NewNarration {
            text,
            ..self.0.clone()
        }
    }

    pub(super) fn speed(&self) -> f32 {
        self.0.speed
    }

    /// Changes one thing, if the voice can do it. Returns the sentence to be said.
    ///
    /// # Errors
    /// Why not, as a sentence; nothing is changed then.
    pub(super) fn change(
        &mut self,
        what: Change,
        value: &str,
        desk: &Desk,
    ) -> Result<String, String> {
        if value.is_empty() {
            return Ok(format!("Texts are narrated with {}.", self.said()));
        }
        let mut next = self.0.clone();
        match what {
            Change::Voice => {
                value.clone_into(&mut next.voice);
                // Another voice has speakers of its own.
                next.speaker = None;
            }
            Change::Speed => {
                let speed = value.trim_end_matches(['x', '×']).parse();
                next.speed = speed.map_err(|_| {
                    "speed takes a number; 1 is the voice's own pace, as in speed 1.2".to_owned()
                })?;
            }
            Change::Speaker if value.eq_ignore_ascii_case("first") => next.speaker = None,
            // Any word may be a name; whether it is one, the voice tells.
            Change::Speaker => next.speaker = value.parse().ok(),
            Change::Priority => {
                let named = |one: &Priority| value.eq_ignore_ascii_case(name(*one));
                let found = Priority::ALL.into_iter().find(named);
                next.priority = found.ok_or_else(|| {
                    let names = Priority::ALL.map(name).join(", ");
                    format!("priority takes one of {names}")
                })?;
            }
        }
        desk.hearing()
            .accepts(&next)
            .map_err(|error| heard(&one_message(&error)))?;
        self.0 = next;
        Ok(format!("From now on: {}.", self.said()))
    }

    fn said(&self) -> String {
        let NewNarration {
            voice,
            speed,
            speaker,
            priority,
            ..
        } = &self.0;
        let speaker = speaker
            .as_ref()
            .map(|speaker| format!(", speaker {speaker}"));
        let speaker = heard(&speaker.unwrap_or_default());
        let (voice, priority) = (heard(voice), name(*priority));
        format!("the voice {voice}, speed {speed}{speaker}, priority {priority}")
    }
}

fn name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    }
}
