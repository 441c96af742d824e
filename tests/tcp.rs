//! The service over TCP: who is let in and who is not, each threat that the documents name, and sound with
//! ranges. The voice is made for tests, but for the program itself, which speaks in tones.

mod kit;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aloud::engine::{Engine, Submission, TaskId, TaskState, Work};
use aloud::http::{Client, Gate, Server, ServerOptions};
use aloud::narrate::Voices;
use aloud::service::Local;
use aloud::settings::{Overrides, Paths, load_from};
use serde_json::{Value, json};

use kit::line::Quick;
use kit::request::{Reply, ask};
use kit::voice::{library, narration};
use kit::{Home, wait_for};

const TOKEN: &str = "0123456789abcdef";

/// A service that is served over TCP and over its socket.
struct Served {
    server: Server,
    at: SocketAddr,
    socket: Client,
    engine: Engine,
    home: Home,
}

impl Served {
    fn new(token: Option<&str>) -> Self {
        Self::with(Home::ready(), token, ServerOptions::default())
    }

    fn with(home: Home, token: Option<&str>, options: ServerOptions) -> Self {
        let paths = Paths::under(home.folder.path());
        let mut settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
        if home.path("data").exists() {
            settings.voice = home.tone();
        }
        let library = library(
            home.folder.path(),
            Arc::new(|| Box::new(Quick(Duration::from_millis(1)))),
            None,
        );
        settings.paths.library.clone_from(&library.folder);
        let engine = Engine::open(library).unwrap();
        let voices = Voices::new(&settings);
        let service = Local::new(engine.clone(), voices, settings, Vec::new);
        let socket = home.path("aloud.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = tcp.local_addr().unwrap();
        let origins = ["https://reader.example".to_owned()];
        let gate = Gate::tcp(at, token, &["box.lan".to_owned()], &origins).unwrap();
        let server = Server::start_with(Arc::new(service), listener, Some((tcp, gate)), options);
        Self {
            server: server.unwrap(),
            at,
            socket: Client::new(&socket),
            engine,
            home,
        }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        ask(self.at, method, path, headers, body)
    }

    fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.ask("POST", path, &json, body.to_string().as_bytes())
    }

    fn narrated(&self, texts: &[&str]) -> TaskId {
        let narration = narration(self.home.path("out"), "A story", texts);
        let id = self.engine.submit(narration).unwrap();
        assert_eq!(self.engine.wait(&id).unwrap().state, TaskState::Completed);
        id
    }
}

#[test]
fn the_same_is_answered_as_on_the_socket() {
    let served = Served::new(None);
    let id = served.narrated(&["One.", "Two."]);
    for path in [
        "/v1/info",
        &format!("/v1/tasks/{id}"),
        "/v1/voices",
        "/v1/queue",
        "/v1/history",
    ] {
        let (over_tcp, over_socket) = (served.get(path), served.socket.get(path).unwrap());
        assert_eq!(
            (over_tcp.status, over_tcp.body),
            (over_socket.status, over_socket.body),
            "{path}"
        );
    }
    let named = served.ask("GET", "/v1/info", &[("host", "box.lan")], b"");
    assert_eq!(named.status, 200);
    assert_eq!(served.post("/v1/queue/pause", &json!({})).status, 200);
    assert!(served.engine.is_queue_paused());
}

