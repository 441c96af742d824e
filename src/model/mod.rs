//! The types that all modules share: ids, states, plans, snapshots, events, errors. Plain data that
//! serialises; nothing here locks, waits, opens a file or changes anything, and nothing is imported
//! from the modules above.

mod clip;
mod durations;
mod error;
mod error_code;
mod event;
mod group;
mod history;
mod ids;
mod limits;
mod plan;
mod priority;
mod reading;
mod recurring;
mod segments;
mod shutdown;
mod state;
mod state_change;
mod task;
mod trace;
mod value;

pub use clip::{ClipRecord, StoredClip, WordTime};
pub use durations::Durations;
pub use error::ErrorObject;
pub use error_code::ErrorCode;
pub use event::Event;
pub use group::GroupStatus;
pub use history::{HistoryEntry, RunSummary};
pub use ids::{GroupId, SegmentId, TaskId, Timestamp};
pub use limits::Limits;
pub(crate) use plan::char_count;
pub use plan::{Narration, NarrationSettings, OtherVoice, Plan, PlannedSegment};
pub use priority::Priority;
pub use reading::{Reading, Said};
pub use recurring::{Occurrence, RecurringTask};
pub use segments::{CompletedSegment, CompletedSegments, SegmentError, SegmentErrors};
pub use shutdown::{ShutdownReport, ShutdownSteps, ShutdownWait};
pub use state::TaskState;
pub use state_change::StateChange;
pub use task::{Hold, OperationCall, Progress, RunOutput, TaskKind, TaskStatus};
pub use trace::Trace;
pub use value::SharedValue;
