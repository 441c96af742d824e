//! What a narration's folder says of itself: `narration.jsonl`, one JSON object a line. The first
//! holds the text and its segments, then comes one for each finished clip, at last the end. With it
//! a library that was lost can be rebuilt, and anyone can tell which clip speaks which words.
//!
//! The database decides, always; the record is written after it, without waiting for the disk, and
//! read only when the database is gone. A line that can't be read is passed over.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::narrations::StoredSchedule;
use super::segments::ClipRecord;
use crate::engine::plan::{Narration, NarrationSettings, PlannedSegment};
use crate::engine::segments::ErrorObject;
use crate::engine::task::{SegmentId, TaskId, TaskState, Timestamp};

/// What the record in a narration's folder is called.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// # struct Silent;
/// # impl Narrator for Silent {
/// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
/// #         for (segment_id, _) in narration.plan.iter() {
/// #             let attempt = task.begin_segment(segment_id)?;
/// #             let clip = format!("{segment_id}.wav").into();
/// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
/// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
/// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
/// #         }
/// #         Ok("spoken".into())
/// #     }
/// # }
/// # options.narrator = Some(Arc::new(|| Box::new(Silent)));
/// # let engine = Engine::open(options)?;
/// # let events = engine.subscribe();
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
/// let record = narration.folder.join(RECORD_FILE);
/// engine.submit(Submission::new(narration).paused())?;
/// let text = std::fs::read_to_string(record)?;
/// let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap())?;
/// assert_eq!((&first["record"], &first["title"]), (&"narration".into(), &"A story".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const FILE: &str = "narration.jsonl";

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Line {
    Narration(Box<Accepted>),
    Clip(ClipRecord),
    Ended {
        state: TaskState,
        at: Timestamp,
        error: Option<ErrorObject>,
    },
}

/// A narration as it was accepted. Its folder is where the record lies.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub id: TaskId,
    pub title: Arc<str>,
    pub voice: Arc<str>,
    pub voice_version: Arc<str>,
    pub settings: NarrationSettings,
    pub fingerprint: String,
    pub timeout_ms: Option<u64>,
    pub schedule: StoredSchedule,
    pub created_at: Timestamp,
    pub segments: Vec<PlannedSegment>,
    pub source: Arc<str>,
}

/// Begins the record anew, with the clips that there are.
pub(super) fn begin(
    id: &TaskId,
    narration: &Narration,
    timeout_ms: Option<u64>,
    schedule: &StoredSchedule,
    created_at: Timestamp,
    clips: &[ClipRecord],
) -> io::Result<()> {
    let accepted = Accepted {
        id: id.clone(),
        title: Arc::clone(&narration.title),
        voice: Arc::clone(&narration.voice),
        voice_version: Arc::clone(&narration.voice_version),
        settings: narration.settings.clone(),
        fingerprint: narration.fingerprint.clone(),
        timeout_ms,
        schedule: schedule.clone(),
        created_at,
        segments: narration.plan.iter().map(|(_, one)| one.clone()).collect(),
        source: Arc::clone(&narration.source),
    };
    let is_new =
        std::fs::metadata(narration.folder.join(FILE)).map_or(true, |file| file.len() == 0);
    // What a crash cut off before it stays a line of its own.
    let text = if is_new { Vec::new() } else { vec![b'\n'] };
    let mut lines = vec![Line::Narration(Box::new(accepted))];
    lines.extend(clips.iter().cloned().map(Line::Clip));
    write(&narration.folder, text, &lines)
}

/// Adds a line.
pub(super) fn append(folder: &Path, line: &Line) -> io::Result<()> {
    write(folder, Vec::new(), std::slice::from_ref(line))
}

fn write(folder: &Path, mut text: Vec<u8>, lines: &[Line]) -> io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(FILE))?;
    file.write_all(&text)
}

/// What a record says in the end.
#[derive(Debug)]
pub(super) struct Read {
    pub accepted: Accepted,
    pub clips: BTreeMap<SegmentId, ClipRecord>,
    pub end: Option<(TaskState, Timestamp, Option<ErrorObject>)>,
}

/// Reads the record in a folder; `None` if no line of it says what was accepted. The last narration
/// counts, with what comes after it.
pub(super) fn read(folder: &Path) -> io::Result<Option<Read>> {
    let mut accepted = None;
    let mut clips = BTreeMap::new();
    let mut end = None;
    for line in BufReader::new(File::open(folder.join(FILE))?).split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(Line::Narration(narration)) => {
                accepted = Some(*narration);
                clips.clear();
                end = None;
            }
            Ok(Line::Clip(clip)) if is_plain_name(&clip.clip) => {
                clips.insert(clip.segment_id, clip);
            }
            Ok(Line::Ended { state, at, error }) if state.is_terminal() => {
                end = Some((state, at, error));
            }
            _ => {}
        }
    }
    Ok(accepted.map(|accepted| Read {
        accepted,
        clips,
        end,
    }))
}

/// A clip lies in the folder itself; a record that says otherwise is not ours.
fn is_plain_name(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}
