//! Why something was not done.

use serde::{Deserialize, Serialize};

use super::one_message;
use crate::assets::AssetError;
use crate::engine::{ControlError, StoreError, SubmitError};
use crate::model::{ErrorCode, ErrorObject, TaskId};
use crate::narrate::ComposeError;

/// Whose fault it is, and whether asking again helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// There is no such thing.
    NotFound,
    /// It can't be done with this task as it is now.
    Conflict,
    /// What was asked for is wrong.
    Invalid,
    /// There is no room now; later there will be.
    Full,
    /// The service is ending.
    ShuttingDown,
    /// It should have worked.
    Failed,
}

/// Why something was not done: what, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// Whose fault it is.
    pub kind: RefusalKind,
    /// What it was.
    pub error: ErrorObject,
}

impl Eq for Refusal {}

impl Refusal {
    /// There is no task of this id.
    #[must_use]
    pub fn no_task(id: &TaskId) -> Self {
        let error = ErrorObject::new("TASK_NOT_FOUND", format!("there is no task {id}"))
            .with_remediation("See `aloud status` for those that are there");
        Self {
            kind: RefusalKind::NotFound,
            error,
        }
    }

    /// It can't be done with a task as it is now; `why` follows the task's name.
    #[must_use]
    pub fn conflict(id: &TaskId, why: &str) -> Self {
        Self {
            kind: RefusalKind::Conflict,
            error: ErrorObject::new("CONFLICT", format!("the task {id} {why}")),
        }
    }

    /// What was asked for is wrong; the message says what to do.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Invalid,
            error: ErrorObject::new("INVALID", message),
        }
    }

    /// The same with what to do next.
    #[must_use]
    pub fn with_remediation(mut self, advice: &str) -> Self {
        self.error = self.error.with_remediation(advice);
        self
    }

    /// It should have worked.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: RefusalKind::Failed,
            error: ErrorObject::new(ErrorCode::Error, message),
        }
    }

    /// The service is ending.
    #[must_use]
    pub fn shutting_down() -> Self {
        let error = ErrorObject::new(ErrorCode::Shutdown, "the program is ending")
            .with_remediation("Start it again; what was accepted goes on then");
        Self {
            kind: RefusalKind::ShuttingDown,
            error,
        }
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        let kind = match &error {
            SubmitError::ShutDown | SubmitError::Store(StoreError::Closed) => {
                return Self::shutting_down();
            }
            SubmitError::Full { .. } => RefusalKind::Full,
            SubmitError::Duplicate(_) | SubmitError::NotRetryable(_) => RefusalKind::Conflict,
            SubmitError::Store(_) | SubmitError::Thread(_) => RefusalKind::Failed,
            _ => RefusalKind::Invalid,
        };
        let mut object = ErrorObject::new(ErrorCode::Error, error.to_string());
        if let SubmitError::Full { retry_in, .. } = error {
            object =
                object.with_details(serde_json::json!({ "retry_in_seconds": retry_in.as_secs() }));
        }
        Self {
            kind,
            error: object,
        }
    }
}

impl Refusal {
    /// What an error means to whoever asked.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let message = one_message(error);
        if let Some(SubmitError::ShutDown) = error.downcast_ref() {
            return Self::shutting_down();
        }
        let is_input = error.downcast_ref::<ComposeError>().is_some()
            || error.downcast_ref::<AssetError>().is_some();
        if is_input || error.chain().count() == 1 {
            Self::invalid(message)
        } else {
            Self::failed(message)
        }
    }

    /// Why a call that steers a task has changed nothing.
    pub(super) fn of_control(id: &TaskId, error: ControlError) -> Self {
        match error {
            ControlError::Unknown => Self::no_task(id),
            ControlError::ShutDown => Self::shutting_down(),
            ControlError::NotStored => Self::failed("the disk did not take it; try again"),
            error => Self {
                kind: RefusalKind::Conflict,
                error: ErrorObject::new("CONFLICT", error.to_string()),
            },
        }
    }
}
