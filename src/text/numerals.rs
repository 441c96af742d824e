//! Number words of English, and numbers in Roman letters.

/// Number words below twenty.
pub(super) const SMALL: [&str; 20] = [
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
/// Number words of tens; there are none for the first two.
pub(super) const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// Whether a word in small letters is a number word of one part: "seven", "forty".
pub(super) fn is_number_word(word: &str) -> bool {
    !word.is_empty() && (SMALL[1..].contains(&word) || TENS.contains(&word))
}

/// The value of a numeral as people write them; `None` for anything else.
pub(super) fn roman(letters: &str) -> Option<u64> {
    const PARTS: [(&str, u64); 13] = [
        ("M", 1000),
        ("CM", 900),
        ("D", 500),
        ("CD", 400),
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ];
    if letters.is_empty() || letters.len() > 12 {
        return None;
    }
    let (mut rest, mut number) = (letters, 0);
    for (part, worth) in PARTS {
        let mut times = 0;
        let most = if part.len() == 2 || matches!(part, "D" | "L" | "V") {
            1
        } else {
            3
        };
        while times < most
            && let Some(next) = rest.strip_prefix(part)
        {
            (rest, number, times) = (next, number + worth, times + 1);
        }
    }
    // "IXI" and "XCX" go through the parts as well.
    (rest.is_empty() && numeral(number) == letters).then_some(number)
}

fn numeral(mut number: u64) -> String {
    const PARTS: [(u64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut letters = String::new();
    for (worth, part) in PARTS {
        while number >= worth {
            letters.push_str(part);
            number -= worth;
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals() {
        for number in 1..1500 {
            assert_eq!(
                roman(&numeral(number)),
                Some(number).filter(|_| numeral(number).len() <= 12)
            );
        }
        for word in ["", "IIII", "VV", "IXI", "XCX", "IC", "ABC", "i"] {
            assert_eq!(roman(word), None, "{word}");
        }
    }
}
