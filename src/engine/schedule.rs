//! When a task may run and with what, as it is kept on disk: in the database and in the journal.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::core::Schedule;
use crate::model::{GroupId, Limits, Priority, SharedValue, TaskId, Timestamp, Trace};

/// When a task may run, as it is kept on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StoredSchedule {
    pub priority: Priority,
    pub paused: bool,
    pub due: Option<Timestamp>,
    /// How long it had to wait when it was submitted, in milliseconds: a clock that was set back
    /// must not make it longer.
    pub delay_ms: Option<u64>,
    /// Its place in the queue, if someone moved it.
    pub rank: Option<i64>,
    pub after: Vec<TaskId>,
    pub group: Option<GroupId>,
    /// Someone asked for it to be cancelled while it ran.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// What it may use of the machine.
    #[serde(skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// The trace that the request for it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<Trace>>,
    /// What its submitter wants to find again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<SharedValue>,
}

impl StoredSchedule {
    pub(super) fn new(schedule: &Schedule, now: Timestamp) -> Self {
        let delay = schedule
            .delay
            .map(|delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        Self {
            priority: schedule.priority,
            paused: schedule.paused,
            due: delay.map(|delay| Timestamp(now.0.saturating_add(delay))),
            delay_ms: delay.map(i64::cast_unsigned),
            rank: schedule.rank,
            after: schedule.after.clone(),
            group: schedule.group.clone(),
            cancelled: false,
            limits: schedule.limits,
            trace: schedule.trace.clone(),
            context: schedule.context.clone(),
        }
    }

    /// What is left of it at this time. A clock that was set back makes no delay longer.
    pub(super) fn since(self, now: Timestamp) -> Schedule {
        let longest = self.delay_ms.map_or(Duration::MAX, Duration::from_millis);
        Schedule {
            priority: self.priority,
            rank: self.rank,
            delay: self
                .due
                .map(|due| due.since(now).min(longest))
                .filter(|delay| !delay.is_zero()),
            after: self.after,
            paused: self.paused,
            group: self.group,
            limits: self.limits,
            trace: self.trace,
            context: self.context,
        }
    }
}
