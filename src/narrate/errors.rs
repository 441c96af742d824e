//! What is said of a segment, or of a narration, that could not be made.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::pipeline::{MOST_KILLS, TRIES};
use crate::clip::Fault;
use crate::engine::{ErrorCode, ErrorObject};
use crate::speech::{SpeechError, Utterance};

pub(super) fn timeout_error(timeout: Option<Duration>) -> ErrorObject {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    ErrorObject::new(
        ErrorCode::Timeout,
        format!("Operation exceeded timeout of {seconds} seconds"),
    )
    .with_details(json!({ "timeout_seconds": seconds, "partial_result": null }))
    .with_remediation("Try breaking the operation into smaller chunks or increase timeout")
}

/// The voice crashed of a segment that was alone in it, and not for the first time.
pub(super) fn poisonous_error(signal: &str) -> ErrorObject {
    ErrorObject::new(
        ErrorCode::Poisonous,
        format!("the voice crashed twice ({signal}) while it spoke this segment: it is left out"),
    )
    .with_details(json!({ "signal": signal }))
    .with_remediation(
        "Write the sentence otherwise, or choose another voice; narrate the text again to try it once \
         more",
    )
}

/// The system has ended the voice again and again while a segment was alone in it.
pub(super) fn memory_error(death: &SpeechError) -> ErrorObject {
    ErrorObject::new(
        ErrorCode::OutOfMemory,
        format!("{death}, {MOST_KILLS} times while it spoke this segment: it is left out"),
    )
    .with_remediation(format!("{}; what is finished is kept", death.remediation()))
}

/// Another narration has the folder by now.
pub(super) fn folder_error(folder: &Path) -> ErrorObject {
    let folder = folder.display();
    let message = format!("the folder {folder} belongs to another narration");
    ErrorObject::new(ErrorCode::FolderTaken, message)
        .with_remediation("Narrate the text again: it gets a folder of its own")
}

pub(super) fn fault_error(fault: Fault) -> ErrorObject {
    ErrorObject::new(fault.code(), format!("{fault}, after {TRIES} tries")).with_remediation(
        "Write the sentence otherwise, or choose another voice; aloud phonemes shows how it is read",
    )
}

/// A segment that this voice has no sound for.
pub(super) fn silence_error(utterance: &Utterance) -> ErrorObject {
    let foreign = wording_error(utterance).filter(|_| !utterance.spelled.is_empty());
    foreign.unwrap_or_else(|| {
        ErrorObject::new(
            ErrorCode::NothingToSpeak,
            "nothing in this segment can be spoken by this voice",
        )
        .with_remediation("Write it in words, or choose a voice of its language")
    })
}

/// What is wrong with how a segment is spoken before it is heard.
pub(super) fn wording_error(utterance: &Utterance) -> Option<ErrorObject> {
    let problem = utterance.problem()?;
    let code = if utterance.spelled.is_empty() {
        ErrorCode::UnknownPhonemes
    } else {
        ErrorCode::ForeignScript
    };
    let details = json!({ "phonemes": utterance.unknown_phonemes(), "words": utterance.spelled });
    Some(
        ErrorObject::new(code, format!("the voice {problem}"))
            .with_details(details)
            .with_remediation(
                "Write the word as it sounds, or choose a voice of its language; aloud phonemes \
                 shows how it is read",
            ),
    )
}
