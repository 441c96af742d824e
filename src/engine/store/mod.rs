//! The database of accepted tasks, and the one thread that owns it.
//!
//! Rows come from the core, one batch at a time, and are committed together; the answer, row by row,
//! means that they are on disk. Questions come from anyone over a bounded channel, whose sender waits
//! when it is full. The connection is opened and closed by the same thread, always. This thread touches
//! no folder but the library's own: one that hangs must not hold up the rest.

mod columns;
mod history;
mod outbox;
mod payload;
mod rebuild;
mod recurring;
mod restart;
mod rows;
mod schema;
mod segments;
mod tasks;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender, TrySendError};
use rusqlite::{Connection, TransactionBehavior};

use super::core::{Row, RowAnswer, RowResult};
use super::error::StoreError;
use super::journal::Journal;
use super::record::Record;
use crate::failpoint::reach;
use crate::model::StateChange;

pub(crate) use outbox::Outbox;
pub use rebuild::Recovery;
pub(crate) use recurring::StoredRecurring;
pub(crate) use restart::StoredTask;
pub(crate) use tasks::NARRATE;

/// Questions that may wait for the thread.
const QUESTIONS: usize = 64;
/// How soon a question that found no place is sent again.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// Tells whoever sent a batch what became of its rows.
type Tell = Box<dyn FnOnce(Vec<RowResult<Record>>) + Send>;

struct Batch {
    rows: Vec<Row<Record>>,
    tell: Tell,
}

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// An answer that comes from the database's thread.
#[must_use]
pub(crate) struct Answer<T>(Receiver<Result<T, StoreError>>);

impl<T> Answer<T> {
    /// Waits for it. The thread answers every question, or closes the channel when it ends.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        self.0.recv_blocking().unwrap_or(Err(StoreError::Closed))
    }
}

/// A handle to the database's thread; cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    batches: Sender<Batch>,
    questions: Sender<Question>,
    path: Arc<Path>,
    /// What others are owed.
    pub outbox: Arc<Outbox>,
}

/// A store that runs.
pub(crate) struct Opened {
    pub store: Store,
    pub thread: JoinHandle<()>,
    /// What had to be done about a database that was damaged or gone.
    pub recovery: Option<Recovery>,
}

impl Store {
    /// Opens or creates the database and starts its thread.
    pub(crate) fn open(
        path: &Path,
        journal: Journal,
        wanted: BTreeMap<Arc<str>, Vec<StateChange>>,
    ) -> Result<Opened, StoreError> {
        // The core has one batch under way at most.
        let (batches, to_commit) = async_channel::bounded::<Batch>(1);
        let (questions, to_answer) = async_channel::bounded::<Question>(QUESTIONS);
        let (opened, opening) = async_channel::bounded(1);
        let path: Arc<Path> = path.into();
        let outbox = Arc::new(Outbox::new(wanted));
        let (at, noting) = (Arc::clone(&path), Arc::clone(&outbox));
        let thread = std::thread::Builder::new()
            .name("aloud-store".into())
            .spawn(move || match rebuild::open(&at) {
                Ok((connection, recovery)) => {
                    // The opener may have gone; the channels then are closed as well.
                    let _ = opened.send_blocking(Ok(recovery));
                    drop(opened);
                    let disk = Disk {
                        path: &at,
                        outbox: &noting,
                    };
                    serve(connection, disk, &journal, &to_commit, &to_answer);
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
                store: Self {
                    batches,
                    questions,
                    path,
                    outbox,
                },
                thread,
                recovery,
            }),
            Err(error) => {
                let _ = thread.join();
                Err(error)
            }
        }
    }

    /// Hands over the core's next batch. It never waits: the core has one under way at most.
    pub(crate) fn persist(
        &self,
        rows: Vec<Row<Record>>,
        tell: impl FnOnce(Vec<RowResult<Record>>) + Send + 'static,
    ) {
        let tell = Box::new(tell);
        let sent = self.batches.try_send(Batch { rows, tell });
        debug_assert!(
            !matches!(sent, Err(TrySendError::Full(_))),
            "two batches are under way"
        );
    }

