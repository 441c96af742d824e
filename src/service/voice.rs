//! The voice that a person asks for: found, able to speak, and asked for nothing that it can't do.

use std::path::Path;

use anyhow::{anyhow, bail};

use super::submit::{self, Ready};
use super::typed;
use crate::assets::AssetError;
use crate::narrate::{VoiceError, load_voice};
use crate::settings::Settings;
use crate::speech::{SpeechError, VoiceInfo};
use crate::text::printable;

/// The speeds that a voice can be asked for, as the settings have them.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

/// A voice that is installed, by its name or by a path as a person types it.
pub(super) fn usable(settings: &Settings, voice: &str) -> anyhow::Result<Ready> {
    let path = typed::path(Path::new(voice));
    let reference = if path.extension().is_some_and(|ending| ending == "onnx") {
        submit::reference(&path.to_string_lossy())
    } else {
        voice.trim().to_owned()
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

/// Whether a voice can speak at this pace, and with this speaker.
pub(super) fn check(info: &VoiceInfo, speed: f32, speaker: Option<u32>) -> anyhow::Result<()> {
    if !SPEEDS.contains(&speed) {
        let (slowest, fastest) = (SPEEDS.start(), SPEEDS.end());
        bail!("the speed {speed} is not possible: it must be from {slowest} to {fastest}");
    }
    if let Some(speaker) = speaker.filter(|speaker| *speaker >= info.speakers) {
        let (name, last) = (printable(&info.name), info.speakers.saturating_sub(1));
        bail!("the voice {name} has no speaker {speaker}: its speakers are 0 to {last}");
    }
    Ok(())
}

/// The error with its advice. An interruption stays what it is: whoever asked for it knows.
pub(super) fn advised(error: SpeechError) -> anyhow::Error {
    match error {
        SpeechError::Interrupted => error.into(),
        error => anyhow!("{error}. {}", error.remediation()),
    }
}
