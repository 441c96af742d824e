//! What happens, numbered and told to every watcher. One reader of the service's events fills a ring of
//! ready frames; a watcher is a place in that ring, so that many cost little, and one that is slow
//! holds nobody up: it loses its place, is told so, and begins again with a snapshot.

use std::cell::{RefCell, RefMut};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::Either;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::json;
use smol::future::FutureExt;

use super::answer::Answer;

use super::server::Shared;
use super::stream::Streamed;
use crate::model::{Event, TaskId};
use crate::service::{Host, PAGE, Subscription, TaskSummary};

/// How many events are kept for those who come back.
const KEPT: usize = 4096;
/// How many events are taken up at once.
const BURST: usize = 256;
/// How long a watcher hears nothing before it is told that all is well.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What happened, as a watcher is told it.
#[derive(Serialize)]
struct Delta<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// How the task stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<TaskSummary>,
}

/// How everything stands, as a newcomer is told it.
#[derive(Serialize)]
struct Snapshot<'a> {
    boot: &'a str,
    seq: u64,
    queue_paused: bool,
    tasks: Vec<TaskSummary>,
    /// The others are to be read page by page.
    more: bool,
}

/// The last events. Cheap to clone, for one thread.
#[derive(Clone)]
pub(super) struct Hub {
    boot: Rc<str>,
    subscription: Rc<Subscription>,
    ring: Rc<RefCell<Ring>>,
}

#[derive(Default)]
struct Ring {
    /// The number of the first frame that is kept.
    first: u64,
    frames: VecDeque<Entry>,
    /// The last progress that was told of each task, until something newer is.
    progress: HashMap<TaskId, u64>,
    /// To wake those who wait for the next frame.
    watchers: Vec<async_channel::Sender<()>>,
    has_ended: bool,
}

/// `None` where a later frame says all that this one said.
type Entry = Option<Bytes>;

/// What a watcher finds at its place.
#[derive(Debug, PartialEq)]
enum Next {
    Frame(Bytes),
    /// Its place is gone.
    Lost,
    /// Nothing yet.
    Wait,
    /// Nothing any more.
    End,
}

impl Ring {
    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    fn push(&mut self, event: &Event, frame: Bytes) {
        let number = self.end();
        if let Some(task) = event.task() {
            let newer = match event {
                Event::Progress { .. } => self.progress.insert(task.clone(), number),
                _ => self.progress.remove(task),
            };
            let old = newer.and_then(|old| self.frames.get_mut(place(self.first, old)?));
            if let Some(old) = old {
                *old = None;
            }
        }
        self.frames.push_back(Some(frame));
        if self.frames.len() > KEPT {
            self.frames.pop_front();
            self.first += 1;
        }
    }

    /// Everyone has missed something.
    fn clear(&mut self) {
        self.first = self.end() + 1;
        self.frames.clear();
        self.progress.clear();
    }

    fn wake(&mut self) {
        self.watchers
            .retain(|watcher| !matches!(watcher.try_send(()), Err(error) if error.is_closed()));
    }

    /// What stands at this number; the number moves on behind it.
    fn next(&self, number: &mut u64) -> Next {
        let Some(mut at) = place(self.first, *number) else {
            return Next::Lost;
        };
        if at > self.frames.len() {
            return Next::Lost;
        }
        while let Some(entry) = self.frames.get(at) {
            at += 1;
            *number += 1;
            if let Some(frame) = entry {
                return Next::Frame(frame.clone());
            }
        }
        if self.has_ended {
            Next::End
        } else {
            Next::Wait
        }
    }
}

fn place(first: u64, number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(first)?).ok()
}

impl Hub {
    pub(super) fn new(service: &dyn Host) -> Self {
        let ring = Ring {
            first: 1,
            ..Ring::default()
        };
        Self {
            boot: service.info().boot.into(),
            subscription: Rc::new(service.events()),
            ring: Rc::new(RefCell::new(ring)),
        }
    }

