//! A database that is damaged or gone: it is set aside, never thrown away, and begun again from what
//! the narrations' folders say. Which folders these are stands in `narrations.jsonl` beside the
//! database: one path a line, as a JSON string, added when the first narration goes there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::segments::words_of;
use super::tasks::{NewRow, insert};
use super::{history, schema};
use crate::engine::error::StoreError;
use crate::engine::journal::{self, folders};
use crate::engine::record::Record;
use crate::model::{Narration, Plan};

/// What was done about a database that was damaged or gone.
///
/// ```
/// use aloud::engine::{ShutdownWait, Submission, testing::Library};
///
/// let mut engine = Library::new();
/// engine.submit(Submission::new(engine.narration("A story")).paused())?;
/// engine.shutdown(ShutdownWait::Now);
/// std::fs::remove_file(engine.folder().join("aloud.db"))?;
/// engine.reopen();
/// let recovery = engine.recovery().unwrap();
/// assert_eq!((recovery.narrations, recovery.unfinished, recovery.clips), (1, 1, 0));
/// assert!(recovery.to_string().starts_with("the database was gone"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovery {
    /// Where the damaged database is now; `None` if there was none.
    pub set_aside: Option<PathBuf>,
    /// What SQLite said of it.
    pub reason: Option<String>,
    /// Narrations found again, ended ones included.
    pub narrations: usize,
    /// Those of them that had not ended and continue.
    pub unfinished: usize,
    /// Clips found again.
    pub clips: usize,
    /// Folders whose narrations could not be found again.
    pub lost: Vec<PathBuf>,
}

impl std::fmt::Display for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.set_aside, &self.reason) {
            (Some(path), Some(reason)) => {
                let path = path.display();
                write!(f, "the database was damaged ({reason}) and is now {path}; ")?;
            }
            _ => f.write_str("the database was gone; ")?,
        }
        let (narrations, clips, unfinished) = (self.narrations, self.clips, self.unfinished);
        write!(
            f,
            "from the clips' folders {narrations} narration(s) with {clips} clip(s) were found \
             again, {unfinished} of them go on"
        )?;
        if !self.lost.is_empty() {
            write!(f, "; nothing could be read in")?;
            for folder in &self.lost {
                write!(f, " {}", folder.display())?;
            }
        }
        Ok(())
    }
}

/// Opens the database; sets a damaged one aside, and rebuilds one that is damaged or gone.
///
/// It is rebuilt in a file of its own, which takes the database's place in one step: killed in between,
/// the next start does the same again.
pub(super) fn open(path: &Path) -> Result<(Connection, Option<Recovery>), StoreError> {
    forget_old_log(path)?;
    let reason = match schema::open(path) {
        Ok(connection) if is_lost(path, &connection)? => {
            drop(connection);
            None
        }
        Ok(connection) => return Ok((connection, None)),
        Err(StoreError::Damaged { reason, .. }) => Some(reason),
        Err(error) => return Err(error),
    };
    let mut recovery = Recovery {
        reason,
        ..Recovery::default()
    };
    let rebuilt = beside(path, ".rebuilding");
    remove(&rebuilt)?;
    let connection = schema::open(&rebuilt)?;
    rebuild(path, &connection, &mut recovery);
    schema::close(connection, &rebuilt)?;
    if recovery.reason.is_some() {
        recovery.set_aside = Some(set_aside(path)?);
    } else {
        remove(path)?;
    }
    let failed = |error: io::Error| open_error(path, "it can't be put in place", &error);
    fs::rename(&rebuilt, path).map_err(failed)?;
    sync_folder(path).map_err(failed)?;
    tracing::warn!("{recovery}");
    Ok((schema::open(path)?, Some(recovery)))
}

/// Whether a database without a single task stands where narrations are known to have been.
fn is_lost(path: &Path, connection: &Connection) -> Result<bool, StoreError> {
    let is_empty = connection
        .query_row("SELECT NOT EXISTS (SELECT 1 FROM tasks)", [], |row| {
            row.get(0)
        })
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(is_empty && !folders(path).is_empty())
}

