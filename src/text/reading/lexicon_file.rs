//! A lexicon's file as a person writes it: a word is put into it, and all else stays as it stands.

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::lexicon::normal;
use super::{Lexicon, LexiconError};

/// The table that words may stand in.
const WORDS: &str = "words";

/// The table of patterns.
const PATTERNS: &str = "patterns";

/// The text of a lexicon in TOML with this said for a word: in the place of what was said for it, or in a
/// line of its own. Comments and order stay.
///
/// ```
/// use aloud::text::reading::with_word;
///
/// let lexicon = "# Places\nLeith = \"leeth\" # in Edinburgh\n";
/// let lexicon = with_word(lexicon, "Leith", "/liːθ/")?;
/// assert_eq!(lexicon, "# Places\nLeith = \"/liːθ/\" # in Edinburgh\n");
/// assert!(with_word(&lexicon, "Kerr", "car")?.ends_with("Kerr = \"car\"\n"));
/// # Ok::<(), aloud::text::reading::LexiconError>(())
/// ```
///
/// # Errors
/// [`LexiconError`]: what is wrong with the word, or with the lexicon as it is.
pub fn with_word(lexicon: &str, word: &str, said: &str) -> Result<String, LexiconError> {
    Lexicon::default().add(word, said)?;
    // What is wrong with it already is told before anything is written.
    Lexicon::from_toml(lexicon)?;
    let wrong = |error: toml_edit::TomlError| LexiconError::Toml(error.to_string());
    let mut document: DocumentMut = lexicon.parse().map_err(wrong)?;
    let root = document.as_table_mut();
    // The same word may stand there in another form, or in both places: each line counts.
    let mut is_there = change(root, word, said);
    if let Some(words) = root.get_mut(WORDS).and_then(Item::as_table_like_mut) {
        is_there |= change(words, word, said);
    }
    if !is_there {
        let has_words = root.get(WORDS).is_some_and(Item::is_table_like);
        // A word may have the name of a table.
        let table: Option<&mut dyn TableLike> = match has_words || [WORDS, PATTERNS].contains(&word)
        {
            true => root
                .entry(WORDS)
                .or_insert_with(|| Item::Table(Table::new()))
                .as_table_like_mut(),
            false => Some(root),
        };
        if let Some(table) = table {
            table.insert(word, toml_edit::value(said));
        }
    }
    let written = document.to_string();
    Lexicon::from_toml(&written)?;
    Ok(written)
}

/// Has this said wherever the word stands in a table. Returns whether it does.
fn change(table: &mut dyn TableLike, word: &str, said: &str) -> bool {
    let form = |word: &str| normal(word).replace('’', "'");
    let mut is_there = false;
    for (key, item) in table.iter_mut() {
        if form(&key) == form(word)
            && let Some(value) = item.as_value_mut()
        {
            let decor = value.decor().clone();
            *value = Value::from(said);
            *value.decor_mut() = decor;
            is_there = true;
        }
    }
    is_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_goes_where_words_are_and_the_rest_stays() {
        let patterns = "[patterns]\n'(\\d+)mm' = \"$1\"\n";
        let words = "[words]\nKerr = 'car' # a family\n";
        let cases = [
            (String::new(), "Leith", "Leith = \"leeth\"\n".to_owned()),
            (
                format!("a = \"b\"\n\n# mine\n{patterns}"),
                "Leith",
                format!("a = \"b\"\nLeith = \"leeth\"\n\n# mine\n{patterns}"),
            ),
            (
                words.to_owned(),
                "Leith Walk",
                format!("{words}\"Leith Walk\" = \"leeth\"\n"),
            ),
            (
                words.to_owned(),
                "Kerr",
                words.replace("'car'", "\"leeth\""),
            ),
            (
                "\"O’Neill\" = 'x'\n[words]\n\"O'Neill\" = 'y'\n".to_owned(),
                "O'Neill",
                "\"O’Neill\" = \"leeth\"\n[words]\n\"O'Neill\" = \"leeth\"\n".to_owned(),
            ),
            (
                "a = \"b\"\n".to_owned(),
                "words",
                "a = \"b\"\n\n[words]\nwords = \"leeth\"\n".to_owned(),
            ),
            (
                "\"C++\" = 'x'".to_owned(),
                "C++",
                "\"C++\" = \"leeth\"\n".to_owned(),
            ),
        ];
        for (lexicon, word, expected) in cases {
            assert_eq!(with_word(&lexicon, word, "leeth").unwrap(), expected);
        }
    }

    #[test]
    fn whatever_is_said_is_said_of_that_word() {
        for said in [
            "a\"b",
            "/ˈoʊ'm\\n/",
            "two\nlines",
            "''\u{27}",
            "# no comment",
        ] {
            let lexicon = with_word("x = \"y\"\n", "Omán", said).unwrap();
            let table: toml::Table = toml::from_str(&lexicon).unwrap();
            assert_eq!(table["Omán"].as_str(), Some(said));
            assert_eq!(table["x"].as_str(), Some("y"));
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (lexicon, word) in [("", "!"), ("a = 5", "b"), ("a = ", "b")] {
            assert!(with_word(lexicon, word, "x").is_err(), "{lexicon} {word}");
        }
    }
}
