//! Writes the difference between two screens in as few bytes as it can: what a slow line carries is
//! what is felt. It remembers where the cursor is and in which style it writes, and never relies on
//! how wide a terminal takes a doubtful character to be.
//!
//! The sequences are those of ECMA-48: CUP and CUF for places, SGR for styles.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};

use super::change::changed;
use super::ink::{Ink, parameters};

/// Of more changed cells than this, the order of their rows is as good as any.
const MOST_BY_INK: usize = 512;

/// So many unchanged cells are written again rather than skipped: a skip takes four bytes.
const NEAR: u16 = 3;

/// Writes what has changed from `before` to `after`, which are of one size, and leaves the terminal
/// in its own style. Without a `before`, the terminal has just been cleared.
pub(super) fn write(before: Option<&Buffer>, after: &Buffer) -> String {
    let empty;
    let before = match before {
        Some(before) if before.area == after.area => before,
        _ => {
            empty = Buffer::empty(after.area);
            &empty
        }
    };
    let (changed, is_wide) = changed(before, after);
    let by_rows = draw(after, changed.iter().copied());
    if is_wide || changed.len() > MOST_BY_INK {
        return by_rows;
    }
    let by_ink = draw(after, by_ink(after, &changed).into_iter());
    if by_ink.len() < by_rows.len() {
        by_ink
    } else {
        by_rows
    }
}

/// The same cells, those of one ink after each other, and inks on one ground after each other: in
/// true colour a style takes more bytes than a place.
fn by_ink(screen: &Buffer, changed: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let is_next = |(x, y): (u16, u16), after: (u16, u16)| after == (x + 1, y);
    let mut inks: Vec<Ink> = Vec::new();
    let mut now = Ink::PLAIN;
    let mut cells = Vec::with_capacity(changed.len());
    for (at, &place) in changed.iter().enumerate() {
        let fits = |ink: Ink| Ink::of(&screen[place]).is_same_for(screen[place].symbol(), ink);
        if at > 0 && is_next(changed[at - 1], place) && fits(now) {
            // It goes on as it was.
        } else {
            // Where something begins with blanks, they are written like what follows them.
            let run = (changed[at..].windows(2)).take_while(|two| is_next(two[0], two[1]));
            let letter = std::iter::once(place)
                .chain(run.map(|two| two[1]))
                .find(|place| screen[*place].symbol() != " ");
            let like = letter.map(|place| Ink::of(&screen[place]));
            now = like
                .filter(|ink| fits(*ink))
                .unwrap_or_else(|| Ink::of(&screen[place]));
        }
        let known = inks.iter().position(|known| *known == now);
        let index = known.unwrap_or(inks.len());
        if known.is_none() {
            inks.push(now);
        }
        cells.push((index, place));
    }
    let ground = |index: usize| inks.iter().position(|ink| ink.bg == inks[index].bg);
    cells.sort_by_key(|(index, _)| (ground(*index), *index));
    cells.into_iter().map(|(_, place)| place).collect()
}

/// Writes these cells in this order.
fn draw(screen: &Buffer, cells: impl Iterator<Item = (u16, u16)>) -> String {
    let mut pen = Pen {
        out: String::new(),
        at: None,
        ink: Ink::PLAIN,
        screen,
    };
    for (x, y) in cells {
        pen.go_to(x, y);
        pen.put(&screen[(x, y)]);
    }
    if pen.ink != Ink::PLAIN {
        pen.out.push_str("\x1b[m");
    }
    pen.out
}

struct Pen<'a> {
    out: String,
    /// Where the cursor is; `None` if that is not sure.
    at: Option<(u16, u16)>,
    ink: Ink,
    screen: &'a Buffer,
}

