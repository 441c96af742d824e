//! Numbers that the reading stage has left: said so that nothing is lost. It knows years, money and the rest
//! and puts them into words before; here a number is a number.

use crate::text::reading::cardinal;

/// The words of digits, with commas or a point among them. What is longer than a quantity, or begins with a
/// zero, is said digit by digit.
pub(super) fn words(number: &str) -> String {
    let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let mut words = cardinal::whole(&whole, false);
    if behind.contains(|c: char| c.is_ascii_digit()) {
        words += " point ";
        words += &cardinal::digits(behind);
    }
    words
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
    }
}
