//! Webhooks: signed, tried again, and owed until they were taken, whatever dies. The receiver is a server of
//! this test's own, which says how it answers each request.

mod kit;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::Sha256;

use kit::owner::{Desk, story};
use kit::{PATIENCE, wait_for, wait_for_end};

const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a request is answered.
#[derive(Clone, Copy)]
enum Reply {
    Status(u16),
    /// Not at all, as long as the sender waits.
    Hang,
    /// The connection breaks.
    Close,
}

struct Request {
    head: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let mut head = self.head.iter();
        let found = head.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    fn id(&self) -> String {
        self.header("webhook-id").unwrap().to_owned()
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }

    /// Whether the signature is that of the key, over what was sent.
    fn is_signed(&self) -> bool {
        let time = self.header("webhook-timestamp").unwrap();
        let signed = format!("{}.{time}.{}", self.id(), self.body);
        let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature") == Some(&*expected)
    }
}

/// Takes requests as long as the test lives; its replies are handed in, and the last one stays.
struct Hook {
    address: String,
    requests: Receiver<Request>,
    replies: Sender<Reply>,
}

impl Hook {
    fn new(first: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, requests) = channel();
        let (replies, mut script) = channel();
        // It ends with the process: nobody waits for a connection that never comes.
        std::thread::spawn(move || {
            let mut reply = first;
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                reply = next(&mut script, reply);
                let request = read(&stream);
                answer(stream, reply, &mut hanging);
                if sender.send(request).is_err() {
                    break;
                }
            }
        });
        Self {
            address,
            requests,
            replies,
        }
    }

    /// How requests are answered from now on.
    fn replies(&self, reply: Reply) {
        self.replies.send(reply).unwrap();
    }

    fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    fn config(&self, more: &str) -> String {
        format!(
            "[[webhooks]]\nurl = \"http://{}/hook?token=1\"\nsecret_file = \"hook.key\"\n{more}\n",
            self.address
        )
    }
}

fn next(script: &mut Receiver<Reply>, reply: Reply) -> Reply {
    script.try_iter().last().unwrap_or(reply)
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    assert_eq!(line(), "POST /hook?token=1 HTTP/1.1");
    let mut head = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        head.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request {
        head,
        body: String::new(),
    };
    let length: usize = request.header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    request
}

fn answer(mut stream: TcpStream, reply: Reply, hanging: &mut Vec<TcpStream>) {
    match reply {
        Reply::Status(status) => {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok");
            stream.write_all(head.as_bytes()).unwrap();
        }
        Reply::Hang => hanging.push(stream),
        Reply::Close => {}
    }
}

/// A home that tells these hooks.
fn home(config: &[String]) -> Desk {
    let desk = Desk::new();
    desk.home.write("config/hook.key", format!("whsec_{KEY}\n"));
    let config = config.concat();
    let config = format!("{config}[limits]\nniceness = 0\n");
    desk.home.write("config/config.toml", config);
    desk
}

#[test]
fn a_change_is_told_signed_and_again_until_it_is_taken() {
    let hook = Hook::new(Reply::Close);
    let desk = home(&[hook.config("on = [\"submitted\", \"started\", \"task.completed\"]")]);
    let mut serve = desk.serve();
    let text = story(&desk, "tides", 3);
    desk.says(&["add", &text]);
    let first = hook.next();
    hook.replies(Reply::Status(500));
    let again = hook.next();
    hook.replies(Reply::Status(204));
    assert_eq!(first.id(), again.id());
    let told = [again, hook.next(), hook.next(), hook.next()];
    let kinds = told.each_ref().map(Request::kind);
    let expected = ["submitted", "submitted", "started", "completed"];
    assert_eq!(kinds, expected.map(|word| format!("task.{word}")));
    assert_eq!(told[0].id(), told[1].id(), "a try after a refusal");
    assert!(told[1].id() != told[2].id() && told[2].id() != told[3].id());
    assert!(told.iter().all(Request::is_signed));
    assert_eq!(told[0].header("content-type"), Some("application/json"));

    let event = told[3].event();
    let task = &desk.tasks()[0];
    let data = &event["data"];
    assert_eq!(event["timestamp"], data["completed_at"]);
    assert_eq!(
        (&data["task_id"], &data["title"]),
        (&task["id"], &"tides".into())
    );
    assert_eq!(
        (&data["status"], &data["error"]),
        (&"COMPLETED".into(), &Value::Null)
    );
    assert_eq!(data["progress"]["percentage"], 100);
    assert_eq!(data["segments"]["completed"], data["segments"]["total"]);
    let joined = data["result"]["files"][0].as_str().unwrap();
    assert!(joined.ends_with(".wav"), "{joined}");
    wait_for("nothing is owed", || {
        let said = desk.says(&["status"]);
        (!said.contains("webhook")).then_some(())
    });
    kill_process(Pid::from_child(&serve), Signal::TERM).unwrap();
    assert_eq!(wait_for_end(&mut serve), Some(143));
    assert!(hook.requests.try_recv().is_err(), "each is taken once");
}

