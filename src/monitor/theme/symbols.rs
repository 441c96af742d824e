//! The symbols of the screen, for fonts and encodings that lack them: one pass over the drawn cells
//! puts ASCII in their places, cell by cell. It must never change how many cells anything takes,
//! nor touch letters of any language.

use std::borrow::Cow;

use ratatui::buffer::Buffer;

use crate::settings::Symbols;

/// Which symbols the screen is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolSet {
    /// Those that the views draw.
    Unicode,
    /// Only those of ASCII.
    Ascii,
}

/// Consoles whose fonts have a few hundred signs, and no braille. A name also stands for those that
/// begin with it and a hyphen: `linux-16color`.
const POOR_TERMS: [&str; 6] = ["linux", "dumb", "ansi", "cons25", "wsvt25", "sun"];

impl SymbolSet {
    /// What was chosen; for [`Symbols::Auto`], what the environment says: ASCII if the locale
    /// (`LC_ALL`, else `LC_CTYPE`, else `LANG`) has another encoding than UTF-8, or if `TERM` is a
    /// console without symbols; otherwise all symbols, also where nothing is set.
    pub(crate) fn detect(choice: Symbols, variable: impl Fn(&str) -> Option<String>) -> Self {
        match choice {
            Symbols::Unicode => return Self::Unicode,
            Symbols::Ascii => return Self::Ascii,
            Symbols::Auto => {}
        }
        let term = variable("TERM").unwrap_or_default();
        let kind = term.split('-').next().unwrap_or_default();
        let numbered = kind.strip_prefix("vt").unwrap_or_default();
        if POOR_TERMS.contains(&kind) || numbered.starts_with(|c: char| c.is_ascii_digit()) {
            return Self::Ascii;
        }
        // An empty variable counts as none, says POSIX.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()));
        if locale.is_some_and(|locale| !is_utf8(&locale)) {
            Self::Ascii
        } else {
            Self::Unicode
        }
    }

    /// Puts what this set has in the place of what it lacks, in every cell.
    pub(crate) fn apply(self, buf: &mut Buffer) {
        if self == Self::Unicode {
            return;
        }
        for cell in &mut buf.content {
            if let Some(plain) = lone(cell.symbol()).and_then(plain) {
                cell.set_char(plain);
            }
        }
    }

    /// The same for a line of text.
    pub(crate) fn text(self, text: &str) -> Cow<'_, str> {
        if self == Self::Unicode || text.is_ascii() {
            return text.into();
        }
        let chars = text.chars().map(|c| plain(c).unwrap_or(c));
        chars.collect::<String>().into()
    }
}

/// Whether a locale's encoding is UTF-8, or not said: `de_DE.UTF-8`, `C.utf8`, `UTF-8`, `en_US`.
/// `C` and `POSIX` are ASCII by definition.
fn is_utf8(locale: &str) -> bool {
    let name = locale.split('@').next().unwrap_or_default();
    match name.split_once('.') {
        Some((_, charset)) => charset.to_ascii_lowercase().replace('-', "") == "utf8",
        None => !matches!(name, "C" | "POSIX"),
    }
}

