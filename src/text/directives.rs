//! Words to whoever reads aloud, which stand in a text and are not spoken: pauses, phonemes for a word,
//! a change of voice, the beginning of a chapter. They are found in the source, whatever its format,
//! hidden from the format, and put where they apply. What is no directive stays as it is written.

use std::ops::Range;

use super::reading::are_phonemes;
use super::{Block, BlockEnd, Document, Format, OmissionReason};

/// A word to whoever reads aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Bytes of the source that it takes.
    pub span: Range<usize>,
    /// What it asks for.
    pub kind: DirectiveKind,
}

/// What is asked of whoever reads aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectiveKind {
    /// Silence, in milliseconds: `[pause:1.5]`, `<break time="1500ms"/>`.
    Pause(u32),
    /// A word is said by these phonemes: `[word](/wˈɜːd/)`.
    Phonemes {
        /// Bytes of the source that hold the word.
        word: Range<usize>,
        /// How it is said.
        phonemes: Box<str>,
    },
    /// Another voice from here on: `<<VOICE:name>>`.
    Voice(Box<str>),
    /// A chapter begins here: `<<CHAPTER_MARKER:title>>`.
    Chapter(Box<str>),
}

/// The longest silence that a text may ask for at one place, in milliseconds.
pub(super) const LONGEST_PAUSE: u32 = 60_000;

/// The longest directive, in bytes.
const LONGEST: usize = 512;

/// Takes `text` apart in this format, with the directives in it.
///
/// ```
/// use aloud::text::{DirectiveKind, PlainText, parse};
///
/// let document = parse("Wait.[pause:1.5] Go on.", &PlainText);
/// assert_eq!(document.directives[0].kind, DirectiveKind::Pause(1500));
/// assert_eq!(document.blocks.len(), 2);
/// ```
#[must_use]
pub fn parse(text: &str, format: &dyn Format) -> Document {
    let directives = find(text);
    if directives.is_empty() {
        return format.parse(text);
    }
    let as_it_stands = format.parse(text);
    let mut heeded = directives;
    heeded.retain(|directive| !directive.is_quoted(text, &as_it_stands));
    if heeded.is_empty() {
        return as_it_stands;
    }
    applied(text, format, heeded)
}

/// The document with these directives.
fn applied(text: &str, format: &dyn Format, directives: Vec<Directive>) -> Document {
    let mut document = format.parse(&hidden(text, &directives));
    let silent: Vec<_> = directives.iter().flat_map(Directive::silent).collect();
    document.name_omissions(text, &silent, OmissionReason::Directive);
    let places = directives
        .iter()
        .filter_map(|directive| match directive.kind {
            DirectiveKind::Phonemes { .. } => None,
            _ => Some(directive.span.start),
        });
    document.blocks = parted(document.blocks, places);
    document.directives = directives;
    document
}

impl Directive {
    /// Whether it stands in code, in a comment or in something else that is not read: there it is an
    /// example, and asks for nothing.
    fn is_quoted(&self, text: &str, document: &Document) -> bool {
        use OmissionReason::{Code, Comment, FrontMatter, Hidden, Html, Script, Tag};
        let omissions = &document.omissions;
        let at = omissions.partition_point(|omission| omission.span.end <= self.span.start);
        omissions.get(at).is_some_and(|around| {
            let covers = around.span.start <= self.span.start && self.span.end <= around.span.end;
            // A tag may be a directive itself; in an attribute there is none.
            let in_tag = around.reason == Tag && text[self.span.start..].starts_with('[');
            let silent = [Code, Comment, FrontMatter, Hidden, Html, Script];
            covers && (in_tag || silent.contains(&around.reason))
        })
    }

    /// What of it is not spoken: all but the word that it has phonemes for.
    fn silent(&self) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = self.span;
        let parts = match &self.kind {
            DirectiveKind::Phonemes { word, .. } => [start..word.start, word.end..end],
            _ => [start..end, end..end],
        };
        parts.into_iter().filter(|part| !part.is_empty())
    }
}

/// The directives of a text, in order and disjoint. Linear.
fn find(text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find(['[', '<']).map(|next| at + next) {
        let end = text.floor_char_boundary(next + LONGEST);
        // Between backticks it is quoted.
        let is_quoted =
            |len: usize| text[..next].ends_with('`') && text[next + len..].starts_with('`');
        match directive(&text[next..end]).filter(|(len, _)| !is_quoted(*len)) {
            Some((len, kind)) => {
                let span = next..next + len;
                let kind = match kind {
                    DirectiveKind::Phonemes { word, phonemes } => DirectiveKind::Phonemes {
                        word: next + word.start..next + word.end,
                        phonemes,
                    },
                    kind => kind,
                };
                found.push(Directive { span, kind });
                at = next + len;
            }
            None => at = next + 1,
        }
    }
    found
}

