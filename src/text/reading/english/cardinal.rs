//! Numbers in English words. American English says "one hundred one", British "one hundred and one".
//! What is too long to be a quantity is said digit by digit, so that words grow with digits only.

use crate::text::numerals::{SMALL, TENS};

const THOUSANDS: [&str; 7] = [
    "",
    " thousand",
    " million",
    " billion",
    " trillion",
    " quadrillion",
    " quintillion",
];

/// Digits of the longest number that is said as a quantity.
const LONGEST: usize = 15;

/// A number in words: 1905 is "one thousand nine hundred five", with `and` "… and five".
pub(super) fn cardinal(number: u64, and: bool) -> String {
    if number < 20 {
        return SMALL[usize::try_from(number).unwrap_or(0)].to_owned();
    }
    let mut groups = Vec::new();
    let mut rest = number;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    let mut words = String::new();
    for (power, &group) in groups.iter().enumerate().rev() {
        if group == 0 {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
            if and && power == 0 && group < 100 {
                words.push_str("and ");
            }
        }
        below_thousand(group, and, &mut words);
        words.push_str(THOUSANDS[power]);
    }
    words
}

fn below_thousand(number: u64, and: bool, words: &mut String) {
    let index = |n: u64| usize::try_from(n).unwrap_or(0);
    let (hundreds, rest) = (number / 100, number % 100);
    if hundreds > 0 {
        words.push_str(SMALL[index(hundreds)]);
        words.push_str(" hundred");
        if rest > 0 {
            words.push_str(if and { " and " } else { " " });
        }
    }
    match rest {
        0 => {}
        1..20 => words.push_str(SMALL[index(rest)]),
        _ => {
            words.push_str(TENS[index(rest / 10)]);
            if !rest.is_multiple_of(10) {
                words.push('-');
                words.push_str(SMALL[index(rest % 10)]);
            }
        }
    }
}

/// The word for a place in a row: "fourth", "twenty-third", "one hundredth".
pub(super) fn ordinal(number: u64, and: bool) -> String {
    place(&cardinal(number, and))
}

/// The same for a number in words.
pub(crate) fn place(words: &str) -> String {
    let at = words.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (before, last) = words.split_at(at);
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        _ => match last.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{last}th"),
        },
    };
    format!("{before}{last}")
}

/// Several of a number: "sixties", "eighteen fifties", "twos".
pub(super) fn plural(words: &str) -> String {
    match words.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if words.ends_with('x') => format!("{words}es"),
        None => format!("{words}s"),
    }
}

/// Each digit by its name: "five five five".
pub(crate) fn digits(digits: &str) -> String {
    let names = digits
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| SMALL[usize::from(digit - b'0')]);
    names.collect::<Vec<_>>().join(" ")
}

/// A whole number as it was written: one that begins with a zero, or is too long for a quantity, is said
/// by its digits.
pub(crate) fn whole(written: &str, and: bool) -> String {
    let leads_with_zero = written.len() > 1 && written.starts_with('0');
    match written.parse() {
        Ok(number) if !leads_with_zero && written.len() <= LONGEST => cardinal(number, and),
        _ => digits(written),
    }
}

/// A year: "eighteen oh five", "nineteen hundred", "two thousand five", "twenty ten".
pub(super) fn year(year: u64, and: bool) -> String {
    let (century, rest) = (year / 100, year % 100);
    match (century, rest) {
        (0 | 100.., _) => cardinal(year, and),
        (10 | 20, 0..10) => cardinal(year, and),
        (_, 0) if century.is_multiple_of(10) => cardinal(year, and),
        (_, 0) => format!("{} hundred", cardinal(century, and)),
        (1..10, 1..10) => cardinal(year, and),
        (_, 1..10) => format!("{} oh {}", cardinal(century, and), cardinal(rest, and)),
        _ => format!("{} {}", cardinal(century, and), cardinal(rest, and)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (number, us, gb) in [
            (0, "zero", "zero"),
            (13, "thirteen", "thirteen"),
            (40, "forty", "forty"),
            (101, "one hundred one", "one hundred and one"),
            (
                1_905,
                "one thousand nine hundred five",
                "one thousand nine hundred and five",
            ),
            (1_005, "one thousand five", "one thousand and five"),
            (
                2_000_017,
                "two million seventeen",
                "two million and seventeen",
            ),
        ] {
            assert_eq!(cardinal(number, false), us);
            assert_eq!(cardinal(number, true), gb);
        }
        assert!(cardinal(u64::MAX, false).starts_with("eighteen quintillion"));
        assert_eq!(whole("007", false), "zero zero seven");
        assert_eq!(
            whole(&"1".repeat(40), false),
            ["one"; 40].join(" "),
            "no quantity"
        );
    }

    #[test]
    fn places() {
        for (number, words) in [
            (1, "first"),
            (12, "twelfth"),
            (20, "twentieth"),
            (23, "twenty-third"),
            (100, "one hundredth"),
            (109, "one hundred ninth"),
        ] {
            assert_eq!(ordinal(number, false), words);
        }
    }

    #[test]
    fn years() {
        for (number, words) in [
            (79, "seventy-nine"),
            (476, "four seventy-six"),
            (800, "eight hundred"),
            (1000, "one thousand"),
            (1066, "ten sixty-six"),
            (1100, "eleven hundred"),
            (1805, "eighteen oh five"),
            (2000, "two thousand"),
            (2005, "two thousand five"),
            (2010, "twenty ten"),
            (2100, "twenty-one hundred"),
        ] {
            assert_eq!(year(number, false), words);
        }
        assert_eq!(plural(&year(1850, false)), "eighteen fifties");
        assert_eq!(plural("six"), "sixes");
    }
}
