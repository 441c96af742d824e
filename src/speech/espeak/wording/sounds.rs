//! Sounds that are written and no words: "Shh", "Hmph", "Bzzt". eSpeak would name their letters.

use std::borrow::Cow;

/// Sounds that have no spelling that eSpeak would read: what is written, and its phonemes.
const SOUNDS: &[(&str, &str)] = &[
    ("mm", "mːm"),
    ("mhm", "əmhˈəm"),
    ("mm-hm", "əmhˈəm"),
    ("mm-hmm", "əmhˈəm"),
    ("m-hm", "əmhˈəm"),
    ("mm-mm", "ˈəməm"),
    ("sh", "ʃː"),
    ("pfft", "pft"),
    ("pff", "pf"),
    ("pst", "pst"),
    ("psst", "pst"),
    ("tch", "tʃ"),
    ("zz", "zː"),
    ("hmph", "həmf"),
    ("hm", "həm"),
    ("brr", "bˈɜːɹ"),
    ("grr", "ɡˈɜːɹ"),
    ("pf", "pf"),
    ("ts", "ts"),
    ("tsk", "tˈɪsk"),
    ("ptui", "ptˈuːi"),
    ("mwah", "mwˈɑː"),
    ("vrr", "vˈɜːɹ"),
];

/// The phonemes of a sound that is written as one; repeated letters make it no other.
pub(super) fn sound(word: &str) -> Option<Cow<'static, str>> {
    const LONGEST: usize = 24;
    let has_vowel = word.contains(['a', 'e', 'i', 'o', 'u', 'y', 'A', 'E', 'I', 'O', 'U', 'Y']);
    if word.len() < 2 || word.len() > LONGEST || !word.is_ascii() {
        return None;
    }
    if has_vowel && !matches!(word.as_bytes()[0], b'p' | b'P' | b'm' | b'M') {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let known = |word: &str| SOUNDS.iter().find(|(written, _)| *written == word);
    if word.bytes().all(|b| b.is_ascii_uppercase()) && word.len() < 3 {
        // Letters: "MM", "SH".
        return None;
    }
    if let Some((_, phonemes)) = known(&lower) {
        return Some((*phonemes).into());
    }
    // "Hmmm", "shhhh", "brrrr": two of each letter at the most, then one.
    let squeezed = |most: usize| {
        let mut short = String::new();
        let (mut last, mut times) = ('\0', 0);
        for c in lower.chars() {
            times = if c == last { times + 1 } else { 1 };
            last = c;
            if times <= most {
                short.push(c);
            }
        }
        short
    };
    let known = [2, 1].iter().find_map(|&most| known(&squeezed(most)));
    if let Some((_, phonemes)) = known {
        return Some((*phonemes).into());
    }
    noise(&lower).map(Cow::Owned)
}

/// The phonemes of a noise of consonants that no list has: "bzzt", "hrmph", "nngh". Words of computers
/// have no vowels either; a noise repeats a letter, or ends like one.
fn noise(word: &str) -> Option<String> {
    const NONE: &[&str] = &[
        "http", "https", "ssh", "pppd", "wwww", "mkfs", "ppm", "ppt", "ttf", "tbsp", "rss", "tts",
        "ssd", "hdd", "nft", "mph", "kph",
    ];
    const ENDS: &[&str] = &["mph", "ngh", "hm", "rm", "zt", "ft", "sst", "wp", "rf"];
    let is_made = |c: char| "bdfghkmnprstvwz".contains(c);
    let mut letters = word.chars().peekable();
    let repeats = word.as_bytes().windows(2).any(|pair| pair[0] == pair[1]);
    let ends = ENDS
        .iter()
        .any(|end| word.ends_with(end) && word.len() > end.len());
    if word.len() < 3 || !word.chars().all(is_made) || NONE.contains(&word) || !(repeats || ends) {
        return None;
    }
    let mut phonemes = String::new();
    while let Some(c) = letters.next() {
        let pair = letters.peek().copied();
        let (sound, takes) = match (c, pair) {
            ('s', Some('h')) => ("ʃ", true),
            ('t', Some('h')) => ("θ", true),
            ('p', Some('h')) => ("f", true),
            ('n', Some('g')) => ("ŋ", true),
            ('g', Some('h')) => ("ɡ", true),
            ('w', Some('h')) => ("w", true),
            ('r', _) => ("ɜːɹ", false),
            ('g', _) => ("ɡ", false),
            _ => ("", false),
        };
        let mut buffer = [0; 4];
        phonemes.push_str(if sound.is_empty() {
            c.encode_utf8(&mut buffer)
        } else {
            sound
        });
        if takes {
            letters.next();
        }
        let mut is_long = false;
        while letters.next_if_eq(&c).is_some() {
            is_long = true;
        }
        if is_long && "fhmnsvz".contains(c) {
            phonemes.push('ː');
        }
    }
    Some(phonemes)
}
