//! Speech for programs that know OpenAI's interface: `/v1/audio/speech` and the lists that its clients ask
//! for. Requests are taken as leniently as their servers take them, and errors come in their form.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Either;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use smol::stream::{self, Stream};

use super::answer::{Answer, Fault, json as as_json, ok};
use super::body;
use super::query::Query;
use super::routes::Head;
use super::server::Shared;
use super::stream::Streamed;
use crate::service::{Refusal, RefusalKind, SpeechOrder, SpeechStream};

/// The most bytes of a request. A text of as many characters as the settings allow fits, however it is
/// written in JSON.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// What clients ask for as a model. Here the voice decides, so each will do, and so will any other.
const MODELS: [&str; 4] = ["aloud", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"];
/// The header that names what was sent in vain.
const IGNORED: HeaderName = HeaderName::from_static("x-aloud-ignored");

/// What is asked for. What else is sent is not looked at.
#[derive(Deserialize)]
struct Wanted {
    input: Option<String>,
    voice: Option<Named>,
    speed: Option<f32>,
    response_format: Option<String>,
    stream_format: Option<String>,
    instructions: Option<String>,
}

/// A voice, as some programs name it or as others do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Object { id: String },
}

impl Wanted {
    fn order(&self) -> Result<SpeechOrder, Failure> {
        let format = some(&self.response_format).map(str::parse).transpose();
        let format = format.map_err(|error| Failure::of_field("response_format", error))?;
        let voice = self.voice.as_ref().map(|voice| match voice {
            Named::Name(name) | Named::Object { id: name } => name.clone(),
        });
        Ok(SpeechOrder {
            text: self.input.clone().unwrap_or_default(),
            voice: voice.filter(|voice| !voice.trim().is_empty()),
            speed: self.speed,
            format: format.unwrap_or_default(),
        })
    }

    /// Whether the sound is wanted as events.
    fn is_events(&self) -> Result<bool, Failure> {
        match some(&self.stream_format) {
            None | Some("audio") => Ok(false),
            Some("sse") => Ok(true),
            Some(other) => Err(Failure::of_field(
                "stream_format",
                format!("there is no stream format {other:?} here: choose audio or sse"),
            )),
        }
    }
}

