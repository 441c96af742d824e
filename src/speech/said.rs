//! What a Kokoro model has said, or hibari, which was made after one; and how several of it become one.

use super::durations::as_heard;

/// The samples of a duration of 1.
const UNIT: usize = 600;
/// How many samples before its durations say so a phoneme is heard: 75 ms, about what lies between the
/// durations and the places by forced alignment (half of the words between 55 and 110 ms).
const LEAD: u64 = 1800;
/// What is quieter than this is a pause; 1.0 is full scale.
const QUIET: f32 = 0.01;
/// How much of the pause stays where two pieces meet, in samples before and behind: the model begins and
/// ends each with one that is right for a sentence, 0.3 and 0.5 s.
const PAUSE: (usize, usize) = (3600, 1800);

/// Something that was said at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// At 24,000 a second.
    pub samples: Vec<f32>,
    /// The samples of each id, of all of them together; empty if the model does not tell.
    pub durations: Vec<u32>,
}

impl Said {
    /// What a model has made of so many ids. `units` are its durations, if they are those.
    pub(super) fn new(samples: Vec<f32>, units: &[i64], ids: usize) -> Self {
        let durations = in_samples(units, ids, samples.len()).unwrap_or_default();
        Self { samples, durations }
    }

    /// Takes samples off the end, and from the durations of the last ids.
    fn cut_end(&mut self, count: usize) {
        let length = self.samples.len() - count;
        self.samples.truncate(length);
        take(self.durations.iter_mut().rev(), count);
    }

    /// The same at the beginning.
    fn cut_start(&mut self, count: usize) {
        self.samples.drain(..count);
        take(self.durations.iter_mut(), count);
    }
}

/// Takes `count` from these, from each what it has until it is enough.
fn take<'d>(durations: impl Iterator<Item = &'d mut u32>, count: usize) {
    let mut left = u32::try_from(count).unwrap_or(u32::MAX);
    for duration in durations {
        let part = left.min(*duration);
        *duration -= part;
        left -= part;
    }
}

fn in_samples(units: &[i64], ids: usize, samples: usize) -> Option<Vec<u32>> {
    let units: Result<Vec<u32>, _> = units.iter().map(|&one| u32::try_from(one)).collect();
    let units = units.ok().filter(|units| units.len() == ids)?;
    let told: u64 = units.iter().map(|&one| u64::from(one) * UNIT as u64).sum();
    (told == samples as u64).then(|| as_heard(&units, UNIT, LEAD))
}

/// Pieces of one utterance, one after the other, with a short pause where two meet. Each begins and ends
/// with an id for silence; of those only the first and the last stay.
pub(super) fn join(pieces: Vec<Said>) -> Said {
    let last = pieces.len().saturating_sub(1);
    let tell = pieces.iter().all(|piece| !piece.durations.is_empty());
    let mut joined = Said::default();
    for (index, mut piece) in pieces.into_iter().enumerate() {
        let is_quiet = |sample: &&f32| sample.abs() < QUIET;
        let (behind, before) = PAUSE;
        if index < last {
            let quiet = piece.samples.iter().rev().take_while(is_quiet).count();
            piece.cut_end(quiet.saturating_sub(behind));
        }
        if index > 0 {
            let quiet = piece.samples.iter().take_while(is_quiet).count();
            piece.cut_start(quiet.saturating_sub(before));
        }
        joined.samples.append(&mut piece.samples);
        let mut durations = piece.durations.into_iter();
        // The silence between two belongs to what was said last.
        if let Some(end) = joined.durations.pop() {
            let begin = durations.next().unwrap_or_default();
            if let Some(said) = joined.durations.last_mut() {
                *said += end + begin;
            }
        }
        joined.durations.extend(durations);
    }
    if !tell {
        joined.durations.clear();
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids for silence around three others, of 1 s each, the sound in the middle.
    fn said() -> Said {
        let mut samples = vec![0.0; 5 * 24_000];
        samples[24_000..4 * 24_000].fill(0.5);
        Said::new(samples, &[40; 5], 5)
    }

    #[test]
    fn pieces_meet_with_a_short_pause_and_keep_every_id() {
        let one = said();
        assert_eq!(one.durations.iter().sum::<u32>(), 5 * 24_000);
        assert_eq!(join(vec![one.clone()]), one);
        let two = join(vec![said(), said()]);
        // Silence, three, three, silence.
        assert_eq!(two.durations.len(), 8);
        let length = two.samples.len();
        assert_eq!(length, 8 * 24_000 + PAUSE.0 + PAUSE.1);
        let told: u32 = two.durations.iter().sum();
        assert_eq!(told as usize, length);
        let pause = &two.samples[4 * 24_000..][..PAUSE.0 + PAUSE.1];
        assert!(pause.iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn durations_are_those_of_the_sound_or_none() {
        assert_eq!(
            in_samples(&[10, 2, 0, 4], 4, 16 * 600),
            Some(vec![4200, 1200, 0, 4200])
        );
        // Others than the ids, less than nothing, and of another sound.
        assert_eq!(in_samples(&[10, 2], 4, 12 * 600), None);
        assert_eq!(in_samples(&[-1, 2], 2, 600), None);
        assert_eq!(in_samples(&[1, 2], 2, 4 * 600), None);
        assert_eq!(in_samples(&[i64::MAX, 2], 2, 4 * 600), None);
    }

    #[test]
    fn nothing_is_told_of_a_whole_of_which_a_part_does_not_tell() {
        let silent = Said::new(vec![0.5; 600], &[1, 1], 3);
        assert!(silent.durations.is_empty());
        let both = join(vec![said(), silent, said()]);
        assert!(both.durations.is_empty());
        assert_eq!(join(Vec::new()), Said::default());
    }
}
