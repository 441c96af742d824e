//! What is said of a segment where it is not what is written: `1492 → fourteen ninety-two`, a line for
//! each change, quieter than the text. It must say with words and signs what it says with colours.

use ratatui::style::Style;

use super::Cx;
use super::text::{fit, width, wrap};
use super::zoom::{Line, MOST};
use crate::model::PlannedSegment;
use crate::monitor::theme::Role;
use crate::service::{Change, changes};

/// Beside the first of them, as wide as the labels of other facts.
const LABEL: &str = "Said   ";

/// A narrower pane has no room for a label.
const LABELLED: u16 = 44;

/// What stands before the rest of a change that takes several lines.
const INDENT: &str = "  ";

/// What of this segment is said otherwise; no line where all is said as it stands.
pub(super) fn lines(segment: &PlannedSegment, room: u16, cx: Cx<'_>) -> Vec<Line> {
    let label = if room < LABELLED { "" } else { LABEL };
    let mut lead = label.to_owned();
    let mut all = Vec::new();
    for change in changes(&segment.text, &segment.reading) {
        for mut pieces in rows(&change, usize::from(room).saturating_sub(label.len()), cx) {
            let lead = std::mem::replace(&mut lead, " ".repeat(label.len()));
            pieces.insert(0, (lead, cx.style(Role::Muted)));
            all.push(pieces);
        }
        if all.len() > MOST {
            break;
        }
    }
    all
}

/// Leaves so many of the lines. Where some go the last one says so: half of what is said must not look
/// like all of it.
pub(super) fn cut(lines: &mut Vec<Line>, most: usize, room: usize, cx: Cx<'_>) {
    if lines.len() <= most {
        return;
    }
    lines.truncate(most);
    // Air needs no mark.
    let Some(last) = lines.last_mut().filter(|line| !line.is_empty()) else {
        return;
    };
    let used: usize = last.iter().map(|(text, _)| width(text)).sum();
    if used + 2 <= room {
        last.push((" …".to_owned(), cx.style(Role::Muted)));
    } else if let Some((text, _)) = last.last_mut() {
        let room = room.saturating_sub(used - width(text));
        *text = fit(&format!("{text} …"), room);
    }
}

/// A change in lines of so many cells: what is said stands out.
fn rows(change: &Change, cells: usize, cx: Cx<'_>) -> Vec<Line> {
    let (quiet, loud) = (cx.style(Role::Muted), cx.style(Role::Text));
    let silence = change.silence();
    let mut pieces = vec![(change.written.clone(), quiet)];
    if !change.said.is_empty() {
        let comma = if silence.is_some() { "," } else { "" };
        pieces.push((" → ".to_owned(), quiet));
        pieces.push((format!("{}{comma}", change.said), loud));
    }
    pieces.extend(silence.map(|silence| (format!(" {silence}"), quiet)));
    wrapped(&pieces, cells, INDENT)
}

/// Wraps pieces as one text, with something before the lines after the first.
pub(super) fn wrapped(pieces: &[(String, Style)], cells: usize, indent: &str) -> Vec<Line> {
    let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    let lines = if width(&whole) <= cells {
        vec![whole]
    } else {
        wrap(&whole, cells.saturating_sub(indent.len()), MOST)
    };
    // Wrapping only drops blanks: what is left of a piece is known by what can be seen of it.
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let mut styles = pieces.iter().map(|(text, style)| (visible(text), *style));
    let mut now = styles.next().unwrap_or_default();
    let styled = lines.into_iter().enumerate().map(|(row, line)| {
        let indent = if row == 0 { "" } else { indent };
        let mut parts = vec![(indent.to_owned(), Style::default())];
        for c in line.chars() {
            let is_blank = c.is_whitespace();
            while !is_blank && now.0 == 0 {
                let Some(next) = styles.next() else { break };
                now = next;
            }
            // One between two pieces may be of either.
            let style_here = if now.0 > 0 { now.1 } else { Style::default() };
            now.0 = now.0.saturating_sub(usize::from(!is_blank));
            match parts.last_mut() {
                Some((text, style)) if *style == style_here => text.push(c),
                _ => parts.push((c.to_string(), style_here)),
            }
        }
        parts
    });
    styled.collect()
}
