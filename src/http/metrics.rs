//! What the program does, in numbers, in Prometheus's text format. Most of it is read when someone asks;
//! only how long requests take is counted here.

use std::fmt;
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::Response;
use hyper::header::{self, HeaderValue};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, EncodeMetric,
    NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::answer::{Answer, Fault};
use super::server::Shared;
use super::usage::Usage;
use crate::model::Durations;
use crate::service::{API, Health, Live, Refusal, Stats};

/// The longest of each bucket of requests, in seconds. What waits for the disk takes milliseconds, a
/// long text seconds.
const REQUESTS: [f64; 12] = [
    0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0,
];

/// The same of the first sound that someone waits for.
const FIRST_SOUNDS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 3.0, 10.0];

/// What requests have in common that are counted together.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    route: &'static str,
    status: u16,
}

/// What is counted as long as the server lives.
pub(super) struct Metrics {
    requests: Family<Asked, Histogram>,
    first_sounds: Histogram,
    registry: Registry,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(REQUESTS);
        let requests = Family::new_with_constructor(histogram);
        let mut registry = Registry::default();
        registry.register(
            "aloud_http_request_duration_seconds",
            "Time until an answer began, by the address that was asked for",
            Family::clone(&requests),
        );
        let first_sounds = Histogram::new(FIRST_SOUNDS);
        registry.register(
            "aloud_speech_first_byte_seconds",
            "Time until someone who asked for speech had its first sound",
            first_sounds.clone(),
        );
        Self {
            requests,
            first_sounds,
            registry,
        }
    }

    /// Someone who asked for speech has its first sound.
    pub(super) fn note_first_sound(&self, took: Duration) {
        self.first_sounds.observe(took.as_secs_f64());
    }

    /// A request was answered.
    pub(super) fn note_request(&self, route: &'static str, status: u16, took: Duration) {
        let asked = Asked { route, status };
        self.requests
            .get_or_create(&asked)
            .observe(took.as_secs_f64());
    }
}

