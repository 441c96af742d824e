//! Text for the screen: made harmless, cut to a width in cells, wrapped; and numbers as people
//! read them. Everything that came from outside passes through here before it is drawn.

use std::borrow::Cow;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::Timestamp;
use crate::monitor::glyph::is_narrow;
use crate::monitor::theme::{Role, Theme};
use crate::text::printable;

/// Characters that one cell may hold; a flood of combining marks ends here.
const CELL_CHARS: usize = 12;

/// The first characters of `text`, as many as could matter for `cells` cells, made harmless.
fn start(text: &str, cells: usize) -> Cow<'_, str> {
    let most = cells.saturating_add(1).saturating_mul(CELL_CHARS);
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    printable(&text[..end])
}

/// The cells that a harmless text takes.
pub(super) fn width(text: &str) -> usize {
    if text.chars().all(is_narrow) {
        return text.chars().count();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

fn capped(grapheme: &str) -> &str {
    let end = grapheme.char_indices().nth(CELL_CHARS);
    &grapheme[..end.map_or(grapheme.len(), |(at, _)| at)]
}

/// `text` in at most `cells` cells, harmless, with `…` where something is missing.
pub(crate) fn fit(text: &str, cells: usize) -> String {
    let safe = start(text, cells);
    if safe.chars().all(is_narrow) {
        let mut ends = safe
            .char_indices()
            .map(|(at, _)| at)
            .skip(cells.saturating_sub(1));
        return match (ends.next(), ends.next()) {
            (Some(last), Some(_)) if cells > 0 => format!("{}…", &safe[..last]),
            (Some(_), _) if cells == 0 => String::new(),
            _ => safe.into_owned(),
        };
    }
    fit_clusters(&safe, cells)
}

/// The same for any text that is harmless.
fn fit_clusters(safe: &str, cells: usize) -> String {
    let (mut fitted, mut used, mut room) = (String::new(), 0, 0);
    for grapheme in safe.graphemes(true).map(capped) {
        let wide = grapheme.width();
        if used + wide > cells {
            fitted.truncate(room);
            if cells > 0 {
                fitted.push('…');
            }
            return fitted;
        }
        fitted.push_str(grapheme);
        used += wide;
        if used < cells {
            // The ellipsis would still fit after this.
            room = fitted.len();
        }
    }
    fitted
}

/// `text` in at most `cells` cells, harmless, cut at its beginning: of a path, the end says more.
pub(super) fn fit_end(text: &str, cells: usize) -> String {
    let safe = printable(text);
    if width(&safe) <= cells {
        return fit(&safe, cells);
    }
    let (mut begin, mut used) = (safe.len(), 1);
    for (at, grapheme) in safe.grapheme_indices(true).rev() {
        used += capped(grapheme).width();
        if used > cells {
            break;
        }
        begin = at;
    }
    fit(&format!("…{}", &safe[begin..]), cells)
}

/// `text` in lines of at most `cells` cells, at most `most` of them; the last ends in `…` if
/// something is missing.
pub(super) fn wrap(text: &str, cells: usize, most: usize) -> Vec<String> {
    if cells == 0 || most == 0 {
        return Vec::new();
    }
    let safe = start(text, cells.saturating_mul(most + 1));
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in safe.split_word_bounds() {
        let wide = width(word);
        if used + wide <= cells {
            if used > 0 || !word.trim().is_empty() {
                push(&mut lines, word);
                used += wide;
            }
            continue;
        }
        if word.trim().is_empty() {
            lines.push(String::new());
            used = 0;
            continue;
        }
        if used > 0 && wide <= cells {
            // A mark that closes or joins stays with the word before it.
            let carried = carry(&mut lines, word, cells - wide);
            used = width(&carried) + wide;
            lines.push(carried + word);
            continue;
        }
        for grapheme in word.graphemes(true).map(capped) {
            let wide = grapheme.width();
            if used + wide > cells {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, grapheme);
            used += wide;
        }
        if lines.len() > most {
            break;
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), cells);
        }
    }
    lines
}

