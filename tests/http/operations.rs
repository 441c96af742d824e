//! Operations by name, contexts, moments and what recurs.

use std::sync::Arc;
use std::time::Duration;

use aloud::engine::{
    ErrorObject, Operation, Options, Recurrence, TaskContext, TaskId, Work, WorkResult,
};
use serde_json::{Value, json};

use super::kit::wait_for;
use super::{JSON, Served, told};

/// Counts the characters of a text.
struct Count;

impl Operation for Count {
    fn run(&mut self, parameters: &Value, context: &Value, _: &TaskContext) -> WorkResult {
        let text = parameters["text"].as_str();
        let text = text.ok_or_else(|| ErrorObject::new("NO_TEXT", "there is no `text`"))?;
        Ok(json!({ "characters": text.chars().count(), "for": context["customer"] }))
    }
}

/// `count` is for everyone, `secret` for the program alone.
pub(super) fn register(options: &mut Options) {
    options.public_operation("count", Arc::new(|| Box::new(Count)));
    let secret = Arc::new(|| Box::new(Count) as Box<dyn Operation>);
    options.operations.insert("secret".into(), secret);
}

fn id(added: &Value) -> TaskId {
    added["task_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{added}"))
        .into()
}

#[track_caller]
fn refusal(served: &Served, wanted: &Value) -> String {
    let (status, body) = served.post("/v1/tasks", wanted);
    assert_eq!(status, 422, "{wanted}: {body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_public_is_done_by_its_name_and_nothing_else() {
    let served = Served::new();
    let wanted = json!({
        "operation": "count", "parameters": { "text": "ab", "title": "two letters" },
        "context": { "customer": 7 }, "group": "book", "priority": "high", "timeout": 60,
    });
    let (status, done) = served.post("/v1/tasks?wait=60", &wanted);
    assert_eq!(status, 200, "{done}");
    let task = &done["task"];
    assert_eq!(
        (&task["state"], &task["kind"]),
        (&json!("COMPLETED"), &json!("operation"))
    );
    assert_eq!(
        (&task["title"], &task["operation"]),
        (&json!("two letters"), &json!("count"))
    );
    assert_eq!(task["result"], json!({ "characters": 2, "for": 7 }));
    assert_eq!(
        (&task["context"], &task["group"]),
        (&json!({ "customer": 7 }), &json!("book"))
    );
    let told_of = served.ok(&format!("/storycore.task.status?task_id={}", id(&done)));
    assert_eq!(told_of["data"]["user_context"], json!({ "customer": 7 }));
    let listed = &served.ok("/v1/tasks")["tasks"][0];
    assert!(
        listed.get("context").is_none() && listed.get("result").is_none(),
        "{listed}"
    );

    // One key, one task.
    let send = |body: &Value| {
        let headers = [("idempotency-key", "order-1")];
        told(
            served
                .client
                .post("/v1/tasks", JSON, &headers, body.to_string())
                .unwrap(),
        )
    };
    let (first, again) = (send(&wanted).1, send(&wanted).1);
    assert_eq!(
        (id(&first), &again["continued"]),
        (id(&again), &json!(true))
    );
    assert_eq!(send(&json!({ "operation": "count" })).0, 409);

    // What is not public is refused like what is not there.
    let of = |name: &str| refusal(&served, &json!({ "operation": name })).replace(name, "it");
    assert_eq!(of("secret"), of("no-such-thing"));
    assert_eq!(
        of("add-narration"),
        of("secret"),
        "that one is the program's own"
    );
    assert!(
        of("secret").ends_with("there are: count, narrate"),
        "{}",
        of("secret")
    );
}

#[test]
fn a_narration_is_an_operation_with_a_context_that_lasts() {
    let served = Served::new();
    served.engine.pause_queue();
    let story = served
        .home
        .write("story.txt", "A clock ticked in the hall.");
    let parameters = json!({ "file": story, "speed": 1.5, "priority": "high" });
    let wanted = json!({
        "operation": "narrate", "parameters": parameters, "context": ["chapter", 1], "delay": 3600,
    });
    let (status, added) = served.post("/v1/tasks", &wanted);
    assert_eq!(status, 202, "{added}");
    let task = served.ok(&format!("/v1/tasks/{}", id(&added)));
    assert_eq!(
        (&task["title"], &task["kind"]),
        (&json!("story"), &json!("narration"))
    );
    assert_eq!(
        (&task["context"], &task["priority"]),
        (&json!(["chapter", 1]), &json!("high"))
    );
    let begins = task["due"].as_i64().unwrap() - task["created_at"].as_i64().unwrap();
    assert!((3_590_000..=3_600_000).contains(&begins), "{begins}");
    // It is the text that counts, however it is asked for.
    let plain = json!({ "file": story, "speed": 1.5 });
    assert_eq!(id(&served.post("/v1/tasks", &plain).1), id(&added));
}

#[test]
fn a_moment_is_told_as_it_was_asked_for() {
    let served = Served::new();
    let asked = 32_503_680_000_000_i64;
    for text in ["One.", "Two.", "Three.", "Four."] {
        let wanted = json!({ "text": text, "schedule": { "at": "3000-01-01T00:00:00Z" } });
        let (status, added) = served.post("/v1/tasks", &wanted);
        assert_eq!(status, 202, "{added}");
        let task = served.ok(&format!("/v1/tasks/{}", id(&added)));
        let due = task["due"].as_i64().unwrap();
        assert!((asked..=asked + 10).contains(&due), "{due}");
    }
}

#[test]
fn what_can_not_be_done_is_told_with_what_is_wrong() {
    let served = Served::new();
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let count = |more: Value| {
        let mut wanted = json!({ "operation": "count" });
        let fields = wanted.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        wanted
    };
    let hourly = json!({ "every": 3600 });
    for (wrong, part) in [
        (
            json!({ "parameters": {}, "text": "It struck." }),
            "of an `operation`",
        ),
        (
            count(json!({ "text": "It struck." })),
            "`text` belongs into its `parameters`",
        ),
        (count(json!({ "parameters": [1] })), "must be an object"),
        (
            json!({ "text": "It struck.", "shedule": { "at": "2999-01-01T00:00Z" } }),
            "there is no field `shedule`",
        ),
        (
            json!({ "operation": "narrate", "parameters": { "text": "It struck.", "titel": 1 } }),
            "there is no field `titel`",
        ),
        (
            json!({ "text": "It struck.", "delay": 1e18 }),
            "ten years at most",
        ),
        (count(json!({ "context": deep })), "deeper than 32"),
        (
            count(json!({ "parameters": { "a": deep } })),
            "deeper than 32",
        ),
        (
            count(json!({ "context": "x".repeat(9000) })),
            "longer than 8192 bytes",
        ),
        (
            count(json!({ "parameters": { "a": "x".repeat(33_000) } })),
            "longer than 32768 bytes",
        ),
        (count(json!({ "timeout": 0 })), "more than 0 seconds"),
        (count(json!({ "schedule": {} })), "one of `at`"),
        (
            count(json!({ "schedule": { "at": "2001-01-01T00:00:00Z" } })),
            "has passed",
        ),
        (
            count(json!({ "schedule": { "at": "2999-01-01T00:00:00Z" }, "delay": 1 })),
            "either `delay`",
        ),
        (
            count(json!({ "schedule": hourly, "paused": true })),
            "leave out `paused`",
        ),
        (
            count(json!({ "schedule": { "cron": "0 3 * *" } })),
            "five fields",
        ),
        (
            json!({ "operation": "narrate", "parameters": {} }),
            "either `text` or `file`",
        ),
        (
            json!({ "operation": "narrate", "parameters": { "speed": "fast" } }),
            "can't be narrated",
        ),
        (
            json!({ "file": "/no such file", "schedule": hourly }),
            "no such file",
        ),
        (
            json!({ "operation": "secret", "schedule": hourly }),
            "there are: count, narrate",
        ),
    ] {
        let said = refusal(&served, &wrong);
        assert!(said.contains(part), "{wrong:.200}: {said}");
    }
    let (status, body) = served.post("/v1/tasks?wait=1", &count(json!({ "schedule": hourly })));
    assert_eq!(status, 422, "{body}");
    assert!(served.engine.tasks().is_empty() && served.engine.recurring_tasks().is_empty());
}

#[test]
fn what_recurs_is_set_seen_and_removed_by_its_name() {
    let served = Served::new();
    let set = |wanted: &Value| {
        let (status, body) = served.post("/v1/tasks", wanted);
        assert_eq!(status, 202, "{body}");
        body["schedule"].clone()
    };
    let call = |schedule: Value| json!({ "operation": "count", "parameters": { "text": "ab" }, "schedule": schedule });
    let daily = json!({ "cron": "0 3 * * *", "zone": "Europe/Berlin", "name": "a/b c" });
    let schedule = set(&call(daily));
    assert_eq!(schedule["recurrence"], "0 3 * * * in Europe/Berlin");
    assert_eq!(
        (&schedule["name"], &schedule["operation"]),
        (&json!("a/b c"), &json!("count"))
    );
    assert_eq!(schedule["parameters"], json!({ "text": "ab" }));
    // Without a name it has one, which stays the same for the same thing.
    assert_eq!(set(&call(json!({ "every": 3600 })))["name"], "count");
    assert_eq!(set(&call(json!({ "every": 7200 })))["name"], "count");
    let mut other = call(json!({ "every": 3600 }));
    other["parameters"] = json!({ "text": "abc" });
    assert_eq!(set(&other)["name"], "count-2");
    // What the embedding program has recur for itself is nobody's business.
    let secret = Work::Operation {
        name: "secret".into(),
        parameters: json!({}),
        context: Value::Null,
    };
    let hourly = Recurrence::every(Duration::from_secs(3600)).unwrap();
    served
        .engine
        .set_recurring("hidden", hourly, secret)
        .unwrap();
    let (status, body) = served.post(
        "/v1/tasks",
        &call(json!({ "every": 3600, "name": "hidden" })),
    );
    assert_eq!(
        (status, &body["error"]["code"]),
        (409, &json!("NAME_TAKEN"))
    );
    let names = || {
        let all = served.ok("/v1/schedules");
        let all = all["schedules"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["a/b c", "count", "count-2"]);
    let remove = |name: &str| served.order(&format!("/v1/schedules/{name}/remove"));
    assert_eq!(remove("a%2Fb%20c"), (200, json!({ "removed": "a/b c" })));
    for name in ["a%2Fb%20c", "hidden", "nothing", "%1b"] {
        assert_eq!(
            remove(name).1["error"]["code"],
            "SCHEDULE_NOT_FOUND",
            "{name}"
        );
    }
    assert_eq!(names(), ["count", "count-2"]);
}

#[test]
fn each_run_of_a_narration_that_recurs_adds_it_to_the_queue() {
    let served = Served::new();
    let news = served.home.write("news.txt", "It struck one.");
    let wanted = json!({
        "file": news, "group": "daily", "context": { "list": 3 }, "schedule": { "every": 1 },
    });
    let (status, body) = served.post("/v1/tasks", &wanted);
    assert_eq!(status, 202, "{body}");
    let schedule = &body["schedule"];
    assert_eq!(
        (&schedule["name"], &schedule["operation"]),
        (&json!("news"), &json!("narrate"))
    );
    assert_eq!(
        schedule["parameters"],
        json!({ "file": news, "group": "daily" })
    );
    let run = wait_for("a run", || {
        let last = served.ok("/v1/schedules")["schedules"][0]["last"].clone();
        (last["state"] == "COMPLETED").then_some(last)
    });
    assert_eq!(served.order("/v1/schedules/news/remove").0, 200);
    let run = served.ok(&format!("/v1/tasks/{}", id(&run)));
    assert_eq!(run["occurrence"]["recurring"], "news");
    let added = served.engine.task_status(&id(&run["result"])).unwrap();
    assert_eq!((&*added.title, added.group), ("news", Some("daily".into())));
    assert_eq!(added.context.unwrap(), json!({ "list": 3 }));
}

#[test]
fn what_a_text_is_written_in_can_be_said() {
    let served = Served::new();
    let text = "<p>It <b>struck</b>.</p>";
    for (written_as, heard) in [("html", "It struck."), ("txt", text)] {
        let wanted = json!({ "text": text, "as": written_as });
        let (status, added) = served.post("/v1/tasks", &wanted);
        assert!((200..300).contains(&status), "{added}");
        let segments = served.ok(&format!("/v1/tasks/{}/segments", id(&added)));
        assert_eq!(segments["segments"][0]["text"], heard, "{written_as}");
        assert!(added.get("notes").is_none(), "{added}");
    }
    let (_, added) = served.post("/v1/tasks", &json!({ "text": text }));
    let notes = json!(["it looks like HTML, and is read so"]);
    assert_eq!(added["notes"], notes, "{added}");
    let (status, unknown) = served.post("/v1/tasks", &json!({ "text": text, "as": "pdf" }));
    assert_eq!(status, 400, "{unknown}");
    assert!(unknown.to_string().contains("pdf"), "{unknown}");
    let voice = refusal(&served, &json!({ "text": "A <<VOICE:nobody>> b." }));
    assert!(voice.contains("nobody"), "{voice}");
}
