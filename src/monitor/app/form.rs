//! The form for a new narration: what is to be read, by whom and how. Checks what can be checked
//! without looking at a file, and hands over the rest.

use tui_input::Input;

use crate::model::{Limits, Priority};
use crate::monitor::services::{Completion, Defaults, VoiceChoice};
use crate::narrate::{NewNarration, NewText};

/// A line of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Text,
    Voice,
    Speed,
    Speaker,
    Priority,
}

impl Field {
    pub(crate) const ALL: [Self; 5] = [
        Self::Text,
        Self::Voice,
        Self::Speed,
        Self::Speaker,
        Self::Priority,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
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
            Self::Voice => "← → to choose, or type a name or the path of an .onnx file",
            Self::Speed => "1 is the voice's own pace, 2 twice as fast; 0.25 to 4",
            Self::Speaker => "a number, for voices with several speakers; empty is the first",
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

    /// The line that is being typed in, if it is one.
    pub(crate) fn input(&mut self) -> Option<&mut Input> {
        match self.field {
            Field::Text => Some(&mut self.path),
            Field::Voice => Some(&mut self.voice),
            Field::Speed => Some(&mut self.speed),
            Field::Speaker => Some(&mut self.speaker),
            Field::Priority => None,
        }
    }

    /// To the field so many lines on.
    pub(crate) fn step(&mut self, by: isize) {
        let here = Field::ALL.iter().position(|field| *field == self.field);
        let last = Field::ALL.len() - 1;
        let to = here.unwrap_or(0).saturating_add_signed(by).min(last);
        self.field = Field::ALL[to];
    }

    /// The value so many places on, where there are some to choose from. Returns whether there are.
    pub(crate) fn turn(&mut self, by: isize) -> bool {
        self.problem = None;
        match self.field {
            Field::Voice => {
                let names: Vec<&str> = self
                    .voices
                    .iter()
                    .filter(|voice| voice.is_installed)
                    .map(|voice| voice.name.as_str())
                    .collect();
                let here = names.iter().position(|name| *name == self.voice.value());
                if let Some(name) = turned(&names, here, by) {
                    self.voice = (*name).into();
                }
                true
            }
            Field::Priority => {
                let here = Priority::ALL.iter().position(|one| *one == self.priority);
                if let Some(priority) = turned(&Priority::ALL, here, by) {
                    self.priority = *priority;
                }
                true
            }
            _ => false,
        }
    }

    /// Takes a paste: one line that could be a path goes where the cursor is, anything else is the
    /// text itself.
    pub(crate) fn paste(&mut self, text: &str) {
        self.problem = None;
        let line = text.trim();
        if line.len() > LONGEST {
            self.problem = Some("this paste is too long; save it as a file and add that".into());
        } else if self.field != Field::Text || is_like_a_path(line) {
            let clean: String = line.chars().filter(|c| !c.is_control()).collect();
            if let Some(input) = self.input() {
                for letter in clean.chars().take(4096) {
                    input.handle(tui_input::InputRequest::InsertChar(letter));
                }
            }
        } else if !line.is_empty() {
            self.pasted = Some(text.to_owned());
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
        let speaker = match self.speaker.value().trim() {
            "" => None,
            number => Some(number.parse().map_err(|_| {
                let message = "the speaker is a whole number, counted from 0; or leave it empty";
                (Field::Speaker, message.to_owned())
            })?),
        };
        let voice = self.voice.value().trim().to_owned();
        if voice.is_empty() {
            return Err((Field::Voice, "choose a voice".into()));
        }
        Ok(NewNarration {
            limits: Limits::default(),
            text,
            voice,
            speed,
            speaker,
            priority: self.priority,
        })
    }
}

fn turned<T>(all: &[T], here: Option<usize>, by: isize) -> Option<&T> {
    let len = isize::try_from(all.len()).ok().filter(|len| *len > 0)?;
    let here = here.and_then(|here| isize::try_from(here).ok());
    let to = here.map_or(0, |here| (here + by).rem_euclid(len));
    all.get(usize::try_from(to).ok()?)
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
        form.speaker = "x".into();
        assert_eq!(form.read().unwrap_err().0, Field::Speaker);
        form.speaker = "3".into();
        let read = form.read().unwrap();
        assert_eq!((read.speed, read.speaker), (1.5, Some(3)));
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
