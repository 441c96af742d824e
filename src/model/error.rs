//! What went wrong, in one form for everything: tasks, segments, answers to callers.

use serde::{Deserialize, Serialize};

use super::error_code::ErrorCode;
use super::ids::SegmentId;

/// What went wrong, in one form for everything: what happened, the facts, what to do next.
///
/// ```
/// use aloud::engine::ErrorObject;
/// use serde_json::json;
///
/// let error = ErrorObject::new("DISK", "the disk is full")
///     .with_details(json!({ "free_bytes": 0 }))
///     .with_remediation("Make room, then retry");
/// assert_eq!(error.to_string(), "the disk is full");
/// assert_eq!(serde_json::to_value(&error)?, json!({
///     "code": "DISK", "message": "the disk is full",
///     "details": { "free_bytes": 0 }, "remediation": "Make room, then retry",
/// }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ErrorObject {
    /// A stable word for programs, such as `TIMEOUT`.
    pub code: ErrorCode,
    /// What happened, to what.
    pub message: String,
    /// Facts for programs; `null` if there are none.
    #[serde(default)]
    pub details: serde_json::Value,
    /// What to do next; empty if nothing can be advised.
    #[serde(default)]
    pub remediation: String,
}

impl ErrorObject {
    /// An error with a code and a message, without details or advice. A code of your own is text.
    ///
    /// ```
    /// use aloud::engine::ErrorObject;
    ///
    /// let error = ErrorObject::new("DISK", "the disk is full");
    /// assert!(error.details.is_null() && error.remediation.is_empty());
    /// ```
    pub fn new(code: impl Into<ErrorCode>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            details: serde_json::Value::Null,
            remediation: String::new(),
        }
    }

    /// The same with facts for programs.
    ///
    /// ```
    /// use aloud::engine::ErrorObject;
    /// use serde_json::json;
    ///
    /// let error = ErrorObject::new("DISK", "the disk is full").with_details(json!({ "free": 0 }));
    /// assert_eq!(error.details["free"], 0);
    /// ```
    #[must_use]
    pub fn with_details(mut self, details: serde_json::Value) -> Self {
        self.details = details;
        self
    }

    /// The same with advice.
    ///
    /// ```
    /// use aloud::engine::ErrorObject;
    ///
    /// let error = ErrorObject::new("DISK", "the disk is full").with_remediation("Make room");
    /// assert_eq!(error.remediation, "Make room");
    /// ```
    #[must_use]
    pub fn with_remediation(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = remediation.into();
        self
    }

    /// The same, telling in its details which segment it met.
    pub(crate) fn of_segment(mut self, segment: SegmentId) -> Self {
        if self.details.is_null() {
            self.details = serde_json::json!({});
        }
        if let Some(details) = self.details.as_object_mut() {
            details.insert("segment_id".to_owned(), segment.get().into());
        }
        self
    }

    /// The segment that a task's error met, if it was one: `segment_id` in its details.
    ///
    /// ```
    /// use aloud::engine::{ErrorCode, ErrorObject, SegmentId};
    /// use serde_json::json;
    ///
    /// let error = ErrorObject::new(ErrorCode::Output, "the clip can't be written");
    /// assert_eq!(error.segment(), None);
    /// assert_eq!(error.with_details(json!({ "segment_id": 7 })).segment(), Some(SegmentId::new(7)));
    /// ```
    #[must_use]
    pub fn segment(&self) -> Option<SegmentId> {
        let number = self.details.get("segment_id")?.as_u64()?;
        u32::try_from(number).ok().map(SegmentId::new)
    }
}
