//! Whatever is wrong with the input: one clear message with what to do, the right exit code, and
//! nothing lost that was finished.

mod kit;

use kit::{Home, Ran, STORY, clips};

/// One message on standard error, on one line, that says all of this; the exit code; and nothing
/// was begun.
#[track_caller]
fn refused(home: &Home, ran: &Ran, code: i32, says: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    let messages: Vec<_> = ran
        .err
        .lines()
        .filter(|line| line.starts_with("aloud: "))
        .collect();
    assert_eq!(messages.len(), 1, "{}", ran.err);
    for part in says {
        assert!(
            messages[0].contains(part),
            "`{part}` is not in: {}",
            messages[0]
        );
    }
    assert!(
        !ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'),
        "{:?}",
        ran.err
    );
    assert!(!home.path("narrations").join("x").exists());
}

#[test]
fn a_missing_file() {
    let home = Home::empty();
    let ran = home.run(&["narrate", "no/such/file.txt"]);
    refused(
        &home,
        &ran,
        2,
        &["no/such/file.txt", "no such file", "check the name"],
    );
}

#[test]
fn a_folder() {
    let home = Home::empty();
    let ran = home.run(&["narrate", home.folder.path().to_str().unwrap()]);
    refused(&home, &ran, 2, &["it is a folder", "name the files in it"]);
}

#[test]
fn a_binary() {
    let home = Home::empty();
    for (bytes, says) in [
        (&b"PK\x03\x04\x14\0\x06\0"[..], "ZIP"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"words and a \0 in them", "NUL"),
    ] {
        let ran = home.run(&["narrate", &home.write("x", bytes)]);
        refused(&home, &ran, 2, &[says]);
    }
}

#[test]
fn invalid_utf8_says_where() {
    let home = Home::empty();
    let ran = home.run(&["narrate", &home.write("x.txt", b"One.\nTwo caf\xe9s.")]);
    refused(
        &home,
        &ran,
        2,
        &["0xE9", "line 2, column 8", "offset 12", "iconv"],
    );
}

#[test]
fn byte_order_marks_and_utf16_are_read() {
    let home = Home::ready();
    let text = "Good evening.";
    let with_bom = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let little: Vec<u8> = b"\xff\xfe"
        .iter()
        .copied()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let big: Vec<u8> = b"\xfe\xff"
        .iter()
        .copied()
        .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
        .collect();
    for bytes in [with_bom, little, big] {
        let ran = home.run(&["phonemes", "--json", &home.write("x.txt", bytes)]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.events()[0]["text"], text);
    }
}

#[test]
fn an_empty_text() {
    let home = Home::empty();
    for bytes in ["", " \n\t\n", "\u{feff}"] {
        let ran = home.run(&["narrate", &home.write("x.txt", bytes)]);
        refused(&home, &ran, 2, &["x.txt", "no text in it"]);
    }
}

#[test]
fn a_text_of_only_punctuation() {
    let home = Home::ready();
    let ran = home.run(&["narrate", &home.write("x.txt", "?! … — * * *\n\n...")]);
    refused(
        &home,
        &ran,
        2,
        &["nothing to speak", "only punctuation", "has words"],
    );
}

#[test]
fn terminal_escapes_never_reach_the_screen_raw() {
    let home = Home::ready();
    let text = "\u{1b}]0;owned\u{7}\u{1b}[31mRed\u{1b}[0m words\u{202e} are spoken.\u{9b}2J";
    let file = home.write("\u{1b}[31mname.txt", text);
    let ran = home.run(&["narrate", "--plain", &file]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for bad in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] {
        assert!(
            !ran.out.contains(bad) && !ran.err.contains(bad),
            "{:?}{:?}",
            ran.out,
            ran.err
        );
    }
    assert!(ran.out.contains("Red words are spoken."), "{}", ran.out);
    assert!(ran.out.contains("left out"), "{}", ran.out);
    let missing = home.run(&["narrate", "\u{1b}[31mno.txt"]);
    refused(&home, &missing, 2, &["no such file"]);
}