/// The directive that a text begins with, and its length.
fn directive(text: &str) -> Option<(usize, DirectiveKind)> {
    if let Some(rest) = text.strip_prefix("<<") {
        let inner = &rest[..rest.find(">>")?];
        let (name, value) = inner.split_once(':')?;
        let value = value.trim();
        if value.is_empty() || value.contains(['\n', '<', '>']) {
            return None;
        }
        let kind = match name.trim() {
            "VOICE" => DirectiveKind::Voice(value.into()),
            "CHAPTER_MARKER" => DirectiveKind::Chapter(value.into()),
            _ => return None,
        };
        return Some((inner.len() + 4, kind));
    }
    if text.starts_with('<') {
        let tag = &text[..=text.find('>')?];
        let inner = tag.strip_prefix("<break")?.trim_end_matches(['>', '/']);
        if !inner.is_empty() && !inner.starts_with(char::is_whitespace) {
            return None;
        }
        return Some((tag.len(), DirectiveKind::Pause(break_ms(inner)?)));
    }
    let inner = &text[1..text.find(']')?];
    if let Some(value) = inner.strip_prefix("pause:") {
        return Some((
            inner.len() + 2,
            DirectiveKind::Pause(pause_ms(value, 1000.0)?),
        ));
    }
    // [word](/phonemes/)
    let rest = text[inner.len() + 2..].strip_prefix("(/")?;
    let phonemes = &rest[..rest.find("/)")?];
    let is_word = inner.contains(char::is_alphanumeric) && !inner.contains(['\n', '[']);
    if !is_word || !(are_phonemes(phonemes) || is_kokoros(phonemes)) {
        return None;
    }
    let kind = DirectiveKind::Phonemes {
        word: 1..1 + inner.len(),
        phonemes: phonemes.into(),
    };
    Some((inner.len() + 2 + phonemes.len() + 4, kind))
}

/// Kokoro writes diphthongs as capitals among small letters: "sInt". An address has neither these nor
/// its signs.
fn is_kokoros(phonemes: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || c == ' ';
    let diphthong = phonemes
        .char_indices()
        .any(|(at, c)| at > 0 && "AIOQWY".contains(c));
    phonemes.len() < 64 && phonemes.chars().all(is_letter) && diphthong
}

/// "1.5", "1.5s", "500ms"; without a unit as many milliseconds as `unit` says.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive and at most a minute"
)]
fn pause_ms(value: &str, unit: f64) -> Option<u32> {
    let value = value.trim().to_ascii_lowercase();
    let (number, unit) = match (value.strip_suffix("ms"), value.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1000.0),
        (None, None) => (value.as_str(), unit),
    };
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0)
        .then(|| (number * unit).min(f64::from(LONGEST_PAUSE)) as u32)
}

