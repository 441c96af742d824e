//! Tasks for tests, with fixed times and ids.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::app::{App, Start};
use super::keymap::Keymap;
use super::scene::Scene;
use super::services::Defaults;
use super::theme::{self, ColorDepth, SymbolSet, Theme};
use crate::model::{
    CompletedSegment, CompletedSegments, ErrorObject, Limits, Plan, PlannedSegment, Priority,
    Progress, Reading, RunOutput, Said, SegmentErrors, SegmentId, TaskId, TaskKind, TaskState,
    TaskStatus, Timestamp,
};
use crate::service::Submitted;

/// The model with the themes for this depth, before it has read anything.
pub(super) fn app(theme: &str, depth: ColorDepth) -> App {
    let themes = Theme::built_in(depth).unwrap();
    App::new(Start {
        theme: theme::position(&themes, theme).unwrap(),
        themes: theme::names(&themes),
        keymap: Keymap::default(),
        defaults: Defaults {
            voice: "en_US-joe-medium".into(),
            speed: 1.0,
            speaker: None,
        },
        exit_when_done: false,
        is_attached: false,
        zone: jiff::tz::TimeZone::UTC,
        notice: None,
    })
}

/// A narration that was taken, with nothing to be told of it.
pub(super) fn submitted(id: &TaskId) -> Submitted {
    Submitted {
        id: id.clone(),
        continued: false,
        notes: Vec::new(),
    }
}

/// What the model is drawn with that [`app`] makes for this depth.
pub(super) fn scene(depth: ColorDepth) -> Scene {
    Scene::new(Theme::built_in(depth).unwrap(), SymbolSet::Unicode)
}

/// When the tests look: an hour after the epoch.
pub(super) const NOW: Timestamp = Timestamp(3_600_000);

const SENTENCES: [&str; 8] = [
    "By midnight the sea had swallowed the lower path, and the only light for twenty miles was the \
     lamp above his head.",
    "“Patience,” he told the gulls, who had none.",
    "When morning came, three fishing boats stood in the bay, and nobody aboard could say how they \
     had found the channel in the dark.",
    "He wound the clockwork, trimmed the wick, and wrote the hour into the book.",
    "The letter from the harbour office lay unopened on the table; he knew what it said.",
    "Rain again.",
    "On the mainland they called him Mr. Ferris, and some of the children called him other things.",
    "At 4:15 a.m. the wind turned, as it always did in the third week of October.",
];

/// What of the sentences is said otherwise.
const SAID: [(&str, &str); 2] = [("Mr.", "mister"), ("4:15 a.m.", "four fifteen a m")];

/// A text of all kinds that are said otherwise, with what is said for them and why some is not.
const OTHERWISE: &str = "Dr. Orr paid $49.95 for it on 3/4/2021 🚤, vol. XII said: see \
    https://example.com/menus/spring?id=7 – or don't.";
const OTHERWISE_SAID: [(&str, &str, Option<&str>); 8] = [
    ("Dr.", "doctor", None),
    ("$49.95", "forty-nine dollars and ninety-five cents", None),
    ("3/4/2021", "March fourth, twenty twenty-one", None),
    (" 🚤", "", Some("emoji")),
    ("vol.", "volume", None),
    ("XII", "twelve", None),
    (
        "https://example.com/menus/spring?id=7",
        "example dot com",
        Some("address of a link"),
    ),
    (" – ", ", ", None),
];

/// A reading of a text where the first of each of these is said otherwise.
fn reading<'s>(
    text: &str,
    said: impl IntoIterator<Item = (&'s str, &'s str, Option<&'s str>)>,
) -> Reading {
    let place = |at: usize| u32::try_from(at).unwrap();
    let said = said.into_iter().filter_map(|(written, words, left_out)| {
        let start = text.find(written)?;
        Some(Said {
            start: place(start),
            end: place(start + written.len()),
            words: words.into(),
            left_out: left_out.map(Into::into),
        })
    });
    Reading::new(said.collect())
}

/// A plan of so many segments; the first is the title.
pub(super) fn plan(title: &str, count: usize) -> Arc<Plan> {
    let mut at = 0;
    let mut segments = Vec::with_capacity(count);
    for index in 0..count {
        let text = if index == 0 {
            title
        } else {
            SENTENCES[(index - 1) % SENTENCES.len()]
        };
        let end = at + text.len() as u64;
        segments.push(PlannedSegment {
            start: at,
            end,
            text: text.into(),
            pause_ms: 400,
            heading: index == 0,
            reading: reading(text, SAID.map(|(written, words)| (written, words, None))),
            voice: 0,
        });
        at = end + 1;
    }
    Arc::new(Plan::new(segments))
}

