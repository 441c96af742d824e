//! The language that a text is in: the one it names, or else the one it looks like. A voice reads another
//! language as if it were its own, which nobody wants to find out from the clips.

use crate::text::{Segment, subtag};

/// So much of a text is looked at, in bytes.
const LOOKED_AT: usize = 8 << 10;
/// A text with fewer letters may be in any language.
const FEWEST_LETTERS: usize = 120;

/// What is known of a text's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// The primary subtag of its BCP 47 tag, in lower case: `en`.
    pub code: String,
    /// Whether the text names it itself; otherwise it looks like it.
    pub is_named: bool,
}

impl Language {
    /// The language of a text that names `named`, if it does, and is cut into these segments.
    #[must_use]
    pub fn of(named: Option<&str>, segments: &[Segment]) -> Option<Self> {
        Self::of_texts(named, segments.iter().map(|segment| &*segment.text))
    }

    /// The same of the texts of its segments.
    #[must_use]
    pub fn of_texts<'a>(
        named: Option<&str>,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        if let Some(code) = named.and_then(known_code) {
            let is_named = true;
            return Some(Self { code, is_named });
        }
        let mut words = String::new();
        for text in texts {
            words.push_str(text);
            words.push('\n');
            if words.len() >= LOOKED_AT {
                break;
            }
        }
        let letters = words.chars().filter(|c| c.is_alphabetic()).count();
        let found = whatlang::detect(&words).filter(|_| letters >= FEWEST_LETTERS)?;
        let is_sure = found.is_reliable();
        let (_, code) = CODES
            .iter()
            .find(|(three, _)| *three == found.lang().code())?;
        is_sure.then(|| Self {
            code: (*code).to_owned(),
            is_named: false,
        })
    }

    /// Whether a voice of this language, a BCP 47 tag, speaks it. One whose maker did not say is taken to.
    #[must_use]
    pub fn is_spoken_by(&self, voice: &str) -> bool {
        known_code(voice).is_none_or(|code| code == self.code)
    }

    /// Its name in English, or its tag if it is a rare one.
    #[must_use]
    pub fn name(&self) -> &str {
        language_name(&self.code)
    }
}

/// The name in English of the language that a tag stands for, or the tag itself if it is a rare one.
#[must_use]
pub fn language_name(tag: &str) -> &str {
    let code = known_code(tag).unwrap_or_default();
    let known = CODES.iter().find(|(_, other)| *other == code);
    let named = known.and_then(|(three, _)| whatlang::Lang::from_code(*three));
    named.map_or(tag, |lang| match lang {
        whatlang::Lang::Cmn => "Chinese",
        whatlang::Lang::Nob => "Norwegian",
        lang => lang.eng_name(),
    })
}

/// The code of a language by its tag, of two or three letters, or by its name in English; `None` where there
/// is none, as in `und` or `auto`. What Norwegians and Chinese write and say counts as one language.
fn known_code(tag: &str) -> Option<String> {
    let code = subtag(tag);
    let two = CODES.iter().find(|(three, _)| *three == code);
    let named = || {
        let mut all = CODES.iter();
        all.find(|(three, _)| {
            let lang = whatlang::Lang::from_code(*three);
            lang.is_some_and(|lang| lang.eng_name().eq_ignore_ascii_case(&code))
        })
    };
    if let Some((_, two)) = two.or_else(named) {
        return Some((*two).to_owned());
    }
    match code.as_str() {
        "nb" | "nn" | "nor" => Some("no".to_owned()),
        "fil" => Some("tl".to_owned()),
        "und" | "zxx" | "mul" => None,
        // Three letters are mostly words where no such language is known.
        _ => (code.len() == 2).then_some(code),
    }
}

