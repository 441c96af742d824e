//! Money: a currency's sign before or behind a number, with millions, cents, ranges and debts.

use super::cardinal::whole;
use super::quantity::Quantity;
use super::{Read, Reader};

/// A currency's words: one, many, one hundredth, hundredths.
#[derive(Debug, Clone, Copy)]
struct Currency {
    one: &'static str,
    many: &'static str,
    part: &'static str,
    parts: &'static str,
}

const fn currency(
    one: &'static str,
    many: &'static str,
    part: &'static str,
    parts: &'static str,
) -> Currency {
    Currency {
        one,
        many,
        part,
        parts,
    }
}

const DOLLAR: Currency = currency("dollar", "dollars", "cent", "cents");

fn by_sign(sign: char) -> Option<Currency> {
    Some(match sign {
        '$' => DOLLAR,
        '£' => currency("pound", "pounds", "penny", "pence"),
        '€' => currency("euro", "euros", "cent", "cents"),
        '¥' => currency("yen", "yen", "sen", "sen"),
        '₹' => currency("rupee", "rupees", "paisa", "paise"),
        '₽' => currency("ruble", "rubles", "kopeck", "kopecks"),
        '₩' => currency("won", "won", "jeon", "jeon"),
        '₪' => currency("shekel", "shekels", "agora", "agorot"),
        '₺' => currency("lira", "lira", "kurus", "kurus"),
        '₿' => currency("bitcoin", "bitcoins", "", ""),
        _ => return None,
    })
}

fn by_code(code: &str) -> Option<(&'static str, Currency)> {
    Some(match code {
        "USD" => ("U S ", DOLLAR),
        "EUR" => ("", by_sign('€')?),
        "GBP" => ("", by_sign('£')?),
        "JPY" => ("", by_sign('¥')?),
        "CHF" => ("Swiss ", currency("franc", "francs", "centime", "centimes")),
        "CAD" => ("Canadian ", DOLLAR),
        "AUD" => ("Australian ", DOLLAR),
        "INR" => ("", by_sign('₹')?),
        _ => return None,
    })
}

/// Whose dollars, where letters before the sign tell.
fn whose(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "US" => "U S ",
        "A" | "AU" => "Australian ",
        "C" | "CA" => "Canadian ",
        "NZ" => "New Zealand ",
        "HK" => "Hong Kong ",
        "S" => "Singapore ",
        _ => return None,
    })
}

/// A number of millions and the like behind the sign.
fn magnitude(word: &str, touches: bool) -> Option<&'static str> {
    Some(match word {
        "thousand" if !touches => "thousand",
        "million" | "mil" if !touches => "million",
        "billion" if !touches => "billion",
        "trillion" if !touches => "trillion",
        "k" | "K" if touches => "thousand",
        "m" | "M" | "mn" | "mm" if touches => "million",
        "bn" | "b" | "B" if touches => "billion",
        "tn" | "T" if touches => "trillion",
        _ => return None,
    })
}

/// The hundredths of an amount in two digits, if the currency has such.
fn cents(amount: &Quantity, currency: Currency) -> Option<&str> {
    let decimals = amount.decimals.as_deref()?;
    (decimals.len() == 2 && !currency.part.is_empty()).then_some(decimals)
}