/// A narration that waits.
pub(super) fn narration(id: &str, title: &str, count: usize) -> TaskStatus {
    let plan = plan(title, count);
    TaskStatus {
        id: TaskId::from(id),
        title: title.into(),
        kind: TaskKind::Narration,
        state: TaskState::Pending,
        progress: Progress {
            current: 0,
            total: u64::from(plan.len()),
            extra: None,
        },
        current_segment: None,
        priority: Priority::Normal,
        rank: 0,
        paused: false,
        after: [].into(),
        group: None,
        limits: Limits::default(),
        trace: None,
        context: None,
        due: None,
        attempt: 1,
        completed_segments: CompletedSegments::default(),
        errors: SegmentErrors::default(),
        partial_result: None,
        result: None,
        error: None,
        cancel_requested: false,
        created_at: Timestamp(NOW.0 - 200_000),
        started_at: None,
        earlier_seconds: 0.0,
        updated_at: NOW,
        completed_at: None,
        hold: None,
        occurrence: None,
        operation: None,
        folder: Some(PathBuf::from(format!("/home/ada/Narrations/{id}")).into()),
        voice: "en_US-joe-medium".into(),
        others: [].into(),
        audio_seconds: 0.0,
        completed_chars: 0,
        made: RunOutput::default(),
        plan: Some(plan),
    }
}

/// Completes one segment: half a tenth of a second of audio a character, made 20 to 26 times as
/// fast.
pub(super) fn complete(task: &mut TaskStatus, id: impl Into<SegmentId>) {
    let id = id.into();
    let plan = task.plan.clone().unwrap();
    let text = &plan.get(id).unwrap().text;
    let chars = text.chars().count() as u64;
    let duration = Duration::from_millis(chars * 55 + 300);
    let work = duration / (20 + id.get() % 7);
    let words: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ')
        .take(20)
        .collect();
    task.completed_segments.insert(CompletedSegment {
        segment_id: id,
        clip: format!("{id:04}-{}.wav", words.trim().replace(' ', "-")).into(),
        duration,
        work,
    });
    task.progress.current = task.completed_segments.len() as u64;
    task.audio_seconds += duration.as_secs_f64();
    task.completed_chars += chars;
    task.made.audio_seconds += duration.as_secs_f64();
    task.made.work_seconds += work.as_secs_f64();
    task.made.chars += chars;
}

/// Takes a task up, `seconds` ago.
pub(super) fn start(task: &mut TaskStatus, seconds: i64) {
    task.state = TaskState::Processing;
    task.started_at = Some(Timestamp(NOW.0 - seconds * 1000));
}

/// Ends a task well.
pub(super) fn finish(task: &mut TaskStatus) {
    for id in SegmentId::all(task.plan.as_ref().unwrap().len()) {
        if !task.errors.has(id) && task.completed_segments.get(id).is_none() {
            complete(task, id);
        }
    }
    task.state = TaskState::Completed;
    task.completed_at = Some(NOW);
}

/// What a voice says about a sign that it does not know.
pub(super) fn unknown_sign() -> ErrorObject {
    ErrorObject::new(
        "UNKNOWN_PHONEME",
        "the voice en_US-joe-medium has no sound for “ʘ” in “ʘana”",
    )
    .with_remediation("Write the name as it should sound, or choose another voice")
}

/// Three narrations: one done, one running with a failed segment, one waiting.
pub(super) fn working() -> Vec<TaskStatus> {
    let mut done = narration("instructions", "Instructions", 40);
    start(&mut done, 95);
    finish(&mut done);
    done.completed_at = Some(Timestamp(NOW.0 - 70_000));
    let mut running = narration("the-lighthouse-keeper", "The Lighthouse Keeper", 190);
    start(&mut running, 70);
    for id in 1..118 {
        if id != 113 {
            complete(&mut running, id);
        }
    }
    running.errors.push(SegmentId::new(113), unknown_sign());
    running.current_segment = Some(SegmentId::new(118));
    let waiting = narration("the-night-train", "The Night Train", 412);
    vec![done, running, waiting]
}

/// The same three, with segment 113 far longer than a screen.
pub(super) fn long_segment() -> Vec<TaskStatus> {
    let numbered = (1..=60).map(|n| format!("{n}. {}", SENTENCES[n % SENTENCES.len()]));
    let text = numbered.collect::<Vec<_>>().join(" ");
    changed(|segments| {
        segments[112].reading = Reading::default();
        segments[112].text = text.into();
    })
}

/// The same three, with much of segment 116 said otherwise than it is written.
pub(super) fn said_otherwise() -> Vec<TaskStatus> {
    changed(|segments| {
        segments[115].text = OTHERWISE.into();
        segments[115].reading = reading(OTHERWISE, OTHERWISE_SAID);
    })
}

/// The same three, with other segments in the one that runs.
fn changed(change: impl FnOnce(&mut [PlannedSegment])) -> Vec<TaskStatus> {
    let mut tasks = working();
    let mut segments: Vec<PlannedSegment> = (1..=190)
        .filter_map(|id| tasks[1].plan.as_ref()?.get(id).cloned())
        .collect();
    change(&mut segments);
    tasks[1].plan = Some(Arc::new(Plan::new(segments)));
    tasks
}

/// The same three when all is done.
pub(super) fn finished() -> Vec<TaskStatus> {
    let mut tasks = working();
    tasks[1].current_segment = None;
    finish(&mut tasks[1]);
    start(&mut tasks[2], 60);
    finish(&mut tasks[2]);
    tasks
}
