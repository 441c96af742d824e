//! A voice's speakers, by number or by name.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of a voice's speakers, as a person says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Speaker {
    /// By number, counted from 0.
    Number(u32),
    /// By the name that the voice's configuration gives it.
    Name(String),
}

impl FromStr for Speaker {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.trim();
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Number))
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Speaker {
    /// Its number, in a voice of so many speakers with these names; `None` if there is no such speaker. A
    /// name that is written as a number is found by that, too, unless it is another's number.
    #[must_use]
    pub fn number(&self, speakers: u32, names: &BTreeMap<String, u32>) -> Option<u32> {
        let is_one = |number: &u32| *number < speakers;
        let named = |name: &str| names.get(name).copied().filter(is_one);
        match self {
            Self::Number(number) => Some(*number)
                .filter(is_one)
                .or_else(|| named(&number.to_string())),
            Self::Name(name) => named(name).or_else(|| {
                let same = |(other, number): (&String, &u32)| {
                    (other.to_lowercase() == name.to_lowercase()).then_some(*number)
                };
                names.iter().find_map(same).filter(is_one)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_are_found_by_number_and_by_name() {
        let names = [("p225", 0), ("Alba", 1), ("19", 2), ("beyond", 9)];
        let names = names.map(|(name, number)| (name.to_owned(), number)).into();
        let number = |said: &str| {
            let speaker: Speaker = said.parse().unwrap();
            assert_eq!(speaker.to_string(), said.trim());
            speaker.number(3, &names)
        };
        let cases = [
            ("0", Some(0)),
            ("2", Some(2)),
            ("3", None),
            ("p225", Some(0)),
            ("alba", Some(1)),
            (" Alba ", Some(1)),
            ("19", Some(2)),
            ("beyond", None),
            ("nobody", None),
            ("-1", None),
            ("", None),
        ];
        for (said, found) in cases {
            assert_eq!(number(said), found, "{said}");
        }
    }
}
