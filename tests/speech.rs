//! Speech over HTTP as OpenAI's clients ask for it: sound in each format, errors in their form, and a book
//! that makes room for it. The voice says when it begins and waits to be let go, so that nothing here
//! depends on time.

mod kit;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use aloud::clip::ClipStore;
use aloud::engine::{Engine, Event, Subscription, TaskId, TaskKind, TaskState};
use aloud::http::{Gate, Server, ServerOptions};
use aloud::narrate::{ClipCache, Voices, load_voice};
use aloud::service::Local;
use aloud::settings::{Overrides, Paths, Settings, load_from};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use kit::Home;
use kit::line::Line;
use kit::request::{Reply, ask};
use kit::voice::{library_of, narration};

const PATIENCE: Duration = Duration::from_secs(20);
/// Samples of a clip: two seconds.
const CLIP: usize = 44_100;
/// Samples of silence between two paragraphs.
const PAUSE: usize = 22_050 * 6 / 10;

/// A service over TCP whose voice is at the other end of a line.
struct Served {
    _server: Server,
    at: SocketAddr,
    engine: Engine,
    events: Subscription,
    line: Line,
    /// The voice, and its version.
    voice: (String, String),
    home: Home,
}

impl Served {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let home = Home::ready();
        let folder = home.folder.path();
        let mut settings =
            load_from(Paths::under(folder), Overrides::default(), &|_| None).unwrap();
        settings.voice = home.tone();
        set(&mut settings);
        let (open, line) = Line::new(CLIP);
        let kept = ClipCache::new(ClipStore::new(folder.join("clips")), 1_000_000_000);
        let info = load_voice(&settings, &settings.voice)
            .unwrap()
            .info()
            .clone();
        let voice = (settings.voice.clone(), info.version.clone());
        let library = library_of(info, folder, open, Some(kept));
        settings.paths.library.clone_from(&library.folder);
        let engine = Engine::open(library).unwrap();
        let service = Local::new(engine.clone(), Voices::new(&settings), settings, Vec::new);
        let listener = UnixListener::bind(home.path("aloud.sock")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = tcp.local_addr().unwrap();
        let gate = Gate::tcp(at, None, &[], &[]).unwrap();
        let options = ServerOptions::default();
        let server = Server::start_with(Arc::new(service), listener, Some((tcp, gate)), options);
        Self {
            _server: server.unwrap(),
            at,
            events: engine.subscribe(),
            engine,
            line,
            voice,
            home,
        }
    }

    fn get(&self, path: &str) -> Value {
        let reply = ask(self.at, "GET", path, &[], b"");
        assert_eq!(reply.status, 200, "{path}");
        reply.json()
    }

    fn speech(&self, body: &Value) -> Reply {
        speech(self.at, body)
    }

