//! What is seen of the model, and where: it is drawn in the theme that a person has chosen, and what
//! stands under the pointer is known from the last frame. The model itself knows nothing of places.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::app::{App, Drawn, Page, Pages, Place, Spot};
use super::layout::{Layout, ListArea};
use super::theme::{SymbolSet, Theme};
use super::view;

/// The screen as it was drawn last, and how it is drawn.
pub(super) struct Scene {
    themes: Vec<Theme>,
    symbols: SymbolSet,
    /// Of the last frame.
    layout: Layout,
    page: Page,
}

impl Scene {
    /// Nothing was drawn yet.
    pub(super) fn new(themes: Vec<Theme>, symbols: SymbolSet) -> Self {
        Self {
            themes,
            symbols,
            layout: Layout::default(),
            page: Page::default(),
        }
    }

    /// Draws the model, and tells it how much of its lists is seen.
    pub(super) fn draw(&mut self, buf: &mut Buffer, app: &mut App) {
        if self.page != app.page {
            // Another page has another list there.
            self.layout.lower = ListArea::default();
            self.page = app.page;
        }
        let theme = &self.themes[app.theme()];
        self.layout = view::draw(buf, app, theme, &self.layout);
        app.drawn(drawn(&self.layout));
        self.symbols.apply(buf);
    }

    /// The same text with the symbols that are drawn with.
    pub(super) fn text(&self, text: &str) -> String {
        self.symbols.text(text).to_string()
    }

    /// Where everything was drawn.
    #[cfg(test)]
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What is at this place.
    pub(super) fn spot(&self, at: Position) -> Spot {
        let layout = &self.layout;
        let mut buttons = layout.buttons.iter();
        let button = buttons.find(|(area, _)| area.contains(at));
        let mut values = layout.values.iter();
        let value = values.find(|(area, _)| area.contains(at));
        Spot {
            button: button.map(|(_, action)| *action),
            choice: place(&layout.overlay, at),
            field: layout.fields.iter().position(|area| area.contains(at)),
            value: value.map(|(_, value)| *value),
            queue: place(&layout.queue, at),
            lower: place(&layout.lower, at),
            is_zoom: layout.zoom.pane.contains(at),
        }
    }
}

fn place(list: &ListArea, at: Position) -> Option<Place> {
    match list.row_at(at) {
        Some(row) => Some(Place::Row(row)),
        None => list.pane.contains(at).then_some(Place::Beside),
    }
}

fn drawn(layout: &Layout) -> Drawn {
    Drawn {
        pages: Pages {
            queue: layout.queue.page(),
            lower: layout.lower.page(),
            choices: layout.overlay.page(),
            zoom: layout.zoom.page(),
            help: layout.help_page,
        },
        help_scroll: layout.help_scroll,
        zoom_scroll: layout.zoom.first,
    }
}
