//! What lies between the halves of a Piper voice, and the parts in which it is made into samples.

use std::ops::Range;

use super::super::SpeechError;
use super::super::onnx::{Decoder, Inputs, Model, Stop, Values};

/// How frames become samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frames {
    /// The samples of a frame.
    pub hop: usize,
    /// How many frames on either side a sample depends on.
    pub reach: usize,
}

impl From<&Decoder> for Frames {
    fn from(decoder: &Decoder) -> Self {
        Self {
            hop: decoder.hop,
            reach: decoder.reach,
        }
    }
}

/// What the first half gives: some values for each frame, and perhaps some of the speaker.
#[derive(Debug)]
pub(super) struct Latent {
    values: Vec<Values>,
    /// How many frames there are.
    pub frames: usize,
}

impl Latent {
    pub(super) fn new(values: Vec<Values>) -> Self {
        let frames = values.iter().filter_map(frames_of).max().unwrap_or(0);
        Self { values, frames }
    }

    /// The samples of the frames in `window`: as many as a frame has, times their number.
    ///
    /// # Errors
    /// Those of the run, or [`SpeechError::Run`] if it gave another number of samples.
    pub(super) fn decode(
        &self,
        window: Range<usize>,
        frames: Frames,
        decoder: &mut Model,
        stop: &Stop,
    ) -> Result<Vec<f32>, SpeechError> {
        let Frames { hop, reach } = frames;
        let seen = window.start.saturating_sub(reach)..(window.end + reach).min(self.frames);
        let names: Vec<String> = decoder.inputs().map(str::to_owned).collect();
        let mut inputs = Inputs::default();
        for (name, values) in names.into_iter().zip(&self.values) {
            let Values { shape, values } = if frames_of(values) == Some(self.frames) {
                cut(values, self.frames, seen.clone())
            } else {
                values.clone()
            };
            inputs.add(name, shape, values)?;
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
