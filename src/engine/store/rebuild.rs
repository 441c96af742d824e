//! A database that is damaged or gone: it is set aside, never thrown away, and begun anew from what
//! the narrations' folders say. Which folders these are stands in `narrations.jsonl` beside the
//! database: one path a line, as a JSON string, added when the first narration goes there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::narrations::insert;
use super::{StoreError, history, record, schema};
use crate::model::{Narration, Plan};

/// The list of folders, beside the database.
const FOLDERS: &str = "narrations.jsonl";

/// What was done about a database that was damaged or gone.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// # struct Silent;
/// # impl Narrator for Silent {
/// #     fn narrate(&mut self, _: &Narration, _: &TaskContext) -> WorkResult {
/// #         Ok("spoken".into())
/// #     }
/// # }
/// # options.narrator = Some(Arc::new(|| Box::new(Silent)));
/// # let segment = |start, text: &str| PlannedSegment {
/// #     start,
/// #     end: start + 4,
/// #     text: text.into(),
/// #     pause_ms: 0,
/// #     heading: false,
/// # };
/// # let narration = Narration {
/// #     title: "A story".into(),
/// #     source: "One. Two.".into(),
/// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
/// #     folder: folder.path().to_owned(),
/// #     voice: "silence".into(),
/// #     voice_version: "".into(),
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: "One. Two. in silence".into(),
/// # };
/// let engine = Engine::open(options.clone())?;
/// engine.submit(Submission::new(narration).paused())?;
/// engine.shutdown(ShutdownWait::Now);
/// std::fs::remove_file(folder.path().join("aloud.db"))?;
/// let engine = Engine::open(options)?;
/// let recovery = engine.recovery().unwrap();
/// assert_eq!((recovery.narrations, recovery.unfinished, recovery.clips), (1, 1, 0));
/// assert!(recovery.to_string().starts_with("the database was gone"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Where the damaged database is now; `None` if there was none.
    pub set_aside: Option<PathBuf>,
    /// What SQLite said of it.
    pub reason: Option<String>,
    /// Narrations found again, ended ones included.
    pub narrations: usize,
    /// Those of them that had not ended and go on.
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

/// Adds a folder to the list.
pub(super) fn note_folder(database: &Path, folder: &str) -> io::Result<()> {
    let mut line = serde_json::to_vec(folder)?;
    line.push(b'\n');
    let mut list = OpenOptions::new()
        .create(true)
        .append(true)
        .open(database.with_file_name(FOLDERS))?;
    list.write_all(&line)
}

/// Opens the database; sets a damaged one aside, and rebuilds one that is damaged or gone.
pub(super) fn open(path: &Path) -> Result<(Connection, Option<Recovery>), StoreError> {
    let (connection, mut recovery) = match schema::open(path) {
        Ok(opened) if opened.is_new => {
            let recovery = (!folders(path).is_empty()).then(Recovery::default);
            (opened.connection, recovery)
        }
        Ok(opened) => (opened.connection, None),
        Err(StoreError::Damaged { reason, .. }) => {
            let recovery = Recovery {
                set_aside: Some(set_aside(path)?),
                reason: Some(reason),
                ..Recovery::default()
            };
            (schema::open(path)?.connection, Some(recovery))
        }
        Err(error) => return Err(error),
    };
    if let Some(recovery) = &mut recovery {
        rebuild(path, &connection, recovery);
        tracing::warn!("{recovery}");
    }
    Ok((connection, recovery))
}

/// Gives the database a name that says what it is, and what belongs to it as well.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |error: io::Error| StoreError::Open {
        path: path.to_owned(),
        reason: format!("it is damaged and can't be set aside: {error}"),
    };
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("{name}.damaged-{stamp}"));
    for part in ["-wal", "-shm", ""] {
        let with = |path: &Path| PathBuf::from(format!("{}{part}", path.display()));
        match fs::rename(with(path), with(&aside)) {
            Err(error) if part.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn folders(database: &Path) -> Vec<PathBuf> {
    let Ok(list) = File::open(database.with_file_name(FOLDERS)) else {
        return Vec::new();
    };
    let lines = BufReader::new(list).split(b'\n').map_while(Result::ok);
    let mut folders: Vec<PathBuf> = Vec::new();
    for line in lines {
        if let Ok(folder) = serde_json::from_slice::<PathBuf>(&line)
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    folders
}

fn rebuild(path: &Path, connection: &Connection, recovery: &mut Recovery) {
    for folder in folders(path) {
        let found = match record::read(&folder) {
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

/// Whether the files are still there is looked at when the narration goes on.
fn restore(connection: &Connection, folder: &Path, found: record::Read) -> rusqlite::Result<()> {
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
    };
    let transaction = connection.unchecked_transaction()?;
    let query = "SELECT COALESCE(MAX(seq), 0) + 1 FROM tasks";
    let seq: i64 = transaction.query_row(query, [], |row| row.get(0))?;
    insert(
        &transaction,
        &accepted.id,
        seq.cast_unsigned(),
        &narration,
        accepted.timeout_ms,
        &accepted.schedule,
        accepted.created_at,
    )?;
    for clip in found.clips.values() {
        transaction
            .prepare_cached(
                "UPDATE segments SET clip = ?3, bytes = ?4, samples = ?5, rate = ?6, peak = ?7
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
            ])?;
    }
    if let Some((state, at, error)) = found.end {
        let tally = history::tally(&transaction, seq)?;
        let (id, error) = (&accepted.id, error.as_ref());
        history::end(&transaction, id, state, error, None, Some(tally), at)?;
    }
    transaction.commit()
}
