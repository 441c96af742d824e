//! Characters that eSpeak does not know. It says "letter" and the digits of their number, or nothing at
//! all, and nobody would find that before listening. What it says of each is asked once.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use unicode_script::{Script, UnicodeScript};

use crate::speech::{Clause, SpeechError};

/// Characters that no language of eSpeak has: what it says of them begins as it does of any other that
/// it does not know.
const UNKNOWN: [&str; 2] = ["\u{A66E}", "\u{298}"];

/// So many characters are remembered; a text has no more that matter.
const MOST: usize = 4096;

/// What is known of characters, for one voice of eSpeak.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    beginning: OnceLock<String>,
    known: Mutex<HashMap<char, bool>>,
}

impl Unreadable {
    /// The words of a text that hold a character which is not read. `own` are the scripts of the
    /// language, which need no asking; `ask` is eSpeak.
    pub(super) fn words<'t>(
        &self,
        text: &'t str,
        own: &[Script],
        ask: &dyn Fn(&str) -> Result<Vec<Clause>, SpeechError>,
    ) -> Result<Vec<&'t str>, SpeechError> {
        let mut words = Vec::new();
        if text.is_ascii() {
            return Ok(words);
        }
        for word in text.split_whitespace() {
            for c in word.chars().filter(|c| is_doubtful(*c, own)) {
                if self.is_unread(c, ask)? {
                    words.push(word.trim_matches(|c: char| c.is_ascii_punctuation()));
                    break;
                }
            }
        }
        Ok(words)
    }

    fn is_unread(
        &self,
        c: char,
        ask: &dyn Fn(&str) -> Result<Vec<Clause>, SpeechError>,
    ) -> Result<bool, SpeechError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unread) = known().get(&c) {
            return Ok(*unread);
        }
        let said = ipa(&ask(&c.to_string())?);
        let beginning = if let Some(beginning) = self.beginning.get() {
            beginning
        } else {
            let [one, other] = UNKNOWN.map(ask);
            let beginning = common(&ipa(&one?), &ipa(&other?));
            self.beginning.get_or_init(|| beginning)
        };
        let is_garbled = !beginning.is_empty() && said.starts_with(beginning.as_str());
        let unread = is_garbled || !said.contains(char::is_alphabetic);
        let mut known = known();
        if known.len() < MOST {
            known.insert(c, unread);
        }
        Ok(unread)
    }
}

fn ipa(clauses: &[Clause]) -> String {
    clauses.iter().map(|clause| clause.ipa.as_str()).collect()
}

/// What two words have in common at their beginning, if that is more than by chance.
fn common(one: &str, other: &str) -> String {
    const LEAST: usize = 3;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let beginning: String = same.map(|(c, _)| c).collect();
    let sounds = beginning.chars().filter(|c| c.is_alphabetic()).count();
    if sounds < LEAST {
        String::new()
    } else {
        beginning
    }
}

/// Letters and digits beyond the common ones, and signs that mean something.
fn is_doubtful(c: char, own: &[Script]) -> bool {
    if matches!(c, '\0'..='\u{17F}') {
        return false;
    }
    let is_sign = matches!(c,
        '\u{2030}' | '\u{2031}' | '\u{2070}'..='\u{209F}' | '\u{20A0}'..='\u{20CF}'
        | '\u{2100}'..='\u{218F}' | '\u{2200}'..='\u{22FF}');
    let script = c.script();
    let is_own = script != Script::Latin && own.contains(&script);
    (c.is_alphanumeric() && !is_own) || is_sign
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn what_is_not_read_is_found_and_asked_once() {
        let asked = RefCell::new(Vec::new());
        let ask = |text: &str| {
            asked.borrow_mut().push(text.to_owned());
            let ipa = match text {
                "\u{A66E}" => "lˌɛɾɚˈeɪsˈɪks",
                "\u{298}" | "ȡ" => "lˌɛɾɚtˈuː",
                "∂" => "",
                "ŋ" => "ˈɛŋɡ",
                _ => "x",
            };
            Ok(vec![Clause {
                ipa: ipa.into(),
                consumed: text.into(),
            }])
        };
        let unreadable = Unreadable::default();
        let words = |text| unreadable.words(text, &[Script::Latin], &ask).unwrap();
        assert_eq!(words("A ȡog, naïve “café” and ∂x; ŋ!"), ["ȡog", "∂x"]);
        assert_eq!(words("plain"), [""; 0]);
        let before = asked.borrow().len();
        assert_eq!(words("ȡ ȡ ŋ"), ["ȡ", "ȡ"]);
        assert_eq!(asked.borrow().len(), before);
    }
}
