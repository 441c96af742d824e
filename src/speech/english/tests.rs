use std::path::PathBuf;

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;

use std::ops::Range;

use super::*;

/// Lists of a few words, a tagger that knows some of them and gives others the tag of a noun, and letters for
/// what is in neither: no model is needed.
fn small() -> English {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: serde_json::Value| {
        let mut bytes = value.to_string().into_bytes();
        if name.ends_with(".gz") {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&bytes).unwrap();
            bytes = packed.finish().unwrap();
        }
        fs::write(folder.path().join(name), bytes).unwrap();
    };
    let mut gold = json!({
        "wind": {"DEFAULT": "wˈɪnd", "VERB": "wˈInd"},
        "read": {"DEFAULT": "ɹˈid", "VBD": "ɹˈɛd"},
        "can": {"DEFAULT": "kæn", "None": "kˈæn"},
        "AA": {"DEFAULT": "ˈɑˌɑ", "NOUN": null},
        "apple": "ˈæpᵊl", "book": "bˈʊk", "cat": "kˈæt", "well": "wˈɛl", "known": "nˈOn", "he": "hi",
        "and": "ænd", "Alice": "ˈælɪs", "don't": "dˈOnt", "to": "tu", "eat": "ˈit", "go": "ɡˌO", "old": "ˈOld",
        "hate": "hˈAt", "one": "wˈʌn", "two": "tˈu", "forty": "fˈɔɹɾi", "point": "pˈYnt", "percent": "pəɹsˈɛnt",
        "Zoe": "zˈOi", "Gregor": "ɡɹˈɛɡəɹ", "mister": "mˈɪstəɹ", "Mr": "mˈɪstəɹ", "'tis": "tˈɪz", "'n'": "ən",
        "there": "ðɛɹ", "think": "θˈɪŋk", "city": "sˈɪɾi", "was": "wʌz", "over": "ˈOvəɹ",
    });
    for letter in 'A'..='Z' {
        gold[letter.to_string()] = json!(format!("{}ˈi", letter.to_ascii_lowercase()));
    }
    let known = json!({
        "a": "DT", "A": "DT", "The": "DT", "the": "DT", "he": "PRP", "to": "TO", "I": "PRP", "wind": "NN", "Mr.": "NNP",
        "SPQR": "NNP",
    });
    let weights = json!({"b": {"NN": 1.0}, "w-1=to": {"VB": 7.5}, "w-1=he": {"VBD": 8.1}});
    let tagger = json!({
        "tags": ["DT", "NN", "NNP", "PRP", "TO", "VB", "VBD"], "tagdict": known, "weights": weights,
        "vocab": ["to", "he"],
    });
    write("lexicon_us_gold.json.gz", gold);
    write("lexicon_us_silver.json.gz", json!({"books": "bˈʊks"}));
    write("tagger.json.gz", tagger);
    write(
        "tokenizer_exceptions.json",
        json!({"don't": ["do", "n't"], "Mr.": ["Mr."]}),
    );
    write(
        "oov.json",
        json!({"in": [], "out": [], "slots": 4, "maxlen": 24}),
    );
    English::open(folder.path(), Path::new("nowhere"), Dialect::American).unwrap()
}

