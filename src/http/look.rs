//! What can be looked at under `/v1`.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Fault, encode, encoded, ok};
use super::query::Query;
use super::server::Shared;
use crate::model::{GroupId, SegmentId, TaskId};
use crate::service::{Host, SegmentView, TaskBrief};

/// Not as [`json!`], which would make a tree of all of it first.
#[derive(Serialize)]
struct Tasks<T> {
    tasks: Vec<T>,
}

#[derive(Serialize)]
struct Segments {
    segments: Vec<SegmentView>,
}

pub(super) fn info(shared: &Shared) -> Result<Answer, Fault> {
    ok(&shared.service.info())
}

/// Their number decides how long it takes: not for the thread that serves everyone.
pub(super) async fn tasks(shared: &Shared, query: &Query) -> Result<Answer, Fault> {
    let limit = query.limit()?;
    let after = query.get("after").map(TaskId::from);
    let is_brief = query.value("brief")?.unwrap_or_default();
    let read = move |service: &dyn Host| {
        let tasks = service.tasks(after.as_ref(), limit)?;
        let last = tasks.last().filter(|_| tasks.len() == limit);
        let next = last.map(|last| next(&last.id, limit, is_brief));
        let body = if is_brief {
            let tasks: Vec<_> = tasks.iter().map(TaskBrief::from).collect();
            encode(&Tasks { tasks })
        } else {
            encode(&Tasks { tasks })
        };
        Ok::<_, Fault>((body?, next))
    };
    let (body, next) = shared.ask(read).await?;
    let mut answer = encoded(StatusCode::OK, body);
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        answer.headers_mut().insert(header::LINK, next);
    }
    Ok(answer)
}

/// Where the page after this task is, as RFC 8288 has it.
fn next(after: &TaskId, limit: usize, is_brief: bool) -> String {
    let after = utf8_percent_encode(after.as_str(), NON_ALPHANUMERIC);
    let brief = if is_brief { "&brief=true" } else { "" };
    format!(r#"</v1/tasks?limit={limit}{brief}&after={after}>; rel="next""#)
}

pub(super) fn task(shared: &Shared, id: &TaskId) -> Result<Answer, Fault> {
    ok(&shared.service.task(id)?)
}

pub(super) fn segments(shared: &Shared, id: &TaskId, query: &Query) -> Result<Answer, Fault> {
    let from = query
        .value("from")?
        .map_or(SegmentId::FIRST, SegmentId::new);
    let segments = shared.service.segments(id, from, query.limit()?)?;
    ok(&Segments { segments })
}

pub(super) fn group(shared: &Shared, id: &GroupId) -> Result<Answer, Fault> {
    ok(&shared.service.group(id)?)
}

pub(super) fn stats(shared: &Shared) -> Result<Answer, Fault> {
    ok(&shared.service.stats()?)
}

pub(super) fn health(shared: &Shared) -> Result<Answer, Fault> {
    ok(&shared.service.health()?)
}

pub(super) fn defaults(shared: &Shared) -> Result<Answer, Fault> {
    ok(&shared.service.narration_defaults()?)
}

/// Nothing, if the voice of the settings can speak.
pub(super) async fn voice(shared: &Shared) -> Result<Answer, Fault> {
    shared.ask(|service| service.check_voice()).await?;
    ok(&json!({}))
}

pub(super) fn queue(shared: &Shared) -> Result<Answer, Fault> {
    ok(&json!({ "paused": shared.service.is_queue_paused()? }))
}

pub(super) async fn history(shared: &Shared, query: &Query) -> Result<Answer, Fault> {
    let limit = query.limit()?;
    let history = shared.ask(move |service| service.history(limit)).await?;
    ok(&json!({ "history": history }))
}

pub(super) async fn voices(shared: &Shared) -> Result<Answer, Fault> {
    let voices = shared.ask(|service| service.voices()).await?;
    ok(&json!({ "voices": voices }))
}

pub(super) async fn schedules(shared: &Shared) -> Result<Answer, Fault> {
    let schedules = shared.ask(|service| service.schedules()).await?;
    ok(&json!({ "schedules": schedules }))
}

/// The last lines, or those after a number.
pub(super) async fn log(shared: &Shared, query: &Query) -> Result<Answer, Fault> {
    let after = query.value("after")?.unwrap_or(0);
    let mut lines = shared.ask(|service| service.log()).await?;
    lines.retain(|line| after == 0 || line.number > after);
    ok(&json!({ "lines": lines }))
}
