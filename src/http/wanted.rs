//! What a request for something new says: read and bounded, and not yet allowed.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Fault;
use super::body;
use super::routes::Head;
use crate::model::{GroupId, Limits, Priority, TaskId};
use crate::narrate::{OtherVoices, Speaker};
use crate::service::{
    NARRATE, NarrationOrder, PublicCall, Recurring, Refusal, Terms, When, WrittenSchedule,
};
use crate::text::FormatName;

/// The most bytes of what an operation is given, and of what recurs.
const PARAMETER_BYTES: usize = 32 * 1024;
/// The most bytes of a context: it is told with its task each time.
const CONTEXT_BYTES: usize = 8 * 1024;
/// What comes later than this is a mistake.
const LONGEST_DELAY: Duration = Duration::from_secs(3650 * 24 * 3600);
/// How deep lists and objects may lie within each other.
const DEPTH: usize = 32;

/// A request as JSON: a text, or an operation by its name. What is not said is as the settings have it.
#[derive(Deserialize)]
pub(super) struct Wanted {
    operation: Option<String>,
    parameters: Option<Value>,
    context: Option<Value>,
    schedule: Option<WrittenSchedule>,
    #[serde(flatten)]
    narration: Narration,
    #[serde(flatten)]
    timing: Timing,
}

/// What is narrated, and how.
#[derive(Default, Deserialize)]
struct Narration {
    text: Option<String>,
    file: Option<PathBuf>,
    #[serde(rename = "as")]
    written_as: Option<FormatName>,
    out: Option<PathBuf>,
    voice: Option<String>,
    speed: Option<f32>,
    speaker: Option<Speaker>,
    #[serde(flatten)]
    others: OtherVoices,
    priority: Option<Priority>,
    limits: Option<Limits>,
}

/// When something runs.
#[derive(Default, Deserialize)]
struct Timing {
    group: Option<GroupId>,
    #[serde(default)]
    after: Vec<TaskId>,
    #[serde(default)]
    paused: bool,
    /// Seconds, like the next one.
    timeout: Option<f64>,
    delay: Option<f64>,
}

impl Narration {
    fn order(self) -> NarrationOrder {
        NarrationOrder {
            text: self.text,
            file: self.file,
            written_as: self.written_as,
            out: self.out,
            voice: self.voice,
            speed: self.speed,
            speaker: self.speaker,
            others: self.others,
            priority: self.priority,
            limits: self.limits.unwrap_or_default(),
        }
    }

    /// What of it is said, but for the priority: in vain, beside an operation.
    fn said(&self) -> Option<&'static str> {
        let said = [
            ("text", self.text.is_some()),
            ("file", self.file.is_some()),
            ("as", self.written_as.is_some()),
            ("out", self.out.is_some()),
            ("voice", self.voice.is_some()),
            ("speed", self.speed.is_some()),
            ("speaker", self.speaker.is_some()),
            ("dialogue_voice", self.others.dialogue_voice.is_some()),
            ("chapter_voices", self.others.chapter_voices.is_some()),
            ("limits", self.limits.is_some()),
        ];
        said.into_iter()
            .find(|(_, said)| *said)
            .map(|(name, _)| name)
    }
}

impl Timing {
    fn terms(self, context: Option<Value>) -> Result<Terms, Fault> {
        Ok(Terms {
            group: self.group,
            after: self.after,
            paused: self.paused,
            timeout: self.timeout.map(some_time).transpose()?,
            delay: self.delay.map(some_delay).transpose()?,
            context,
            ..Terms::default()
        })
    }
}

/// What a text may say of itself.
const OF_TEXT: [&str; 11] = [
    "text",
    "file",
    "as",
    "out",
    "voice",
    "speed",
    "speaker",
    "dialogue_voice",
    "chapter_voices",
    "priority",
    "limits",
];
/// What any request may say beside that.
const OF_ANY: [&str; 9] = [
    "operation",
    "parameters",
    "context",
    "schedule",
    "group",
    "after",
    "paused",
    "timeout",
    "delay",
];

/// A field that nobody knows may be a misspelt `schedule`: what was asked for would begin at once.
fn all_known<'a>(
    fields: impl IntoIterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), Fault> {
    let mut fields = fields.into_iter();
    match fields.find(|field| !known.contains(&field.as_str())) {
        Some(field) => {
            let known = known.join("`, `");
            let message = format!("there is no field `{field:.100}`; those there are: `{known}`");
            Err(invalid(message))
        }
        None => Ok(()),
    }
}

impl Wanted {
    /// A request of these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let wanted: Option<Self> = body::parse(bytes)?;
        let wanted = wanted.ok_or_else(|| Fault::malformed("the body is empty"))?;
        let fields: Option<Map<String, Value>> = body::parse(bytes)?;
        all_known(
            fields.iter().flatten().map(|(name, _)| name),
            &[&OF_ANY[..], &OF_TEXT].concat(),
        )?;
        Ok(wanted)
    }

    /// What is to be done, when, and under which terms.
    pub(super) fn read(self) -> Result<(Recurring, Option<When>, Terms), Fault> {
        if let Some(context) = &self.context {
            bounded(context, "context", CONTEXT_BYTES)?;
        }
        let when = self
            .schedule
            .as_ref()
            .map(WrittenSchedule::read)
            .transpose()?;
        let terms = self.timing.terms(self.context)?;
        if when.is_some() && terms.delay.is_some() {
            return Err(invalid("give either `delay` or `schedule`"));
        }
        let what = what(self.operation, self.parameters, self.narration)?;
        if let (Some(When::Recurring { .. }), Recurring::Narration(order)) = (&when, &what) {
            bounded(&json!(order), "text", PARAMETER_BYTES)?;
        }
        Ok((what, when, terms))
    }
}

