//! Parts a sentence into words, marks and phonemes, each with its place in the text. Whatever is
//! alphanumeric is in a word. How a word sounds is none of its business.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Whether a blank stands before it.
    pub blank: bool,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word as it is looked up: composed, with straight apostrophes.
    Word(String),
    /// A mark of the alphabet.
    Mark(&'static str),
    /// A hyphen between two parts of a word.
    Hyphen,
    /// A sign that is said: its word.
    Sign(&'static str),
    /// Phonemes that the text gives.
    Sounds(String),
    /// The same with an s behind them, as of an owner.
    SoundsWithS(String),
    /// A sign that nothing is known for.
    Strange,
}

/// The parts of a text, in order. `is_word` tells whether a word is listed that begins with an apostrophe.
pub(super) fn tokens(text: &str, is_word: &dyn Fn(&str) -> bool) -> Vec<Token> {
    let mut all = Vec::new();
    let mut start = 0;
    let mut looked = 0;
    while let Some(end) = text[looked..].find("]]").map(|at| looked + at + 2) {
        looked = end;
        if let Some(open) = text[start..end].rfind("[[").map(|at| start + at) {
            Scanner::new(text, start..open, is_word).scan(&mut all);
            let sounds = text[open + 2..end - 2].trim().to_owned();
            let behind = &text[end..];
            let ending = ["'s", "’s", "s"].into_iter().find(|ending| {
                let rest = behind.strip_prefix(ending);
                rest.is_some_and(|rest| !rest.starts_with(is_of_a_word))
            });
            start = end + ending.map_or(0, str::len);
            all.push(Token {
                range: open..start,
                blank: text[..open].ends_with(char::is_whitespace),
                kind: match ending {
                    Some(_) => Kind::SoundsWithS(sounds),
                    None => Kind::Sounds(sounds),
                },
            });
            looked = start;
        }
    }
    Scanner::new(text, start..text.len(), is_word).scan(&mut all);
    all
}

struct Scanner<'a> {
    text: &'a str,
    /// Where it is, and where it ends.
    at: usize,
    end: usize,
    /// Whether a single quote has been opened, and a double one.
    quoted: (bool, bool),
    is_word: &'a dyn Fn(&str) -> bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, range: Range<usize>, is_word: &'a dyn Fn(&str) -> bool) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
            quoted: (false, false),
            is_word,
        }
    }

    fn scan(&mut self, all: &mut Vec<Token>) {
        while let Some(c) = self.next_char() {
            let start = self.at;
            if c.is_whitespace() {
                self.at += c.len_utf8();
                continue;
            }
            let kind = if is_of_a_word(c) {
                Some(self.word(start))
            } else {
                self.sign(c)
            };
            // Whatever happens, it goes forward.
            self.at = self.at.max(start + c.len_utf8());
            let blank = self.text[..start].ends_with(char::is_whitespace);
            let range = start..self.at;
            all.extend(kind.map(|kind| Token { range, blank, kind }));
        }
    }

    fn next_char(&self) -> Option<char> {
        self.text[self.at..self.end].chars().next()
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    fn word(&mut self, start: usize) -> Kind {
        self.take_letters();
        loop {
            let rest = &self.text[self.at..self.end];
            let mut chars = rest.chars();
            let (Some(c), behind) = (chars.next(), chars.next()) else {
                break;
            };
            let continues = behind.is_some_and(is_of_a_word);
            let before = self.before().unwrap_or(' ');
            let is_joint = match c {
                '\'' | '’' | 'ʼ' => continues,
                '.' | ',' => before.is_ascii_digit() && behind.is_some_and(|c| c.is_ascii_digit()),
                _ => false,
            };
            if is_joint {
                self.at += c.len_utf8();
                self.take_letters();
            } else if c == '.' && self.is_initialism(start) {
                self.at += 1;
                self.take_letters();
            } else if is_apostrophe(c) && !self.quoted.0 && self.drops_letter(start) {
                self.at += c.len_utf8();
                break;
            } else {
                break;
            }
        }
        Kind::Word(clean(&self.text[start..self.at]))
    }

    fn take_letters(&mut self) {
        let rest = &self.text[self.at..self.end];
        let length = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        self.at += length;
    }

    /// Whether what has been read is letters with points between them, and another point belongs to them:
    /// "U.S.A.", "e.g.". The last point of a text ends the sentence as well, and stays.
    fn is_initialism(&self, start: usize) -> bool {
        let word = &self.text[start..self.at];
        let behind = &self.text[self.at + 1..self.end];
        let single = |part: &str| {
            let mut chars = part.chars();
            chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
        };
        let next = behind.chars().next();
        let letters = word.split('.').all(single);
        let another = || {
            let length = behind.find(|c| !is_of_a_word(c)).unwrap_or(behind.len());
            single(&behind[..length])
        };
        let closes = word.contains('.') && behind.chars().any(char::is_alphanumeric);
        letters && ((next.is_some_and(char::is_alphabetic) && another()) || closes)
    }

    /// Whether the apostrophe behind a word stands for a letter: "goin'", "th'".
    fn drops_letter(&self, start: usize) -> bool {
        let word = clean(&self.text[start..self.at]);
        (self.is_word)(&format!("{word}'"))
    }

    fn sign(&mut self, c: char) -> Option<Kind> {
        let start = self.at;
        let before = self.before();
        self.at += c.len_utf8();
        let behind = self.next_char();
        let opens = behind.is_some_and(|c| !c.is_whitespace())
            && before.is_none_or(|c| c.is_whitespace() || "([{—–-/“‘\"'".contains(c));
        let kind = match c {
            '\'' | '’' | '‘' | '‛' | 'ʼ' | '`' | '´' => return self.quote(c, start, opens),
            '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '″' => {
                let is_open = match c {
                    '“' | '„' | '«' | '‹' | '‟' => true,
                    '”' | '»' | '›' => false,
                    _ => opens || (behind.is_some_and(is_of_a_word) && !self.quoted.1),
                };
                self.quoted.1 = is_open;
                Kind::Mark(if is_open { "“" } else { "”" })
            }
            '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '⸺' | '⸻' | '−' => {
                return self.dash(c, before);
            }
            '.' => {
                let dots = self.text[start..self.end]
                    .chars()
                    .take_while(|c| *c == '.')
                    .count();
                if dots == 1 && behind.is_some_and(char::is_lowercase) {
                    // ".txt", "example.com".
                    Kind::Sign("dot")
                } else if dots == 1 {
                    Kind::Mark(".")
                } else {
                    self.at = start + dots;
                    Kind::Mark("...")
                }
            }
            '…' | '‥' | '⋯' => Kind::Mark("…"),
            ',' | '，' | '、' | '،' => Kind::Mark(","),
            ';' | '；' => Kind::Mark(";"),
            // "11:42".
            ':' if is_digit(before) && is_digit(behind) => return None,
            ':' | '：' => Kind::Mark(":"),
            '!' | '！' | '¡' => Kind::Mark("!"),
            '?' | '？' | '¿' => Kind::Mark("?"),
            '‽' => Kind::Mark("?!"),
            '。' => Kind::Mark("."),
            '(' | '[' | '{' | '（' | '⟨' => Kind::Mark("("),
            ')' | ']' | '}' | '）' | '⟩' => Kind::Mark(")"),
            // Between words it parts them; alone it is said.
            '/' => {
                let parts = before.is_some_and(is_of_a_word) || behind.is_some_and(is_of_a_word);
                return (!parts).then_some(Kind::Sign("slash"));
            }
            // They decorate, or can't be seen.
            '*' | '_' | '~' | '|' | '\\' | '^' | '•' | '·' | '™' | '®' | '¶' | '†' | '‡' =>
            {
                return None;
            }
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'
            | '\u{feff}'
            | '\u{fe0e}'
            | '\u{fe0f}' => return None,
            c if c.is_control() => return None,
            _ => name(c).map_or(Kind::Strange, Kind::Sign),
        };
        Some(kind)
    }

    /// A single quote, or a word that begins with an apostrophe.
    fn quote(&mut self, c: char, start: usize, opens: bool) -> Option<Kind> {
        if c != '‘' || self.next_char().is_some_and(is_of_a_word) {
            let after = self.at;
            if opens && self.next_char().is_some_and(is_of_a_word) {
                if let Kind::Word(word) = self.word(after) {
                    let word = format!("'{word}");
                    let closed = format!("{word}'");
                    // "rock 'n' roll".
                    if self.next_char().is_some_and(is_apostrophe) && (self.is_word)(&closed) {
                        self.at += self.next_char().map_or(0, char::len_utf8);
                        return Some(Kind::Word(closed));
                    }
                    if (self.is_word)(&word) || word.starts_with(|c: char| c.is_ascii_digit()) {
                        return Some(Kind::Word(word));
                    }
                }
                self.at = after;
            }
        }
        if opens {
            self.quoted.0 = true;
            return Some(Kind::Mark("“"));
        }
        let was_open = std::mem::take(&mut self.quoted.0);
        let before = self.text[..start].chars().next_back();
        // "The dogs' tails": an owner, unless a quotation is open.
        let owns = before.is_some_and(is_of_a_word) && !was_open;
        (!owns && before.is_some_and(|c| !c.is_whitespace())).then_some(Kind::Mark("”"))
    }

    fn dash(&mut self, c: char, before: Option<char>) -> Option<Kind> {
        let start = self.at - c.len_utf8();
        let mut run = 1;
        while let Some(next) = self.next_char().filter(|c| is_dash(*c)) {
            self.at += next.len_utf8();
            run += 1;
        }
        let behind = self.next_char();
        let (before_it, behind_it) = (&self.text[..start], &self.text[self.at..self.end]);
        // "rock-'n'-roll", but not "'70s-'80s".
        let before_it = before_it
            .strip_suffix(is_apostrophe)
            .filter(|word| word.ends_with(char::is_alphabetic))
            .unwrap_or(before_it);
        let behind_it = behind_it
            .strip_prefix(is_apostrophe)
            .filter(|word| word.starts_with(char::is_alphabetic))
            .unwrap_or(behind_it);
        let joins = before_it.ends_with(is_of_a_word) && behind_it.starts_with(is_of_a_word);
        let is_hyphen = matches!(c, '-' | '‐' | '‑') && run == 1;
        if is_hyphen && joins {
            return Some(Kind::Hyphen);
        }
        let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        // "pre- and post-war": nothing is said.
        let hangs = is_hyphen && is_blank(before) != is_blank(behind);
        (!hangs).then_some(Kind::Mark("—"))
    }
}