/// What stands in a `<break>`: its time, or its strength as SSML names them.
fn break_ms(attributes: &str) -> Option<u32> {
    let value = |name: &str| {
        let rest = attributes
            .split_once(name)?
            .1
            .trim_start()
            .strip_prefix('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split(quote).next()
    };
    if let Some(time) = value("time") {
        return pause_ms(time, 1000.0);
    }
    match value("strength") {
        Some("none") => Some(0),
        Some("x-weak") => Some(100),
        Some("weak") => Some(250),
        Some("strong") => Some(1000),
        Some("x-strong") => Some(1500),
        Some("medium") | None => Some(500),
        Some(_) => None,
    }
}

/// The text with characters that nobody sees in the place of directives, so that no format takes them
/// for its own. Every other byte stays where it is.
fn hidden(text: &str, directives: &[Directive]) -> String {
    const TWO: &str = "\u{AD}";
    const THREE: &str = "\u{2060}";
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for span in directives.iter().flat_map(Directive::silent) {
        masked.push_str(&text[at..span.start]);
        match span.len() {
            // The bracket before a word: nothing of one byte is unseen, and alone it is no markup.
            1 => masked.push('['),
            len => {
                let twos = match len % 3 {
                    0 => 0,
                    1 => 2,
                    _ => 1,
                };
                masked.push_str(&TWO.repeat(twos));
                masked.push_str(&THREE.repeat((len - 2 * twos) / 3));
            }
        }
        at = span.end;
    }
    masked.push_str(&text[at..]);
    masked
}

/// The blocks, parted where one goes on over one of these places of the source, which are in order.
fn parted(blocks: Vec<Block>, places: impl Iterator<Item = usize>) -> Vec<Block> {
    let mut places = places.peekable();
    let mut parted = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let begins = |runs: &[super::Run]| runs.first().map_or(0, |run| run.span.start);
        while places.next_if(|at| *at < begins(&block.runs)).is_some() {}
        let mut rest = std::mem::take(&mut block.runs).into_iter().peekable();
        while let Some(run) = rest.next() {
            block.runs.push(run);
            let Some(next) = rest.peek() else {
                break;
            };
            let mut is_parted = false;
            while places.next_if(|at| *at < next.span.start).is_some() {
                is_parted = true;
            }
            if is_parted {
                parted.push(Block {
                    kind: block.kind,
                    runs: std::mem::take(&mut block.runs),
                    end: BlockEnd::Line,
                });
            }
        }
        if !block.runs.is_empty() {
            parted.push(block);
        }
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Markdown, PlainText, segment};
    use super::*;

    fn kinds(text: &str) -> Vec<DirectiveKind> {
        find(text).into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn directives_are_told_from_what_looks_like_them() {
        use DirectiveKind::{Chapter, Pause, Voice};
        for (text, expected) in [
            ("[pause:1.5]", vec![Pause(1500)]),
            ("[pause: 500ms] [pause:2s]", vec![Pause(500), Pause(2000)]),
            (
                "<break time=\"1500ms\"/><break/>",
                vec![Pause(1500), Pause(500)],
            ),
            ("<break strength='strong' />", vec![Pause(1000)]),
            ("<<VOICE: joe >>", vec![Voice("joe".into())]),
            (
                "<<CHAPTER_MARKER:The End>>",
                vec![Chapter("The End".into())],
            ),
            ("[pause:9999]", vec![Pause(60_000)]),
            ("[pause:x] [pause] <breaker> <<OTHER:x>> <<VOICE:>>", vec![]),
            ("[a](/b/) [docs](/docs/) [x](/en/Main) [[", vec![]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        for text in ["[Oman](/ˈoʊmən/)", "[saint](/sAnt/)"] {
            assert!(
                matches!(&kinds(text)[..], [DirectiveKind::Phonemes { word, .. }] if word.start == 1)
            );
        }
    }

    #[test]
    fn they_part_what_they_stand_in_and_are_left_out() {
        let text = "# One\n\nHe *waited*.[pause:1.5] Then <<VOICE:joe>>she [left](/lɛft/).\n\n<<CHAPTER_MARKER:Two>>\n\nThe end.";
        for format in [&Markdown as &dyn Format, &PlainText] {
            let document = parse(text, format);
            let cut = segment(text, &document, "en", &Limits::default());
            let texts: Vec<_> = cut.segments.iter().map(|s| s.text.as_str()).collect();
            let waited = if format.name() == "Markdown" {
                "He waited."
            } else {
                "He *waited*."
            };
            let one = if format.name() == "Markdown" {
                "One"
            } else {
                "# One"
            };
            assert_eq!(texts, [one, waited, "Then", "she left.", "The end."]);
            assert_eq!(cut.segments[1].pause_ms, Some(1500));
            assert_eq!(cut.segments[3].pronounced, [(4..8, "lɛft".into())]);
            assert_eq!(cut.voices, [(3, "joe".into())]);
            let last = cut.chapters.last().unwrap();
            assert_eq!((last.title.as_str(), last.first_segment), ("Two", 4));
            let told = cut
                .omissions
                .iter()
                .filter(|o| o.reason == OmissionReason::Directive);
            let told: Vec<_> = told.map(|omission| &text[omission.span.clone()]).collect();
            assert_eq!(
                told,
                [
                    "[pause:1.5]",
                    "<<VOICE:joe>>",
                    "[",
                    "](/lɛft/)",
                    "<<CHAPTER_MARKER:Two>>"
                ]
            );
        }
    }

    #[test]
    fn what_is_quoted_asks_for_nothing() {
        for text in [
            "```\n[pause:1.5]\n<<VOICE:joe>>\n```\n",
            "<!-- [pause:1] <<VOICE:joe>> -->\n",
            "Use `<<VOICE:joe>>` here.",
            "<div title=\"[pause:1]\">\n\nWords.\n\n</div>\n",
        ] {
            assert_eq!(parse(text, &Markdown).directives, [], "{text}");
        }
    }

    #[test]
    fn a_heading_that_is_parted_is_one_chapter_and_silence_has_an_end() {
        let text = format!("# One [pause:1] Two\n\nWords.{}", "[pause:60]".repeat(50));
        let document = parse(&text, &Markdown);
        let cut = segment(&text, &document, "en", &Limits::default());
        assert_eq!(cut.chapters.len(), 1);
        assert_eq!(cut.segments.last().unwrap().pause_ms, Some(LONGEST_PAUSE));
    }

    #[test]
    fn phonemes_hold_for_a_word_with_marks() {
        let text = "In [**Oman**](/ˈoʊmən/) it is hot.";
        let cut = segment(text, &parse(text, &Markdown), "en", &Limits::default());
        assert_eq!(cut.segments[0].pronounced, [(3..7, "ˈoʊmən".into())]);
    }
}
