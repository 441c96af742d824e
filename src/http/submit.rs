//! A new text: as JSON with its words or its file, or as the bytes of a file.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;
use smol::future::FutureExt;

use super::answer::{Answer, Fault, json};
use super::body;
use super::query::decoded;
use super::routes::Head;
use super::server::Shared;
use crate::model::{GroupId, Limits, Priority, TaskId};
use crate::narrate::NewText;
use crate::service::{Refusal, RequestKey, Submitted, Terms};

/// The header with the file's name, percent-encoded.
const NAME: &str = "x-aloud-name";
/// The header with what makes a request that comes twice one.
const KEY: &str = "idempotency-key";
/// The longest of its values.
const LONGEST_KEY: usize = 255;
/// The longest that a request may wait for the end of its task.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A text as JSON. What is not said is as the settings have it.
#[derive(Deserialize)]
struct Wanted {
    text: Option<String>,
    file: Option<PathBuf>,
    out: Option<PathBuf>,
    #[serde(flatten)]
    how: How,
}

/// How it is narrated, and when.
#[derive(Default, Deserialize)]
struct How {
    voice: Option<String>,
    speed: Option<f32>,
    speaker: Option<u32>,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    limits: Limits,
    group: Option<GroupId>,
    #[serde(default)]
    after: Vec<TaskId>,
    #[serde(default)]
    paused: bool,
    /// Seconds, like the next one.
    timeout: Option<f64>,
    delay: Option<f64>,
}

impl How {
    /// When it runs.
    fn terms(&self, key: Option<RequestKey>) -> Result<Terms, Fault> {
        Ok(Terms {
            key,
            group: self.group.clone(),
            after: self.after.clone(),
            paused: self.paused,
            timeout: self.timeout.map(some_time).transpose()?,
            delay: self.delay.map(|time| seconds(time, "delay")).transpose()?,
        })
    }
}

pub(super) async fn submit(
    shared: &Rc<Shared>,
    head: Head,
    body: Incoming,
) -> Result<Answer, Fault> {
    let wait = wait(&head)?;
    let key = key(&head)?;
    let submitted = match &*body::media_type(&head.headers) {
        "application/json" => {
            let bytes = body::bytes(body, body::JSON_BYTES).await?;
            let key = key.map(|key| RequestKey::new(&key, &[&bytes]));
            let wanted: Option<Wanted> = body::parse(&bytes)?;
            let wanted = wanted.ok_or_else(|| Fault::malformed("the body is empty"))?;
            let text = wanted_text(&head, wanted.text, wanted.file)?;
            let out = wanted
                .out
                .map(|out| named_path(&head, out, "out"))
                .transpose()?;
            add(shared, &head, (text, out), wanted.how, key).await?
        }
        "application/octet-stream" | "text/plain" => {
            let name = name(&head)?;
            let how = how(&head)?;
            let out = head.query.get("out");
            let out = out
                .map(|out| named_path(&head, out.into(), "out"))
                .transpose()?;
            let _turn = shared.uploads.acquire().await;
            let bytes = body::bytes(body, shared.options.text_bytes).await?;
            let query = format!("{:?}", head.query);
            let key =
                key.map(|key| RequestKey::new(&key, &[query.as_bytes(), name.as_bytes(), &bytes]));
            let text = NewText::Bytes { name, bytes };
            add(shared, &head, (text, out), how, key).await?
        }
        _ => {
            return Err(Fault::wrong_type(
                "application/json, application/octet-stream or text/plain",
            ));
        }
    };
    let Submitted { id, continued } = submitted;
    let mut answer = json!({ "task_id": id, "continued": continued });
    let Some(wait) = wait else {
        return Ok(json(StatusCode::ACCEPTED, &answer));
    };
    let has_ended = ended(shared, &id, wait).await;
    answer["task"] = json!(shared.service.task(&id).ok());
    let status = if has_ended {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(json(status, &answer))
}

/// Waits for the end of a task, for so long, and says whether it has come.
async fn ended(shared: &Shared, id: &TaskId, wait: Duration) -> bool {
    let woken = shared.hub.wakes();
    let until = Instant::now() + wait;
    loop {
        match shared.service.task(id) {
            Ok(task) if !task.state.is_terminal() => {}
            // One that has left the queue has ended.
            _ => return true,
        }
        let late = async {
            smol::Timer::at(until).await;
            true
        };
        let woken = async { woken.recv().await.is_err() };
        if shared.hub.has_ended() || woken.or(late).await {
            return false;
        }
    }
}

/// How long the answer is to wait for the end; `None` not at all.
fn wait(head: &Head) -> Result<Option<Duration>, Fault> {
    let wait = head.query.value("wait")?;
    let wait = wait.map(|time| seconds(time, "wait")).transpose()?;
    Ok(wait.map(|wait| wait.min(LONGEST_WAIT)))
}

fn seconds(number: f64, field: &str) -> Result<Duration, Fault> {
    Duration::try_from_secs_f64(number).map_err(|_| {
        let message = format!("`{field}` must be a number of seconds, 0 or more, not {number}");
        Refusal::invalid(message).into()
    })
}

fn some_time(number: f64) -> Result<Duration, Fault> {
    let time = seconds(number, "timeout")?;
    if time.is_zero() {
        return Err(Refusal::invalid("`timeout` must be more than 0 seconds").into());
    }
    Ok(time)
}

fn key(head: &Head) -> Result<Option<String>, Fault> {
    let Some(key) = head.headers.get(KEY) else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let message = format!("{KEY} must be 1 to {LONGEST_KEY} characters of ASCII");
        return Err(Fault::malformed(message));
    }
    Ok(Some(key.to_owned()))
}

