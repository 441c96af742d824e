//! Words in capitals. A sentence in capitals is said as any other; single ones are letters ("F B I"),
//! words made of letters ("NASA"), or words that someone stresses ("STOP").

use super::super::tokens::{Kind, Token};
use super::cardinal::{cardinal, digits};
use super::initials::is_lettered;
use super::lists::{SAID_AS_WORDS, SHORT_WORDS, SPELLED};
use super::{Read, Reader, is_all_large, spelled};

/// Which words are in capitals because all around them are.
#[derive(Debug, Default)]
pub(super) struct Shouting {
    /// First and last piece of each stretch.
    stretches: Vec<(usize, usize)>,
}

/// So many words in capitals, one after the other, are no names of letters.
const STRETCH: usize = 3;

impl Shouting {
    pub(super) fn of(text: &str, tokens: &[Token]) -> Self {
        let mut shouting = Self::default();
        let mut run: Option<(usize, usize, usize, bool)> = None;
        let end = |run: &mut Option<(usize, usize, usize, bool)>, shouting: &mut Self| {
            if let Some((first, last, words, has_word)) = run.take()
                && has_word
                && (words >= STRETCH || words == 2)
            {
                shouting.stretches.push((first, last));
            }
        };
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word {
                continue;
            }
            let word = &text[token.span.clone()];
            // "I" and "A" are capital anyway.
            let is_single = word.chars().count() == 1;
            if !is_all_large(word) {
                end(&mut run, &mut shouting);
                continue;
            }
            let bare = word.split(['\'', '’']).next().unwrap_or(word);
            let is_word = SHORT_WORDS.contains(&bare)
                || (bare.chars().count() > 3
                    && has_vowel(bare)
                    && !SPELLED.contains(&bare)
                    && !SAID_AS_WORDS.contains(&bare));
            run = match run {
                Some((first, _, words, has_word)) => Some((
                    first,
                    at,
                    words + usize::from(!is_single),
                    has_word || is_word,
                )),
                None if is_single => None,
                None => Some((at, at, 1, is_word)),
            };
        }
        end(&mut run, &mut shouting);
        shouting
    }

    pub(super) fn covers(&self, at: usize) -> bool {
        let after = self.stretches.partition_point(|(first, _)| *first <= at);
        after > 0 && at <= self.stretches[after - 1].1
    }
}

fn has_vowel(word: &str) -> bool {
    word.chars().any(|c| {
        matches!(c.to_ascii_uppercase(), 'A' | 'E' | 'I' | 'O' | 'U' | 'Y') || !c.is_ascii()
    })
}

