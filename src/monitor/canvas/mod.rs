//! What is on a screen, so that a frame is only what differs from the one before. It draws into
//! memory; where the bytes go is somebody else's part.

mod cell_style;
mod change;
mod chunk;
mod pen;
mod throttle;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::cell_style::CellStyle;
use self::change::changes;
use self::chunk::Remaining;
use self::pen::Source;
use self::throttle::Throttle;
use super::action::Mode;
use super::app::App;
use super::theme::SymbolSet;
use super::view;

/// The most bytes of a frame that only shows progress, on a screen of [`USUAL`] cells. On a slow
/// line the answer to a key stands behind what was sent before it.
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
    style: CellStyle,
    /// Whether the terminal erases in the colour that is asked for.
    erases: bool,
    /// What the last frame had no room for; the frame itself is in `spare` then.
    rest: Remaining,
    /// Where the list of the last frame is.
    page: Rect,
    throttle: Throttle,
    /// How long something has to wait for its time.
    held: Option<Duration>,
}

/// How much of what has changed a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// All of it: somebody waits for it.
    AtOnce,
    /// As much as mere progress may take, less so many bytes; the rest comes with the next frames.
    InShares(usize),
}

/// What a frame left to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingOutput {
    Nothing,
    /// It had no room for all of the list: [`Canvas::go_on`] writes more.
    Remaining,
    /// Something around the list was not redrawn yet; the next frame after so long shows it.
    Held(Duration),
}

impl Canvas {
    /// For a terminal of which is known whether it erases in the colour that is asked for.
    pub(super) fn new(erases: bool) -> Self {
        Self {
            shown: None,
            spare: Buffer::default(),
            style: CellStyle::PLAIN,
            erases,
            rest: Remaining::default(),
            page: Rect::ZERO,
            throttle: Throttle::default(),
            held: None,
        }
    }

    /// Draws the model. Returns what a terminal of this size is to be sent for it; nothing if nothing
    /// has changed. A screen that is drawn from nothing is drawn at once.
    pub(super) fn draw(
        &mut self,
        app: &mut App,
        area: Rect,
        symbols: SymbolSet,
        pace: Pace,
    ) -> String {
        let mut next = std::mem::take(&mut self.spare);
        next.resize(area);
        next.reset();
        let layout = view::draw(&mut next, app);
        // What lies above the panes is not held back in part.
        let is_covered = !matches!(app.mode(), Mode::Main | Mode::Filter);
        let (page, body) = if is_covered {
            (Rect::ZERO, area)
        } else {
            (layout.lower.rows, layout.body)
        };
        app.drawn(layout);
        symbols.apply(&mut next);
        let shown = self.shown.as_ref().filter(|shown| shown.area == area);
        let most = if let (Pace::InShares(taken), Some(shown)) = (pace, shown) {
            self.held = (self.throttle).hold(shown, &mut next, body, self.rest, app.now);
            Some(allowance(area).saturating_sub(taken))
        } else {
            self.held = None;
            self.throttle.shows_all(app.now);
            None
        };
        self.page = page;
        self.frame(next, page, most)
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn forget(&mut self) {
        (self.shown, self.rest) = (None, Remaining::default());
    }

    /// What the last frame left to be written.
    pub(super) fn behind(&self) -> PendingOutput {
        match self.held {
            _ if self.rest.is_page => PendingOutput::Remaining,
            _ if self.rest.is_any() => PendingOutput::Held(Duration::ZERO),
            Some(wait) => PendingOutput::Held(wait),
            None => PendingOutput::Nothing,
        }
    }

    /// Writes more of the list that the last frame had no room for.
    pub(super) fn go_on(&mut self) -> String {
        if !self.rest.is_page {
            return String::new();
        }
        let next = std::mem::take(&mut self.spare);
        let most = allowance(next.area);
        self.frame(next, self.page, Some(most))
    }

    fn frame(&mut self, next: Buffer, page: Rect, most: Option<usize>) -> String {
        let (begin, end) = SYNCHRONIZED;
        let most = most.map(|most| most.saturating_sub(begin.len() + end.len()));
        match self.put(next, page, most) {
            text if text.is_empty() => text,
            text => [begin, &text, end].concat(),
        }
    }

    fn put(&mut self, next: Buffer, page: Rect, most: Option<usize>) -> String {
        let source = Source {
            screen: &next,
            erases: self.erases,
        };
        let Some(mut shown) = self.shown.take().filter(|shown| shown.area == next.area) else {
            let all = changes(&Buffer::empty(next.area), &next);
            let text;
            (text, self.style) = pen::write(source, &all.cells, all.is_wide, CellStyle::PLAIN);
            (self.shown, self.rest) = (Some(next), Remaining::default());
            return format!("\x1b[m\x1b[2J{text}");
        };
        let most = most.unwrap_or(usize::MAX);
        let changed = changes(&shown, &next);
        if pen::least(&next, &changed.cells) <= most {
            let (text, style) = pen::write(source, &changed.cells, changed.is_wide, self.style);
            if text.len() <= most {
                (self.style, self.rest) = (style, Remaining::default());
                (self.shown, self.spare) = (Some(next), shown);
                return text;
            }
        }
        let from = self.rest.around;
        let share = chunk::take(&mut shown, source, page, &changed, self.style, from, most);
        (self.style, self.rest) = (share.style, share.rest);
        (self.shown, self.spare) = (Some(shown), next);
        share.text
    }
}

/// The most bytes of a frame that only shows progress. It grows with the screen, so that a larger one
/// takes no longer to turn a page.
fn allowance(area: Rect) -> usize {
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
        let row = || prop::collection::vec(cell(symbols), 20);
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
        /// However a screen came about, at once or in shares and with something else in between, a
        /// terminal shows what drawing it from nothing would show, and no share takes more than it may.
        #[test]
        fn a_terminal_shows_what_was_drawn(
            (screens, most, erases) in (prop_oneof![
                prop::collection::vec(screen(ALL), 3),
                // Without anything wide the cells come in the order of their inks.
                prop::collection::vec(screen(NARROW), 3),
            ], 60usize..300, any::<bool>())
        ) {
            let page = Rect::new(4, 0, 30, 4);
            let mut parser = parser();
            let mut canvas = Canvas::new(erases);
            shown(canvas.put(screens[0].clone(), page, Some(most)).as_bytes(), &mut parser);
            prop_assert!(canvas.behind() == PendingOutput::Nothing);
            let share = canvas.put(screens[1].clone(), page, Some(most));
            prop_assert!(share.len() <= most);
            shown(share.as_bytes(), &mut parser);
            let mut by_steps = Vec::new();
            for _ in 0..200 {
                let share = canvas.put(screens[2].clone(), page, Some(most));
                prop_assert!(share.len() <= most);
                by_steps = shown(share.as_bytes(), &mut parser);
                if canvas.behind() == PendingOutput::Nothing {
                    break;
                }
                prop_assert!(!share.is_empty());
            }
            prop_assert!(canvas.behind() == PendingOutput::Nothing);
            prop_assert_eq!(canvas.put(screens[2].clone(), page, None), "");
            let at_once = Canvas::new(true).put(screens[2].clone(), page, None);
            prop_assert_eq!(by_steps, shown(at_once.as_bytes(), &mut self::parser()));
        }
    }
}