#[test]
fn what_is_owed_outlives_a_kill_and_keeps_the_service_until_it_is_taken() {
    let hook = Hook::new(Reply::Hang);
    let desk = home(&[hook.config("")]);
    let mut serve = desk.serve();
    let texts = ["one", "two"].map(|name| story(&desk, name, 1));
    desk.says(&["add", &texts[0], &texts[1]]);
    let first = hook.next();
    wait_for("both have ended", || {
        let tasks = desk.tasks();
        let ended = tasks.iter().filter(|task| task["state"] == "COMPLETED");
        (ended.count() == 2).then_some(())
    });
    kill_process(Pid::from_child(&serve), Signal::KILL).unwrap();
    wait_for_end(&mut serve);
    let said = desk.says(&["status"]);
    assert!(said.contains("2 notices are owed"), "{said}");

    // It is still not answered, for longer than an idle service stays.
    let mut command = desk.command(&["serve"]);
    let mut serve = command.stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(hook.next().id(), first.id());
    hook.replies(Reply::Status(200));
    let told = [hook.next(), hook.next()];
    assert_eq!(told[0].id(), first.id());
    let titles = told
        .each_ref()
        .map(|it| it.event()["data"]["title"].clone());
    assert_eq!(titles, ["one", "two"]);
    assert_eq!(wait_for_end(&mut serve), Some(0), "it ends by itself");
    assert!(hook.requests.try_recv().is_err(), "nothing else was owed");
    assert!(!desk.says(&["status"]).contains("owed"));
}

#[test]
fn a_receiver_that_hangs_holds_up_neither_others_nor_the_end() {
    let (hangs, well) = (Hook::new(Reply::Hang), Hook::new(Reply::Status(200)));
    let desk = home(&[hangs.config("name = \"slow\""), well.config("")]);
    let text = story(&desk, "short", 1);
    let begun = Instant::now();
    let ran = desk
        .command(&["narrate", "--plain", &text])
        .output()
        .unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert!(err.contains("1 notice is owed to a webhook"), "{err}");
    // A request may take 15 seconds; nobody waits for its end. The rest is the narration's.
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(hangs.next().id(), well.next().id());

    let serve = desk.serve();
    hangs.next();
    let begun = Instant::now();
    desk.says(&["stop"]);
    let mut serve = serve;
    wait_for_end(&mut serve);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(well.requests.try_recv().is_err(), "it was told before");

    hangs.replies(Reply::Status(410));
    let tested = desk.command(&["webhook", "test", "slow"]).output().unwrap();
    let said = String::from_utf8(tested.stdout).unwrap();
    assert_eq!(tested.status.code(), Some(1));
    assert!(said.ends_with("/hook: 410 Gone\n"), "{said}");
    assert_eq!(hangs.next().kind(), "webhook.test");
    let doctor = desk.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("slow at http://127.0.0.1:"), "{said}");
    assert!(!said.contains(KEY) && !said.contains("token=1"), "{said}");

    // Who is gone is told nothing more, and keeps nobody.
    let mut command = desk.command(&["serve"]);
    let mut serve = command.stderr(Stdio::null()).spawn().unwrap();
    hangs.next();
    assert_eq!(wait_for_end(&mut serve), Some(0));
    assert!(!desk.says(&["status"]).contains("owed"));
}
