//! What the program tells those who watch over it, in numbers, as Prometheus reads them.
#![expect(clippy::float_cmp, reason = "what is counted is a whole number")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use aloud::engine::{Engine, ShutdownWait, StateChange, Submission, TaskState, Work};
use aloud::http::{Client, Server, ServerOptions};
use aloud::narrate::Voices;
use aloud::service::Local;
use aloud::settings::{Overrides, Paths, load_from};
use serde_json::Value;

use kit::line::Quick;
use kit::voice::{library, narration};
use kit::{Home, wait_for};

/// One line of the text: a name, its labels, a value.
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// The text as Prometheus reads it: what each family is, and its samples.
struct Scrape {
    kinds: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

impl Scrape {
    fn read(text: &str) -> Self {
        let (mut kinds, mut samples) = (BTreeMap::new(), Vec::new());
        let mut helped = BTreeSet::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(!words.is_empty(), "{line}");
                assert!(helped.insert(name.to_owned()), "once for each: {line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(helped.contains(name), "{line}");
                let before = kinds.insert(name.to_owned(), kind.to_owned());
                assert!(before.is_none(), "once for each: {line}");
            } else {
                samples.push(sample(line));
            }
        }
        for sample in &samples {
            let name = &*sample.name;
            let of_histogram = ["_bucket", "_sum", "_count"];
            let family = of_histogram.iter().find_map(|end| name.strip_suffix(end));
            let family = family.filter(|family| kinds.contains_key(*family));
            let kind = &kinds[family.unwrap_or(name)];
            assert_eq!(family.is_some(), kind == "histogram", "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            assert!(sample.value >= 0.0, "{name}");
        }
        Self { kinds, samples }
    }

    /// The value of the one sample with this name and these labels.
    #[track_caller]
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let mut found = self.samples.iter().filter(|sample| {
            let is_so = |(label, value): &(&str, &str)| {
                sample.labels.get(*label).is_some_and(|it| it == value)
            };
            sample.name == name && labels.iter().all(is_so)
        });
        let value = found
            .next()
            .unwrap_or_else(|| panic!("there is no {name}"))
            .value;
        assert!(found.next().is_none(), "{name} is there more than once");
        value
    }

    /// The buckets of a histogram: they grow, and the last holds all.
    fn buckets(&self, family: &str) -> Vec<f64> {
        let name = format!("{family}_bucket");
        let buckets = self.samples.iter().filter(|sample| sample.name == name);
        let bounds = buckets
            .clone()
            .map(|it| it.labels["le"].parse::<f64>().unwrap());
        assert!(bounds.is_sorted());
        let counts: Vec<_> = buckets.map(|it| it.value).collect();
        assert!(counts.is_sorted(), "{counts:?}");
        counts
    }
}

