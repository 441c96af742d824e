//! The work of a task, as the core carries it without looking inside.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::core::Again;
use crate::engine::work::{Closure, Repeatable};
use crate::model::Narration;

/// What a worker runs.
pub(in crate::engine) enum Body {
    Closure(Closure),
    Repeatable(Repeatable),
    Durable(Record),
}

impl Again for Body {
    fn again(&self) -> Option<Self> {
        match self {
            Self::Closure(_) => None,
            Self::Repeatable(work) => Some(Self::Repeatable(Arc::clone(work))),
            Self::Durable(record) => Some(Self::Durable(record.clone())),
        }
    }
}

/// An operation as it is on disk.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Record {
    Narration(Arc<Narration>),
    Operation(Arc<OperationRecord>),
}

/// An operation that the embedding program registered by name, with what it is to do.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct OperationRecord {
    pub title: Arc<str>,
    pub name: Arc<str>,
    pub parameters: Value,
    pub context: Value,
}