#[test]
fn sentences_are_read() {
    let english = small();
    for (text, phonemes) in [
        // By the part of speech, and by what follows.
        ("the wind", "ðə wˈɪnd"),
        ("he read", "hi ɹˈɛd"),
        ("to read", "tə ɹˈid"),
        ("The apple and the book.", "ði ˈæpᵊl ænd ðə bˈʊk."),
        ("to eat, to go, to.", "tʊ ˈit, tə ɡˌO, tu."),
        ("I can. I can go", "ˌI kˈæn. ˌI kæn ɡˌO"),
        // Forms.
        ("cats, cat's, hated, hating", "kˈæts, kˈæts, hˈATᵻd, hˈATɪŋ"),
        (
            "cities, books, the books' cat",
            "sˈɪTiz, bˈʊks, ðə bˈʊks kˈæt",
        ),
        ("there'd, don’t", "ðɛɹd, dˈOnt"),
        // Words of several, and capitals.
        ("well-known", "wˌɛlnˈOn"),
        ("He, AND Alice alice Zoë", "hˌi, ˈænd ˈælɪs ˈælɪs zˈOi"),
        ("OldGregor, Mr. Gregor", "ˌOldɡɹˈɛɡəɹ, mˈɪstəɹ ɡɹˈɛɡəɹ"),
        ("SPQR, AA, x", "sˌipˌiqˌirˈi, aˌiaˈi, xˈi"),
        (
            "the F B I's cat, D V Ds; P S I go. p m",
            "ðə fˌibˌiiˈiz kˈæt, dˌivˌidˈiz; pˌisˈi ˌI ɡˌO. pˌimˈi",
        ),
        ("HE READ THE BOOK", "hi ɹˈɛd ðə bˈʊk"),
        // The letter A, and I behind letters.
        (
            "The A well. Book A cat, old A go, A and cat",
            "ði ˈA wˈɛl. bˈʊk ˈA kˈæt, ˈOld ˈA ɡˌO, ˈA ænd kˈæt",
        ),
        (
            "A cat. He And A Cat, AND A CAT, A and-book",
            "ɐ kˈæt. hˌi ˌænd ɐ kˈæt, ˈænd ɐ kˈæt, ɐ ændbˈʊk",
        ),
        (
            "Book B I go; B I go; D V I think",
            "bˈʊk bˈi ˌI ɡˌO; bˌiiˈi ɡˌO; dˌivˈi ˌI θˈɪŋk",
        ),
        // Marks.
        ("“Go,” he—well... (go)!?", "“ɡˌO,” hi—wˈɛl... (ɡˌO)!?"),
        (
            "'go' ‘go’ 'tis ’Tis 'TIS 'Go' \"go\"",
            "“ɡˌO” “ɡˌO” tˈɪz tˈɪz tˈɪz “ɡˌO” “ɡˌO”",
        ),
        (
            "cat 'n' book, cat-'n'-book, 'well'-known",
            "kˈæt ən bˈʊk, kˈætənbˈʊk, “wˈɛl”nˈOn",
        ),
        ("well.known .book", "wˈɛl dˌioˌitˈi nˈOn dˌioˌitˈi bˈʊk"),
        ("- go – go; pre", "ɡˌO — ɡˌO; pˌirˌieˈi"),
        // What the reading stage has left.
        ("42 1.2", "fˈɔɹTitˌu wˈʌn pˈYnt tˈu"),
        ("41%, ½", "fˈɔɹTiwˌʌn pəɹsˈɛnt, wˈʌn ˈOvəɹ tˈu"),
        ("[[fəˈnɛt]]", "fənˈɛt"),
    ] {
        let read = english.read(text).unwrap();
        assert_eq!(read.phonemes, phonemes, "{text}");
        assert_eq!(read.unknown, [""; 0], "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let english = small();
    let read = english.read("The Москва, 東京-cat 東京 ☃ [[ʘ]]").unwrap();
    assert_eq!(read.phonemes, "ðə, kˈæt");
    assert_eq!(read.unknown, ["Москва", "東京", "☃", "ʘ"]);
}

#[test]
fn words_are_where_they_are_said() {
    let text = "“The well-known cat,” he.";
    let read = small().read(text).unwrap();
    let chars: Vec<char> = read.phonemes.chars().collect();
    let said = |(of, place): &(Range<usize>, Range<usize>)| {
        let phonemes: String = chars[place.clone()].iter().collect();
        format!("{}={phonemes}", &text[of.clone()])
    };
    let said: Vec<String> = read.words.iter().map(said).collect();
    assert_eq!(said, ["The=ðə", "well-known=wˌɛlnˈOn", "cat=kˈæt", "he=hi"]);
}

#[test]
fn a_file_that_is_not_right_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lexicon_us_gold.json.gz"), "no").unwrap();
    let opened = English::open(folder.path(), Path::new("nowhere"), Dialect::American);
    let Err(error) = opened else {
        panic!("it was opened");
    };
    assert!(error.to_string().contains("lexicon_us_gold"), "{error}");
}

/// What must hold of whatever is read.
fn check(text: &str, read: &Read) -> Result<(), TestCaseError> {
    let length = read.phonemes.chars().count();
    let (mut past, mut said) = (0, 0);
    let mut in_words = vec![false; text.len()];
    for (of, place) in &read.words {
        prop_assert!(past <= of.start && of.start < of.end && text.get(of.clone()).is_some());
        prop_assert!(said <= place.start && place.start < place.end && place.end <= length);
        (past, said) = (of.end, place.end);
        in_words[of.clone()].fill(true);
    }
    let unknown: String = read.unknown.concat().nfkd().collect();
    // The letter that is an apostrophe is a mark where it stands alone.
    let sounds = |c: char| c.is_alphanumeric() && c != 'ʼ';
    for (at, c) in text.char_indices().filter(|(_, c)| sounds(*c)) {
        let told = || c.nfkd().all(|c| unknown.contains(c));
        prop_assert!(in_words[at] || told(), "{c} of {text:?} is nowhere");
    }
    Ok(())
}

thread_local! {
    static SMALL: English = small();
}

proptest! {
    #[test]
    fn nothing_is_lost(text in "\\PC{0,40}") {
        let read = SMALL.with(|english| english.read(&text)).unwrap();
        check(&text, &read)?;
    }

    #[test]
    fn nothing_of_a_sentence_is_lost(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "the", "The", "I", "to", "cat", "AA", "é", "McGregor", "U.S.", "e.g.", "Mr", "'s", "’", "‘", "'",
                "\"", "-", "—", ".", "...", ",", "[[", "]]", "ˈ", "ə", "12", "1.5", "½", "²", "٣", "ß", "東", "\u{301}",
                "\u{ad}", " ", " ", "/", "&", "☃", "n't", "ʼ",
            ]),
            0..12,
        ),
    ) {
        let text = parts.concat();
        let read = SMALL.with(|english| english.read(&text)).unwrap();
        check(&text, &read)?;
    }
}

