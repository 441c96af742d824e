//! Callouts: `> [!NOTE]` and `> [!warning]- Keep off`. The title that is given is heard, or else the kind; the
//! other marks are silent. It must never take a quotation that begins with a bracket for one.

use super::super::super::OmissionReason;
use super::marks::{Mark, What};

/// Adds the marks of the callout that begins at `start`, if one does, and returns where its line ends.
pub(super) fn callout(text: &str, start: usize, marks: &mut Vec<Mark>) -> Option<usize> {
    let line = text[start..].split(['\n', '\r']).next()?;
    let rest = line.strip_prefix("[!")?;
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let (name, rest) = rest.split_once(']')?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(of_name) {
        return None;
    }
    let title = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let is_apart = title.is_empty() || title.starts_with(char::is_whitespace);
    if !is_apart {
        return None;
    }
    let title = title.trim_start();
    let first = start + "[!".len();
    let mut add = |from: usize, to: usize, what: What| {
        if from < to {
            marks.push(Mark {
                span: from..to,
                what,
            });
        }
    };
    let markup = || What::Omit(OmissionReason::Markup);
    if title.contains(char::is_alphanumeric) {
        add(start, start + line.len() - title.len(), markup());
    } else {
        add(start, first, markup());
        for (place, c) in name.char_indices() {
            let said = match c {
                '-' | '_' => ' ',
                _ if place == 0 => c.to_ascii_uppercase(),
                _ => c.to_ascii_lowercase(),
            };
            let place = first + place;
            if said != c {
                add(place, place + 1, What::Say(said.to_string().into()));
            }
        }
        let bracket = first + name.len();
        add(bracket, bracket + 1, What::Say(".".into()));
        add(bracket + 1, start + line.trim_end().len(), markup());
    }
    Some(start + line.len())
}