fn wanted_text(head: &Head, text: Option<String>, file: Option<PathBuf>) -> Result<NewText, Fault> {
    match (text, file) {
        (Some(text), None) => Ok(NewText::Typed(text)),
        (None, Some(file)) => Ok(NewText::File(named_path(head, file, "file")?)),
        _ => {
            let message = "what is to be narrated is either `text` or `file`: name one of them";
            Err(Refusal::invalid(message).into())
        }
    }
}

/// A path from the wire: whoever may name one at all. The server's own folder means nothing to them.
fn named_path(head: &Head, path: PathBuf, field: &str) -> Result<PathBuf, Fault> {
    if !head.visitor.names_paths {
        let message = format!(
            "`{field}` is a path of this machine, which only programs of its user may name, over the socket: \
             send a text as its bytes"
        );
        return Err(Fault::no_paths(message));
    }
    if path.is_absolute() {
        return Ok(path);
    }
    let message = format!("`{field}` must be an absolute path, not {}", path.display());
    Err(Refusal::invalid(message).into())
}

/// A voice may be meant by its file as well.
fn named_voice(head: &Head, voice: String, usual: &str) -> Result<String, Fault> {
    let file = voice.to_lowercase();
    let is_path = file.contains(['/', '\\', '~']) || file.trim().ends_with(".onnx");
    if is_path && voice != usual && !head.visitor.names_paths {
        let message = "a voice is called by its name here: only programs of this machine's user may name its \
                       file, over the socket";
        return Err(Fault::no_paths(message));
    }
    Ok(voice)
}

fn name(head: &Head) -> Result<String, Fault> {
    let name = match head.headers.get(NAME) {
        None => "text.txt".to_owned(),
        Some(name) => match name.to_str() {
            Ok(name) => decoded(name)?,
            Err(_) => return Err(Fault::malformed(format!("{NAME} must be percent-encoded"))),
        },
    };
    if Path::new(&name).file_name().is_none() {
        let message = format!("{NAME} is no name of a file: `{name}`");
        return Err(Refusal::invalid(message).into());
    }
    Ok(name)
}

/// As the query has it, for the body is the text.
fn how(head: &Head) -> Result<How, Fault> {
    let query = &head.query;
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
    Ok(How {
        voice: query.get("voice").map(Into::into),
        speed: query.value("speed")?,
        speaker: query.value("speaker")?,
        priority: priority.transpose()?.unwrap_or_default(),
        limits: limits(head)?,
        group: query.get("group").map(Into::into),
        after: after.map(Into::into).collect(),
        paused: query.value("paused")?.unwrap_or_default(),
        timeout: query.value("timeout")?,
        delay: query.value("delay")?,
    })
}

fn limits(head: &Head) -> Result<Limits, Fault> {
    Ok(Limits {
        memory_bytes: head.query.value("memory_bytes")?,
        cpu_seconds: head.query.value("cpu_seconds")?,
        niceness: head.query.value("niceness")?,
        cores: head.query.value("cores")?,
    })
}

async fn add(
    shared: &Shared,
    head: &Head,
    (text, out): (NewText, Option<PathBuf>),
    how: How,
    key: Option<RequestKey>,
) -> Result<Submitted, Fault> {
    let terms = how.terms(key)?;
    let usual = shared.service.narration_defaults()?;
    let voice = how
        .voice
        .map(|voice| named_voice(head, voice, &usual.voice));
    let voice = voice.transpose()?;
    let mut new = usual.narrate(text);
    new.voice = voice.unwrap_or(new.voice);
    new.speed = how.speed.unwrap_or(new.speed);
    new.speaker = how.speaker.or(new.speaker);
    new.priority = how.priority;
    new.limits = how.limits;
    let add =
        move |service: &dyn crate::service::Host| service.add_on(&new, out.as_deref(), &terms);
    Ok(shared.ask(add).await?)
}