    /// Asks for something that is read.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.send(move |db| question(db))
    }

    /// Changes something outside the core's batches, in a transaction of its own: at the opening, and
    /// of what others are owed, which the core does not know.
    fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let outbox = Arc::clone(&self.outbox);
        self.send(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            outbox.settle(db);
            Ok(value)
        })
    }

    fn send<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = async_channel::bounded(1);
        let path = Arc::clone(&self.path);
        let question: Question = Box::new(move |db| {
            let result = question(db).map_err(|error| failure(&path, &error));
            // Nobody may wait for it any more.
            let _ = reply.try_send(result);
        });
        // A closed channel drops the question and with it the reply, which the answer reports.
        let _ = self.questions.send_blocking(question);
        Answer(answer)
    }

    /// Whether the thread takes up a question within this time. The disk is not asked: what it refuses
    /// is told where it is needed.
    pub(crate) fn answers(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let left = || until.saturating_duration_since(Instant::now());
        let (reply, answer) = mpsc::sync_channel(1);
        let mut question: Question = Box::new(move |_| {
            // Nobody may wait for it any more.
            let _ = reply.try_send(());
        });
        loop {
            match self.questions.try_send(question) {
                Ok(()) => return answer.recv_timeout(left()).is_ok(),
                Err(TrySendError::Full(back)) if !left().is_zero() => question = back,
                Err(_) => return false,
            }
            std::thread::park_timeout(TRY_AGAIN.min(left()));
        }
    }

    /// Ends the thread once everything that waits is done.
    pub(crate) fn close(&self) {
        self.batches.close();
        self.questions.close();
        self.outbox.close();
    }
}

/// What the thread knows beside the connection.
#[derive(Clone, Copy)]
struct Disk<'a> {
    path: &'a Path,
    outbox: &'a Outbox,
}

enum Job {
    Commit(Batch),
    Answer(Question),
}

/// The next job, rows before questions; `None` once both channels are closed and empty.
fn next(batches: &Receiver<Batch>, questions: &Receiver<Question>) -> Option<Job> {
    futures_lite::future::block_on(futures_lite::future::or(
        async {
            match batches.recv().await {
                Ok(batch) => Some(Job::Commit(batch)),
                Err(_) => questions.recv().await.ok().map(Job::Answer),
            }
        },
        async {
            match questions.recv().await {
                Ok(question) => Some(Job::Answer(question)),
                Err(_) => batches.recv().await.ok().map(Job::Commit),
            }
        },
    ))
}

fn serve(
    mut connection: Connection,
    disk: Disk<'_>,
    journal: &Journal,
    batches: &Receiver<Batch>,
    questions: &Receiver<Question>,
) {
    while let Some(job) = next(batches, questions) {
        match job {
            Job::Answer(question) => question(&mut connection),
            Job::Commit(Batch { rows, tell }) => {
                let stored = commit(&mut connection, disk, rows);
                if stored
                    .iter()
                    .any(|(row, _)| matches!(row, Row::Ended { .. }))
                {
                    reach("end-stored");
                }
                for (row, answer) in &stored {
                    if let Ok(answer) = answer {
                        journal.note(row, answer);
                    }
                }
                let answers = stored
                    .into_iter()
                    .map(|(row, answer)| answer.map_err(|error| Box::new((row, error))));
                tell(answers.collect());
            }
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

type Stored = (Row<Record>, Result<RowAnswer, StoreError>);

/// Puts a batch on disk in one transaction. A row that is refused leaves the others as they are; if
/// the transaction as a whole fails, each row is tried by itself: one must not fail for another. If
/// another program has the database, all are refused: each would wait as long for it again.
fn commit(connection: &mut Connection, disk: Disk<'_>, rows: Vec<Row<Record>>) -> Vec<Stored> {
    match try_commit(connection, disk, &rows) {
        Ok(answers) => rows.into_iter().zip(answers).collect(),
        Err(error) if rows.len() == 1 || schema::is_held(&error) => {
            tracing::error!(%error, "a commit failed");
            let error = failure(disk.path, &error);
            let refused = rows.into_iter().map(|row| (row, Err(error.clone())));
            refused.collect()
        }
        Err(error) => {
            tracing::warn!(%error, "a commit failed; its rows are tried one by one");
            let one_by_one = rows.into_iter();
            one_by_one
                .flat_map(|row| commit(connection, disk, vec![row]))
                .collect()
        }
    }
}

fn try_commit(
    connection: &mut Connection,
    disk: Disk<'_>,
    rows: &[Row<Record>],
) -> rusqlite::Result<Vec<Result<RowAnswer, StoreError>>> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        let mut savepoint = transaction.savepoint()?;
        let answer = rows::put(&savepoint, row, disk.outbox);
        if answer.is_ok() {
            savepoint.commit()?;
        } else {
            // A full disk ends the whole transaction, and this then fails: so do all of it.
            savepoint.rollback()?;
        }
        answers.push(answer.map_err(|error| failure(disk.path, &error)));
    }
    transaction.commit()?;
    disk.outbox.settle(connection);
    Ok(answers)
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
        error => match schema::shortage(error, path) {
            Some(shortage) => StoreError::Shortage {
                path: path.to_owned(),
                shortage,
            },
            None => StoreError::Failed(error.to_string()),
        },
    }
}
