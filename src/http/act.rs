//! What can be asked for under `/v1`: something with one task, with all, with the queue.

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::answer::{Answer, Fault, json, ok};
use super::body;
use super::server::Shared;
use crate::model::{SegmentId, TaskId};
use crate::service::{Action, Correction, TaskAction};
use crate::speech::Speaker;

/// What a retry may say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Retry {
    /// Those that are made again; empty for those that failed.
    segments: Vec<SegmentId>,
    /// The voice that is to speak all of it from now on.
    voice: Option<String>,
    /// Which of its speakers; its first one if none is named.
    speaker: Option<Speaker>,
}

pub(super) async fn retry(
    shared: &Shared,
    task: TaskId,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    let retry: Option<Retry> = body::json(headers, body).await?;
    let what = match retry.unwrap_or_default() {
        Retry {
            voice: Some(_),
            segments,
            ..
        } if !segments.is_empty() => {
            let message = "give either `segments` or `voice`: a voice speaks all of them";
            return Err(Fault::malformed(message));
        }
        Retry {
            voice: None,
            speaker: Some(_),
            ..
        } => {
            return Err(Fault::malformed(
                "give the `voice` that the `speaker` is of",
            ));
        }
        Retry {
            voice: Some(voice),
            speaker,
            ..
        } => TaskAction::Render(voice, speaker),
        Retry { segments, .. } => TaskAction::Retry(segments),
    };
    perform(shared, Action::Task { task, what }).await
}

pub(super) async fn correct(
    shared: &Shared,
    task: TaskId,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    let correction: Option<Correction> = body::json(headers, body).await?;
    let correction = correction.ok_or_else(|| Fault::malformed("give `word` and `said`"))?;
    let corrected = shared
        .ask(move |service| service.correct(&task, &correction))
        .await?;
    ok(&corrected)
}

/// Which come first.
#[derive(Deserialize)]
struct First {
    tasks: Vec<TaskId>,
}

pub(super) async fn first(
    shared: &Shared,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    let first: Option<First> = body::json(headers, body).await?;
    let named = first.ok_or_else(|| Fault::malformed("no task is named: give `tasks`"))?;
    perform(shared, Action::First { tasks: named.tasks }).await
}

pub(super) async fn act(
    shared: &Shared,
    action: Action,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    body::json::<IgnoredAny>(headers, body).await?;
    perform(shared, action).await
}

async fn perform(shared: &Shared, action: Action) -> Result<Answer, Fault> {
    let done = shared.ask(move |service| service.act(&action)).await?;
    ok(&done)
}

pub(super) async fn remove_schedule(
    shared: &Shared,
    name: String,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    body::json::<IgnoredAny>(headers, body).await?;
    let removed = name.clone();
    shared
        .ask(move |service| service.remove_schedule(&name))
        .await?;
    ok(&json!({ "removed": removed }))
}

pub(super) async fn shut_down(
    shared: &Shared,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Answer, Fault> {
    body::json::<IgnoredAny>(headers, body).await?;
    shared.ask(|service| service.shut_down()).await?;
    Ok(json(
        StatusCode::ACCEPTED,
        &json!({ "shutting_down": true }),
    ))
}
