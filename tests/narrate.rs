//! The program narrates real texts with the real voice, without the monitor.

mod kit;

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kit::{Home, Running, STORY, clips, samples, wait_for};
use serde_json::Value;

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_samples_are_narrated_whole_and_the_joined_length_is_right_to_the_sample() {
    let home = Home::ready();
    let out = home.path("out");
    let texts = [
        "the-lighthouse-keeper.txt",
        "the-night-train.txt",
        "listening-well.md",
    ]
    .map(sample);
    let mut args = vec!["narrate", "--json", "--out", out.to_str().unwrap()];
    args.extend(texts.iter().map(String::as_str));
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let summary = ran.summary();
    assert_eq!(summary["tasks"], 3);
    assert_eq!(summary["failed"], 0);
    assert_eq!(summary["completed"], summary["segments"]);
    assert_eq!(summary["files"].as_array().unwrap().len(), 3);
    let folders = joined_folders(&ran);
    assert_eq!(folders.len(), 3);
    for folder in folders {
        open_with_python(&folder);
    }
}

/// The folders of the narrations of a run. Each holds all of its clips, and a joined file of their
/// length.
fn joined_folders(ran: &kit::Ran) -> Vec<PathBuf> {
    let mut by_task: HashMap<String, Vec<Value>> = HashMap::new();
    for event in ran.events() {
        if event["event"] == "segment_completed" {
            by_task
                .entry(event["task"].as_str().unwrap().into())
                .or_default()
                .push(event);
        }
    }
    let mut folders = Vec::new();
    let ended = |task: &str| {
        let mut events = ran.events().into_iter();
        events
            .find(|event| event["event"] == "ended" && event["task"] == task)
            .unwrap()
    };
    for (task, mut segments) in by_task {
        segments.sort_by_key(|event| event["segment_id"].as_u64());
        let mut expected = 0;
        for (index, segment) in segments.iter().enumerate() {
            assert_eq!(segment["segment_id"], index as u64 + 1);
            expected += samples(Path::new(segment["clip"].as_str().unwrap()));
            if index + 1 < segments.len() {
                expected += segment["pause_ms"].as_u64().unwrap() * 22_050 / 1000;
            }
        }
        let files = ended(&task)["files"].clone();
        let joined = PathBuf::from(files[0].as_str().unwrap());
        assert_eq!(samples(&joined), expected, "{}", joined.display());
        let folder = joined.parent().unwrap().to_owned();
        assert_eq!(clips(&folder).len(), segments.len());
        folders.push(folder);
    }
    folders
}

/// Every WAV file in a folder opens with Python's own module.
fn open_with_python(folder: &Path) {
    let script = "import sys, wave, pathlib\n\
        for path in pathlib.Path(sys.argv[1]).glob('*.wav'):\n\
        \x20   with wave.open(str(path)) as clip:\n\
        \x20       assert clip.getframerate() == 22050 and clip.getnframes() > 2000, path\n";
    let python = Command::new("python3")
        .args(["-c", script])
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
}