fn some(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

pub(super) async fn speech(shared: &Rc<Shared>, head: Head, body: Incoming) -> Answer {
    match spoken(shared, head, body).await {
        Ok(answer) => answer,
        Err(failure) => failure.answer(),
    }
}

async fn spoken(shared: &Rc<Shared>, head: Head, body: Incoming) -> Result<Answer, Failure> {
    let begun = Instant::now();
    let wanted = wanted(shared, &head, body).await?;
    let (order, is_events) = (wanted.order()?, wanted.is_events()?);
    let format = order.format;
    let mut speech = shared.ask(move |service| service.speak(&order)).await?;
    // What can't be spoken at all is told as an error, and by now its length may be known.
    let first = speech.next().await.transpose()?;
    if first.is_some() {
        shared.metrics.note_first_sound(begun.elapsed());
    }
    let length = speech.length().filter(|_| !is_events);
    let body = if is_events {
        Streamed::endless(events(first, speech))
    } else if let Some(length) = length {
        Streamed::sized(pieces(first, speech), length)
    } else {
        Streamed::endless(pieces(first, speech))
    };
    let mut answer = Response::new(Either::Right(body));
    let headers = answer.headers_mut();
    let plain = |text| HeaderValue::from_static(text);
    let media_type = if is_events {
        "text/event-stream"
    } else {
        format.media_type()
    };
    headers.insert(header::CONTENT_TYPE, plain(media_type));
    headers.insert(header::CACHE_CONTROL, plain("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, plain("nosniff"));
    // A proxy that waited for all of it would keep its listener waiting.
    headers.insert("x-accel-buffering", plain("no"));
    if some(&wanted.instructions).is_some() {
        headers.insert(IGNORED, plain("instructions"));
    }
    Ok(answer)
}

async fn wanted(shared: &Shared, head: &Head, body: Incoming) -> Result<Wanted, Failure> {
    if body::media_type(&head.headers) != "application/json" {
        return Err(Fault::wrong_type("application/json").into());
    }
    let _turn = shared.uploads.acquire().await;
    let bytes = body::bytes(body, REQUEST_BYTES).await?;
    let wanted = body::parse(&bytes)?;
    Ok(wanted.ok_or_else(|| Fault::malformed("the body is empty"))?)
}

/// The sound as it is made. An error ends the connection.
fn pieces(
    first: Option<Vec<u8>>,
    speech: SpeechStream,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    stream::unfold((first, speech), |(first, mut speech)| async move {
        let piece = match first {
            Some(first) => Ok(first),
            None => speech.next().await?,
        };
        Some((piece.map(Bytes::from).map_err(broken), (None, speech)))
    })
}

fn broken(refusal: Refusal) -> io::Error {
    tracing::warn!(%refusal, "speech broke off");
    io::Error::other(refusal)
}

/// The same as events, with the last one after it.
fn events(
    first: Option<Vec<u8>>,
    speech: SpeechStream,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    stream::unfold((first, Some(speech)), |(first, speech)| async move {
        let mut speech = speech?;
        let piece = match first {
            Some(first) => Some(Ok(first)),
            None => speech.next().await,
        };
        let (event, speech) = match piece {
            Some(Ok(piece)) => (delta(&piece), Some(speech)),
            Some(Err(refusal)) => {
                tracing::warn!(%refusal, "speech broke off");
                let error = Failure::from(refusal).body;
                (json!({ "type": "error", "error": error["error"] }), None)
            }
            None => (done(), None),
        };
        Some((Ok(frame(&event)), (None, speech)))
    })
}

fn frame(event: &Value) -> Bytes {
    format!("data: {event}\n\n").into()
}

fn delta(piece: &[u8]) -> Value {
    json!({ "type": "speech.audio.delta", "audio": BASE64_STANDARD.encode(piece) })
}

/// Nothing is counted in tokens here, and clients want the numbers to be there.
fn done() -> Value {
    let usage = json!({ "input_tokens": 0, "output_tokens": 0, "total_tokens": 0 });
    json!({ "type": "speech.audio.done", "usage": usage })
}

pub(super) fn models() -> Result<Answer, Fault> {
    let models =
        MODELS.map(|id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "aloud" }));
    ok(&json!({ "object": "list", "data": models }))
}

pub(super) fn audio_models() -> Result<Answer, Fault> {
    let models = MODELS.map(|id| json!({ "id": id, "name": id }));
    ok(&json!({ "models": models }))
}

/// As objects, or as plain names for older clients.
pub(super) async fn voices(shared: &Shared, query: &Query) -> Result<Answer, Fault> {
    let is_plain = query.value("legacy")?.unwrap_or(false);
    let names = shared.ask(|service| service.speech_voices()).await?;
    if is_plain {
        return ok(&json!({ "voices": names }));
    }
    let objects = names.iter().map(|name| json!({ "id": name, "name": name }));
    ok(&json!({ "voices": objects.collect::<Vec<_>>() }))
}

/// What is wrong, in OpenAI's form.
struct Failure {
    status: StatusCode,
    body: Value,
    retry: Option<HeaderValue>,
}

impl Failure {
    fn new(fault: &Fault, param: Option<&str>) -> Self {
        let error = &fault.error;
        let message = match &*error.remediation {
            "" => error.message.clone(),
            advice => format!("{}. {advice}", error.message),
        };
        let kind = match fault.status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_client_error() => "invalid_request_error",
            _ => "server_error",
        };
        let body = json!({
            "error": { "message": message, "type": kind, "param": param, "code": error.code },
        });
        // Of the head it adds, this is all that is wanted.
        let answer = fault.head_for(super::answer::empty(fault.status));
        Self {
            status: fault.status,
            body,
            retry: answer.headers().get(header::RETRY_AFTER).cloned(),
        }
    }

    fn of_field(field: &str, message: impl ToString) -> Self {
        Self::new(&Fault::malformed(message.to_string()), Some(field))
    }

    fn answer(self) -> Answer {
        let mut answer = as_json(self.status, &self.body);
        if let Some(retry) = self.retry {
            answer.headers_mut().insert(header::RETRY_AFTER, retry);
        }
        answer
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(&fault, None)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let field = refusal.error.details["field"]
            .as_str()
            .map(ToOwned::to_owned);
        let is_invalid = refusal.kind == RefusalKind::Invalid;
        let mut fault = Fault::from(refusal);
        if is_invalid {
            // Clients know no 422.
            fault.status = StatusCode::BAD_REQUEST;
        }
        Self::new(&fault, field.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::encode::Format;

    fn read(body: Value) -> Wanted {
        serde_json::from_value(body).unwrap()
    }

    fn order(body: Value) -> SpeechOrder {
        read(body).order().map_err(|failure| failure.body).unwrap()
    }

    #[test]
    fn requests_are_taken_as_clients_send_them() {
        let said = SpeechOrder {
            text: "Hello.".into(),
            voice: Some("alloy".into()),
            ..SpeechOrder::default()
        };
        // Open WebUI, with fields that nobody knows; LibreChat; llama-swap.
        let open_webui =
            json!({ "model": "tts-1", "input": "Hello.", "voice": "alloy", "x": { "y": 1 } });
        let libre_chat =
            json!({ "input": "Hello.", "model": "any", "voice": "alloy", "backend": "x" });
        let llama_swap = json!({ "input": "Hello.", "voice": { "id": "alloy", "name": "Alloy" } });
        for body in [open_webui, libre_chat, llama_swap] {
            assert_eq!(order(body), said);
        }
        let silly_tavern = order(json!({
            "model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "mp3", "speed": 1,
            "instructions": null, "stream_format": null,
        }));
        assert_eq!(
            (silly_tavern.format, silly_tavern.speed),
            (Format::Mp3, Some(1.0))
        );
        assert_eq!(order(json!({})), SpeechOrder::default());
        let wav = order(json!({ "voice": "", "response_format": "wav" }));
        assert_eq!((wav.format, wav.voice), (Format::Wav, None));
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for format in ["opus", "aac", "flac", "MP3 "] {
            let failure = read(json!({ "response_format": format }))
                .order()
                .unwrap_err();
            let error = &failure.body["error"];
            assert_eq!(failure.status, StatusCode::BAD_REQUEST);
            assert_eq!(error["param"], "response_format");
            assert_eq!(error["type"], "invalid_request_error");
            let message = error["message"].as_str().unwrap();
            assert!(
                message.contains(format) && message.contains("mp3, wav or pcm"),
                "{message}"
            );
        }
        assert!(
            read(json!({ "stream_format": "sse" }))
                .is_events()
                .is_ok_and(|is| is)
        );
        assert!(
            read(json!({ "stream_format": "audio" }))
                .is_events()
                .is_ok_and(|is| !is)
        );
        assert!(read(json!({ "stream_format": "ws" })).is_events().is_err());
    }
}
