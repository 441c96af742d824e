//! Clips and joined narrations: files that are sent piece by piece, whole or from any place on, without
//! ever being in memory as a whole.

use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;

use http_body_util::Either;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::{Answer, Fault, empty};
use super::query::Query;
use super::server::Shared;
use super::stream::Streamed;
use crate::model::{ErrorObject, SegmentId, TaskId};
use crate::service::{Host, Refusal, Sound};

/// How much is read of a file at a time.
const PIECE: u64 = 64 * 1024;
/// What is written as `%XX` in a file's name.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

pub(super) async fn clip(
    shared: &Rc<Shared>,
    id: TaskId,
    segment: SegmentId,
    headers: &HeaderMap,
) -> Result<Answer, Fault> {
    let sound = open(shared, move |service| service.clip(&id, segment)).await?;
    send(shared, sound, headers)
}

pub(super) async fn audio(
    shared: &Rc<Shared>,
    id: TaskId,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Answer, Fault> {
    let part = query.value("part")?.unwrap_or(1);
    let sound = open(shared, move |service| service.audio(&id, part)).await?;
    send(shared, sound, headers)
}

/// Opens a file on another thread: its folder may hang.
async fn open(
    shared: &Shared,
    which: impl FnOnce(&dyn Host) -> Result<Sound, Refusal> + Send + 'static,
) -> Result<Sound, Fault> {
    let _turn = shared.reads.acquire().await;
    let service = Arc::clone(&shared.service);
    Ok(smol::unblock(move || which(&*service)).await?)
}

/// A file as it was asked for.
fn send(shared: &Rc<Shared>, sound: Sound, asked: &HeaderMap) -> Result<Answer, Fault> {
    let tag = format!("\"{}\"", sound.version);
    let name = utf8_percent_encode(&sound.name, ESCAPED);
    let about = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename*=UTF-8''{name}"),
        ),
        (header::ETAG, tag.clone()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        // It may be made again: whoever has kept it asks whether it is still the same.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let with_head = |mut answer: Answer| {
        for (name, value) in about {
            if let Ok(value) = value.try_into() {
                answer.headers_mut().insert(name, value);
            }
        }
        if sound.parts > 1 {
            answer
                .headers_mut()
                .insert("x-aloud-parts", sound.parts.into());
        }
        answer
    };
    if has(asked, &tag) {
        return Ok(with_head(empty(StatusCode::NOT_MODIFIED)));
    }
    let part = match wanted(asked, &tag, sound.bytes) {
        Wanted::All => None,
        Wanted::Part(first, last) => Some((first, last)),
        Wanted::Nothing => return Err(unsatisfiable(sound.bytes)),
    };
    let (first, length) = part.map_or((0, sound.bytes), |(first, last)| (first, last - first + 1));
    let pieces = pieces(
        Rc::clone(shared),
        Arc::new(sound.file),
        first,
        first + length,
    );
    let answer = Response::new(Either::Right(Streamed::sized(pieces, length)));
    let mut answer = with_head(answer);
    if let Some((first, last)) = part {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {first}-{last}/{}", sound.bytes);
        if let Ok(range) = range.try_into() {
            answer.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    Ok(answer)
}

/// The bytes from one place to before another, read as they are asked for.
fn pieces(
    shared: Rc<Shared>,
    file: Arc<std::fs::File>,
    first: u64,
    end: u64,
) -> impl smol::stream::Stream<Item = io::Result<Bytes>> {
    smol::stream::unfold(
        (shared, file, first),
        move |(shared, file, at)| async move {
            if at >= end {
                return None;
            }
            let room = usize::try_from((end - at).min(PIECE)).unwrap_or(usize::MAX);
            let turn = shared.reads.acquire().await;
            let read = Arc::clone(&file);
            let piece = smol::unblock(move || {
                let mut piece = vec![0; room];
                // A file that has become shorter meanwhile is no whole answer.
                read.read_exact_at(&mut piece, at)
                    .map(|()| Bytes::from(piece))
            });
            let piece = piece.await;
            drop(turn);
            let next = if piece.is_ok() { at + room as u64 } else { end };
            Some((piece, (shared, file, next)))
        },
    )
}

/// Whether whoever asks has this content already.
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What is wanted of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// From this byte to that, both included.
    Part(u64, u64),
    /// Bytes that it does not have.
    Nothing,
}

/// By the words of RFC 9110, section 14. Several ranges at once, and what can't be read, is all of it.
fn wanted(asked: &HeaderMap, tag: &str, bytes: u64) -> Wanted {
    let if_same = asked.get(header::IF_RANGE).map(HeaderValue::as_bytes);
    if if_same.is_some_and(|known| known != tag.as_bytes()) {
        return Wanted::All;
    }
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| {
        let (unit, range) = range.split_once('=')?;
        unit.trim()
            .eq_ignore_ascii_case("bytes")
            .then_some(range.trim())
    });
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    // Digits alone: a sign would be read as well.
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true if text.is_empty() => Some(None),
        // A number beyond all numbers is beyond all files.
        true => Some(Some(text.parse().unwrap_or(u64::MAX))),
        false => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(Some(last))) if first > last => Wanted::All,
        (Some(Some(first)), Some(_)) if first >= bytes => Wanted::Nothing,
        (Some(Some(first)), Some(last)) => {
            Wanted::Part(first, last.map_or(bytes - 1, |last| last.min(bytes - 1)))
        }
        (Some(None), Some(Some(0))) => Wanted::Nothing,
        (Some(None), Some(Some(_))) if bytes == 0 => Wanted::Nothing,
        // So many from the end.
        (Some(None), Some(Some(many))) => Wanted::Part(bytes.saturating_sub(many), bytes - 1),
        _ => Wanted::All,
    }
}

