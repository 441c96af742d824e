//! Writes the difference between two screens in as few bytes as it can: what a slow line carries is
//! what is felt. It remembers where the cursor is and in which style it writes, and never relies on
//! how wide a terminal takes a doubtful character to be.
//!
//! The sequences are those of ECMA-48: CUP and CUF for places, SGR for styles.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;

use super::cell_style::{CellStyle, VISIBLE, parameters};
use super::change::cells;
use crate::monitor::glyph;

/// So many blanks are erased rather than written: that takes five bytes.
const LONG_BLANK: usize = 8;

/// So many unchanged cells are written again rather than skipped: a skip takes four bytes.
const NEAR: u16 = 3;

/// What is written, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) screen: &'a Buffer,
    /// Whether the terminal erases in the colour that it writes on.
    pub(super) erases: bool,
}

/// Writes these cells of a screen, which come row by row, for a terminal that writes in `style` now.
/// Returns the bytes, and the style that they leave it with.
pub(super) fn write(
    from: Source<'_>,
    cells: &[(u16, u16)],
    style: CellStyle,
) -> (String, CellStyle) {
    let screen = from.screen;
    let mut pen = Pen::new(screen, style);
    let mut rest = cells;
    while let Some((&(x, y), others)) = rest.split_first() {
        let cell = &screen[(x, y)];
        pen.go_to(x, y, cell);
        let blanks = if from.erases { blanks(screen, rest) } else { 0 };
        if blanks >= LONG_BLANK {
            pen.erase(rest[blanks - 1].0 + 1 - x, cell.bg);
            rest = &rest[blanks..];
        } else {
            pen.put(cell);
            rest = others;
        }
    }
    (pen.out, pen.style)
}

/// How many of these cells, from the first one on, are blanks in a row. What lies between them is blank
/// already, and may be erased along with them.
fn blanks(screen: &Buffer, cells: &[(u16, u16)]) -> usize {
    let Some(&(first, row)) = cells.first() else {
        return 0;
    };
    let ground = screen[(first, row)].bg;
    let mut end = first;
    let is_one = |&&(x, y): &&(u16, u16)| {
        let is_blank = |x| is_blank(&screen[(x, row)], ground);
        let goes_on = y == row && x >= end && (end..=x).all(is_blank);
        end = x + 1;
        goes_on
    };
    cells.iter().take_while(is_one).count()
}

/// Whether this is what erasing leaves on such a ground.
fn is_blank(cell: &Cell, ground: Color) -> bool {
    cell.symbol() == " " && cell.bg == ground && !cell.modifier.intersects(VISIBLE)
}

struct Pen<'a> {
    out: String,
    /// Where the cursor is; `None` if that is not sure.
    at: Option<(u16, u16)>,
    /// Whether it is sure only as long as ideographs follow each other.
    is_among_wide: bool,
    style: CellStyle,
    screen: &'a Buffer,
}

impl<'a> Pen<'a> {
    fn new(screen: &'a Buffer, style: CellStyle) -> Self {
        Self {
            out: String::new(),
            at: None,
            is_among_wide: false,
            style,
            screen,
        }
    }

    /// Goes to a place, where this is to be written.
    fn go_to(&mut self, x: u16, y: u16, cell: &Cell) {
        let is_ideograph = glyph::is_ideograph(cell.symbol());
        if self.is_among_wide && !(self.at == Some((x, y)) && is_ideograph) {
            self.at = None;
        }
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
        } else if self
            .at
            .is_some_and(|(column, row)| column == x && row + 1 == y)
        {
            self.out.push_str("\x1b[B");
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
            symbol.len() == 1
                && symbol.is_ascii()
                && CellStyle::of(cell).is_same_for(symbol, self.style)
        })
    }

    fn put(&mut self, cell: &Cell) {
        let symbol = cell.symbol();
        let style = CellStyle::of(cell);
        if !style.is_same_for(symbol, self.style) {
            self.set_style(style);
        }
        self.out.push_str(symbol);
        self.is_among_wide = glyph::is_ideograph(symbol);
        // Of anything that is not one plain character, terminals disagree about the width.
        let is_sure = symbol.is_ascii()
            || self.is_among_wide
            || glyph::only(symbol).is_some_and(glyph::is_narrow);
        self.at = self
            .at
            .filter(|_| is_sure)
            .map(|(x, y)| (x + cells(cell), y))
            // In the last column the cursor waits in a place of its own.
            .filter(|(x, _)| *x < self.screen.area.right());
    }

    /// Erases cells from here on, which leaves the cursor where it is.
    fn erase(&mut self, cells: u16, ground: Color) {
        let modifier = self.style.modifier - VISIBLE;
        self.set_style(CellStyle {
            bg: ground,
            modifier,
            ..self.style
        });
        self.add(format_args!("\x1b[{cells}X"));
    }

    /// Changes to another style, by the shorter way: what differs, or everything.
    fn set_style(&mut self, style: CellStyle) {
        if style == self.style {
            return;
        }
        let change = parameters(self.style, style);
        let whole = format!("0;{}", parameters(CellStyle::PLAIN, style));
        let whole = whole.trim_end_matches(';');
        let shorter = if change.len() <= whole.len() {
            &change
        } else {
            whole
        };
        if shorter == "0" {
            self.out.push_str("\x1b[m");
        } else {
            self.add(format_args!("\x1b[{shorter}m"));
        }
        self.style = style;
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.out.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::changes;
    use super::*;
    use ratatui::style::{Color, Modifier, Style};

    /// Everything that differs, for a terminal that writes in its own style.
    fn write(before: Option<&Buffer>, after: &Buffer) -> String {
        let empty = Buffer::empty(after.area);
        let all = changes(before.unwrap_or(&empty), after);
        let source = Source {
            screen: after,
            erases: true,
        };
        super::write(source, &all, CellStyle::PLAIN).0
    }

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
    fn many_blanks_are_erased() {
        let before = buffer(&["one two three four"]);
        let mut after = buffer(&["one            our"]);
        assert_eq!(write(Some(&before), &after), "\x1b[1;5H\x1b[11X");
        after.set_string(6, 0, "         ", Style::new().bg(Color::Red));
        assert_eq!(write(Some(&before), &after), "\x1b[1;5H  \x1b[41m\x1b[9X");
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
            "\x1b[1;1H\x1b[1;31ma\x1b[22mb\x1b[0;48;5;7mc"
        );
    }

    #[test]
    fn doubtful_widths_are_followed_by_a_place() {
        let before = buffer(&["        "]);
        let after = buffer(&["日e\u{301}xy   "]);
        let written = write(Some(&before), &after);
        assert_eq!(written, "\x1b[1;1H日\x1b[1;3He\u{301}\x1b[1;4Hxy");
        // Ideographs follow each other everywhere in the same way.
        let after = buffer(&["日本x   "]);
        assert_eq!(write(Some(&before), &after), "\x1b[1;1H日本\x1b[1;5Hx");
    }
}
