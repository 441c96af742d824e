//! What is said of a segment, or of a narration, that could not be made.

use std::time::Duration;

use serde_json::json;

use super::pipeline::TRIES;
use crate::clip::Fault;
use crate::engine::ErrorObject;
use crate::speech::Utterance;

pub(super) fn timeout_error(timeout: Option<Duration>) -> ErrorObject {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    ErrorObject::new(
        "TIMEOUT",
        format!("Operation exceeded timeout of {seconds} seconds"),
    )
    .with_details(json!({ "timeout_seconds": seconds, "partial_result": null }))
    .with_remediation("Try breaking the operation into smaller chunks or increase timeout")
}

/// The code of a segment that is left out because of what it did.
pub(super) const POISONOUS: &str = "POISONOUS";

pub(super) fn poisonous_error(crashes: u32) -> ErrorObject {
    ErrorObject::new(
        POISONOUS,
        format!("the program ended {crashes} times while it spoke this segment: it is left out"),
    )
    .with_details(json!({ "crashes": crashes }))
    .with_remediation(
        "See the log, and whether memory is short; narrate the text again to try it once more",
    )
}

pub(super) fn fault_error(fault: Fault) -> ErrorObject {
    ErrorObject::new(fault.code(), format!("{fault}, after {TRIES} tries")).with_remediation(
        "Write the sentence otherwise, or choose another voice; aloud phonemes shows how it is read",
    )
}

pub(super) fn unknown_error(utterance: &Utterance) -> Option<ErrorObject> {
    if utterance.unknown.is_empty() {
        return None;
    }
    let unknown = utterance.unknown.join(" ");
    Some(
        ErrorObject::new(
            "UNKNOWN_PHONEMES",
            format!("the voice doesn't know these phonemes and left them out: {unknown}"),
        )
        .with_details(json!({ "phonemes": utterance.unknown }))
        .with_remediation(
            "Write the word as it sounds, or choose a voice of its language; aloud phonemes shows \
             how it is read",
        ),
    )
}
