//! Too much, too slow, gone wrong, and over.

use super::*;

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
