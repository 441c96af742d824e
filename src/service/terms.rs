//! When and how a task runs, beside what it does.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Refusal;
use super::schedule::to_come;
use crate::engine::Submission;
use crate::model::{GroupId, TaskId, Timestamp};

/// So much of an id that was made from a key is the key's; the rest is what was asked for.
const OF_KEY: usize = 18;

/// How long a request may have been on its way, in milliseconds, or its sender's clock be behind.
const ON_THE_WAY: i64 = 10_000;

/// When and how a task runs, beside what it does. What is not said is as usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// What makes a request that comes twice one.
    pub key: Option<RequestKey>,
    /// The group that it belongs to.
    pub group: Option<GroupId>,
    /// Tasks that must have ended as they should before it runs.
    pub after: Vec<TaskId>,
    /// Whether it is held back until it is resumed.
    pub paused: bool,
    /// The longest it may run, instead of what the settings say.
    pub timeout: Option<Duration>,
    /// How long it waits at least.
    pub delay: Option<Duration>,
    /// The moment before which it does not begin, instead of a delay.
    pub at: Option<Timestamp>,
    /// What its submitter wants to find again.
    pub context: Option<Value>,
}

impl Terms {
    /// A moment that has passed is none to begin at. One that passed on the way here is: it is now.
    pub(super) fn check_moment(&self) -> Result<(), Refusal> {
        match self.at {
            Some(at) => to_come(at, Timestamp(Timestamp::now().0 - ON_THE_WAY)).map(drop),
            None => Ok(()),
        }
    }

    /// The submission under these terms. The context is left out, for an operation has one of its own.
    pub(super) fn on(&self, mut submission: Submission) -> Submission {
        if let Some(key) = &self.key {
            submission = submission.id(key.task().clone());
        }
        if let Some(group) = &self.group {
            submission = submission.group(group.clone());
        }
        if let Some(timeout) = self.timeout {
            submission = submission.timeout(timeout);
        }
        // Clocks are read in whole milliseconds: with one more it is never told, or begun, before.
        let until = |at: Timestamp| at.since(Timestamp::now()) + Duration::from_millis(1);
        if let Some(delay) = self.at.map(until).or(self.delay) {
            submission = submission.delay(delay);
        }
        if self.paused {
            submission = submission.paused();
        }
        submission.after(self.after.iter().cloned())
    }
}

/// The key that a client gave to a request, so that the same request can be sent again without harm. The
/// id of its task is made of it, and so it is known for as long as the task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey(TaskId);

impl RequestKey {
    /// Of the client's key, and of everything that it asks for with it.
    ///
    /// ```
    /// use aloud::service::RequestKey;
    ///
    /// let key = RequestKey::new("order-1", &[b"It struck one."]);
    /// assert_eq!(key, RequestKey::new("order-1", &[b"It struck one."]));
    /// let other = RequestKey::new("order-1", &[b"It struck two."]);
    /// assert!(key != other && key.is_of(other.task()), "one key for two things");
    /// assert!(!key.is_of(RequestKey::new("order-2", &[b"It struck one."]).task()));
    /// ```
    #[must_use]
    pub fn new(key: &str, request: &[&[u8]]) -> Self {
        let mut asked = Sha256::new();
        for part in request {
            asked.update((part.len() as u64).to_le_bytes());
            asked.update(part);
        }
        let (key, asked) = (Sha256::digest(key), asked.finalize());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&key[..8]);
        bytes[8..].copy_from_slice(&asked[..8]);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        Self(id.to_string().into())
    }

    /// The task that it makes.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        &self.0
    }

    /// Whether a task was made under this key, for the same or for something else.
    #[must_use]
    pub fn is_of(&self, task: &TaskId) -> bool {
        task.as_str().get(..OF_KEY) == self.0.as_str().get(..OF_KEY)
    }
}
