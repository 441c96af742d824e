//! A new text: as JSON with its words or its file, or as the bytes of a file.

use std::path::{Path, PathBuf};

use hyper::StatusCode;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Fault, json};
use super::body;
use super::query::decoded;
use super::routes::Head;
use super::server::Shared;
use crate::model::{Limits, Priority};
use crate::narrate::NewText;
use crate::service::Refusal;

/// The header with the file's name, percent-encoded.
const NAME: &str = "x-aloud-name";

/// A text as JSON. What is not said is as the settings have it.
#[derive(Deserialize)]
struct Wanted {
    text: Option<String>,
    file: Option<PathBuf>,
    out: Option<PathBuf>,
    #[serde(flatten)]
    how: How,
}

/// How it is narrated.
#[derive(Default, Deserialize)]
struct How {
    voice: Option<String>,
    speed: Option<f32>,
    speaker: Option<u32>,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    limits: Limits,
}

pub(super) async fn submit(shared: &Shared, head: Head, body: Incoming) -> Result<Answer, Fault> {
    match &*body::media_type(&head.headers) {
        "application/json" => {
            let wanted: Option<Wanted> = body::json(&head.headers, body).await?;
            let wanted = wanted.ok_or_else(|| Fault::malformed("the body is empty"))?;
            let text = wanted_text(wanted.text, wanted.file)?;
            let out = wanted.out.map(|out| absolute(out, "out")).transpose()?;
            add(shared, text, wanted.how, out).await
        }
        "application/octet-stream" | "text/plain" => {
            let name = name(&head)?;
            let how = how(&head)?;
            let out = head.query.get("out").map(|out| absolute(out.into(), "out"));
            let out = out.transpose()?;
            let _turn = shared.uploads.acquire().await;
            let bytes = body::bytes(body, shared.options.text_bytes).await?;
            add(shared, NewText::Bytes { name, bytes }, how, out).await
        }
        _ => Err(Fault::wrong_type(
            "application/json, application/octet-stream or text/plain",
        )),
    }
}

fn wanted_text(text: Option<String>, file: Option<PathBuf>) -> Result<NewText, Fault> {
    match (text, file) {
        (Some(text), None) => Ok(NewText::Typed(text)),
        (None, Some(file)) => Ok(NewText::File(absolute(file, "file")?)),
        _ => {
            let message = "what is to be narrated is either `text` or `file`: name one of them";
            Err(Refusal::invalid(message).into())
        }
    }
}

/// The server's own folder means nothing to whoever asks.
fn absolute(path: PathBuf, field: &str) -> Result<PathBuf, Fault> {
    if path.is_absolute() {
        return Ok(path);
    }
    let message = format!("`{field}` must be an absolute path, not {}", path.display());
    Err(Refusal::invalid(message).into())
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
    Ok(How {
        voice: query.get("voice").map(Into::into),
        speed: query.value("speed")?,
        speaker: query.value("speaker")?,
        priority: priority.transpose()?.unwrap_or_default(),
        limits: limits(head)?,
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
    text: NewText,
    how: How,
    out: Option<PathBuf>,
) -> Result<Answer, Fault> {
    let mut new = shared.service.narration_defaults()?.narrate(text);
    new.voice = how.voice.unwrap_or(new.voice);
    new.speed = how.speed.unwrap_or(new.speed);
    new.speaker = how.speaker.or(new.speaker);
    new.priority = how.priority;
    new.limits = how.limits;
    let added = shared
        .ask(move |service| service.add(&new, out.as_deref()))
        .await?;
    let answer = json!({ "task_id": added.id, "continued": added.continued });
    Ok(json(StatusCode::ACCEPTED, &answer))
}
