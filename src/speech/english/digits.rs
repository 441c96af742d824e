//! Numbers that the reading stage has left: said so that nothing is lost. It knows years, money and the rest
//! and puts them into words before; here a number is a number.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
/// Digits of the longest number that is said as a quantity.
const LONGEST: usize = 15;
const POWERS: [&str; 5] = ["", " thousand", " million", " billion", " trillion"];

/// The words of digits, with commas or a point among them. What is longer than a quantity, or begins with a
/// zero, is said digit by digit.
pub(super) fn words(number: &str) -> String {
    let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let mut words = match digits.parse::<u64>() {
        Ok(number) if digits.len() <= LONGEST && !digits.starts_with('0') => cardinal(number),
        _ => one_by_one(&digits),
    };
    if behind.contains(|c: char| c.is_ascii_digit()) {
        words += " point ";
        words += &one_by_one(behind);
    }
    words
}

fn one_by_one(digits: &str) -> String {
    let digits = digits.chars().filter_map(|c| c.to_digit(10));
    let words: Vec<&str> = digits.map(|digit| SMALL[digit as usize]).collect();
    words.join(" ")
}

fn cardinal(number: u64) -> String {
    let mut groups = Vec::new();
    let mut rest = number;
    while rest > 0 {
        groups.push((rest % 1000) as usize);
        rest /= 1000;
    }
    let words = groups
        .iter()
        .zip(POWERS)
        .rev()
        .filter(|(group, _)| **group > 0);
    let words: Vec<String> = words
        .map(|(group, power)| below_thousand(*group) + power)
        .collect();
    words.join(" ")
}

fn below_thousand(number: usize) -> String {
    let (hundreds, rest) = (number / 100, number % 100);
    let mut words = Vec::new();
    if hundreds > 0 {
        words.push(format!("{} hundred", SMALL[hundreds]));
    }
    match (rest, rest % 10) {
        (0, _) => {}
        (1..20, _) => words.push(SMALL[rest].to_owned()),
        (_, 0) => words.push(TENS[rest / 10].to_owned()),
        (_, one) => words.push(format!("{}-{}", TENS[rest / 10], SMALL[one])),
    }
    words.join(" ")
}

/// The word for the place that a number has in a row: "second" for "two".
pub(super) fn ordinal(words: &str) -> String {
    const ODD: [(&str, &str); 7] = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
    ];
    let start = words.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (before, last) = words.split_at(start);
    let odd = ODD.iter().find(|(cardinal, _)| *cardinal == last);
    match (odd, last.strip_suffix('y')) {
        (Some((_, ordinal)), _) => format!("{before}{ordinal}"),
        (None, Some(tens)) => format!("{before}{tens}ieth"),
        (None, None) => format!("{words}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_words() {
        for (number, said) in [
            ("0", "zero"),
            ("7", "seven"),
            ("42", "forty-two"),
            ("1,015", "one thousand fifteen"),
            ("2300000", "two million three hundred thousand"),
            ("3.50", "three point five zero"),
            ("007", "zero zero seven"),
            (
                "1234567890123456",
                "one two three four five six seven eight nine zero one two three four five six",
            ),
        ] {
            assert_eq!(words(number), said);
        }
        assert_eq!(ordinal("twenty-two"), "twenty-second");
        assert_eq!(ordinal("ninety"), "ninetieth");
        assert_eq!(ordinal("one hundred"), "one hundredth");
    }
}
