//! What can go wrong when the engine is opened or given work.

use std::path::PathBuf;

use crate::model::{ErrorCode, ErrorObject};
use crate::model::{SegmentId, TaskId};
use crate::shortage::{Shortage, advice};

/// Why the engine could not be opened.
///
/// ```
/// use aloud::engine::{Engine, OpenError, Options};
///
/// let folder = tempfile::tempdir()?;
/// // This is what another process does that has the library.
/// let lock = std::fs::File::create(folder.path().join("lock"))?;
/// lock.lock()?;
/// let error = Engine::open(Options::new(folder.path())).err().unwrap();
/// assert!(matches!(error, OpenError::InUse { .. }));
/// assert!(error.to_string().contains("is in use by another process"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has this library.
    #[error(
        "the library {folder} is in use by {holder}; end that one first, or set ALOUD_HOME to \
         another folder"
    )]
    InUse {
        /// The library's folder.
        folder: PathBuf,
        /// The process, as far as it named itself.
        holder: String,
    },
    /// The library's folder or lock file can't be made.
    #[error(
        "can't use {path} as the library: {source}; {}",
        advice(source, "check that you may write there")
    )]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedding program's own hook refused.
    #[error("refused before the start: {0}")]
    Refused(ErrorObject),
    /// The library is open in this process already, with other options.
    #[error(
        "the library {folder} is open in this process with other options ({}); use a clone of that \
         handle, or open it with the same ones",
        different.join(", ")
    )]
    OtherOptions {
        /// The library's folder.
        folder: PathBuf,
        /// The options that differ.
        different: Vec<&'static str>,
    },
    /// An operation has the name under which narrations are stored.
    #[error("no operation can be called narrate, for narrations are; register it by another name")]
    ReservedOperation,
    /// A thread can't be started.
    #[error("can't start a thread: {0}; the system's limit may be reached")]
    Thread(std::io::Error),
}

/// Why a task was not accepted. Nothing of it is kept.
///
/// ```
/// use aloud::engine::{SubmitError, testing::Library};
///
/// let engine = Library::new();
/// let error = engine.retry_task(&"unknown".into()).unwrap_err();
/// assert!(matches!(&error, SubmitError::NotRetryable(id) if id.as_str() == "unknown"));
/// assert!(error.to_string().starts_with("the task unknown can't be tried again"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The engine is shutting down or has shut down.
    #[error("the engine has shut down and takes no more work; open it again")]
    ShutDown,
    /// The id is taken by a task that is still known.
    #[error("there is a task {0} already; give another id, or none")]
    Duplicate(TaskId),
    /// There is no narration of this id that has ended.
    #[error("the task {0} can't be tried again: it is no narration that failed or was cancelled")]
    NotRetryable(TaskId),
    /// So many tasks wait that no more is taken.
    #[error(
        "{waiting} tasks wait already, and no more are taken; come back in about {} s",
        retry_in.as_secs()
    )]
    Full {
        /// Tasks that wait.
        waiting: usize,
        /// When one of them will probably have gone.
        retry_in: std::time::Duration,
    },
    /// A narration was given to an engine that was opened without a narrator.
    #[error("this engine was opened without a narrator: it takes closures only")]
    NoNarrator,
    /// There is no operation of this name.
    #[error("this engine has no operation {0}; register it in the options")]
    NoOperation(std::sync::Arc<str>),
    /// It asks for limits of its own, and can't be held to them.
    #[error(
        "no limits can be set on {0}: it runs in this program's own process; submit it without limits"
    )]
    Limits(&'static str),
    /// What is on disk can't be urgent.
    #[error(
        "only what lives no longer than this program can be urgent, and this is {0}; give it a high \
         priority instead"
    )]
    NotUrgent(&'static str),
    /// It can't recur.
    #[error("this can't recur: it is {0}")]
    NotRecurrent(&'static str),
    /// A thread can't be started for its callback.
    #[error("can't start a thread: {0}; the system's limit may be reached")]
    Thread(String),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a task could not be waited for.
///
/// ```
/// use aloud::engine::{WaitError, testing::Library};
///
/// let engine = Library::new();
/// assert_eq!(engine.wait(&"unknown".into()), Err(WaitError::Unknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// There is no such task, or clean-up has taken it away.
    #[error("no task of this id is known; its end may be in the history")]
    Unknown,
    /// The engine shut down before the task ended.
    #[error("the engine has shut down before the task ended; open it again")]
    ShutDown,
}

/// Why a call that steers a task changed nothing.
///
/// ```
/// use aloud::engine::{ControlError, TaskId, testing::Library};
///
/// let engine = Library::new();
/// assert_eq!(engine.cancel_task(&TaskId::from("nobody")), Err(ControlError::Unknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such task, or clean-up has taken it away.
    #[error("no task of this id is known")]
    Unknown,
    /// It has ended, or its end is on its way to the disk.
    #[error("the task has ended; what has ended can be tried again")]
    Ended,
    /// It is so already.
    #[error("that is so already")]
    NoChange,
    /// A closure can't be paused while it runs.
    #[error("this task can't be paused while it runs; it can be cancelled")]
    NotPausable,
    /// It runs, is held back or waits for something else, or there is nothing beyond it.
    #[error("there is no place beyond it in the queue")]
    NoPlace,
    /// The engine is shutting down, or has shut down.
    #[error("the engine is shutting down")]
    ShutDown,
    /// The disk refused.
    #[error("the change could not be stored; see the log, and try it again")]
    NotStored,
}