fn open_error(path: &Path, what: &str, error: &io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        reason: format!("{what}: {error}"),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// Removes a database and what belongs to it.
fn remove(path: &Path) -> Result<(), StoreError> {
    for part in ["", "-wal", "-shm"] {
        match fs::remove_file(beside(path, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(open_error(path, "it can't be removed", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A log without its database belongs to one that was set aside: a new database must not meet it.
fn forget_old_log(path: &Path) -> Result<(), StoreError> {
    if path.symlink_metadata().is_err() {
        remove(path)?;
    }
    Ok(())
}

/// Gives the database a name that says what it is, and what belongs to it as well. Its log is copied
/// first and removed last: at no moment does the database stand without it.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let failed =
        |error: io::Error| open_error(path, "it is damaged and can't be set aside", &error);
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("{name}.damaged-{stamp}"));
    for part in ["-wal", "-shm"] {
        match fs::copy(beside(path, part), beside(&aside, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    fs::rename(path, &aside).map_err(failed)?;
    forget_old_log(path)?;
    Ok(aside)
}

fn rebuild(path: &Path, connection: &Connection, recovery: &mut Recovery) {
    for folder in folders(path) {
        let found = match journal::read(&folder) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "no record can be read");
                None
            }
        };
        let restored = found.map(|found| {
            let counts = (found.clips.len(), found.end.is_none());
            restore(connection, &folder, found).map(|()| counts)
        });
        match restored {
            Some(Ok((clips, unfinished))) => {
                recovery.narrations += 1;
                recovery.clips += clips;
                recovery.unfinished += usize::from(unfinished);
            }
            Some(Err(error)) => {
                tracing::error!(folder = %folder.display(), %error, "a narration was not restored");
                recovery.lost.push(folder);
            }
            None => recovery.lost.push(folder),
        }
    }
}

/// Whether the files are still there is checked when the narration continues.
fn restore(connection: &Connection, folder: &Path, found: journal::Read) -> rusqlite::Result<()> {
    let accepted = found.accepted;
    let narration = Narration {
        title: accepted.title,
        source: accepted.source,
        plan: Arc::new(Plan::new(accepted.segments)),
        folder: folder.to_owned(),
        voice: accepted.voice,
        voice_version: accepted.voice_version,
        settings: accepted.settings,
        fingerprint: accepted.fingerprint,
        file: accepted.file,
    };
    let transaction = connection.unchecked_transaction()?;
    let query = "SELECT COALESCE(MAX(seq), 0) + 1 FROM tasks";
    let seq: i64 = transaction.query_row(query, [], |row| row.get(0))?;
    let new = NewRow {
        id: &accepted.id,
        seq: seq.cast_unsigned(),
        record: &Record::Narration(Arc::new(narration)),
        timeout_ms: accepted.timeout_ms,
        schedule: &accepted.schedule,
        at: accepted.created_at,
        occurrence: None,
    };
    insert(&transaction, &new, &[])?;
    for clip in found.clips.values() {
        transaction
            .prepare_cached(
                "UPDATE segments SET clip = ?3, bytes = ?4, samples = ?5, rate = ?6, peak = ?7,
                                     checksum = ?8, words = ?9
                 WHERE task = ?1 AND number = ?2",
            )?
            .execute(params![
                seq,
                clip.segment_id,
                &*clip.clip,
                clip.bytes.cast_signed(),
                clip.samples.cast_signed(),
                clip.rate,
                clip.peak,
                clip.checksum,
                words_of(clip),
            ])?;
    }
    if let Some((state, at, error)) = found.end {
        let summary = history::summary(&transaction, seq)?;
        let (id, error) = (&accepted.id, error.as_ref());
        history::end(&transaction, id, state, error, None, Some(summary), at)?;
    }
    transaction.commit()
}
