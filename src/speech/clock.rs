//! Time that a thread has worked.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread has had of the processor. The runtime works on it alone where a model has one thread,
/// and what other programs do counts little.
pub(super) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
