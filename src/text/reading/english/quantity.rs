//! A number as it is written: digits, their groups by commas or blanks, a decimal part, a fraction.

use super::super::tokens::Kind;
use super::Reader;
use super::cardinal::{cardinal, digits, whole};

/// A number, and where what follows it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) next: usize,
    /// The digits before the decimal point, without what groups them.
    pub(super) whole: String,
    /// Those behind it.
    pub(super) decimals: Option<String>,
    /// A fraction behind it: "2½", "2 1/2".
    pub(super) fraction: Option<&'static str>,
}

impl Quantity {
    /// The number in words.
    pub(super) fn words(&self, and: bool) -> String {
        let mut said = whole(&self.whole, and);
        if let Some(decimals) = &self.decimals {
            said.push_str(" point ");
            said.push_str(&digits(decimals));
        }
        if let Some(fraction) = self.fraction {
            said.push_str(" and ");
            said.push_str(fraction);
        }
        said
    }

    /// Whether one thing is counted.
    pub(super) fn is_one(&self) -> bool {
        self.whole == "1" && self.decimals.is_none() && self.fraction.is_none()
    }

    pub(super) fn value(&self) -> Option<u64> {
        self.whole.parse().ok()
    }
}

/// Groups of three digits; more would be no number that anyone says.
const MOST_GROUPS: usize = 6;

impl Reader<'_> {
    /// The number whose first digits stand here.
    pub(super) fn quantity(&self, at: usize) -> Option<Quantity> {
        let first = self.digits(at)?;
        let mut number = Quantity {
            next: at + 1,
            whole: first.to_owned(),
            decimals: None,
            fraction: None,
        };
        if first.len() <= 3 && !first.starts_with('0') {
            self.groups(&mut number);
        }
        let next = number.next;
        if self.is_sign(next, '.')
            && let Some(decimals) = self.digits(next + 1)
        {
            number.decimals = Some(decimals.to_owned());
            number.next = next + 2;
        } else {
            self.mixed(&mut number);
        }
        Some(number)
    }

    /// `,250` or ` 250` behind the first digits, all parted by the same sign.
    fn groups(&self, number: &mut Quantity) {
        let first = number.whole.len();
        let parts = |at: usize| match self.kind(at) {
            Some(Kind::Sign(c)) if matches!(c, ',' | '\'' | '’') => Some(Some(c)),
            Some(Kind::Blank) => Some(None),
            _ => None,
        };
        let Some(sign) = parts(number.next) else {
            return;
        };
        let mut next = number.next;
        let mut groups = 0;
        while groups < MOST_GROUPS
            && parts(next) == Some(sign)
            && let Some(group) = self.digits(next + 1).filter(|group| group.len() == 3)
        {
            number.whole.push_str(group);
            next += 2;
            groups += 1;
        }
        // "12 345-6789" and "7 100%"…: what goes on in digits is no such number.
        let goes_on =
            parts(next) == Some(sign) && self.digits(next + 1).is_some() && sign.is_some();
        if groups > 0 && !goes_on {
            number.next = next;
        } else {
            number.whole.truncate(first);
        }
    }

    /// "2½" and "2 1/2".
    fn mixed(&self, number: &mut Quantity) {
        if let Some(fraction) = self.sign_at(number.next).and_then(vulgar) {
            number.fraction = Some(fraction.mixed);
            number.next += 1;
            return;
        }
        let top = self.past_blank(number.next);
        let joined = self.is_sign(number.next, '-') && self.digits(number.next + 1).is_some();
        let top = if joined { number.next + 1 } else { top };
        if top > number.next
            && self.is_sign(top + 1, '/')
            && let (Some(above), Some(below)) = (self.digits(top), self.digits(top + 2))
            && let Some(fraction) = simple(above, below)
            && !self.is_sign(top + 3, '/')
        {
            number.fraction = Some(fraction.mixed);
            number.next = top + 3;
        }
    }
}

/// A fraction in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    /// Alone: "one half".
    pub(super) alone: &'static str,
    /// Behind a whole number: "a half".
    pub(super) mixed: &'static str,
    /// Whether it is one part.
    pub(super) is_one: bool,
}

/// One of the fractions that have a sign of their own.
pub(super) fn vulgar(sign: char) -> Option<Fraction> {
    let (above, below) = match sign {
        '½' => ("1", "2"),
        '⅓' => ("1", "3"),
        '⅔' => ("2", "3"),
        '¼' => ("1", "4"),
        '¾' => ("3", "4"),
        '⅕' => ("1", "5"),
        '⅖' => ("2", "5"),
        '⅗' => ("3", "5"),
        '⅘' => ("4", "5"),
        '⅙' => ("1", "6"),
        '⅚' => ("5", "6"),
        '⅛' => ("1", "8"),
        '⅜' => ("3", "8"),
        '⅝' => ("5", "8"),
        '⅞' => ("7", "8"),
        _ => return None,
    };
    simple(above, below)
}

/// A fraction that people have words for.
pub(super) fn simple(above: &str, below: &str) -> Option<Fraction> {
    const fn of(alone: &'static str, mixed: &'static str, is_one: bool) -> Fraction {
        Fraction {
            alone,
            mixed,
            is_one,
        }
    }
    const fn many(words: &'static str) -> Fraction {
        of(words, words, false)
    }
    Some(match (above, below) {
        ("1", "2") => of("one half", "a half", true),
        ("1", "3") => of("one third", "a third", true),
        ("2", "3") => many("two thirds"),
        ("1", "4") => of("one quarter", "a quarter", true),
        ("3", "4") => many("three quarters"),
        ("1", "5") => of("one fifth", "a fifth", true),
        ("2", "5") => many("two fifths"),
        ("3", "5") => many("three fifths"),
        ("4", "5") => many("four fifths"),
        ("1", "6") => of("one sixth", "a sixth", true),
        ("5", "6") => many("five sixths"),
        ("1", "8") => of("one eighth", "an eighth", true),
        ("3", "8") => many("three eighths"),
        ("5", "8") => many("five eighths"),
        ("7", "8") => many("seven eighths"),
        ("1", "10") => of("one tenth", "a tenth", true),
        ("3", "10") => many("three tenths"),
        ("7", "10") => many("seven tenths"),
        ("9", "10") => many("nine tenths"),
        ("1", "16") => of("one sixteenth", "a sixteenth", true),
        ("3", "16") => many("three sixteenths"),
        ("1", "100") => of("one hundredth", "a hundredth", true),
        _ => return None,
    })
}

/// Any other fraction: "seven over nine" as a reader of sums says it.
pub(super) fn over(above: &str, below: &str, and: bool) -> Option<String> {
    let (above, below) = (above.parse().ok()?, below.parse().ok()?);
    Some(format!(
        "{} over {}",
        cardinal(above, and),
        cardinal(below, and)
    ))
}