    fn ring(&self) -> RefMut<'_, Ring> {
        self.ring.borrow_mut()
    }

    /// Fills the ring until the service has ended.
    pub(super) async fn run(self, service: Arc<dyn Host>) {
        while let Ok(first) = self.subscription.recv().await {
            let mut burst = vec![first];
            while let Ok(Some(event)) = self.subscription.try_recv() {
                burst.push(event);
                if burst.len() == BURST {
                    break;
                }
            }
            self.tell(&*service, &burst);
            // Those who watch and those who ask have their turn between two bursts.
            smol::future::yield_now().await;
        }
        self.end();
    }

    fn tell(&self, service: &dyn Host, burst: &[Event]) {
        let mut newer = HashSet::new();
        let mut told: Vec<_> = burst
            .iter()
            .rev()
            // Of what follows in the same burst, the last says all.
            .filter(|event| match event.task() {
                Some(task) => newer.insert(task) || !matches!(event, Event::Progress { .. }),
                None => true,
            })
            .collect();
        told.reverse();
        let mut ring = self.ring();
        for event in told {
            if let Event::Missed { .. } = event {
                ring.clear();
                continue;
            }
            let summary = event.task().and_then(|task| service.task(task).ok());
            let id = self.id(ring.end());
            let frame = frame("delta", Some(&id), &Delta { event, summary });
            ring.push(event, frame);
        }
        ring.wake();
    }

    /// Is sent something each time something may have happened, from now on.
    pub(super) fn wakes(&self) -> async_channel::Receiver<()> {
        let (waker, woken) = async_channel::bounded(1);
        let mut ring = self.ring();
        ring.watchers.retain(|watcher| !watcher.is_closed());
        ring.watchers.push(waker);
        woken
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ring().has_ended
    }

    /// Says goodbye to every watcher once it has read what there is.
    pub(super) fn end(&self) {
        let mut ring = self.ring();
        ring.has_ended = true;
        ring.wake();
    }

    /// How many watch.
    pub(super) fn watchers(&self) -> usize {
        let ring = self.ring();
        ring.watchers.iter().filter(|it| !it.is_closed()).count()
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.boot)
    }

    /// The number after the one that a watcher has seen last; `None` if it is of another life of the
    /// service.
    fn after(&self, id: &str) -> Option<u64> {
        let (boot, number) = id.trim().rsplit_once('-')?;
        let number: u64 = number.parse().ok()?;
        (*boot == *self.boot).then(|| number.saturating_add(1))
    }

    /// The stream of a new watcher.
    pub(super) fn answer(&self, shared: &Rc<Shared>, headers: &HeaderMap) -> Answer {
        let last = headers.get("last-event-id");
        let watcher = Watcher {
            shared: Rc::clone(shared),
            woken: self.wakes(),
            // What can't be read is of another life.
            at: last.map(|id| id.to_str().ok().and_then(|id| self.after(id)).unwrap_or(0)),
            step: Step::Greet,
        };
        let frames = smol::stream::unfold(watcher, |mut watcher| async move {
            let frame = watcher.next().await?;
            Some((Ok(frame), watcher))
        });
        let mut answer = Response::new(Either::Right(Streamed::endless(frames)));
        let headers = answer.headers_mut();
        let plain = |text| HeaderValue::from_static(text);
        headers.insert(header::CONTENT_TYPE, plain("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, plain("no-store"));
        headers.insert("x-accel-buffering", plain("no"));
        answer
    }
}

/// One who watches.
struct Watcher {
    shared: Rc<Shared>,
    woken: async_channel::Receiver<()>,
    /// The number that comes next; `None` for a newcomer, who has not missed anything.
    at: Option<u64>,
    step: Step,
}

enum Step {
    Greet,
    Snapshot,
    Follow,
    Over,
}

impl Watcher {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.step {
                Step::Greet => {
                    self.step = match self.at {
                        None => Step::Snapshot,
                        Some(_) => Step::Follow,
                    };
                    return Some(Bytes::from_static(b"retry: 1000\n\n"));
                }
                Step::Snapshot => {
                    self.step = Step::Follow;
                    return Some(self.snapshot().await);
                }
                Step::Follow => {}
                Step::Over => return None,
            }
            let mut at = self.at.unwrap_or(0);
            let next = self.shared.hub.ring().next(&mut at);
            self.at = Some(at);
            match next {
                Next::Frame(frame) => return Some(frame),
                Next::Lost => {
                    self.step = Step::Snapshot;
                    return Some(frame("reset", None, &json!({})));
                }
                Next::End => {
                    self.step = Step::Over;
                    let goes_on = self.shared.goes_on.load(Ordering::Relaxed);
                    return Some(frame("bye", None, &json!({ "goes_on": goes_on })));
                }
                Next::Wait => {
                    let quiet = async {
                        smol::Timer::after(KEEP_ALIVE).await;
                        true
                    };
                    let woken = async { self.woken.recv().await.is_err() };
                    if woken.or(quiet).await {
                        return Some(Bytes::from_static(b": keep-alive\n\n"));
                    }
                }
            }
        }
    }

    /// How everything stands. What happens while it is read is told afterwards, maybe once more.
    async fn snapshot(&mut self) -> Bytes {
        let hub = self.shared.hub.clone();
        let at = hub.ring().end();
        self.at = Some(at);
        let (boot, id) = (hub.boot.to_string(), hub.id(at - 1));
        let read = move |service: &dyn Host| {
            let mut tasks = service.tasks(None, PAGE + 1).unwrap_or_default();
            let more = tasks.len() > PAGE;
            tasks.truncate(PAGE);
            let snapshot = Snapshot {
                boot: &boot,
                seq: at - 1,
                queue_paused: service.is_queue_paused().unwrap_or_default(),
                tasks,
                more,
            };
            frame("snapshot", Some(&id), &snapshot)
        };
        self.shared.ask(read).await
    }
}