/// All of them, as a text.
pub(super) async fn metrics(shared: &Shared) -> Result<Answer, Fault> {
    let watchers = shared.hub.watchers();
    let now = shared
        .ask(move |service| Snapshot::of(service, watchers))
        .await?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(now));
    let mut text = String::new();
    let written =
        encode(&mut text, &registry).and_then(|()| encode(&mut text, &shared.metrics.registry));
    written.map_err(|_| Refusal::failed("the metrics can't be written"))?;
    let mut answer: Answer = Response::new(Either::Left(Full::new(text.into())));
    let headers = answer.headers_mut();
    let plain = |text| HeaderValue::from_static(text);
    headers.insert(header::CONTENT_TYPE, plain(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, plain("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, plain("nosniff"));
    Ok(answer)
}

/// How everything stands now.
#[derive(Debug)]
struct Snapshot {
    stats: Stats,
    health: Health,
    is_queue_paused: bool,
    watchers: usize,
    disk_free: Option<u64>,
    /// `None` where the system does not tell.
    usage: Option<Usage>,
}

impl Snapshot {
    fn of(service: &dyn Live, watchers: usize) -> Result<Self, Refusal> {
        let health = service.health()?;
        Ok(Self {
            stats: service.stats()?,
            is_queue_paused: service.is_queue_paused()?,
            watchers,
            disk_free: super::health::free_bytes(&health.library),
            usage: Usage::of_this_process(),
            health,
        })
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut text = Text(encoder);
        self.tasks(&mut text)?;
        self.segments(&mut text)?;
        self.notices(&mut text)?;
        let (name, help) = (
            "aloud_sse_subscribers",
            "Those who watch by a stream of events",
        );
        text.gauge(name, help, self.watchers)?;
        if let Some(free) = self.disk_free {
            let (name, help) = ("aloud_disk_free_bytes", "Room on the disk of the library");
            text.gauge(name, help, free)?;
        }
        text.build()?;
        self.usage
            .map_or(Ok(()), |usage| of_process(usage, &mut text))
    }
}

impl Snapshot {
    fn tasks(&self, text: &mut Text<'_>) -> fmt::Result {
        let (stats, health) = (&self.stats, &self.health);
        text.gauges(
            "aloud_tasks",
            "Tasks that are known, by their state",
            "state",
            &[
                ("pending", stats.pending),
                ("processing", stats.processing),
                ("completed", stats.completed),
                ("failed", stats.failed),
                ("cancelled", stats.cancelled),
            ],
        )?;
        text.gauge(
            "aloud_queue_paused",
            "1 while nothing begins until the queue is resumed",
            u32::from(self.is_queue_paused),
        )?;
        text.gauges(
            "aloud_workers",
            "Worker threads: those that run a task, those that were given up, and all that may be",
            "state",
            &[
                ("active", health.active_threads),
                ("abandoned", health.abandoned_threads),
                ("max", health.max_threads),
            ],
        )?;
        text.counter("aloud_clips", "Clips made", stats.clips)?;
        text.counter(
            "aloud_audio_seconds",
            "Seconds of sound in the clips made",
            stats.audio_seconds,
        )?;
        text.counter(
            "aloud_work_seconds",
            "Seconds of work for the clips made",
            stats.work_seconds,
        )?;
        text.counter(
            "aloud_wait_seconds",
            "Seconds for which a voice had nothing to do between two segments",
            stats.wait_seconds,
        )
    }

    fn segments(&self, text: &mut Text<'_>) -> fmt::Result {
        if !self.stats.segment_errors.is_empty() {
            let mut errors = text.0.encode_descriptor(
                "aloud_segment_errors",
                "What went wrong with segments, by the code of the error",
                None,
                MetricType::Counter,
            )?;
            for (code, count) in &self.stats.segment_errors {
                let labels = [("code", &**code)];
                ConstCounter::new(*count).encode(errors.encode_family(&labels)?)?;
            }
        }
        text.histogram(
            "aloud_segment_work_seconds",
            "Time that a clip took to make",
            &self.stats.segment_work,
        )
    }
}

impl Snapshot {
    fn notices(&self, text: &mut Text<'_>) -> fmt::Result {
        let notices = &self.stats.notices;
        text.gauge(
            "aloud_webhook_owed",
            "Notices to webhooks that are yet to be delivered",
            notices.owed,
        )?;
        let mut tries = text.0.encode_descriptor(
            "aloud_webhook_deliveries",
            "What became of notices to webhooks: delivered, a try that failed, given up for good",
            None,
            MetricType::Counter,
        )?;
        for (result, count) in [
            ("delivered", notices.delivered),
            ("failed", notices.failed),
            ("given_up", notices.given_up),
        ] {
            let labels = [("result", result)];
            ConstCounter::new(count).encode(tries.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Under the names that every client of Prometheus uses for them.
fn of_process(usage: Usage, text: &mut Text<'_>) -> fmt::Result {
    let (name, help) = ("process_cpu_seconds", "Seconds of processor time");
    text.counter(name, help, usage.cpu_seconds)?;
    let (name, help) = ("process_open_fds", "Open files");
    text.gauge(name, help, usage.open_files)?;
    if let Some(most) = usage.most_open_files {
        text.gauge("process_max_fds", "Open files that there may be", most)?;
    }
    let (name, help) = ("process_threads", "Threads");
    text.gauge(name, help, usage.threads)?;
    let (name, help) = ("process_virtual_memory_bytes", "Addresses in use, in bytes");
    text.gauge(name, help, usage.virtual_bytes)?;
    let (name, help) = (
        "process_resident_memory_bytes",
        "Memory in use, without the voices'",
    );
    text.gauge(name, help, usage.resident_bytes)?;
    let (name, help) = ("process_start_time_seconds", "When it began, since 1970");
    text.gauge(name, help, usage.started_at)
}

/// Writes one family after the other.
struct Text<'a>(DescriptorEncoder<'a>);

impl Text<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        let gauge = MetricType::Gauge;
        let mut family = self.0.encode_descriptor(name, help, None, gauge)?;
        family.encode_gauge(&value)
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, usize)],
    ) -> fmt::Result {
        let gauge = MetricType::Gauge;
        let mut family = self.0.encode_descriptor(name, help, None, gauge)?;
        for (value_of_label, value) in values {
            let labels = [(label, *value_of_label)];
            family.encode_family(&labels)?.encode_gauge(value)?;
        }
        Ok(())
    }

    /// `_total` is added to the name.
    fn counter(&mut self, name: &str, help: &str, value: impl EncodeCounterValue) -> fmt::Result {
        let counter = ConstCounter::new(value);
        let kind = counter.metric_type();
        counter.encode(self.0.encode_descriptor(name, help, None, kind)?)
    }

    fn histogram(&mut self, name: &str, help: &str, took: &Durations) -> fmt::Result {
        let buckets: Vec<_> = took.buckets().collect();
        let kind = MetricType::Histogram;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        family.encode_histogram::<NoLabelSet>(took.seconds(), took.count(), &buckets, None)
    }

    /// `_info` is added to the name.
    fn build(&mut self) -> fmt::Result {
        let api = API.to_string();
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("api", &*api)];
        let help = "1 for the program that answers";
        let mut family = self
            .0
            .encode_descriptor("aloud_build", help, None, MetricType::Info)?;
        family.encode_info(&labels)
    }
}