impl Reader<'_> {
    /// A word in capitals, with the digits that touch it.
    pub(super) fn capitals(&self, at: usize) -> Option<Read> {
        if let Some(money) = self.money_by_letters(at) {
            return Some(money);
        }
        let word = self.word(at)?;
        let (letters, ending) = ["'s", "’s", "'S", "’S", "s"]
            .iter()
            .find_map(|ending| {
                let letters = word.strip_suffix(ending)?;
                let many = letters.chars().count() > 1
                    && letters.chars().all(char::is_alphabetic)
                    && is_all_large(letters);
                many.then_some((letters, "'s"))
            })
            .unwrap_or((word, ""));
        if !is_all_large(letters) {
            return self.mixed_case(at, word);
        }
        let is_single = letters.chars().count() == 1;
        if let Some(read) = self.with_digits(at, letters) {
            return Some(read);
        }
        // Nobody names these letters.
        let war = match letters {
            "WWI" => Some("World War One"),
            "WWII" => Some("World War Two"),
            _ => None,
        };
        if let Some(war) = war {
            return Some(Read::new(at + 1, format!("{war}{ending}")));
        }
        if self.shouting.covers(at) && !is_letters(letters) && letters != "I" {
            return Some(Read::new(at + 1, self.in_a_sentence(at, word)));
        }
        if is_single {
            return None;
        }
        if SAID_AS_WORDS.contains(&letters) {
            let said = if letters.len() < 4 {
                word.to_lowercase()
            } else {
                word.to_owned()
            };
            return Some(Read::new(at + 1, said));
        }
        let joined = [at.wrapping_sub(1), at + 1]
            .iter()
            .any(|&at| self.is_sign(at, '&'));
        if joined && letters.len() < 4 {
            return Some(Read::new(at + 1, spelled(letters) + ending));
        }
        // "IT was dark": the first words of a chapter in capitals.
        if letters == "IT"
            && self.is_start(at)
            && self.word_after(at + 1).is_some_and(|word| {
                matches!(
                    word,
                    "was" | "is" | "had" | "has" | "would" | "seemed" | "must" | "may"
                )
            })
        {
            return Some(Read::new(at + 1, "It"));
        }
        if letters == "WHO" && matches!(self.word_before(at), Some("the" | "The")) {
            return Some(Read::new(at + 1, spelled(letters)));
        }
        if SHORT_WORDS.contains(&letters) && (ending.is_empty() || !SPELLED.contains(&letters)) {
            return Some(Read::new(at + 1, word.to_lowercase()));
        }
        let are_letters = letters.is_ascii()
            && (letters.len() <= 3
                || SPELLED.contains(&letters)
                || !has_vowel(letters)
                || begins_unsayably(letters))
            && !matches!(letters, "OK");
        if are_letters {
            return Some(Read::new(at + 1, spelled(letters) + ending));
        }
        // Stressed, or letters that make a word: said like one.
        if self.is_sign(at + 1, '-')
            && let Some(number) = self.digits(at + 2)
        {
            let number = number.parse().ok().filter(|_| number.len() < 4);
            let said = number.map(|number| cardinal(number, self.british))?;
            return Some(Read::new(at + 3, format!("{word} {said}")));
        }
        None
    }

    /// A word in small letters, but for the first of a sentence.
    fn in_a_sentence(&self, at: usize, word: &str) -> String {
        if self.keeps_capitals(at, word) {
            return word.to_owned();
        }
        if let Some(irish) = irish_name(word) {
            return irish;
        }
        let small = word.to_lowercase();
        let mut before = self.tokens[..at].iter().rev().take(super::MOST_MARKS);
        let before = before.find(|token| match token.kind {
            Kind::Sign(sign) => !super::is_opening(sign) && !super::is_closing(sign),
            Kind::Blank => false,
            Kind::Word | Kind::Digits => true,
        });
        let begins =
            before.is_none_or(|token| matches!(token.kind, Kind::Sign('.' | '!' | '?' | '…')));
        let mut letters = small.chars();
        match letters.next() {
            Some(first) if begins => first.to_uppercase().chain(letters).collect(),
            _ => small,
        }
    }

    /// Whether a word is in capitals in any sentence: "NASA", and the "A" of "vitamin A is".
    fn keeps_capitals(&self, at: usize, word: &str) -> bool {
        let bare = word.split(['\'', '’']).next().unwrap_or(word);
        if word != "A" {
            return bare.len() > 3 && SAID_AS_WORDS.contains(&bare);
        }
        let ends = match self.word_after(at + 1) {
            None => true,
            Some(next) => matches!(next, "AND" | "FOR" | "IN" | "IS" | "OF" | "OR" | "WAS"),
        };
        ends && self.word_before(at).is_some_and(is_lettered)
    }

    /// "CO2", "H2O", "MP3", "A4", "M25", "COVID-19", "F-16".
    fn with_digits(&self, at: usize, letters: &str) -> Option<Read> {
        let hyphen = usize::from(self.is_sign(at + 1, '-'));
        let subscripts = self.subscripts(at + 1);
        if let Some((number, next)) = subscripts {
            let said = format!("{} {number}", spelled(letters));
            return Some(self.goes_on_in_letters(next, said));
        }
        let number = self.digits(at + 1 + hyphen)?;
        let next = at + 2 + hyphen;
        let is_code = !SHORT_WORDS.contains(&letters) && letters.chars().count() <= 5;
        let touches = self.touches(at)
            && !matches!(
                self.sign_at(at - 1),
                Some('(' | '“' | '"' | '-' | '/' | '‘')
            );
        let goes_on =
            (self.is_sign(next, '.') || self.is_sign(next, ':')) && self.digits(next + 1).is_some();
        if !is_code || touches || goes_on {
            return None;
        }
        let said_letters = match SAID_AS_WORDS.contains(&letters) {
            true => letters.to_lowercase(),
            false if letters.len() <= 3 || !has_vowel(letters) => spelled(letters),
            false => letters.to_owned(),
        };
        let words = match number.parse::<u64>() {
            Ok(value) if number.len() <= 3 && !number.starts_with('0') => {
                cardinal(value, self.british)
            }
            _ => digits(number),
        };
        Some(self.goes_on_in_letters(next, format!("{said_letters} {words}")))
    }

    /// Letters and digits that go on: the "O" of "H2O".
    fn goes_on_in_letters(&self, mut next: usize, mut said: String) -> Read {
        for _ in 0..4 {
            let Some(word) = self
                .word(next)
                .filter(|word| is_all_large(word) && word.len() < 4)
            else {
                break;
            };
            said = format!("{said} {}", spelled(word));
            next += 1;
            if let Some((number, past)) = self.subscripts(next) {
                said = format!("{said} {number}");
                next = past;
            } else if let Some(number) = self.digits(next) {
                said = format!("{said} {}", super::cardinal::whole(number, self.british));
                next += 1;
            }
        }
        Read::new(next, said)
    }

    /// "₂" in words, and what comes behind.
    fn subscripts(&self, at: usize) -> Option<(String, usize)> {
        let mut next = at;
        let mut number = String::new();
        while let Some(sign) = self.sign_at(next)
            && let Some(digit) = "₀₁₂₃₄₅₆₇₈₉".chars().position(|subscript| subscript == sign)
        {
            number.push(char::from(b'0' + u8::try_from(digit).ok()?));
            next += 1;
        }
        let value = number.parse().ok()?;
        Some((cardinal(value, self.british), next))
    }

    /// "PhD", "iPhone", "McHale": only the first is letters.
    fn mixed_case(&self, at: usize, word: &str) -> Option<Read> {
        let said = match word {
            "PhD" => "P H D",
            "PhDs" => "P H D's",
            _ => {
                // "Na₂", "mRNA" stay; chemists' letters are named.
                let (number, next) = self.subscripts(at + 1)?;
                return Some(self.goes_on_in_letters(next, format!("{} {number}", spelled(word))));
            }
        };
        Some(Read::new(at + 1, said))
    }
}

