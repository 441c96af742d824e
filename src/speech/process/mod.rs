//! A voice in a process of its own. eSpeak NG, ONNX Runtime and the model are foreign code and foreign
//! bytes: what crashes there takes a child with it, not the program with its queue and its screen.
//!
//! [`load`] is the parent's side, [`serve`] the child's. They talk over the child's standard input and
//! output: `frame` cuts the bytes into messages, `message` says what is in them. Neither side trusts
//! the other: garbage, silence and an early end are errors, in bounded time and memory.
//!
//! | thread | side | what it does |
//! |---|---|---|
//! | `aloud-voice-in` | parent | writes requests; a child that does not read blocks nobody else |
//! | `aloud-voice-out` | parent | reads replies, notices the end of the child, and reaps it |
//! | `aloud-voice-log` | parent | puts what the child says on its standard error into the log |
//! | main | child | reads requests; never waits for what it has asked the others to do |
//! | `aloud-front-end` | child | prepares texts, while the model runs |
//! | `aloud-model` | child | owns the models |

mod child;
#[cfg(target_os = "linux")]
mod confine;
mod connection;
mod ending;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
mod invariants;
mod limits;
mod log;
mod message;
mod serve;
mod voice;

use std::time::Duration;

use crate::engine::Limits;

#[cfg(feature = "fuzzing")]
pub(crate) use invariants::check_bytes;
pub use serve::serve;
pub use voice::{ProcessVoice, load};

/// How a voice's process runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// What it may use of the machine. A voice that is over its limit on memory fails for it; one that
    /// is over its limit on processor time is ended.
    pub limits: Limits,
    /// How long it stays when nobody uses it; `None` for as long as someone could.
    pub keep: Option<Duration>,
}

impl Default for Terms {
    /// No limits, and a minute.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            keep: Some(Duration::from_secs(60)),
        }
    }
}

/// The argument with which the program is started as a voice. It then calls [`serve`].
pub const ARGUMENT: &str = "voice";