/// The languages that are told apart, by their codes of three and of two letters (ISO 639-3 and
/// 639-1).
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("afr", "af"), ("aka", "ak"), ("amh", "am"), ("ara", "ar"), ("aze", "az"), ("bel", "be"), ("ben", "bn"),
    ("bul", "bg"), ("cat", "ca"), ("ces", "cs"), ("cmn", "zh"), ("dan", "da"), ("deu", "de"), ("ell", "el"),
    ("eng", "en"), ("epo", "eo"), ("est", "et"), ("fin", "fi"), ("fra", "fr"), ("guj", "gu"), ("heb", "he"),
    ("hin", "hi"), ("hrv", "hr"), ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ita", "it"), ("jav", "jv"),
    ("jpn", "ja"), ("kan", "kn"), ("kat", "ka"), ("khm", "km"), ("kor", "ko"), ("lat", "la"), ("lav", "lv"),
    ("lit", "lt"), ("mal", "ml"), ("mar", "mr"), ("mkd", "mk"), ("mya", "my"), ("nep", "ne"), ("nld", "nl"),
    ("nob", "no"), ("ori", "or"), ("pan", "pa"), ("pes", "fa"), ("pol", "pl"), ("por", "pt"), ("ron", "ro"),
    ("rus", "ru"), ("sin", "si"), ("slk", "sk"), ("slv", "sl"), ("sna", "sn"), ("spa", "es"), ("srp", "sr"),
    ("swe", "sv"), ("tam", "ta"), ("tel", "te"), ("tgl", "tl"), ("tha", "th"), ("tuk", "tk"), ("tur", "tr"),
    ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("yid", "yi"), ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Limits, Markdown, PlainText, parse, segment};

    fn language(text: &str) -> Option<String> {
        let document = parse(text, &PlainText);
        let cut = segment(text, &document, "en", &Limits::default());
        Language::of(None, &cut.segments).map(|language| language.code)
    }

    #[test]
    fn texts_look_like_their_languages() {
        let cases = [
            (
                "en",
                "It was a cold evening, and the boats had not come back yet. Nobody in the harbour said \
                    what everybody was thinking, and the lamps were lit one after the other.",
            ),
            (
                "fr",
                "C’était un soir froid, et les bateaux n’étaient pas encore rentrés. Personne au port ne \
                    disait ce que tout le monde pensait, et l’on allumait les lampes l’une après l’autre.",
            ),
            (
                "de",
                "Es war ein kalter Abend, und die Boote waren noch nicht zurück. Niemand im Hafen sagte, \
                    was alle dachten, und eine Lampe nach der anderen wurde angezündet.",
            ),
            (
                "pl",
                "Był zimny wieczór, a łodzie jeszcze nie wróciły. Nikt w porcie nie mówił tego, o czym \
                    wszyscy myśleli, i zapalano jedną lampę po drugiej, aż zrobiło się jasno.",
            ),
            (
                "ru",
                "Был холодный вечер, и лодки ещё не вернулись. Никто в гавани не говорил того, о чём все \
                    думали, и лампы зажигали одну за другой, пока не стало светло. Старик вышел на берег и долго смотрел на море, но ничего не \
                    увидел, кроме тумана и чаек, которые кричали над водой.",
            ),
        ];
        for (code, text) in cases {
            assert_eq!(language(text).as_deref(), Some(code), "{text}");
        }
        for text in ["Bonjour.", "1, 2, 3 …", "La la la la la."] {
            assert_eq!(language(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_text_says_of_itself_counts() {
        let text = "---\ntitle: Tea\nlang: pt-BR\n---\nIt was a cold evening, and the boats had not come back.";
        let document = parse(text, &Markdown);
        let language = Language::of(document.language.as_deref(), &[]).unwrap();
        assert_eq!(
            (language.code.as_str(), language.name()),
            ("pt", "Portuguese")
        );
        assert!(language.is_spoken_by("pt_PT") && language.is_spoken_by(""));
        assert!(!language.is_spoken_by("en-US"));
        for none in ["und", "all", "auto", "none", "the"] {
            assert_eq!(Language::of(Some(none), &[]), None, "{none}");
        }
        let same = [
            ("English", "en_GB"),
            ("eng", "en-US"),
            ("nb", "no_NO"),
            ("nn-NO", "nb_NO"),
            ("cmn", "zh_CN"),
            ("cy", "cy_GB"),
        ];
        for (tag, voice) in same {
            let language = Language::of(Some(tag), &[]).unwrap();
            assert!(language.is_spoken_by(voice), "{tag} {voice}");
        }
        assert!(!Language::of(Some("de"), &[]).unwrap().is_spoken_by("no_NO"));
        assert_eq!(
            (language_name("nb"), language_name("xx")),
            ("Norwegian", "xx")
        );
    }
}
