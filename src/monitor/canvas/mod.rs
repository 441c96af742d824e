//! What is on a screen, so that a frame is only what differs from the one before. A frame is one
//! snapshot of the model, always whole. It draws into memory; where the bytes go is somebody else's part.

mod cell_style;
mod change;
mod pen;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::cell_style::CellStyle;
use self::change::changes;
use self::pen::Source;

/// The frame before, and room for the next.
pub(super) struct Canvas {
    /// `None` if what is on the screen is not known.
    shown: Option<Buffer>,
    spare: Buffer,
    /// What the terminal writes in, as the last frame left it.
    style: CellStyle,
    /// Whether the terminal erases in the colour that is asked for.
    erases: bool,
}

impl Canvas {
    /// For a terminal of which is known whether it erases in the colour that is asked for.
    pub(super) fn new(erases: bool) -> Self {
        Self {
            shown: None,
            spare: Buffer::default(),
            style: CellStyle::PLAIN,
            erases,
        }
    }

    /// Has a frame of this size drawn. Returns what a terminal is to be sent for it; nothing if nothing
    /// has changed.
    pub(super) fn draw(&mut self, area: Rect, draw: impl FnOnce(&mut Buffer)) -> String {
        let mut next = std::mem::take(&mut self.spare);
        next.resize(area);
        next.reset();
        draw(&mut next);
        self.put(next)
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    fn put(&mut self, next: Buffer) -> String {
        let source = Source {
            screen: &next,
            erases: self.erases,
        };
        let shown = self.shown.take().filter(|shown| shown.area == next.area);
        let (begin, before, style) = match shown {
            Some(shown) => ("", shown, self.style),
            None => ("\x1b[m\x1b[2J", Buffer::empty(next.area), CellStyle::PLAIN),
        };
        let changed = changes(&before, &next);
        let (text, style) = pen::write(source, &changed, style);
        self.style = style;
        (self.shown, self.spare) = (Some(next), before);
        [begin, &text].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    const SYMBOLS: &[&str] = &[" ", "a", "é", "○", "█", "…", "日", "x", "\u{28ff}"];

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

    fn screen() -> impl Strategy<Value = Buffer> {
        let row = || prop::collection::vec(cell(SYMBOLS), 20);
        // Long runs of one ground too, as texts are.
        let even = (row(), cell(&["x"])).prop_map(|(row, (_, fg, bg, modifier))| {
            let symbols = row.into_iter().map(|(symbol, ..)| symbol);
            symbols.map(|symbol| (symbol, fg, bg, modifier)).collect()
        });
        let row = (prop_oneof![row(), even], 0..2u16);
        prop::collection::vec(row, 4).prop_map(|rows| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 40, 4));
            for (y, (cells, from)) in (0..).zip(rows) {
                // Two cells each, for the wide ones, which begin in any column.
                let places = (from..40).step_by(2);
                for (x, (symbol, fg, bg, modifier)) in places.zip(cells) {
                    let style = Style::new().fg(fg).bg(bg).add_modifier(modifier);
                    buf.set_string(x, y, &symbol, style);
                }
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
            for column in 0..40 {
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
        vt100::Parser::new(size(4), size(40), 0)
    }

    proptest! {
        /// However a screen came about, a terminal shows what drawing it from nothing would show.
        #[test]
        fn a_terminal_shows_what_was_drawn(
            screens in prop::collection::vec(screen(), 4), erases in any::<bool>(),
        ) {
            let mut parser = parser();
            let mut canvas = Canvas::new(erases);
            for screen in screens {
                let by_steps = shown(canvas.put(screen.clone()).as_bytes(), &mut parser);
                prop_assert_eq!(canvas.put(screen.clone()), "");
                let at_once = Canvas::new(true).put(screen);
                prop_assert_eq!(by_steps, shown(at_once.as_bytes(), &mut self::parser()));
            }
        }
    }
}
