//! The style that a terminal writes in, and the shortest way to another one: SGR of ECMA-48.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Modifiers with the parameter that sets them and the one that takes them away.
const MODIFIERS: [(Modifier, u8, u8); 7] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// What can be seen of a blank.
pub(super) const VISIBLE: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

/// What the terminal will write the next character like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct CellStyle {
    pub(super) fg: Color,
    pub(super) bg: Color,
    pub(super) modifier: Modifier,
}

impl CellStyle {
    /// The terminal's own, after a reset.
    pub(super) const PLAIN: Self = Self {
        fg: Color::Reset,
        bg: Color::Reset,
        modifier: Modifier::empty(),
    };

    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Whether a blank looks the same in both: nobody sees the colour of a letter that is not there.
    pub(super) fn is_same_for(self, symbol: &str, other: Self) -> bool {
        self == other
            || (symbol == " "
                && self.bg == other.bg
                && !(self.modifier | other.modifier).intersects(VISIBLE))
    }
}

/// The SGR parameters that lead from one style to another.
pub(super) fn parameters(from: CellStyle, to: CellStyle) -> String {
    let mut list: Vec<String> = Vec::new();
    let lost = from.modifier - to.modifier;
    let mut have = from.modifier;
    for (modifier, _, off) in MODIFIERS {
        if lost.contains(modifier) && have.contains(modifier) {
            list.push(off.to_string());
            // Bold and dim go together.
            for (other, _, same) in MODIFIERS {
                if same == off {
                    have -= other;
                }
            }
        }
    }
    for (modifier, on, _) in MODIFIERS {
        if (to.modifier - have).contains(modifier) {
            list.push(on.to_string());
        }
    }
    if from.fg != to.fg {
        list.push(color(to.fg, 30));
    }
    if from.bg != to.bg {
        list.push(color(to.bg, 40));
    }
    list.join(";")
}

/// A colour as parameters; `base` is 30 for letters and 40 for what is behind them.
fn color(color: Color, base: u8) -> String {
    let (dark, bright) = (base, base + 60);
    let named = |base: u8, number: u8| (base + number).to_string();
    match color {
        Color::Reset => named(base, 9),
        Color::Black => named(dark, 0),
        Color::Red => named(dark, 1),
        Color::Green => named(dark, 2),
        Color::Yellow => named(dark, 3),
        Color::Blue => named(dark, 4),
        Color::Magenta => named(dark, 5),
        Color::Cyan => named(dark, 6),
        Color::Gray => named(dark, 7),
        Color::DarkGray => named(bright, 0),
        Color::LightRed => named(bright, 1),
        Color::LightGreen => named(bright, 2),
        Color::LightYellow => named(bright, 3),
        Color::LightBlue => named(bright, 4),
        Color::LightMagenta => named(bright, 5),
        Color::LightCyan => named(bright, 6),
        Color::White => named(bright, 7),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}