/// With the real lists, where they are installed.
#[test]
fn heteronyms_are_told_apart() {
    let Some((folder, library)) = installed() else {
        eprintln!("skipped: hibari's files are not installed");
        return;
    };
    let english = English::open(&folder, &library, Dialect::American).unwrap();
    for (text, phonemes) in [
        (
            "Wind the clock before the wind blows.",
            "wˈInd ðə klˈɑk bəfˈɔɹ ðə wˈɪnd blˈOz.",
        ),
        (
            "He lives near the live music, and lives well.",
            "hˌi lˈɪvz nˌɪɹ ðə lˈIv mjˈuzɪk, ænd lˈɪvz wˈɛl.",
        ),
        (
            "Close the door, and stay close.",
            "klˈOz ðə dˈɔɹ, ænd stˈA klˈOs.",
        ),
        (
            "They record the record, and use it for its use.",
            "ðˌA ɹəkˈɔɹd ðə ɹˈɛkəɹd, ænd jˈuz ɪt fɔɹ ɪts jˈus.",
        ),
    ] {
        assert_eq!(english.read(text).unwrap().phonemes, phonemes);
    }
    if library.exists() {
        let long = "antidisestablishmentarianismistically";
        let read = english.read(&format!("Zorblax résumés {long}")).unwrap();
        assert_eq!(read.unknown, [""; 0]);
        assert_eq!(read.words.len(), 3);
        assert!(read.phonemes.ends_with("kli"), "{}", read.phonemes);
    }
}

/// The folder with the real files, and the runtime's library, where this machine has them.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/aloud-assets");
    let folder = std::env::var_os("ALOUD_HIBARI").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| assets.join("voices/hibari"));
    let library = std::env::var_os("ALOUD_ONNXRUNTIME").map(PathBuf::from);
    let library = library.or_else(|| {
        let version = fs::read_dir(assets.join("onnxruntime"))
            .ok()?
            .next()?
            .ok()?;
        let mut files = fs::read_dir(version.path()).ok()?.flatten();
        let library =
            files.find(|file| file.file_name().to_string_lossy().contains("onnxruntime"))?;
        Some(library.path())
    });
    let library = library.unwrap_or_else(|| PathBuf::from("libonnxruntime.so"));
    folder
        .join("tagger.json.gz")
        .exists()
        .then_some((folder, library))
}

/// Reads the lines of the file that `ALOUD_ENGLISH_LINES` names and writes their phonemes beside it, which is
/// how `tests/peers/english.py` compares them with those of others.
#[test]
fn lines_are_read_for_comparison() {
    let Some(lines) = std::env::var_os("ALOUD_ENGLISH_LINES").map(PathBuf::from) else {
        return;
    };
    let (folder, library) = installed().expect("ALOUD_HIBARI");
    let dialect = match std::env::var("ALOUD_ENGLISH_DIALECT").as_deref() {
        Ok("british") => Dialect::British,
        _ => Dialect::American,
    };
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or_default().to_owned()
    };
    eprintln!("before {}", memory());
    let start = std::time::Instant::now();
    let english = English::open(&folder, &library, dialect).unwrap();
    eprintln!("opened in {:?}, {}", start.elapsed(), memory());
    let text = std::fs::read_to_string(&lines).unwrap();
    let start = std::time::Instant::now();
    let mut out = String::new();
    for line in text.lines() {
        let read = english.read(line).unwrap();
        out.extend([&*read.phonemes, "\t", &read.unknown.join(" "), "\n"]);
    }
    eprintln!("read in {:?}, {}", start.elapsed(), memory());
    std::fs::write(lines.with_extension("out"), out).unwrap();
}
