//! Each family of voices for real: fetched, and speaking. What there is no npm for is left out, and told.

mod kit;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kit::{Home, JOE};
use serde_json::Value;

const ENGLISH: &str = "The harbor lights came on one by one, and nobody on the quay said a word.";
const FRENCH: &str = "Vers minuit, le vent est tombé, et la lumière de la tour brûlait encore.";

/// Whether there are Kokoro's voices: they come from npm.
fn has_kokoro() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let mut npm = Command::new("npm");
        let npm = npm
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let has = npm.status().is_ok_and(|it| it.success());
        if !has {
            eprintln!("left out: Kokoro's voices, for there is no npm");
        }
        has
    })
}

/// A home with voices of all families, which are fetched once.
fn home() -> Home {
    static FETCHED: OnceLock<()> = OnceLock::new();
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aloud-families");
    let link = || {
        let home = Home::empty();
        std::os::unix::fs::symlink(&data, home.path("data")).unwrap();
        home
    };
    FETCHED.get_or_init(|| {
        std::fs::create_dir_all(&data).unwrap();
        let home = link();
        let kokoro = has_kokoro().then_some(["af_heart", "ff_siwis"]);
        let voices = ["hibari", JOE]
            .into_iter()
            .chain(kokoro.into_iter().flatten());
        let args: Vec<&str> = ["setup"].into_iter().chain(voices).collect();
        let setup = home.run(&args);
        let said = format!("the real voices are needed: {}{}", setup.out, setup.err);
        assert_eq!(setup.code, Some(0), "{said}");
    });
    link()
}

/// Narrates a text, and gives what its record says of the narration, the words of its clips, and the joined
/// narration's bytes.
fn narrate(text: &str, more: &[&str]) -> (Value, Vec<Value>, Vec<u8>) {
    let home = home();
    let file = home.write("text.txt", text);
    let args: Vec<&str> = ["narrate", &file, "--json", "--offline"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(0), "{more:?}: {}", ran.err);
    let folder = home.path("narrations/text");
    let record = std::fs::read_to_string(folder.join("narration.jsonl")).unwrap();
    let lines = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let (clips, rest): (Vec<Value>, Vec<Value>) =
        lines.partition(|it: &Value| it["record"] == "clip");
    let narration = rest
        .into_iter()
        .find(|it| it["record"] == "narration")
        .unwrap();
    let summary = ran.summary();
    let joined = std::fs::read(summary["files"][0].as_str().unwrap()).unwrap();
    let words = clips
        .into_iter()
        .flat_map(|clip| clip["words"].as_array().unwrap().clone());
    (narration, words.collect(), joined)
}

#[test]
fn every_family_says_every_word() {
    let usual = narrate(ENGLISH, &[]);
    assert_eq!(usual.0["voice"], "hibari");
    let mut cases = vec![("hibari", ENGLISH), (JOE, ENGLISH)];
    if has_kokoro() {
        cases.push(("af_heart", ENGLISH));
        cases.push(("bf_emma:60+af_heart:40", ENGLISH));
        cases.push(("ff_siwis", FRENCH));
    }
    for (voice, text) in cases {
        let (narration, said, joined) = narrate(text, &["--voice", voice]);
        assert_eq!(narration["voice"], voice);
        let words = text.split_whitespace().count();
        assert_eq!(said.len(), words, "{voice}: {said:?}");
        let rate = u32::from_le_bytes(joined[24..28].try_into().unwrap());
        assert_eq!(rate, if voice == JOE { 22_050 } else { 24_000 });
        // 44 bytes of head; two to seven seconds.
        let seconds = (joined.len() - 44) / 2 / rate as usize;
        assert!((2..=7).contains(&seconds), "{voice}: {seconds} s");
    }
}

#[test]
fn the_same_text_gives_the_same_samples() {
    let mut voices = vec!["hibari"];
    if has_kokoro() {
        voices.push("af_heart");
    }
    for voice in voices {
        let once = narrate(ENGLISH, &["--voice", voice]).2;
        let again = narrate(ENGLISH, &["--voice", voice]).2;
        assert!(once == again, "{voice}");
    }
}
