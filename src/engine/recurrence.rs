//! When a recurring task is due: by a cron expression in a time zone, or at an interval. A pure function
//! of the time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// When a task recurs: by a cron expression in a time zone, or at an interval.
///
/// A time that does not exist, because clocks are set forward, comes at the end of the gap; one that
/// exists twice comes once, unless the expression has `*` or a step for its minute or hour.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Recurrence, RecurrenceError};
///
/// let nightly = Recurrence::cron("30 2 * * *", "Europe/Berlin")?;
/// assert_eq!(nightly.to_string(), "30 2 * * * in Europe/Berlin");
/// let often = Recurrence::every(Duration::from_secs(90))?;
/// assert_eq!(often.to_string(), "every 90 s");
/// // Half past two, the day before clocks are set forward, and the hour that is missing then.
/// let before = "2026-03-28T01:30:00Z".parse::<jiff::Timestamp>()?;
/// let next = nightly.next_after(aloud::engine::Timestamp(before.as_millisecond())).unwrap();
/// assert_eq!(jiff::Timestamp::from_millisecond(next.0)?.to_string(), "2026-03-29T01:00:00Z");
/// assert!(matches!(Recurrence::cron("30 2 * *", "UTC"), Err(RecurrenceError::Expression { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Recurrence(Arc<Rule>);

#[derive(Debug, PartialEq)]
enum Rule {
    Cron {
        expression: String,
        zone: String,
        parsed: Box<(Cron, TimeZone)>,
    },
    Every(Duration),
}

/// A recurrence as it is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Cron { expression: String, zone: String },
    EveryMs(u64),
}

/// Why something is no recurrence.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Recurrence, RecurrenceError};
///
/// let zone = Recurrence::cron("@daily", "Europe/Nowhere").unwrap_err();
/// assert!(matches!(&zone, RecurrenceError::Zone { .. }));
/// assert!(zone.to_string().contains("no time zone Europe/Nowhere"));
/// let never = Recurrence::cron("0 0 30 2 *", "UTC").unwrap_err();
/// assert!(matches!(never, RecurrenceError::Never(_)));
/// let interval = Recurrence::every(Duration::from_millis(3)).unwrap_err();
/// assert_eq!(interval, RecurrenceError::Interval(Duration::from_millis(3)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecurrenceError {
    /// It is no cron expression.
    #[error(
        "{expression} is no cron expression: {reason}; it has five fields: minute, hour, day of the \
         month, month, day of the week"
    )]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The time zone is not known here.
    #[error(
        "there is no time zone {zone} here: {reason}; give a name of the IANA database, such as \
         Europe/Berlin or UTC"
    )]
    Zone {
        /// What was given.
        zone: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such day.
    #[error("{0} never comes: there is no such day")]
    Never(String),
    /// The interval is too short or too long.
    #[error("a task can't recur every {0:?}: an interval lasts from a second to ten years")]
    Interval(Duration),
}

impl Recurrence {
    /// The shortest interval: what recurs more often is a loop inside one task.
    const SHORTEST: Duration = Duration::from_secs(1);
    /// The longest.
    const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

    /// By a cron expression of five fields (minute, hour, day of the month, month, day of the week), or
    /// a word such as `@daily`, in a time zone of the IANA database.
    ///
    /// # Errors
    /// [`RecurrenceError`]: the expression or the zone is none, or the expression has no day.
    pub fn cron(expression: &str, zone: &str) -> Result<Self, RecurrenceError> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(expression)
            .map_err(|error| RecurrenceError::Expression {
                expression: expression.to_owned(),
                reason: error.to_string(),
            })?;
        let time_zone = TimeZone::get(zone).map_err(|error| RecurrenceError::Zone {
            zone: zone.to_owned(),
            reason: error.to_string(),
        })?;
        let rule = Self(Arc::new(Rule::Cron {
            expression: expression.to_owned(),
            zone: zone.to_owned(),
            parsed: Box::new((cron, time_zone)),
        }));
        // The first day of this century: what has no day then never has one.
        match rule.next_after(Timestamp(946_684_800_000)) {
            Some(_) => Ok(rule),
            None => Err(RecurrenceError::Never(expression.to_owned())),
        }
    }

    /// Each time that this much, in whole milliseconds, has passed since the last one was due.
    ///
    /// # Errors
    /// [`RecurrenceError::Interval`] below a second or beyond ten years.
    pub fn every(interval: Duration) -> Result<Self, RecurrenceError> {
        if (Self::SHORTEST..=Self::LONGEST).contains(&interval) {
            let whole =
                Duration::from_millis(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
            Ok(Self(Arc::new(Rule::Every(whole))))
        } else {
            Err(RecurrenceError::Interval(interval))
        }
    }

    /// When it is due next after this moment; `None` if a cron expression has no more days.
    #[must_use]
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        match &*self.0 {
            Rule::Every(interval) => Some(Timestamp(at.0.saturating_add(millis(*interval)))),
            Rule::Cron { parsed, .. } => {
                let (cron, zone) = &**parsed;
                let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
                let next = cron.find_next_occurrence(&at.to_zoned(zone.clone()), false);
                Some(Timestamp(next.ok()?.timestamp().as_millisecond()))
            }
        }
    }

    /// When it is due next, of one that was due at `due` while it is `now`: the next time of its own beat
    /// that is yet to come. What was missed in between is passed over.
    pub(crate) fn next_of_beat(&self, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match &*self.0 {
            Rule::Every(interval) if due <= now => {
                let interval = millis(*interval);
                let beats = now.0.saturating_sub(due.0) / interval + 1;
                Some(Timestamp(
                    due.0.saturating_add(beats.saturating_mul(interval)),
                ))
            }
            _ => self.next_after(now.max(due)),
        }
    }

    /// The interval, of one that has one.
    pub(crate) fn interval(&self) -> Option<Duration> {
        match &*self.0 {
            Rule::Every(interval) => Some(*interval),
            Rule::Cron { .. } => None,
        }
    }
}