    /// A request that is not waited for.
    fn begin(&self, text: &str) -> TcpStream {
        let body = json!({ "input": text, "response_format": "wav" }).to_string();
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (at, length) = (self.at, body.len());
        let head = format!(
            "POST /v1/audio/speech HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n"
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        stream
    }

    fn narrate(&self, title: &str, texts: &[&str]) -> TaskId {
        let mut narration = narration(self.home.path(title), title, texts);
        narration.voice = self.voice.0.as_str().into();
        narration.voice_version = self.voice.1.as_str().into();
        self.engine.submit_task(narration, None).unwrap()
    }

    fn until_begun(&mut self, text: &str) {
        self.line.until_begun(text);
    }

    /// Waits until some speech has ended, and says how.
    fn until_spoken(&self) -> TaskState {
        loop {
            let event = self.events.recv_blocking().expect("the engine still runs");
            let Event::Ended { task, .. } = event else {
                continue;
            };
            let status = self.engine.task_status(&task).unwrap();
            if status.kind == TaskKind::Speech {
                return status.state;
            }
        }
    }

    fn all_made(self) -> BTreeMap<String, usize> {
        self.line.all_made(&self.engine)
    }
}

fn speech(at: SocketAddr, body: &Value) -> Reply {
    let json = [("content-type", "application/json")];
    ask(
        at,
        "POST",
        "/v1/audio/speech",
        &json,
        body.to_string().as_bytes(),
    )
}

fn once(texts: &[&str]) -> BTreeMap<String, usize> {
    texts.iter().map(|text| ((*text).to_owned(), 1)).collect()
}

fn length(reply: &Reply) -> Option<usize> {
    reply
        .header("content-length")
        .map(|length| length.parse().unwrap())
}

const TEXT: &str = "The first one.\n\nThe second one.";

#[test]
fn each_format_is_what_it_says_and_nothing_is_made_twice() {
    let served = Served::new();
    // Who says nothing of a format takes what comes for MP3.
    let mp3 = served.speech(&json!({ "model": "tts-1", "input": TEXT, "voice": "alloy" }));
    assert_eq!(
        (mp3.status, mp3.header("content-type")),
        (200, Some("audio/mpeg"))
    );
    assert_eq!(
        (mp3.body[0], mp3.body[1] & 0xe0),
        (0xff, 0xe0),
        "a frame, and no tag"
    );
    let samples = 2 * CLIP + PAUSE;
    let expected = samples * 8000 / 22_050;
    let close = expected..expected + 3 * 210;
    assert!(
        close.contains(&mp3.body.len()),
        "{} of {expected}",
        mp3.body.len()
    );
    let same = served.speech(&json!({ "input": TEXT, "response_format": "mp3" }));
    assert_eq!(same.body, mp3.body);

    // All of it is known now, so its length is, too.
    let wav = served.speech(&json!({ "input": TEXT, "response_format": "wav" }));
    assert_eq!(
        (wav.status, wav.header("content-type")),
        (200, Some("audio/wav"))
    );
    assert_eq!(length(&wav), Some(44 + 2 * samples));
    let reader = hound::WavReader::new(&*wav.body).unwrap();
    assert_eq!(
        (reader.duration() as usize, reader.spec().sample_rate),
        (samples, 22_050)
    );
    let sound: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
    assert!(sound[CLIP..CLIP + PAUSE].iter().all(|sample| *sample == 0));
    assert_eq!(sound[..CLIP], sound[CLIP + PAUSE..]);

    // Before it is, players are told to take what comes.
    let new = json!({ "input": "The third one.\n\nThe fourth one.", "response_format": "wav" });
    let new = served.speech(&new);
    assert_eq!(length(&new), None);
    assert_eq!(
        (&new.body[40..44], new.body.len()),
        (&[255; 4][..], wav.body.len())
    );

    let pcm = served.speech(&json!({ "input": TEXT, "response_format": "pcm" }));
    assert!(pcm.header("content-type").unwrap().starts_with("audio/pcm"));
    assert_eq!(pcm.body.len(), 2 * (samples * 24_000).div_ceil(22_050));

    // At another pace it is another clip; with advice it is the same.
    let body = json!({ "input": "The first one.", "speed": 2.0, "instructions": "Sing!" });
    let sung = served.speech(&body);
    assert_eq!(
        (sung.status, sung.header("x-aloud-ignored")),
        (200, Some("instructions"))
    );
    assert_eq!(wav.header("x-aloud-ignored"), None);
    let texts = [
        "The first one.",
        "The second one.",
        "The third one.",
        "The fourth one.",
    ];
    let mut expected = once(&texts);
    expected.insert("The first one.".to_owned(), 2);
    assert_eq!(served.all_made(), expected);
}

#[test]
fn sound_comes_as_events_to_who_wants_them() {
    let served = Served::new();
    let plain = served.speech(&json!({ "input": TEXT })).body;
    let reply = served.speech(&json!({ "input": TEXT, "stream_format": "sse" }));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(reply.body).unwrap();
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    let events = events.map(|event| event.strip_prefix("data: ").unwrap());
    let events: Vec<Value> = events
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let (last, deltas) = events.split_last().unwrap();
    assert_eq!(last["type"], "speech.audio.done");
    assert!(last["usage"]["total_tokens"].is_number());
    let mut sound = Vec::new();
    for delta in deltas {
        assert_eq!(delta["type"], "speech.audio.delta");
        sound.extend(
            BASE64_STANDARD
                .decode(delta["audio"].as_str().unwrap())
                .unwrap(),
        );
    }
    assert_eq!((sound, deltas.len()), (plain, 2));
}

#[test]
fn voices_and_models_are_listed_as_clients_want_them() {
    let served = Served::with(|settings| {
        settings.voices = [("echo".to_owned(), settings.voice.clone())].into();
        settings
            .voices
            .insert("Grandma".to_owned(), settings.voice.clone());
    });
    let voices = served.get("/v1/audio/voices");
    let ids: Vec<_> = voices["voices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    for voice in ["en_US-joe-medium", "Grandma", "echo", "tone"] {
        assert!(ids.contains(&&json!(voice)), "{voice}: {ids:?}");
    }
    assert!(voices["voices"][0]["name"].is_string());
    let names = &served.get("/v1/audio/voices?legacy=true")["voices"];
    assert_eq!(names.as_array().unwrap().len(), ids.len());
    assert!(names[0].is_string());
    let models = served.get("/v1/models");
    assert_eq!(
        (&models["object"], &models["data"][0]["object"]),
        (&json!("list"), &json!("model"))
    );
    let models = served.get("/v1/audio/models");
    assert!(
        models["models"]
            .as_array()
            .unwrap()
            .iter()
            .any(|model| model["id"] == "tts-1")
    );
    for voice in [
        json!("Grandma"),
        json!("echo"),
        json!("shimmer"),
        json!("tone"),
        json!({ "id": "nova" }),
    ] {
        let reply = served.speech(&json!({ "input": "The first one.", "voice": voice }));
        assert_eq!(reply.status, 200, "{voice}");
    }
    assert_eq!(served.all_made(), once(&["The first one."]));
}

#[test]
fn what_is_wrong_is_told_in_the_form_that_clients_read() {
    let served = Served::with(|settings| settings.speech.max_chars = 50);
    let path = served.home.tone();
    let long = "word ".repeat(11);
    for (body, param, words) in [
        (json!({ "input": "" }), "input", "empty"),
        (json!({ "voice": "alloy" }), "input", "empty"),
        (json!({ "input": " \n " }), "input", "empty"),
        (json!({ "input": "***" }), "input", "nothing to speak"),
        (json!({ "input": long }), "input", "50 characters"),
        (
            json!({ "input": "A.", "voice": "bob" }),
            "voice",
            "en_US-joe-medium",
        ),
        // Only the settings name files.
        (
            json!({ "input": "A.", "voice": path }),
            "voice",
            "there is no voice",
        ),
        (
            json!({ "input": "A.", "voice": "../tone.onnx" }),
            "voice",
            "there is no voice",
        ),
        (json!({ "input": "A.", "speed": 0.1 }), "speed", "0.25 to 4"),
        (json!({ "input": "A.", "speed": 5 }), "speed", "0.25 to 4"),
        (
            json!({ "input": "A.", "response_format": "opus" }),
            "response_format",
            "mp3, wav or pcm",
        ),
        (
            json!({ "input": "A.", "stream_format": "ws" }),
            "stream_format",
            "audio or sse",
        ),
    ] {
        let reply = served.speech(&body);
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["param"]),
            (400, &json!(param)),
            "{body}: {error}"
        );
        assert_eq!(error["type"], "invalid_request_error");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{body}: {message}");
    }
    let malformed = served.speech(&json!({ "input": 7 }));
    assert_eq!(
        (malformed.status, &malformed.json()["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
    // A form, which any page can send.
    let form = [("content-type", "text/plain")];
    let refused = ask(
        served.at,
        "POST",
        "/v1/audio/speech",
        &form,
        b"{\"input\":\"A.\"}",
    );
    assert_eq!(
        (refused.status, &refused.json()["error"]["type"]),
        (415, &json!("invalid_request_error"))
    );
    assert_eq!(served.all_made(), BTreeMap::new());
}

#[test]
fn whoever_hangs_up_frees_the_voice() {
    let mut served = Served::new();
    // Before the first sound.
    let stream = served.begin("Wait here.");
    served.until_begun("Wait here.");
    drop(stream);
    assert_eq!(served.until_spoken(), TaskState::Cancelled);
    // Within it.
    let mut stream = served.begin("Hello.\n\nWait for it.\n\nNever.");
    let mut some = [0; 2000];
    stream.read_exact(&mut some).unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"));
    served.until_begun("Wait for it.");
    drop(stream);
    assert_eq!(served.until_spoken(), TaskState::Cancelled);
    let next = served.speech(&json!({ "input": "The next one." }));
    assert_eq!(next.status, 200);
    let made = once(&["Wait here.", "Hello.", "Wait for it.", "The next one."]);
    assert_eq!(served.all_made(), made);
}

#[test]
fn too_many_are_told_to_come_back() {
    let mut served = Served::with(|settings| settings.speech.requests = 1);
    let mut first = served.begin("Wait here.");
    served.until_begun("Wait here.");
    let refused = served.speech(&json!({ "input": "One too many." }));
    assert_eq!(
        (refused.status, &refused.json()["error"]["type"]),
        (429, &json!("rate_limit_error"))
    );
    assert!(
        refused
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .unwrap()
            > 0
    );
    served.line.go.send(()).unwrap();
    let mut some = vec![0; 2 * CLIP];
    first.read_exact(&mut some).unwrap();
    drop(first);
    // Its place is free as soon as the server has seen its end.
    let next = kit::wait_for("there is room again", || {
        let reply = served.speech(&json!({ "input": "The next one." }));
        (reply.status == 200).then_some(reply)
    });
    assert!(!next.body.is_empty());
    assert_eq!(served.all_made(), once(&["Wait here.", "The next one."]));
}

#[test]
fn a_book_makes_room_and_is_complete_afterwards() {
    let story = ["One.", "Wait two.", "The third one.", "Wait four.", "Five."];
    let mut served = Served::new();
    let book = served.narrate("book", &story);
    served.until_begun("Wait two.");
    let at = served.at;
    let talk = std::thread::spawn(move || {
        speech(
            at,
            &json!({ "input": "The talk.\n\nThe third one.", "response_format": "wav" }),
        )
    });
    // The book is asked to make room as soon as the request is there.
    kit::wait_for("someone asks", || {
        (served.engine.stats().pending > 0).then_some(())
    });
    served.line.go.send(()).unwrap();
    let reply = talk.join().unwrap();
    assert_eq!(
        (reply.status, reply.body.len()),
        (200, 44 + 2 * (2 * CLIP + PAUSE))
    );
    served.until_begun("Wait four.");
    served.line.go.send(()).unwrap();
    let ended = served.engine.wait(&book).unwrap();
    assert_eq!((ended.state, ended.attempt), (TaskState::Completed, 1));
    assert_eq!(ended.completed_segments.iter().count(), 5);
    let all: Vec<_> = story.into_iter().chain(["The talk."]).collect();
    assert_eq!(
        served.all_made(),
        once(&all),
        "the book takes over what was spoken meanwhile"
    );
}

#[test]
fn a_text_longer_than_its_listener_reads_leaves_the_voice_to_others() {
    let served = Served::new();
    // The voice tells what it was given, so that nothing here is read otherwise than it is written.
    let words = "oak elm ash fir yew box bay fig lime pear";
    let pairs = words
        .split(' ')
        .flat_map(|one| words.split(' ').map(move |two| (one, two)));
    let texts: Vec<_> = pairs
        .map(|(one, two)| format!("Paragraph of {one} and {two}."))
        .collect();
    // It reads the head and nothing more: the system's buffers hold some megabytes, and this is eleven.
    let mut slow = served.begin(&texts.join("\n\n"));
    let mut some = [0; 12];
    slow.read_exact(&mut some).unwrap();
    let other = served.speech(&json!({ "input": "Another one." }));
    assert_eq!(other.status, 200);
    let mut rest = Vec::new();
    let all = 2 * (100 * CLIP + 99 * PAUSE);
    // Behind the sound nothing but the end of the last piece comes.
    while !rest.ends_with(b"\r\n0\r\n\r\n") {
        let mut some = vec![0; 65_536];
        let read = slow.read(&mut some).unwrap();
        assert!(read > 0, "it is whole");
        rest.extend(&some[..read]);
    }
    assert!(rest.len() > all, "{} of {all}", rest.len());
    let texts: Vec<_> = texts
        .iter()
        .map(String::as_str)
        .chain(["Another one."])
        .collect();
    assert_eq!(served.all_made(), once(&texts));
}
