//! A bar that fills in eighths of a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::monitor::theme::{Role, Theme};

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws a bar over the first line of `area`, filled to `fraction` (0.0 to 1.0) in the role's
/// colour.
pub(super) fn draw(buf: &mut Buffer, area: Rect, fraction: f64, role: Role, theme: &Theme) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let eighths = filled(fraction, area.width);
    let track = theme.style(Role::BarTrack);
    let style = theme.style(role);
    // Where the theme has no background to show the track, a line does.
    let rest = if track.bg.is_some() { " " } else { "─" };
    for column in 0..area.width {
        let Some(cell) = buf.cell_mut((area.x + column, area.y)) else {
            continue;
        };
        let here = eighths.saturating_sub(u32::from(column) * 8).min(8);
        // Whatever marks the row must not reach into the bar.
        cell.reset();
        cell.set_style(theme.style(Role::Screen)).set_style(track);
        match here {
            0 => cell.set_symbol(rest),
            8 => cell.set_symbol("█").set_style(style),
            part => cell.set_symbol(EIGHTHS[part as usize]).set_style(style),
        };
    }
}

/// The eighths to fill: none only at 0, all only at 1, so that a bar never promises too much.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and eight times a screen's width"
)]
fn filled(fraction: f64, width: u16) -> u32 {
    let all = u32::from(width) * 8;
    if fraction >= 1.0 {
        return all;
    }
    if fraction <= 0.0 || fraction.is_nan() {
        return 0;
    }
    ((f64::from(all) * fraction) as u32).clamp(1, all.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_is_full() {
        assert_eq!(filled(0.0, 10), 0);
        assert_eq!(filled(0.0001, 10), 1);
        assert_eq!(filled(0.5, 10), 40);
        assert_eq!(filled(0.9999, 10), 79);
        assert_eq!(filled(1.0, 10), 80);
        assert_eq!(filled(f64::NAN, 10), 0);
    }
}