/// The character of a cell beyond ASCII that has only one.
fn lone(symbol: &str) -> Option<char> {
    if symbol.is_ascii() {
        return None;
    }
    let mut chars = symbol.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// Five strengths, from nothing to all.
const LEVELS: [char; 5] = [' ', '.', ':', '=', '#'];

/// What stands for a symbol in ASCII, as wide as that; `None` for letters and everything else.
fn plain(symbol: char) -> Option<char> {
    Some(match symbol {
        // States.
        '○' | '◌' | '◦' | '◯' => 'o',
        '●' | '◉' | '◍' | '⬤' | '★' | '☆' | '⏺' | '⁂' => '*',
        '✔' | '✓' => '+',
        '✘' | '✗' | '✖' | '✕' | '×' => 'x',
        '⊘' => '-',
        '■' | '▪' | '◼' | '⏹' => '#',
        '□' | '▫' | '◻' => '.',
        '◆' | '◇' => '*',
        '⚠' => '!',
        '⏸' | '‖' => '=',
        '↻' | '⟳' | '↺' => '@',
        // Directions.
        '→' | '▶' | '►' | '▸' | '▹' | '⏵' | '⏭' | '›' | '❯' | '⇒' => '>',
        '←' | '◀' | '◄' | '◂' | '◃' | '⏴' | '⏮' | '‹' | '❮' | '⇐' | '↵' | '⏎' | '↩' | '⌫' => {
            '<'
        }
        '↑' | '▲' | '▴' | '⇧' => '^',
        '↓' | '▼' | '▾' => 'v',
        '↕' | '⇅' => '|',
        '↔' | '⇆' => '-',
        // Marks in texts.
        '“' | '”' | '„' | '‟' | '«' | '»' => '"',
        '‘' | '’' | '‚' | '‛' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        '…' | '≈' | '∿' => '~',
        '·' | '•' | '∙' | '⋅' => '.',
        '≤' => '<',
        '≥' => '>',
        '\u{a0}' | '\u{202f}' => ' ',
        // What stands for characters that can't be shown.
        '\u{2400}'..='\u{2426}' | '\u{fffd}' => '?',
        '\u{2500}'..='\u{257f}' => line(symbol),
        '\u{2580}'..='\u{259f}' => block(symbol),
        // As many dots as bits.
        '\u{2800}'..='\u{28ff}' => {
            let dots = (symbol as u32 - 0x2800).count_ones();
            LEVELS[dots.div_ceil(2) as usize]
        }
        _ => return None,
    })
}

/// Lines of boxes; whatever has a corner or a crossing is one.
fn line(symbol: char) -> char {
    match symbol {
        '─' | '━' | '┄' | '┅' | '┈' | '┉' | '╌' | '╍' | '═' | '╴' | '╶' | '╸' | '╺' | '╼' | '╾' => {
            '-'
        }
        '│' | '┃' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' | '║' | '╵' | '╷' | '╹' | '╻' | '╽' | '╿' => {
            '|'
        }
        '╱' => '/',
        '╲' => '\\',
        '╳' => 'x',
        _ => '+',
    }
}

