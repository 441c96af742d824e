//! From the parts of a sentence to its phonemes, from the last to the first: how "the", "a" and "to" are said
//! depends on what follows them.

use std::collections::HashMap;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use super::endings::{self, Ending};
use super::stress::{self, begins_with_vowel};
use super::tokens::{Kind, Token, is_of_a_word};
use super::{Dialect, English, Read, digits, sounds};
use crate::speech::SpeechError;

/// What is said behind a word.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    /// Whether it begins with a vowel; `None` at a pause.
    vowel: Option<bool>,
    /// Whether it is "to".
    to: bool,
}

/// A part of a word that is looked up by itself: "well" and "known", "Mac" and "Gregor".
#[derive(Clone, Debug)]
struct Part<'a> {
    text: String,
    tag: &'a str,
    /// What stands before it in the word.
    glue: &'static str,
}

/// What a word is said as.
#[derive(Clone, Debug, Default)]
struct Said {
    phonemes: String,
    /// Parts that nothing is known for.
    unknown: Vec<String>,
}

/// Where a word stands among the tokens.
struct Group {
    tokens: Range<usize>,
    said: Said,
}

/// How the exceptions of the file part words: "can't" into "ca" and "n't".
pub(super) type Exceptions = HashMap<String, Vec<String>>;

/// No word that is listed has more parts.
const MOST_PARTS: usize = 6;

impl English {
    /// The phonemes of a text that is in tokens already.
    pub(super) fn say(&self, text: &str, mut tokens: Vec<Token>) -> Result<Read, SpeechError> {
        let shouted = is_shouted(&tokens);
        if shouted {
            for token in &mut tokens {
                if let Kind::Word(word) = &mut token.kind
                    && is_all_capitals(word)
                    && self.lexicon.get(&word.to_lowercase()).is_some()
                {
                    *word = word.to_lowercase();
                }
            }
        }
        self.drop_points(&mut tokens);
        let tags = self.tags(text, &tokens);
        let mut groups = Vec::new();
        let mut context = Context::default();
        let mut end = tokens.len();
        while end > 0 {
            let start = group_start(&tokens, end);
            let said = match &tokens[start].kind {
                Kind::Word(_) => {
                    let parts = parts(&tokens[start..end], &tags[start..end]);
                    self.group(parts, context)?
                }
                Kind::Sign(name) => Said {
                    phonemes: self.phrase(name, context)?,
                    unknown: Vec::new(),
                },
                Kind::Sounds(given) => {
                    let (phonemes, unknown) = sounds::in_the_alphabet(given, self.dialect);
                    let unknown = match phonemes.is_empty() {
                        true => Some(given.clone()),
                        false => Some(unknown).filter(|unknown| !unknown.is_empty()),
                    };
                    Said {
                        phonemes,
                        unknown: unknown.into_iter().collect(),
                    }
                }
                Kind::Mark(mark) => {
                    if !matches!(*mark, "(" | ")" | "“" | "”") {
                        context = Context::default();
                    }
                    end = start;
                    continue;
                }
                Kind::Hyphen => {
                    end = start;
                    continue;
                }
                Kind::Strange => Said {
                    phonemes: String::new(),
                    unknown: vec![text[tokens[start].range.clone()].to_owned()],
                },
            };
            if let Some(vowel) = begins_with_vowel(&said.phonemes) {
                context.vowel = Some(vowel);
                context.to = matches!(&tokens[start].kind, Kind::Word(word) if word.eq_ignore_ascii_case("to"));
            }
            let tokens = start..end;
            groups.push(Group { tokens, said });
            end = start;
        }
        groups.reverse();
        Ok(self.put_together(&tokens, groups))
    }

