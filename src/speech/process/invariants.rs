//! What holds for any bytes whatever that one side sends the other. Property tests and fuzz targets
//! call it.

use super::frame::Frame;
use super::message::{Answer, Hello, Numbered};

/// Panics unless these bytes, messages or not, are read as promised.
#[track_caller]
pub(crate) fn check_bytes(bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        let before = rest;
        let Ok(Some(frame)) = Frame::read(&mut rest) else {
            break;
        };
        let read = &before[..before.len() - rest.len()];
        assert!(frame.payload.len() <= frame.kind.bound());
        let again = Frame::bytes(frame.kind, &frame.payload).expect("it was within its bound");
        assert_eq!(again, read);
        check_messages(&frame);
    }
}

/// A message that is understood is the same when it is written and read again. One that is longer then
/// may be over its bound, which is an error.
#[track_caller]
fn check_messages(frame: &Frame) {
    let again = |bytes: Vec<u8>| {
        let frame = Frame::read(&mut &*bytes).expect("it was written as a frame");
        frame.expect("it is there")
    };
    if let Ok(hello) = Hello::of(frame)
        && let Ok(bytes) = hello.bytes()
    {
        assert_eq!(Hello::of(&again(bytes)).ok(), Some(hello));
    }
    if let Ok(request) = Numbered::of(frame)
        && let Ok(bytes) = request.bytes()
    {
        assert_eq!(Numbered::of(&again(bytes)).ok(), Some(request));
    }
    if let Ok(answer) = Answer::of(frame) {
        let bytes = answer.bytes().expect("it is no longer than it was");
        // Samples need not be numbers, so the bytes are compared.
        let read = Answer::of(&again(bytes.clone())).expect("it was written");
        assert_eq!(read.bytes().expect("it was written before"), bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::super::{
        Comparison, Layout, Runtime, Speech, SpeechError, SpokenWord, Utterance,
    };
    use super::super::frame::Kind;
    use super::super::message::{Load, Reply, Request};
    use super::*;
    use crate::assets::{EspeakFiles, Family, VoiceFiles};
    use crate::engine::{Limits, NarrationSettings, Shortage};

    fn load() -> Request {
        let files = VoiceFiles {
            name: "joe".into(),
            model: "joe.onnx".into(),
            config: PathBuf::from("/nowhere/joe.onnx.json"),
            family: Family::Piper,
            card: None,
            blend: Vec::new(),
        };
        let runtime = Runtime {
            onnxruntime: "libonnxruntime.so".into(),
            espeak: Some(EspeakFiles {
                library: "/é".into(),
                data: PathBuf::new(),
            }),
            threads: Some(2),
            layout: Some(Layout::Blocked),
        };
        let limits = Limits::default().memory(500_000_000).niceness(10);
        Request::Load(Box::new(Load::new(&files, &runtime, limits)))
    }

    fn errors() -> impl Strategy<Value = SpeechError> {
        let path = PathBuf::from("/x");
        ("\\PC{0,20}", any::<u8>()).prop_map(move |(reason, which)| {
            let path = path.clone();
            match which % 8 {
                0 => SpeechError::Config { path, reason },
                1 => SpeechError::Model { path, reason },
                2 => SpeechError::Library {
                    what: "eSpeak NG",
                    path,
                    reason,
                },
                3 => SpeechError::Shortage {
                    doing: reason,
                    shortage: Shortage::Memory,
                },
                4 => SpeechError::Phonemes(reason),
                5 => SpeechError::Run(reason),
                6 => SpeechError::Process { reason },
                _ => SpeechError::Interrupted,
            }
        })
    }

    fn utterances() -> impl Strategy<Value = Utterance> {
        let words = || prop::collection::vec("\\PC{0,5}", 0..3);
        let ids = prop::collection::vec(any::<i64>(), 0..20);
        let place = any::<[u32; 4]>().prop_map(|[start, end, first, past]| SpokenWord {
            text: start..end,
            ids: first..past,
        });
        let places = prop::collection::vec(place, 0..3);
        (".{0,20}", ids, words(), words(), places).prop_map(
            |(phonemes, ids, unknown, spelled, words)| Utterance {
                phonemes,
                ids,
                unknown,
                spelled,
                words,
                voice: 0,
            },
        )
    }

    fn requests() -> impl Strategy<Value = Request> {
        let settings = |speed, speaker| {
            (&NarrationSettings {
                speed,
                speaker,
                others: Vec::new(),
            })
                .into()
        };
        prop_oneof![
            Just(load()),
            Just(Request::FrontEnd),
            ".{0,50}".prop_map(|text| Request::Prepare { text }),
            Just(Request::Open),
            Just(Request::CompareLayouts),
            Just(Request::WarmUp),
            any::<u64>().prop_map(|model| Request::CancelPrefetch { model }),
            any::<u64>().prop_map(|model| Request::Close { model }),
            any::<u64>().prop_map(|number| Request::Stop { number }),
            (
                any::<u64>(),
                utterances(),
                prop::collection::vec(utterances(), 0..3),
                any::<f32>(),
                any::<Option<u32>>()
            )
                .prop_map(move |(model, utterance, ahead, speed, speaker)| {
                    Request::Synthesize {
                        model,
                        utterance,
                        ahead,
                        settings: settings(speed, speaker),
                    }
                }),
        ]
    }

    fn replies() -> impl Strategy<Value = Reply> {
        let samples = prop::collection::vec(-1.0_f32..1.0, 0..50);
        let durations = prop::collection::vec(any::<u32>(), 0..50);
        prop_oneof![
            ".{0,20}".prop_map(|version| Reply::Loaded { version }),
            Just(Reply::Done),
            utterances().prop_map(Reply::Prepared),
            any::<Option<(Duration, Duration, Option<u8>)>>().prop_map(|compared| {
                Reply::Compared(compared.map(|(plain, blocked, difference)| Comparison {
                    plain,
                    blocked,
                    difference: difference.map(f32::from),
                }))
            }),
            (any::<usize>(), any::<Option<u32>>()).prop_map(|(looks_ahead, checksum)| {
                Reply::Opened {
                    looks_ahead,
                    checksum,
                }
            }),
            (samples, durations, any::<u64>()).prop_map(|(samples, durations, nanoseconds)| {
                let work = Duration::from_nanos(nanoseconds);
                Reply::Spoken(Speech {
                    samples,
                    durations,
                    work,
                })
            }),
            errors().prop_map(Reply::Failed),
        ]
    }

    fn read(bytes: &[u8]) -> Frame {
        Frame::read(&mut &*bytes).unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn a_request_is_understood(number: u64, request in requests()) {
            let numbered = Numbered { number, request };
            let bytes = numbered.bytes().unwrap();
            check_bytes(&bytes);
            prop_assert_eq!(Numbered::of(&read(&bytes)).unwrap(), numbered);
        }

        #[test]
        fn a_reply_is_understood(number: u64, reply in replies()) {
            let answer = Answer { number, reply };
            let bytes = answer.bytes().unwrap();
            check_bytes(&bytes);
            prop_assert_eq!(Answer::of(&read(&bytes)).unwrap(), answer);
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            check_bytes(&bytes);
        }

        #[test]
        fn no_payload_is_too_strange(
            kind in prop::sample::select(vec![Kind::Hello, Kind::Request, Kind::Reply, Kind::Samples]),
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            check_bytes(&Frame::bytes(kind, &payload).unwrap());
        }

        /// A byte is another, and what comes after some other is missing.
        #[test]
        fn no_damage_is_too_strange(
            (number, request, reply) in (any::<u64>(), requests(), replies()),
            (at, byte, end) in (any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()),
        ) {
            let mut bytes = Hello::ours().bytes().unwrap();
            bytes.extend(Numbered { number, request }.bytes().unwrap());
            bytes.extend(Answer { number, reply }.bytes().unwrap());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(end.index(bytes.len()) + 1);
            check_bytes(&bytes);
        }
    }

    #[test]
    fn what_only_the_parent_knows_is_not_sent() {
        let reply = Reply::Failed(SpeechError::Crashed { signal: "SIGSEGV" });
        assert!(Answer { number: 1, reply }.bytes().is_err());
    }
}