#[test]
fn a_strangers_page_neither_reads_nor_orders() {
    let served = Served::with(Home::empty(), None, ServerOptions::default());
    // Led to this machine by the name of another.
    for path in ["/v1/info", "/v1/events", "/livez"] {
        let rebound = served.ask("GET", path, &[("host", "evil.example")], b"");
        assert_eq!(
            rebound.refusal(),
            (403, "HOST_NOT_ALLOWED".to_owned()),
            "{path}"
        );
    }
    // What a page may send without asking: no body, a form, plain text.
    let refused = (403, "ORIGIN_NOT_ALLOWED".to_owned());
    let evil = ("origin", "https://evil.example");
    for kind in [
        "",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
    ] {
        for path in [
            "/v1/queue/pause",
            "/v1/shutdown",
            "/v1/tasks",
            "/storycore.task.cancel",
        ] {
            let headers = [evil, ("content-type", kind)];
            let headers = if kind.is_empty() {
                &headers[..1]
            } else {
                &headers
            };
            assert_eq!(
                served.ask("POST", path, headers, b"").refusal(),
                refused,
                "{kind} {path}"
            );
        }
    }
    assert!(!served.engine.is_queue_paused());
    let asked = served.ask(
        "OPTIONS",
        "/v1/tasks",
        &[evil, ("access-control-request-method", "POST")],
        b"",
    );
    assert_eq!(asked.refusal(), refused);
    assert!(asked.header("access-control-allow-origin").is_none());
    // A form has no other type than these, wherever it is.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(
        served.ask("POST", "/v1/queue/pause", &form, b"a=b").status,
        415
    );
}

#[test]
fn a_page_that_is_listed_asks_and_reads() {
    let served = Served::with(Home::empty(), Some(TOKEN), ServerOptions::default());
    let listed = ("origin", "https://reader.example");
    let asked = served.ask(
        "OPTIONS",
        "/v1/tasks",
        &[listed, ("access-control-request-method", "POST")],
        b"",
    );
    assert_eq!((asked.status, asked.body.len()), (204, 0));
    let allowed = asked.header("access-control-allow-headers").unwrap();
    assert!(
        allowed.contains("authorization") && allowed.contains("content-type"),
        "{allowed}"
    );
    let bearer = format!("Bearer {TOKEN}");
    let read = served.ask(
        "GET",
        "/v1/info",
        &[listed, ("authorization", &bearer)],
        b"",
    );
    assert_eq!(read.status, 200);
    let unknown = served.ask("GET", "/v1/info", &[listed], b"");
    assert_eq!(unknown.status, 401);
    for answer in [&read, &unknown] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://reader.example")
        );
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}

#[test]
fn who_has_no_token_learns_only_whether_it_lives() {
    let served = Served::with(Home::empty(), Some(TOKEN), ServerOptions::default());
    for (method, path) in [
        ("GET", "/v1/info"),
        ("GET", "/health"),
        ("GET", "/v1/events"),
        ("GET", "/nothing"),
        ("POST", "/v1/shutdown"),
    ] {
        let refused = served.ask(
            method,
            path,
            &[("authorization", "Bearer 0123456789abcdeg")],
            b"",
        );
        assert_eq!(
            refused.refusal(),
            (401, "UNAUTHORIZED".to_owned()),
            "{path}"
        );
        assert!(refused.header("www-authenticate").is_some());
    }
    assert_eq!(served.get("/livez").json(), json!({ "status": "ok" }));
    // There is no voice; whose folder it would be in is nobody's business.
    let ready = served.get("/readyz");
    assert_eq!(
        (ready.status, ready.json()),
        (503, json!({ "status": "unavailable" }))
    );
    let bearer = format!("Bearer {TOKEN}");
    let known = served.ask("GET", "/readyz", &[("authorization", &bearer)], b"");
    assert!(known.json()["error"]["message"].is_string());
    // The socket is this user's own.
    assert_eq!(served.socket.get("/v1/info").unwrap().status, 200);
}