/// A text, or an operation.
fn what(
    operation: Option<String>,
    parameters: Option<Value>,
    narration: Narration,
) -> Result<Recurring, Fault> {
    let Some(operation) = operation else {
        if parameters.is_some() {
            return Err(invalid(
                "`parameters` are those of an `operation`: name one",
            ));
        }
        return Ok(Recurring::Narration(narration.order()));
    };
    if let Some(field) = narration.said() {
        return Err(invalid(format!(
            "beside an `operation`, `{field}` belongs into its `parameters`"
        )));
    }
    let parameters = parameters.unwrap_or_else(|| json!({}));
    if !parameters.is_object() {
        return Err(invalid("`parameters` must be an object"));
    }
    if operation == NARRATE {
        let fields = parameters.as_object().into_iter().flatten();
        all_known(fields.map(|(name, _)| name), &OF_TEXT)?;
        let given: Narration = serde_json::from_value(parameters)
            .map_err(|error| invalid(format!("`parameters` can't be narrated: {error}")))?;
        let order = given.order();
        return Ok(Recurring::Narration(NarrationOrder {
            priority: order.priority.or(narration.priority),
            ..order
        }));
    }
    bounded(&parameters, "parameters", PARAMETER_BYTES)?;
    Ok(Recurring::Operation(PublicCall {
        operation,
        parameters,
        priority: narration.priority.unwrap_or_default(),
    }))
}

/// How a text is narrated, and when, as the query has it, for the body is the text.
pub(super) fn of_query(head: &Head) -> Result<(NarrationOrder, Terms), Fault> {
    let query = &head.query;
    for recurring in ["every", "cron", "schedule"] {
        if query.get(recurring).is_some() {
            return Err(invalid(format!(
                "`{recurring}` is for requests in JSON: a text that is sent as its bytes is narrated once"
            )));
        }
    }
    let priority = query.get("priority").map(|word| {
        let known = Priority::ALL.into_iter();
        let mut known = known.filter(|known| json!(known) == word);
        let message = format!("`{word}` is no value for `priority`");
        known.next().ok_or_else(|| Fault::malformed(message))
    });
    let after = query
        .get("after")
        .into_iter()
        .flat_map(|ids| ids.split(','));
    let order = NarrationOrder {
        text: None,
        file: None,
        written_as: query.value("as")?,
        out: query.get("out").map(Into::into),
        voice: query.get("voice").map(Into::into),
        speed: query.value("speed")?,
        speaker: query.value("speaker")?,
        others: OtherVoices {
            dialogue_voice: query.get("dialogue_voice").map(Into::into),
            chapter_voices: query.value("chapter_voices")?,
        },
        priority: priority.transpose()?,
        limits: limits(head)?,
    };
    let timing = Timing {
        group: query.get("group").map(Into::into),
        after: after.map(Into::into).collect(),
        paused: query.value("paused")?.unwrap_or_default(),
        timeout: query.value("timeout")?,
        delay: query.value("delay")?,
    };
    let mut terms = timing.terms(None)?;
    if let Some(at) = query.get("at") {
        if terms.delay.is_some() {
            return Err(invalid("give either `delay` or `at`"));
        }
        let written = WrittenSchedule {
            at: Some(at.to_owned()),
            zone: query.get("zone").map(Into::into),
            ..WrittenSchedule::default()
        };
        if let When::At(at) = written.read()? {
            terms.at = Some(at);
        }
    }
    Ok((order, terms))
}

fn limits(head: &Head) -> Result<Limits, Fault> {
    Ok(Limits {
        memory_bytes: head.query.value("memory_bytes")?,
        cpu_seconds: head.query.value("cpu_seconds")?,
        niceness: head.query.value("niceness")?,
        cores: head.query.value("cores")?,
    })
}

pub(super) fn seconds(number: f64, field: &str) -> Result<Duration, Fault> {
    Duration::try_from_secs_f64(number).map_err(|_| {
        invalid(format!(
            "`{field}` must be a number of seconds, 0 or more, not {number}"
        ))
    })
}

fn some_delay(number: f64) -> Result<Duration, Fault> {
    let delay = seconds(number, "delay")?;
    if delay > LONGEST_DELAY {
        return Err(invalid("`delay` must be ten years at most"));
    }
    Ok(delay)
}

fn some_time(number: f64) -> Result<Duration, Fault> {
    let time = seconds(number, "timeout")?;
    if time.is_zero() {
        return Err(invalid("`timeout` must be more than 0 seconds"));
    }
    Ok(time)
}

fn invalid(message: impl Into<String>) -> Fault {
    Refusal::invalid(message).into()
}

/// JSON from elsewhere that is kept for long.
fn bounded(value: &Value, field: &str, most: usize) -> Result<(), Fault> {
    if depth(value) > DEPTH {
        return Err(invalid(format!(
            "`{field}` is nested deeper than {DEPTH} levels"
        )));
    }
    if value.to_string().len() > most {
        return Err(invalid(format!("`{field}` is longer than {most} bytes")));
    }
    Ok(())
}

/// How deep lists and objects lie within each other; the parser has bounded it.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
