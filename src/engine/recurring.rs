//! Tasks that recur: set, looked at, removed, and brought back from an earlier run.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::core::{
    Answer, Command, Kind, NewRecurring, NewTask, Refusal, Reply, RestoredRecurring, Template,
};
use super::error::{ControlError, StoreError, SubmitError};
use super::record::Record;
use super::recurrence::Recurrence;
use super::runtime::{Body, Runtime};
use super::store::StoredRecurring;
use super::submission::Submission;
use super::submit::{can_run, durable, new_task};
use super::work::Work;
use crate::model::{RecurringTask, TaskId, Timestamp};

impl Engine {
    /// Has a task recur under this name, in the place of what recurred under it before, and returns when
    /// it is due first. An operation is on disk by then, and recurs after a restart as well; a
    /// [`Work::Repeatable`] closure lives as long as the process. Set again with the same recurrence, as a
    /// program may do at each start, it keeps the time when it is due.
    ///
    /// Each run is a task of its own, with the id of [`Occurrence::task_id`](super::Occurrence::task_id).
    /// A run that was missed, because no process had the library or the machine slept, is run once, late:
    /// its status says so in [`TaskStatus::occurrence`](super::TaskStatus::occurrence), and so does the
    /// log. While a run has not ended, the next one waits for it. A run that completed leaves no line in
    /// the history once clean-up has taken it.
    ///
    /// It is kept in the database only, and lost with it: a program that sets it at each start has it
    /// again then.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Recurrence, SubmitError, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let nightly = Recurrence::cron("0 3 * * *", "Europe/Berlin")?;
    /// let work = || Work::repeatable("tidy up", |_| Ok("tidy".into()));
    /// let next = engine.set_recurring("tidy", nightly.clone(), work())?;
    /// assert_eq!(engine.set_recurring("tidy", nightly, work())?, next);
    /// let often = Recurrence::every(Duration::from_secs(5))?;
    /// let once = Work::closure("once", |_| Ok(1.into()));
    /// let error = engine.set_recurring("once", often, once).unwrap_err();
    /// assert!(matches!(error, SubmitError::NotRecurrent(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError::NotRecurrent`] for a narration, a closure that runs once, or a submission with an id,
    /// a delay or tasks to wait for; otherwise as [`Self::submit_task`].
    pub fn set_recurring(
        &self,
        name: impl Into<Arc<str>>,
        recurrence: Recurrence,
        submission: impl Into<Submission>,
    ) -> Result<Timestamp, SubmitError> {
        let (name, submission) = (name.into(), submission.into());
        if let Some(reason) = not_recurrent(&name, &submission) {
            return Err(SubmitError::NotRecurrent(reason));
        }
        let Submission {
            work,
            timeout,
            schedule,
            ..
        } = submission;
        let runtime = self.runtime();
        let mut new = new_task(runtime, &TaskId::from(Arc::clone(&name)), work)?;
        new.timeout = timeout;
        new.schedule = schedule;
        let new = Box::new(NewRecurring {
            name,
            recurrence,
            template: template(new),
        });
        let (answer, replies) = runtime.call(|call| Command::SetRecurring(new, call));
        if let Answer::Refused(_) = answer {
            return Err(SubmitError::ShutDown);
        }
        match replies.recv_blocking() {
            Ok(Reply::Next(next)) => Ok(next),
            Ok(Reply::Failed(error)) => Err(error.into()),
            _ => Err(SubmitError::ShutDown),
        }
    }

    /// Everything that recurs, by name.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Recurrence, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// assert!(engine.recurring_tasks().is_empty());
    /// let often = Recurrence::every(Duration::from_secs(90))?;
    /// engine.set_recurring("count", often, Work::repeatable("count", |_| Ok(1.into())))?;
    /// assert_eq!(engine.recurring_tasks()[0].recurrence, "every 90 s");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn recurring_tasks(&self) -> Vec<RecurringTask> {
        self.runtime().lock().core.recurring()
    }

    /// Has a task recur no more; a run of it that waits or is in work continues. It returns once the disk
    /// knows.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{ControlError, Recurrence, SubmitError, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let often = Recurrence::every(Duration::from_secs(90))?;
    /// engine.set_recurring("count", often, Work::repeatable("count", |_| Ok(1.into())))?;
    /// engine.remove_recurring("count")?;
    /// assert!(engine.recurring_tasks().is_empty());
    /// assert_eq!(engine.remove_recurring("count"), Err(ControlError::Unknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`]: nothing recurs under this name, or the disk refused, and it still does.
    pub fn remove_recurring(&self, name: &str) -> Result<(), ControlError> {
        let name = Arc::from(name);
        let runtime = self.runtime();
        let (answer, replies) = runtime.call(|call| Command::RemoveRecurring { name, call });
        match answer {
            Answer::Done => return Ok(()),
            Answer::Refused(Refusal::Unknown) => return Err(ControlError::Unknown),
            Answer::Refused(_) => return Err(ControlError::ShutDown),
            _ => {}
        }
        match replies.recv_blocking() {
            Ok(Reply::Stored) => Ok(()),
            Ok(Reply::Failed(_)) => Err(ControlError::NotStored),
            _ => Err(ControlError::ShutDown),
        }
    }
}

fn not_recurrent(name: &str, submission: &Submission) -> Option<&'static str> {
    let schedule = &submission.schedule;
    match &submission.work {
        Work::Closure { .. } => Some("a closure that can be called once; make it a repeatable one"),
        Work::Narration(_) => Some("a narration, which is made once; register an operation for it"),
        Work::Speech(_) => Some("speech for someone who listens now"),
        _ if submission.urgent => Some("urgent"),
        _ if name.is_empty() => Some("a task without a name"),
        _ if submission.id.is_some() => Some("a task with an id, for each run has its own"),
        _ if schedule.delay.is_some() => Some("a task with a delay"),
        _ if !schedule.limits.is_none() => Some("a task with limits, and runs in this program"),
        _ if !schedule.after.is_empty() => Some("a task that waits for others"),
        _ => None,
    }
}

fn template(new: NewTask<Body, Record>) -> Template<Body, Record> {
    Template {
        status: new.status,
        kind: new.kind,
        body: new.body,
        record: new.record,
        breaker: new.breaker,
        timeout: new.timeout,
        schedule: new.schedule,
    }
}

/// Brings back what an earlier run left to recur.
pub(super) fn restore(runtime: &Arc<Runtime>) -> Result<(), StoreError> {
    for stored in runtime.store.recurring().wait()? {
        let StoredRecurring {
            name,
            recurrence,
            record,
            timeout_ms,
            schedule,
            next,
            noted,
        } = stored;
        let record = Record::Operation(Arc::new(record));
        let is_ours = can_run(runtime, &record);
        let mut new = durable(runtime, &TaskId::from(Arc::clone(&name)), record);
        new.timeout = timeout_ms.map(Duration::from_millis);
        new.schedule = schedule.since(noted);
        new.body = new.body.filter(|_| is_ours);
        debug_assert_eq!(new.kind, Kind::Durable);
        let new = NewRecurring {
            name,
            recurrence,
            template: template(new),
        };
        let restored = RestoredRecurring { new, next, noted };
        runtime.apply(Command::RestoreRecurring(Box::new(restored)));
    }
    Ok(())
}