    fn put_together(&self, tokens: &[Token], groups: Vec<Group>) -> Read {
        let mut read = Read::default();
        let mut out = Out::default();
        let mut groups = groups.into_iter().peekable();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some(Group { tokens: of, said }) =
                groups.next_if(|group| group.tokens.start == at)
            {
                at = of.end;
                let end = tokens
                    .get(of.end.saturating_sub(1))
                    .map_or(token.range.end, |last| last.range.end);
                for word in said.unknown {
                    if !read.unknown.contains(&word) {
                        read.unknown.push(word);
                    }
                }
                // The flap and the stop have letters of their own in the lists, and none in the alphabet.
                let phonemes = match self.dialect {
                    Dialect::American => said.phonemes.replace('ɾ', "T").replace('ʔ', "t"),
                    Dialect::British => said.phonemes,
                };
                if !phonemes.is_empty() {
                    let place = out.word(&phonemes, token.blank);
                    read.words.push((token.range.start..end, place));
                }
                continue;
            }
            if let Kind::Mark(mark) = token.kind {
                out.mark(mark, token.blank);
            }
            at += 1;
        }
        read.phonemes = out.phonemes;
        read
    }

    /// Takes the points away that belong to a word before them: "Mr. Smith", "J. Smith".
    fn drop_points(&self, tokens: &mut Vec<Token>) {
        let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut rest = std::mem::take(tokens).into_iter().peekable();
        while let Some(token) = rest.next() {
            let is_point = token.kind == Kind::Mark(".") && !token.blank;
            let next = rest.peek().map(|next| &next.kind);
            if let (true, Some(Kind::Word(word)), Some(next)) =
                (is_point, kept.last().map(|token| &token.kind), next)
            {
                let is_short = self.exceptions.contains_key(&format!("{word}."));
                let mut letters = word.chars();
                let is_initial = letters.next().is_some_and(char::is_uppercase)
                    && letters.next().is_none()
                    && matches!(next, Kind::Word(next) if next.starts_with(char::is_uppercase));
                if is_short || is_initial {
                    continue;
                }
            }
            kept.push(token);
        }
        *tokens = kept;
    }

    /// A tag for each token: that of its first part.
    fn tags(&self, text: &str, tokens: &[Token]) -> Vec<&str> {
        let mut words: Vec<String> = Vec::with_capacity(tokens.len());
        let mut firsts = Vec::with_capacity(tokens.len());
        for token in tokens {
            firsts.push(words.len());
            match &token.kind {
                Kind::Word(word) => words.extend(self.pieces(word)),
                Kind::Hyphen => words.push("-".to_owned()),
                // It has learnt nothing of them, and takes a word beside one for a name.
                Kind::Mark("“" | "”") => {}
                _ => words.push(text[token.range.clone()].to_owned()),
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let tags = self.tagger.tags(&words);
        let tag = |first: usize| tags.get(first).copied().unwrap_or("");
        firsts.into_iter().map(tag).collect()
    }

    /// The parts that have tags of their own.
    fn pieces(&self, word: &str) -> Vec<String> {
        let is_empty = |pieces: &&Vec<String>| pieces.iter().all(String::is_empty);
        if let Some(pieces) = self.exceptions.get(word).filter(|pieces| !is_empty(pieces)) {
            return pieces.clone();
        }
        match word.strip_suffix("'s").or_else(|| word.strip_suffix("'S")) {
            Some(owner) if !owner.is_empty() => {
                vec![owner.to_owned(), word[owner.len()..].to_owned()]
            }
            _ => vec![word.to_owned()],
        }
    }

    /// A word with all of its parts.
    fn group(&self, parts: Vec<Part<'_>>, mut context: Context) -> Result<Said, SpeechError> {
        let is_known = |part: &Part<'_>| self.word(&part.text, part.tag, context).is_some();
        let parts: Vec<Part<'_>> = (parts.into_iter())
            .flat_map(|part| {
                // A name with a part that is not known is read better as a whole.
                let humps = if is_known(&part) {
                    Vec::new()
                } else {
                    humps(&part)
                };
                if !humps.is_empty() && humps.iter().all(is_known) {
                    humps
                } else {
                    vec![part]
                }
            })
            .collect();
        let mut said: Vec<String> = Vec::new();
        let mut unknown = Vec::new();
        let mut is_loose = false;
        let mut end = parts.len();
        while end > 0 {
            // The longest part of it that is known as one.
            let known = (end.saturating_sub(MOST_PARTS)..end).find_map(|start| {
                let (first, rest) = parts[start..end].split_first()?;
                let mut text = first.text.clone();
                for part in rest {
                    text += part.glue;
                    text += &part.text;
                }
                let longest = parts[start..end]
                    .iter()
                    .max_by_key(|part| part.text.len())?;
                let phonemes = if rest.is_empty() {
                    let word = self.word(&text, first.tag, context);
                    let is_before = parts.get(end).is_some_and(|next| next.glue == "-");
                    word.or_else(|| {
                        self.listed(&format!("{text}-"), first.tag, context)
                            .filter(|_| is_before)
                    })
                } else {
                    let listed = self.listed(&text, longest.tag, context);
                    listed.or_else(|| self.formed(&text, longest.tag, context))
                };
                Some((start, phonemes?))
            });
            let (start, phonemes) = match known {
                Some(known) => known,
                None => {
                    is_loose = true;
                    (end - 1, self.unlisted(&parts[end - 1].text)?)
                }
            };
            let text = &parts[start].text;
            if phonemes.is_empty() {
                unknown.push(text.clone());
            }
            if let Some(vowel) = begins_with_vowel(&phonemes) {
                context = Context {
                    vowel: Some(vowel),
                    to: text.eq_ignore_ascii_case("to"),
                };
            }
            said.push(phonemes);
            end = start;
        }
        said.reverse();
        unknown.reverse();
        let phonemes = if is_loose {
            said.retain(|part| !part.is_empty());
            said.join(" ")
        } else {
            let is_letter = parts
                .first()
                .is_some_and(|part| part.text.chars().count() == 1);
            stress::balance(&mut said, is_letter);
            said.concat()
        };
        Ok(Said { phonemes, unknown })
    }

    /// Words of ours, such as the name of a sign or a number.
    fn phrase(&self, words: &str, mut context: Context) -> Result<String, SpeechError> {
        let mut said = Vec::new();
        for word in words.split(' ').rev() {
            let parts = word.split('-').enumerate().map(|(at, part)| Part {
                text: part.to_owned(),
                tag: "CD",
                glue: if at == 0 { "" } else { "-" },
            });
            let phonemes = self.group(parts.collect(), context)?.phonemes;
            context = Context {
                vowel: begins_with_vowel(&phonemes),
                to: false,
            };
            said.push(phonemes);
        }
        said.reverse();
        Ok(said.join(" "))
    }

    /// A word that is listed, or made of one that is.
    fn word(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        if word.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(phonemes) = self.small(word, tag, context) {
            return Some(phonemes);
        }
        if is_initialism(word) {
            return self
                .listed(word, tag, context)
                .or_else(|| self.spelled(word));
        }
        let is_capital = is_all_capitals(word);
        let is_name = tag.starts_with("NNP");
        if is_capital && !self.lexicon.has(word) {
            let lower = word.to_lowercase();
            let entry = self.lexicon.get(&lower);
            let found = entry.and_then(|entry| {
                entry
                    .reading(tag, context.vowel.is_none())
                    .map(|found| (entry, found))
            });
            return match found {
                Some((entry, found))
                    if !is_name || entry.is_gold && found.contains(stress::FIRST) =>
                {
                    Some(stress::give_first(found))
                }
                None if !is_name && self.formed(&lower, tag, context).is_some() => self
                    .formed(&lower, tag, context)
                    .map(|formed| stress::give_first(&formed)),
                _ => self.spelled(word),
            };
        }
        let found = self.listed(word, tag, context);
        let found = found.or_else(|| self.formed(word, tag, context));
        found.or_else(|| {
            let plain = plain(word);
            let is_same_word = plain != word && has_only_diaereses(word);
            is_same_word
                .then(|| self.word(&plain, tag, context))
                .flatten()
        })
    }

    /// A form of a word that is listed.
    fn formed(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let formed = endings::stems(word).into_iter().find_map(|(stem, ending)| {
            // "CIA's", "IBMs".
            let phonemes = if is_all_capitals(&stem) && ending == Ending::S {
                self.word(&stem, tag, context)
            } else {
                self.listed(&stem, tag, context)
            };
            Some(ending.behind(&phonemes?, self.dialect))
        });
        formed.or_else(|| {
            let (stem, verb) = endings::contraction(word)?;
            let phonemes = self.listed(stem, tag, context)?;
            Some(endings::contracted(&phonemes, verb))
        })
    }

    /// What is listed for a word, with the stress that its capitals give it.
    fn listed(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let entry = self.lexicon.get(word)?;
        let Some(phonemes) = entry.reading(tag, context.vowel.is_none()) else {
            return self.spelled(word);
        };
        let is_name = tag.starts_with("NNP") && is_all_capitals(word);
        if is_name && !(entry.is_gold && phonemes.contains(stress::FIRST)) {
            return self.spelled(word);
        }
        Some(match word.chars().next() {
            _ if is_all_capitals(word) => stress::give_first(phonemes),
            Some(first) if first.is_uppercase() => stress::give_second(phonemes),
            _ => phonemes.to_owned(),
        })
    }

    /// Small words that sound as what follows them asks for.
    fn small(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let is_name = tag.starts_with("NNP") && is_all_capitals(word);
        let long = match self.dialect {
            Dialect::American => "",
            Dialect::British => "ː",
        };
        let said = match word {
            "the" | "The" | "THE" if context.vowel == Some(true) => "ði".to_owned(),
            "the" | "The" | "THE" => "ðə".to_owned(),
            "a" | "A" if tag == "DT" => "ɐ".to_owned(),
            "a" | "A" => "ˈA".to_owned(),
            "an" | "An" | "AN" if !is_name => "ɐn".to_owned(),
            "I" if tag == "PRP" => "ˌI".to_owned(),
            "am" | "Am" | "AM" if !is_name && context.vowel.is_some() => "ɐm".to_owned(),
            "to" | "To" | "TO" if matches!(tag, "TO" | "IN") => match context.vowel {
                None => return None,
                Some(true) => "tʊ".to_owned(),
                Some(false) => "tə".to_owned(),
            },
            "in" | "In" | "IN" if !is_name => if context.vowel.is_none() || tag != "IN" {
                "ˈɪn"
            } else {
                "ɪn"
            }
            .to_owned(),
            "used" | "Used" => {
                let is_habit = context.to && matches!(tag, "VBD" | "JJ");
                if is_habit {
                    format!("jˈu{long}st")
                } else {
                    format!("jˈu{long}zd")
                }
            }
            "vs" | "Vs" | "vs." => return self.listed("versus", tag, context),
            _ => return None,
        };
        Some(said)
    }

    /// The letters of a word by their names.
    fn spelled(&self, word: &str) -> Option<String> {
        let letters = word.chars().filter(|c| c.is_alphabetic());
        let letters: Option<Vec<&str>> = letters
            .map(|letter| {
                let name = letter.to_uppercase().collect::<String>();
                self.lexicon.get(&name)?.reading("NN", false)
            })
            .collect();
        letters
            .filter(|letters| !letters.is_empty())
            .map(|letters| stress::spelled(&letters))
    }

    /// A word that no list has; empty if nothing can be said for it.
    fn unlisted(&self, word: &str) -> Result<String, SpeechError> {
        if !is_readable(word) {
            return Ok(String::new());
        }
        if word.contains(|c: char| c.is_ascii_digit()) {
            return self.with_digits(word);
        }
        let word = &self.unknown.in_its_letters(word, plain);
        // A name sounds as it does alone.
        if let Some(owner) = word
            .strip_suffix("'s")
            .filter(|owner| owner.contains(char::is_alphabetic))
        {
            let phonemes = match self.word(owner, "NNP", Context::default()) {
                Some(known) => known,
                None => self.unknown.read(owner)?,
            };
            if !phonemes.is_empty() {
                return Ok(Ending::S.behind(&phonemes, self.dialect));
            }
        }
        let phonemes = self.unknown.read(word)?;
        if phonemes.contains(stress::is_vowel) {
            return Ok(phonemes);
        }
        Ok(self.spelled(&plain(word)).unwrap_or(phonemes))
    }

    /// Digits, and the letters among them.
    fn with_digits(&self, word: &str) -> Result<String, SpeechError> {
        let mut said: Vec<String> = Vec::new();
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let is_number = first.is_ascii_digit();
            let belongs = |c: char| {
                if is_number {
                    c.is_ascii_digit() || c == '.' || c == ','
                } else {
                    !c.is_ascii_digit()
                }
            };
            let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
            let (run, behind) = rest.split_at(length);
            rest = behind;
            if is_number {
                let mut words = digits::words(run);
                if let Some(ending) = ["st", "nd", "rd", "th"]
                    .iter()
                    .find(|ending| rest == **ending)
                {
                    words = digits::ordinal(&words);
                    rest = &rest[ending.len()..];
                }
                said.push(self.phrase(&words, Context::default())?);
            } else if run == "⁄" {
                said.push(self.phrase("over", Context::default())?);
            } else if let ("s" | "'s", Some(last)) = (run, said.last_mut()) {
                *last = Ending::S.behind(last, self.dialect);
            } else {
                let run = run.trim_matches(|c| !is_of_a_word(c));
                let is_short = run.chars().count() < 3;
                let known = self
                    .word(run, "NN", Context::default())
                    .filter(|_| !is_short);
                let phonemes = match known.or_else(|| self.spelled(run)) {
                    Some(known) => known,
                    None => self.unknown.read(run)?,
                };
                said.push(phonemes);
            }
        }
        said.retain(|part| !part.is_empty());
        Ok(said.join(" "))
    }
}

