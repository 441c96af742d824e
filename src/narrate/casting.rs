//! Who says what of a text: its own voice, and others that it asks for, that chapters are given to, or that
//! say what stands in quotation marks.

use std::sync::Arc;

use crate::engine::OtherVoice;
use crate::settings::ChapterVoices;
use crate::speech::VoiceInfo;
use crate::text::Segmentation;

/// A narration holds each of its voices' names; no text needs more.
const MOST_VOICES: usize = 64;

/// Finds a voice by the name that a text has for it.
pub type FindVoice<'a> = &'a dyn Fn(&str) -> Result<Found, String>;

/// A voice that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name, or the absolute path of its model.
    pub reference: Arc<str>,
    /// What is known of it.
    pub info: VoiceInfo,
}

/// Who says what beside the narrator.
#[derive(Clone, Copy)]
pub struct Casting<'a> {
    /// Finds the voices.
    pub find: FindVoice<'a>,
    /// Who says what stands in quotation marks.
    pub dialogue: Option<&'a str>,
    /// Who tells which chapters.
    pub chapters: Option<&'a ChapterVoices>,
}

impl Casting<'_> {
    /// The narrator says all, and what else a text asks for is not there.
    #[must_use]
    pub fn alone() -> Self {
        Self {
            find: &|_| Err("there are no others".to_owned()),
            dialogue: None,
            chapters: None,
        }
    }
}

/// A voice that can't be had, and the segment that first asks for it, counted from 0.
pub(super) struct Absent {
    pub segment: usize,
    pub voice: String,
    pub reason: String,
}

/// The voices of a text beside its own, and who says each segment: 0 the narrator, N the Nth of them.
pub(super) struct Cast {
    pub others: Vec<Found>,
    pub says: Vec<u16>,
}

impl Cast {
    /// Of a text that was cut. `narrator` is what its own voice is called.
    pub(super) fn of(
        cut: &Segmentation,
        narrator: &str,
        casting: &Casting<'_>,
    ) -> Result<Self, Absent> {
        let mut cast = Self {
            others: Vec::new(),
            says: Vec::with_capacity(cut.segments.len()),
        };
        let mut known: Vec<(&str, u16)> = vec![(narrator, 0)];
        let mut asked = cut.voices.iter().peekable();
        let mut teller = narrator;
        for (index, segment) in cut.segments.iter().enumerate() {
            while let Some((_, voice)) = asked.next_if(|(from, _)| *from <= index) {
                teller = voice;
            }
            let speaker = casting.dialogue.filter(|_| segment.spoken);
            let chapters = casting.chapters;
            let chapter = chapters.and_then(|voices| voices.of(segment.chapter + 1));
            // What the text itself asks for counts before what somebody has set for a chapter of it.
            let tells = if teller == narrator {
                chapter.unwrap_or(teller)
            } else {
                teller
            };
            let says = speaker.unwrap_or(tells);
            let number = if let Some((_, number)) = known.iter().find(|(name, _)| *name == says) {
                *number
            } else {
                let number = cast.add(says, narrator, casting).map_err(|reason| Absent {
                    segment: index,
                    voice: says.to_owned(),
                    reason,
                })?;
                known.push((says, number));
                number
            };
            cast.says.push(number);
        }
        Ok(cast)
    }

    /// The number of a voice that was not named before.
    fn add(&mut self, name: &str, narrator: &str, casting: &Casting<'_>) -> Result<u16, String> {
        let found = (casting.find)(name)?;
        if *found.reference == *narrator {
            return Ok(0);
        }
        let mut others = self.others.iter();
        if let Some(known) = others.position(|other| other.reference == found.reference) {
            return Ok(u16::try_from(known + 1).unwrap_or(u16::MAX));
        }
        if self.others.len() >= MOST_VOICES {
            return Err(format!(
                "it is one more than the {MOST_VOICES} that a narration can have"
            ));
        }
        self.others.push(found);
        Ok(u16::try_from(self.others.len()).unwrap_or(u16::MAX))
    }

