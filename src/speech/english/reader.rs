//! From the parts of a sentence to its phonemes, from the last to the first: how "the", "a" and "to" are said
//! depends on what follows them.

use std::collections::HashMap;
use std::ops::Range;

use super::endings::Ending;
use super::stress::{self, begins_with_vowel};
use super::tokens::{Kind, Token};
use super::words::{Context, is_all_capitals};
use super::{Dialect, English, Read, sounds};
use crate::speech::SpeechError;
use crate::text::reading::is_lettered;

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
        if is_shouted(&tokens) {
            for token in &mut tokens {
                if let Kind::Word(word) = &mut token.kind
                    && is_all_capitals(word)
                    && self.lexicon.get(&word.to_lowercase()).is_some()
                {
                    *word = word.to_lowercase();
                }
            }
        }
        let mut tokens = joined_letters(text, tokens);
        self.drop_points(&mut tokens);
        let mut tags = self.tags(text, &tokens);
        for at in (0..tokens.len()).filter(|at| is_letter_a(text, &tokens, *at)) {
            tags[at] = "NN";
        }
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
                Kind::Sounds(given) => self.given(given),
                Kind::SoundsWithS(given) => {
                    let said = self.given(given);
                    Said {
                        phonemes: Ending::S.behind(&said.phonemes, self.dialect),
                        ..said
                    }
                }
                Kind::Strange => Said {
                    phonemes: String::new(),
                    unknown: vec![text[tokens[start].range.clone()].to_owned()],
                },
                Kind::Mark("(" | ")" | "“" | "”") | Kind::Hyphen => {
                    end = start;
                    continue;
                }
                Kind::Mark(_) => {
                    (context, end) = (Context::default(), start);
                    continue;
                }
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

    /// Takes the points away that belong to a word before them: "Mr. Smith".
    fn drop_points(&self, tokens: &mut Vec<Token>) {
        let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut rest = std::mem::take(tokens).into_iter().peekable();
        while let Some(token) = rest.next() {
            let is_point = token.kind == Kind::Mark(".") && !token.blank;
            let next = rest.peek().map(|next| &next.kind);
            if let (true, Some(Kind::Word(word)), Some(next)) =
                (is_point, kept.last().map(|token| &token.kind), next)
            {
                let is_short = word.chars().nth(1).is_some()
                    && self.exceptions.contains_key(&format!("{word}."));
                if is_short && matches!(next, Kind::Word(_)) {
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

    /// Phonemes that the text gives.
    fn given(&self, given: &str) -> Said {
        let (phonemes, strange) = sounds::in_the_alphabet(given, self.dialect);
        let strange = if phonemes.is_empty() { given } else { &strange };
        let unknown = Some(strange).filter(|strange| !strange.is_empty());
        let unknown = unknown.map(str::to_owned).into_iter().collect();
        Said { phonemes, unknown }
    }

    /// A word with all of its parts.
    fn group(&self, parts: Vec<Part<'_>>, mut context: Context) -> Result<Said, SpeechError> {
        let parts = self.with_humps(parts);
        let mut said: Vec<String> = Vec::new();
        let mut unknown = Vec::new();
        let mut is_loose = false;
        let mut end = parts.len();
        while end > 0 {
            let (start, phonemes) = if let Some(known) = self.longest(&parts, end, context) {
                known
            } else {
                is_loose = true;
                (end - 1, self.unlisted(&parts[end - 1].text)?)
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

    /// The parts of a word; of names that are known by what begins with capitals, also those. One of which a part
    /// is not known is read better as a whole.
    fn with_humps<'a>(&self, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
        let is_known = |part: &Part<'_>| {
            self.word(&part.text, part.tag, Context::default())
                .is_some()
        };
        let split = |part| {
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
        };
        parts.into_iter().flat_map(split).collect()
    }

    /// The most parts before `end` that are known as one: where they begin, and what is said for them.
    fn longest(&self, parts: &[Part<'_>], end: usize, context: Context) -> Option<(usize, String)> {
        (end.saturating_sub(MOST_PARTS)..end).find_map(|start| {
            let (first, rest) = parts[start..end].split_first()?;
            if rest.is_empty() {
                // "A-level": no article stands in a word.
                if first.text == "A" && parts.len() > 1 {
                    return Some((start, "ˈA".to_owned()));
                }
                let affix = self.affix(first, parts.get(end), context);
                let phonemes = affix.or_else(|| self.word(&first.text, first.tag, context));
                return Some((start, phonemes?));
            }
            let mut text = first.text.clone();
            for part in rest {
                text += part.glue;
                text += &part.text;
            }
            let main = parts[start..end].iter();
            let main = main.max_by_key(|part| part.text.len())?;
            let listed = self.listed(&text, main.tag, context);
            // "M-A-S-H" is no plural of "M-A".
            let formed = || {
                self.formed(&text, main.tag, context)
                    .filter(|_| main.text.len() > 1)
            };
            let phonemes = listed.or_else(formed);
            Some((start, phonemes?))
        })
    }

    /// A part that is listed with the hyphen before or behind it: "re-", "-able".
    fn affix(&self, part: &Part<'_>, next: Option<&Part<'_>>, context: Context) -> Option<String> {
        let Part { text, tag, glue } = part;
        let listed = |text: String| self.listed(&text, tag, context);
        let is_before = next.is_some_and(|next| next.glue == "-");
        let prefix = is_before.then(|| listed(format!("{text}-"))).flatten();
        prefix.or_else(|| (*glue == "-").then(|| listed(format!("-{text}"))).flatten())
    }

    /// Words of ours, such as the name of a sign or a number.
    pub(super) fn phrase(&self, words: &str, mut context: Context) -> Result<String, SpeechError> {
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

/// Letters that are read one by one are one word, with one stress: "F B I", "p m". The reading stage writes
/// them so.
fn joined_letters(text: &str, tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let next = rest.peek().map(|next| &next.kind);
        let behind = joined.iter().nth_back(1).map(|token| &token.kind);
        let behind = match behind {
            Some(Kind::Word(word)) => Some(word.clone()),
            _ => None,
        };
        if let Some(before) = joined.last_mut()
            && text.get(before.range.end..token.range.start) == Some(" ")
            && continues_letters(behind.as_deref(), &before.kind, &token.kind, next)
            && let (Kind::Word(letters), Kind::Word(letter)) = (&mut before.kind, &token.kind)
        {
            // Points tell that they are no word.
            letters.push('.');
            letters.push_str(letter);
            before.range.end = token.range.end;
        } else {
            joined.push(token);
        }
    }
    joined
}

/// Whether "A" is the letter and no article: "vitamin A is", "the A three eighty". The tagger knows only the
/// article.
fn is_letter_a(text: &str, tokens: &[Token], at: usize) -> bool {
    /// What no article stands before. "A can" and "A will" may be things.
    const NO_NOUNS: &[&str] = &[
        "and", "as", "at", "by", "for", "from", "has", "in", "is", "of", "on", "or", "than",
        "through", "to", "was", "were", "with",
    ];
    let written = |at: usize| {
        let token = tokens.get(at)?;
        matches!(token.kind, Kind::Word(_)).then(|| &text[token.range.clone()])
    };
    if written(at) != Some("A") {
        return false;
    }
    let next = written(at + 1);
    // "the end of A", "type A works", but "I Have A Dream".
    let is_titled = next.is_some_and(|word| word.starts_with(char::is_uppercase));
    let follows = at
        .checked_sub(1)
        .and_then(written)
        .is_some_and(|word| word.starts_with(char::is_lowercase) || word == "The" || !is_titled);
    // "A by-product" is a thing.
    let is_whole = !matches!(tokens.get(at + 2), Some(token) if token.kind == Kind::Hyphen);
    follows || (is_whole && next.is_some_and(|word| NO_NOUNS.contains(&word)))
}

/// Whether a letter belongs to those before it, `behind` being the word before these.
fn continues_letters(
    behind: Option<&str>,
    before: &Kind,
    letter: &Kind,
    next: Option<&Kind>,
) -> bool {
    /// What nobody says of another: "the U S I know".
    const OF_ONESELF: &[&str] = &[
        "am", "believe", "do", "don't", "feel", "guess", "have", "haven't", "hope", "know", "mean",
        "say", "suppose", "think", "want", "wish",
    ];
    let (Kind::Word(before), Kind::Word(letter)) = (before, letter) else {
        return false;
    };
    let is_letter = |part: &str| {
        let mut chars = part.chars();
        // Others have no name.
        let is_one = chars.next().is_some_and(|c| c.is_ascii_uppercase());
        is_one && chars.next().is_none()
    };
    let alone = letter
        .strip_suffix("'s")
        .or_else(|| letter.strip_suffix('s'));
    let is_capital = is_letter(alone.unwrap_or(letter)) && before.split('.').all(is_letter);
    // "P S I love you", "plan B I like".
    let ends_before = before == "P.S" || (!before.contains('.') && behind.is_some_and(is_lettered));
    let is_pronoun = letter == "I"
        && matches!(next, Some(Kind::Word(next)) if OF_ONESELF.contains(&&**next)
            || (ends_before && next.starts_with(char::is_lowercase)));
    (is_capital && !is_pronoun) || (matches!(&**before, "a" | "p") && letter == "m")
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
