//! Saying a word otherwise: which word of a segment, what is to be said for it, and in which texts. What
//! would come of it is tried and heard before it is kept; whoever works the queue decides all of that, and
//! this only asks.

use std::ops::Range;
use std::sync::Arc;

use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation;

use super::fields::{Fields, stepped, turned};
use super::{App, Effect, Overlay, Target};
use crate::model::{SegmentId, TaskId};
use crate::service::{Corrected, Correction};
use crate::text::is_abbreviation;

/// A line of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordField {
    Word,
    Said,
    Texts,
}

/// Whether a word is said so in this text only.
const TEXTS: [bool; 2] = [false, true];

/// What these are called.
const TEXT_WORDS: [&str; 2] = ["all texts", "this text"];

impl WordField {
    pub(crate) const ALL: [Self; 3] = [Self::Word, Self::Said, Self::Texts];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Word => "Word",
            Self::Said => "Said",
            Self::Texts => "For",
        }
    }

    /// What to do in it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Word => "← → go through the words of the segment; or type one, or several",
            Self::Said => "words, or phonemes: /ˈoʊmən/; Ctrl-O lets it be heard",
            Self::Texts => "← → to choose",
        }
    }
}

/// What is typed so far.
#[derive(Clone, Debug)]
pub(crate) struct WordForm {
    pub(super) task: TaskId,
    segment: SegmentId,
    voice: Arc<str>,
    /// What is written there.
    pub(crate) text: Box<str>,
    /// Its words, each once.
    words: Vec<Box<str>>,
    pub(crate) field: WordField,
    pub(crate) word: Input,
    /// The word is one that was offered: what is typed takes its place.
    is_offered: bool,
    pub(crate) said: Input,
    pub(crate) only_here: bool,
    /// Why it was not taken, or not heard.
    pub(crate) problem: Option<String>,
    /// What was handed over, as long as the answer is awaited.
    pub(crate) sent: Option<Correction>,
    /// What a trial has found.
    pub(crate) found: Option<Found>,
}

/// What would come of a word that is said otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// How many segments of the narration have it.
    pub(crate) segments: usize,
    /// What would be said for the segment.
    pub(crate) spoken: Option<String>,
    /// The same in phonemes, once they are known.
    pub(crate) phonemes: Option<String>,
}

/// What became of words that were to be heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) spoken: String,
    /// How the voice speaks them, where it can.
    pub(crate) phonemes: Option<String>,
    /// Why they are not heard, or not as they should be.
    pub(crate) problem: Option<String>,
}

impl WordForm {
    /// About a segment with this text.
    fn new(target: Target<'_>, text: &str) -> Self {
        let mut words: Vec<Box<str>> = Vec::new();
        for word in text.unicode_words() {
            if !words.iter().any(|known| **known == *word) {
                words.push(word.into());
            }
        }
        Self {
            task: target.task.id.clone(),
            segment: target.segment,
            voice: target.task.voice.clone(),
            text: text.into(),
            words,
            field: WordField::Word,
            word: suggestion(text).unwrap_or_default().into(),
            is_offered: true,
            said: Input::default(),
            only_here: false,
            problem: None,
            sent: None,
            found: None,
        }
    }

    /// The texts that can be chosen, and the place of what is chosen.
    pub(crate) fn values(&self) -> (&'static [&'static str], usize) {
        (&TEXT_WORDS, usize::from(self.only_here))
    }

    /// Where the word stands in the text. As in a lexicon, one in small letters is meant however it is
    /// written.
    pub(crate) fn marked(&self) -> Vec<Range<usize>> {
        let word = self.word.value().trim();
        let (mut found, mut past) = (Vec::new(), 0);
        if word.is_empty() {
            return found;
        }
        for (start, _) in self.text.unicode_word_indices() {
            let end = start + word.len();
            let Some(written) = self.text.get(start..end).filter(|_| start >= past) else {
                continue;
            };
            let goes_on = word.ends_with(char::is_alphanumeric)
                && self.text[end..].starts_with(char::is_alphanumeric);
            if !goes_on && (written == word || written.to_lowercase() == word) {
                found.push(start..end);
                past = end;
            }
        }
        found
    }

    /// What is asked for, or what is missing and where.
    fn read(&self, is_trial: bool) -> Result<Correction, (WordField, &'static str)> {
        let (word, said) = (self.word.value().trim(), self.said.value().trim());
        if word.is_empty() {
            return Err((WordField::Word, "choose a word with ← →, or type one"));
        }
        if said.is_empty() {
            let missing = "type what is to be said: other words, or phonemes between slashes";
            return Err((WordField::Said, missing));
        }
        Ok(Correction {
            word: word.to_owned(),
            said: said.to_owned(),
            only_here: self.only_here,
            segment: Some(self.segment),
            is_trial,
        })
    }

    /// Whether it is to be kept, and the answer is awaited.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| !sent.is_trial)
    }

    /// Whether this is what it awaits an answer to.
    fn awaits(&self, task: &TaskId, correction: &Correction) -> bool {
        self.task == *task && self.sent.as_ref() == Some(correction)
    }
}