fn sample(line: &str) -> Sample {
    let (name, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match name.split_once('{') {
        None => (name, ""),
        Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
    };
    let pairs = labels.split(',').filter(|pair| !pair.is_empty());
    let labels = pairs.map(|pair| {
        let (label, value) = pair.split_once('=').unwrap();
        let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        (label.to_owned(), value.unwrap().to_owned())
    });
    Sample {
        name: name.to_owned(),
        labels: labels.collect(),
        value: value.parse().unwrap(),
    }
}

/// A service of a voice that speaks in a moment, a client of it, and what serves it.
fn served(home: &Home) -> (Engine, Client, Server) {
    let paths = Paths::under(home.folder.path());
    let mut settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
    let mut options = library(
        home.folder.path(),
        Arc::new(|| Box::new(Quick(Duration::from_millis(20)))),
        None,
    );
    let ends = StateChange::ENDS.to_vec();
    options.outbox.insert("https://secret.example".into(), ends);
    settings.paths.library.clone_from(&options.folder);
    let engine = Engine::open(options).unwrap();
    let voices = Voices::new(&settings);
    let service = Local::new(engine.clone(), voices, settings, Vec::new);
    let socket = home.path("aloud.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = Server::start(Arc::new(service), listener, ServerOptions::default()).unwrap();
    (engine, Client::new(&socket), server)
}

/// A closure ends with its process: only the narration is told of, and nobody sends that here.
fn check_webhooks(now: &Scrape) {
    assert_eq!(now.value("aloud_webhook_owed", &[]), 1.0);
    for result in ["delivered", "failed", "given_up"] {
        let labels = [("result", result)];
        let deliveries = now.value("aloud_webhook_deliveries_total", &labels);
        assert_eq!(deliveries, 0.0, "{result}");
    }
}

/// Requests are counted by route and status, never by an id.
fn assert_requests(now: &Scrape) {
    let requests = "aloud_http_request_duration_seconds_count";
    for (route, status) in [
        ("/v1/tasks/{id}", "200"),
        ("/v1/tasks/{id}", "404"),
        ("none", "404"),
        ("/v1/queue/pause", "200"),
        ("/v1/events", "200"),
        ("/metrics", "200"),
    ] {
        let labels = [("route", route), ("status", status)];
        assert_eq!(now.value(requests, &labels), 1.0, "{route} {status}");
    }
}

#[test]
fn numbers_are_told_as_prometheus_reads_them() {
    let home = Home::empty();
    let (engine, client, _server) = served(&home);
    let scrape = || {
        let answer = client.get("/metrics").unwrap();
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    };

    let idle = Scrape::read(&scrape());
    assert_eq!(idle.value("aloud_clips_total", &[]), 0.0);
    assert_eq!(idle.value("aloud_segment_work_seconds_count", &[]), 0.0);
    assert!(!idle.kinds.contains_key("aloud_segment_errors_total"));

    let story = narration(
        home.path("out"),
        "A \"title\"\nin two lines",
        &["One.", "Two."],
    );
    let story = engine.submit(story).unwrap();
    assert_eq!(engine.wait(&story).unwrap().state, TaskState::Completed);
    let work = Work::closure("wrong", |task| {
        task.add_error(1, "it can't be said");
        task.add_error(2, "nor can this");
        Ok(Value::Null)
    });
    let wrong = engine.submit(work).unwrap();
    engine.wait(&wrong).unwrap();
    let secret = Submission::new(Work::closure("waits", |_| Ok(Value::Null)));
    engine.submit(secret.id("secret-id").paused()).unwrap();
    client.get("/v1/tasks/secret-id").unwrap();
    client.get("/v1/tasks/another-secret").unwrap();
    client.get("/v1/nothing?secret=1").unwrap();
    client.post("/v1/queue/pause", "", &[], "").unwrap();
    let mut events = client.events(None).unwrap();
    assert_eq!(events.next().unwrap().unwrap().event, "snapshot");

    let text = scrape();
    assert!(
        !text.contains("secret") && !text.contains("title"),
        "{text}"
    );
    // For `promtool`, where there is one.
    let kept = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("metrics.txt");
    std::fs::write(kept, &text).unwrap();
    let now = Scrape::read(&text);
    for (state, count) in [
        ("pending", 1.0),
        ("processing", 0.0),
        ("completed", 2.0),
        ("failed", 0.0),
    ] {
        assert_eq!(
            now.value("aloud_tasks", &[("state", state)]),
            count,
            "{state}"
        );
    }
    assert_eq!(now.value("aloud_queue_paused", &[]), 1.0);
    assert_eq!(now.value("aloud_workers", &[("state", "max")]), 1.0);
    assert_eq!(now.value("aloud_workers", &[("state", "active")]), 0.0);
    assert_eq!(now.value("aloud_workers", &[("state", "abandoned")]), 0.0);
    assert_eq!(now.value("aloud_clips_total", &[]), 2.0);
    assert_eq!(now.value("aloud_audio_seconds_total", &[]), 4.0);
    assert_eq!(
        now.value("aloud_segment_errors_total", &[("code", "ERROR")]),
        2.0
    );
    check_webhooks(&now);
    let work = now.value("aloud_work_seconds_total", &[]);
    assert!((work - 0.04).abs() < 1e-9);
    assert!((now.value("aloud_segment_work_seconds_sum", &[]) - work).abs() < 1e-9);
    assert_eq!(now.buckets("aloud_segment_work_seconds").last(), Some(&2.0));
    let nothing = [
        "aloud_wait_seconds_total",
        "aloud_speech_first_byte_seconds",
    ];
    assert!(nothing.iter().all(|name| now.kinds.contains_key(*name)));
    assert_eq!(now.value("aloud_sse_subscribers", &[]), 1.0);
    assert!(now.value("aloud_disk_free_bytes", &[]) > 0.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        now.value("aloud_build_info", &[("version", version), ("api", "1")]),
        1.0
    );
    assert_requests(&now);
    if cfg!(target_os = "linux") {
        assert!(now.value("process_cpu_seconds_total", &[]) > 0.0);
        assert!(now.value("process_resident_memory_bytes", &[]) > 1e6);
        assert!(now.value("process_open_fds", &[]) > 3.0);
        assert!(now.value("process_start_time_seconds", &[]) > 1.7e9);
    }
    drop(events);
    wait_for("it is noticed that nobody watches", || {
        let watching = Scrape::read(&scrape()).value("aloud_sse_subscribers", &[]);
        (watching == 0.0).then_some(())
    });
    engine.shutdown(ShutdownWait::Now);
}
