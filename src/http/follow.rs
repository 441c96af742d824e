//! What happens in another process, as its own engine would tell it.

use serde::Deserialize;

use super::client::{ClientError, Events};
use super::sse::ServerEvent;
use crate::model::Event;
use crate::service::TaskSummary;

/// A stream of what happens at a service. It begins with a [`Told::Snapshot`], unless it goes on behind
/// what was told before.
#[derive(Debug)]
pub(crate) struct Follow {
    events: Events,
    /// The id of the last one that has one.
    last_id: Option<String>,
}

/// What is told.
#[derive(Debug)]
pub(crate) enum Told {
    /// Something happened; how its task stands, if it is about one.
    Happened(Event, Option<Box<TaskSummary>>),
    /// How everything stands: at the beginning, and where something may have happened that is not told.
    Snapshot(Box<Snapshot>),
    /// The service ends in good order.
    Bye {
        /// Whether another process is to go on with the work.
        goes_on: bool,
    },
}

/// How everything stands.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) queue_paused: bool,
    /// The first ones, in the order in which they were submitted.
    pub(crate) tasks: Vec<TaskSummary>,
    /// Whether there are others, to be read page by page.
    #[serde(default)]
    pub(crate) more: bool,
}

impl Follow {
    pub(super) fn new(events: Events, last_id: Option<String>) -> Self {
        Self { events, last_id }
    }

    /// What a stream begins behind that goes on where this one is.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// What happens next; `None` is the end. It can be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`ClientError`]: the service was lost.
    pub(crate) async fn recv(&mut self) -> Option<Result<Told, ClientError>> {
        loop {
            let event = match self.events.recv().await? {
                Ok(event) => event,
                Err(error) => return Some(Err(error)),
            };
            let told = told(&event).transpose();
            if event.id.is_some() {
                self.last_id = event.id;
            }
            if told.is_some() {
                return told;
            }
        }
    }
}

/// What an event says; `None` if only later versions of the program understand it.
fn told(event: &ServerEvent) -> Result<Option<Told>, ClientError> {
    #[derive(Deserialize)]
    struct Delta {
        #[serde(flatten)]
        event: Event,
        summary: Option<Box<TaskSummary>>,
    }
    #[derive(Deserialize)]
    struct About {
        summary: Box<TaskSummary>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Bye {
        goes_on: bool,
    }
    Ok(match &*event.event {
        "snapshot" => Some(Told::Snapshot(serde_json::from_str(&event.data)?)),
        "bye" => {
            let Bye { goes_on } = serde_json::from_str(&event.data).unwrap_or_default();
            Some(Told::Bye { goes_on })
        }
        "delta" => match serde_json::from_str(&event.data) {
            Ok(Delta { event, summary }) => Some(Told::Happened(event, summary)),
            // An event that is not known here still says how its task stands.
            Err(_) => serde_json::from_str(&event.data)
                .ok()
                .map(|About { summary }| {
                    let task = summary.id.clone();
                    Told::Happened(Event::Progress { task }, Some(summary))
                }),
        },
        // A snapshot follows a reset.
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TaskKind, TaskStatus, Timestamp};

    fn event(kind: &str, data: &str) -> ServerEvent {
        ServerEvent {
            id: None,
            event: kind.into(),
            data: data.into(),
        }
    }

    #[test]
    fn what_later_versions_say_is_understood_as_far_as_it_goes() {
        let told = |event: &ServerEvent| told(event).unwrap();
        let snapshot = r#"{"queue_paused":true,"tasks":[],"weather":"fair"}"#;
        assert!(matches!(
            told(&event("snapshot", snapshot)),
            Some(Told::Snapshot(snapshot)) if snapshot.queue_paused && !snapshot.more
        ));
        assert!(super::told(&event("snapshot", "{}")).is_err());
        let is_goes_on = |data| match told(&event("bye", data)) {
            Some(Told::Bye { goes_on }) => goes_on,
            other => panic!("{other:?}"),
        };
        assert!(!is_goes_on("{}"));
        assert!(is_goes_on(r#"{"goes_on":true,"to":"x"}"#));
        let status = TaskStatus::new("a".into(), "A".into(), TaskKind::Narration, Timestamp(0));
        let summary = serde_json::to_value(TaskSummary::from(&status)).unwrap();
        for (name, known) in [("started", true), ("sings", false)] {
            let data = serde_json::json!({ "event": name, "task": "a", "summary": summary });
            let Some(Told::Happened(event, Some(task))) = told(&event("delta", &data.to_string()))
            else {
                panic!("{name} is not told");
            };
            assert_eq!(matches!(event, Event::Started { .. }), known);
            assert_eq!(task.id.as_str(), "a");
        }
        assert!(told(&event("delta", r#"{"event":"sings"}"#)).is_none());
        assert!(told(&event("song", "{}")).is_none());
    }
}