/// "O'Neill" for "O'NEILL".
fn irish_name(word: &str) -> Option<String> {
    let o = ["O'", "O’"].into_iter().find(|o| word.starts_with(o))?;
    let name = &word[o.len()..];
    let mut letters = name.chars();
    let first = letters.next().filter(|_| !matches!(name, "CLOCK" | "ER"))?;
    Some(format!("{o}{first}{}", letters.as_str().to_lowercase()))
}

/// Whether a word begins as none does that is said as one: "HDMI". "Y" counts as a vowel.
fn begins_unsayably(word: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "BH", "BL", "BR", "CH", "CL", "CR", "CZ", "DH", "DJ", "DR", "DV", "DW", "FJ", "FL", "FR",
        "GH", "GL", "GN", "GR", "GW", "HR", "KH", "KL", "KN", "KR", "KV", "KW", "LH", "LL", "MB",
        "MC", "MN", "ND", "NG", "NK", "PF", "PH", "PL", "PN", "PR", "PS", "PT", "QW", "RH", "RW",
        "SC", "SF", "SH", "SK", "SL", "SM", "SN", "SP", "SQ", "SR", "ST", "SV", "SW", "SZ", "TC",
        "TH", "TR", "TS", "TW", "TZ", "VL", "WH", "WR", "ZH", "ZL", "ZW",
    ];
    let is_short =
        word.len() <= 5 && word != "MPEG" && word.bytes().all(|byte| byte.is_ascii_uppercase());
    is_short
        && word
            .get(..2)
            .is_some_and(|start| !has_vowel(start) && !BEGINNINGS.contains(&start))
}

/// Letters that are named in a sentence of capitals as well.
fn is_letters(word: &str) -> bool {
    const KNOWN: &[&str] = &[
        "ABC", "BBC", "CIA", "CNN", "DNA", "EU", "FBI", "GPS", "HIV", "IBM", "IQ", "IRA", "IRS",
        "LSD", "MIT", "MTV", "NBA", "NFL", "NHS", "NYC", "PC", "PHD", "RNA", "SOS", "TNT", "TV",
        "UFO", "UK", "UN", "URL", "USA", "USB", "USSR", "VIP", "WWF",
    ];
    KNOWN.contains(&word)
        || SPELLED.contains(&word)
        || (begins_unsayably(word) && !matches!(word, "HMM" | "HMMM" | "SHH" | "SHHH" | "MMM"))
        || (word.len() > 1
            && !has_vowel(word)
            && !matches!(word, "HM" | "HMM" | "MM" | "SHH" | "BRR" | "PSST"))
}
