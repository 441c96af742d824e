//! What the disk has of a task, as the core carries it without looking inside.

use std::sync::Arc;

use serde_json::Value;

use crate::model::Narration;

/// An operation as it is on disk.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Narration(Arc<Narration>),
    Operation(Arc<OperationRecord>),
}

/// An operation that the embedding program registered by name, with what it is to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OperationRecord {
    pub title: Arc<str>,
    pub name: Arc<str>,
    pub parameters: Value,
    pub context: Value,
}