fn millis(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Rule::Cron {
                expression, zone, ..
            } => write!(f, "{expression} in {zone}"),
            Rule::Every(interval) => write!(f, "every {} s", interval.as_secs_f64()),
        }
    }
}

impl fmt::Debug for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recurrence({self})")
    }
}

impl TryFrom<Written> for Recurrence {
    type Error = RecurrenceError;

    fn try_from(written: Written) -> Result<Self, RecurrenceError> {
        match written {
            Written::Cron { expression, zone } => Self::cron(&expression, &zone),
            Written::EveryMs(interval) => Self::every(Duration::from_millis(interval)),
        }
    }
}

impl From<Recurrence> for Written {
    fn from(recurrence: Recurrence) -> Self {
        match &*recurrence.0 {
            Rule::Cron {
                expression, zone, ..
            } => Self::Cron {
                expression: expression.clone(),
                zone: zone.clone(),
            },
            Rule::Every(interval) => {
                Self::EveryMs(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        Timestamp(time.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn times(recurrence: &Recurrence, from: &str, count: usize) -> Vec<String> {
        let next = |at: &Timestamp| recurrence.next_after(*at);
        std::iter::successors(next(&at(from)), next)
            .take(count)
            .map(|at| jiff::Timestamp::from_millisecond(at.0).unwrap().to_string())
            .collect()
    }

    #[test]
    fn a_night_of_changing_clocks_has_one_run() {
        let nightly = Recurrence::cron("30 2 * * *", "Europe/Berlin").unwrap();
        assert_eq!(
            times(&nightly, "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
            "at the end of the hour that is missing"
        );
        assert_eq!(
            times(&nightly, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
            "in the first of two hours"
        );
        let hourly = Recurrence::cron("30 * * * *", "Europe/Berlin").unwrap();
        assert_eq!(
            times(&hourly, "2026-10-25T00:00:00Z", 3),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:30:00Z"
            ],
            "hours pass as always"
        );
    }

    #[test]
    fn what_was_missed_is_passed_over_and_the_beat_kept() {
        let every = Recurrence::every(Duration::from_secs(60)).unwrap();
        let (due, now) = (at("2026-01-01T00:00:10Z"), at("2026-01-01T08:30:40Z"));
        assert_eq!(
            every.next_of_beat(due, now),
            Some(at("2026-01-01T08:31:10Z"))
        );
        let daily = Recurrence::cron("@daily", "UTC").unwrap();
        let now = at("2026-01-09T08:00:00Z");
        assert_eq!(
            daily.next_of_beat(due, now),
            Some(at("2026-01-10T00:00:00Z"))
        );
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for recurrence in [
            Recurrence::cron("0 3 * * MON-FRI", "America/New_York").unwrap(),
            Recurrence::every(Duration::from_millis(1500)).unwrap(),
        ] {
            let stored = serde_json::to_string(&recurrence).unwrap();
            assert_eq!(
                serde_json::from_str::<Recurrence>(&stored).unwrap(),
                recurrence
            );
        }
        let foreign = r#"{"cron":{"expression":"99 * * * *","zone":"UTC"}}"#;
        assert!(serde_json::from_str::<Recurrence>(foreign).is_err());
    }
}