#[test]
fn no_path_is_taken_from_the_wire() {
    let served = Served::new(None);
    served.engine.pause_queue();
    let secret = served.home.write("secret.txt", "It struck one.");
    let out = served.home.path("elsewhere");
    let voice = served.home.tone();
    let other = served.home.made_voice("other", b"no model");
    let cases = [
        json!({ "file": secret }),
        json!({ "file": "secret.txt" }),
        json!({ "text": "It struck one.", "out": out }),
        json!({ "text": "It struck one.", "voice": other }),
        json!({ "text": "It struck one.", "voice": "../other" }),
        json!({ "text": "It struck one.", "voice": "other.ONNX " }),
        json!({ "operation": "narrate", "parameters": { "file": secret } }),
        json!({ "file": secret, "schedule": { "every": 60 } }),
        json!({ "text": "It struck one.", "out": out, "schedule": { "cron": "@daily" } }),
    ];
    let refused = (403, "PATH_NOT_ALLOWED".to_owned());
    for body in &cases {
        assert_eq!(served.post("/v1/tasks", body).refusal(), refused, "{body}");
    }
    let plain = [("content-type", "text/plain")];
    for query in ["out=/tmp", "voice=/etc/passwd", "voice=~/x.onnx"] {
        let path = format!("/v1/tasks?{query}");
        assert_eq!(
            served.ask("POST", &path, &plain, b"It.").refusal(),
            refused,
            "{query}"
        );
    }
    assert!(served.engine.tasks().is_empty() && !out.exists());
    assert!(served.engine.recurring_tasks().is_empty());
    // The voice of the settings may be called as it is called there, and the name of a text is a name.
    let named = [
        ("content-type", "text/plain"),
        ("x-aloud-name", "..%2F..%2Fetc%2Fstory.txt"),
    ];
    let path = format!("/v1/tasks?voice={}", voice.replace('/', "%2F"));
    let taken = served.ask("POST", &path, &named, b"It struck two.");
    assert_eq!(taken.status, 202, "{}", taken.json());
    let task = &served.engine.tasks()[0];
    assert_eq!(
        task.folder.as_deref(),
        Some(&*served.home.path("narrations/story"))
    );
    // A program of this user's may name what it likes, over the socket; a page that came to it may not.
    let over_socket = |headers: &[(&str, &str)]| {
        let body = json!({ "file": secret }).to_string();
        served
            .socket
            .post("/v1/tasks", "application/json", headers, body)
            .unwrap()
            .status
    };
    assert_eq!(over_socket(&[("origin", "http://localhost")]), 403);
    assert_eq!(over_socket(&[]), 202);
}

