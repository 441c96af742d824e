//! The trace of a request is followed from its headers into every line of the log about its task, also
//! over a death of the program.

mod kit;

use std::process::{Child, Stdio};

use aloud::http::Client;
use serde_json::{Value, json};

use kit::{Home, wait_for};

const JSON: &str = "application/json";
const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// `aloud serve`, and a client of it.
struct Owner {
    child: Child,
    client: Client,
}

impl Owner {
    fn start(home: &Home, voice: &str) -> Self {
        // Left from an owner that was killed, it leads nowhere.
        let _ = std::fs::remove_file(home.path("state/lock"));
        let mut command = home.command(&["serve", "--stay", "--voice", voice, "--offline"]);
        let child = command
            .env_remove("XDG_RUNTIME_DIR")
            .env("ALOUD_LOG", "info,aloud=debug,ort=warn")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::new(&home.path("state/aloud.sock"));
        wait_for("it answers", || client.get("/livez").ok());
        Self { child, client }
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.client.get(path).unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn post(&self, path: &str, parent: &str, body: &Value) -> Value {
        let headers = [("traceparent", parent), ("tracestate", "vendor=1")];
        let answer = self.client.post(path, JSON, &headers, body.to_string());
        let answer = answer.unwrap();
        let body = serde_json::from_slice(&answer.body).unwrap();
        assert!((200..300).contains(&answer.status), "{path}: {body}");
        body
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every line of the log files.
fn log(home: &Home) -> Vec<String> {
    let files = std::fs::read_dir(home.path("logs")).unwrap();
    let text = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    text.collect::<String>()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_trace_is_followed_from_its_request_to_the_end_of_the_work() {
    let home = Home::ready();
    let voice = home.tone();
    let file = home.write("story.txt", "One clock ticked.\n\nAnother one did not.\n");
    let owner = Owner::start(&home, &voice);
    owner.post("/v1/queue/pause", PARENT, &json!({}));
    let wanted = json!({ "file": file });
    let task = owner.post("/v1/tasks", PARENT, &wanted)["task_id"].clone();
    let task = task.as_str().unwrap();
    let text = json!({ "text": "What is not valid is ignored." });
    let without = owner.post("/v1/tasks", "00-garbage-01", &text)["task_id"].clone();
    let without = without.as_str().unwrap();
    let of_task = |owner: &Owner, task: &str| owner.get(&format!("/v1/tasks/{task}"));
    let of = |owner: &Owner, task: &str| of_task(owner, task)["trace"].clone();
    let status = |task: &str| format!("/storycore.task.status?task_id={task}");
    let wanted = json!({ "traceparent": PARENT, "tracestate": "vendor=1" });
    assert_eq!(of(&owner, task), wanted);
    assert_eq!(of(&owner, without), Value::Null);
    assert_eq!(owner.get(&status(task))["metadata"]["trace_id"], ID);
    assert_eq!(
        owner.get(&status(without))["metadata"].get("trace_id"),
        None
    );
    // Another request may steer the work: its own trace is what is told of that.
    owner.post(&format!("/v1/tasks/{task}/pause"), OTHER_PARENT, &json!({}));
    let named = json!({ "task_id": without });
    let cancelled = owner.post("/storycore.task.cancel", OTHER_PARENT, &named);
    assert_eq!(cancelled["metadata"]["trace_id"], OTHER_ID);
    wait_for("the disk has it", || {
        let state = of_task(&owner, without)["state"].clone();
        (state == "CANCELLED").then_some(())
    });
    drop(owner);

    // It was killed. Whoever comes next knows the trace as well.
    let owner = Owner::start(&home, &voice);
    assert_eq!(of(&owner, task), wanted);
    owner.post(&format!("/v1/tasks/{task}/resume"), "", &json!({}));
    owner.post("/v1/queue/resume", "", &json!({}));
    wait_for("its end", || {
        let state = of_task(&owner, task)["state"].clone();
        (state == "COMPLETED").then_some(())
    });
    let log = log(&home);
    for (line, trace) in [
        ("taken into the queue", ID),
        ("done as asked action=\"pause\"", OTHER_ID),
        ("done as asked action=\"cancel\"", OTHER_ID),
        // Who names no trace of its own: the task's.
        ("done as asked action=\"resume\"", ID),
        // The worker, its publisher, and what the voice's process says beside.
        ("narrating", ID),
        ("published", ID),
        ("aloud-voice-log", ID),
        ("completed successfully", ID),
    ] {
        let said = |found: &&String| {
            let words = line.split(' ').all(|word| found.contains(word));
            words && found.contains(&format!("trace_id={trace}"))
        };
        let found = log.iter().find(said);
        assert!(found.is_some(), "{line} {trace}: {}", log.join("\n"));
    }
    let last = owner.get("/v1/log");
    let last = last["lines"].as_array().unwrap().iter();
    let told = |line: &&Value| {
        let text = line["text"].as_str().unwrap();
        text.contains("completed successfully") && text.contains(&format!("trace_id={ID}"))
    };
    assert!({ last }.any(|line| told(&line)));
}
