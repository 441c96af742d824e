//! What goes over the wire when something happens.

use super::*;

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
