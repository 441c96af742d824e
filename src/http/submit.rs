//! Something new to do: a text as JSON with its words or its file, or as the bytes of a file; or a public
//! operation by its name, as JSON.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Incoming;
use serde_json::json;
use smol::future::FutureExt;

use super::answer::{Answer, Fault, json};
use super::body;
use super::query::decoded;
use super::routes::Head;
use super::server::Shared;
use super::wanted::{self, Wanted, seconds};
use crate::model::TaskId;
use crate::narrate::NewText;
use crate::service::{
    Host, NarrationDefaults, NarrationOrder, Recurring, Refusal, RequestKey, Submitted, Taken,
    Terms, When,
};

/// The header with the file's name, percent-encoded.
const NAME: &str = "x-aloud-name";
/// The header with what makes a request that comes twice one.
const KEY: &str = "idempotency-key";
/// The longest of its values.
const LONGEST_KEY: usize = 255;
/// The longest that a request may wait for the end of its task.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

pub(super) async fn submit(
    shared: &Rc<Shared>,
    head: Head,
    body: Incoming,
) -> Result<Answer, Fault> {
    let wait = wait(&head)?;
    let key = key(&head)?;
    let taken = match &*body::media_type(&head.headers) {
        "application/json" => {
            let bytes = body::bytes(body, body::JSON_BYTES).await?;
            let key = key.map(|key| RequestKey::new(&key, &[&bytes]));
            let wanted = Wanted::parse(&bytes)?;
            take(shared, &head, wanted, key, wait.is_some()).await?
        }
        "application/octet-stream" | "text/plain" => {
            let name = name(&head)?;
            let (order, terms) = wanted::of_query(&head)?;
            let _turn = shared.uploads.acquire().await;
            let bytes = body::bytes(body, shared.options.text_bytes).await?;
            let query = format!("{:?}", head.query);
            let key =
                key.map(|key| RequestKey::new(&key, &[query.as_bytes(), name.as_bytes(), &bytes]));
            let terms = Terms { key, ..terms };
            let text = NewText::Bytes { name, bytes };
            Taken::Task(add(shared, &head, Some(text), order, terms).await?)
        }
        _ => {
            return Err(Fault::wrong_type(
                "application/json, application/octet-stream or text/plain",
            ));
        }
    };
    let submitted = match taken {
        Taken::Task(submitted) => submitted,
        Taken::Schedule(schedule) => {
            let answer = json!({ "schedule": schedule });
            return Ok(json(StatusCode::ACCEPTED, &answer));
        }
    };
    let Submitted {
        id,
        continued,
        notes,
    } = submitted;
    let mut answer = json!({ "task_id": id, "continued": continued });
    if !notes.is_empty() {
        answer["notes"] = json!(notes);
    }
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

/// A path from the wire: whoever may name one at all. The server's own folder means nothing to them.
fn check_path(head: &Head, path: &Path, field: &str) -> Result<(), Fault> {
    if !head.visitor.names_paths {
        let message = format!(
            "`{field}` is a path of this machine, which only programs of its user may name, over the socket: \
             send a text as its bytes"
        );
        return Err(Fault::no_paths(message));
    }
    if path.is_absolute() {
        return Ok(());
    }
    let message = format!("`{field}` must be an absolute path, not {}", path.display());
    Err(Refusal::invalid(message).into())
}

/// A voice may be meant by its file as well.
fn check_voice(head: &Head, voice: &str, usual: &str) -> Result<(), Fault> {
    let file = voice.to_lowercase();
    let is_path = file.contains(['/', '\\', '~']) || file.trim().ends_with(".onnx");
    if is_path && voice != usual && !head.visitor.names_paths {
        let message = "a voice is called by its name here: only programs of this machine's user may name its \
                       file, over the socket";
        return Err(Fault::no_paths(message));
    }
    Ok(())
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

/// Does what a request in JSON asks for. A request that waits for the end of a task can't have it recur.
async fn take(
    shared: &Shared,
    head: &Head,
    wanted: Wanted,
    key: Option<RequestKey>,
    waits: bool,
) -> Result<Taken, Fault> {
    // Whether a cron expression ever comes takes a while to find out.
    let (what, when, terms) = shared.ask(move |_| wanted.read()).await?;
    let Some(When::Recurring { recurrence, name }) = when else {
        let at = match when {
            Some(When::At(at)) => Some(at),
            _ => None,
        };
        let terms = Terms { key, at, ..terms };
        let submitted = match what {
            Recurring::Narration(order) => add(shared, head, None, order, terms).await?,
            Recurring::Operation(call) => {
                let perform = move |service: &dyn Host| service.perform(&call, &terms);
                shared.ask(perform).await?
            }
        };
        return Ok(Taken::Task(submitted));
    };
    if waits {
        let message = "what recurs has no end to wait for: leave out `wait`";
        return Err(Refusal::invalid(message).into());
    }
    if let Recurring::Narration(order) = &what {
        checked(shared, head, order)?;
    }
    let set =
        move |service: &dyn Host| service.schedule(&what, &recurrence, name.as_deref(), &terms);
    let schedule = shared.ask(set).await?;
    Ok(Taken::Schedule(Box::new(schedule)))
}

/// A voice and paths as they may be named by this visitor; how texts are narrated usually.
fn checked(
    shared: &Shared,
    head: &Head,
    order: &NarrationOrder,
) -> Result<NarrationDefaults, Fault> {
    let usual = shared.service.narration_defaults()?;
    for (path, field) in [(&order.file, "file"), (&order.out, "out")] {
        if let Some(path) = path {
            check_path(head, path, field)?;
        }
    }
    if let Some(voice) = &order.voice {
        check_voice(head, voice, &usual.voice)?;
    }
    for voice in order.others.names() {
        check_voice(head, voice, &usual.voice)?;
    }
    Ok(usual)
}

/// Has a text narrated: that of the order, or one that was sent as bytes.
async fn add(
    shared: &Shared,
    head: &Head,
    text: Option<NewText>,
    order: NarrationOrder,
    terms: Terms,
) -> Result<Submitted, Fault> {
    let usual = checked(shared, head, &order)?;
    let new = match text {
        Some(text) => order.narrating(text, usual),
        None => order.with(usual)?,
    };
    let out = order.out;
    let add = move |service: &dyn Host| service.add_on(&new, out.as_deref(), &terms);
    Ok(shared.ask(add).await?)
}