#[test]
fn who_stalls_over_tcp_is_closed_and_the_owner_still_gets_in() {
    let options = ServerOptions {
        head_timeout: Duration::from_millis(50),
        connections: 3,
        ..ServerOptions::default()
    };
    let served = Served::with(Home::empty(), None, options);
    let mut slow = TcpStream::connect(served.at).unwrap();
    slow.write_all(b"GET /v1/info HTTP/1.1\r\nhost:").unwrap();
    slow.set_read_timeout(Some(kit::PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    // As many as there is room for, watching; one more is closed without a word.
    let watch = || {
        let mut stream = TcpStream::connect(served.at).unwrap();
        stream.set_read_timeout(Some(kit::PATIENCE)).unwrap();
        let request = format!("GET /v1/events HTTP/1.1\r\nhost: {}\r\n\r\n", served.at);
        let _ = stream.write_all(request.as_bytes());
        let mut first = [0; 8];
        stream.read_exact(&mut first).ok().map(|()| stream)
    };
    let watching: Vec<_> = wait_for("room for three", || (0..3).map(|_| watch()).collect());
    assert!(watch().is_none());
    assert_eq!(served.socket.get("/v1/info").unwrap().status, 200);
    drop(watching);
    wait_for("room again", watch);
}

#[test]
fn sound_is_sent_whole_and_from_any_place_on() {
    let served = Served::with(Home::empty(), None, ServerOptions::default());
    let id = served.narrated(&["One.", "Two.", "Three."]);
    let status = served.engine.task_status(&id).unwrap();
    let folder = status.folder.clone().unwrap();
    let second = folder.join(&*status.completed_segments.get(2).unwrap().clip);
    let bytes = std::fs::read(&second).unwrap();
    let path = format!("/v1/tasks/{id}/clips/2");
    let whole = served.get(&path);
    assert_eq!((whole.status, &whole.body), (200, &bytes));
    assert_eq!(whole.header("content-type"), Some("audio/wav"));
    assert_eq!(
        whole.header("content-length"),
        Some(&*bytes.len().to_string())
    );
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let tag = whole.header("etag").unwrap();
    let part = |range: &str| served.ask("GET", &path, &[("range", range)], b"");
    let middle = part("bytes=100-199");
    assert_eq!((middle.status, &*middle.body), (206, &bytes[100..200]));
    let range = format!("bytes 100-199/{}", bytes.len());
    assert_eq!(middle.header("content-range"), Some(&*range));
    assert_eq!(middle.header("content-length"), Some("100"));
    assert_eq!(part("bytes=-10").body, bytes[bytes.len() - 10..]);
    assert_eq!(part("bytes=0-1,5-6").body, bytes);
    let beyond = part("bytes=999999999-");
    assert_eq!(beyond.refusal(), (416, "RANGE_NOT_SATISFIABLE".to_owned()));
    assert_eq!(
        beyond.header("content-range"),
        Some(&*format!("bytes */{}", bytes.len()))
    );
    let known = served.ask("GET", &path, &[("if-none-match", tag)], b"");
    assert_eq!(
        (known.status, known.body.len(), known.header("etag")),
        (304, 0, Some(tag))
    );
    let head = served.ask("HEAD", &path, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        whole.header("content-length")
    );

    let audio = format!("/v1/tasks/{id}/audio");
    let joined = folder.join("a-story.wav");
    assert_eq!(served.get(&audio).body, std::fs::read(&joined).unwrap());
    assert_eq!(served.get(&format!("{audio}?part=2")).refusal().0, 404);
}

#[test]
fn of_sound_nothing_is_sent_but_what_a_task_has_made() {
    let served = Served::with(Home::empty(), None, ServerOptions::default());
    let id = served.narrated(&["One.", "Two.", "Three."]);
    let status = served.engine.task_status(&id).unwrap();
    let folder = status.folder.clone().unwrap();
    let second = folder.join(&*status.completed_segments.get(2).unwrap().clip);
    let joined = folder.join("a-story.wav");
    let audio = format!("/v1/tasks/{id}/audio");
    let path = format!("/v1/tasks/{id}/clips/2");
    assert_eq!(served.get(&format!("{audio}?part=2")).refusal().0, 404);
    for missing in ["0", "4", "99999"] {
        let refused = served.get(&format!("/v1/tasks/{id}/clips/{missing}"));
        assert_eq!(
            refused.refusal(),
            (404, "CLIP_NOT_FOUND".to_owned()),
            "{missing}"
        );
    }
    for nothing in ["-1", "x", "..%2F1", "99999999999"] {
        assert_eq!(
            served
                .get(&format!("/v1/tasks/{id}/clips/{nothing}"))
                .status,
            404,
            "{nothing}"
        );
    }
    assert_eq!(served.get("/v1/tasks/none/audio").refusal().0, 404);
    let waiting = served
        .engine
        .submit(Submission::new(Work::closure("w", |_| Ok(1.into()))).paused());
    let waiting = waiting.unwrap();
    assert_eq!(
        served
            .get(&format!("/v1/tasks/{waiting}/audio"))
            .refusal()
            .0,
        404
    );
    let held = narration(served.home.path("held"), "Held", &["One."]);
    let held = served
        .engine
        .submit(Submission::new(held).paused())
        .unwrap();
    assert_eq!(
        served.get(&format!("/v1/tasks/{held}/audio")).refusal().0,
        409
    );

    // What someone has put in the place of a clip is not read out.
    let secret = served.home.write("secret", "secret");
    std::fs::remove_file(&second).unwrap();
    symlink(&secret, &second).unwrap();
    let refused = served.get(&path);
    assert_eq!(refused.refusal(), (404, "FILE_NOT_FOUND".to_owned()));
    // A long file is not read at once: of this one the end is sent, and of the rest as much as is read.
    std::fs::File::options()
        .write(true)
        .open(&joined)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let end = served.ask("GET", &audio, &[("range", "bytes=-5")], b"");
    assert_eq!((end.status, &*end.body), (206, &[0; 5][..]));
    let mut stream = TcpStream::connect(served.at).unwrap();
    let request = format!("GET {audio} HTTP/1.1\r\nhost: {}\r\n\r\n", served.at);
    stream.write_all(request.as_bytes()).unwrap();
    let mut some = vec![0; 10_000_000];
    stream.read_exact(&mut some).unwrap();
    drop(stream);
    assert_eq!(served.get("/v1/info").status, 200);
}

#[test]
fn who_does_not_read_an_answer_is_closed() {
    let options = ServerOptions {
        stall: Duration::from_millis(50),
        ..ServerOptions::default()
    };
    let served = Served::with(Home::empty(), None, options);
    let id = served.narrated(&["One."]);
    let folder = served.engine.task_status(&id).unwrap().folder.unwrap();
    // More than the buffers of the system take.
    let joined = std::fs::File::options()
        .write(true)
        .open(folder.join("a-story.wav"));
    joined.unwrap().set_len(1 << 40).unwrap();
    let mut stream = TcpStream::connect(served.at).unwrap();
    let request = format!(
        "GET /v1/tasks/{id}/audio HTTP/1.1\r\nhost: {}\r\n\r\n",
        served.at
    );
    stream.write_all(request.as_bytes()).unwrap();
    // A first byte says that it has begun to answer.
    stream.read_exact(&mut [0; 1]).unwrap();
    wait_for("it is given up", || {
        (served.server.connections() == 0).then_some(())
    });
    // It is no whole answer, and nobody can take it for one.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 1 << 30);
}

#[test]
fn a_request_with_a_key_counts_once() {
    let served = Served::new(None);
    served.engine.pause_queue();
    let keyed = |key: &str, text: &str| {
        let headers = [("content-type", "text/plain"), ("idempotency-key", key)];
        served.ask("POST", "/v1/tasks", &headers, text.as_bytes())
    };
    let first = keyed("one", "It struck one.");
    assert_eq!(
        (first.status, &first.json()["continued"]),
        (202, &json!(false))
    );
    let again = keyed("one", "It struck one.");
    assert_eq!(
        (&again.json()["task_id"], &again.json()["continued"]),
        (&first.json()["task_id"], &json!(true))
    );
    assert_eq!(
        keyed("one", "It struck two.").refusal(),
        (409, "KEY_REUSED".to_owned())
    );
    assert_eq!(keyed("two", "It struck two.").status, 202);
    assert_eq!(keyed("", "It struck three.").status, 400);
    assert_eq!(keyed(&"x".repeat(300), "It struck three.").status, 400);
    assert_eq!(served.engine.tasks().len(), 2);
}

#[test]
fn texts_of_a_group_wait_for_each_other() {
    let served = Served::new(None);
    served.engine.pause_queue();
    let add = |body: Value| {
        let added = served.post("/v1/tasks", &body);
        assert_eq!(added.status, 202, "{}", added.json());
        added.json()["task_id"].as_str().unwrap().to_owned()
    };
    let first =
        add(json!({ "text": "It struck one.", "group": "book", "timeout": 60, "paused": true }));
    let second =
        add(json!({ "text": "It struck two.", "group": "book", "after": [first], "delay": 0.5 }));
    let status = |id: &str| served.engine.task_status(&TaskId::from(id)).unwrap();
    assert!(status(&first).paused);
    assert_eq!(status(&second).after[0].as_str(), first);
    let group = served.get("/v1/groups/book");
    assert_eq!((group.status, &group.json()["counts"][0]), (200, &json!(2)));
    assert_eq!(
        served.get("/v1/groups/none").refusal(),
        (404, "GROUP_NOT_FOUND".to_owned())
    );
    for wrong in [
        json!({ "timeout": 0 }),
        json!({ "timeout": -1 }),
        json!({ "delay": -0.5 }),
    ] {
        let mut body = wrong.clone();
        body["text"] = json!("It struck three.");
        assert_eq!(served.post("/v1/tasks", &body).status, 422, "{wrong}");
    }
    let late = served.post("/v1/tasks?wait=0.01", &json!({ "text": "It struck four." }));
    assert_eq!(
        (late.status, &late.json()["task"]["state"]),
        (202, &json!("PENDING"))
    );
    for wait in ["-1", "NaN", "soon"] {
        let refused = served.post(
            &format!("/v1/tasks?wait={wait}"),
            &json!({ "text": "It struck five." }),
        );
        assert!(matches!(refused.status, 400 | 422), "{wait}");
    }
}

/// The program, listening.
struct Program {
    child: Child,
    home: Home,
    at: SocketAddr,
}

impl Program {
    fn start(home: Home, settings: &str) -> Self {
        home.write("config/config.toml", settings);
        let voice = home.tone();
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--voice", &voice]);
        let child = command
            .env_remove("XDG_RUNTIME_DIR")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let at = wait_for("it listens", || {
            let lock = std::fs::read_to_string(home.path("state/lock")).ok()?;
            let said: Value = serde_json::from_str(&lock).ok()?;
            said["http"].as_str()?.parse().ok()
        });
        Self { child, home, at }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.home.run(&["stop"]);
        let _ = self.child.wait();
    }
}

#[test]
fn the_program_listens_where_it_is_told_to_and_narrates_while_one_waits() {
    let settings = format!("[http]\ntoken = \"{TOKEN}\"\nhosts = \"box.lan\"");
    let program = Program::start(Home::ready(), &settings);
    let bearer = format!("Bearer {TOKEN}");
    let known = ("authorization", &*bearer);
    assert_eq!(ask(program.at, "GET", "/v1/info", &[], b"").status, 401);
    assert_eq!(
        ask(
            program.at,
            "GET",
            "/v1/info",
            &[known, ("host", "box.lan")],
            b""
        )
        .status,
        200
    );
    let headers = [
        known,
        ("content-type", "text/plain"),
        ("x-aloud-name", "story.txt"),
    ];
    let made = ask(
        program.at,
        "POST",
        "/v1/tasks?wait=120",
        &headers,
        b"It struck one.\n\nIt struck two.",
    );
    assert_eq!(
        (made.status, &made.json()["task"]["state"]),
        (200, &json!("COMPLETED"))
    );
    let id = made.json()["task_id"].as_str().unwrap().to_owned();
    let audio = ask(
        program.at,
        "GET",
        &format!("/v1/tasks/{id}/audio"),
        &[known],
        b"",
    );
    let file = program.home.path("narrations/story/story.wav");
    assert_eq!(audio.body, std::fs::read(file).unwrap());
    // Whoever looks is told where it is, and never the token.
    let doctor = program.home.run(&["doctor"]);
    assert!(
        doctor.out.contains(&format!("http://{}", program.at)),
        "{}",
        doctor.out
    );
    assert!(!doctor.out.contains(TOKEN), "{}", doctor.out);
}

#[test]
fn the_program_begins_nowhere_where_it_would_be_open_to_all() {
    let home = Home::empty();
    let refused = |args: &[&str]| {
        let ran = home.run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.err);
        assert!(!home.path("state/aloud.db").exists());
        ran.err
    };
    let said = refused(&["serve", "--listen", "0.0.0.0"]);
    assert!(
        said.contains("a token is needed") && said.contains("ALOUD_HTTP_TOKEN"),
        "{said}"
    );
    let said = refused(&["serve", "--listen", "everywhere"]);
    assert!(said.contains("no address to listen at"), "{said}");
    home.write(
        "config/config.toml",
        "[http]\nlisten = \"[::]:0\"\ntoken = \"letmein\"",
    );
    let said = refused(&["serve"]);
    assert!(
        said.contains("16 characters") && !said.contains("letmein"),
        "{said}"
    );
    home.write("config/config.toml", "[http]\ntoken = 12345");
    let said = refused(&["serve"]);
    assert!(
        said.contains("http.token") && !said.contains("12345"),
        "{said}"
    );
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    home.write("config/config.toml", "");
    let at = other.local_addr().unwrap().to_string();
    let ran = home.run(&["serve", "--listen", &at]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains(&at) && ran.err.contains("--listen"),
        "{}",
        ran.err
    );
}