/// An event as it goes over the wire. JSON has no line ends of its own.
fn frame(event: &str, id: Option<&str>, data: &impl Serialize) -> Bytes {
    let mut frame = String::new();
    if let Some(id) = id {
        let _ = writeln!(frame, "id: {id}");
    }
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, "an event could not be written");
        "{}".to_owned()
    });
    let _ = write!(frame, "event: {event}\ndata: {data}\n\n");
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(task: &str) -> Event {
        Event::Progress { task: task.into() }
    }

    fn ring() -> Ring {
        Ring {
            first: 1,
            ..Ring::default()
        }
    }

    fn read(ring: &Ring, mut at: u64) -> (Vec<Bytes>, Next) {
        let mut frames = Vec::new();
        loop {
            match ring.next(&mut at) {
                Next::Frame(frame) => frames.push(frame),
                end => return (frames, end),
            }
        }
    }

    #[test]
    fn of_many_steps_forward_the_last_is_told() {
        let mut ring = ring();
        let started = Event::Started { task: "a".into() };
        ring.push(&started, "started a".into());
        for step in 0..100 {
            ring.push(&progress("a"), format!("a {step}").into());
            ring.push(&progress("b"), format!("b {step}").into());
        }
        assert_eq!(read(&ring, 1).0, ["started a", "a 99", "b 99"]);
        // Whatever follows about a task tells how far it is.
        ring.push(&started, "again a".into());
        assert_eq!(read(&ring, 1).0, ["started a", "b 99", "again a"]);
        assert_eq!(read(&ring, ring.end()), (Vec::new(), Next::Wait));
        ring.has_ended = true;
        assert_eq!(read(&ring, 1).1, Next::End);
    }

    #[test]
    fn a_place_is_lost_behind_the_ring_and_before_its_time() {
        let mut ring = ring();
        for number in 0..KEPT as u64 + 10 {
            ring.push(&Event::ShuttingDown, number.to_string().into());
        }
        assert_eq!(ring.frames.len(), KEPT);
        assert_eq!(read(&ring, 10), (Vec::new(), Next::Lost));
        assert_eq!(read(&ring, 11).0.len(), KEPT);
        assert_eq!(read(&ring, ring.end() + 1).1, Next::Lost);
        let end = ring.end();
        ring.clear();
        assert_eq!(read(&ring, end).1, Next::Lost, "even who has read all");
        assert_eq!(read(&ring, ring.end()).1, Next::Wait);
        assert!(ring.progress.is_empty());
    }
}