fn is_digit(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_digit())
}

fn is_dash(c: char) -> bool {
    "-‐‑‒–—―⸺⸻−".contains(c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ')
}

/// Letters, digits and what stands above or below them.
pub(super) fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() && c != 'ʼ' || is_combining_mark(c)
}

/// A word as it is looked up.
fn clean(word: &str) -> String {
    let word = word.replace(['’', 'ʼ'], "'").replace('\u{ad}', "");
    word.nfkc().collect()
}

/// What a sign is called.
fn name(sign: char) -> Option<&'static str> {
    Some(match sign {
        '&' | '＆' => "and",
        '@' => "at",
        '+' | '＋' => "plus",
        '=' | '＝' => "equals",
        '%' | '％' => "percent",
        '‰' => "permille",
        '#' => "number",
        '°' => "degrees",
        '§' => "section",
        '©' => "copyright",
        '<' => "less than",
        '>' => "greater than",
        '≈' => "about",
        '≤' => "at most",
        '≥' => "at least",
        '≠' => "not equal to",
        '×' | '✕' => "times",
        '÷' => "divided by",
        '±' => "plus or minus",
        '√' => "root",
        '∞' => "infinity",
        '$' => "dollars",
        '£' => "pounds",
        '€' => "euros",
        '¥' => "yen",
        '¢' => "cents",
        '₹' => "rupees",
        '→' => "to",
        '′' => "minutes",
        _ => return None,
    })
}