/// Takes the last word of the last line along if `next` is punctuation that belongs to it, or if
/// what ends that line opens a bracket or a quotation, unless it is wider than `room`.
fn carry(lines: &mut [String], next: &str, room: usize) -> String {
    let Some(line) = lines.last_mut() else {
        return String::new();
    };
    let belongs = next
        .chars()
        .all(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let opening_marks = ['“', '‘', '(', '[', '«', '„', '"', '\''];
    let opens = line.ends_with(opening_marks);
    if !belongs && !opens {
        return String::new();
    }
    match line.rfind(' ') {
        Some(at) if width(&line[at + 1..]) <= room => line.split_off(at + 1),
        _ => String::new(),
    }
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// Writes `text` at the left of `area`'s first line, cut to it. Returns the cells it took.
pub(super) fn put(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return 0;
    }
    let fitted = fit(text, usize::from(area.width));
    if fitted.chars().all(is_narrow) {
        let mut end = area.x;
        for symbol in fitted.chars() {
            buf[(end, area.y)].set_char(symbol).set_style(style);
            end += 1;
        }
        return end - area.x;
    }
    let (end, _) = buf.set_stringn(area.x, area.y, &fitted, usize::from(area.width), style);
    end - area.x
}

/// Writes what is being typed, scrolled so that the place of the cursor is seen; it is marked if
/// the keys go there.
pub(super) fn field(
    buf: &mut Buffer,
    area: Rect,
    prompt: &str,
    input: &Input,
    focused: bool,
    theme: &Theme,
) {
    let used = put(buf, area, prompt, theme.style(Role::Key));
    let at = Rect {
        x: area.x + used,
        width: area.width.saturating_sub(used),
        ..area
    };
    let room = usize::from(at.width).saturating_sub(1);
    let scroll = input.visual_scroll(room);
    let mut skipped = 0;
    let rest: String = input
        .value()
        .graphemes(true)
        .skip_while(|grapheme| {
            let skip = skipped < scroll;
            skipped += grapheme.width();
            skip
        })
        .collect();
    put(buf, at, &rest, theme.style(Role::Text));
    let cursor = input.visual_cursor().saturating_sub(scroll);
    let x =
        at.x.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));
    if focused
        && x < at.right()
        && let Some(cell) = buf.cell_mut((x, at.y))
    {
        cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
    }
}

/// Writes `text` at the right of `area`'s first line, cut to it. Returns the cells it took.
pub(super) fn put_right(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let fitted = fit(text, usize::from(area.width));
    let wide = u16::try_from(width(&fitted))
        .unwrap_or(area.width)
        .min(area.width);
    let x = area.right() - wide;
    put(
        buf,
        Rect {
            x,
            width: wide,
            ..area
        },
        &fitted,
        style,
    )
}

/// Writes pieces of different styles one after the other. Returns the cells they took.
pub(super) fn put_all(buf: &mut Buffer, area: Rect, pieces: &[(&str, Style)]) -> u16 {
    let mut rest = area;
    for (text, style) in pieces {
        let used = put(buf, rest, text, *style);
        rest.x += used;
        rest.width -= used;
    }
    area.width - rest.width
}

/// One line of an area, counted from its top.
pub(super) fn line(area: Rect, row: u16) -> Rect {
    Rect {
        y: area.y.saturating_add(row),
        height: u16::from(row < area.height),
        ..area
    }
}

/// `01:10`, from an hour on `1:02:03`.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// `01:35 left`: an estimate is told as exactly as it is known, and so that it does not flicker.
/// From a minute on in steps of five seconds, from ten minutes on in minutes.
pub(super) fn left(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let step = match seconds {
        0..60 => 1,
        60..600 => 5,
        _ => 60,
    };
    let rounded = Duration::from_secs((seconds + step / 2) / step * step);
    format!("{} left", clock(rounded))
}