#[test]
fn an_unknown_voice_names_the_nearest() {
    let home = Home::ready();
    let file = home.write("x.txt", STORY);
    let ran = home.run(&["narrate", &file, "--voice", "en_US-jo-medium"]);
    refused(
        &home,
        &ran,
        2,
        &["en_US-jo-medium", "did you mean `en_US-joe-medium`"],
    );
}

#[test]
fn a_truncated_or_foreign_model() {
    let home = Home::ready();
    let file = home.write("x.txt", STORY);
    let data = home.path("data/voices/en_US-joe-medium");
    let model = std::fs::read(data.join("en_US-joe-medium.onnx")).unwrap();
    let config = std::fs::read(data.join("en_US-joe-medium.onnx.json")).unwrap();
    home.write("v.onnx.json", config);
    for (bytes, says) in [
        (&model[..model.len() / 2], "truncated"),
        (b"<!DOCTYPE html><p>Not found</p>", "not an ONNX model"),
        (b"", "empty"),
    ] {
        let voice = home.write("v.onnx", bytes);
        let ran = home.run(&["narrate", &file, "--voice", &voice]);
        refused(
            &home,
            &ran,
            2,
            &["v.onnx", says, "Download the voice again"],
        );
    }
}

#[test]
fn a_config_without_a_field_we_need() {
    let home = Home::ready();
    let file = home.write("x.txt", STORY);
    let model = home.path("data/voices/en_US-joe-medium/en_US-joe-medium.onnx");
    std::os::unix::fs::symlink(model, home.path("v.onnx")).unwrap();
    let voice = home.path("v.onnx").to_str().unwrap().to_owned();
    let missing = home.run(&["narrate", &file, "--voice", &voice]);
    refused(
        &home,
        &missing,
        2,
        &["v.onnx", "configuration is missing", ".onnx.json"],
    );
    for (config, says) in [
        ("{}", "missing field `audio`"),
        (
            r#"{"audio":{"sample_rate":22050},"espeak":{"voice":"en"}}"#,
            "phoneme_id_map",
        ),
        (
            r#"{"audio":{"sample_rate":22050},"phoneme_id_map":{"^":[1],"_":[0],"$":[2]}}"#,
            "espeak.voice",
        ),
        ("not json", "expected"),
    ] {
        home.write("v.onnx.json", config);
        let ran = home.run(&["narrate", &file, "--voice", &voice]);
        refused(&home, &ran, 2, &["v.onnx.json", says, "Download"]);
    }
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let home = Home::ready();
    let file = home.write("x.txt", STORY);
    let ran = home.run(&["narrate", &file, "--out", &format!("{file}/out")]);
    refused(&home, &ran, 2, &["x.txt/out", "choose another with --out"]);
}