/// Whether its letters are those that English is written with.
fn is_readable(word: &str) -> bool {
    let is_latin = |c: char| {
        matches!(
            c.script(),
            Script::Latin | Script::Common | Script::Inherited
        )
    };
    let is_digit = |c: char| !c.is_numeric() || c.is_ascii_digit();
    word.chars().all(|c| is_latin(c) && is_digit(c))
}

/// A word without accents, in letters that English has.
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            'ø' => plain.push('o'),
            'Ø' => plain.push('O'),
            'đ' => plain.push('d'),
            'Đ' => plain.push('D'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'Æ' => plain.push_str("Ae"),
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("Oe"),
            'ß' => plain.push_str("ss"),
            'þ' | 'ð' => plain.push_str("th"),
            'Þ' | 'Ð' => plain.push_str("Th"),
            c => plain.push(c),
        }
    }
    plain
}

/// Whether all that a word has of accents are the two dots that part vowels: "naïve", "Zoë". With others it is
/// another word than without: "résumé".
fn has_only_diaereses(word: &str) -> bool {
    word.nfc()
        .all(|c| c.is_ascii() || matches!(c, 'ë' | 'ï' | 'ö'))
}

fn is_all_capitals(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic());
    let capitals = letters.clone().filter(|c| c.is_uppercase()).count();
    capitals > 1 && capitals == letters.count()
}

