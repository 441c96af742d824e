//! Blends of voices as they are written: `af_heart:60+bf_emma:40`. It only reads and writes the text; it
//! must never ask whether there are such voices.

use std::fmt;

use super::named::LONGEST_NAME;
use super::voices::is_path;
use crate::text::excerpt;

/// How a blend is written, for messages.
pub(super) const EXAMPLE: &str = "af_heart:60+bf_emma:40";
/// More would be heard as nobody in particular.
const MOST: usize = 8;
const WHOLE: u32 = 100;

/// A voice's name and how much of it there is, in percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub name: String,
    pub percent: u32,
}

/// Voices in their shares, which make a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blend(pub Vec<Share>);

/// What is wrong with a blend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlendError {
    /// There is nothing where a voice's name belongs.
    #[error("a voice's name is missing in it")]
    NoName,
    /// What follows a colon is no share.
    #[error("`{0}` is no share, which is a whole number from 1 to 100")]
    NoShare(String),
    /// Some voices have a share and others none.
    #[error("some of its voices have a share and others have none")]
    SomeShares,
    /// The shares make no whole.
    #[error("its shares add up to {0}, not to 100")]
    Sum(u64),
    /// There are too many voices.
    #[error("it has {0} voices, and {MOST} are the most")]
    TooMany(usize),
    /// A voice stands in it twice.
    #[error("{0} is in it twice")]
    Twice(String),
    /// A voice of another kind.
    #[error("{0} can't be blended, for it has a model of its own; only Kokoro voices can")]
    OtherFamily(String),
    /// There is no such voice.
    #[error("there is no voice `{name}`{}", .nearest.as_ref().map_or_else(String::new, |it| format!(" (did you mean `{it}`?)")))]
    Unknown {
        /// What it was called.
        name: String,
        /// The Kokoro voice whose name is most like it.
        nearest: Option<String>,
    },
}

/// Whether this is meant as a blend, well written or not: a path is none, and nor is a plain name.
pub(super) fn is_blend(text: &str) -> bool {
    text.contains(['+', ':']) && !is_path(text)
}

impl Blend {
    /// Reads a blend. Without numbers all shares are the same, and what is left of 100 goes to the first.
    ///
    /// # Errors
    /// [`BlendError`], but for those that ask whether there are such voices.
    pub(super) fn parse(text: &str) -> Result<Blend, BlendError> {
        let written: Vec<&str> = text.split('+').collect();
        if written.len() > MOST {
            return Err(BlendError::TooMany(written.len()));
        }
        let mut names: Vec<String> = Vec::new();
        let mut shares = Vec::new();
        for one in written {
            let (name, share) = match one.split_once(':') {
                Some((name, share)) => (name.trim(), Some(percent(share.trim())?)),
                None => (one.trim(), None),
            };
            if name.is_empty() {
                return Err(BlendError::NoName);
            }
            if names.iter().any(|other| other == name) {
                return Err(BlendError::Twice(excerpt(name, LONGEST_NAME)));
            }
            names.push(name.to_owned());
            shares.extend(share);
        }
        if shares.is_empty() {
            shares = equal(names.len());
        }
        if shares.len() != names.len() {
            return Err(BlendError::SomeShares);
        }
        let sum = shares.iter().copied().map(u64::from).sum();
        if sum != u64::from(WHOLE) {
            return Err(BlendError::Sum(sum));
        }
        let shares = names.into_iter().zip(shares);
        Ok(Blend(
            shares
                .map(|(name, percent)| Share { name, percent })
                .collect(),
        ))
    }
}

/// As it is written again: with all its shares, unless it is one voice.
impl fmt::Display for Blend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = &*self.0 {
            return f.write_str(&only.name);
        }
        for (index, share) in self.0.iter().enumerate() {
            let plus = if index > 0 { "+" } else { "" };
            write!(f, "{plus}{}:{}", share.name, share.percent)?;
        }
        Ok(())
    }
}

fn percent(text: &str) -> Result<u32, BlendError> {
    // A sign is none of a whole number's digits, though it can be parsed.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_number && *number > 0);
    number.ok_or_else(|| BlendError::NoShare(excerpt(text, 20)))
}

fn equal(count: usize) -> Vec<u32> {
    // At most `MOST`, so each has at least 12.
    let count = u32::try_from(count).unwrap_or(WHOLE);
    let mut shares = vec![WHOLE / count; count as usize];
    shares[0] += WHOLE % count;
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        match Blend::parse(text) {
            Ok(blend) => blend.to_string(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn blends_are_read_and_written_the_same_way() {
        for (text, same) in [
            ("af_heart:60+bf_emma:40", "af_heart:60+bf_emma:40"),
            (" af_heart : 60 + bf_emma:040 ", "af_heart:60+bf_emma:40"),
            ("af_heart+bf_emma", "af_heart:50+bf_emma:50"),
            ("a+b+c", "a:34+b:33+c:33"),
            ("a+b+c+d+e+f+g+h", "a:16+b:12+c:12+d:12+e:12+f:12+g:12+h:12"),
            ("af_heart:100", "af_heart"),
            ("af_heart", "af_heart"),
        ] {
            assert_eq!(written(text), same);
        }
    }

    #[test]
    fn what_is_wrong_with_a_blend_is_said() {
        for (text, why) in [
            ("a:60+b:50", "add up to 110, not to 100"),
            ("a:4294967295+b:4294967295", "add up to 8589934590"),
            ("a:60", "add up to 60"),
            ("a:60+b", "others have none"),
            ("a:0+b:100", "`0` is no share"),
            ("a:+60+b:40", "`` is no share"),
            ("a:-5+b:105", "`-5` is no share"),
            ("a:49.5+b:50.5", "`49.5` is no share"),
            ("a:sixty+b:40", "`sixty` is no share"),
            ("a:50:b:50", "`50:b:50` is no share"),
            ("a+", "name is missing"),
            (":100", "name is missing"),
            ("a+b+a", "a is in it twice"),
            ("a+b+c+d+e+f+g+h+i", "has 9 voices, and 8 are the most"),
        ] {
            let said = written(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn paths_and_plain_names_are_no_blends() {
        assert!(is_blend("a+b") && is_blend("a:100") && is_blend("+"));
        assert!(!is_blend("af_heart") && !is_blend("C:/a+b.onnx") && !is_blend(""));
    }

    proptest! {
        #[test]
        fn what_is_read_is_whole_and_stays_the_same(text in "[a-c:+0-9 ]{0,24}") {
            if let Ok(blend) = Blend::parse(&text) {
                let sum = blend.0.iter().map(|share| share.percent).sum::<u32>();
                prop_assert_eq!(sum, 100);
                prop_assert_eq!(Blend::parse(&blend.to_string()), Ok(blend));
            }
        }
    }
}
