//! The form for a new narration: what is to be read, by whom and how. Checks what can be checked
//! without looking at a file, and hands over the rest.

use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

use super::fields::{Fields, insert, stepped, turned, type_into};
use crate::model::{Limits, Priority};
use crate::monitor::services::{Completion, Defaults, VoiceChoice};
use crate::narrate::{NewNarration, NewText, OtherVoices};
use crate::text::FormatName;

/// A line of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Text,
    Format,
    Voice,
    Speed,
    Speaker,
    Priority,
}

/// The formats that a text can be read in; none is told where its name, or its looks, tell it.
const FORMATS: [Option<FormatName>; 4] = [
    None,
    Some(FormatName::Plain),
    Some(FormatName::Markdown),
    Some(FormatName::Html),
];

/// What they are called.
const FORMAT_WORDS: [&str; 4] = ["by its name", "plain text", "Markdown", "HTML"];

/// What the priorities are called.
const PRIORITY_WORDS: [&str; 3] = ["low", "normal", "high"];

impl Field {
    pub(crate) const ALL: [Self; 6] = [
        Self::Text,
        Self::Format,
        Self::Voice,
        Self::Speed,
        Self::Speaker,
        Self::Priority,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Format => "Read as",
            Self::Voice => "Voice",
            Self::Speed => "Speed",
            Self::Speaker => "Speaker",
            Self::Priority => "Priority",
        }
    }

    /// What to do in it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Text => "type the path of a text, Tab completes; or paste the text itself",
            Self::Format => "← → to choose; where its name does not tell, its looks do",
            Self::Voice => "← → to choose, or type a name or the path of an .onnx file",
            Self::Speed => "1 is the voice's own pace, 2 twice as fast; 0.25 to 4",
            Self::Speaker => "a number or a name, for voices with several; empty is the first",
            Self::Priority => "← → to choose",
        }
    }
}

/// What is typed so far.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) field: Field,
    /// A path.
    pub(crate) path: Input,
    /// A text that was pasted; it goes before the path.
    pub(crate) pasted: Option<String>,
    /// The format it is read in, if it is told.
    pub(crate) written_as: Option<FormatName>,
    pub(crate) voice: Input,
    pub(crate) speed: Input,
    pub(crate) speaker: Input,
    pub(crate) priority: Priority,
    pub(crate) voices: Vec<VoiceChoice>,
    /// What the path could become.
    pub(crate) candidates: Vec<String>,
    /// Why it was not taken.
    pub(crate) problem: Option<String>,
    /// It was handed over, and the answer is awaited.
    pub(crate) is_sent: bool,
}

/// The longest path or pasted text that is taken: 16 MiB, some three hundred hours of speech.
pub(crate) const LONGEST: usize = 16 << 20;

impl Form {
    pub(crate) fn new(defaults: Defaults) -> Self {
        let speaker = defaults.speaker.map(|speaker| speaker.to_string());
        Self {
            field: Field::Text,
            path: Input::default(),
            pasted: None,
            written_as: None,
            voice: defaults.voice.into(),
            speed: defaults.speed.to_string().into(),
            speaker: speaker.unwrap_or_default().into(),
            priority: Priority::Normal,
            voices: Vec::new(),
            candidates: Vec::new(),
            problem: None,
            is_sent: false,
        }
    }

    /// What can be chosen in a field, and the place of what is chosen; `None` where one types.
    pub(crate) fn values(&self, field: Field) -> Option<(&'static [&'static str], usize)> {
        match field {
            Field::Format => {
                let at = FORMATS.iter().position(|one| *one == self.written_as);
                Some((&FORMAT_WORDS, at.unwrap_or(0)))
            }
            Field::Priority => {
                let at = Priority::ALL.iter().position(|one| *one == self.priority);
                Some((&PRIORITY_WORDS, at.unwrap_or(0)))
            }
            Field::Text | Field::Voice | Field::Speed | Field::Speaker => None,
        }
    }

    /// Takes what a path could become, if it is still what was asked about.
    pub(crate) fn completed(&mut self, typed: &str, completion: Completion) {
        if self.path.value() != typed {
            return;
        }
        if completion.common.len() > typed.len() {
            self.path = completion.common.into();
        }
        self.candidates = completion.candidates;
    }

    /// What to narrate and how, or what is wrong and where.
    pub(crate) fn read(&self) -> Result<NewNarration, (Field, String)> {
        let text = match &self.pasted {
            Some(text) => NewText::Typed(text.clone()),
            None if self.path.value().trim().is_empty() => {
                return Err((Field::Text, "type a path, or paste a text".into()));
            }
            None => NewText::File(self.path.value().trim().into()),
        };
        let speed: f32 = self
            .speed
            .value()
            .trim()
            .replace(',', ".")
            .parse()
            .ok()
            .filter(|speed| (0.25..=4.0).contains(speed))
            .ok_or((
                Field::Speed,
                "the speed is a number from 0.25 to 4".to_owned(),
            ))?;
        // Any word may be a name; whether it is one, the voice tells.
        let speaker = match self.speaker.value().trim() {
            "" => None,
            speaker => speaker.parse().ok(),
        };
        let voice = self.voice.value().trim().to_owned();
        if voice.is_empty() {
            return Err((Field::Voice, "choose a voice".into()));
        }
        Ok(NewNarration {
            limits: Limits::default(),
            text,
            written_as: self.written_as,
            voice,
            speed,
            speaker,
            others: OtherVoices::default(),
            priority: self.priority,
        })
    }
}

