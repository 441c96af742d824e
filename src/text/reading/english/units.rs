//! Units of measure behind a number: "5 km/h", "3.5 m²", "20 °C", "50 %", "5'10\"".

use super::cardinal::whole;
use super::quantity::Quantity;
use super::{Read, Reader};

/// A unit: as it is written, one, many.
type Unit = (&'static str, &'static str, &'static str);

const UNITS: &[Unit] = &[
    ("km", "kilometer", "kilometers"),
    ("m", "meter", "meters"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("µm", "micrometer", "micrometers"),
    ("μm", "micrometer", "micrometers"),
    ("nm", "nanometer", "nanometers"),
    ("kg", "kilogram", "kilograms"),
    ("g", "gram", "grams"),
    ("mg", "milligram", "milligrams"),
    ("µg", "microgram", "micrograms"),
    ("μg", "microgram", "micrograms"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"),
    ("cl", "centiliter", "centiliters"),
    ("dl", "deciliter", "deciliters"),
    ("mi", "mile", "miles"),
    ("ft", "foot", "feet"),
    ("yd", "yard", "yards"),
    ("yds", "yard", "yards"),
    ("oz", "ounce", "ounces"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("gal", "gallon", "gallons"),
    ("qt", "quart", "quarts"),
    ("tbsp", "tablespoon", "tablespoons"),
    ("tsp", "teaspoon", "teaspoons"),
    ("mph", "mile per hour", "miles per hour"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("kmh", "kilometer per hour", "kilometers per hour"),
    ("mpg", "mile per gallon", "miles per gallon"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("bpm", "beat per minute", "beats per minute"),
    ("fps", "frame per second", "frames per second"),
    ("psi", "pound per square inch", "pounds per square inch"),
    ("dpi", "dot per inch", "dots per inch"),
    ("ppm", "part per million", "parts per million"),
    ("Hz", "hertz", "hertz"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"),
    ("Wh", "watt hour", "watt hours"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("MWh", "megawatt hour", "megawatt hours"),
    ("V", "volt", "volts"),
    ("mV", "millivolt", "millivolts"),
    ("kV", "kilovolt", "kilovolts"),
    ("mA", "milliamp", "milliamps"),
    ("mAh", "milliamp hour", "milliamp hours"),
    ("Ω", "ohm", "ohms"),
    ("Ω", "ohm", "ohms"),
    ("kJ", "kilojoule", "kilojoules"),
    ("kcal", "kilocalorie", "kilocalories"),
    ("KB", "kilobyte", "kilobytes"),
    ("kB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("PB", "petabyte", "petabytes"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("Gbps", "gigabit per second", "gigabits per second"),
    ("MP", "megapixel", "megapixels"),
    ("px", "pixel", "pixels"),
    ("dB", "decibel", "decibels"),
    ("Pa", "pascal", "pascals"),
    ("hPa", "hectopascal", "hectopascals"),
    ("kPa", "kilopascal", "kilopascals"),
    ("ha", "hectare", "hectares"),
    ("min", "minute", "minutes"),
    ("mins", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("s", "second", "seconds"),
    ("sec", "second", "seconds"),
    ("secs", "second", "seconds"),
    ("ms", "millisecond", "milliseconds"),
    ("µs", "microsecond", "microseconds"),
    ("yr", "year", "years"),
    ("yrs", "year", "years"),
    ("wk", "week", "weeks"),
    ("wks", "week", "weeks"),
    ("doz", "dozen", "dozen"),
    ("hp", "horsepower", "horsepower"),
    ("cc", "cubic centimeter", "cubic centimeters"),
];

/// Units that stand behind a slash only, or before a power.
const MORE: &[Unit] = &[("in", "inch", "inches"), ("d", "day", "days")];

fn unit(word: &str) -> Option<&'static Unit> {
    let word = match word {
        "KG" => "kg",
        "MPH" => "mph",
        "KM" => "km",
        "CM" => "cm",
        "FT" => "ft",
        "LBS" | "Lbs" => "lbs",
        "LB" => "lb",
        "OZ" => "oz",
        "Tbsp" | "tbsps" | "Tbs" => "tbsp",
        "Tsp" | "tsps" => "tsp",
        "qts" => "qt",
        word => word,
    };
    UNITS.iter().find(|unit| unit.0 == word)
}

/// What was read as a unit, for one and for many.
struct Measured {
    next: usize,
    one: String,
    many: String,
}

impl Reader<'_> {
    /// A number with its unit.
    pub(super) fn measure(&self, at: usize, number: &Quantity) -> Option<Read> {
        if let Some(read) = self.feet_and_inches(number) {
            return Some(read);
        }
        let hyphen = self.is_sign(number.next, '-');
        let place = match hyphen {
            true => number.next + 1,
            false => self.past_blank(number.next),
        };
        let unit = self
            .share(place)
            .or_else(|| self.degrees(place))
            .or_else(|| self.unit_at(place))?;
        let describes = hyphen || self.describes(at, unit.next);
        let one = number.is_one() || describes;
        let words = number.words(self.british);
        let said = match (hyphen, one) {
            (true, _) => format!("{words}-{}", unit.one),
            (false, true) => format!("{words} {}", unit.one),
            (false, false) => format!("{words} {}", unit.many),
        };
        Some(Read::new(unit.next, self.spelling(&said)))
    }

    /// British spelling of what the table has in American.
    fn spelling(&self, said: &str) -> String {
        match self.british {
            true => said.replace("meter", "metre").replace("liter", "litre"),
            false => said.to_owned(),
        }
    }

    fn share(&self, place: usize) -> Option<Measured> {
        let said = match self.sign_at(place)? {
            '%' | '％' | '٪' => "percent",
            '‰' => "per mille",
            _ => return None,
        };
        Some(Measured {
            next: place + 1,
            one: said.to_owned(),
            many: said.to_owned(),
        })
    }

    fn degrees(&self, place: usize) -> Option<Measured> {
        if !matches!(self.sign_at(place)?, '°' | 'º') {
            return None;
        }
        let scale = self.past_blank(place + 1);
        let (next, scale) = match self.word(scale) {
            Some("C") => (scale + 1, " Celsius"),
            Some("F") => (scale + 1, " Fahrenheit"),
            Some("N") => (scale + 1, " north"),
            Some("S") => (scale + 1, " south"),
            Some("E") => (scale + 1, " east"),
            Some("W") => (scale + 1, " west"),
            _ => (place + 1, ""),
        };
        // 40°42′
        let blank = if self.digits(next).is_some() { " " } else { "" };
        Some(Measured {
            next,
            one: format!("degree{scale}{blank}"),
            many: format!("degrees{scale}{blank}"),
        })
    }

    fn unit_at(&self, place: usize) -> Option<Measured> {
        let word = self.word(place)?;
        if let Some(unit) = self.miles_per_hour(place) {
            return Some(unit);
        }
        if matches!(word, "sq" | "cu") {
            return self.square_in_words(place, word);
        }
        let (mut next, mut one, mut many);
        if let Some(unit) = unit(word) {
            (next, one, many) = (place + 1, unit.1.to_owned(), unit.2.to_owned());
        } else if let Some(unit) = MORE.iter().find(|unit| unit.0 == word) {
            let power = matches!(self.sign_at(place + 1), Some('²' | '³'));
            // "6 in." ends no sentence with a preposition.
            let dotted = word == "in" && self.is_sign(place + 1, '.');
            if !power && !dotted {
                return None;
            }
            (next, one, many) = (place + 1, unit.1.to_owned(), unit.2.to_owned());
        } else {
            return None;
        }
        if let Some((power, past)) = self.unit_power(next, word) {
            one = format!("{power} {one}");
            many = format!("{power} {many}");
            next = past;
        }
        if let Some((per, past)) = self.per(next) {
            one.push_str(&per);
            many.push_str(&per);
            next = past;
        }
        // "5 ft. tall": the full stop of an abbreviation, unless a sentence ends with it.
        let is_short = matches!(
            word,
            "in" | "ft"
                | "yd"
                | "yds"
                | "oz"
                | "lb"
                | "lbs"
                | "mi"
                | "gal"
                | "qt"
                | "min"
                | "mins"
                | "hr"
                | "hrs"
                | "sec"
                | "secs"
                | "yr"
                | "yrs"
                | "tbsp"
                | "tsp"
                | "doz"
                | "wk"
                | "wks"
        );
        if is_short && next == place + 1 && self.is_sign(next, '.') && !self.sentence_ends(next + 1)
        {
            next += 1;
        }
        Some(Measured { next, one, many })
    }

    /// What stands behind a slash: the "h" of "km/h", "day".
    fn per(&self, slash: usize) -> Option<(String, usize)> {
        const TIMES: &[&str] = &[
            "day", "week", "hour", "minute", "second", "month", "year", "person",
        ];
        let below = self.word(slash + 1).filter(|_| self.is_sign(slash, '/'))?;
        if TIMES.contains(&below) {
            return Some((format!(" per {below}"), slash + 2));
        }
        let unit = unit(below).or_else(|| MORE.iter().find(|unit| unit.0 == below))?;
        Some(match self.unit_power(slash + 2, below) {
            Some(("square", past)) if below == "s" => (" per second squared".to_owned(), past),
            Some((_, past)) if below == "s" => (" per second cubed".to_owned(), past),
            Some((power, past)) => (format!(" per {power} {}", unit.1), past),
            None => (format!(" per {}", unit.1), slash + 2),
        })
    }

    /// "m.p.h."
    fn miles_per_hour(&self, place: usize) -> Option<Measured> {
        let letters = [place, place + 2, place + 4].map(|at| self.word(at));
        let stops = self.is_sign(place + 1, '.') && self.is_sign(place + 3, '.');
        if letters != [Some("m"), Some("p"), Some("h")] || !stops {
            return None;
        }
        let stop = self.is_sign(place + 5, '.') && !self.sentence_ends(place + 6);
        Some(Measured {
            next: place + 5 + usize::from(stop),
            one: "mile per hour".to_owned(),
            many: "miles per hour".to_owned(),
        })
    }

    /// `²`, `³`, or the digit that stands for it where the unit can have one.
    fn unit_power(&self, at: usize, word: &str) -> Option<(&'static str, usize)> {
        let is_length = matches!(
            word,
            "km" | "m" | "cm" | "mm" | "mi" | "ft" | "in" | "yd" | "s" | "nm"
        );
        if !is_length {
            return None;
        }
        let power = match (self.sign_at(at), self.digits(at)) {
            (Some('²'), _) | (_, Some("2")) => "square",
            (Some('³'), _) | (_, Some("3")) => "cubic",
            (Some('^'), _) => {
                let power = match self.digits(at + 1)? {
                    "2" => "square",
                    "3" => "cubic",
                    _ => return None,
                };
                return Some((power, at + 2));
            }
            _ => return None,
        };
        Some((power, at + 1))
    }

    /// "sq ft", "cu. in."
    fn square_in_words(&self, place: usize, word: &str) -> Option<Measured> {
        let power = if word == "sq" { "square" } else { "cubic" };
        let dot = usize::from(self.is_sign(place + 1, '.'));
        let at = self.past_blank(place + 1 + dot);
        let of = self.word(at)?;
        let unit = unit(of).or_else(|| MORE.iter().find(|unit| unit.0 == of))?;
        let mut next = at + 1;
        if self.is_sign(next, '.') && !self.sentence_ends(next + 1) {
            next += 1;
        }
        Some(Measured {
            next,
            one: format!("{power} {}", unit.1),
            many: format!("{power} {}", unit.2),
        })
    }

    /// `5'10"`, `6'`, `5′ 10″`, `12"` only behind feet or a blank.
    fn feet_and_inches(&self, number: &Quantity) -> Option<Read> {
        let is_foot = |at: usize| matches!(self.sign_at(at), Some('\'' | '’' | '′'));
        let is_inch = |at: usize| matches!(self.sign_at(at), Some('"' | '”' | '″'));
        if !is_foot(number.next) {
            return None;
        }
        let inches = self.past_blank(number.next + 1);
        let second = self.quantity(inches).filter(|second| is_inch(second.next));
        if let Some(inches) = second {
            let feet = if number.is_one() { "foot" } else { "feet" };
            let words = number.words(self.british);
            let said = format!("{words} {feet} {}", whole(&inches.whole, self.british));
            return Some(Read::new(inches.next + 1, said));
        }
        // A prime is no quotation mark.
        self.is_sign(number.next, '′').then(|| {
            let feet = if number.is_one() { "foot" } else { "feet" };
            let said = format!("{} {feet}", number.words(self.british));
            Read::new(number.next + 1, said)
        })
    }
}