/// `at 03:00` by the clock on the wall, or the day of what is further away: it needs no redrawing.
pub(super) fn begins(due: Timestamp, now: Timestamp) -> String {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let time = jiff::Timestamp::from_millisecond(due.0).unwrap_or_default();
    let there = time.to_zoned(jiff::tz::TimeZone::system());
    let form = if due.since(now) < DAY {
        "at %H:%M"
    } else {
        "%Y-%m-%d"
    };
    there.strftime(form).to_string()
}

/// `7.6 s`, below a tenth of a second `0.03 s`.
pub(super) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.1} s")
    }
}

/// `23.4×`, from a hundred on without a fraction.
pub(super) fn times(speed: f64) -> String {
    if speed < 99.95 {
        format!("{speed:.1}×")
    } else {
        format!("{speed:.0}×")
    }
}

/// `1 clip`, `2 clips`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cut_by_cells() {
        let cases = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 5, "日本…"),
            ("日本語", 6, "日本語"),
            ("日本", 3, "日…"),
            ("e\u{301}e\u{301}e", 2, "e\u{301}…"),
            ("x", 0, ""),
            ("\x1b[2Jx", 9, "␛[2Jx"),
            ("a\u{202E}b\nc", 9, "a\u{FFFD}b c"),
        ];
        for (text, cells, expected) in cases {
            assert_eq!(fit(text, cells), expected, "{text:?} in {cells}");
        }
        let flood = format!("e{}", "\u{301}".repeat(5000));
        assert!(fit(&flood, 4).chars().count() <= CELL_CHARS);
    }

    #[test]
    fn paths_are_cut_at_their_beginning() {
        assert_eq!(fit_end("/home/ada/x", 20), "/home/ada/x");
        assert_eq!(fit_end("/home/ada/stories/x", 10), "…stories/x");
        assert_eq!(fit_end("日本語", 4), "…語");
        assert_eq!(fit_end("abc", 0), "");
    }

    #[test]
    fn texts_are_wrapped_at_words() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("say “no”, then go", 8, 9), ["say", "“no”,", "then go"]);
        assert_eq!(wrap("abcdefgh", 3, 9), ["abc", "def", "gh"]);
        assert_eq!(wrap("one two three four", 5, 2), ["one", "two …"]);
        assert_eq!(wrap("a dogs'(cdefg", 8, 9), ["a dogs'(", "cdefg"]);
        assert_eq!(wrap("", 5, 2), Vec::<String>::new());
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(clock(Duration::from_secs(70)), "01:10");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        for (exact, told) in [
            (0, "00:00 left"),
            (59, "00:59 left"),
            (62, "01:00 left"),
            (63, "01:05 left"),
            (598, "10:00 left"),
            (629, "10:00 left"),
            (5430, "1:31:00 left"),
        ] {
            assert_eq!(left(Duration::from_secs(exact)), told);
        }
        assert_eq!(seconds(Duration::from_millis(7640)), "7.6 s");
        assert_eq!(seconds(Duration::from_millis(320)), "0.32 s");
        assert_eq!(times(23.44), "23.4×");
        assert_eq!(times(123.4), "123×");
        assert_eq!(count(1, "clip", "clips"), "1 clip");
    }

    proptest! {
        #[test]
        fn plain_texts_are_cut_like_any_other(text in "[ -~é–“”…▶█]{0,30}", cells in 0usize..32) {
            prop_assert_eq!(fit(&text, cells), fit_clusters(&text, cells));
        }

        #[test]
        fn nothing_breaks_its_line(text in "\\PC*|(?s).{0,60}", cells in 0usize..40) {
            let fitted = fit(&text, cells);
            prop_assert!(width(&fitted) <= cells);
            prop_assert!(!fitted.chars().any(char::is_control));
            for line in wrap(&text, cells, 5) {
                // A grapheme wider than the line has nowhere to go.
                prop_assert!(width(&line) <= cells || line.graphemes(true).count() == 1);
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
