//! Letters, which eSpeak says with the tune of one word where they are put as "U.S", and the letter A,
//! which it takes for the article.

pub(super) fn is_letter(word: &str) -> bool {
    word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic()
}

/// "D's"
pub(super) fn is_letters_own(word: &str) -> bool {
    let own = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s"));
    own.is_some_and(|letter| letter.len() == 1 && letter.as_bytes()[0].is_ascii_uppercase())
}

/// How letters are put.
pub(super) fn spelled(
    letters: &[&str],
    before: Option<&str>,
    begins: bool,
    next: Option<(&str, &str)>,
) -> Option<String> {
    if let [letter] = letters {
        return is_named(letter, before, begins, next).then(|| "A-".to_owned());
    }
    // "a b" may be an article and a letter, "I a" is no name of anything.
    let small = |letter: &&str| letter.as_bytes()[0].is_ascii_lowercase();
    let is_article = letters[0] == "a" && letters != ["a", "m"];
    let is_pronoun = letters[0].eq_ignore_ascii_case("i") && letters.iter().skip(1).all(small);
    if is_article || is_pronoun {
        return None;
    }
    let (last, others) = letters.split_last()?;
    let joined = others.join(".").to_uppercase();
    // With a full stop before its "'s" eSpeak would say "dot".
    let blank = if is_letters_own(last) { " " } else { "." };
    let last = if last.len() == 1 {
        last.to_uppercase()
    } else {
        (*last).to_owned()
    };
    let joined = if is_letters_own(&last) && joined == "A" {
        "A-".to_owned()
    } else {
        joined
    };
    Some(format!("{joined}{blank}{last}"))
}

/// Whether a single A is the letter and not the article.
fn is_named(letter: &str, before: Option<&str>, begins: bool, next: Option<(&str, &str)>) -> bool {
    const BEHIND: &[&str] = &[
        "the",
        "an",
        "plan",
        "vitamin",
        "grade",
        "section",
        "part",
        "type",
        "hepatitis",
        "group",
        "class",
        "figure",
        "exhibit",
        "appendix",
        "option",
        "team",
        "point",
        "chapter",
        "model",
        "unit",
        "block",
        "gate",
        "level",
        "list",
        "side",
        "case",
        "letter",
        "this",
        "each",
        "answer",
        "wing",
        "building",
        "track",
    ];
    const NUMBERS: &[&str] = &[
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "plus",
        "minus",
    ];
    const SMALL: &[&str] = &[
        "In", "On", "Of", "And", "With", "For", "To", "Like", "As", "Such", "Not", "What", "Upon",
        "Is", "At", "By", "From", "But", "Or", "Into", "Over", "Once", "Was", "Be", "Being",
        "Without", "Through", "Than", "Half", "Many", "Quite", "Under", "About", "After", "Before",
        "Between", "Only", "Just", "Have", "Has", "Had",
    ];
    if letter != "A" {
        return false;
    }
    let behind = next
        .filter(|(gap, _)| gap.trim().is_empty())
        .map(|(_, word)| word);
    if behind.is_some_and(|word| NUMBERS.contains(&word)) {
        return true;
    }
    if begins {
        return behind == Some("is");
    }
    // "Thomas A Edison", but "Once Upon A Time".
    let is_large = |word: &str| word.starts_with(char::is_uppercase) && word.len() > 1;
    if before.is_some_and(|word| is_large(word) && !SMALL.contains(&word))
        && behind.is_some_and(is_large)
    {
        return true;
    }
    let known = before.is_some_and(|word| BEHIND.contains(&word.to_lowercase().as_str()));
    // "Size A, please", "he chose A.": nothing comes that an article could stand before.
    let alone = next.is_none_or(|(gap, _)| gap.trim() != "");
    known || alone
}
