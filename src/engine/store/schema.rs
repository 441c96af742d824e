//! Opening the database: its settings, its tables, and the steps from older versions to this one.
//! A database that a newer program wrote is refused, untouched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use rustix::process::{Resource, getrlimit};

use crate::engine::error::StoreError;
use crate::shortage::Shortage;

/// Earlier versions of SQLite can corrupt a database in WAL mode.
const SQLITE_NEEDED: i32 = 3_051_003;

/// More than any of the database's files grows by at once, in bytes.
const LARGEST_STEP: u64 = 1 << 16;

/// One step each, from version N to N + 1. Steps that were released never change.
const MIGRATIONS: &[&str] = &[
    VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8,
    VERSION_9,
];

/// Who says a segment, where a narration has several voices.
const VERSION_9: &str = "ALTER TABLE segments ADD COLUMN voice INTEGER NOT NULL DEFAULT 0";

/// What of a segment's text is said otherwise than it is written, as JSON; nothing where all is said as
/// it stands. When each word of its clip is said, as JSON.
const VERSION_8: &str = "
ALTER TABLE segments ADD COLUMN reading TEXT;
ALTER TABLE segments ADD COLUMN words TEXT;
ALTER TABLE tasks ADD COLUMN file TEXT;
";

/// What others are owed: notices of changes that are yet to be delivered.
const VERSION_7: &str = "
CREATE TABLE outbox (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    target   TEXT NOT NULL,
    id       TEXT NOT NULL,
    task     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    payload  TEXT NOT NULL,
    trace    TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_target ON outbox (target, number);
";

/// What recurs, and which of its runs a task is.
const VERSION_6: &str = "
CREATE TABLE recurring (
    name       TEXT NOT NULL PRIMARY KEY,
    recurrence TEXT NOT NULL,
    title      TEXT NOT NULL,
    operation  TEXT NOT NULL,
    parameters TEXT NOT NULL,
    context    TEXT NOT NULL,
    timeout_ms INTEGER,
    schedule   TEXT NOT NULL,
    next       INTEGER NOT NULL,
    noted      INTEGER NOT NULL
) STRICT;
ALTER TABLE tasks ADD COLUMN occurrence TEXT;
";

/// Operations other than narrations, with what they are to do, and how a clip's sound is checked.
const VERSION_5: &str = "
ALTER TABLE tasks ADD COLUMN operation TEXT NOT NULL DEFAULT 'narrate';
ALTER TABLE tasks ADD COLUMN parameters TEXT;
ALTER TABLE tasks ADD COLUMN context TEXT;
ALTER TABLE segments ADD COLUMN checksum INTEGER;
";

/// What became of a narration, kept when its segments go, and the history of what has ended: its
/// index holds every column that history shows, so that the texts are never looked at for it.
const VERSION_4: &str = "
ALTER TABLE tasks ADD COLUMN segments INTEGER;
ALTER TABLE tasks ADD COLUMN done INTEGER;
ALTER TABLE tasks ADD COLUMN errors INTEGER;
ALTER TABLE tasks ADD COLUMN audio_seconds REAL;
ALTER TABLE tasks ADD COLUMN problem TEXT;
UPDATE tasks SET (segments, done, errors, audio_seconds) =
    (SELECT COUNT(*), COUNT(clip), COUNT(error), TOTAL(CAST(samples AS REAL) / rate)
     FROM segments WHERE task = seq)
    WHERE completed_at IS NOT NULL AND EXISTS (SELECT 1 FROM segments WHERE task = seq);
UPDATE tasks SET problem = error ->> '$.message' WHERE json_valid(error);
CREATE INDEX tasks_ended ON tasks (completed_at, seq, id, title, state, voice, folder, created_at,
                                   segments, done, errors, audio_seconds, problem)
    WHERE completed_at IS NOT NULL;
";

/// Which version of its voice a narration began with, and how often each segment was in work when
/// the process died.
const VERSION_3: &str = "
ALTER TABLE tasks ADD COLUMN voice_version TEXT NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_folder ON tasks (folder);
";

/// When a task may run, as JSON.
const VERSION_2: &str = "ALTER TABLE tasks ADD COLUMN schedule TEXT NOT NULL DEFAULT '{}'";

const VERSION_1: &str = "
CREATE TABLE tasks (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    state        TEXT NOT NULL
                 CHECK (state IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    folder       TEXT NOT NULL,
    voice        TEXT NOT NULL,
    settings     TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    source       TEXT NOT NULL,
    timeout_ms   INTEGER,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    completed_at INTEGER,
    error        TEXT,
    result       TEXT
) STRICT;
CREATE INDEX tasks_unfinished ON tasks (seq) WHERE completed_at IS NULL;
CREATE INDEX tasks_fingerprint ON tasks (fingerprint);
CREATE TABLE segments (
    task      INTEGER NOT NULL REFERENCES tasks (seq) ON DELETE CASCADE,
    number    INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    past      INTEGER NOT NULL,
    text      TEXT NOT NULL,
    pause_ms  INTEGER NOT NULL,
    heading   INTEGER NOT NULL,
    attempt   INTEGER NOT NULL DEFAULT 0,
    clip      TEXT,
    bytes     INTEGER,
    samples   INTEGER,
    rate      INTEGER,
    peak      REAL,
    error     TEXT,
    PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;
";

/// The version that this program writes.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Whether an error says that the file is no database, or a damaged one.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}

/// Whether an error says that another program has the database.
pub(super) fn is_held(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

/// The shortage behind an error. SQLite has a word for memory only, and keeps to itself what the system
/// said: of the rest it is found out whether it is so now.
pub(super) fn shortage(error: &rusqlite::Error, path: &Path) -> Option<Shortage> {
    match error.sqlite_error_code()? {
        rusqlite::ErrorCode::OutOfMemory => Some(Shortage::Memory),
        rusqlite::ErrorCode::CannotOpen => {
            let error = std::fs::File::open(path).err()?;
            Shortage::of(&error)
        }
        rusqlite::ErrorCode::SystemIoFailure => {
            let limit = getrlimit(Resource::Fsize).current?;
            let files = [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")];
            let sizes = files.iter().filter_map(|file| file.metadata().ok());
            let largest = sizes.map(|file| file.len()).max()?;
            (limit < largest + LARGEST_STEP).then_some(Shortage::FileSize)
        }
        _ => None,
    }
}

/// Has the whole database looked at when it is opened next.
pub(super) fn suspect(path: &Path) {
    if let Err(error) = std::fs::File::create(beside(path, "-suspect")) {
        tracing::error!(%error, "the database can't be marked as damaged");
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Opens the database at `path`, creating or migrating it. Looking at all of it costs time, so that
/// is done after a run that did not end cleanly, which leaves its log behind, or met damage.
///
/// # Errors
/// [`StoreError::Damaged`]; [`StoreError::TooNew`], untouched; [`StoreError::Open`] otherwise.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| {
        let (path, reason) = (path.to_owned(), error.to_string());
        if is_damage(&error) {
            StoreError::Damaged { path, reason }
        } else if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            StoreError::DiskFull { path }
        } else if let Some(shortage) = shortage(&error, &path) {
            StoreError::Shortage { path, shortage }
        } else {
            StoreError::Open { path, reason }
        }
    };
    let mark = beside(path, "-suspect");
    let is_suspect = mark.exists() || beside(path, "-wal").exists();
    if rusqlite::version_number() < SQLITE_NEEDED {
        return Err(StoreError::Open {
            path: path.to_owned(),
            reason: format!("SQLite {} is older than 3.51.3", rusqlite::version()),
        });
    }
    let mut connection = Connection::open(path).map_err(failed)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(failed)?;
    // Closed because it is damaged, it must leave its log as it is: that is set aside as well.
    keep_log(&connection, true).map_err(failed)?;
    let found = version(&connection).map_err(failed)?;
    let known = newest();
    if found > known {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    configure(&connection).map_err(failed)?;
    if is_suspect {
        check(path, &connection).map_err(failed)??;
    }
    migrate(&mut connection).map_err(failed)?;
    keep_log(&connection, false).map_err(failed)?;
    // It is sound; a mark that stays has it looked at once more.
    let _ = std::fs::remove_file(mark);
    Ok(connection)
}

/// Closes a database so that all of it is in its one file, and on disk.
pub(super) fn close(connection: Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |reason: String| StoreError::Open {
        path: path.to_owned(),
        reason,
    };
    connection
        .pragma_update(None, "journal_mode", "DELETE")
        .map_err(|error| failed(error.to_string()))?;
    connection
        .close()
        .map_err(|(_, error)| failed(error.to_string()))?;
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.sync_all().map_err(|error| failed(error.to_string()))
}

fn check(path: &Path, connection: &Connection) -> rusqlite::Result<Result<(), StoreError>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(if said == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: said,
        })
    })
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL may roll back a commit that was acknowledged when the power goes.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")
}

/// Whether closing leaves the log unread beside the database.
fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(drop)
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = usize::try_from(version(&transaction)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    set_version(&transaction)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn set_version(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "user_version", newest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_refused_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aloud.db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let before = std::fs::read(&path).unwrap();
        let error = open(&path).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::TooNew {
                    found: 99,
                    known: 9,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn opening_twice_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aloud.db");
        drop(open(&path).unwrap());
        let connection = open(&path).unwrap();
        assert_eq!(version(&connection).unwrap(), newest());
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }
}
