//! JSON that is read far more often than it is made.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value that its holders share: copying one costs a pointer, whatever its size. It is read as
/// the [`Value`] that it is, and made of whatever a `Value` can be made of.
///
/// ```
/// use aloud::engine::SharedValue;
/// use serde_json::json;
///
/// let value = SharedValue::from(json!({ "pages": 2 }));
/// assert_eq!(value["pages"], 2);
/// assert_eq!(value, json!({ "pages": 2 }));
/// assert_eq!(Some(SharedValue::from(42)), Some(42.into()));
/// assert_eq!(serde_json::to_string(&value)?, r#"{"pages":2}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SharedValue(Arc<Value>);

impl SharedValue {
    /// The value, to be changed or given away; copied only if someone else holds it too.
    ///
    /// ```
    /// use aloud::engine::SharedValue;
    ///
    /// let pages: Vec<u32> = serde_json::from_value(SharedValue::from(vec![1, 2]).into_value())?;
    /// assert_eq!(pages, [1, 2]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.0)
    }
}

impl<T: Into<Value>> From<T> for SharedValue {
    fn from(value: T) -> Self {
        Self(Arc::new(value.into()))
    }
}

impl Deref for SharedValue {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl PartialEq<Value> for SharedValue {
    fn eq(&self, other: &Value) -> bool {
        *self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{TaskKind, TaskStatus, Timestamp};

    #[test]
    fn copies_of_a_status_share_its_results_and_are_written_as_before() {
        let mut status = TaskStatus::new("one".into(), "A".into(), TaskKind::Closure, Timestamp(0));
        status.result = Some(json!({ "pages": [1, 2] }).into());
        status.partial_result = Some("half".into());
        status.progress.extra = Some(json!({ "page": 1 }).into());
        let copy = status.clone();
        let shared = |one: &Option<SharedValue>, other: &Option<SharedValue>| {
            let (one, other) = (one.as_ref().unwrap(), other.as_ref().unwrap());
            Arc::ptr_eq(&one.0, &other.0)
        };
        assert!(shared(&status.result, &copy.result));
        assert!(shared(&status.partial_result, &copy.partial_result));
        assert!(shared(&status.progress.extra, &copy.progress.extra));
        let written = serde_json::to_value(&status).unwrap();
        assert_eq!(written["result"], json!({ "pages": [1, 2] }));
        assert_eq!(written["partial_result"], "half");
        assert_eq!(written["progress"]["extra"], json!({ "page": 1 }));
        assert_eq!(serde_json::from_value::<TaskStatus>(written).unwrap(), copy);
    }
}