impl Pen<'_> {
    fn go_to(&mut self, x: u16, y: u16) {
        if self.at == Some((x, y)) {
            return;
        }
        if let Some((from, row)) = self.at
            && row == y
            && from < x
        {
            let gap = x - from;
            if gap <= NEAR && self.is_plain_here(from, x, y) {
                for between in from..x {
                    let cell = &self.screen[(between, y)];
                    self.out.push_str(cell.symbol());
                }
                self.at = Some((x, y));
                return;
            }
            // The terminal's margin stops it there, wherever it was.
            if gap == 1 {
                self.out.push_str("\x1b[C");
            } else {
                self.add(format_args!("\x1b[{gap}C"));
            }
        } else {
            let column = x + 1;
            self.add(format_args!("\x1b[{};{column}H", y + 1));
        }
        self.at = Some((x, y));
    }

    /// Whether the unchanged cells from here to there can be written again as they are.
    fn is_plain_here(&self, from: u16, to: u16, y: u16) -> bool {
        (from..to).all(|x| {
            let cell = &self.screen[(x, y)];
            let symbol = cell.symbol();
            symbol.len() == 1 && symbol.is_ascii() && Ink::of(cell).is_same_for(symbol, self.ink)
        })
    }

    fn put(&mut self, cell: &Cell) {
        let symbol = cell.symbol();
        let ink = Ink::of(cell);
        if !ink.is_same_for(symbol, self.ink) {
            self.dip(ink);
        }
        self.out.push_str(symbol);
        // Of anything that is not one plain character, terminals disagree about the width.
        let is_sure = symbol.is_ascii() || {
            let mut characters = symbol.chars();
            let first = characters.next().unwrap_or(' ');
            characters.next().is_none() && is_narrow(first)
        };
        self.at = self
            .at
            .filter(|_| is_sure)
            .map(|(x, y)| (x + 1, y))
            // In the last column the cursor waits in a place of its own.
            .filter(|(x, _)| *x < self.screen.area.right());
    }

    /// Changes to another style, by the shorter way: what differs, or all anew.
    fn dip(&mut self, ink: Ink) {
        let change = parameters(self.ink, ink);
        let anew = format!("0;{}", parameters(Ink::PLAIN, ink));
        let anew = anew.trim_end_matches(';');
        let shorter = if change.len() <= anew.len() {
            &change
        } else {
            anew
        };
        if shorter == "0" {
            self.out.push_str("\x1b[m");
        } else {
            self.add(format_args!("\x1b[{shorter}m"));
        }
        self.ink = ink;
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.out.write_fmt(text);
    }
}

