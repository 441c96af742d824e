//! What part of speech each word of a sentence is, in the tags of the Penn Treebank: an averaged perceptron
//! that goes from left to right (Collins 2002). Its features are those that the file has weights for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use serde::de::MapAccess;

use super::files::{self, Member, Object, unusable};
use super::table::{Builder, Table};
use crate::speech::SpeechError;

/// A tag, by its place among those of the file.
type Tag = u8;

/// The file has one digit behind the point; whole numbers add up to the same in any order.
const SCALE: f64 = 10.0;

pub(super) struct Tagger {
    tags: Vec<String>,
    /// Words that have one tag wherever they stand.
    known: Table<Tag>,
    /// Words that the features name; of others only the shape.
    words: Table<()>,
    /// Which of `weights` a feature has.
    features: Table<(u32, u32)>,
    weights: Box<[(Tag, i16)]>,
}

impl Tagger {
    /// # Errors
    /// [`SpeechError::Config`].
    pub(super) fn open(path: &Path) -> Result<Self, SpeechError> {
        let mut parts = Parts::default();
        files::parse_into(path, Object(&mut parts))?;
        if parts.tags.is_empty() || parts.tags.len() > usize::from(Tag::MAX) {
            return Err(unusable(path, "it has no tags, or too many"));
        }
        // The tags may come behind what uses them, so they were counted as they came.
        let place = |tag: &String| parts.tags.iter().position(|known| known == tag);
        let places: Option<Vec<Tag>> = (parts.used.iter())
            .map(|tag| place(tag).and_then(|place| Tag::try_from(place).ok()))
            .collect();
        let Some(places) = places else {
            return Err(unusable(path, "it uses a tag that it does not list"));
        };
        let of = |used: Tag| places.get(usize::from(used)).copied().unwrap_or(0);
        let mut known = Builder::default();
        for (word, tag) in &parts.known {
            let word = known.text(word);
            known.add(word, of(*tag));
        }
        let weights = parts.weights.into_iter();
        Ok(Self {
            known: known.finish(),
            words: parts.words.finish(),
            features: parts.features.finish(),
            weights: weights.map(|(tag, weight)| (of(tag), weight)).collect(),
            tags: parts.tags,
        })
    }

    /// The tags of the words of a sentence, marks among them.
    pub(super) fn tags(&self, words: &[&str]) -> Vec<&str> {
        let normal: Vec<Cow<'_, str>> = words.iter().map(|word| self.normal(word)).collect();
        let around = |at: usize, by: isize| -> &str {
            let beyond = |first: &'static str, second: &'static str, by: usize| {
                if by == 1 { first } else { second }
            };
            match at.checked_add_signed(by) {
                None => beyond("-START-", "-START2-", by.unsigned_abs() - at),
                Some(at) => match normal.get(at) {
                    Some(word) => word,
                    None => beyond("-END-", "-END2-", at - normal.len() + 1),
                },
            }
        };
        let mut tags: Vec<&str> = Vec::with_capacity(words.len());
        let mut scores = vec![0_i32; self.tags.len()];
        let mut feature = String::new();
        for (at, word) in words.iter().enumerate() {
            if let Some(tag) = self.known.get(word) {
                tags.push(self.name(tag));
                continue;
            }
            scores.fill(0);
            let mut add = |parts: &[&str]| {
                feature.clear();
                feature.extend(parts.iter().copied());
                let (start, end) = self.features.get(&feature).unwrap_or_default();
                let weights = self.weights.get(start as usize..end as usize);
                for (tag, weight) in weights.unwrap_or_default() {
                    if let Some(score) = scores.get_mut(usize::from(*tag)) {
                        *score += i32::from(*weight);
                    }
                }
            };
            let (before, behind) = (around(at, -1), around(at, 1));
            let tag = |back: usize| at.checked_sub(back).and_then(|at| tags.get(at)).copied();
            let last = tag(1).unwrap_or("-START-");
            let last_but_one = tag(2).unwrap_or(if at == 0 { "-START2-" } else { "-START-" });
            let first = word.chars().next().map_or(0, char::len_utf8);
            add(&["b"]);
            add(&["s3=", ending(word)]);
            add(&["p1=", &word[..first]]);
            add(&["w=", &normal[at]]);
            add(&["sh=", &shape(word)]);
            add(&[if at == 0 { "i0" } else { "i+" }]);
            add(&["t-1=", last]);
            add(&["t-2=", last_but_one]);
            add(&["t-12=", last, ",", last_but_one]);
            add(&["w-1=", before]);
            add(&["s3-1=", ending(before)]);
            add(&["w-2=", around(at, -2)]);
            add(&["w+1=", behind]);
            add(&["s3+1=", ending(behind)]);
            add(&["w+2=", around(at, 2)]);
            let best = (0..scores.len()).max_by_key(|tag| (scores[*tag], *tag));
            tags.push(best.map_or("", |best| &self.tags[best]));
        }
        tags
    }

