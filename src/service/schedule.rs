//! When a task runs, as a request says it: at a moment, or again and again under a name.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Refusal, Submitted};
use crate::engine::Recurrence;
use crate::model::{Occurrence, RecurringTask, TaskId, TaskState, TaskStatus, Timestamp};

/// The longest name of a schedule, in characters.
const LONGEST_NAME: usize = 100;
/// The longest cron expression: none needs more.
const LONGEST_EXPRESSION: usize = 200;

/// When a task runs, as it is written in a request: one of `at`, `every` and `cron`.
///
/// ```
/// use aloud::service::{When, WrittenSchedule};
///
/// let written: WrittenSchedule =
///     serde_json::from_str(r#"{"cron": "0 3 * * *", "zone": "Europe/Berlin", "name": "news"}"#)?;
/// let When::Recurring { recurrence, name } = written.read()? else { panic!("it recurs") };
/// assert_eq!(recurrence.to_string(), "0 3 * * * in Europe/Berlin");
/// assert_eq!(name.as_deref(), Some("news"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenSchedule {
    /// Once, at this moment: ISO 8601, with an offset or a `zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Again and again, with so many seconds between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<f64>,
    /// Again and again, by a cron expression of five fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone of `cron`, or of an `at` without an offset; this machine's where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is called so recurs in the place of what was called so before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What came of a request for something new.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Taken {
    /// A task.
    Task(Submitted),
    /// It recurs.
    Schedule(Box<Schedule>),
}

/// When a task runs.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// Once, at this moment.
    At(Timestamp),
    /// Again and again.
    Recurring {
        /// When.
        recurrence: Recurrence,
        /// Under this name; or one that is made of what it does.
        name: Option<String>,
    },
}

impl WrittenSchedule {
    /// What is meant.
    ///
    /// # Errors
    /// [`Refusal`]: what is wrong with it.
    pub fn read(&self) -> Result<When, Refusal> {
        let zone = || self.zone.as_deref().map(zone).transpose();
        match (&self.at, self.every, &self.cron) {
            (Some(_), None, None) if self.name.is_some() => Err(Refusal::invalid(
                "what runs once has no `name`: leave it out, or give `every` or `cron`",
            )),
            (Some(at), None, None) => {
                let moment = moment(at, zone()?.as_ref());
                moment.map(When::At).ok_or_else(|| no_moment(at))
            }
            (None, Some(seconds), None) => {
                let interval = Duration::try_from_secs_f64(seconds);
                let interval = interval.map_err(|_| {
                    Refusal::invalid(format!(
                        "`every` must be a number of seconds, not {seconds}"
                    ))
                })?;
                self.recurring(Recurrence::every(interval))
            }
            (None, None, Some(cron)) if cron.len() > LONGEST_EXPRESSION => {
                Err(Refusal::invalid(format!(
                    "`cron` is longer than {LONGEST_EXPRESSION} characters: it has five fields"
                )))
            }
            (None, None, Some(cron)) => {
                zone()?;
                let zone = self.zone.clone().unwrap_or_else(zone_here);
                self.recurring(Recurrence::cron(cron, &zone))
            }
            _ => Err(Refusal::invalid(
                "a `schedule` has one of `at` (a moment), `every` (seconds) and `cron` (an expression)",
            )),
        }
    }

    fn recurring(
        &self,
        recurrence: Result<Recurrence, crate::engine::RecurrenceError>,
    ) -> Result<When, Refusal> {
        let recurrence = recurrence.map_err(|error| Refusal::invalid(error.to_string()))?;
        let name = self.name.as_deref().map(checked_name).transpose()?;
        Ok(When::Recurring { recurrence, name })
    }
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!(
            "the `name` of a schedule has 1 to {LONGEST_NAME} characters, and none that controls a \
             terminal"
        )));
    }
    Ok(name.to_owned())
}

/// A name for what recurs, of what a person would call it.
pub(super) fn derived_name(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control());
    let name: String = kept.take(LONGEST_NAME / 2).collect();
    match name.trim() {
        "" => "narration".to_owned(),
        name => name.to_owned(),
    }
}

fn zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        Refusal::invalid(format!(
            "there is no time zone {name:.100} here; give a name of the IANA database, such as \
             Europe/Berlin or UTC"
        ))
    })
}

/// The name of this machine's time zone. Where it has none, clocks show universal time.
fn zone_here() -> String {
    let zone = TimeZone::system();
    zone.iana_name().unwrap_or("UTC").to_owned()
}

