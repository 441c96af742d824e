//! Which voices tell which chapters, as a person writes it: `1=af_heart, 3-5=bf_emma`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::shown;

/// The voices of chapters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChapterVoices(Vec<(RangeInclusive<usize>, String)>);

impl ChapterVoices {
    /// Who tells this chapter, counted from 1; `None` if that is not said.
    #[must_use]
    pub fn of(&self, chapter: usize) -> Option<&str> {
        let mut all = self.0.iter();
        let found = all.find(|(chapters, _)| chapters.contains(&chapter));
        found.map(|(_, voice)| voice.as_str())
    }

    /// The voices, in the order in which they are named.
    pub fn voices(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, voice)| voice.as_str())
    }

    /// Whether nothing is said of any chapter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for ChapterVoices {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ChapterVoices> for String {
    fn from(voices: ChapterVoices) -> Self {
        voices.to_string()
    }
}

impl FromStr for ChapterVoices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(part).collect::<Result<_, _>>().map(Self)
    }
}

fn part(text: &str) -> Result<(RangeInclusive<usize>, String), String> {
    let wrong = || format!("{} is not like 3=af_heart or 3-5=af_heart", shown(text));
    let (chapters, voice) = text.split_once('=').ok_or_else(wrong)?;
    let (first, last) = chapters.split_once('-').unwrap_or((chapters, chapters));
    let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
    let (first, last) = (number(first)?, number(last)?);
    if first == 0 || last < first || voice.trim().is_empty() {
        return Err(wrong());
    }
    Ok((first..=last, voice.trim().to_owned()))
}

impl fmt::Display for ChapterVoices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (chapters, voice)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let (first, last) = (chapters.start(), chapters.end());
            match first == last {
                true => write!(f, "{comma}{first}={voice}")?,
                false => write!(f, "{comma}{first}-{last}={voice}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_have_the_voices_that_are_written() {
        let voices: ChapterVoices = " 1=af_heart, 3 - 5 = af_heart:60+bf_emma:40,"
            .parse()
            .unwrap();
        let of = [1, 2, 3, 5, 6].map(|chapter| voices.of(chapter));
        let blend = Some("af_heart:60+bf_emma:40");
        assert_eq!(of, [Some("af_heart"), None, blend, blend, None]);
        let shown = voices.to_string();
        assert_eq!(shown, "1=af_heart, 3-5=af_heart:60+bf_emma:40");
        assert_eq!(shown.parse(), Ok(voices));
        assert!("".parse::<ChapterVoices>().unwrap().is_empty());
        for wrong in ["x", "0=a", "5-3=a", "1=", "=a", "1-=a", "-1=a"] {
            assert!(wrong.parse::<ChapterVoices>().is_err(), "{wrong}");
        }
    }
}
