//! What lies between the halves of a Piper voice, and the parts in which it is made into samples.

use std::ops::Range;

use super::super::SpeechError;
use super::super::durations::as_heard;
use super::super::onnx::{Crop, Decoder, Inputs, Model, Stop, Values};

/// How frames become samples.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    /// The samples of a frame.
    pub hop: usize,
    /// How many frames on either side a sample depends on.
    pub reach: usize,
    /// What the first half gives of the durations, if it does.
    pub durations: Option<String>,
    /// Samples a second.
    pub rate: u32,
    /// Where the second half cuts off what nothing looks at any more.
    pub crops: Vec<Crop>,
}

impl Frames {
    /// Of a second half as it is in its file.
    pub(super) fn new(decoder: &Decoder, rate: u32) -> Self {
        Self {
            hop: decoder.hop,
            reach: decoder.reach,
            durations: decoder.durations.clone(),
            rate,
            crops: Vec::new(),
        }
    }

    /// What the second half takes of the first, of all that it takes.
    pub(super) fn wanted(&self, decoder: &Model) -> Vec<String> {
        let is_place = |name: &&str| {
            let mut crops = self.crops.iter();
            crops.any(|crop| crop.from == *name || crop.to == *name)
        };
        let inputs = decoder.inputs().filter(|name| !is_place(name));
        inputs.map(str::to_owned).collect()
    }
}

/// What the first half gives: some values for each frame, and perhaps some of the speaker.
#[derive(Debug)]
pub(super) struct Latent {
    values: Vec<Values>,
    /// How many frames there are.
    pub frames: usize,
    /// How many samples each input takes, all of them together. Empty if the voice does not tell.
    pub durations: Vec<u32>,
}

impl Latent {
    /// What the first half gave for so many inputs: what the second takes, and then the durations if it
    /// gives these.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if the frames are not as many as the durations say.
    pub(super) fn new(
        mut values: Vec<Values>,
        inputs: usize,
        frames: &Frames,
    ) -> Result<Self, SpeechError> {
        let durations = frames.durations.as_ref().and_then(|_| values.pop());
        let durations = durations.and_then(|values| durations_of(&values, inputs));
        let count = values.iter().filter_map(frames_of).max().unwrap_or(0);
        let told: u64 = durations.iter().flatten().map(|&one| u64::from(one)).sum();
        if durations.is_some() && told != count as u64 {
            let reason = format!("durations of {told} frames gave {count}");
            return Err(SpeechError::Run(reason));
        }
        let durations = durations.map(|durations| in_samples(&durations, frames));
        Ok(Self {
            values,
            frames: count,
            durations: durations.unwrap_or_default(),
        })
    }

    /// The samples of the frames in `window`: as many as a frame has, times their number.
    ///
    /// # Errors
    /// Those of the run, or [`SpeechError::Run`] if it gave another number of samples.
    pub(super) fn decode(
        &self,
        window: Range<usize>,
        frames: &Frames,
        decoder: &mut Model,
        stop: &Stop,
    ) -> Result<Vec<f32>, SpeechError> {
        let &Frames { hop, reach, .. } = frames;
        let mut seen = window.start.saturating_sub(reach)..(window.end + reach).min(self.frames);
        let names = frames.wanted(decoder);
        let mut inputs = Inputs::default();
        for (name, values) in names.into_iter().zip(&self.values) {
            let Values { shape, values } = if frames_of(values) == Some(self.frames) {
                cut(values, self.frames, seen.clone())
            } else {
                values.clone()
            };
            inputs.add(name, shape, values)?;
        }
        for crop in &frames.crops {
            let left = seen.start.max(window.start.saturating_sub(crop.margin))
                ..seen.end.min(window.end + crop.margin);
            let from = crop.before + (left.start - seen.start) * crop.rate;
            let place = |place: usize| vec![i64::try_from(place).unwrap_or(i64::MAX)];
            inputs.add(crop.from.as_str(), vec![1], place(from))?;
            inputs.add(
                crop.to.as_str(),
                vec![1],
                place(from + left.len() * crop.rate),
            )?;
            seen = left;
        }
        let mut samples = decoder.run(inputs, stop)?.values;
        if samples.len() != seen.len() * hop {
            let (frames, got) = (seen.len(), samples.len());
            let reason = format!("{frames} frames gave {got} samples and not {hop} each");
            return Err(SpeechError::Run(reason));
        }
        samples.truncate((window.end - seen.start) * hop);
        samples.drain(..(window.start - seen.start) * hop);
        Ok(samples)
    }
}

/// How many frames there are in values of shape `[1, channels, frames]`.
fn frames_of(values: &Values) -> Option<usize> {
    match values.shape[..] {
        [1, _, frames] => usize::try_from(frames).ok(),
        _ => None,
    }
}

