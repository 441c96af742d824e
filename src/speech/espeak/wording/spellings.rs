//! Words that eSpeak would take apart, spelled so that it says them: drawled and stuttered ones, and
//! old short forms.

/// "Nooooo", "Whaaaat": a drawled word as it is spelled otherwise.
pub(super) fn drawled(word: &str) -> Option<String> {
    const LONGEST: usize = 40;
    if word.len() < 4 || word.len() > LONGEST || !word.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let mut plain = String::new();
    let (mut run, mut longest) = (0, 0);
    let mut last = '\0';
    for c in word.chars() {
        run = if c.eq_ignore_ascii_case(&last) {
            run + 1
        } else {
            1
        };
        longest = longest.max(run);
        last = c;
        plain.push(c);
        // The third of a kind takes the two before it along.
        if run == 3 {
            plain.truncate(plain.len() - 2);
        } else if run > 3 {
            plain.pop();
        }
    }
    // "XXIII", "WWW"
    let is_word = !word.bytes().all(|b| b.is_ascii_uppercase()) || word.len() > 6;
    (longest > 2 && is_word).then(|| match plain.to_ascii_lowercase().as_str() {
        "oh" if word.to_ascii_lowercase().starts_with("oo") => "ooh".to_owned(),
        "we" => "wee".to_owned(),
        _ => plain,
    })
}

/// Short forms that eSpeak takes apart.
pub(super) fn contracted(word: &str) -> Option<String> {
    if !word.contains(['\'', '’']) {
        return None;
    }
    let plain = match word.to_lowercase().replace('’', "'").as_str() {
        "p'raps" => "perhaps",
        "s'pose" => "suppose",
        "s'posed" => "supposed",
        "t'other" => "the other",
        "m'lord" => "my lord",
        "m'lady" => "my lady",
        "d'you" => "do you",
        "d'ye" => "do ye",
        "h'm" => "hmm",
        _ => return None,
    };
    let mut letters = plain.chars();
    match letters.next() {
        Some(first) if word.starts_with(char::is_uppercase) => {
            Some(first.to_uppercase().chain(letters).collect())
        }
        _ => Some(plain.to_owned()),
    }
}

/// "W-w-what": each beginning with a vowel that lets it sound.
pub(super) fn stutter(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('-').collect();
    let (last, begun) = parts.split_last()?;
    if begun.is_empty() || begun.len() > 8 {
        return None;
    }
    let lower = last.to_lowercase();
    let repeats = |part: &&str| {
        let part = part.to_lowercase();
        (1..=3).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphabetic())
            && part.len() < lower.len()
            && lower.starts_with(&part)
    };
    // "re-read", "co-coordinate": a word with something before it.
    let is_prefixed = begun.len() == 1
        && matches!(
            begun[0].to_lowercase().as_str(),
            "re" | "co" | "de" | "ex" | "pre" | "e" | "un" | "in"
        );
    let is_shape = matches!(
        lower.as_str(),
        "shaped" | "shape" | "turn" | "top" | "test" | "team" | "day"
    );
    if !begun.iter().all(repeats) || is_prefixed || (is_shape && begun.len() == 1) {
        return None;
    }
    let mut said = String::new();
    for part in begun {
        let part = part.to_lowercase();
        let sounded = match part.as_str() {
            "a" => "ah".to_owned(),
            "e" => "eh".to_owned(),
            "i" => "ih".to_owned(),
            "o" => "oh".to_owned(),
            "u" => "uh".to_owned(),
            // It has its vowel: "Wha-what".
            _ if part.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{part}h"),
            "c" => "kuh".to_owned(),
            "g" => "guh".to_owned(),
            _ => format!("{part}uh"),
        };
        said.push_str(&sounded);
        said.push(' ');
    }
    said.push_str(last);
    // What begins with a small letter would begin no sentence.
    let mut letters = said.chars();
    match letters.next() {
        Some(first) if word.starts_with(char::is_uppercase) => {
            Some(first.to_uppercase().chain(letters).collect())
        }
        _ => Some(said),
    }
}
