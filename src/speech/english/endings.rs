//! Forms of words that no list has: how "-s", "-ed" and "-ing" are written, and how they sound behind what.

use super::Dialect;
use super::stress::is_vowel;

/// The words that a form may be of, the likeliest first, and the ending that each would have.
pub(super) fn stems(word: &str) -> Vec<(String, Ending)> {
    let mut stems = Vec::new();
    if !word.is_ascii() || word.len() < 3 {
        return stems;
    }
    let lower = word.to_ascii_lowercase();
    let without = |ending: usize| word[..word.len() - ending].to_owned();
    if let Some(owner) = lower.strip_suffix("'s") {
        stems.push((word[..owner.len()].to_owned(), Ending::S));
    } else if lower.ends_with('s') && !lower.ends_with("ss") && !lower.ends_with("'s") {
        stems.push((without(1), Ending::S));
        if lower.len() > 4 && lower.ends_with("ies") {
            stems.push((without(3) + "y", Ending::S));
        } else if lower.len() > 4 && lower.ends_with("es") {
            stems.push((without(2), Ending::S));
        }
    } else if lower.len() > 3 && lower.ends_with('d') && !lower.ends_with("dd") {
        stems.push((without(1), Ending::Ed));
        if lower.len() > 4 && lower.ends_with("ed") && !lower.ends_with("eed") {
            stems.push((without(2), Ending::Ed));
            stems.extend(undoubled(&lower, 2).map(|stem| (stem, Ending::Ed)));
            if lower.ends_with("ied") {
                stems.push((without(3) + "y", Ending::Ed));
            }
        }
    } else if lower.len() > 4 && lower.ends_with("ing") {
        if lower.len() > 5 {
            stems.push((without(3), Ending::Ing));
        }
        stems.push((without(3) + "e", Ending::Ing));
        stems.extend(undoubled(&lower, 3).map(|stem| (stem, Ending::Ing)));
    }
    stems
}

/// The word before a verb that is written short: "there" and "'d" of "there'd".
pub(super) fn contraction(word: &str) -> Option<(&str, &'static str)> {
    let verbs = ["'ve", "'ll", "'re", "'d"].into_iter();
    let mut stems = verbs.filter_map(|verb| Some((word.strip_suffix(verb)?, verb)));
    stems.next().filter(|(stem, _)| !stem.is_empty())
}

/// The phonemes with those of such a verb behind them.
pub(super) fn contracted(phonemes: &str, verb: &str) -> String {
    let last = phonemes.chars().last().unwrap_or(' ');
    let sound = match verb {
        "'ve" if is_vowel(last) => "v",
        "'ve" => "əv",
        "'ll" => "əl",
        "'re" => "əɹ",
        _ if matches!(last, 't' | 'd') => "əd",
        _ => "d",
    };
    format!("{phonemes}{sound}")
}

/// "run" for "running", if it is written so.
fn undoubled(word: &str, ending: usize) -> Option<String> {
    let stem = &word[..word.len() - ending];
    let [.., a, b] = stem.as_bytes() else {
        return None;
    };
    (a == b && stem.len() > 3).then(|| stem[..stem.len() - 1].to_owned())
}

/// What a form ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    S,
    Ed,
    Ing,
}

impl Ending {
    /// The phonemes of a form, from those of the word it is of.
    pub(super) fn behind(self, phonemes: &str, dialect: Dialect) -> String {
        let is_american = dialect == Dialect::American;
        let weak = if is_american { "ᵻ" } else { "ɪ" };
        let last = phonemes.chars().last().unwrap_or(' ');
        // An American flaps the t of "hated" and "hating", not that of "wanted".
        let flapped = || {
            let stem = phonemes.strip_suffix('t').filter(|_| is_american)?;
            let before = stem.chars().last()?;
            (is_vowel(before) || before == 'ɹ').then(|| format!("{stem}ɾ"))
        };
        match (self, last) {
            (Self::S, 's' | 'z' | 'ʃ' | 'ʒ' | 'ʧ' | 'ʤ') => format!("{phonemes}{weak}z"),
            (Self::S, 'p' | 't' | 'k' | 'f' | 'θ') => format!("{phonemes}s"),
            (Self::S, _) => format!("{phonemes}z"),
            (Self::Ed, 'd') => format!("{phonemes}{weak}d"),
            (Self::Ed, 't') => {
                format!(
                    "{}{weak}d",
                    flapped().unwrap_or_else(|| phonemes.to_owned())
                )
            }
            (Self::Ed, 'p' | 'k' | 'f' | 'θ' | 'ʃ' | 's' | 'ʧ') => format!("{phonemes}t"),
            (Self::Ed, _) => format!("{phonemes}d"),
            (Self::Ing, _) => {
                format!("{}ɪŋ", flapped().unwrap_or_else(|| phonemes.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_sound_as_what_is_before_them() {
        let american = |ending: Ending, of: &str| ending.behind(of, Dialect::American);
        for (ending, of, form) in [
            (Ending::S, "kˈæt", "kˈæts"),
            (Ending::S, "dˈɔɡ", "dˈɔɡz"),
            (Ending::S, "bˈʌs", "bˈʌsᵻz"),
            (Ending::Ed, "wˈɔk", "wˈɔkt"),
            (Ending::Ed, "lˈʌv", "lˈʌvd"),
            (Ending::Ed, "nˈid", "nˈidᵻd"),
            (Ending::Ed, "hˈAt", "hˈAɾᵻd"),
            (Ending::Ed, "wˈɑnt", "wˈɑntᵻd"),
            (Ending::Ing, "hˈAt", "hˈAɾɪŋ"),
            (Ending::Ing, "pˈAnt", "pˈAntɪŋ"),
        ] {
            assert_eq!(american(ending, of), form);
        }
        assert_eq!(Ending::Ed.behind("hˈAt", Dialect::British), "hˈAtɪd");
        assert_eq!(Ending::S.behind("bˈʌs", Dialect::British), "bˈʌsɪz");
    }

    #[test]
    fn forms_are_told_from_words() {
        let first = |word: &str| {
            stems(word)
                .into_iter()
                .map(|(stem, _)| stem)
                .collect::<Vec<_>>()
        };
        assert_eq!(first("cities"), ["citie", "city"]);
        assert_eq!(first("running"), ["runn", "runne", "run"]);
        assert_eq!(first("canned"), ["canne", "cann", "can"]);
        assert_eq!(first("boss"), [""; 0]);
        assert_eq!(first("boss's"), ["boss"]);
        assert_eq!(first("é's"), [""; 0]);
    }
}
