//! Curves in braille: eight dots a cell, two columns of four.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The dots of a cell: left column from the bottom, then the right one.
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];

/// How far from the bottom, in dots, a column is filled: from here to there.
type Span = (u16, u16);

/// Draws `values` (0.0 to 1.0) from left to right as columns that stand on the ground.
pub(super) fn columns(buf: &mut Buffer, area: Rect, values: &[f32], style: Style) {
    let height = area.height.saturating_mul(4);
    draw(buf, area, values, style, |value| (0, dots(value, height)));
}

/// Draws `values` (0.0 to 1.0) as a wave: as far up as down from the middle, at least a dot.
pub(super) fn wave(buf: &mut Buffer, area: Rect, values: &[f32], style: Style) {
    let half = area.height.saturating_mul(2);
    draw(buf, area, values, style, |value| {
        let reach = dots(value, half).max(1);
        (half - reach, half + reach)
    });
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and a screen has few dots"
)]
fn dots(value: f32, most: u16) -> u16 {
    ((value.clamp(0.0, 1.0) * f32::from(most)).round() as u16).min(most)
}

/// Two columns of dots a cell; of several values that fall on one column, the largest.
fn draw(buf: &mut Buffer, area: Rect, values: &[f32], style: Style, span: impl Fn(f32) -> Span) {
    let area = area.intersection(buf.area);
    let wide = usize::from(area.width) * 2;
    if values.is_empty() || wide == 0 {
        return;
    }
    for x in 0..area.width {
        let mut sides = [(0, 0); 2];
        for (side, filled) in (0..2).zip(&mut sides) {
            let column = usize::from(x) * 2 + side;
            let from = column * values.len() / wide;
            let to = ((column + 1) * values.len()).div_ceil(wide).max(from + 1);
            let here = values.get(from..to.min(values.len())).unwrap_or_default();
            *filled = span(here.iter().copied().fold(0.0, f32::max));
        }
        for row in 0..area.height {
            // Rows are counted from the top, dots from the bottom.
            let bottom = (area.height - 1 - row) * 4;
            let mut cell = 0;
            for (dots, (from, to)) in DOTS.iter().zip(sides) {
                for (dot, height) in dots.iter().zip(bottom..) {
                    if (from..to).contains(&height) {
                        cell |= dot;
                    }
                }
            }
            if cell > 0
                && let Some(symbol) = char::from_u32(0x2800 + cell)
                && let Some(at) = buf.cell_mut((area.x + x, area.y + row))
            {
                at.set_char(symbol).set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(height: u16, plot: impl Fn(&mut Buffer, Rect)) -> Vec<String> {
        let area = Rect::new(0, 0, 2, height);
        let mut buf = Buffer::empty(area);
        plot(&mut buf, area);
        (0..height)
            .map(|y| (0..2).map(|x| buf[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn curves_fill_their_dots() {
        let columns = drawn(1, |buf, area| {
            columns(buf, area, &[0.25, 0.5, 1.0, 0.0], Style::new());
        });
        assert_eq!(columns, ["⣠⡇"]);
        let wave = drawn(2, |buf, area| {
            wave(buf, area, &[1.0, 0.0, 0.5, 0.5], Style::new());
        });
        assert_eq!(wave, ["⣇⣤", "⡏⠛"]);
        // Many values on few columns: the largest of each.
        let values: Vec<f32> = (0..100).map(|n| if n == 99 { 1.0 } else { 0.0 }).collect();
        let many = drawn(1, |buf, area| {
            super::columns(buf, area, &values, Style::new());
        });
        assert_eq!(many, [" ⢸"]);
    }
}
