//! Lexicons that other programs write: the Pronunciation Lexicon Specification 1.0 of the W3C. Of each
//! entry the words and the pronunciation that it prefers are taken, whatever its prefixes and its
//! metadata. It must never take phonemes of another alphabet for IPA, fetch what a document names, or
//! expand an entity that it declares.

use std::collections::HashSet;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::formats::entity;
use super::lexicon::{Lexicon, LexiconError};

/// The longest word or pronunciation, in bytes. A word is kept with its pronunciation, so that long ones
/// of both would take the square of the file.
const LONGEST: usize = 400;

impl Lexicon {
    /// Reads a PLS document: `<lexeme>` with one or more `<grapheme>`, and a `<phoneme>` in IPA or an
    /// `<alias>`. The first of these counts, or the one that is preferred; of two entries for one word,
    /// the first.
    ///
    /// ```
    /// use aloud::text::reading::{Lexicon, Taste, apply, read};
    ///
    /// let lexicon = Lexicon::from_pls(
    ///     r#"<lexicon version="1.0" alphabet="ipa" xml:lang="en"
    ///          xmlns="http://www.w3.org/2005/01/pronunciation-lexicon">
    ///          <lexeme><grapheme>Leith</grapheme><phoneme>liːθ</phoneme></lexeme>
    ///        </lexicon>"#,
    /// )?;
    /// let edits = read("To Leith.", "en", &Taste::default(), &lexicon);
    /// assert_eq!(apply("To Leith.", &edits), "To [[liːθ]].");
    /// # Ok::<(), aloud::text::reading::LexiconError>(())
    /// ```
    ///
    /// # Errors
    /// [`LexiconError::Pls`], with the byte where it is wrong.
    pub fn from_pls(text: &str) -> Result<Self, LexiconError> {
        let mut reader = Reader::from_str(text);
        let mut pls = Pls {
            lexicon: Lexicon::default(),
            ..Pls::default()
        };
        loop {
            let event = reader.read_event().map_err(|error| {
                let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                wrong(at, error.to_string())
            })?;
            let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Event::Start(start) => pls.begin(&start)?,
                Event::Empty(start) => {
                    pls.begin(&start)?;
                    pls.end()?;
                }
                Event::End(_) => pls.end()?,
                Event::Text(words) => pls.hear(&words.xml_content(XmlVersion::Implicit1_0))?,
                Event::CData(words) => pls.hear(&words.xml_content(XmlVersion::Implicit1_0))?,
                Event::GeneralRef(reference) => pls.refer(&reference)?,
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
                Event::Eof => return pls.finish(),
            }
            pls.at = end;
        }
    }
}

/// What has been read, and where.
#[derive(Default)]
struct Pls {
    lexicon: Lexicon,
    /// Where the next event begins.
    at: usize,
    /// How many elements are open.
    depth: usize,
    /// Whether there was an element at all.
    begun: bool,
    /// The alphabet of all phonemes that name no other.
    alphabet: Option<String>,
    lexeme: Option<Lexeme>,
    /// The words that have a pronunciation.
    known: HashSet<String>,
}

/// An entry that is open.
struct Lexeme {
    at: usize,
    words: Vec<String>,
    said: Option<Said>,
    open: Option<Open>,
}

/// A pronunciation.
struct Said {
    words: String,
    preferred: bool,
}

/// An element with text, directly in an entry.
struct Open {
    at: usize,
    kind: Kind,
    preferred: bool,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grapheme,
    Phoneme,
    Alias,
}

/// How deep an entry lies, and what is in it.
const LEXEME: usize = 2;
const IN_LEXEME: usize = 3;

