//! What holds for the bytes of any record whatever: others can write in a narration's folder. Property
//! tests and fuzz targets call it.

use std::path::{Component, Path};
use std::sync::Arc;

use super::format::{Accepted, Line, read_lines};
use crate::engine::schedule::StoredSchedule;
use crate::model::{
    ClipRecord, Narration, NarrationSettings, Plan, PlannedSegment, Reading, SegmentId, Timestamp,
};

/// Panics unless these bytes, a record or not, are read as promised.
#[track_caller]
pub(crate) fn check_bytes(bytes: &[u8]) {
    let found = read_lines(bytes).expect("bytes in memory can be read");
    if let Some(found) = &found {
        for (id, clip) in &found.clips {
            assert_eq!(*id, clip.segment_id);
            // A clip lies in the folder itself, whatever a record says.
            let mut parts = Path::new(&*clip.clip).components();
            let first = parts.next();
            assert!(
                matches!(first, Some(Component::Normal(_))),
                "{:?}",
                clip.clip
            );
            assert_eq!(parts.next(), None);
        }
        if let Some((state, ..)) = found.end {
            assert!(state.is_terminal());
        }
    }
    // Whatever was there before, a narration that is begun after it is read, and is the one that counts.
    let mut bytes = bytes.to_vec();
    bytes.push(b'\n');
    for line in [Line::Narration(Box::new(accepted())), Line::Clip(clip())] {
        serde_json::to_writer(&mut bytes, &line).expect("plain data serialises");
        bytes.push(b'\n');
    }
    let found = read_lines(&*bytes).expect("bytes in memory can be read");
    let found = found.expect("the last narration is read");
    assert_eq!(&*found.accepted.title, "A story");
    assert_eq!(found.clips.len(), 1);
    assert!(found.end.is_none());
}

fn accepted() -> Accepted {
    let segment = PlannedSegment {
        start: 0,
        end: 4,
        text: "One.".into(),
        pause_ms: 0,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    let narration = Narration {
        title: "A story".into(),
        source: "One.".into(),
        plan: Plan::new(vec![segment]).into(),
        folder: "folder".into(),
        voice: "voice".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: "one".to_owned(),
    };
    let id = "task".into();
    Accepted::new(
        &id,
        &narration,
        None,
        StoredSchedule::default(),
        Timestamp(0),
    )
}

fn clip() -> ClipRecord {
    ClipRecord {
        segment_id: SegmentId::FIRST,
        clip: "1.wav".into(),
        bytes: 44,
        samples: 0,
        rate: 22_050,
        peak: 0.0,
        checksum: None,
        words: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines as a record has them, cut and mixed with others.
    fn lines() -> impl Strategy<Value = Vec<u8>> {
        let name = prop_oneof![
            Just("1.wav"),
            Just("../1.wav"),
            Just("/etc/passwd"),
            Just(".."),
            Just("a/b.wav"),
            Just(""),
        ];
        let line = prop_oneof![
            Just(serde_json::to_vec(&Line::Narration(Box::new(accepted()))).unwrap()),
            (name, 0u32..4).prop_map(|(name, number)| {
                let record = ClipRecord {
                    segment_id: SegmentId::new(number),
                    clip: name.into(),
                    ..clip()
                };
                serde_json::to_vec(&Line::Clip(record)).unwrap()
            }),
            Just(br#"{"record":"ended","state":"PENDING","at":0,"error":null}"#.to_vec()),
            Just(br#"{"record":"ended","state":"FAILED","at":0,"error":null}"#.to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
        ];
        let cut = (line, any::<prop::sample::Index>(), 0u8..4).prop_map(|(line, at, odd)| {
            let end = if odd == 0 {
                at.index(line.len() + 1)
            } else {
                line.len()
            };
            let mut line = line[..end].to_vec();
            line.push(b'\n');
            line
        });
        prop::collection::vec(cut, 0..8).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            check_bytes(&bytes);
        }

        #[test]
        fn no_record_is_too_strange(bytes in lines()) {
            check_bytes(&bytes);
        }
    }
}
