//! Days, months and the clock.

use super::super::tokens::Kind;
use super::cardinal::{cardinal, ordinal, year};
use super::{Read, Reader};
use crate::text::reading::Dates;

const MONTHS: [(&str, &[&str]); 12] = [
    ("January", &["Jan"]),
    ("February", &["Feb"]),
    ("March", &["Mar"]),
    ("April", &["Apr"]),
    ("May", &[]),
    ("June", &["Jun"]),
    ("July", &["Jul"]),
    ("August", &["Aug"]),
    ("September", &["Sep", "Sept"]),
    ("October", &["Oct"]),
    ("November", &["Nov"]),
    ("December", &["Dec"]),
];

/// A month's name, and the place behind it and its full stop.
struct Month {
    name: &'static str,
    next: usize,
    is_short: bool,
}

impl Reader<'_> {
    fn month(&self, at: usize) -> Option<Month> {
        let word = self.word(at)?;
        if !super::begins_large(word) {
            return None;
        }
        let month = MONTHS.iter().find(|(name, short)| {
            name.eq_ignore_ascii_case(word) || short.iter().any(|s| s.eq_ignore_ascii_case(word))
        })?;
        let is_short = !month.0.eq_ignore_ascii_case(word);
        let dot = usize::from(is_short && self.is_sign(at + 1, '.'));
        Some(Month {
            name: month.0,
            next: at + 1 + dot,
            is_short,
        })
    }

    /// A day of a month: 1 to 31, with "st", "th" or without.
    fn day(&self, at: usize) -> Option<(u64, usize)> {
        if let Some((day, next)) = self.place(at) {
            return (1..=31).contains(&day).then_some((day, next));
        }
        let written = self.digits(at).filter(|digits| digits.len() <= 2)?;
        let day = written.parse().ok().filter(|day| (1..=31).contains(day))?;
        // "May 5,000", "May 5.5", "May 5:30", "5 %"
        let next = at + 1;
        let goes_on = matches!(self.kind(next), Some(Kind::Sign('.' | ',' | ':' | '/')))
            && self.digits(next + 1).is_some();
        let on = goes_on || matches!(self.kind(next), Some(Kind::Word | Kind::Sign('%' | '°')));
        (!on).then_some((day, next))
    }

    /// A year that stands behind a date, past a comma; its words begin with what parts them.
    fn year_behind(&self, at: usize) -> Option<(String, usize)> {
        let comma = usize::from(self.is_sign(at, ','));
        if !self.is_blank(at + comma) {
            return None;
        }
        let place = at + comma + 1;
        let written = self.digits(place).filter(|digits| digits.len() == 4)?;
        let touches = matches!(self.kind(place + 1), Some(Kind::Word | Kind::Digits))
            || (matches!(self.sign_at(place + 1), Some(',' | '.'))
                && self.digits(place + 2).is_some());
        if touches {
            return None;
        }
        let parted = if comma == 1 { ", " } else { " " };
        let number = written.parse().ok()?;
        Some((format!("{parted}{}", year(number, self.british)), place + 1))
    }

    /// "July 4, 1776", "Jan. 5", "March 3–5", "May 1990".
    pub(super) fn date_from_month(&self, at: usize) -> Option<Read> {
        let month = self.month(at)?;
        let place = self.past_blank(month.next);
        if place == month.next && !month.is_short {
            return None;
        }
        let counted = matches!(month.name, "May" | "March")
            && self.word_after(place + 1).is_some_and(super::years::counts);
        if let Some((day, mut next)) = self.day(place).filter(|_| !counted) {
            let the = if self.british { "the " } else { "" };
            let mut said = format!("{} {the}{}", month.name, ordinal(day, self.british));
            if matches!(self.sign_at(next), Some('-' | '–'))
                && let Some((until, past)) = self.day(next + 1)
            {
                said = format!("{said} to {the}{}", ordinal(until, self.british));
                next = past;
            }
            if let Some((words, past)) = self.year_behind(next) {
                return Some(Read::year(past, said + &words));
            }
            return Some(Read::new(next, said));
        }
        if let Some((words, past)) = self.year_behind(month.next) {
            return Some(Read::year(past, format!("{}{words}", month.name)));
        }
        // A short name is read whole wherever it has its full stop, or a date before it.
        let dotted = month.next > at + 1 && !self.sentence_ends(month.next);
        dotted.then(|| Read::new(month.next, month.name))
    }

    /// "4 July 1776", "12th of May", "4–6 July".
    pub(super) fn date_from_day(&self, at: usize) -> Option<Read> {
        let (day, mut next) = self.day(at)?;
        let mut until = None;
        if matches!(self.sign_at(next), Some('-' | '–'))
            && let Some((last, past)) = self.day(next + 1)
        {
            (until, next) = (Some(last), past);
        }
        if !self.is_blank(next) {
            return None;
        }
        let of = usize::from(self.word(next + 1) == Some("of")) * 2;
        let month = self.month(next + 1 + of)?;
        // "5 May" is a date, "5 March on" hardly; a month that is a verb is written small.
        let the = match self.word_before(at) {
            Some("the" | "The" | "a" | "this" | "every" | "each") => "",
            _ if of > 0 && self.place(at).is_none() => "the ",
            _ if of > 0 => "",
            _ => "the ",
        };
        let mut said = format!("{the}{}", ordinal(day, self.british));
        if let Some(until) = until {
            said = format!("{said} to the {}", ordinal(until, self.british));
        }
        said = format!("{said} of {}", month.name);
        let mut past = month.next;
        if month.is_short && past > next + 2 + of && self.is_end(past) {
            // The full stop is the sentence's as well.
            past -= 1;
        }
        match self.year_behind(past) {
            Some((words, past)) => Some(Read::year(past, said + &words)),
            None => Some(Read::new(past, said)),
        }
    }

    /// "2024-05-04", "5/4/2024".
    pub(super) fn date_in_digits(&self, at: usize) -> Option<Read> {
        let parts = [at, at + 2, at + 4].map(|at| self.digits(at));
        let [Some(first), Some(second), Some(third)] = parts else {
            return None;
        };
        let sign = self.sign_at(at + 1)?;
        if self.sign_at(at + 3) != Some(sign) || !matches!(sign, '-' | '/' | '.' | '–') {
            return None;
        }
        // What goes on is an address or a version.
        if self.sign_at(at + 5) == Some(sign) && self.digits(at + 6).is_some() {
            return None;
        }
        let value = |digits: &str| digits.parse::<u64>().ok();
        // Which comes first is a matter of the land, unless only one can be a month.
        let day_first = match self.taste.dates {
            Dates::Local => self.british || sign == '.',
            Dates::MonthFirst => false,
            Dates::DayFirst => true,
        };
        let parted = |a: u64, b: u64| match (day_first || a > 12) && b <= 12 {
            true => (b, a),
            false => (a, b),
        };
        let (first_value, second_value, third_value) =
            (value(first)?, value(second)?, value(third)?);
        let (full, (month, day)) = match (first.len(), second.len(), third.len()) {
            (4, 1..=2, 1..=2) => (first_value, (second_value, third_value)),
            (1..=2, 1..=2, 4) => (third_value, parted(first_value, second_value)),
            (1..=2, 1..=2, 2) if sign == '/' => {
                let century = if third_value < 50 { 2000 } else { 1900 };
                (century + third_value, parted(first_value, second_value))
            }
            _ => return None,
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let name = MONTHS[usize::try_from(month).ok()? - 1].0;
        let (day, words) = (ordinal(day, self.british), year(full, self.british));
        let said = match self.british {
            true => format!("the {day} of {name} {words}"),
            false => format!("{name} {day}, {words}"),
        };
        Some(Read::year(at + 5, said))
    }

    /// A time, or two with a dash between them.
    pub(super) fn clock(&self, at: usize) -> Option<Read> {
        self.time(at).map(|time| self.until(time))
    }

    /// "8:05", "20:15", "1:02:03", "5pm", "12.30 p.m.", "3:2".
    fn time(&self, at: usize) -> Option<Read> {
        let hour = self.digits(at).filter(|digits| digits.len() <= 2)?;
        let hours: u64 = hour.parse().ok()?;
        let and = self.british;
        let small = |number: u64| cardinal(number, and);
        if !self.is_sign(at + 1, ':') && !self.is_sign(at + 1, '.') {
            let (half, next) = self.half_of_the_day(at + 1)?;
            let said = format!("{} {half}", small(hours));
            return (1..=24).contains(&hours).then(|| Read::new(next, said));
        }
        let minute = self.digits(at + 2).filter(|digits| digits.len() <= 2)?;
        let minutes: u64 = minute.parse().ok()?;
        let next = at + 3;
        if self.is_sign(at + 1, '.') {
            // A decimal number, unless a half of the day tells.
            let (half, next) = self.half_of_the_day(next)?;
            return (minute.len() == 2 && minutes < 60 && hours < 13).then(|| {
                Read::new(
                    next,
                    format!("{} {half}", self.hour_and_minute(hours, minutes, true)),
                )
            });
        }
        if minute.len() == 1 {
            // A score or a ratio; a verse behind the name of a book.
            let named = self.before(at).map(|before| match self.sign_at(before) {
                Some('.') if before > 0 => before - 1,
                _ => before,
            });
            let verse = named
                .and_then(|at| self.word(at))
                .is_some_and(super::begins_large);
            let parted = if verse { " " } else { " to " };
            return Some(Read::new(
                next,
                format!("{}{parted}{}", small(hours), small(minutes)),
            ));
        }
        if self.is_sign(next, ':')
            && let Some(second) = self.digits(next + 1).filter(|digits| digits.len() == 2)
        {
            let seconds: u64 = second.parse().ok()?;
            let said = duration(hours, minutes, seconds, and)?;
            return Some(Read::new(next + 2, said));
        }
        if minutes > 59 {
            return None;
        }
        if let Some((half, next)) = self.half_of_the_day(next) {
            let said = self.hour_and_minute(hours, minutes, true);
            return Some(Read::new(next, format!("{said} {half}")));
        }
        let mut said = self.hour_and_minute(hours, minutes, false);
        if minutes == 0 && self.word_after(next) == Some("o'clock") {
            said = small(hours);
        }
        Some(Read::new(next, said))
    }

    /// "9:00-17:30", "9am – 4pm": the time that another begins.
    fn until(&self, from: Read) -> Read {
        let next = from.next;
        let dash = self.past_blank(next);
        let is_range = matches!(self.sign_at(dash), Some('–' | '-'))
            && self.is_blank(next) == self.is_blank(dash + 1);
        if !is_range {
            return from;
        }
        match self.time(self.past_blank(dash + 1)) {
            Some(until) => Read::new(until.next, format!("{} to {}", from.said, until.said)),
            None => from,
        }
    }

    fn hour_and_minute(&self, hours: u64, minutes: u64, has_half: bool) -> String {
        let hour = cardinal(hours, self.british);
        match minutes {
            0 if has_half => hour,
            0 if (1..=12).contains(&hours) => format!("{hour} o'clock"),
            0 => format!("{hour} hundred"),
            1..10 => format!("{hour} oh {}", cardinal(minutes, self.british)),
            _ => format!("{hour} {}", cardinal(minutes, self.british)),
        }
    }

    /// "p.m.", "PM", "pm" behind a time; the full stop stays where a sentence ends with it.
    pub(super) fn half_of_the_day(&self, at: usize) -> Option<(&'static str, usize)> {
        let place = self.past_blank(at);
        let word = self.word(place)?;
        let half = |letter: &str| match letter {
            "a" | "A" => Some("a m"),
            "p" | "P" => Some("p m"),
            _ => None,
        };
        if matches!(word, "am" | "pm" | "AM" | "PM" | "Am" | "Pm") {
            // "At 5 am I …" is no half of the day where "I am" could be meant, which nobody writes.
            return Some((half(&word[..1])?, place + 1));
        }
        let half = half(word)?;
        let dotted = self.is_sign(place + 1, '.');
        let m = self.past_blank(place + 1 + usize::from(dotted));
        if !dotted || !self.word(m).is_some_and(|word| matches!(word, "m" | "M")) {
            return None;
        }
        let mut next = m + 1;
        if self.is_sign(next, '.') && !self.sentence_ends(next + 1) {
            next += 1;
        }
        Some((half, next))
    }
}

/// "one hour, two minutes and three seconds".
fn duration(hours: u64, minutes: u64, seconds: u64, and: bool) -> Option<String> {
    let part = |number: u64, name: &str| {
        let s = if number == 1 { "" } else { "s" };
        (number > 0).then(|| format!("{} {name}{s}", cardinal(number, and)))
    };
    let parts: Vec<String> = [
        part(hours, "hour"),
        part(minutes, "minute"),
        part(seconds, "second"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (last, before) = parts.split_last()?;
    Some(match before {
        [] => last.clone(),
        _ => format!("{} and {last}", before.join(", ")),
    })
}
