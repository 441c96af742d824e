//! The work of a task, as the core carries it without looking inside.

use std::sync::Arc;

use crate::engine::core::Again;
use crate::engine::record::Record;
use crate::engine::speech::SpeechRequest;
use crate::engine::work::{Closure, Repeatable};

/// What a worker runs.
pub(in crate::engine) enum Body {
    Closure(Closure),
    Repeatable(Repeatable),
    Speech(SpeechRequest),
    Durable(Record),
}

impl Body {
    /// What a person calls the task, of one that is on disk.
    pub fn title(&self) -> Option<Arc<str>> {
        match self {
            Self::Closure(_) | Self::Repeatable(_) | Self::Speech(_) => None,
            Self::Durable(Record::Narration(narration)) => Some(Arc::clone(&narration.title)),
            Self::Durable(Record::Operation(operation)) => Some(Arc::clone(&operation.title)),
        }
    }
}

impl Again for Body {
    fn again(&self) -> Option<Self> {
        match self {
            Self::Closure(_) | Self::Speech(_) => None,
            Self::Repeatable(work) => Some(Self::Repeatable(Arc::clone(work))),
            Self::Durable(record) => Some(Self::Durable(record.clone())),
        }
    }
}