#[test]
fn a_full_disk_keeps_what_is_finished_and_the_next_run_goes_on() {
    let home = Home::ready();
    let file = home.write("story.txt", STORY);
    let out = home.path("small");
    let mut command = home.narrating_on_a_mount(&file, &out, "size=600k", "");
    let ran = Ran::from(command.output().unwrap());
    refused(
        &home,
        &ran,
        1,
        &["the disk is full", "Free some space", "goes on from there"],
    );
    let kept = clips(&home.path("kept/story"));
    assert!(!kept.is_empty(), "{}", ran.out);
    assert!(!home.path("kept/story").join("0002.part").exists());
    for clip in &kept {
        kit::samples(clip);
    }

    // With space again, in the same place, only what is missing is made.
    std::fs::remove_dir(&out).unwrap();
    std::fs::rename(home.path("kept"), &out).unwrap();
    let again = home.run(&["narrate", &file, "--json", "--out", out.to_str().unwrap()]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    let begun = again
        .events()
        .iter()
        .filter(|e| e["event"] == "segment_started")
        .count();
    let all = again.summary()["segments"].as_u64().unwrap() as usize;
    assert_eq!(begun + kept.len(), all, "{}", again.out);
}

/// Runs the program under a limit of a shell's.
fn limited(home: &Home, limit: &str, args: &[&str]) -> Ran {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_aloud")])
        .args(args)
        .env("ALOUD_HOME", home.folder.path());
    Ran::from(command.output().unwrap())
}

#[test]
fn with_too_few_open_files_nothing_else_is_blamed() {
    let mut told = 0;
    for most in 8..24 {
        let home = Home::ready();
        let (file, voice) = (home.write("x.txt", STORY), home.tone());
        let args = ["narrate", "--plain", &file, "--voice", &voice];
        let ran = limited(&home, &format!("-n {most}"), &args);
        if ran.code == Some(0) {
            continue;
        }
        told += 1;
        assert!(ran.err.contains("`ulimit -n`"), "{most}: {}", ran.err);
        let messages = ran.err.lines().filter(|line| line.starts_with("aloud: "));
        assert_eq!(messages.count(), 1, "{most}: {}", ran.err);
        for wrong in [
            "report this text",
            "Download",
            "the disk",
            "move it away",
            "choose another with",
            "may be written to",
            "is damaged",
        ] {
            assert!(!ran.err.contains(wrong), "{most}: {}", ran.err);
        }
        let again = home.run(&args);
        assert_eq!(again.code, Some(0), "{most}: {}", again.err);
    }
    assert!(told > 0, "every limit was enough");
}

#[test]
fn a_file_that_may_not_grow_is_named() {
    let home = Home::ready();
    let (file, voice) = (home.write("story.txt", STORY), home.tone());
    let args = ["narrate", "--plain", &file, "--voice", &voice];
    // In blocks of 512 or 1024 bytes: enough for the database, not for the longest clips.
    let ran = limited(&home, "-f 300", &args);
    let says = [".wav: File too large", "`ulimit -f`"];
    refused(&home, &ran, 1, &says);
    assert!(!ran.err.contains("may be written to"), "{}", ran.err);
    let again = home.run(&args);
    assert_eq!(again.code, Some(0), "{}", again.err);

    // Not even the database may grow.
    let home = Home::ready();
    let (file, voice) = (home.write("story.txt", STORY), home.tone());
    let args = ["narrate", "--plain", &file, "--voice", &voice];
    let ran = limited(&home, "-f 20", &args);
    refused(&home, &ran, 1, &["aloud.db", "too large", "`ulimit -f`"]);
}

#[test]
fn no_network_and_nothing_installed() {
    let home = Home::empty();
    let file = home.write("x.txt", STORY);
    for args in [
        &["narrate", &file, "--offline"][..],
        &["setup", "--offline"],
    ] {
        let ran = home.run(args);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        for part in ["ONNX Runtime", "Voice hibari", "MB", "--from"] {
            assert!(ran.err.contains(part), "`{part}` is not in: {}", ran.err);
        }
    }
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(
        doctor.out.contains("missing") && doctor.out.contains("aloud setup"),
        "{}",
        doctor.out
    );
}

#[test]
fn a_text_in_another_language_than_the_voices_is_told_before_work_starts() {
    const TEXT: &str = "C’était un soir froid, et les bateaux n’étaient pas encore rentrés. Personne au port ne \
        disait ce que tout le monde pensait, et l’on allumait les lampes l’une après l’autre.";
    let home = Home::ready();
    let tone = home.tone();
    let french = home.write("soir.txt", TEXT);
    let named = home.write("tea.md", "---\nlang: de-AT\n---\nTea.\n");
    let own = home.write("story.txt", STORY);
    let narrate = |file: &str| {
        let out = home.path("out");
        home.run(&[
            "narrate",
            file,
            "--voice",
            &tone,
            "--plain",
            "--out",
            out.to_str().unwrap(),
        ])
    };
    let ran = narrate(&french);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let told = "it seems to be in French, which tone does not speak, for it speaks English";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert!(narrate(&named).out.contains("it is in German, which tone"));
    assert!(!narrate(&own).out.contains("does not speak"));
}

#[test]
fn another_voice_is_told_of_before_it_speaks_what_is_there() {
    const TEXT: &str = "C’était un soir froid, et les bateaux n’étaient pas encore rentrés. Personne au port ne \
        disait ce que tout le monde pensait, et l’on allumait les lampes l’une après l’autre.";
    let home = Home::ready();
    let (file, tone) = (home.write("soir.txt", TEXT), home.tone());
    let config = std::fs::read(home.path("tone.onnx.json")).unwrap();
    let mut many: serde_json::Value = serde_json::from_slice(&config).unwrap();
    many["num_speakers"] = 3.into();
    many["speaker_id_map"] = serde_json::json!({ "Alba": 1 });
    home.write("many.onnx.json", many.to_string());
    let model = std::fs::read(home.path("tone.onnx")).unwrap();
    let many = home.write("many.onnx", model);
    let out = home.path("out");
    let ran = home.run(&[
        "narrate",
        &file,
        "--voice",
        &tone,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let retry = |with: &[&str]| home.run(&[&["retry", "soir"], with].concat());
    let ran = retry(&["--voice", &many, "--speaker", "nobody"]);
    assert!(ran.err.contains("has no speaker nobody"), "{}", ran.err);
    let ran = retry(&["--speaker", "Alba"]);
    assert!(
        ran.err.contains("--speaker needs the --voice"),
        "{}",
        ran.err
    );
    let ran = retry(&["--voice", &many, "--speaker", "alba"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("tried again: soir"), "{}", ran.out);
    let told = "it seems to be in French, which many does not speak";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert_eq!(home.run(&["wait"]).code, Some(0));
    home.run(&["stop"]);
    let record = std::fs::read_to_string(out.join("soir/narration.jsonl")).unwrap();
    assert!(record.contains("\"speaker\":1"), "{record}");
}

#[test]
fn speakers_are_told_by_number_or_by_name() {
    let home = Home::ready();
    let (file, voice) = (home.write("story.txt", STORY), home.tone());
    let config = home.path("tone.onnx.json");
    let mut many: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    many["num_speakers"] = 3.into();
    many["speaker_id_map"] = serde_json::json!({ "Alba": 0, "p225": 2 });
    std::fs::write(&config, many.to_string()).unwrap();
    let narrate = |speaker: &str, out: &str| {
        let out = home.path(out);
        let out = out.to_str().unwrap();
        home.run(&[
            "narrate",
            &file,
            "--voice",
            &voice,
            "--speaker",
            speaker,
            "--out",
            out,
        ])
    };
    for (speaker, number) in [("p225", 2), ("alba", 0), ("1", 1)] {
        let ran = narrate(speaker, speaker);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let record = std::fs::read_to_string(home.path(speaker).join("story/narration.jsonl"));
        let told = format!("\"speaker\":{number}");
        assert!(record.unwrap().contains(&told), "{speaker}");
    }
    for speaker in ["nobody\u{1b}[2J", "3"] {
        let ran = narrate(speaker, "none");
        assert_ne!(ran.code, Some(0));
        let told = "its speakers are 0 to 2, called Alba, p225";
        assert!(
            ran.err.contains(told) && !ran.err.contains('\u{1b}'),
            "{}",
            ran.err
        );
        let doctor = home.run(&["doctor", "--voice", &voice, "--speaker", speaker]);
        assert!(doctor.out.contains(told), "{}", doctor.out);
    }
    many["num_speakers"] = (1_u32 << 31).into();
    std::fs::write(&config, many.to_string()).unwrap();
    let ran = narrate("1", "none");
    let told = "num_speakers is 2147483648, expected at most 10000";
    assert!(ran.err.contains(told), "{}", ran.err);
}

#[test]
fn voices_of_ones_own_are_added_whole_or_not_at_all() {
    const CONFIG: &str = r#"{"audio":{"sample_rate":16000,"quality":"low"},"language":{"code":"de_DE"},
        "espeak":{"voice":"de"},"inference":{},"num_speakers":3,"phoneme_id_map":{"_":[0],"^":[1],"$":[2]}}"#;
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let home = Home::empty();
    let tone = std::fs::read(format!("{fixtures}/tone.onnx")).unwrap();
    home.write("mine/tone.onnx", &tone);
    let mine = home.path("mine");
    let add = || home.run(&["voices", "add", mine.to_str().unwrap()]);
    let refused = |part: &str| {
        let ran = add();
        assert_ne!(ran.code, Some(0), "{}", ran.out);
        assert!(ran.err.contains(part), "{}", ran.err);
        let voices = home.run(&["voices", "--json"]).out;
        assert!(!voices.contains("\"tone\""), "{voices}");
    };
    refused("its configuration is missing");
    home.write("mine/tone.onnx.json", "[]");
    refused("tone.onnx.json can't be used");
    home.write("mine/tone.onnx.json", CONFIG);
    // Of several of which one can't be used none is added.
    home.write("mine/bad.onnx", "no model");
    home.write("mine/bad.onnx.json", CONFIG);
    refused("bad.onnx can't be used");
    std::fs::remove_file(home.path("mine/bad.onnx")).unwrap();
    let ran = add();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("✔ added tone (de-DE, 3 speakers)"),
        "{}",
        ran.out
    );
    assert_eq!(
        std::fs::read(home.path("data/voices/tone.onnx")).unwrap(),
        tone
    );
    let left = std::fs::read_dir(home.path("data/voices")).unwrap();
    assert_eq!(left.count(), 2);
    assert!(home.run(&["voices"]).out.contains("tone"));
    assert!(add().out.contains("✔ there already: 1 of 1"));
    // What macOS leaves on disks is no voice; another of the same name is none of ours.
    home.write("mine/._tone.onnx", "x");
    std::fs::create_dir(home.path("mine/folder.onnx")).unwrap();
    home.write("mine/.hidden.onnx", &tone);
    home.write("mine/new.onnx", &tone);
    home.write("mine/new.onnx.json", CONFIG);
    home.write("mine/tone.onnx.json", CONFIG.replace("low", "high"));
    let ran = add();
    assert!(
        ran.err.contains("there is a voice called tone already"),
        "{}",
        ran.err
    );
    assert!(
        !home.path("data/voices/new.onnx").exists(),
        "none of them is added"
    );
    home.write("mine/tone.onnx.json", CONFIG);
    assert!(add().out.contains("✔ added new"));
    home.write("-x.onnx", &tone);
    home.write("-x.onnx.json", CONFIG);
    let dash = home.path("-x.onnx");
    let ran = home.run(&["voices", "add", dash.to_str().unwrap()]);
    assert!(
        ran.err.contains("no command can name a voice so"),
        "{}",
        ran.err
    );
    for (args, part) in [
        (
            &["voices", "add", "/nowhere/x.onnx"][..],
            "there is no such file",
        ),
        (&["setup", "nobody"], "there is no voice"),
    ] {
        let ran = home.run(args);
        assert_ne!(ran.code, Some(0), "{args:?}");
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn a_bad_setting_or_command() {
    let home = Home::empty();
    let file = home.write("x.txt", STORY);
    home.write("config/config.toml", "voise = \"joe\"\n");
    refused(
        &home,
        &home.run(&["narrate", &file]),
        2,
        &["voise", "did you mean `voice`"],
    );
    assert_eq!(Home::empty().run(&["narrate"]).code, Some(2));
    assert_eq!(Home::empty().run(&["narate", "x"]).code, Some(2));
    let speed = Home::empty().run(&["narrate", &file, "--speed", "9"]);
    refused(&home, &speed, 2, &["speed", "0.25 to 4"]);
}

#[test]
fn a_library_in_use_names_its_holder() {
    let home = Home::ready();
    let file = home.write("x.txt", STORY);
    let options = aloud::engine::Options::new(home.path("state"));
    let engine = aloud::engine::Engine::open(options).unwrap();
    let ran = home.run(&["narrate", &file]);
    refused(&home, &ran, 1, &["in use", &std::process::id().to_string()]);
    engine.shutdown(aloud::engine::ShutdownWait::Now);
}