/// A moment in ISO 8601: with an offset or a zone in brackets, or else of clocks in this zone.
pub(crate) fn moment(text: &str, zone: Option<&TimeZone>) -> Option<Timestamp> {
    let text = text.trim();
    let with_offset = text.parse::<jiff::Timestamp>().ok();
    let moment = with_offset.or_else(|| {
        let zone = zone.cloned().unwrap_or_else(TimeZone::system);
        let there = text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?;
        Some(there.timestamp())
    });
    Some(Timestamp(moment?.as_millisecond()))
}

fn no_moment(at: &str) -> Refusal {
    Refusal::invalid(format!(
        "`at` is no time: {at:.100}; write it as 2026-12-01T03:00:00+01:00"
    ))
}

/// A moment that has not passed.
pub(crate) fn to_come(at: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
    if at >= now {
        return Ok(at);
    }
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    Err(Refusal::invalid(format!(
        "{moment:.0} has passed: name a time that is to come"
    )))
}

/// Something that recurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What it is called.
    pub name: Arc<str>,
    /// When it recurs, in words: `every 3600 s`, `0 3 * * * in Europe/Berlin`.
    pub recurrence: String,
    /// When it is due next, in milliseconds since 1970; in the past while the run before has not ended.
    pub next: Timestamp,
    /// What is done: the name of an operation.
    pub operation: Arc<str>,
    /// What that is given.
    pub parameters: Value,
    /// Its run that waits or is in work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<TaskId>,
    /// Its last run, as long as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRun>,
}

/// The last run of something that recurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// Its task.
    pub task_id: TaskId,
    /// How that stands.
    pub state: TaskState,
    /// When it was due.
    pub due: Timestamp,
}

impl LastRun {
    /// Of what is called so, among these tasks.
    pub(super) fn of(name: &str, tasks: &[TaskStatus]) -> Option<Self> {
        let run = |task: &TaskStatus| -> Option<(Timestamp, Self)> {
            let occurrence: &Occurrence = task.occurrence.as_deref()?;
            let run = Self {
                task_id: task.id.clone(),
                state: task.state,
                due: occurrence.due,
            };
            (*occurrence.recurring == *name).then_some((occurrence.due, run))
        };
        let runs = tasks.iter().filter_map(run);
        runs.max_by_key(|(due, _)| *due).map(|(_, run)| run)
    }
}

/// What recurs, if it is for everyone to see: what it does is shown as this.
pub(super) fn shown(
    task: RecurringTask,
    tasks: &[TaskStatus],
    show: impl FnOnce(&str, Value) -> Option<(Arc<str>, Value)>,
) -> Option<Schedule> {
    let call = task.operation?;
    let (operation, parameters) = show(&call.name, call.parameters.clone())?;
    Some(Schedule {
        last: LastRun::of(&task.name, tasks),
        name: task.name,
        recurrence: task.recurrence,
        next: task.next,
        operation,
        parameters,
        run: task.run,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> Result<When, Refusal> {
        serde_json::from_str::<WrittenSchedule>(json)
            .unwrap()
            .read()
    }

    #[test]
    fn a_moment_has_an_offset_or_a_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text| moment(text, Some(&berlin)).map(|at| at.0);
        let expected = Some(1_796_090_400_000);
        for text in [
            "2026-12-01T02:00:00Z",
            "2026-12-01T03:00+01:00",
            "2026-12-01T03:00+01:00[Europe/Berlin]",
            "2026-12-01T03:00",
            "2026-12-01 03:00:00",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        for text in ["", "03:00", "tomorrow", "2026-13-01T03:00"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_says_what_would_be_one() {
        for (wrong, part) in [
            ("{}", "one of `at`"),
            (r#"{"every": 60, "cron": "0 3 * * *"}"#, "one of `at`"),
            (r#"{"at": "2999-01-01T00:00Z", "name": "x"}"#, "no `name`"),
            (r#"{"at": "soon"}"#, "2026-12-01T03:00"),
            (
                r#"{"at": "2999-01-01T00:00", "zone": "Nowhere"}"#,
                "no time zone Nowhere",
            ),
            (r#"{"every": 0.5}"#, "from a second"),
            (r#"{"every": -1}"#, "number of seconds"),
            (r#"{"cron": "0 3 * *"}"#, "five fields"),
            (
                r#"{"cron": "0 3 * * *", "zone": "Nowhere"}"#,
                "no time zone",
            ),
            (r#"{"every": 60, "name": " "}"#, "1 to 100 characters"),
            (r#"{"every": 60, "name": "a\u001b"}"#, "controls a terminal"),
        ] {
            let error = written(wrong).unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
        assert!(matches!(
            written(r#"{"at": "2999-01-01T00:00", "zone": "UTC"}"#),
            Ok(When::At(Timestamp(32_472_144_000_000)))
        ));
        assert!(matches!(
            written(r#"{"every": 86400}"#),
            Ok(When::Recurring { name: None, .. })
        ));
    }
}
