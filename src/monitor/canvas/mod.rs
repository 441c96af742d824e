//! What is on a screen, so that a frame is only what differs from the one before. It draws into
//! memory; where the bytes go is somebody else's part.

mod change;
mod ink;
mod pen;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::theme::SymbolSet;
use super::view;

/// The frame before, and room for the next.
#[derive(Default)]
pub(super) struct Canvas {
    /// `None` if what is on the screen is not known.
    shown: Option<Buffer>,
    spare: Buffer,
}

impl Canvas {
    /// Draws the model. Returns what a terminal of this size is to be sent for it; nothing if nothing
    /// has changed.
    pub(super) fn draw(&mut self, app: &mut App, area: Rect, symbols: SymbolSet) -> String {
        let mut next = std::mem::take(&mut self.spare);
        next.resize(area);
        next.reset();
        let layout = view::draw(&mut next, app);
        app.drawn(layout);
        symbols.apply(&mut next);
        let before = self.shown.take().filter(|shown| shown.area == area);
        let mut frame = pen::write(before.as_ref(), &next);
        if before.is_none() {
            frame.insert_str(0, "\x1b[m\x1b[2J");
        }
        self.spare = before.unwrap_or_default();
        self.shown = Some(next);
        frame
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }
}