fn unsatisfiable(bytes: u64) -> Fault {
    let message = format!("the file has {bytes} bytes, and none of those that were asked for");
    let error = ErrorObject::new("RANGE_NOT_SATISFIABLE", message);
    let fault = Fault::new(StatusCode::RANGE_NOT_SATISFIABLE, error);
    match format!("bytes */{bytes}").try_into() {
        Ok(range) => fault.with_header(header::CONTENT_RANGE, range),
        Err(_) => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(header::HeaderName, &str)], bytes: u64) -> Wanted {
        let mut asked = HeaderMap::new();
        for (name, value) in headers {
            asked.append(name, HeaderValue::from_str(value).unwrap());
        }
        wanted(&asked, "\"tag\"", bytes)
    }

    #[test]
    fn a_range_is_read_as_the_standard_has_it() {
        let range = |text: &str| of(&[(header::RANGE, text)], 1000);
        assert_eq!(of(&[], 1000), Wanted::All);
        for (text, first, last) in [
            ("bytes=0-0", 0, 0),
            ("bytes=0-499", 0, 499),
            ("Bytes = 500-", 500, 999),
            ("bytes=990-5000", 990, 999),
            ("bytes=-1", 999, 999),
            ("bytes=-5000", 0, 999),
            ("bytes=1-99999999999999999999999", 1, 999),
        ] {
            assert_eq!(range(text), Wanted::Part(first, last), "{text}");
        }
        for text in [
            "bytes=1000-",
            "bytes=1000-1001",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(range(text), Wanted::Nothing, "{text}");
        }
        for text in [
            "bytes=0-1,3-4",
            "bytes=2-1",
            "bytes=-",
            "bytes=",
            "bytes",
            "items=0-1",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes=0-1-2",
            "",
        ] {
            assert_eq!(range(text), Wanted::All, "{text}");
        }
        for text in ["bytes=0-", "bytes=-1"] {
            assert_eq!(of(&[(header::RANGE, text)], 0), Wanted::Nothing);
        }
        let if_same = |tag| of(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, tag)], 10);
        assert_eq!(if_same("\"tag\""), Wanted::Part(0, 1));
        for other in ["\"other\"", "W/\"tag\"", "Fri, 27 Nov 2026 03:00:00 GMT"] {
            assert_eq!(if_same(other), Wanted::All, "{other}");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let knows = |tags: &str| {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, tags.parse().unwrap());
            has(&asked, "\"tag\"")
        };
        for tags in ["\"tag\"", "\"a\", \"tag\"", "W/\"tag\"", "*"] {
            assert!(knows(tags), "{tags}");
        }
        assert!(!knows("\"a\"") && !knows("tag") && !has(&HeaderMap::new(), "\"tag\""));
    }
}