/// Durations of so many inputs, shape `[1, 1, inputs]`: whole numbers. `None` if it is something else that
/// the model rounds up.
fn durations_of(values: &Values, inputs: usize) -> Option<Vec<u32>> {
    // Beyond it not each whole number is one of these floats.
    const MOST: f32 = 16_777_216.0;
    let count = i64::try_from(inputs).ok()?;
    if values.shape != [1, 1, count] || values.values.len() != inputs {
        return None;
    }
    let whole = |&frames: &f32| {
        let is_count = (0.0..MOST).contains(&frames) && frames.fract() == 0.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below 2^24"
        )]
        is_count.then_some(frames as u32)
    };
    values.values.iter().map(whole).collect()
}

/// How long before its durations say so a phoneme is heard, in seconds: what lies between the durations of
/// 1,026 words and their places by forced alignment (half of them between 30 and 64 ms).
const LEAD: f64 = 0.048;

/// The samples of each input from its frames.
fn in_samples(durations: &[u32], frames: &Frames) -> Vec<u32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousand samples"
    )]
    let lead = (LEAD * f64::from(frames.rate)) as u64;
    as_heard(durations, frames.hop, lead)
}

/// The same of some of the frames.
fn cut(values: &Values, frames: usize, seen: Range<usize>) -> Values {
    let mut shape = values.shape.clone();
    if let Some(last) = shape.last_mut() {
        *last = i64::try_from(seen.len()).unwrap_or(i64::MAX);
    }
    let channels = values.values.chunks_exact(frames.max(1));
    Values {
        shape,
        values: channels
            .flat_map(|channel| &channel[seen.clone()])
            .copied()
            .collect(),
    }
}

/// Cuts so many frames into windows of much the same length, none longer than `most`.
pub(super) fn windows(frames: usize, most: usize) -> Vec<Range<usize>> {
    let count = frames.div_ceil(most.max(1));
    (0..count)
        .map(|index| frames * index / count..frames * (index + 1) / count)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of so many samples each, at 10,000 a second.
    fn frames(hop: usize) -> Frames {
        Frames {
            hop,
            reach: 1,
            durations: Some("d".into()),
            rate: 10_000,
            crops: Vec::new(),
        }
    }

    #[test]
    fn durations_are_told_where_they_are_heard() {
        let frames = frames(100);
        assert_eq!(in_samples(&[2, 9, 0, 5], &frames), [0, 620, 0, 980]);
        assert_eq!(in_samples(&[1], &frames), [100]);
        assert_eq!(in_samples(&[], &frames), [0; 0]);
    }

    #[test]
    fn durations_are_as_many_frames_as_there_are() {
        let values = |shape: Vec<i64>, values: Vec<f32>| Values { shape, values };
        let frames = frames(1000);
        let latent = |shape, durations: Vec<f32>| {
            let latent = values(vec![1, 1, 5], vec![0.0; 5]);
            Latent::new(vec![latent, values(shape, durations)], 2, &frames)
        };
        let told = latent(vec![1, 1, 2], vec![2.0, 3.0]).unwrap();
        assert_eq!((told.durations, told.frames), (vec![1520, 3480], 5));
        // Something else that the model rounds up.
        for other in [vec![2.5, 2.5], vec![-1.0, 6.0], vec![f32::NAN, 5.0]] {
            assert_eq!(latent(vec![1, 1, 2], other).unwrap().durations, [0; 0]);
        }
        assert_eq!(latent(vec![2], vec![2.0, 3.0]).unwrap().durations, [0; 0]);
        let error = latent(vec![1, 1, 2], vec![2.0, 4.0]).unwrap_err();
        assert!(error.to_string().contains("6 frames gave 5"), "{error}");
    }

    #[test]
    fn a_window_is_cut_out_of_every_channel() {
        let values = Values {
            shape: vec![1, 2, 4],
            values: vec![0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0],
        };
        let cut = cut(&values, 4, 1..3);
        assert_eq!(cut.shape, [1, 2, 2]);
        assert_eq!(cut.values, [1.0, 2.0, 11.0, 12.0]);
    }

    proptest! {
        #[test]
        fn windows_follow_each_other_and_none_is_too_long(
            frames in 0usize..5000,
            most in 1usize..300,
        ) {
            let windows = windows(frames, most);
            let mut next = 0;
            for window in &windows {
                prop_assert_eq!(window.start, next);
                prop_assert!(!window.is_empty() && window.len() <= most);
                next = window.end;
            }
            prop_assert_eq!(next, frames);
            let lengths = || windows.iter().map(Range::len);
            prop_assert!(lengths().max() <= lengths().min().map(|least| least + 1));
        }
    }
}