/// Letters of Latin, Greek and Cyrillic, phonetic signs, punctuation, and the symbols that the views
/// draw with: one cell everywhere.
fn is_narrow(symbol: char) -> bool {
    matches!(u32::from(symbol), 0xa1..=0x2af | 0x370..=0x52f | 0x2010..=0x2027 | 0x2500..=0x259f | 0x2800..=0x28ff)
        && !matches!(symbol, '\u{ad}' | '\u{483}'..='\u{489}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier, Style};

    fn buffer(rows: &[&str]) -> Buffer {
        Buffer::with_lines(rows.iter().copied())
    }

    #[test]
    fn only_what_changed_is_written() {
        let before = buffer(&["one two three", "four"]);
        assert_eq!(write(Some(&before), &before), "");
        let after = buffer(&["one Two thrEE", "five"]);
        // A short gap is written again, a long one is skipped.
        assert_eq!(
            write(Some(&before), &after),
            "\x1b[1;5HT\x1b[6CEE\x1b[2;2Hive"
        );
    }

    #[test]
    fn styles_change_by_the_shortest_way() {
        let before = buffer(&["abcdef"]);
        let mut after = before.clone();
        let red = Style::new().fg(Color::Red);
        after.set_string(0, 0, "a", red.add_modifier(Modifier::BOLD));
        after.set_string(1, 0, "b", red);
        after.set_string(2, 0, "c", Style::new().bg(Color::Indexed(7)));
        assert_eq!(
            write(Some(&before), &after),
            "\x1b[1;1H\x1b[1;31ma\x1b[22mb\x1b[0;48;5;7mc\x1b[m"
        );
    }

    #[test]
    fn what_is_written_alike_is_written_together() {
        let before = buffer(&["abc", "abc"]);
        let mut after = before.clone();
        let (one, other) = (Color::Rgb(1, 2, 3), Color::Rgb(4, 5, 6));
        for y in [0, 1] {
            after.set_string(0, y, "c", Style::new().fg(one));
            after.set_string(1, y, " d", Style::new().fg(other));
        }
        assert_eq!(
            write(Some(&before), &after),
            "\x1b[1;1H\x1b[38;2;1;2;3mc \x1b[2;1Hc \x1b[1;3H\x1b[38;2;4;5;6md\x1b[2;3Hd\x1b[m"
        );
    }

    #[test]
    fn doubtful_widths_are_followed_by_a_place() {
        let before = buffer(&["        "]);
        let after = buffer(&["日e\u{301}xy   "]);
        let written = write(Some(&before), &after);
        assert_eq!(written, "\x1b[1;1H日\x1b[1;3He\u{301}\x1b[1;4Hxy");
    }

    const NARROW: &[&str] = &[" ", "a", "é", "○", "█", "…", "x", "\u{28ff}"];
    const ALL: &[&str] = &[" ", "a", "é", "○", "█", "…", "日", "x", "\u{28ff}"];

    fn cell(symbols: &'static [&str]) -> impl Strategy<Value = (String, Color, Color, Modifier)> {
        let symbol = prop::sample::select(symbols);
        let color = prop::sample::select(vec![
            Color::Reset,
            Color::Red,
            Color::LightBlue,
            Color::Indexed(200),
            Color::Rgb(1, 2, 3),
        ]);
        let modifier = prop::sample::select(vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::UNDERLINED | Modifier::BOLD,
            Modifier::REVERSED,
        ]);
        (
            symbol.prop_map(|symbol: &str| symbol.to_owned()),
            color.clone(),
            color,
            modifier,
        )
    }

    fn screen(symbols: &'static [&str]) -> impl Strategy<Value = Buffer> {
        prop::collection::vec(cell(symbols), 24).prop_map(|cells| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 12, 4));
            for (place, (symbol, fg, bg, modifier)) in (0..).zip(cells) {
                // Two cells each, for the wide ones.
                let (x, y) = (place % 6 * 2, place / 6);
                let style = Style::new().fg(fg).bg(bg).add_modifier(modifier);
                buf.set_string(x, y, &symbol, style);
            }
            buf
        })
    }

    /// What a terminal shows in each cell: its text and its style.
    fn shown(bytes: &[u8], parser: &mut vt100::Parser) -> Vec<String> {
        parser.process(bytes);
        let screen = parser.screen();
        let mut cells = Vec::new();
        for row in 0..4 {
            for column in 0..12 {
                let cell = screen.cell(row, column).unwrap();
                let text = if cell.contents().is_empty() {
                    " "
                } else {
                    cell.contents()
                };
                let fg = if text == " " {
                    String::new()
                } else {
                    format!("{:?} {} {}", cell.fgcolor(), cell.bold(), cell.dim())
                };
                let bg = cell.bgcolor();
                let marks = (cell.underline(), cell.inverse());
                cells.push(format!("{text} {fg} {bg:?} {marks:?}"));
            }
        }
        cells
    }

    proptest! {
        /// However a screen came about, a terminal shows what drawing it from nothing would show.
        #[test]
        fn a_terminal_shows_what_was_drawn(
            (first, second) in prop_oneof![
                (screen(ALL), screen(ALL)),
                // Without anything wide the cells come in the order of their inks.
                (screen(NARROW), screen(NARROW)),
            ]
        ) {
            let size = |number| std::num::NonZero::new(number).unwrap();
            let mut parser = vt100::Parser::new(size(4), size(12), 0);
            shown(write(None, &first).as_bytes(), &mut parser);
            let by_steps = shown(write(Some(&first), &second).as_bytes(), &mut parser);
            let mut fresh = vt100::Parser::new(size(4), size(12), 0);
            let at_once = shown(write(None, &second).as_bytes(), &mut fresh);
            prop_assert_eq!(by_steps, at_once);
        }
    }
}