    /// The others as a narration keeps them.
    pub(super) fn kept(&self) -> Vec<OtherVoice> {
        let others = self.others.iter();
        let kept = others.map(|other| OtherVoice {
            voice: Arc::clone(&other.reference),
            version: other.info.version.as_str().into(),
        });
        kept.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::text::{Limits, Markdown, Repairs, parse, segment_with};

    /// Who says what of a text, by name.
    fn said(text: &str, dialogue: Option<&str>, chapters: &str) -> Result<Vec<String>, String> {
        let find = |name: &str| {
            if name == "nobody" {
                return Err("there is none".to_owned());
            }
            Ok(Found {
                reference: name.trim_start_matches("the ").into(),
                info: VoiceInfo {
                    name: name.to_owned(),
                    family: "none",
                    language: "en".into(),
                    sample_rate: 24_000,
                    speakers: 1,
                    speaker_names: BTreeMap::new(),
                    version: "1".into(),
                },
            })
        };
        let chapters: ChapterVoices = chapters.parse().unwrap();
        let casting = Casting {
            find: &find,
            dialogue,
            chapters: Some(&chapters),
        };
        let limits = Limits {
            min_chars: 0,
            speech_apart: dialogue.is_some(),
            ..Limits::default()
        };
        let document = parse(text, &Markdown);
        let cut = segment_with(text, &document, "en", &limits, &Repairs::default());
        let cast = Cast::of(&cut, "teller", &casting)
            .map_err(|absent| format!("{} {} {}", absent.segment, absent.voice, absent.reason))?;
        let name = |voice: &u16| match usize::from(*voice).checked_sub(1) {
            Some(other) => cast.others[other].reference.to_string(),
            None => "teller".to_owned(),
        };
        let lines = cut.segments.iter().zip(&cast.says);
        let lines = lines.map(|(segment, voice)| format!("{}: {}", name(voice), segment.text));
        Ok(lines.collect())
    }

    #[test]
    fn a_short_sentence_beside_speech_ends_as_one() {
        use crate::text::SegmentEnd::{Clause, Paragraph, Sentence};

        let limits = Limits {
            speech_apart: true,
            ..Limits::default()
        };
        let ends = |text: &str| {
            let document = parse(text, &Markdown);
            let cut = segment_with(text, &document, "en", &limits, &Repairs::default());
            cut.segments.iter().map(|one| one.end).collect::<Vec<_>>()
        };
        assert_eq!(
            ends("“Go!” He left the room at once."),
            [Sentence, Paragraph]
        );
        assert_eq!(ends("“Who is there?” asked Tom."), [Clause, Paragraph]);
    }

    #[test]
    fn speech_chapters_and_what_the_text_asks_for_have_their_voices() {
        let text = "# One\n\n“Go,” said Ann. She went.\n\n<<VOICE:the emma>> Night.\n\n\
                    <<VOICE:teller>> “Day.”\n\n# Two\n\nRain. <<VOICE:emma>> Sun.";
        assert_eq!(
            said(text, Some("bob"), "2=carl").unwrap(),
            [
                "teller: One",
                "bob: “Go,”",
                "teller: said Ann.",
                "teller: She went.",
                "emma: Night.",
                "bob: “Day.”",
                "carl: Two",
                "carl: Rain.",
                "emma: Sun.",
            ]
        );
        let plain = said(text, None, "").unwrap();
        assert_eq!(plain[1], "teller: “Go,” said Ann.");
        assert_eq!(plain.len(), 8);
    }

    #[test]
    fn a_voice_that_is_not_there_is_told_with_its_segment() {
        let missing = said("Here. <<VOICE:nobody>> There.", None, "");
        assert_eq!(missing.unwrap_err(), "1 nobody there is none");
        let many: String = (0..70)
            .map(|number| format!("<<VOICE:v{number}>> Word.\n\n"))
            .collect();
        assert!(
            said(&many, None, "")
                .unwrap_err()
                .contains("more than the 64")
        );
    }
}
