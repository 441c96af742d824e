//! When each word of a segment is said in its clip: from what the voice tells of its own inputs, back to
//! what is written.

use std::ops::Range;

use crate::engine::{PlannedSegment, WordTime};
use crate::speech::SpokenWord;

/// The times of a segment's words, in order; no two overlap. `words` are those of what is said,
/// `durations` the samples of each input of the model. Empty if one of them is, or if they are not those of a
/// clip of so many `samples`: the voice's process or the store may say anything.
pub(super) fn word_times(
    segment: &PlannedSegment,
    words: &[SpokenWord],
    durations: &[u32],
    samples: u64,
) -> Vec<WordTime> {
    let mut begins = vec![0];
    begins.extend(durations.iter().scan(0, |past, &duration| {
        *past += u64::from(duration);
        Some(*past)
    }));
    if begins.last() != Some(&samples) {
        return Vec::new();
    }
    let parts = segment.reading.parts(&segment.text);
    let mut times: Vec<(Range<usize>, Range<u64>)> = Vec::with_capacity(words.len());
    let mut part = 0;
    let mut past = 0;
    for word in words {
        let said = word.text.start as usize..word.text.end as usize;
        let at = |id: u32| begins.get(id as usize).copied();
        let (Some(start), Some(end)) = (at(word.ids.start), at(word.ids.end)) else {
            return Vec::new();
        };
        if start < past || end < start {
            return Vec::new();
        }
        past = end;
        while parts
            .get(part)
            .is_some_and(|one| one.said.end <= said.start)
        {
            part += 1;
        }
        let over = parts[part..].iter();
        let over = over.take_while(|one| one.said.start < said.end);
        let written = over.map(|one| one.written(&said));
        let Some(written) = written.reduce(|one, other| one.start..other.end) else {
            continue;
        };
        match times.last_mut() {
            // Several words are said for one that is written.
            Some((before, time)) if written.start < before.end => {
                before.end = before.end.max(written.end);
                time.end = time.end.max(end);
            }
            _ => times.push((written, start..end)),
        }
    }
    let times = times.into_iter().filter_map(|(written, time)| {
        Some(WordTime {
            at: u32::try_from(written.start).ok()?,
            word: segment.text.get(written)?.into(),
            start: time.start,
            end: time.end,
        })
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Reading, Said};

    fn said(start: u32, end: u32, words: &str) -> Said {
        Said {
            start,
            end,
            words: words.into(),
            left_out: None,
        }
    }

    #[test]
    fn what_is_said_for_one_word_is_one_word() {
        // In bytes: "Dr." 0 to 3, "1492" 14 to 18, "²" 18 to 20.
        let text = "Dr. Orr sailed1492² far";
        let reading = Reading::new(vec![
            said(0, 3, "doctor"),
            said(14, 18, " fourteen ninety-two"),
            said(18, 20, ""),
        ]);
        let segment = PlannedSegment {
            start: 0,
            end: 0,
            text: text.into(),
            pause_ms: 0,
            heading: false,
            reading,
            voice: 0,
        };
        let spoken = segment.spoken();
        let mut ids = 0..0;
        let words = spoken.split(' ').map(|word| {
            let start = (word.as_ptr() as usize - spoken.as_ptr() as usize) as u32;
            ids = ids.end..ids.end + 1;
            SpokenWord {
                text: start..start + word.len() as u32,
                ids: ids.clone(),
            }
        });
        let words: Vec<SpokenWord> = words.collect();
        let times = word_times(&segment, &words, &[10, 20, 30, 40, 50, 60], 210);
        let times: Vec<_> = (times.iter())
            .map(|time| (&*time.word, time.at, time.start, time.end))
            .collect();
        assert_eq!(
            times,
            [
                ("Dr.", 0, 0, 10),
                ("Orr", 4, 10, 30),
                ("sailed", 8, 30, 60),
                ("1492", 14, 60, 150),
                ("far", 21, 150, 210)
            ]
        );
        assert_eq!(word_times(&segment, &words, &[], 0), []);
        assert_eq!(word_times(&segment, &[], &[10], 10), []);
        // What no voice says: of another length, and backwards.
        let all = [10, 20, 30, 40, 50, 60];
        assert_eq!(word_times(&segment, &words, &all, 209), []);
        let mut backwards = words.clone();
        backwards.swap(1, 2);
        assert_eq!(word_times(&segment, &backwards, &all, 210), []);
    }
}