impl Reader<'_> {
    /// "$49.95", "£3m", "$5-10": a sign before a number.
    pub(super) fn money(&self, at: usize, sign: char) -> Option<Read> {
        let currency = by_sign(sign)?;
        self.money_of(at, at + 1, "", currency)
    }

    /// "US$5", "EUR 20": letters before a number.
    pub(super) fn money_by_letters(&self, at: usize) -> Option<Read> {
        let letters = self.word(at)?;
        if self.is_sign(at + 1, '$') {
            return self.money_of(at, at + 2, whose(letters)?, DOLLAR);
        }
        let (whose, currency) = by_code(letters)?;
        self.money_of(at, self.past_blank(at + 1), whose, currency)
    }

    fn money_of(&self, at: usize, number: usize, whose: &str, currency: Currency) -> Option<Read> {
        let first = self.quantity(self.past_blank(number))?;
        let (mut next, large) = self.magnitude_at(&first);
        let and = self.british;
        // "$5-10", "$5–$10 million", "$4.99-$9.99"
        if let Some((to, next, large)) = self.second_amount(&first, next, currency) {
            let has_cents = [&first, &to]
                .iter()
                .any(|amount| cents(amount, currency).is_some());
            let (from, to) = if has_cents && large.is_none() {
                let both = [&first, &to];
                let [from, to] = both.map(|one| self.amount(one, whose, currency, false));
                (from, to)
            } else {
                let large = large.map(|large| format!(" {large}")).unwrap_or_default();
                let to = format!("{}{large} {whose}{}", to.words(and), currency.many);
                (first.words(and), to)
            };
            return Some(Read::new(next, format!("{from} to {to}")));
        }
        // "$20-a-day", "a $5 bill"
        let hyphen = self.is_sign(next, '-') && self.word(next + 1).is_some();
        let describes = hyphen || self.describes(at, next);
        let mut said = match large {
            Some(large) => {
                let unit = if describes {
                    currency.one
                } else {
                    currency.many
                };
                format!("{} {large} {whose}{unit}", first.words(and))
            }
            None => self.amount(&first, whose, currency, describes),
        };
        if hyphen {
            // It is none between letters.
            next += 1;
            said.push(' ');
        }
        Some(Read::new(next, said))
    }

    /// An amount with its cents, if it has some: "forty-nine dollars and ninety-five cents".
    fn amount(&self, amount: &Quantity, whose: &str, of: Currency, describes: bool) -> String {
        let and = self.british;
        let Some(cents) = cents(amount, of) else {
            let unit = if amount.is_one() || describes {
                of.one
            } else {
                of.many
            };
            return format!("{} {whose}{unit}", amount.words(and));
        };
        let unit = if amount.whole == "1" { of.one } else { of.many };
        let part = if cents == "01" { of.part } else { of.parts };
        let pounds = format!("{} {whose}{unit}", whole(&amount.whole, and));
        let pence = whole(cents.trim_start_matches('0'), and);
        match (amount.whole.as_str(), cents) {
            (_, "00") => pounds,
            ("0" | "", _) => format!("{pence} {part}"),
            _ => format!("{pounds} and {pence} {part}"),
        }
    }

    fn magnitude_at(&self, number: &Quantity) -> (usize, Option<&'static str>) {
        let touching = self
            .word(number.next)
            .and_then(|word| magnitude(word, true));
        if touching.is_some() {
            return (number.next + 1, touching);
        }
        let hyphen = self.is_sign(number.next, '-') || self.is_blank(number.next);
        match self
            .word(number.next + 1)
            .and_then(|word| magnitude(word, false))
        {
            Some(large) if hyphen => (number.next + 2, Some(large)),
            _ => (number.next, None),
        }
    }

    /// What stands behind the dash of a range of amounts.
    fn second_amount(
        &self,
        first: &Quantity,
        next: usize,
        currency: Currency,
    ) -> Option<(Quantity, usize, Option<&'static str>)> {
        if next != first.next || !matches!(self.sign_at(next), Some('-' | '–' | '—')) {
            return None;
        }
        let sign = self.sign_at(next + 1).and_then(by_sign);
        let again = usize::from(sign.is_some_and(|sign| sign.one == currency.one));
        let to = self.quantity(next + 1 + again)?;
        let (next, large) = self.magnitude_at(&to);
        Some((to, next, large))
    }

    /// "5 €", "20¢", "20 USD".
    pub(super) fn money_behind(&self, at: usize, number: &Quantity) -> Option<Read> {
        const CENT: Currency = currency("cent", "cents", "", "");
        let sign = self.past_blank(number.next);
        let (whose, currency) = if self.is_sign(sign, '¢') {
            ("", CENT)
        } else if let Some(coded) = self.word(sign).and_then(by_code) {
            coded
        } else {
            let currency = self.sign_at(sign).and_then(by_sign)?;
            // "for 5 $3 bills": the sign belongs to what it touches.
            if self.digits(sign + 1).is_some() {
                return None;
            }
            ("", currency)
        };
        let next = sign + 1;
        let said = self.amount(number, whose, currency, self.describes(at, next));
        Some(Read::new(next, said))
    }

    /// "3s. 6d.", "6d.": shillings and pence as they were before 1971.
    pub(super) fn shillings(&self, at: usize) -> Option<Read> {
        let number = self.digits(at)?.parse::<u64>().ok()?;
        let stop =
            |at: usize| at + usize::from(self.is_sign(at, '.') && !self.sentence_ends(at + 1));
        let words = |number: u64| super::cardinal::cardinal(number, self.british);
        let pence = |number: u64| match number {
            1 => "one penny".to_owned(),
            2 | 3 | 4 | 6 => format!("{}pence", words(number)).replace("twopence", "tuppence"),
            _ => format!("{} pence", words(number)),
        };
        match self.word(at + 1)? {
            "d" if self.is_sign(at + 2, '.') => Some(Read::new(stop(at + 2), pence(number))),
            "s" => {
                let place = self.past_blank(stop(at + 2));
                let small = self
                    .digits(place)
                    .filter(|_| self.word(place + 1) == Some("d"))?;
                let unit = if number == 1 { "shilling" } else { "shillings" };
                let said = format!(
                    "{} {unit} and {}",
                    words(number),
                    pence(small.parse().ok()?)
                );
                Some(Read::new(stop(place + 2), said))
            }
            _ => None,
        }
    }

    /// Whether what is counted here describes a thing: "a $5 bill", "a 10 ft wall".
    pub(super) fn describes(&self, at: usize, next: usize) -> bool {
        const ARTICLES: &[&str] = &[
            "a", "an", "one", "this", "that", "another", "each", "every", "A", "An", "This",
            "That", "Each", "Every", "Another",
        ];
        const NO_THINGS: &[&str] = &[
            "a", "an", "and", "or", "of", "in", "on", "at", "to", "from", "per", "each", "for",
            "by", "is", "was", "are", "were", "as", "than", "more", "less", "with", "when", "if",
            "but", "every", "while", "he", "she", "it", "they", "the", "later", "ago",
        ];
        let article = self
            .word_before(at)
            .is_some_and(|word| ARTICLES.contains(&word));
        let thing = self
            .word_after(next)
            .is_some_and(|word| !NO_THINGS.contains(&word));
        article && thing
    }
}