/// Blocks: levels from below as with braille; from the left, only a whole one is full.
fn block(symbol: char) -> char {
    match symbol {
        '\u{2581}'..='\u{2588}' => {
            let eighths = symbol as u32 - 0x2580;
            LEVELS[eighths.div_ceil(2) as usize]
        }
        '▉' | '▊' | '▋' | '▌' => '=',
        '▍' | '▎' | '▏' | '▔' => '-',
        '▐' | '▕' => '|',
        '░' | '▖' | '▗' | '▘' | '▝' => '.',
        '▒' | '▀' | '▚' | '▞' => ':',
        _ => '#',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use unicode_width::UnicodeWidthStr;

    fn detect(choice: Symbols, variables: &[(&str, &str)]) -> SymbolSet {
        SymbolSet::detect(choice, |name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn locale_and_terminal_decide_unless_someone_did() {
        let cases: [(&[(&str, &str)], SymbolSet); 14] = [
            (&[], SymbolSet::Unicode),
            (&[("LANG", "de_DE.UTF-8")], SymbolSet::Unicode),
            (&[("LANG", "C.utf8")], SymbolSet::Unicode),
            (&[("LC_CTYPE", "UTF-8")], SymbolSet::Unicode),
            (&[("LANG", "en_US")], SymbolSet::Unicode),
            (&[("LANG", "de_DE.ISO-8859-15@euro")], SymbolSet::Ascii),
            (&[("LANG", "zh_CN.GB18030")], SymbolSet::Ascii),
            (&[("LANG", "C")], SymbolSet::Ascii),
            (
                &[("LC_ALL", "POSIX"), ("LANG", "de_DE.UTF-8")],
                SymbolSet::Ascii,
            ),
            (
                &[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")],
                SymbolSet::Unicode,
            ),
            (
                &[("TERM", "linux"), ("LANG", "de_DE.UTF-8")],
                SymbolSet::Ascii,
            ),
            (&[("TERM", "linux-16color")], SymbolSet::Ascii),
            (&[("TERM", "vt220")], SymbolSet::Ascii),
            (
                &[("TERM", "vte-256color"), ("LANG", "")],
                SymbolSet::Unicode,
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(detect(Symbols::Auto, variables), expected, "{variables:?}");
        }
        let poor = [("TERM", "linux"), ("LC_ALL", "C")];
        assert_eq!(detect(Symbols::Unicode, &poor), SymbolSet::Unicode);
        assert_eq!(detect(Symbols::Ascii, &[]), SymbolSet::Ascii);
    }

    /// What a line becomes, cell by cell.
    fn drawn(text: &str) -> String {
        let wide = u16::try_from(text.width()).unwrap().max(1);
        let mut buf = Buffer::empty(Rect::new(0, 0, wide, 1));
        buf.set_string(0, 0, text, Style::new());
        SymbolSet::Ascii.apply(&mut buf);
        buf.content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect()
    }

    #[test]
    fn what_the_screen_draws_has_ascii_for_it() {
        let cases = [
            ("○ ● ✔ ✘ ⊘ ■ ▶ ⏸", "o * + x - # > ="),
            ("╭─ Queue ─╮", "+- Queue -+"),
            ("│┃└┴┘├┼┤", "||++++++"),
            ("███▌───", "###=---"),
            ("▏▎▍▌▋▊▉█", "---====#"),
            ("▁▂▃▄▅▆▇█", "..::==##"),
            ("⠀⠁⠃⠇⠏⠟⠿⡿⣿", " ..::==##"),
            (
                "“Patience,” he said… 2 × 3 – it’s",
                "\"Patience,\" he said~ 2 x 3 - it's",
            ),
            ("← ↑ ↓ →", "< ^ v >"),
            ("a · b␛[2J", "a . b?[2J"),
        ];
        for (text, expected) in cases {
            assert_eq!(drawn(text), expected);
            assert_eq!(SymbolSet::Ascii.text(text), expected);
            assert_eq!(SymbolSet::Unicode.text(text), text);
        }
    }

    #[test]
    fn letters_stay() {
        for text in ["Grüße", "naïve ½", "Привет", "مرحبا", "e\u{301}"] {
            assert_eq!(drawn(text), text);
        }
        // A wide one covers the cell after it, which stays blank.
        assert_eq!(drawn("日本"), "日 本 ");
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 1));
        buf.set_string(0, 0, "✔○…", Style::new());
        let before = buf.clone();
        SymbolSet::Unicode.apply(&mut buf);
        assert_eq!(buf, before);
    }

    #[test]
    fn whole_ranges_of_drawing_symbols_are_replaced() {
        for symbol in ('\u{2500}'..='\u{259f}').chain('\u{2800}'..='\u{28ff}') {
            assert!(plain(symbol).is_some(), "{symbol}");
        }
    }

    #[test]
    fn every_replacement_is_ascii_and_as_wide() {
        for symbol in '\u{80}'..=char::MAX {
            if let Some(plain) = plain(symbol) {
                assert!(plain == ' ' || plain.is_ascii_graphic(), "{symbol}");
                assert_eq!(symbol.to_string().width(), 1, "{symbol}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_cell_changes_its_width(text in "[\u{2010}-\u{28ff}a-zé日語 \u{301}\u{fe0f}]{0,40}|\\PC*") {
            let mut before = Buffer::empty(Rect::new(0, 0, 60, 1));
            before.set_stringn(0, 0, &text, 60, Style::new());
            let mut after = before.clone();
            SymbolSet::Ascii.apply(&mut after);
            for (old, new) in before.content().iter().zip(after.content()) {
                prop_assert_eq!(old.symbol().width(), new.symbol().width());
                prop_assert!(old.symbol() == new.symbol() || new.symbol().is_ascii());
            }
        }
    }
}
