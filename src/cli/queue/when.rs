//! Times as a person types and reads them: `03:00`, `+2h`, `1d`, `0 3 * * *`. By the clock and the zone of
//! this machine; pure functions of what the clock shows.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, ToSpan, Zoned};

use crate::model::Timestamp;
use crate::service::{Refusal, WrittenSchedule, moment, to_come};

/// The moment that is meant, which is to come.
///
/// # Errors
/// [`Refusal`]: it is no time, or it has passed.
pub(super) fn at(text: &str, now: &Zoned) -> Result<Timestamp, Refusal> {
    let text = text.trim();
    let after = text.strip_prefix('+').or_else(|| text.strip_prefix("in "));
    let meant = match after {
        Some(after) => duration(after).and_then(|after| Some(stamp(&now.checked_add(after).ok()?))),
        None => clock(text, now).or_else(|| moment(text, Some(now.time_zone()))),
    };
    let Some(meant) = meant else {
        return Err(Refusal::invalid(format!(
            "{text:.100} is no time: write 03:00, 2026-12-01T03:00 or +2h"
        )));
    };
    to_come(meant, stamp(now))
}

/// The next time that clocks show this.
fn clock(text: &str, now: &Zoned) -> Option<Timestamp> {
    // A whole date has a time in it, too.
    if text.len() > "03:00:00".len() {
        return None;
    }
    let time: Time = text.parse().ok()?;
    let shown = |day: &Zoned| {
        day.date()
            .to_datetime(time)
            .to_zoned(now.time_zone().clone())
    };
    let today = shown(now).ok()?;
    let next = if today.timestamp() > now.timestamp() {
        today
    } else {
        shown(&now.checked_add(1.day()).ok()?).ok()?
    };
    Some(stamp(&next))
}

/// When something recurs: an interval, or a cron expression of this machine's zone.
///
/// # Errors
/// [`Refusal`]: it is neither. Whether it can be, whoever takes it says.
pub(super) fn every(text: &str, name: Option<&str>) -> Result<WrittenSchedule, Refusal> {
    let text = text.trim();
    let name = name.map(str::to_owned);
    if text.starts_with('@') || text.split_whitespace().count() == 5 {
        return Ok(WrittenSchedule {
            cron: Some(text.to_owned()),
            zone: TimeZone::system().iana_name().map(str::to_owned),
            name,
            ..WrittenSchedule::default()
        });
    }
    let Some(interval) = duration(text) else {
        return Err(Refusal::invalid(format!(
            "{text:.100} is neither an interval nor a cron expression: write 1d, 6h or \"0 3 * * *\""
        )));
    };
    Ok(WrittenSchedule {
        every: Some(interval.as_secs_f64()),
        name,
        ..WrittenSchedule::default()
    })
}

/// `2h`, `1 day`, `1h30m`.
fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    let days = SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).ok()?;
    duration.is_positive().then_some(duration)
}

fn stamp(at: &Zoned) -> Timestamp {
    Timestamp(at.timestamp().as_millisecond())
}

/// A moment as a clock shows it: `at 03:00`, `tomorrow at 03:00`, `on 2026-12-01 at 03:00`.
pub(super) fn shown(at: Timestamp, now: &Zoned) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let then = moment.to_zoned(now.time_zone().clone());
    let clock = then.strftime("%H:%M");
    let tomorrow = now.date().tomorrow().ok();
    match then.date() {
        day if day == now.date() => format!("at {clock}"),
        day if Some(day) == tomorrow => format!("tomorrow at {clock}"),
        day => format!("on {day} at {clock}"),
    }
}

/// When something recurs, in words with a fitting unit: `every 86400 s` is `every 1 d`, and a cron expression
/// stands in quotes.
pub(super) fn in_words(recurrence: &str) -> String {
    let seconds = recurrence.strip_prefix("every ");
    let seconds = seconds.and_then(|rest| rest.strip_suffix(" s")?.parse::<u64>().ok());
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let fits = |seconds: u64| {
        units
            .into_iter()
            .find(|(unit, _)| seconds.is_multiple_of(*unit))
    };
    match seconds.and_then(|seconds| Some((seconds, fits(seconds)?))) {
        Some((seconds, (unit, word))) => format!("every {} {word}", seconds / unit),
        None => match recurrence.split_once(" in ") {
            Some((cron, zone)) => format!("by \"{cron}\" in {zone}"),
            None => recurrence.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-27T22:30:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn a_time_is_the_next_one_that_clocks_show_or_a_whole_one() {
        for (text, expected) in [
            ("23:15", "2026-11-27T23:15:00+01:00"),
            ("03:00", "2026-11-28T03:00:00+01:00"),
            ("22:30", "2026-11-28T22:30:00+01:00"),
            ("2026-12-01T03:00", "2026-12-01T03:00:00+01:00"),
            ("2026-12-01 03:00", "2026-12-01T03:00:00+01:00"),
            ("2026-12-01T03:00Z", "2026-12-01T04:00:00+01:00"),
            ("+2h", "2026-11-28T00:30:00+01:00"),
            ("in 90 minutes", "2026-11-28T00:00:00+01:00"),
            ("+1d", "2026-11-28T22:30:00+01:00"),
        ] {
            let at = at(text, &now()).unwrap();
            let expected = expected.parse::<jiff::Timestamp>().unwrap();
            assert_eq!(at.0, expected.as_millisecond(), "{text}");
        }
        // The hour that is missing when clocks are set forward ends at three.
        let night = "2026-03-28T22:00:00+01:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(at("02:30", &night).unwrap().0, 1_774_747_800_000);
        for (wrong, part) in [
            ("2026-11-27T22:29", "has passed"),
            ("tomorrow", "is no time"),
            ("25:00", "is no time"),
            ("+soon", "is no time"),
            ("+-2h", "is no time"),
            ("", "is no time"),
        ] {
            let error = at(wrong, &now()).unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    #[test]
    fn an_interval_is_told_from_a_cron_expression() {
        let interval = |text| every(text, None).unwrap().every;
        assert_eq!(interval("1d"), Some(86_400.0));
        assert_eq!(interval("1h 30m"), Some(5400.0));
        assert_eq!(interval("90 seconds"), Some(90.0));
        let cron = every("0 3 * * *", Some("news")).unwrap();
        assert_eq!(cron.cron.as_deref(), Some("0 3 * * *"));
        assert_eq!(cron.name.as_deref(), Some("news"));
        assert!(every("@daily", None).unwrap().cron.is_some());
        for wrong in ["often", "3", "-1d", "1 month"] {
            let error = every(wrong, None).unwrap_err().to_string();
            assert!(error.contains("neither an interval nor"), "{wrong}");
        }
    }

    #[test]
    fn moments_and_intervals_are_told_in_short() {
        let told = |text: &str| shown(at(text, &now()).unwrap(), &now());
        assert_eq!(told("23:15"), "at 23:15");
        assert_eq!(told("03:00"), "tomorrow at 03:00");
        assert_eq!(told("2026-12-01T03:00"), "on 2026-12-01 at 03:00");
        assert_eq!(in_words("every 86400 s"), "every 1 d");
        assert_eq!(in_words("every 5400 s"), "every 90 min");
        assert_eq!(in_words("every 1.5 s"), "every 1.5 s");
        assert_eq!(in_words("@daily in UTC"), "by \"@daily\" in UTC");
    }
}