/// Why work ended without a result.
///
/// ```
/// use aloud::engine::{ErrorObject, WorkError};
///
/// let full = ErrorObject::new("DISK", "the disk is full");
/// assert_eq!(WorkError::from(full.clone()), WorkError::Failed(full));
/// // `?` turns any other error into one with the code `ERROR`.
/// let number = "many".parse::<u32>().map_err(WorkError::from);
/// let Err(WorkError::Failed(error)) = number else { panic!("that is no number") };
/// assert_eq!(error.code, "ERROR");
/// assert_eq!(error.message, "invalid digit found in string");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum WorkError {
    /// It was asked to stop, and did.
    Interrupted,
    /// It failed.
    Failed(ErrorObject),
    /// It failed for a reason that may pass, such as a full disk: it is tried again, if it can be.
    Transient(ErrorObject),
}

impl WorkError {
    /// The same, telling in its details which segment it met.
    pub(crate) fn of_segment(self, segment: SegmentId) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(error.of_segment(segment)),
            Self::Transient(error) => Self::Transient(error.of_segment(segment)),
            Self::Interrupted => Self::Interrupted,
        }
    }
}

impl<E: std::error::Error + 'static> From<E> for WorkError {
    /// Keeps an [`ErrorObject`] as it is; any other error becomes one, with its causes.
    fn from(error: E) -> Self {
        let any: &dyn std::any::Any = &error;
        if let Some(object) = any.downcast_ref::<ErrorObject>() {
            return Self::Failed(object.clone());
        }
        if any.downcast_ref().is_some_and(StoreError::may_pass) {
            // Another program may hold the database, or the disk be full: that may pass.
            return Self::Transient(ErrorObject::new(ErrorCode::Database, error.to_string()));
        }
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_message = inner.to_string();
            if !message.contains(&inner_message) {
                message = format!("{message}: {inner_message}");
            }
            cause = inner.source();
        }
        Self::Failed(ErrorObject::new(ErrorCode::Error, message))
    }
}

/// What can go wrong with the database.
///
/// ```
/// use aloud::engine::{Engine, OpenError, Options, StoreError};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::create_dir(folder.path().join("aloud.db"))?;
/// let error = Engine::open(Options::new(folder.path())).err().unwrap();
/// assert!(matches!(error, OpenError::Store(StoreError::Open { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It can't be opened or created.
    #[error(
        "can't open the database {path}: {reason}; check that it is a file of aloud's that you may \
         write, or move it away: aloud then begins a new one"
    )]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// There is no room for it.
    #[error(
        "the disk has no room for the database {path}; make space there and start again, nothing is \
         lost"
    )]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// There is too little of something else for it.
    #[error("can't use the database {path}: {shortage}. {}", shortage.remediation())]
    Shortage {
        /// The database file.
        path: PathBuf,
        /// What there is too little of.
        shortage: Shortage,
    },
    /// It was written by a later version of the program.
    #[error(
        "the database {path} has version {found}, and this program knows versions up to {known}: \
         it was written by a newer aloud; use that one, or another ALOUD_HOME"
    )]
    TooNew {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// It is no database, or a damaged one. Opening the engine sets such a one aside.
    #[error("the database {path} is damaged: {reason}; the next start sets it aside")]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The folder of a narration can't be made or written.
    #[error("can't write to the folder {path}: {reason}; choose another, or make space there")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is no such row.
    #[error("no such narration or segment is stored")]
    Unknown,
    /// A read or write failed.
    #[error("the database failed: {0}; check the disk's space and health, then start again")]
    Failed(String),
    /// Its thread has ended.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same may do well later, in this process.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Failed(_) => true,
            Self::Shortage { shortage, .. } => shortage.may_pass(),
            _ => false,
        }
    }
}
