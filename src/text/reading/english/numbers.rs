//! What begins with a digit: dates and times first, for they look like other things; then phone numbers,
//! fractions, ranges, what is counted in money or units, years, and at last the number alone.

use super::super::tokens::Kind;
use super::cardinal::{cardinal, digits, ordinal, plural, whole, year};
use super::quantity::{Quantity, over, simple};
use super::{Read, Reader};

impl Reader<'_> {
    /// What is said for the number that begins here.
    pub(super) fn number(&self, at: usize, was_year: bool) -> Option<Read> {
        let quantity = self.quantity(at)?;
        self.date_in_digits(at)
            .or_else(|| self.phone(at))
            .or_else(|| self.clock(at))
            .or_else(|| self.version(at))
            .or_else(|| self.date_from_day(at))
            .or_else(|| self.slashed(at))
            .or_else(|| self.place_in_a_row(at))
            .or_else(|| self.shillings(at))
            .or_else(|| self.decade(at))
            .or_else(|| self.years(at, was_year))
            .or_else(|| self.money_behind(at, &quantity))
            .or_else(|| self.dimensions(at, &quantity))
            .or_else(|| self.range(at, &quantity))
            .or_else(|| self.measure(at, &quantity))
            .or_else(|| self.exponent(&quantity))
            .or_else(|| self.code(&quantity))
            .or_else(|| {
                let said = quantity.words(self.british);
                Some(Read::new(quantity.next, said))
            })
    }

    /// "1st", "23rd".
    fn place_in_a_row(&self, at: usize) -> Option<Read> {
        let (number, next) = self.place(at)?;
        Some(Read::new(next, ordinal(number, self.british)))
    }

    /// The number of "23rd" and what comes behind it.
    pub(super) fn place(&self, at: usize) -> Option<(u64, usize)> {
        let number = self.quantity(at)?;
        let suffix = self.word(number.next)?.to_ascii_lowercase();
        // "the 22d of May"
        let is_old = suffix == "d"
            && number.whole.ends_with(['2', '3'])
            && self.word_after(number.next + 1) == Some("of");
        if !(is_old || matches!(suffix.as_str(), "st" | "nd" | "rd" | "th"))
            || number.decimals.is_some()
        {
            return None;
        }
        Some((number.value()?, number.next + 1))
    }

    /// "the 1850s", "the 60s", "a '49er" is none.
    fn decade(&self, at: usize) -> Option<Read> {
        let written = self.digits(at)?;
        let apostrophe = self
            .sign_at(at + 1)
            .is_some_and(super::super::tokens::is_apostrophe);
        let s = at + 1 + usize::from(apostrophe);
        if self.word(s) != Some("s") {
            return None;
        }
        let number: u64 = written.parse().ok()?;
        let words = match written.len() {
            4 if (1000..2200).contains(&number) => year(number, self.british),
            _ => cardinal(number, self.british),
        };
        Some(Read::new(s + 1, plural(&words)))
    }

    /// "2.5.1", and an address of four such parts.
    fn version(&self, at: usize) -> Option<Read> {
        let mut said = whole(self.digits(at)?, self.british);
        let mut next = at + 1;
        let mut parts = 1;
        while self.is_sign(next, '.')
            && let Some(part) = self.digits(next + 1)
        {
            said.push_str(" point ");
            said.push_str(&whole(part, self.british));
            next += 2;
            parts += 1;
        }
        (parts > 2).then(|| Read::new(next, said))
    }

    /// "1/2", "24/7", "9/11".
    fn slashed(&self, at: usize) -> Option<Read> {
        let above = self.digits(at)?;
        let is_slash = self.is_sign(at + 1, '/') || self.is_sign(at + 1, '⁄');
        let below = self.digits(at + 2).filter(|_| is_slash)?;
        if self.is_sign(at + 3, '/') {
            return None;
        }
        let next = at + 3;
        if let Some(fraction) = simple(above, below) {
            // "2/3rds", "1/2 lb"
            let suffix = self
                .word(next)
                .is_some_and(|word| matches!(word, "rds" | "rd" | "ths" | "th" | "nds" | "nd"));
            let next = next + usize::from(suffix);
            return Some(self.part_of_unit(at, next, fraction.alone));
        }
        let (number, of): (u64, u64) = (above.parse().ok()?, below.parse().ok()?);
        // Blood pressure.
        let is_pressure = number >= 40 && of >= 40 && number > of;
        if is_pressure {
            let words = [number, of].map(|number| cardinal(number, self.british));
            return Some(Read::new(next, words.join(" over ")));
        }
        let pair = matches!(
            (above, below),
            ("24", "7") | ("9", "11") | ("50", "50") | ("20", "20")
        );
        if pair || number >= of {
            let words = [number, of].map(|number| cardinal(number, self.british));
            return Some(Read::new(next, words.join(" ")));
        }
        Some(Read::new(next, over(above, below, self.british)?))
    }

    /// Groups of digits that are dialled: each group after a short pause.
    pub(super) fn phone(&self, at: usize) -> Option<Read> {
        const CALLS: &[&str] = &[
            "call",
            "dial",
            "phone",
            "telephone",
            "tel",
            "fax",
            "text",
            "ring",
            "mobile",
            "calls",
            "called",
            "dialed",
            "dialled",
            "phoned",
            "number",
            "hotline",
        ];
        let groups = self.groups_of_digits(at);
        let lengths: Vec<usize> = groups.iter().map(|&at| self.str(at).len()).collect();
        let before = self.before(at);
        let is_called = before.is_some_and(|before| {
            let before = match self.sign_at(before) {
                Some(':' | '.') => self.before(before).unwrap_or(before),
                _ => before,
            };
            self.word(before)
                .is_some_and(|word| CALLS.contains(&word.to_ascii_lowercase().as_str()))
        });
        let last = *groups.last()?;
        // "4-4-2", "9-1-1"
        if lengths.len() > 2 && lengths.iter().all(|len| *len == 1) && self.is_sign(at + 1, '-') {
            let words: Vec<_> = groups.iter().map(|&at| digits(self.str(at))).collect();
            return Some(Read::new(last + 1, words.join(" ")));
        }
        // (212) 634-7788 has its first group in brackets; a number never goes on after its last group.
        let bracket = at > 0
            && self.is_sign(at - 1, '(')
            && lengths.first() == Some(&3)
            && self.is_sign(at + 1, ')');
        if bracket {
            let rest = self.past_blank(at + 2);
            let more = self.groups_of_digits(rest);
            let lengths: Vec<usize> = more.iter().map(|&at| self.str(at).len()).collect();
            if lengths == [3, 4] {
                let said = self.dialled(std::iter::once(at).chain(more.iter().copied()));
                let mut read = Read::new(more[1] + 1, said);
                read.back = 1;
                return Some(read);
            }
            return None;
        }
        let looks = match lengths.as_slice() {
            [3, 4] => is_called || self.str(last).starts_with('0') || self.falls(&groups),
            [3, 3, 4] | [1 | 2, 3, 3, 4] => true,
            [_, _, ..] => is_called && lengths.iter().sum::<usize>() >= 6,
            [3] => is_called && matches!(self.str(at), "911" | "999" | "112" | "411" | "311"),
            [one] => is_called && *one >= 5,
            [] => false,
        };
        looks.then(|| Read::new(last + 1, self.dialled(groups.into_iter())))
    }

    /// Whether the second of two numbers is below the first, so that they are no range.
    fn falls(&self, groups: &[usize]) -> bool {
        let value = |at: usize| self.str(at).parse::<u64>().unwrap_or(0);
        matches!(groups, [first, second] if value(*second) < value(*first))
    }

    fn dialled(&self, groups: impl Iterator<Item = usize>) -> String {
        let words = groups.map(|at| digits(self.str(at)));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The places of digits that are parted by the same hyphen, full stop or blank.
    fn groups_of_digits(&self, at: usize) -> Vec<usize> {
        const MOST: usize = 5;
        let mut groups = Vec::new();
        if self.digits(at).is_none() {
            return groups;
        }
        groups.push(at);
        let Some(kind) = self.kind(at + 1) else {
            return groups;
        };
        if !matches!(kind, Kind::Sign('-' | '.' | '‑' | '–') | Kind::Blank) {
            return groups;
        }
        let mut next = at + 1;
        while groups.len() < MOST
            && self.kind(next) == Some(kind)
            && self.digits(next + 1).is_some()
        {
            groups.push(next + 1);
            next += 2;
        }
        groups
    }

    /// "10-12", "500–1,000".
    fn range(&self, at: usize, from: &Quantity) -> Option<Read> {
        let (to, _) = self.range_end(from)?;
        let said = format!("{} to {}", from.words(self.british), to.words(self.british));
        // What is measured is said behind both.
        if let Some(measured) = self.measure(at, &to) {
            let rest = measured.said.strip_prefix(&to.words(self.british))?;
            return Some(Read::new(measured.next, format!("{said}{rest}")));
        }
        Some(Read::new(to.next, said))
    }

    /// The second number of a range, and whether a blank stands around the dash.
    pub(super) fn range_end(&self, from: &Quantity) -> Option<(Quantity, bool)> {
        let is_dash = |at: usize| matches!(self.sign_at(at), Some('-' | '–' | '—' | '‒'));
        let blank = self.is_blank(from.next) && !self.is_sign(from.next + 1, '-');
        let dash = from.next + usize::from(blank);
        if !is_dash(dash) {
            return None;
        }
        let to = dash + 1 + usize::from(blank && self.is_blank(dash + 1));
        let to = self.quantity(to)?;
        // "1-2-3" and "2024-05-04" are no ranges.
        if is_dash(to.next) && self.digits(to.next + 1).is_some() {
            return None;
        }
        Some((to, blank))
    }

    /// "3x4", "3 × 4 m", "4x4", "10x".
    fn dimensions(&self, at: usize, first: &Quantity) -> Option<Read> {
        let by = self.past_blank(first.next);
        let is_x = self.word(by).is_some_and(|word| matches!(word, "x" | "X"));
        let is_by = self.is_sign(by, '×') || is_x;
        if !is_by {
            return None;
        }
        let second = self.past_blank(by + 1);
        let Some(second) = self.quantity(second) else {
            let alone = is_x && by == first.next;
            return alone.then(|| {
                let times = format!("{} times", first.words(self.british));
                Read::new(by + 1, times)
            });
        };
        // "2 × 3 = 6" is a sum; sizes have a unit, or touch.
        let touches = by == first.next;
        let measured = self.measure(at, &second);
        let equals = self.is_sign(self.past_blank(second.next), '=');
        if equals || !(touches || measured.is_some() || is_x) {
            return None;
        }
        let said = format!("{} by ", first.words(self.british));
        match measured {
            Some(measured) => Some(Read::new(measured.next, said + &measured.said)),
            None => Some(Read::new(second.next, said + &second.words(self.british))),
        }
    }

    /// A fraction, with its unit if one follows: "one half pound".
    pub(super) fn part_of_unit(&self, at: usize, next: usize, said: &str) -> Read {
        let one = Quantity {
            next,
            whole: "1".to_owned(),
            decimals: None,
            fraction: None,
        };
        // "½ a pie"
        let article = self.word_after(next);
        if said == "one half" && matches!(article, Some("a" | "an" | "the")) {
            return Read::new(next, "half");
        }
        let unit = self
            .measure(at, &one)
            .filter(|read| !read.said.starts_with("one-"));
        match unit {
            Some(read) => {
                let unit = read.said.strip_prefix("one").unwrap_or(&read.said);
                Read::new(read.next, format!("{said}{unit}"))
            }
            None => Read::new(next, said),
        }
    }

    /// "10²", "2³".
    fn exponent(&self, number: &Quantity) -> Option<Read> {
        let (power, next) = self.power(number.next)?;
        let said = number.words(self.british);
        Some(Read::new(next, format!("{said} {power}")))
    }

    /// What superscript digits say behind a number or a letter.
    pub(super) fn power(&self, at: usize) -> Option<(String, usize)> {
        let mut next = at;
        let mut power = String::new();
        let mut is_negative = false;
        while let Some(sign) = self.sign_at(next) {
            match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == sign) {
                Some(digit) => power.push(char::from(b'0' + u8::try_from(digit).ok()?)),
                None if sign == '⁻' && power.is_empty() && !is_negative => is_negative = true,
                None => break,
            }
            next += 1;
        }
        if power.is_empty() && self.is_sign(at, '^') {
            power.push_str(self.digits(at + 1)?);
            next = at + 2;
        }
        let said = match (power.as_str(), is_negative) {
            ("", _) => return None,
            ("2", false) => "squared".to_owned(),
            ("3", false) => "cubed".to_owned(),
            (power, false) => format!("to the power of {}", whole(power, self.british)),
            (power, true) => format!("to the power of minus {}", whole(power, self.british)),
        };
        Some((said, next))
    }

    /// Digits with letters on them: "4K", "3D", "10k", "80s" is a decade, "B52" begins with its letter.
    fn code(&self, number: &Quantity) -> Option<Read> {
        let suffix = self.word(number.next)?;
        let said = number.words(self.british);
        let said = match suffix {
            "k" => format!("{said} thousand"),
            "M" | "mn" => format!("{said} million"),
            "bn" => format!("{said} billion"),
            "p" => format!("{said} pence"),
            "F" if number.whole.len() == 3 => format!("{said} degrees Fahrenheit"),
            "C" if number.whole.len() == 3 => format!("{said} degrees Celsius"),
            "tn" => format!("{said} trillion"),
            // "221B Baker Street"
            _ if suffix.len() == 1 && number.whole.len() == 3 && suffix == "B" => {
                let (first, rest) = number.whole.split_at(1);
                let pair = year(rest.parse().unwrap_or(0), self.british);
                format!("{} {pair} {suffix}", whole(first, self.british))
            }
            _ if suffix.len() == 1 => format!("{said} {}", suffix.to_uppercase()),
            _ if super::is_all_large(suffix) => format!("{said} {}", super::spelled(suffix)),
            _ => format!("{said} {suffix}"),
        };
        Some(Read::new(number.next + 1, said))
    }
}