#[test]
fn killed_at_any_clip_it_continues_and_makes_nothing_twice() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    let folder = home.path("narrations/story");
    let mut made: HashMap<PathBuf, (u64, i64)> = HashMap::new();
    let identity = |path: &Path| {
        let metadata = path.metadata().unwrap();
        (metadata.ino(), metadata.mtime_nsec())
    };
    for kill_at in [1, 2, 4] {
        let mut child = home
            .command(&["narrate", &story, "--json"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("a clip", || (clips(&folder).len() >= kill_at).then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        for clip in clips(&folder) {
            let now = identity(&clip);
            let name = clip.display().to_string();
            // The clip in work may have had its name, and not yet its row, when the kill came.
            let before = made.insert(clip, now);
            assert!(
                before.is_none_or(|before| before == now),
                "{name} was made again"
            );
        }
        made.retain(|clip, _| stored(&home, clip));
    }
    let ran = home.run(&["narrate", &story, "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let summary = ran.summary();
    assert_eq!(
        (&summary["failed"], &summary["tasks"]),
        (&0.into(), &1.into())
    );
    for (clip, before) in &made {
        assert_eq!(identity(clip), *before, "{} was made again", clip.display());
    }
    assert_eq!(
        clips(&folder).len() as u64,
        summary["segments"].as_u64().unwrap()
    );
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| !path.ends_with(aloud::narrate::MARK_FILE))
        .collect();
    assert!(
        left.iter()
            .all(|path| path.extension().is_some_and(|e| e == "wav" || e == "jsonl")),
        "{left:?}"
    );
    assert!(!home.path("narrations/story-2").exists());

    // The same text once more: nothing is made at all, and the files stay the same ones.
    let before: Vec<_> = clips(&folder).iter().map(|clip| identity(clip)).collect();
    let again = home.run(&["narrate", &story, "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(
        !again
            .events()
            .iter()
            .any(|event| event["event"] == "segment_started")
    );
    assert_eq!(
        clips(&folder)
            .iter()
            .map(|clip| identity(clip))
            .collect::<Vec<_>>(),
        before
    );
}

/// Whether the database has a row for the clip: only such a clip is finished.
fn stored(home: &Home, clip: &Path) -> bool {
    let database = rusqlite::Connection::open(home.path("state/aloud.db")).unwrap();
    let name = clip.file_name().unwrap().to_str().unwrap();
    let query = "SELECT COUNT(*) FROM segments WHERE clip = ?1";
    database
        .query_row(query, [name], |row| row.get::<_, i64>(0))
        .unwrap()
        == 1
}

#[test]
fn a_command_runs_at_the_end_of_a_task_and_is_ended_when_it_takes_too_long() {
    let home = Home::ready();
    let story = home.write("story.txt", "One sentence, and that is all.");
    let (told, after) = (home.path("told.json"), home.path("after"));
    let command = format!(
        "cat > {} && echo $ALOUD_TASK_STATE >&2; sleep 600; touch {}",
        told.display(),
        after.display()
    );
    let mut narrate = home.command(&["narrate", &story, "--json"]);
    narrate
        .env("ALOUD_ON_COMPLETE", command)
        .env("ALOUD_ON_COMPLETE_TIMEOUT", "2");
    let ran = kit::Ran::from(narrate.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let task: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert_eq!(task["state"], "COMPLETED");
    assert_eq!(task["title"], "story");
    assert_eq!(task["completed_segments"].as_array().unwrap().len(), 1);
    assert!(!after.exists(), "it was ended");
}

#[test]
fn kept_clips_are_copied_and_can_be_cleaned_away() {
    let home = Home::ready();
    let first = home.write(
        "first.txt",
        "The tide was out.\n\nNobody had seen the boat.",
    );
    let second = home.write(
        "second.txt",
        "The tide was out.\n\nEverybody had seen the boat.",
    );
    assert_eq!(home.run(&["narrate", &first]).code, Some(0));
    let ran = home.run(&["narrate", &second, "--json"]);
    assert_eq!(ran.summary()["completed"], 2);
    let clip = |name: &str| {
        let folder = home.path("narrations").join(name);
        std::fs::read(folder.join("0001-the-tide-was-out.wav")).unwrap()
    };
    assert_eq!(clip("first"), clip("second"));

    let clean = |args: &[&str]| -> Value {
        let ran = home.run(args);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    };
    let kept = clean(&["clean", "--json"]);
    assert_eq!((&kept["deleted"], &kept["left"]), (&0.into(), &3.into()));
    let all = clean(&["clean", "--all", "--json"]);
    assert_eq!((&all["deleted"], &all["left"]), (&3.into(), &0.into()));
    assert!(!clip("first").is_empty(), "its own clips stay");
}

#[test]
fn a_voice_is_measured_and_the_best_is_remembered() {
    let home = Home::ready();
    let ran = home.run(&["bench", "--rounds", "1", "--store", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["speed"].as_f64().unwrap() > 0.0));
    let best = report["best_threads"].as_u64().unwrap();
    assert!(rows.iter().any(|row| row["threads"].as_u64() == Some(best)));
    let stored = std::fs::read_to_string(home.path("state/tuning.json")).unwrap();
    assert!(stored.contains(&format!("\"threads\": {best}")), "{stored}");
}

#[test]
fn one_that_is_given_to_another_voice_meanwhile_is_followed_to_its_end() {
    let home = Home::ready();
    let tone = home.tone();
    let model = std::fs::read(home.path("tone.onnx")).unwrap();
    let other = home.made_voice("other", &model);
    // Of the same bytes it would be the same voice.
    let config = std::fs::read(home.path("other.onnx.json")).unwrap();
    home.write("other.onnx.json", [&config[..], b"\n"].concat());
    let lamps = (1..200).map(|lamp| format!("Lamp {lamp} burned on.\n\n"));
    let story = home.write("story.txt", lamps.collect::<String>());
    let out = home.path("out");
    let args = ["narrate", &story, "--json", "--voice", &tone, "--out"];
    let mut narrating =
        Running::start(home.command(&[&args[..], &[out.to_str().unwrap()]].concat()));
    narrating.until("segment_completed");
    let retry = home.run(&["retry", "story", "--voice", &other]);
    assert_eq!(retry.code, Some(0), "{}", retry.err);
    let (code, events) = narrating.end();
    assert_eq!(code, Some(0));
    let told = |name: &str| {
        let mut all = events.iter().filter(|event| event["event"] == name);
        let one = all.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(all.next().is_none(), "{name} twice");
        one
    };
    let ended = told("ended");
    assert_eq!(ended["state"], "COMPLETED");
    assert_eq!(ended["task"], told("replaced")["by"]);
}

#[test]
fn several_voices_say_one_text_at_one_rate() {
    let home = Home::ready();
    let tone = home.tone();
    let model = std::fs::read(home.path("tone.onnx")).unwrap();
    let slow = home.made_voice("slow", &model);
    let config = std::fs::read_to_string(home.path("slow.onnx.json")).unwrap();
    let halved = config.replace("22050", "11025");
    assert_ne!(config, halved);
    home.write("slow.onnx.json", halved);
    let text = "# One\n\n“Who is there?” asked the old man at the door.\n\n# Two\n\nNobody answered him.\n";
    let story = home.write("story.md", text);
    let out = home.path("out");
    let args = ["narrate", &story, "--json", "--voice", &tone, "--out"];
    let args = [
        &args[..],
        &[out.to_str().unwrap(), "--dialogue-voice", &slow],
    ]
    .concat();
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let record = std::fs::read_to_string(out.join("story/narration.jsonl")).unwrap();
    let lines = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<serde_json::Value> = lines.collect();
    let narration = lines
        .iter()
        .find(|line| line["record"] == "narration")
        .unwrap();
    let voices = narration["segments"].as_array().unwrap().iter();
    let voices: Vec<_> = voices.map(|it| it["voice"].as_u64().unwrap_or(0)).collect();
    assert_eq!(voices, [0, 1, 0, 0, 0]);
    assert!(
        narration["settings"]["others"][0]["voice"]
            .as_str()
            .unwrap()
            .ends_with("slow.onnx")
    );
    for clip in lines.iter().filter(|line| line["record"] == "clip") {
        let name = out.join("story").join(clip["clip"].as_str().unwrap());
        assert_eq!(
            hound::WavReader::open(name).unwrap().spec().sample_rate,
            22_050
        );
    }
    for (flag, value, told) in [
        ("--dialogue-voice", "no-such-voice", "segment 2"),
        ("--chapter-voices", "2=no-such-voice", "segment 3"),
        ("--chapter-voices", "two=x", "3=af_heart"),
    ] {
        let refused = home.run(&["narrate", &story, "--voice", &tone, flag, value]);
        assert_ne!(refused.code, Some(0));
        assert!(refused.err.contains(told), "{}", refused.err);
    }
}

#[test]
fn standard_input_and_a_voice_by_path_work() {
    let home = Home::ready();
    for name in ["en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"] {
        let from = home.path("data/voices/en_US-joe-medium").join(name);
        std::fs::copy(from, home.path(&name.replace("en_US-joe-medium", "mine"))).unwrap();
    }
    let voice = home.path("mine.onnx");
    let args = ["narrate", "-", "--json", "--voice", voice.to_str().unwrap()];
    let ran = home.run_with_input(&args, "\u{feff}Good morning. It is a fine day.".as_bytes());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.summary()["failed"], 0);
}

#[test]
fn an_unknown_phoneme_is_an_error_on_its_segment_and_the_rest_is_spoken() {
    let home = Home::ready();
    let data = home.path("data/voices/en_US-joe-medium");
    std::os::unix::fs::symlink(data.join("en_US-joe-medium.onnx"), home.path("deaf.onnx")).unwrap();
    let config = std::fs::read_to_string(data.join("en_US-joe-medium.onnx.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["phoneme_id_map"]
        .as_object_mut()
        .unwrap()
        .remove("ʃ")
        .unwrap();
    home.write("deaf.onnx.json", config.to_string());
    let text = home.write(
        "ship.txt",
        "The ship went down in the night.\n\nNobody was on board.",
    );
    let voice = home.path("deaf.onnx");
    let ran = home.run(&[
        "narrate",
        &text,
        "--json",
        "--voice",
        voice.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, Some(1));
    let summary = ran.summary();
    assert_eq!(
        (&summary["completed"], &summary["failed"]),
        (&2.into(), &1.into())
    );
    assert_eq!(summary["files"].as_array().unwrap().len(), 1);
    assert!(
        ran.err.contains("segment 1 \"The ship went down"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("leaves out the phonemes ʃ"), "{}", ran.err);
}

#[test]
fn words_that_the_voice_can_only_spell_are_errors() {
    let home = Home::ready();
    let text = "A tower in 東京.\n\n春天来了。\n\nThe letter α, and 봄이 왔다.";
    let text = home.write("tower.txt", text);
    let ran = home.run(&["narrate", "--json", &text]);
    assert_eq!(ran.code, Some(1));
    let summary = ran.summary();
    // The second has nothing else in it; of the third, eSpeak reads every word.
    assert_eq!(
        (&summary["completed"], &summary["failed"]),
        (&2.into(), &2.into()),
        "{}",
        ran.err
    );
    for said in ["can only spell, not read, 東京", "can't read 春天来了"] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}

#[test]
fn what_is_done_already_does_not_hide_what_is_not() {
    let home = Home::ready();
    let texts: Vec<String> = (1..=6)
        .map(|n| home.write(&format!("{n}.txt"), format!("This is text number {n}.")))
        .collect();
    let run = |count: usize| {
        let mut args = vec!["narrate", "--json"];
        args.extend(texts[..count].iter().map(String::as_str));
        home.run(&args)
    };
    assert_eq!(run(5).code, Some(0));
    let ran = run(6);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let summary = ran.summary();
    assert_eq!(
        (&summary["tasks"], &summary["completed"]),
        (&6.into(), &6.into())
    );
    assert_eq!(summary["files"].as_array().unwrap().len(), 6);
    assert_eq!(
        ran.events()
            .iter()
            .filter(|event| event["event"] == "submitted")
            .count(),
        6
    );
}

#[test]
fn two_texts_never_share_a_folder() {
    let home = Home::ready();
    let narrate = |text: &str| {
        let file = home.write("chapter.txt", text);
        let ran = home.run(&["narrate", "--json", &file]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        PathBuf::from(ran.summary()["files"][0].as_str().unwrap())
            .parent()
            .unwrap()
            .to_owned()
    };
    let first = narrate("The first version is here.");
    std::fs::remove_dir_all(&first).unwrap();
    let second = narrate("Another one took its place.");
    let clip = clips(&second).remove(0);
    let before = std::fs::read(&clip).unwrap();
    assert_ne!(narrate("The first version is here."), second);
    assert_eq!(std::fs::read(&clip).unwrap(), before);
}

#[test]
fn two_libraries_with_one_output_folder_never_share_a_narrations_folder() {
    let out = Home::empty();
    let homes = [Home::ready(), Home::ready()];
    let narrate = |home: &Home| {
        let mut command = home.command(&["narrate", "--json"]);
        let out = out.folder.path();
        command
            .arg("--out")
            .arg(out)
            .arg("--voice")
            .arg(home.tone());
        // Many, so that both want one folder at the same moment.
        for chapter in 1..=8 {
            command.arg(home.write(&format!("chapter-{chapter}.txt"), STORY));
        }
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let folders = |homes: &[Home]| {
        let running: Vec<_> = homes.iter().map(narrate).collect();
        let ran = running
            .into_iter()
            .map(|child| kit::Ran::from(child.wait_with_output().unwrap()));
        let folders = ran.map(|ran| {
            assert_eq!(ran.code, Some(0), "{}", ran.err);
            let mut folders = folders_of(&ran);
            folders.sort();
            folders
        });
        folders.collect::<Vec<_>>()
    };
    let first = folders(&homes);
    let mut all = first.concat();
    all.sort();
    let mut expected: Vec<_> = (1..=8)
        .flat_map(|n| [format!("chapter-{n}"), format!("chapter-{n}-2")])
        .map(|name| out.path(&name))
        .collect();
    expected.sort();
    assert_eq!(all, expected);
    // Each finds its own again.
    assert_eq!(folders(&homes), first);
}

/// The folders of the narrations of a run, as its record of each says: one narration in each.
fn folders_of(ran: &kit::Ran) -> Vec<PathBuf> {
    let made = ran.events();
    let is_new = |event: &&Value| event["event"] == "segment_completed";
    if made.iter().any(|event| is_new(&event)) {
        joined_folders(ran);
    }
    let files = ran.summary()["files"].clone();
    let files = files.as_array().unwrap().iter();
    files
        .map(|file| {
            let folder = Path::new(file.as_str().unwrap()).parent().unwrap();
            let record = std::fs::read_to_string(folder.join("narration.jsonl")).unwrap();
            let ids: HashSet<_> = record
                .lines()
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .filter(|line| line["record"] == "narration")
                .map(|line| line["fingerprint"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(ids.len(), 1);
            folder.to_owned()
        })
        .collect()
}

#[test]
fn a_folder_that_another_library_has_taken_is_left_alone() {
    let out = Home::empty();
    let (mine, other) = (Home::ready(), Home::ready());
    let folder = out.path("story");
    let narrate = |home: &Home| {
        let mut command = home.command(&["narrate", "--json", "--out"]);
        command
            .arg(out.folder.path())
            .arg("--voice")
            .arg(home.tone());
        command.arg(home.write("story.txt", STORY));
        command
    };
    // Begun, killed, and its folder is cleared away.
    let mut child = narrate(&mine).stdout(Stdio::null()).spawn().unwrap();
    wait_for("a clip", || clips(&folder).first().cloned());
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let ran = kit::Ran::from(narrate(&other).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with(aloud::engine::RECORD_FILE))
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect();
        files.sort();
        files
    };
    let before = files();
    // The one that was begun says so, and the next try has a folder of its own.
    let ran = kit::Ran::from(narrate(&mine).output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("belongs to another narration"),
        "{}",
        ran.err
    );
    let ran = kit::Ran::from(narrate(&mine).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(joined_folders(&ran), [out.path("story-2")]);
    assert!(files() == before, "nothing was written into the other's");
}

#[test]
fn links_in_a_narrations_folder_are_not_followed() {
    let home = Home::ready();
    let voice = home.tone();
    let story = home.write(
        "story.txt",
        "The tide was out.\n\nNobody had seen the boat.",
    );
    let narrate = |home: &Home| home.run(&["narrate", "--json", "--voice", &voice, &story]);
    let folder = home.path("narrations/story");
    assert_eq!(narrate(&home).code, Some(0));
    let all = [clips(&folder), vec![folder.join("story.wav")]].concat();
    let mine = home.write("mine.txt", "mine");
    for file in &all {
        std::fs::remove_file(file).unwrap();
        let mut part = file.clone().into_os_string();
        part.push(".part");
        std::os::unix::fs::symlink(&mine, file).unwrap();
        std::os::unix::fs::symlink(&mine, part).unwrap();
    }
    let ran = narrate(&home);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    for file in &all {
        assert!(samples(file) > 1000 && !file.is_symlink());
    }
}