/// "U.S.A.", "e.g.".
fn is_initialism(word: &str) -> bool {
    word.contains('.') && word.chars().any(char::is_alphabetic)
}

/// Whether a text is in capitals as a whole, so that they tell nothing.
fn is_shouted(tokens: &[Token]) -> bool {
    let words = tokens.iter().filter_map(|token| match &token.kind {
        Kind::Word(word) => Some(word),
        _ => None,
    });
    let capitals = words.clone().filter(|word| is_all_capitals(word)).count();
    let others = words
        .filter(|word| word.contains(char::is_lowercase))
        .count();
    capitals > 1 && capitals > 2 * others
}

/// Where the word begins that ends before this token, or the single token that is there.
fn group_start(tokens: &[Token], end: usize) -> usize {
    let mut start = end - 1;
    let is_word = |at: usize| matches!(tokens[at].kind, Kind::Word(_));
    while start > 1
        && is_word(start)
        && tokens[start - 1].kind == Kind::Hyphen
        && is_word(start - 2)
    {
        start -= 2;
    }
    start
}

/// The parts of a word, with their tags.
fn parts<'a>(tokens: &[Token], tags: &[&'a str]) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (token, tag) in tokens.iter().zip(tags) {
        if let Kind::Word(text) = &token.kind {
            let glue = if parts.is_empty() { "" } else { "-" };
            let text = text.clone();
            parts.push(Part { text, tag, glue });
        }
    }
    parts
}

