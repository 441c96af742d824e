//! What is on a screen, so that a frame is only what differs from the one before. It draws into
//! memory; where the bytes go is somebody else's part.

mod change;
mod ink;
mod pen;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::change::{Changes, changes, doubt, note};
use self::ink::Ink;
use super::app::App;
use super::theme::SymbolSet;
use super::view;

/// The most bytes of a frame that only shows progress, on a screen of [`USUAL`] cells. Ten such frames
/// a second are 4 kB: less than a modem carried.
const ALLOWANCE: usize = 400;

/// The cells of 120 columns by 36 rows.
const USUAL: usize = 120 * 36;

/// What a frame begins and ends with, so that nobody sees half of it: private mode 2026 of terminals.
const SYNCHRONIZED: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// The frame before, and room for the next.
pub(super) struct Canvas {
    /// `None` if what is on the screen is not known.
    shown: Option<Buffer>,
    spare: Buffer,
    /// What the terminal writes in, as the last frame left it.
    ink: Ink,
    /// Where the next share begins, if the last frame was one.
    rest: Option<u16>,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            shown: None,
            spare: Buffer::default(),
            ink: Ink::PLAIN,
            rest: None,
        }
    }
}

impl Canvas {
    /// Draws the model. Returns what a terminal of this size is to be sent for it; nothing if nothing
    /// has changed. With `most`, no more bytes than that: what finds no room waits for the frames to
    /// come. A screen that is drawn from nothing is drawn at once.
    pub(super) fn draw(
        &mut self,
        app: &mut App,
        area: Rect,
        symbols: SymbolSet,
        most: Option<usize>,
    ) -> String {
        let mut next = std::mem::take(&mut self.spare);
        next.resize(area);
        next.reset();
        let layout = view::draw(&mut next, app);
        app.drawn(layout);
        symbols.apply(&mut next);
        let (begin, end) = SYNCHRONIZED;
        let most = most.map(|most| most.saturating_sub(begin.len() + end.len()));
        match self.put(next, most) {
            text if text.is_empty() => text,
            text => [begin, &text, end].concat(),
        }
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// Whether the last frame had no room for all that has changed.
    pub(super) fn is_behind(&self) -> bool {
        self.rest.is_some()
    }

    fn put(&mut self, next: Buffer, most: Option<usize>) -> String {
        let Some(mut shown) = self.shown.take().filter(|shown| shown.area == next.area) else {
            let all = changes(&Buffer::empty(next.area), &next);
            let text;
            (text, self.ink) = pen::write(&next, &all.cells, all.is_wide, Ink::PLAIN);
            (self.shown, self.rest) = (Some(next), None);
            return format!("\x1b[m\x1b[2J{text}");
        };
        let changes = changes(&shown, &next);
        let (text, ink) = pen::write(&next, &changes.cells, changes.is_wide, self.ink);
        if most.is_none_or(|most| text.len() <= most) {
            (self.ink, self.rest) = (ink, None);
            (self.shown, self.spare) = (Some(next), shown);
            return text;
        }
        let text = self.put_share(&mut shown, &next, changes, most.unwrap_or(usize::MAX));
        (self.shown, self.spare) = (Some(shown), next);
        text
    }

    /// Writes as many rows as there is room for, from where the last share ended: none waits for
    /// ever. Of a row that takes more by itself, what there is room for.
    fn put_share(
        &mut self,
        shown: &mut Buffer,
        next: &Buffer,
        changes: Changes,
        most: usize,
    ) -> String {
        let Changes { mut cells, is_wide } = changes;
        let first = self.rest.unwrap_or(0);
        let above = cells.partition_point(|(_, y)| *y < first);
        cells.rotate_left(above);

        let write = |end: usize| pen::write(next, &cells[..end], is_wide, self.ink);
        let fits = |end: &usize| write(*end).0.len() <= most;
        let rows = cells.chunk_by(|(_, y), (_, below)| y == below);
        let ends = rows.scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        });
        let row = ends.clone().next().unwrap_or(0);
        let end = ends.take_while(fits).last();
        // Something has to go out, or it would never end.
        let end = end.unwrap_or_else(|| (1..row).rev().find(fits).unwrap_or(1));
        let (text, ink) = write(end);
        note(shown, next, &cells[..end]);
        if end < row {
            doubt(shown, &cells[end..row]);
        }
        self.ink = ink;
        self.rest = cells.get(end).map(|(_, y)| *y);
        text
    }
}

/// The most bytes of a frame that only shows progress. It grows with the screen, so that a larger one
/// takes no longer to turn a page.
pub(super) fn allowance(area: Rect) -> usize {
    let cells = usize::from(area.width) * usize::from(area.height);
    ALLOWANCE.max(ALLOWANCE * cells / USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

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

    fn parser() -> vt100::Parser {
        let size = |number| std::num::NonZero::new(number).unwrap();
        vt100::Parser::new(size(4), size(12), 0)
    }

    proptest! {
        /// However a screen came about, at once or in shares and with something else in between, a
        /// terminal shows what drawing it from nothing would show, and no share takes more than it may.
        #[test]
        fn a_terminal_shows_what_was_drawn(
            (screens, most) in (prop_oneof![
                prop::collection::vec(screen(ALL), 3),
                // Without anything wide the cells come in the order of their inks.
                prop::collection::vec(screen(NARROW), 3),
            ], 40usize..200)
        ) {
            let mut parser = parser();
            let mut canvas = Canvas::default();
            shown(canvas.put(screens[0].clone(), Some(most)).as_bytes(), &mut parser);
            prop_assert!(!canvas.is_behind());
            let share = canvas.put(screens[1].clone(), Some(most));
            prop_assert!(share.len() <= most);
            shown(share.as_bytes(), &mut parser);
            let mut by_steps = Vec::new();
            for _ in 0..48 {
                let share = canvas.put(screens[2].clone(), Some(most));
                prop_assert!(share.len() <= most);
                by_steps = shown(share.as_bytes(), &mut parser);
                if !canvas.is_behind() {
                    break;
                }
                prop_assert!(!share.is_empty());
            }
            prop_assert!(!canvas.is_behind());
            prop_assert_eq!(canvas.put(screens[2].clone(), None), "");
            let at_once = Canvas::default().put(screens[2].clone(), None);
            prop_assert_eq!(by_steps, shown(at_once.as_bytes(), &mut self::parser()));
        }
    }
}
