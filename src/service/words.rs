//! Errors as sentences for a person.

use super::Refusal;
use crate::engine::Shortage;
use crate::speech::SpeechError;
use crate::text::printable;

/// The error and its causes on one line, each cause said once, safe to print.
pub(crate) fn one_message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    let io = error.downcast_ref::<std::io::Error>();
    if let Some(shortage) = io.and_then(Shortage::of) {
        message = format!("{message}. {}", shortage.remediation());
    }
    let speech = error
        .downcast_ref::<SpeechError>()
        .map(SpeechError::remediation);
    let refusal = error.downcast_ref::<Refusal>();
    let refusal = refusal.map(|refusal| &*refusal.error.remediation);
    if let Some(advice) = speech.or(refusal).filter(|advice| !advice.is_empty()) {
        message = format!("{message}. {advice}");
    }
    printable(&without_middle(message)).into_owned()
}

/// A message of any length, short enough to be read. Its beginning tells what happened, and its end
/// what to do; what is long is a name between them.
pub(crate) fn without_middle(message: String) -> String {
    const KEPT: (usize, usize) = (1000, 500);
    let begin = message.char_indices().nth(KEPT.0);
    let end = message.char_indices().nth_back(KEPT.1);
    match begin.zip(end) {
        Some(((begin, _), (end, _))) if begin < end => {
            format!("{}…{}", &message[..begin], &message[end..])
        }
        _ => message,
    }
}