    fn name(&self, tag: Tag) -> &str {
        self.tags.get(usize::from(tag)).map_or("", String::as_str)
    }

    /// A word as features name it.
    fn normal<'w>(&self, word: &'w str) -> Cow<'w, str> {
        let first = word.chars().next().unwrap_or(' ');
        if word.contains('-') && first != '-' {
            return Cow::Borrowed("!HYPHEN");
        }
        if word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
            return Cow::Borrowed("!YEAR");
        }
        if first.is_ascii_digit() {
            return Cow::Borrowed("!DIGITS");
        }
        let lower = word.to_lowercase();
        if self.words.get(&lower).is_some() {
            Cow::Owned(lower)
        } else {
            Cow::Owned(format!("<{}>", shape(word)))
        }
    }
}

/// The last three characters, or what there is.
fn ending(word: &str) -> &str {
    let start = word.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    &word[start..]
}

/// What kinds of characters a word is of.
fn shape(word: &str) -> Cow<'static, str> {
    let is_upper = |c: char| c.is_uppercase();
    if word.chars().all(char::is_alphabetic) {
        let capitals = word.chars().filter(|c| is_upper(*c)).count();
        let length = word.chars().count();
        return Cow::Borrowed(match capitals {
            0 => "x",
            1 if length == 1 => "X1",
            1 if word.starts_with(is_upper) => "Xx",
            n if n == length => "XX",
            _ => "xX",
        });
    }
    if word.chars().all(char::is_numeric) {
        return Cow::Borrowed("d");
    }
    let kind = |c: char| match c {
        c if c.is_alphabetic() => 'x',
        c if c.is_numeric() => 'd',
        c => c,
    };
    Cow::Owned(word.chars().take(4).map(kind).collect())
}

/// The file as it comes in.
#[derive(Default)]
struct Parts {
    tags: Vec<String>,
    known: Vec<(String, Tag)>,
    words: Builder<()>,
    features: Builder<(u32, u32)>,
    weights: Vec<(Tag, i16)>,
    /// Tags in the order in which they were first met, which is what numbers them so far.
    used: Vec<String>,
    places: HashMap<String, Tag>,
}

impl Parts {
    /// The number of a tag so far; of more than there can be all are the last one.
    fn number(&mut self, tag: &str) -> Tag {
        if let Some(place) = self.places.get(tag) {
            return *place;
        }
        let place = Tag::try_from(self.used.len()).unwrap_or(Tag::MAX);
        if place < Tag::MAX {
            self.used.push(tag.to_owned());
            self.places.insert(tag.to_owned(), place);
        }
        place
    }
}

impl Member for &mut Parts {
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        match key {
            "tags" => self.tags = map.next_value()?,
            "vocab" => {
                for word in map.next_value::<Vec<files::Text<'_>>>()? {
                    let word = self.words.text(&word.0);
                    self.words.add(word, ());
                }
            }
            "tagdict" => map.next_value_seed(Object(Known(self)))?,
            "weights" => map.next_value_seed(Object(Features(self)))?,
            _ => {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Known<'a>(&'a mut Parts);

impl Member for Known<'_> {
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        let tag = self.0.number(&map.next_value::<files::Text<'_>>()?.0);
        self.0.known.push((key.to_owned(), tag));
        Ok(())
    }
}

struct Features<'a>(&'a mut Parts);

impl Member for Features<'_> {
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        let start = self.0.weights.len() as u32;
        map.next_value_seed(Object(Weights(self.0)))?;
        let end = self.0.weights.len() as u32;
        let key = self.0.features.text(key);
        self.0.features.add(key, (start, end));
        Ok(())
    }
}

struct Weights<'a>(&'a mut Parts);

impl Member for Weights<'_> {
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        let weight = (map.next_value::<f64>()? * SCALE).round();
        let tag = self.0.number(key);
        // Out of range it is the nearest that there is.
        self.0.weights.push((tag, weight as i16));
        Ok(())
    }
}
