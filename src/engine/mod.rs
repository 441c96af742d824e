//! The durable job engine.

mod events;
mod interrupt;
mod plan;
#[expect(dead_code, reason = "the engine around it follows")]
mod registry;
mod task;

pub use events::{Event, NoMoreEvents, Subscription};
pub use interrupt::{Interrupt, StopReason};
pub use plan::{Narration, NarrationSettings, Plan, PlannedSegment};
pub use task::{
    CompletedSegment, CompletedSegments, ErrorObject, Made, Progress, SegmentError, SegmentErrors,
    SegmentId, TaskId, TaskKind, TaskState, TaskStatus, Timestamp,
};
