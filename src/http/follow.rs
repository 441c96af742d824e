//! What happens in another process, as its own engine would tell it.

use serde::Deserialize;

use super::client::{ClientError, Events};
use super::sse::ServerEvent;
use crate::model::Event;
use crate::service::TaskSummary;

/// A stream of what happens at a service. It begins with [`Told::Afresh`].
#[derive(Debug)]
pub(crate) struct Follow(Events);

/// What is told.
#[derive(Debug)]
pub(crate) enum Told {
    /// Something happened; how its task stands, if it is about one.
    Happened(Event, Option<Box<TaskSummary>>),
    /// Something may have happened that is not told: everything is to be read again.
    Afresh,
    /// The service ends in good order.
    Bye {
        /// Whether another process is to go on with the work.
        goes_on: bool,
    },
}

impl Follow {
    pub(super) fn new(events: Events) -> Self {
        Self(events)
    }

    /// What happens next; `None` is the end. It can be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`ClientError`]: the service was lost.
    pub(crate) async fn recv(&mut self) -> Option<Result<Told, ClientError>> {
        loop {
            match self.0.recv().await? {
                Ok(event) => {
                    if let Some(told) = told(&event) {
                        return Some(Ok(told));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// What an event says; `None` if only later versions of the program understand it.
fn told(event: &ServerEvent) -> Option<Told> {
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
    match &*event.event {
        "snapshot" | "reset" => Some(Told::Afresh),
        "bye" => {
            let Bye { goes_on } = serde_json::from_str(&event.data).unwrap_or_default();
            Some(Told::Bye { goes_on })
        }
        "delta" => {
            if let Ok(Delta { event, summary }) = serde_json::from_str(&event.data) {
                return Some(Told::Happened(event, summary));
            }
            // An event that is not known here still says how its task stands.
            let About { summary } = serde_json::from_str(&event.data).ok()?;
            let task = summary.id.clone();
            Some(Told::Happened(Event::Progress { task }, Some(summary)))
        }
        _ => None,
    }
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
        assert!(matches!(told(&event("snapshot", "{}")), Some(Told::Afresh)));
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
