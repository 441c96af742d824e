//! The service over HTTP, through a real socket: every address well and badly asked, texts as JSON and
//! as bytes, what goes over the wire when something happens, and an end in good order. The voice is made
//! for tests; texts that are sent stay in a paused queue.

mod kit;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aloud::engine::{Engine, ShutdownWait, Submission, TaskId, TaskState, Work};
use aloud::http::{Answer, Client, ClientError, Events, Server, ServerEvent, ServerOptions};
use aloud::narrate::Voices;
use aloud::service::{API, Local, LogLine, LogSource};
use aloud::settings::{Overrides, Paths, load_from};
use serde_json::{Value, json};

use kit::Home;
use kit::line::Quick;
use kit::voice::{library, narration};

const JSON: &str = "application/json";
const TEXT_BYTES: usize = 200_000;

/// A service that is served, and a client of it.
struct Served {
    server: Server,
    client: Client,
    engine: Engine,
    socket: PathBuf,
    home: Home,
}

fn log() -> Vec<LogLine> {
    vec![LogLine {
        number: 1,
        time: 1,
        level: "INFO".into(),
        text: "it began".into(),
        task: None,
    }]
}

impl Served {
    /// With the phonemes of the real voice.
    fn new() -> Self {
        Self::with(Home::ready(), ServerOptions::default())
    }

    fn with(home: Home, options: ServerOptions) -> Self {
        Self::with_log(home, options, log)
    }

    fn with_log(home: Home, options: ServerOptions, log: LogSource) -> Self {
        let has_voice = home.path("data").exists();
        let paths = Paths::under(home.folder.path());
        let mut settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
        if has_voice {
            settings.voice = home.tone();
        }
        let mut library = library(
            home.folder.path(),
            Arc::new(|| Box::new(Quick(Duration::from_millis(1)))),
            None,
        );
        library.max_waiting = 50;
        library.takes_limits = true;
        settings.paths.library.clone_from(&library.folder);
        let engine = Engine::open(library).unwrap();
        let voices = Voices::new(&settings);
        let service = Local::new(engine.clone(), voices, settings, log);
        let socket = home.path("aloud.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let options = ServerOptions {
            text_bytes: TEXT_BYTES,
            ..options
        };
        let server = Server::start(Arc::new(service), listener, options).unwrap();
        Self {
            server,
            client: Client::new(&socket),
            engine,
            socket,
            home,
        }
    }

    fn get(&self, path: &str) -> (u16, Value) {
        told(self.client.get(path).unwrap())
    }

    fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        told(self.client.post(path, JSON, &[], body).unwrap())
    }

    /// An order without a body.
    fn order(&self, path: &str) -> (u16, Value) {
        told(self.client.post(path, "", &[], "").unwrap())
    }

    /// A task that waits until the queue is resumed.
    fn waiting(&self, title: &str) -> TaskId {
        let work = Work::closure(title, |_| Ok("done".into()));
        let submission = Submission::new(work).paused();
        self.engine.submit(submission).unwrap()
    }

    fn narrated(&self, texts: &[&str]) -> TaskId {
        let narration = narration(self.home.path("out"), "A story", texts);
        let id = self.engine.submit(narration).unwrap();
        assert_eq!(self.engine.wait(&id).unwrap().state, TaskState::Completed);
        id
    }

    fn raw(&self, head: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(kit::PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn told(answer: Answer) -> (u16, Value) {
    let body = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, body)
}

fn next(events: &mut Events) -> (ServerEvent, Value) {
    let event = events.next().expect("the stream goes on").unwrap();
    let data = serde_json::from_str(&event.data).unwrap();
    (event, data)
}

/// The next event of this kind about this task.
fn until(events: &mut Events, kind: &str, task: &TaskId) -> (ServerEvent, Value) {
    loop {
        let (event, data) = next(events);
        if data["event"] == kind && data["task"] == task.as_str() {
            return (event, data);
        }
    }
}

#[test]
fn everything_can_be_looked_at() {
    let served = Served::new();
    let info = served.ok("/v1/info");
    assert_eq!((&info["name"], &info["api"]), (&json!("aloud"), &json!(1)));
    let story = served.narrated(&["One.", "Two.", "Three."]);
    let second = served.waiting("second");
    let tasks = served.ok("/v1/tasks");
    let ids = |tasks: &Value| -> Vec<String> {
        let tasks = tasks["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&tasks), [story.as_str(), second.as_str()]);
    assert_eq!(ids(&served.ok("/v1/tasks?limit=1")), [story.as_str()]);
    let after = format!("/v1/tasks?after={story}&limit=5000");
    assert_eq!(ids(&served.ok(&after)), [second.as_str()]);
    let task = served.ok(&format!("/v1/tasks/{story}"));
    assert_eq!(
        (&task["state"], &task["percentage"]),
        (&json!("COMPLETED"), &json!(100))
    );
    let segments = served.ok(&format!("/v1/tasks/{story}/segments?from=2&limit=1"));
    let segments = segments["segments"].as_array().unwrap();
    assert_eq!((segments.len(), &segments[0]["text"]), (1, &json!("Two.")));
    assert_eq!(served.ok("/v1/stats")["clips"], 3);
    assert_eq!(served.ok("/v1/history")["history"][0]["id"], story.as_str());
    assert_eq!(served.ok("/v1/history?limit=0")["history"], json!([]));
    let voices = served.ok("/v1/voices");
    assert_eq!(voices["voices"][0]["installed"], true);
    assert_eq!(served.ok("/v1/log")["lines"][0]["text"], "it began");
    assert_eq!(served.ok("/v1/queue"), json!({ "paused": false }));
    // A head has all but the body.
    let head = served.raw("HEAD /v1/info HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
}

#[test]
fn what_is_asked_badly_is_answered_with_what_is_wrong() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    for (path, status, code) in [
        ("/index.html", 404, "NOT_FOUND"),
        ("/v1/nothing", 404, "NOT_FOUND"),
        ("/v1/tasks/none", 404, "TASK_NOT_FOUND"),
        ("/v1/tasks/none/segments", 404, "TASK_NOT_FOUND"),
        ("/v1/tasks?after=none", 404, "TASK_NOT_FOUND"),
        ("/v1/tasks?limit=many", 400, "MALFORMED"),
        ("/v1/tasks/%ff", 400, "MALFORMED"),
        ("/v1/history?limit=-1", 400, "MALFORMED"),
        ("/v1/shutdown", 405, "METHOD_NOT_ALLOWED"),
        ("/v1/tasks/none/cancel", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let (answered, body) = served.get(path);
        assert_eq!(
            (answered, &body["error"]["code"]),
            (status, &json!(code)),
            "{path}"
        );
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
        assert!(body["error"].get("details").is_some() && body["error"]["remediation"].is_string());
    }
    for path in ["cancel", "pause", "resume", "retry", "sooner", "later"] {
        let (status, body) = served.order(&format!("/v1/tasks/none/{path}"));
        assert_eq!(
            (status, &body["error"]["code"]),
            (404, &json!("TASK_NOT_FOUND")),
            "{path}"
        );
    }
    assert_eq!(served.order("/v1/info").0, 405);
    assert_eq!(served.order("/v1/tasks/none/jump").0, 404);
    for (method, path, allow) in [
        ("DELETE", "/v1/tasks", "GET, HEAD, POST"),
        ("PUT", "/v1/info", "GET, HEAD"),
        ("PATCH", "/v1/shutdown", "POST"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = served.raw(&request);
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
        assert!(answer.contains(&format!("allow: {allow}\r\n")), "{answer}");
    }
    let (status, body) = served.post("/v1/tasks", &json!({ "text": "It struck one." }));
    assert_eq!(status, 422, "there is no voice: {body}");
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("aloud setup"),
        "{body}"
    );
}

#[test]
fn a_body_is_bounded_and_says_what_it_is() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let post = |path: &str, kind: &str, body: Vec<u8>| {
        let (status, body) = told(served.client.post(path, kind, &[], body).unwrap());
        (
            status,
            body["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let form = "application/x-www-form-urlencoded";
    let wrong_type = (415, "UNSUPPORTED_MEDIA_TYPE".to_owned());
    assert_eq!(post("/v1/tasks", form, b"text=x".to_vec()), wrong_type);
    assert_eq!(post("/v1/tasks", "", Vec::new()), wrong_type);
    assert_eq!(post("/v1/cancel-all", form, Vec::new()), wrong_type);
    assert_eq!(
        post("/v1/shutdown", "text/plain", b"x".to_vec()),
        wrong_type
    );
    let malformed = (400, "MALFORMED".to_owned());
    assert_eq!(post("/v1/tasks", JSON, b"{".to_vec()), malformed);
    assert_eq!(post("/v1/tasks", JSON, Vec::new()), malformed);
    assert_eq!(
        post("/v1/tasks?speed=fast", "text/plain", b"x".to_vec()),
        malformed
    );
    let too_large = (413, "TOO_LARGE".to_owned());
    assert_eq!(post("/v1/tasks", JSON, vec![b' '; 65_537]), too_large);
    let text = vec![b'x'; TEXT_BYTES + 1];
    assert_eq!(
        post("/v1/tasks", "application/octet-stream", text),
        too_large
    );
    // Also where no length is announced.
    let chunk = "x".repeat(70_000);
    let chunked = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: x\r\ncontent-type: {JSON}\r\n\
        transfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n{chunk}\r\n0\r\n\r\n",
        chunk.len()
    );
    assert!(served.raw(&chunked).starts_with("HTTP/1.1 413"));
    assert!(served.engine.tasks().is_empty());
}

#[test]
fn texts_are_taken_as_words_files_and_bytes() {
    let served = Served::new();
    served.engine.pause_queue();
    let story = served
        .home
        .write("story.txt", "A clock ticked in the hall.");
    let out = served.home.path("elsewhere");
    let wanted = json!({
        "file": story, "out": out, "speed": 1.5, "priority": "high",
        "limits": { "cores": 1 }, "something": "new",
    });
    let (status, added) = served.post("/v1/tasks", &wanted);
    assert_eq!(
        (status, &added["continued"]),
        (202, &json!(false)),
        "{added}"
    );
    let id = TaskId::from(added["task_id"].as_str().unwrap());
    let task = served.engine.task_status(&id).unwrap();
    assert_eq!((&*task.title, task.limits.cores), ("story", Some(1)));
    assert_eq!(json!(task.priority), "high");
    assert_eq!(task.folder.unwrap().parent(), Some(&*out));
    let (_, again) = served.post("/v1/tasks", &wanted);
    assert_eq!(again, json!({ "task_id": id, "continued": true }));

    let (status, added) = served.post("/v1/tasks", &json!({ "text": "It struck two." }));
    assert_eq!(status, 202, "{added}");

    let headers = [("x-aloud-name", "..%2FThe%20tide.md")];
    let book = "# The tide\n\nIt rose.";
    let path = "/v1/tasks?speed=0.5&priority=low&cores=2";
    let sent = |kind: &str| told(served.client.post(path, kind, &headers, book).unwrap());
    let (status, added) = sent("application/octet-stream");
    assert_eq!(status, 202, "{added}");
    let id = TaskId::from(added["task_id"].as_str().unwrap());
    let task = served.engine.task_status(&id).unwrap();
    assert_eq!((&*task.title, task.limits.cores), ("The tide", Some(2)));
    assert!(task.folder.unwrap().ends_with("narrations/the-tide"));
    assert_eq!(sent("text/plain; charset=utf-8").1["continued"], true);

    for (wrong, part) in [
        (json!({}), "either `text` or `file`"),
        (
            json!({ "text": "a", "file": "/b" }),
            "either `text` or `file`",
        ),
        (json!({ "file": "story.txt" }), "absolute"),
        (json!({ "text": "It struck.", "out": "here" }), "absolute"),
        (json!({ "file": "/no such file" }), "no such file"),
        (json!({ "text": " " }), "no text"),
        (
            json!({ "text": "It struck.", "speed": 9 }),
            "from 0.25 to 4",
        ),
        (
            json!({ "text": "It struck.", "voice": "en_US-no-one" }),
            "en_US",
        ),
    ] {
        let (status, body) = served.post("/v1/tasks", &wrong);
        let message = body["error"]["message"].as_str().unwrap();
        assert_eq!(status, 422, "{message}");
        assert!(message.contains(part), "{message}");
    }
    let nameless = [("x-aloud-name", "..")];
    let answer = served
        .client
        .post("/v1/tasks", "text/plain", &nameless, "It.");
    assert_eq!(told(answer.unwrap()).0, 422);
    assert_eq!(served.engine.tasks().len(), 3);
}

#[test]
fn no_more_is_taken_than_there_is_room_for() {
    let served = Served::new();
    served.engine.pause_queue();
    for _ in 0..50 {
        served.waiting("one of many");
    }
    let body = json!({ "text": "It struck three." }).to_string();
    let request = format!(
        "POST /v1/tasks HTTP/1.1\r\nhost: x\r\ncontent-type: {JSON}\r\ncontent-length: {}\r\n\
        connection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = served.raw(&request);
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("\r\nretry-after: "), "{answer}");
    served.engine.shutdown(ShutdownWait::Now);
    let answer = served.raw(&request);
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("SHUTDOWN"),
        "{answer}"
    );
}

#[test]
fn tasks_and_the_queue_are_steered() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let (first, second) = (served.waiting("first"), served.waiting("second"));
    let order = |task: &TaskId, word: &str| served.order(&format!("/v1/tasks/{task}/{word}"));
    assert_eq!(served.order("/v1/queue/pause").0, 200);
    assert_eq!(served.ok("/v1/queue"), json!({ "paused": true }));
    assert_eq!(order(&first, "resume"), (200, json!({ "tasks": [first] })));
    let (status, body) = order(&first, "resume");
    assert_eq!(status, 409);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with("is not held back")
    );
    assert_eq!(order(&first, "pause"), (200, json!({ "tasks": [first] })));
    assert_eq!(order(&first, "resume").0, 200);
    assert_eq!(order(&second, "resume").0, 200);
    assert_eq!(
        order(&second, "sooner"),
        (200, json!({ "tasks": [second] }))
    );
    let rank = |id: &TaskId| served.engine.task_status(id).unwrap().rank;
    assert!(rank(&second) < rank(&first));
    assert_eq!(order(&second, "later").0, 200);
    assert!(rank(&second) > rank(&first));
    let front = json!({ "tasks": [second, "nobody", first] });
    assert_eq!(served.post("/v1/queue/first", &front).0, 200);
    assert!(rank(&second) < rank(&first) && rank(&first) < -1000);
    assert_eq!(served.order("/v1/queue/first").0, 400, "none is named");
    assert_eq!(order(&first, "cancel").0, 200);
    assert_eq!(
        served.engine.wait(&first).unwrap().state,
        TaskState::Cancelled
    );
    assert_eq!(order(&first, "cancel").0, 409);
    // A retry may name segments; only a narration has them, and it must have ended badly.
    let retry = format!("/v1/tasks/{second}/retry");
    assert_eq!(served.post(&retry, &json!({ "segments": [1] })).0, 409);
    assert_eq!(served.post(&retry, &json!({ "segments": "all" })).0, 400);
    assert_eq!(served.order("/v1/retry-all").0, 200);
    assert_eq!(served.order("/v1/resume-all").0, 200);
    assert_eq!(served.ok("/v1/queue"), json!({ "paused": false }));
    assert_eq!(
        served.engine.wait(&second).unwrap().state,
        TaskState::Completed
    );
    served.waiting("third");
    assert_eq!(served.order("/v1/cancel-all").0, 200);
    kit::wait_for("the end of all", || {
        (served.engine.stats().pending == 0).then_some(())
    });
    let mut events = served.client.events(None).unwrap();
    assert_eq!(next(&mut events).0.event, "snapshot");
    let ending = (202, json!({ "shutting_down": true }));
    assert_eq!(served.order("/v1/shutdown"), ending);
    while next(&mut events).1["event"] != "shutting_down" {}
    assert_eq!(served.order("/v1/shutdown"), ending);
}

#[test]
fn a_watcher_hears_how_everything_stands_and_what_happens() {
    let served = Served::new();
    let waiting = served.waiting("before");
    let boot = served.ok("/v1/info")["boot"].as_str().unwrap().to_owned();
    let mut events = served.client.events(None).unwrap();
    let (first, snapshot) = next(&mut events);
    assert_eq!(first.event, "snapshot");
    assert_eq!(snapshot["tasks"][0]["id"], waiting.as_str());
    assert_eq!(
        (&snapshot["queue_paused"], &snapshot["more"]),
        (&json!(false), &json!(false))
    );
    let seq = |event: &ServerEvent| -> u64 {
        let (of, seq) = event.id.as_deref().unwrap().rsplit_once('-').unwrap();
        assert_eq!(of, boot);
        seq.parse().unwrap()
    };
    assert_eq!(seq(&first), snapshot["seq"].as_u64().unwrap());

    let story = served.narrated(&["One.", "Two."]);
    let (submitted, _) = until(&mut events, "submitted", &story);
    assert_eq!(submitted.event, "delta");
    let (_, clip) = until(&mut events, "segment_completed", &story);
    assert!(clip["summary"]["completed_segments"].as_u64().unwrap() >= 1);
    let (ended, end) = until(&mut events, "ended", &story);
    assert_eq!(
        (&end["state"], &end["summary"]["percentage"]),
        (&json!("COMPLETED"), &json!(100))
    );
    assert!(seq(&ended) > seq(&submitted) && seq(&submitted) > seq(&first));
    served.order("/v1/queue/pause");
    let (paused, data) = next(&mut events);
    assert_eq!(
        (&data["event"], &data["paused"]),
        (&json!("queue_paused"), &json!(true))
    );
    assert!(data.get("summary").is_none());

    // Who comes back goes on behind what it has seen; nothing is said twice.
    let mut back = served.client.events(submitted.id.as_deref()).unwrap();
    let numbers = std::iter::from_fn(|| Some(seq(&next(&mut back).0)));
    let numbers: Vec<_> = numbers
        .take_while(|number| *number < seq(&paused))
        .collect();
    assert!(numbers.contains(&seq(&ended)) && numbers.is_sorted());
    assert!(numbers[0] > seq(&submitted));

    // An id of another life, of the future or of nothing begins again.
    let future = format!("{boot}-999999");
    for id in ["another-1", &*future, "nonsense"] {
        let mut events = served.client.events(Some(id)).unwrap();
        assert_eq!(next(&mut events).0.event, "reset", "{id}");
        assert_eq!(next(&mut events).0.event, "snapshot", "{id}");
    }
}

#[test]
fn a_watcher_who_does_not_read_holds_up_nobody_and_begins_again() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let mut slow = served.client.events(None).unwrap();
    let mut quick = served.client.events(None).unwrap();
    assert_eq!(next(&mut slow).0.event, "snapshot");
    // More than the ring holds, and than fits into the socket's buffers.
    for round in 0..15_000 {
        match round % 2 {
            0 => served.engine.pause_queue(),
            _ => served.engine.resume_queue(),
        }
        if round % 500 == 499 {
            let seen = served.waiting("seen");
            until(&mut quick, "submitted", &seen);
        }
    }
    let last = served.waiting("last");
    until(&mut quick, "submitted", &last);
    let reset = slow
        .by_ref()
        .map(Result::unwrap)
        .find(|event| event.event == "reset");
    assert!(reset.is_some());
    let (again, snapshot) = next(&mut slow);
    assert_eq!(again.event, "snapshot");
    let tasks = snapshot["tasks"].as_array().unwrap();
    assert_eq!(tasks.last().unwrap()["id"], last.as_str());
}

#[test]
fn the_endpoints_with_an_envelope_speak_their_own_words() {
    let served = Served::new();
    let story = served.narrated(&["One.", "Two."]);
    let (status, done) = served.get(&format!("/storycore.task.status?task_id={story}"));
    assert_eq!((status, &done["status"]), (200, &json!("success")));
    let data = &done["data"];
    assert_eq!(
        (&data["status"], &data["progress"]),
        (&json!("completed"), &json!(1.0))
    );
    for time in ["created_at", "started_at", "updated_at", "completed_at"] {
        let time: jiff::Timestamp = data[time].as_str().unwrap().parse().unwrap();
        assert!(time.as_millisecond() > 0);
    }
    let metadata = &done["metadata"];
    assert_eq!(metadata["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(metadata["request_id"].as_str().unwrap().len(), 36);
    assert!(metadata["duration_ms"].as_f64().unwrap() >= 0.0);
    assert!(metadata["timestamp"].as_str().unwrap().ends_with('Z'));

    let cancel = "/storycore.task.cancel";
    let waiting = served.waiting("waiting");
    let (_, pending) = served.get(&format!("/storycore.task.status?task_id={waiting}"));
    assert_eq!(pending["data"]["status"], "pending");
    assert_eq!(pending["data"]["completed_at"], Value::Null);
    let (status, body) = served.post(cancel, &json!({ "task_id": waiting }));
    assert_eq!(status, 200);
    assert_eq!(
        (&body["data"]["cancelled"], &body["data"]["message"]),
        (&json!(true), &json!("Task cancellation requested"))
    );
    served.engine.wait(&waiting).unwrap();
    let (_, ended) = served.get(&format!("/storycore.task.status?task_id={waiting}"));
    assert_eq!(ended["data"]["status"], "cancelled");
    let other = served.waiting("other");
    assert_eq!(served.order(&format!("{cancel}?task_id={other}")).0, 200);

    for (status, code, (answered, body)) in [
        (
            404,
            "TASK_NOT_FOUND",
            served.get("/storycore.task.status?task_id=none"),
        ),
        (400, "MALFORMED", served.get("/storycore.task.status")),
        (
            404,
            "TASK_NOT_FOUND",
            served.post(cancel, &json!({ "task_id": "none" })),
        ),
        (
            409,
            "CONFLICT",
            served.post(cancel, &json!({ "task_id": story })),
        ),
        (400, "MALFORMED", served.post(cancel, &json!({}))),
        (400, "MALFORMED", served.order(cancel)),
    ] {
        assert_eq!(answered, status, "{body}");
        assert_eq!(
            (&body["status"], &body["error"]["code"]),
            (&json!("error"), &json!(code))
        );
        assert!(body["metadata"]["request_id"].is_string());
    }
}

#[test]
fn health_says_whether_it_is_alive_well_and_ready() {
    let served = Served::new();
    let health = served.ok("/health");
    assert_eq!(health["status"], "ok", "{health}");
    let pool = &health["thread_pool"];
    assert_eq!(
        (&pool["max_threads"], &pool["active_tasks"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        (&pool["is_shutdown"], &pool["shutting_down"]),
        (&json!(false), &json!(false))
    );
    assert!(pool["active_threads"].is_u64() && health["queue"]["pending"].is_u64());
    assert!(health["disk"]["free_bytes"].as_u64().unwrap() > 0);
    assert_eq!(served.ok("/livez")["status"], "ok");
    assert_eq!(served.ok("/readyz")["status"], "ok");
    served.engine.shutdown(ShutdownWait::Now);
    assert_eq!(served.ok("/health")["status"], "shutting_down");
    assert_eq!(served.get("/livez").0, 200);
    let (status, body) = served.get("/readyz");
    assert_eq!((status, &body["error"]["code"]), (503, &json!("SHUTDOWN")));

    let mute = Served::with(Home::empty(), ServerOptions::default());
    let health = mute.ok("/health");
    assert_eq!(
        (&health["status"], &health["voice"]["ready"]),
        (&json!("degraded"), &json!(false))
    );
    assert_eq!(mute.get("/readyz").0, 503);
    assert_eq!(mute.get("/livez").0, 200);
}

#[test]
fn who_stalls_or_comes_too_much_is_closed() {
    let options = ServerOptions {
        head_timeout: Duration::from_millis(50),
        connections: 3,
        ..ServerOptions::default()
    };
    let served = Served::with(Home::empty(), options);
    // It ends although nothing more is sent.
    let answer = served.raw("GET /v1/info HTTP/1.1\r\nhost:");
    assert!(!answer.contains(" 200 "), "{answer}");
    let long = format!(
        "GET /v1/info HTTP/1.1\r\nx: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    let mut stream = UnixStream::connect(&served.socket).unwrap();
    // The server may close before it has all.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains(" 200 "), "{answer}");

    let watch = || served.client.events(None);
    let watching: Vec<_> = kit::wait_for("room for three", || {
        (0..3).map(|_| watch()).collect::<Result<_, _>>().ok()
    });
    assert!(
        matches!(watch(), Err(ClientError::Broken(_))),
        "the fourth is closed"
    );
    drop(watching);
    kit::wait_for("room again", || watch().ok());
}

#[test]
fn an_answer_that_panics_is_a_fault_and_the_others_go_on() {
    let log: LogSource = || panic!("as the test wants it");
    let served = Served::with_log(Home::empty(), ServerOptions::default(), log);
    for _ in 0..10 {
        let (status, body) = served.get("/v1/log");
        assert_eq!((status, &body["error"]["code"]), (500, &json!("PANIC")));
        served.ok("/v1/info");
    }
}

#[test]
fn the_end_is_told_and_comes_in_time() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let mut events = served.client.events(None).unwrap();
    assert_eq!(next(&mut events).0.event, "snapshot");
    // A connection that is open and asks nothing does not hold up the end.
    let idle = UnixStream::connect(&served.socket).unwrap();
    served.server.stop();
    assert_eq!(next(&mut events).0.event, "bye");
    assert!(events.next().is_none());
    drop(served.server);
    drop(idle);
    let late = served.client.get("/v1/info");
    assert!(matches!(late, Err(ClientError::Connect { .. })));
    let message = late.unwrap_err().to_string();
    assert!(message.contains("nobody answers at") && message.contains("aloud.sock"));
    assert!(
        Path::new(&served.socket).exists(),
        "the socket is its owner's"
    );
}

/// Every name of an address: the compiler asks for one for each thing that can be looked at or asked for,
/// and all of them are written there. The page's are no part of the interface.
fn addresses() -> BTreeSet<&'static str> {
    let source = include_str!("../src/http/pattern.rs");
    let literals = source.split('"').skip(1).step_by(2);
    literals
        .filter(|text| text.starts_with('/') && *text != "/")
        .collect()
}

#[test]
fn the_document_tells_every_address_with_its_methods_and_nothing_else() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let document = served.ok("/v1/openapi.json");
    assert_eq!(document["info"]["version"], API.to_string());
    let paths = document["paths"].as_object().unwrap();
    let told: BTreeSet<_> = paths.keys().map(String::as_str).collect();
    assert_eq!(told, addresses());
    let mut ids = BTreeSet::new();
    for (path, methods) in paths {
        let methods = methods.as_object().unwrap();
        let allowed = match methods.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            ["get"] => "GET, HEAD",
            ["post"] => "POST",
            ["get", "post"] => "GET, HEAD, POST",
            ref others => panic!("{path}: {others:?}"),
        };
        let address = path.replace("{n}", "1").replace("{id}", "a");
        let answer = served.raw(&format!(
            "PUT {address} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
        let allow = answer.lines().find_map(|line| line.strip_prefix("allow: "));
        assert_eq!(allow, Some(allowed), "{path}");
        for operation in methods.values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "two are called {id}");
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere_and_every_part_is_used() {
    fn gather(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                found.extend(reference.map(str::to_owned));
                fields.values().for_each(|value| gather(value, found));
            }
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(include_str!("../src/http/openapi.json")).unwrap();
    let mut used = BTreeSet::new();
    gather(&document, &mut used);
    let mut parts = BTreeSet::new();
    for kind in ["parameters", "responses", "schemas"] {
        let names = document["components"][kind].as_object().unwrap().keys();
        parts.extend(names.map(|name| format!("#/components/{kind}/{name}")));
    }
    assert_eq!(used, parts);
}
