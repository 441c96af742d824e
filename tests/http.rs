//! The service over HTTP, through a real socket: every address well and badly asked, texts as JSON and
//! as bytes, what goes over the wire when something happens, and an end in good order. The voice is made
//! for tests; texts that are sent stay in a paused queue.

#[path = "http/bounds.rs"]
mod bounds;
#[path = "http/correcting.rs"]
mod correcting;
#[path = "http/document.rs"]
mod document;
mod kit;
#[path = "http/operations.rs"]
mod operations;
#[path = "http/rendering.rs"]
mod rendering;
#[path = "http/watching.rs"]
mod watching;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aloud::engine::{Engine, Options, ShutdownWait, Submission, TaskId, TaskState, Work};
use aloud::http::{Answer, Client, ClientError, Events, Server, ServerEvent, ServerOptions};
use aloud::narrate::{Voices, library_options};
use aloud::service::{API, Local, LogLine, LogSource};
use aloud::settings::{Overrides, Paths, Settings, load_from};
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

/// The settings of a home, with the voice of tones where it can speak.
fn settings(home: &Home) -> Settings {
    let paths = Paths::under(home.folder.path());
    let mut settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
    if home.path("data").exists() {
        settings.voice = home.tone();
    }
    settings
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
        let settings = settings(&home);
        let mut library = library(
            home.folder.path(),
            Arc::new(|| Box::new(Quick(Duration::from_millis(1)))),
            None,
        );
        library.max_waiting = 50;
        library.takes_limits = true;
        Self::working(home, settings, library, options, log)
    }

    /// With the voice of tones, which narrates what is sent.
    fn narrating() -> Self {
        let home = Home::ready();
        let mut settings = settings(&home);
        // A process can use one eSpeak, and homes only link to it.
        settings.paths.data = std::fs::canonicalize(&settings.paths.data).unwrap();
        let library = library_options(&settings);
        Self::working(home, settings, library, ServerOptions::default(), log)
    }

    fn working(
        home: Home,
        mut settings: Settings,
        mut library: Options,
        options: ServerOptions,
        log: LogSource,
    ) -> Self {
        settings.paths.library.clone_from(&library.folder);
        let voices = Voices::new(&settings);
        Local::prepare(&mut library, &settings, &voices);
        operations::register(&mut library);
        let engine = Engine::open(library).unwrap();
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
    // A page says where the next one is; the last one says nothing.
    let page = |query: &str| {
        served.raw(&format!(
            "GET /v1/tasks?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
    };
    let first = page("limit=1&brief=true");
    let next = format!(
        "limit=1&brief=true&after={}",
        story.as_str().replace('-', "%2D")
    );
    assert!(
        first.contains(&format!("</v1/tasks?{next}>; rel=\"next\"")),
        "{first}"
    );
    assert!(
        first.contains(r#""title":"A story""#) && !first.contains("created_at"),
        "{first}"
    );
    let last = page("limit=3");
    assert!(!last.contains("link:"), "{last}");
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
fn texts_are_taken_as_words_files_and_bytes() {
    let served = Served::new();
    served.engine.pause_queue();
    let story = served
        .home
        .write("story.txt", "A clock ticked in the hall.");
    let out = served.home.path("elsewhere");
    let wanted = json!({
        "file": story, "out": out, "speed": 1.5, "priority": "high",
        "limits": { "cores": 1 },
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