impl Pls {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), LexiconError> {
        self.depth += 1;
        let name = start.local_name();
        let name = name.as_ref();
        match (self.depth, &mut self.lexeme) {
            (1, _) => {
                if name != "lexicon" || self.begun {
                    return Err(self.wrong("a PLS document is one element `lexicon`"));
                }
                self.begun = true;
                self.alphabet = self.attribute(start, "alphabet")?;
            }
            (LEXEME, _) if name == "lexeme" => {
                self.lexeme = Some(Lexeme {
                    at: self.at,
                    words: Vec::new(),
                    said: None,
                    open: None,
                });
            }
            (IN_LEXEME, Some(_)) => {
                let kind = match name {
                    "grapheme" => Kind::Grapheme,
                    "phoneme" => Kind::Phoneme,
                    "alias" => Kind::Alias,
                    _ => return Ok(()),
                };
                if kind == Kind::Phoneme {
                    self.check_alphabet(start)?;
                }
                let preferred = self.attribute(start, "prefer")?;
                let open = Open {
                    at: self.at,
                    kind,
                    preferred: preferred.is_some_and(|value| matches!(&*value, "true" | "1")),
                    text: String::new(),
                };
                if let Some(lexeme) = &mut self.lexeme {
                    lexeme.open = Some(open);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nobody can hear by looking that phonemes are of another alphabet: what names none is refused, too.
    fn check_alphabet(&self, start: &BytesStart<'_>) -> Result<(), LexiconError> {
        let own = self.attribute(start, "alphabet")?;
        match own.or_else(|| self.alphabet.clone()) {
            Some(alphabet) if alphabet.eq_ignore_ascii_case("ipa") => Ok(()),
            Some(alphabet) => Err(self.wrong(format!(
                "the phonemes are of the alphabet `{alphabet}`, and only `ipa` is read"
            ))),
            None => Err(self.wrong("the phonemes name no alphabet, and only `ipa` is read")),
        }
    }

    /// An attribute by its name without a prefix.
    fn attribute(
        &self,
        start: &BytesStart<'_>,
        name: &str,
    ) -> Result<Option<String>, LexiconError> {
        // Whether names are unique takes the square of their number to find out.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.wrong(error.to_string()))?;
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value = value.map_err(|error| self.wrong(error.to_string()))?;
                return Ok(Some(value.trim().to_owned()));
            }
        }
        Ok(None)
    }

    fn hear(&mut self, words: &str) -> Result<(), LexiconError> {
        // Marks inside a word's element are none of PLS; what is in them is not read.
        let is_here = self.depth == IN_LEXEME;
        let open = self.lexeme.as_mut().and_then(|lexeme| lexeme.open.as_mut());
        let Some(open) = open.filter(|_| is_here) else {
            return Ok(());
        };
        for c in words.chars() {
            // Blanks count once, so that a long indentation is no long word.
            match c.is_whitespace() {
                true if open.text.is_empty() || open.text.ends_with(' ') => {}
                true => open.text.push(' '),
                false => open.text.push(c),
            }
            if open.text.len() > LONGEST {
                let reason = format!("a word or its phonemes are longer than {LONGEST} bytes");
                return Err(wrong(open.at, reason));
            }
        }
        Ok(())
    }

    fn refer(&mut self, reference: &BytesRef<'_>) -> Result<(), LexiconError> {
        let character = reference.resolve_char_ref();
        let character = character.map_err(|error| self.wrong(error.to_string()))?;
        if let Some(c) = character {
            return self.hear(c.encode_utf8(&mut [0; 4]));
        }
        let name = reference.as_ref();
        match entity(name) {
            Some(words) => self.hear(&words),
            None => Err(self.wrong(format!("the entity `&{name};` is not known"))),
        }
    }

    fn end(&mut self) -> Result<(), LexiconError> {
        let depth = self.depth;
        self.depth -= 1;
        match depth {
            IN_LEXEME => self.end_word(),
            LEXEME => self.end_lexeme(),
            _ => Ok(()),
        }
    }

    fn end_word(&mut self) -> Result<(), LexiconError> {
        let Some(lexeme) = &mut self.lexeme else {
            return Ok(());
        };
        let Some(open) = lexeme.open.take() else {
            return Ok(());
        };
        let text = open.text.trim_end();
        let words = match open.kind {
            _ if text.is_empty() => {
                return Err(wrong(open.at, "there is nothing in this element".into()));
            }
            Kind::Grapheme => {
                lexeme.words.push(text.to_owned());
                return Ok(());
            }
            Kind::Phoneme if text.contains(['[', ']']) => {
                return Err(wrong(open.at, "brackets are no phonemes".into()));
            }
            Kind::Phoneme => format!("[[{text}]]"),
            Kind::Alias => text.to_owned(),
        };
        let is_better = match &lexeme.said {
            None => true,
            Some(said) => open.preferred && !said.preferred,
        };
        if is_better {
            lexeme.said = Some(Said {
                words,
                preferred: open.preferred,
            });
        }
        Ok(())
    }

    fn end_lexeme(&mut self) -> Result<(), LexiconError> {
        let Some(lexeme) = self.lexeme.take() else {
            return Ok(());
        };
        let Some(said) = lexeme.said.filter(|_| !lexeme.words.is_empty()) else {
            let reason = "a `lexeme` needs a `grapheme`, and a `phoneme` or an `alias`";
            return Err(wrong(lexeme.at, reason.into()));
        };
        for word in lexeme.words {
            if !self.known.contains(&word) {
                let added = self.lexicon.put(&word, &said.words);
                added.map_err(|error| wrong(lexeme.at, error.to_string()))?;
                self.known.insert(word);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Lexicon, LexiconError> {
        if self.depth > 0 {
            return Err(self.wrong("the document ends before its last element does"));
        }
        if !self.begun {
            return Err(self.wrong("a PLS document is one element `lexicon`"));
        }
        Ok(self.lexicon)
    }

    fn wrong(&self, reason: impl Into<String>) -> LexiconError {
        wrong(self.at, reason.into())
    }
}

fn wrong(at: usize, reason: String) -> LexiconError {
    LexiconError::Pls { at, reason }
}

#[cfg(test)]
mod tests {
    use super::super::edits::apply;
    use super::*;

    fn document(alphabet: &str, lexemes: &str) -> String {
        format!("<?xml version=\"1.0\"?><lexicon {alphabet} version=\"1.0\">{lexemes}</lexicon>")
    }

    fn said(lexemes: &str, text: &str) -> String {
        let lexicon = Lexicon::from_pls(&document("alphabet='ipa'", lexemes)).unwrap();
        apply(text, &lexicon.edits(text)).into_owned()
    }

    #[test]
    fn words_have_the_pronunciation_that_is_preferred() {
        for (lexemes, text, expected) in [
            (
                "<lexeme><grapheme>Omán</grapheme><grapheme>Oman</grapheme>
                 <phoneme>ˈoʊmən</phoneme></lexeme>",
                "Omán, Oman",
                "[[ˈoʊmən]], [[ˈoʊmən]]",
            ),
            (
                "<lexeme><grapheme>W3C</grapheme><alias>World  Wide\n Web and/or so</alias></lexeme>",
                "the W3C",
                "the World Wide Web and/or so",
            ),
            (
                "<lexeme><grapheme>x1</grapheme><phoneme>a</phoneme><alias>two</alias>
                 <phoneme prefer='true'>c</phoneme><phoneme prefer='true'>d</phoneme></lexeme>",
                "x1",
                "[[c]]",
            ),
            (
                "<lexeme><grapheme>R&amp;D</grapheme><phoneme><![CDATA[a]]>&#x2C8;b&eacute;&theta;</phoneme>
                 </lexeme>",
                "our R&D",
                "our [[aˈbéθ]]",
            ),
            (
                "<lexeme><grapheme>a1</grapheme><alias>one</alias><example>a1 b</example></lexeme>
                 <lexeme><grapheme>a1</grapheme><alias>two</alias></lexeme>",
                "a1",
                "one",
            ),
            (
                "<meta name='x'/><metadata><lexeme>none</lexeme></metadata>
                 <p:lexeme xmlns:p='urn:x'><p:grapheme>b2</p:grapheme><p:alias>bee</p:alias></p:lexeme>",
                "b2",
                "bee",
            ),
        ] {
            assert_eq!(said(lexemes, text), expected, "{lexemes}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let lexeme = "<lexeme><grapheme>a</grapheme><phoneme>b</phoneme></lexeme>";
        let entry = |inner: &str| document("alphabet='ipa'", &format!("<lexeme>{inner}</lexeme>"));
        let long = "b".repeat(LONGEST + 1);
        for (text, place, reason) in [
            (
                document("alphabet='x-sampa'", lexeme),
                "<phoneme",
                "`x-sampa`, and only `ipa`",
            ),
            (document("", lexeme), "<phoneme", "name no alphabet"),
            (
                entry("<grapheme>a</grapheme>"),
                "<lexeme",
                "needs a `grapheme`",
            ),
            (
                entry("<grapheme>…</grapheme><alias>a</alias>"),
                "<lexeme",
                "`…` has none",
            ),
            (
                entry("<grapheme> </grapheme>"),
                "<grapheme",
                "nothing in this element",
            ),
            (
                entry("<grapheme>&own;</grapheme>"),
                "&own",
                "`&own;` is not known",
            ),
            (
                entry(&format!("<alias>{long}</alias>")),
                "<alias",
                "longer than",
            ),
            (entry("<phoneme>a]]</phoneme>"), "<phoneme", "brackets"),
            ("<lexicon><lexeme>".into(), "", "ends before"),
            ("<lexicon></lexeme>".into(), "</lexeme", "expected"),
            ("<html></html>".into(), "<html", "one element `lexicon`"),
            ("Leith = 5".into(), "", "one element `lexicon`"),
        ] {
            let error = Lexicon::from_pls(&text).unwrap_err();
            let LexiconError::Pls { at, reason: told } = &error else {
                panic!("{error}");
            };
            assert!(told.contains(reason), "{text}: {told}");
            assert!(error.to_string().contains("byte"), "{error}");
            if place.is_empty() {
                assert_eq!(*at, text.len(), "{text}");
            } else {
                assert!(text[*at..].starts_with(place), "{text}: {at}");
            }
        }
    }

    #[test]
    fn hostile_documents_take_time_in_line_with_their_length() {
        let read = |times: usize| {
            let attributes: String = (0..times).map(|n| format!(" a{n}='b'")).collect();
            let words: String = (0..times)
                .map(|n| format!("<grapheme>the {n}</grapheme>"))
                .collect();
            let entry = format!("<lexeme{attributes}>{words}<alias>a</alias></lexeme>");
            let deep = format!("{}{}", "<p>".repeat(times), "</p>".repeat(times));
            let text = document("alphabet='ipa'", &format!("{entry}{deep}"));
            let begun = std::time::Instant::now();
            Lexicon::from_pls(&text).unwrap();
            begun.elapsed()
        };
        let (short, long) = (read(500), read(8_000));
        assert!(
            long < short * 100 + std::time::Duration::from_millis(50),
            "{short:?}, {long:?}"
        );
    }
}
