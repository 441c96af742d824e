//! What goes wrong around a run that is going well: the folder can't be written any more, the model
//! is replaced under it. Nothing that was finished is lost, and the next start goes on.
#![cfg(target_os = "linux")]

mod kit;

use std::process::Stdio;

use kit::{Home, Ran, STORY, clips, wait_for};

#[test]
fn a_folder_made_read_only_keeps_what_is_finished_and_the_next_run_goes_on() {
    let home = Home::ready();
    let file = home.write("story.txt", STORY);
    let out = home.path("out");
    // Made read-only once there is a clip. A file that is open for writing delays that, so it is
    // tried until it works.
    let meanwhile =
        "while ! ls \"$1\"/story/*.wav >/dev/null 2>&1; do kill -0 $pid || exit 98; done
        while ! mount -o remount,ro \"$1\" 2>/dev/null; do kill -0 $pid || exit 97; done";
    let mut command = home.narrating_on_a_mount(&file, &out, "rw", meanwhile);
    command.env("ALOUD_THREADS", "1");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    for said in ["Read-only file system", "it goes on from where it was"] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let kept = clips(&home.path("kept/story"));
    assert!(!kept.is_empty(), "{}", ran.out);
    for clip in &kept {
        kit::samples(clip);
    }
    std::fs::remove_dir(&out).unwrap();
    std::fs::rename(home.path("kept"), &out).unwrap();
    let again = home.run(&["narrate", &file, "--json", "--out", out.to_str().unwrap()]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    let made = |event: &&serde_json::Value| event["event"] == "segment_completed";
    let made = again.events().iter().filter(made).count() as u64;
    let all = again.summary()["segments"].as_u64().unwrap();
    assert_eq!(made + kept.len() as u64, all, "{}", again.out);
}

#[test]
fn a_model_replaced_during_a_run_does_not_change_what_is_spoken() {
    let home = Home::ready();
    let voice = home.path("data/voices/en_US-joe-medium");
    let model = home.path("mine.onnx");
    std::fs::copy(voice.join("en_US-joe-medium.onnx"), &model).unwrap();
    let config = std::fs::read(voice.join("en_US-joe-medium.onnx.json")).unwrap();
    home.write("mine.onnx.json", config);
    let file = home.write("story.txt", STORY);
    let mut command = home.command(&["narrate", &file, "--json", "--voice"]);
    let child = command
        .arg(&model)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let folder = home.path("narrations/story");
    wait_for("a clip", || (!clips(&folder).is_empty()).then_some(()));
    let other = home.write("other", b"no model at all");
    std::fs::rename(other, &model).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.summary()["failed"], 0);
    // What follows is told before it begins.
    let file = home.write("second.txt", "Another text, for the voice that is gone.");
    let ran = home.run(&["narrate", &file, "--voice", model.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("mine.onnx"), "{}", ran.err);
}
