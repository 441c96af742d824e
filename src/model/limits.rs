//! What a task may use of the machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a task may use of the machine, where its work has a process of its own. What is `None` is left
/// to the program's settings.
///
/// ```
/// use aloud::engine::Limits;
///
/// let limits = Limits::default().memory(512_000_000).cores(1);
/// assert_eq!(limits.to_string(), "512 MB of memory, 1 core");
/// assert_eq!(serde_json::to_string(&limits)?, r#"{"memory_bytes":512000000,"cores":1}"#);
/// assert!(Limits::default().is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory that the process may take for data. Its code and the files that it only reads
    /// are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Seconds of processor time, those of all its threads together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<u64>,
    /// How far it stands back for other programs: 0 not at all, 19 as far as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub niceness: Option<u8>,
    /// The processor's cores that it may use at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
}

impl Limits {
    /// With so many bytes of memory at most.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = Some(bytes);
        self
    }

    /// With so many seconds of processor time at most.
    #[must_use]
    pub fn cpu(mut self, seconds: u64) -> Self {
        self.cpu_seconds = Some(seconds);
        self
    }

    /// Standing back for other programs, from 0 to 19.
    #[must_use]
    pub fn niceness(mut self, niceness: u8) -> Self {
        self.niceness = Some(niceness);
        self
    }

    /// On so many cores at most.
    #[must_use]
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = Some(cores);
        self
    }

    /// Whether it limits nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// These limits, and `others` where there is none.
    ///
    /// ```
    /// use aloud::engine::Limits;
    ///
    /// let settings = Limits::default().niceness(10).cores(4);
    /// let task = Limits::default().cores(1);
    /// assert_eq!(task.or(settings), settings.cores(1));
    /// ```
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.or(others.memory_bytes),
            cpu_seconds: self.cpu_seconds.or(others.cpu_seconds),
            niceness: self.niceness.or(others.niceness),
            cores: self.cores.or(others.cores),
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            memory_bytes,
            cpu_seconds,
            niceness,
            cores,
        } = self;
        let said = [
            memory_bytes.map(|bytes| format!("{} of memory", megabytes(bytes))),
            cpu_seconds.map(|seconds| format!("{seconds} s of processor time")),
            niceness.map(|niceness| format!("niceness {niceness}")),
            cores.map(|cores| format!("{cores} core{}", if cores == 1 { "" } else { "s" })),
        ];
        let said: Vec<_> = said.into_iter().flatten().collect();
        f.write_str(&said.join(", "))
    }
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes} bytes"),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
