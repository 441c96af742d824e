//! The language of a voice, which the first letter of its name says.

use super::super::english::Dialect;

/// How a voice's texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// By lexicons.
    English(Dialect),
    /// By eSpeak NG: its name of the language, and the BCP 47 tag.
    Espeak(&'static str, &'static str),
}

impl Language {
    /// That of a voice of this name, such as `af_heart`; `None` for those that nobody reads here, which are
    /// Japanese and Chinese.
    pub(super) fn of(voice: &str) -> Option<Self> {
        Some(match voice.chars().next()? {
            'a' => Self::English(Dialect::American),
            'b' => Self::English(Dialect::British),
            'e' => Self::Espeak("es", "es"),
            'f' => Self::Espeak("fr", "fr-FR"),
            'h' => Self::Espeak("hi", "hi"),
            'i' => Self::Espeak("it", "it"),
            'p' => Self::Espeak("pt-br", "pt-BR"),
            _ => return None,
        })
    }

    /// Its BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English(dialect) => dialect.tag(),
            Self::Espeak(_, tag) => tag,
        }
    }
}