impl Fields for WordForm {
    fn step(&mut self, by: isize) {
        self.field = stepped(&WordField::ALL, self.field, by);
    }

    fn point(&mut self, line: usize, value: Option<usize>) {
        self.field = WordField::ALL.get(line).copied().unwrap_or(self.field);
        if let Some(value) = value.filter(|_| self.field == WordField::Texts) {
            self.touch();
            self.only_here = TEXTS.get(value).copied().unwrap_or(self.only_here);
        }
    }

    fn turn(&mut self, by: isize) -> bool {
        match self.field {
            WordField::Word => {
                self.touch();
                if let Some(to) = turned(&self.words, &self.word.value().trim().into(), by) {
                    self.word = self.words[to].to_string().into();
                    self.is_offered = true;
                }
            }
            WordField::Said => return false,
            WordField::Texts => {
                self.touch();
                let to = turned(&TEXTS, &self.only_here, by);
                self.only_here = to.map_or(self.only_here, |to| TEXTS[to]);
            }
        }
        true
    }

    fn begin(&mut self, letters: bool) {
        if self.field == WordField::Word && std::mem::take(&mut self.is_offered) && letters {
            self.word.reset();
        }
    }

    fn input(&mut self) -> Option<&mut Input> {
        match self.field {
            WordField::Word => Some(&mut self.word),
            WordField::Said => Some(&mut self.said),
            WordField::Texts => None,
        }
    }

    fn touch(&mut self) {
        (self.problem, self.found) = (None, None);
        if !self.is_sent() {
            // An answer would be about something else.
            self.sent = None;
        }
    }
}

/// The word that is most likely said wrong: the first name of a text, or else its first word.
fn suggestion(text: &str) -> Option<&str> {
    let words: Vec<(usize, &str)> = text.unicode_word_indices().collect();
    let name = words.windows(2).find_map(|pair| {
        let &[(at, before), (start, word)] = pair else {
            return None;
        };
        let between = &text[at + before.len()..start];
        let behind = &text[start + word.len()..];
        (is_like_a_name(word, behind) && !ends_sentence(before, between)).then_some(word)
    });
    name.or_else(|| words.first().map(|(_, word)| *word))
}

/// Whether this word with a capital is neither "I" nor a title.
fn is_like_a_name(word: &str, behind: &str) -> bool {
    let is_i = word == "I" || word.starts_with("I'") || word.starts_with("I’");
    let is_title = behind.starts_with('.') && is_shortened(word);
    word.starts_with(char::is_uppercase) && !is_i && !is_title
}

/// Whether a sentence, or what is quoted, begins behind this word and what follows it.
fn ends_sentence(word: &str, between: &str) -> bool {
    let marks = ['!', '?', '…', ':', '“', '„', '«', '‘', '"'];
    between.contains(marks) || (between.contains('.') && !is_shortened(word))
}

/// Whether a full stop behind this word is part of it.
fn is_shortened(word: &str) -> bool {
    ["Mr", "Mrs", "Ms", "Dr", "Prof"].contains(&word) || is_abbreviation(word)
}

impl App {
    /// The segment that a word is of, with what is written there.
    pub(super) fn word_target(&self) -> Option<(Target<'_>, &str)> {
        let target = if self.is_opened() {
            self.shown_segment()
        } else {
            self.target()
        };
        let target = target.filter(|it| it.segment != SegmentId::TASK)?;
        let text = &target.task.plan.as_ref()?.get(target.segment)?.text;
        Some((target, text))
    }

    /// The form for a word of the segment that is looked at.
    pub(super) fn open_word(&mut self) -> Vec<Effect> {
        let Some((target, text)) = self.word_target() else {
            return self.refuse("no segment is selected: a word is one of a segment");
        };
        let form = WordForm::new(target, text);
        self.overlay = Some(Overlay::Word(Box::new(form)));
        Vec::new()
    }

    /// Has it kept, or tried.
    pub(super) fn correct(&mut self, is_trial: bool) -> Vec<Effect> {
        let Some(Overlay::Word(form)) = &mut self.overlay else {
            return Vec::new();
        };
        if form.is_sent() {
            return Vec::new();
        }
        form.touch();
        match form.read(is_trial) {
            Ok(correction) => {
                form.sent = Some(correction.clone());
                vec![Effect::Correct(form.task.clone(), correction)]
            }
            Err((field, problem)) => {
                form.field = field;
                form.problem = Some(problem.to_owned());
                Vec::new()
            }
        }
    }