impl Fields for Form {
    fn step(&mut self, by: isize) {
        self.field = stepped(&Field::ALL, self.field, by);
    }

    fn point(&mut self, line: usize, value: Option<usize>) {
        let Some(field) = Field::ALL.get(line) else {
            return;
        };
        self.field = *field;
        match (self.field, value) {
            (Field::Format, Some(value)) => {
                self.written_as = FORMATS.get(value).copied().unwrap_or(self.written_as);
            }
            (Field::Priority, Some(value)) => {
                self.priority = Priority::ALL.get(value).copied().unwrap_or(self.priority);
            }
            _ => {}
        }
    }

    fn turn(&mut self, by: isize) -> bool {
        self.problem = None;
        match self.field {
            Field::Format => {
                let to = turned(&FORMATS, &self.written_as, by);
                self.written_as = to.and_then(|to| FORMATS[to]);
            }
            Field::Voice => {
                let names: Vec<&str> = self
                    .voices
                    .iter()
                    .filter(|voice| voice.is_installed)
                    .map(|voice| voice.name.as_str())
                    .collect();
                if let Some(to) = turned(&names, &self.voice.value(), by) {
                    self.voice = names[to].into();
                }
            }
            Field::Priority => {
                let to = turned(&Priority::ALL, &self.priority, by);
                self.priority = to.map_or(self.priority, |to| Priority::ALL[to]);
            }
            Field::Text | Field::Speed | Field::Speaker => return false,
        }
        true
    }

    fn input(&mut self) -> Option<&mut Input> {
        match self.field {
            Field::Text => Some(&mut self.path),
            Field::Voice => Some(&mut self.voice),
            Field::Speed => Some(&mut self.speed),
            Field::Speaker => Some(&mut self.speaker),
            Field::Format | Field::Priority => None,
        }
    }

    fn touch(&mut self) {
        self.problem = None;
    }

    fn key(&mut self, event: KeyEvent) {
        self.touch();
        if self.field == Field::Text && self.pasted.is_some() {
            // A pasted text is taken away as a whole.
            if event.code == KeyCode::Backspace {
                self.pasted = None;
            }
        } else if let Some(input) = self.input() {
            type_into(input, event);
            self.candidates.clear();
        }
    }

    /// One line that could be a path goes where the cursor is, anything else is the text itself.
    fn paste(&mut self, text: &str) {
        self.touch();
        let line = text.trim();
        if line.len() > LONGEST {
            self.problem = Some("this paste is too long; save it as a file and add that".into());
        } else if self.field != Field::Text || is_like_a_path(line) {
            insert(self.input(), line);
        } else if !line.is_empty() {
            self.pasted = Some(text.to_owned());
        }
    }
}

/// A file dragged into a terminal comes as a paste of its path.
fn is_like_a_path(line: &str) -> bool {
    let first = line.trim_start_matches(['\'', '"']);
    !line.contains('\n')
        && line.len() < 4096
        && (["/", "~", "./", "../", "file://"]
            .iter()
            .any(|start| first.starts_with(start))
            || (!line.contains(' ') && line.contains('.') && !line.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::narrate::Speaker;

    fn form() -> Form {
        Form::new(Defaults {
            voice: "en_US-joe-medium".into(),
            speed: 1.0,
            speaker: None,
        })
    }

    #[test]
    fn a_paste_is_a_path_or_a_text() {
        for path in [
            "/home/ada/story.txt",
            "'~/my story.txt'",
            "story.md",
            r"/my\ story.txt",
            "file:///my%20story.txt",
            "'/home/ada/my story.txt'",
        ] {
            let mut form = form();
            form.paste(path);
            assert_eq!((form.path.value(), form.pasted), (path, None));
        }
        for text in ["Rain again.", "One line.\nAnother.", "Yes."] {
            let mut form = form();
            form.paste(text);
            assert_eq!(form.pasted.as_deref(), Some(text));
        }
        let mut form = form();
        form.field = Field::Voice;
        form.voice = Input::default();
        form.paste("joe\u{1b}[2J");
        assert_eq!(form.voice.value(), "joe[2J");
    }

    #[test]
    fn mistakes_are_told_with_their_field() {
        let mut form = form();
        assert_eq!(form.read().unwrap_err().0, Field::Text);
        form.path = "a.txt".into();
        form.speed = "fast".into();
        assert_eq!(form.read().unwrap_err().0, Field::Speed);
        form.speed = "1,5".into();
        form.speaker = "3".into();
        let read = form.read().unwrap();
        assert_eq!((read.speed, read.speaker), (1.5, Some(Speaker::Number(3))));
        form.speaker = " Alba".into();
        let named = Speaker::Name("Alba".into());
        assert_eq!(form.read().unwrap().speaker, Some(named));
    }

    #[test]
    fn values_turn_round() {
        let mut form = form();
        form.field = Field::Priority;
        assert!(form.turn(1));
        assert_eq!(form.priority, Priority::High);
        form.turn(1);
        assert_eq!(form.priority, Priority::Low);
        form.field = Field::Voice;
        form.turn(1);
        assert_eq!(form.voice.value(), "en_US-joe-medium");
        form.step(-9);
        assert_eq!(form.field, Field::Text);
        assert!(!form.turn(1));
    }
}
