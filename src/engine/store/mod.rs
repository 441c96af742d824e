//! The database of accepted narrations, and the one thread that owns it.
//!
//! Everyone else sends jobs over a bounded channel; when it is full, the sender waits. Jobs that
//! wait together are committed together, and each is answered after the commit that holds it: an
//! answer means «on disk». The connection is opened and closed by the same thread, always.

mod history;
mod narrations;
mod rebuild;
mod record;
mod restart;
mod schema;
mod segments;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use async_channel::{Receiver, Sender};
use rusqlite::{Connection, TransactionBehavior};

pub(crate) use narrations::StoredSchedule;
pub use rebuild::Recovery;
pub use record::FILE as RECORD_FILE;
pub(crate) use restart::StoredNarration;

/// Jobs that may wait for the thread.
const BACKLOG: usize = 256;
/// Jobs that share one commit.
const BATCH: usize = 128;

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

type Acknowledge = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs inside the transaction; returns whether to keep its changes, and how to answer.
type Job = Box<dyn FnOnce(&Connection) -> (bool, Acknowledge) + Send>;

/// An answer that comes once the commit is on disk.
#[must_use]
pub(crate) struct Answer<T>(Receiver<Result<T, StoreError>>);

impl<T> Answer<T> {
    /// Waits for the commit. The store answers every job, or closes the channel when it ends.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        self.0.recv_blocking().unwrap_or(Err(StoreError::Closed))
    }
}

/// The way to the database; cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: Sender<Job>,
    path: Arc<Path>,
}

impl Store {
    /// Opens or creates the database and starts its thread.
    pub(crate) fn open(path: &Path) -> Result<Opened, StoreError> {
        let (jobs, queue) = async_channel::bounded::<Job>(BACKLOG);
        let (opened, opening) = async_channel::bounded(1);
        let path: Arc<Path> = path.into();
        let at = Arc::clone(&path);
        let thread = std::thread::Builder::new()
            .name("aloud-store".into())
            .spawn(move || match rebuild::open(&at) {
                Ok((connection, recovery)) => {
                    // The opener may have gone; the queue then is closed as well.
                    let _ = opened.send_blocking(Ok(recovery));
                    drop(opened);
                    serve(connection, &at, &queue);
                }
                Err(error) => {
                    let _ = opened.send_blocking(Err(error));
                }
            })
            .map_err(|error| StoreError::Open {
                path: path.to_path_buf(),
                reason: error.to_string(),
            })?;
        match opening.recv_blocking().unwrap_or(Err(StoreError::Closed)) {
            Ok(recovery) => Ok(Opened {
                store: Self { jobs, path },
                thread,
                recovery,
            }),
            Err(error) => {
                let _ = thread.join();
                Err(error)
            }
        }
    }

    /// Hands over a job; its answer comes after the commit.
    pub(crate) fn send<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = async_channel::bounded(1);
        let path = Arc::clone(&self.path);
        let job: Job = Box::new(move |connection| {
            let result = job(connection).map_err(|error| failure(&path, &error));
            let keep = result.is_ok();
            let acknowledge: Acknowledge = Box::new(move |committed| {
                // Nobody waits for it: fine, the work is done.
                let _ = reply.try_send(result.and_then(|value| committed.map(|()| value)));
            });
            (keep, acknowledge)
        });
        // A closed queue drops the job and with it the reply, which the answer reports.
        let _ = self.jobs.send_blocking(job);
        Answer(answer)
    }

    /// Ends the thread once everything that waits is committed.
    pub(crate) fn close(&self) {
        self.jobs.close();
    }
}

/// A store that runs.
pub(crate) struct Opened {
    pub store: Store,
    pub thread: JoinHandle<()>,
    /// What had to be done about a database that was damaged or gone.
    pub recovery: Option<Recovery>,
}

fn serve(mut connection: Connection, path: &Path, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv_blocking() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        commit(&mut connection, path, batch);
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// Runs a batch in one transaction and answers each job after the commit.
fn commit(connection: &mut Connection, path: &Path, batch: Vec<Job>) {
    let mut acknowledge = Vec::with_capacity(batch.len());
    let mut batch = batch.into_iter();
    let result = (|| {
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for job in batch.by_ref() {
            let mut savepoint = transaction.savepoint()?;
            let (keep, done) = job(&savepoint);
            acknowledge.push(done);
            if keep {
                savepoint.commit()?;
            } else {
                // A full disk ends the whole transaction, and this then fails: so do all of it.
                savepoint.rollback()?;
            }
        }
        transaction.commit()
    })()
    .map_err(|error: rusqlite::Error| {
        tracing::error!(%error, "a commit failed");
        failure(path, &error)
    });
    for done in acknowledge {
        done(result.clone());
    }
    // What was not even begun is tried by itself, once: one job must not fail for another.
    for job in batch {
        commit(connection, path, vec![job]);
    }
}

/// What SQLite said, as ours. A damaged database is looked at closely at the next start.
fn failure(path: &Path, error: &rusqlite::Error) -> StoreError {
    if schema::is_damage(error) {
        schema::suspect(path);
        return StoreError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        };
    }
    match error {
        rusqlite::Error::QueryReturnedNoRows => StoreError::Unknown,
        error => StoreError::Failed(error.to_string()),
    }
}