/// "Mac" and "Gregor" for "MacGregor", "O" and "Brien" for "O'Brien"; none if it has no such parts.
fn humps<'a>(part: &Part<'a>) -> Vec<Part<'a>> {
    let mut cuts = vec![0];
    let mut before = (' ', ' ');
    for (at, c) in part.text.char_indices() {
        let is_hump = c.is_uppercase()
            && (before.1.is_lowercase() || (before.1 == '\'' && before.0.is_uppercase()));
        if is_hump {
            cuts.push(at);
        }
        before = (before.1, c);
    }
    if cuts.len() == 1 {
        return Vec::new();
    }
    let ends = cuts[1..].iter().copied().chain([part.text.len()]);
    let pieces = cuts
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(at, (start, end))| Part {
            text: part.text[*start..end].trim_end_matches('\'').to_owned(),
            tag: part.tag,
            glue: if at == 0 { part.glue } else { "" },
        });
    pieces.collect()
}

/// The phonemes as they are put down, counted.
#[derive(Default)]
struct Out {
    phonemes: String,
    length: usize,
    is_word: bool,
    opens: bool,
}

impl Out {
    fn push(&mut self, text: &str) {
        self.phonemes.push_str(text);
        self.length += text.chars().count();
    }

    /// Where a word comes to stand, counted in code points.
    fn word(&mut self, phonemes: &str, blank: bool) -> Range<usize> {
        if (blank || self.is_word) && !self.phonemes.is_empty() && !self.opens {
            self.push(" ");
        }
        let start = self.length;
        self.push(phonemes);
        (self.is_word, self.opens) = (true, false);
        start..self.length
    }

    fn mark(&mut self, mark: &str, blank: bool) {
        // A dash before everything is that of a list, or of a speech: there is nothing to pause after.
        if mark == "—" && self.phonemes.is_empty() {
            return;
        }
        if blank && !self.phonemes.is_empty() {
            self.push(" ");
        }
        self.push(mark);
        (self.is_word, self.opens) = (false, false);
    }
}
