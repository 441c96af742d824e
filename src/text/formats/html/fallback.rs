//! What stands in `<noscript>` and `<noframes>`, for browsers without scripts or frames. A listener has
//! neither, so it is read: in a page of frames it may be all the words there are, and in an article it may
//! be a picture's description. Two things nobody wants to hear: the request to turn scripts on, and a
//! picture that was told already, which a script would have put there. It must never leave out more.

use super::super::super::OmissionReason;
use super::super::writer::{Mark, Writer};

/// A request is shorter than this, in bytes.
const MOST: usize = 400;

/// What was written since `mark` is there for other browsers; it is left out if it only says so. `begun` is
/// what [`Pictures::told`] was then.
pub(super) fn end_fallback(
    writer: &mut Writer<'_>,
    mark: Mark,
    pictures: &mut Pictures,
    begun: usize,
) {
    let asks = |words: String| is_request(&words) && is_request(&pictures.without(words, begun));
    if writer.all_since(mark, MOST).is_some_and(asks) {
        writer.take_back(mark, OmissionReason::Html);
        pictures.told.truncate(begun);
    }
}

/// "Please enable JavaScript to view this page.", "Your browser does not support frames."
fn is_request(words: &str) -> bool {
    const ASKS: &[&str] = &[
        "activate",
        "activated",
        "allow",
        "allowed",
        "disabled",
        "enable",
        "enabled",
        "need",
        "needed",
        "needs",
        "require",
        "required",
        "requires",
        "support",
        "supported",
        "supports",
        // German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian.
        "aktivieren",
        "aktiviere",
        "aktiviert",
        "benötigt",
        "deaktiviert",
        "einschalten",
        "erforderlich",
        "activer",
        "activez",
        "activé",
        "désactivé",
        "nécessaire",
        "activar",
        "habilite",
        "habilitar",
        "requiere",
        "ativar",
        "ative",
        "abilita",
        "abilitare",
        "attiva",
        "attivare",
        "richiede",
        "inschakelen",
        "vereist",
        "włącz",
        "włączyć",
        "wymaga",
        "включите",
        "требуется",
    ];
    let lower = words.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let has = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let turns_on = has(&["turn", "switch"]) && has(&["on"]);
    let names_it = has(&["javascript"]) || words.windows(2).any(|pair| pair == ["java", "script"]);
    // Cookies are eaten, and frames hold pictures.
    let may_name_it =
        has(&["script", "scripts", "frames", "cookies"]) && has(&["browser", "enable", "enabled"]);
    (names_it || may_name_it) && (turns_on || has(ASKS))
}

/// The pictures of a page whose descriptions were told.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// Each with whether it is a fallback; nothing for one that was told by the picture before it.
    told: Vec<Option<(String, bool)>>,
}

impl Pictures {
    pub(super) fn told(&self) -> usize {
        self.told.len()
    }

    /// Whether the next picture repeats the one before: one of them is a fallback for the other.
    pub(super) fn repeats(&mut self, description: String, is_fallback: bool) -> bool {
        if !description.contains(char::is_alphanumeric) {
            return false;
        }
        let before = self.told.last().and_then(Option::as_ref);
        let repeats =
            before.is_some_and(|before| before.0 == description && (before.1 || is_fallback));
        self.told
            .push((!repeats).then_some((description, is_fallback)));
        repeats
    }

    /// The same words without the descriptions of the pictures among them, which ask for nothing.
    fn without(&self, mut words: String, begun: usize) -> String {
        for (description, _) in self.told.iter().skip(begun).take(MOST).flatten() {
            words = words.replacen(description, " ", 1);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_words() {
        for words in [
            "Please enable JavaScript to view this page.",
            "You need to turn Java Script on.",
            "This page requires JavaScript!",
            "Your browser does not support frames.",
            "Bitte aktivieren Sie JavaScript.",
        ] {
            assert!(is_request(words), "{words}");
        }
        for words in [
            "JavaScript and its friends",
            "Turn the oven on and bake the cookies.",
            "The frames support the roof.",
            "A description of scripts and browsers",
            "",
        ] {
            assert!(!is_request(words), "{words}");
        }
    }
}
