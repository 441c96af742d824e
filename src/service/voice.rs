//! The voice that a person asks for: found, able to speak, and asked for nothing that it can't do.

use std::path::Path;

use anyhow::{anyhow, bail};

use super::submit::{self, Ready};
use super::typed;
use crate::assets::AssetError;
use crate::model::NarrationSettings;
use crate::narrate::{VoiceError, load_voice};
use crate::settings::Settings;
use crate::speech::{Speaker, SpeechError, VoiceInfo};
use crate::text::{excerpt, printable};

/// The speeds that a voice can be asked for, as the settings have them.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

/// A voice that is installed, by its name or by a path as a person types it.
pub(super) fn usable(settings: &Settings, voice: &str) -> anyhow::Result<Ready> {
    let path = typed::path(Path::new(voice));
    let reference = if path.extension().is_some_and(|ending| ending == "onnx") {
        submit::reference(&path.to_string_lossy())
    } else {
        submit::reference(voice.trim())
    };
    let voice = load_voice(settings, &reference).map_err(|error| match error {
        VoiceError::Asset(AssetError::Missing { piece }) => {
            let voice = printable(&reference);
            anyhow!("{piece} is not installed: run `aloud setup --voice {voice}`")
        }
        VoiceError::Asset(error) => error.into(),
        VoiceError::Speech(error) => advised(error),
    })?;
    Ok(Ready { voice, reference })
}

/// How a voice speaks at this pace with this speaker, if it can.
pub(super) fn check(
    info: &VoiceInfo,
    speed: f32,
    speaker: Option<&Speaker>,
) -> anyhow::Result<NarrationSettings> {
    if !SPEEDS.contains(&speed) {
        let (slowest, fastest) = (SPEEDS.start(), SPEEDS.end());
        bail!("the speed {speed} is not possible: it must be from {slowest} to {fastest}");
    }
    let speaker = speaker
        .map(|speaker| speaker_of(info, speaker))
        .transpose()?;
    Ok(NarrationSettings {
        speed,
        speaker,
        others: Vec::new(),
    })
}

/// The number of a voice's speaker.
pub(crate) fn speaker_of(info: &VoiceInfo, speaker: &Speaker) -> anyhow::Result<u32> {
    /// So many names are told.
    const MOST: usize = 8;
    if let Some(number) = speaker.number(info.speakers, &info.speaker_names) {
        return Ok(number);
    }
    let (name, last) = (printable(&info.name), info.speakers.saturating_sub(1));
    let speaker = excerpt(&speaker.to_string(), 40);
    let names = info.speaker_names.keys().take(MOST);
    let names: Vec<_> = names.map(|name| printable(name)).collect();
    let called = match names.len() {
        0 => String::new(),
        few if few == info.speaker_names.len() => format!(", called {}", names.join(", ")),
        _ => format!(", called {} …", names.join(", ")),
    };
    bail!("the voice {name} has no speaker {speaker}: its speakers are 0 to {last}{called}");
}

/// The error with its advice. An interruption stays what it is: whoever asked for it knows.
pub(super) fn advised(error: SpeechError) -> anyhow::Error {
    match error {
        SpeechError::Interrupted => error.into(),
        error => anyhow!("{error}. {}", error.remediation()),
    }
}
