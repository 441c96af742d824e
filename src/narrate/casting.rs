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
