//! A narration that another voice is to speak: in its folder, all of it, and nothing is gone before.

use aloud::engine::{TaskId, TaskState};
use serde_json::{Value, json};

use super::Served;

const TEXT: &str = "The keeper had a boat.\n\nHe lit the lamp.\n\nThe lamp went out.\n";

/// Another voice of tones, at another rate; its path.
fn other(served: &Served) -> String {
    let tone = std::fs::read(served.home.path("tone.onnx")).unwrap();
    let path = served.home.made_voice("other", &tone);
    let config = served.home.path("other.onnx.json");
    let mut changed: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    changed["audio"]["sample_rate"] = 16_000.into();
    std::fs::write(&config, changed.to_string()).unwrap();
    path
}

fn task(answer: &Value) -> TaskId {
    let tasks = answer["tasks"].as_array();
    let task = tasks
        .and_then(|tasks| tasks.first())
        .unwrap_or_else(|| panic!("{answer}"));
    task.as_str().unwrap().into()
}

#[test]
fn another_voice_speaks_it_in_its_folder_and_clips_stay_until_then() {
    let served = Served::narrating();
    let other = other(&served);
    let (_, added) = served.post("/v1/tasks", &json!({ "text": TEXT }));
    let old: TaskId = added["task_id"].as_str().unwrap().into();
    let before = served.engine.wait(&old).unwrap();
    let folder = before.folder.clone().unwrap();
    let rates = || -> Vec<u32> {
        let files = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut clips: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|it| it == "wav"))
            .collect();
        clips.sort();
        let rate = |path| hound::WavReader::open(path).unwrap().spec().sample_rate;
        clips.into_iter().map(rate).collect()
    };
    assert_eq!(rates(), [22_050; 4]);

    served.engine.pause_queue();
    let retry = format!("/v1/tasks/{old}/retry");
    let (status, answer) = served.post(&retry, &json!({ "voice": other }));
    assert_eq!(status, 200, "{answer}");
    let new = task(&answer);
    assert_eq!(
        rates(),
        [22_050; 4],
        "nothing is gone before it is made anew"
    );
    served.engine.resume_queue();
    let done = served.engine.wait(&new).unwrap();
    assert_eq!(
        (done.state, done.folder),
        (TaskState::Completed, before.folder)
    );
    assert_eq!(done.completed_segments.len(), 3);
    assert_eq!(rates(), [16_000; 4]);

    // Asked of the task whose place it took, too.
    let (status, answer) = served.post(&retry, &json!({ "voice": other }));
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains("is completed"));
    for (body, status, part) in [
        (json!({ "voice": "nobody" }), 422, "there is no voice"),
        (
            json!({ "voice": other, "segments": [1] }),
            400,
            "either `segments` or `voice`",
        ),
    ] {
        let (told, answer) = served.post(&retry, &body);
        assert_eq!(told, status, "{answer}");
        assert!(answer.to_string().contains(part), "{answer}");
    }
    // And back again, while it is still unfinished.
    served.engine.pause_queue();
    let (_, answer) = served.post(&retry, &json!({ "voice": served.home.path("tone.onnx") }));
    let back = task(&answer);
    let (_, answer) = served.post(
        &format!("/v1/tasks/{back}/retry"),
        &json!({ "voice": other }),
    );
    let again = task(&answer);
    served.engine.resume_queue();
    assert_eq!(
        served.engine.wait(&back).unwrap().state,
        TaskState::Cancelled
    );
    assert_eq!(
        served.engine.wait(&again).unwrap().state,
        TaskState::Completed
    );
    assert_eq!(rates(), [16_000; 4]);
}