    /// Takes what came of it.
    pub(super) fn corrected(
        &mut self,
        task: &TaskId,
        correction: &Correction,
        result: Result<Corrected, String>,
    ) -> Vec<Effect> {
        let form = match &mut self.overlay {
            Some(Overlay::Word(form)) if form.awaits(task, correction) => Some(form),
            // Of a trial nobody wants to know any more.
            _ if correction.is_trial => return Vec::new(),
            _ => None,
        };
        match (result, form) {
            (Ok(found), Some(form)) if correction.is_trial => {
                form.sent = None;
                form.found = Some(Found {
                    segments: found.segments,
                    spoken: found.spoken.clone(),
                    phonemes: None,
                });
                let (voice, speed) = (form.voice.clone(), self.defaults.speed);
                let hear = found.spoken.map(|spoken| Effect::Hear {
                    voice,
                    speed,
                    spoken,
                });
                return hear.into_iter().collect();
            }
            (Ok(corrected), form) => {
                if form.is_some() {
                    self.overlay = None;
                }
                self.notice = Some(kept(&correction.word, &corrected));
                // One that is selected stays as it is looked at.
                let again = corrected.task.filter(|id| self.task.as_ref() != Some(id));
                if let Some(id) = again {
                    self.select_task(id);
                }
            }
            (Err(why), Some(form)) => (form.sent, form.problem) = (None, Some(why)),
            (Err(why), None) => self.notice = Some(why),
        }
        Vec::new()
    }

    /// Takes what became of words that were to be heard, where somebody still waits for them.
    pub(super) fn heard(&mut self, heard: Heard) {
        let Some(Overlay::Word(form)) = &mut self.overlay else {
            return;
        };
        let found = form.found.as_mut();
        if let Some(found) = found.filter(|it| it.spoken.as_ref() == Some(&heard.spoken)) {
            found.phonemes = heard.phonemes;
            form.problem = heard.problem;
        }
    }
}

/// What is said once a word is said otherwise from now on.
fn kept(word: &str, corrected: &Corrected) -> String {
    let again = match (corrected.segments, &corrected.task) {
        (0, _) => "nothing changes in this text".to_owned(),
        (_, None) => "nothing is to be made again".to_owned(),
        (1, Some(_)) => "1 segment is made again".to_owned(),
        (many, Some(_)) => format!("{many} segments are made again"),
    };
    format!("“{word}” is said otherwise: {again}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::fixtures;

    fn form(text: &str) -> WordForm {
        let task = fixtures::narration("a", "A", 2);
        let target = Target {
            task: &task,
            segment: SegmentId::FIRST,
        };
        WordForm::new(target, text)
    }

    #[test]
    fn the_first_name_is_suggested() {
        for (text, word) in [
            ("When morning came, Hermione was there.", "Hermione"),
            ("Rain again. Nobody came to Leith.", "Leith"),
            ("They called him Mr. Ferris.", "Ferris"),
            ("Dr. Orr slept.", "Orr"),
            ("the keeper of St. John", "John"),
            ("He said: “Come to Orkney.”", "Orkney"),
            ("“Yes!” Then I’m off, and I know.", "Yes"),
            ("rain again", "rain"),
            ("Rain", "Rain"),
        ] {
            assert_eq!(form(text).word.value(), word, "{text}");
        }
        assert_eq!(form("…").word.value(), "");
    }

    #[test]
    fn words_are_gone_through_each_once() {
        let mut form = form("The sea, the sea.");
        let words: Vec<String> = (0..4)
            .map(|_| {
                assert!(form.turn(1));
                form.word.value().to_owned()
            })
            .collect();
        assert_eq!(words, ["sea", "the", "The", "sea"]);
        form.word = "something else".into();
        form.turn(-1);
        assert_eq!(form.word.value(), "The");
        let mut empty = self::form("…");
        assert!(empty.turn(1));
        assert_eq!(empty.word.value(), "");
    }

    #[test]
    fn the_word_is_marked_as_a_lexicon_finds_it() {
        let mut form = form("The éternal sea, the Seaside, the SEA.");
        let mut marked = |word: &str| {
            form.word = word.into();
            let all = form.marked().into_iter();
            all.map(|range| form.text[range].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(marked("sea"), ["sea", "SEA"]);
        assert_eq!(marked("Sea"), [""; 0]);
        assert_eq!(marked(" éternal sea "), ["éternal sea"]);
        assert_eq!(marked("the"), ["The", "the", "the"]);
        assert_eq!(marked("SEA."), ["SEA."]);
        assert_eq!(marked(" "), [""; 0]);
    }

    #[test]
    fn what_is_missing_is_told_with_its_field() {
        let mut form = form("The sea.");
        assert_eq!(form.read(false).unwrap_err().0, WordField::Said);
        form.said = " see ".into();
        assert_eq!(form.read(false).unwrap().said, "see");
        form.word = "  ".into();
        assert_eq!(form.read(true).unwrap_err().0, WordField::Word);
    }
}
