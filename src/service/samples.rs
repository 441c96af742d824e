//! What the voices that can be fetched sound like: a sentence of each, which it has said itself, so that it
//! can be heard before it is fetched. Their licences are those of the voices.

use rusty_mp3::{Error, Mp3Decoder};

/// The samples by name.
macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("samples/", $name, ".mp3")))),*]
    };
}

const SAMPLES: &[(&str, &[u8])] = samples![
    "af_alloy",
    "af_aoede",
    "af_bella",
    "af_heart",
    "af_jessica",
    "af_kore",
    "af_nicole",
    "af_nova",
    "af_river",
    "af_sarah",
    "af_sky",
    "am_adam",
    "am_echo",
    "am_eric",
    "am_fenrir",
    "am_liam",
    "am_michael",
    "am_onyx",
    "am_puck",
    "am_santa",
    "bf_alice",
    "bf_emma",
    "bf_isabella",
    "bf_lily",
    "bm_daniel",
    "bm_fable",
    "bm_george",
    "bm_lewis",
    "ef_dora",
    "em_alex",
    "em_santa",
    "en_US-joe-medium",
    "ff_siwis",
    "hf_alpha",
    "hf_beta",
    "hibari",
    "hm_omega",
    "hm_psi",
    "if_sara",
    "im_nicola",
    "pf_dora",
    "pm_alex",
    "pm_santa",
];

/// A sentence of the voice of this name, in MP3; `None` if there is none.
pub(super) fn of(voice: &str) -> Option<&'static [u8]> {
    let mut samples = SAMPLES.iter();
    samples
        .find(|(name, _)| *name == voice)
        .map(|(_, sample)| *sample)
}

/// Its samples, mono, and how many of them make a second. `None` if that is no MP3.
pub(super) fn decoded(mp3: &[u8]) -> Option<(Vec<f32>, u32)> {
    let mut decoder = Mp3Decoder::new();
    decoder.push(mp3);
    decoder.flush();
    let (mut samples, mut rate) = (Vec::new(), None);
    loop {
        match decoder.next_frame() {
            Ok(frame) => {
                rate.get_or_insert(frame.sample_rate);
                samples.extend_from_slice(&frame.samples);
            }
            Err(Error::Again | Error::Eof) => break,
            Err(_) => return None,
        }
    }
    Some((samples, rate?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Catalogue;

    #[test]
    fn each_voice_that_can_be_fetched_can_be_heard_before() {
        let catalogue = Catalogue::builtin();
        let voices = catalogue.pieces.iter().flat_map(|piece| &piece.voices);
        let mut heard = 0;
        for voice in voices {
            let mp3 = of(&voice.name).unwrap_or_else(|| panic!("no {}", voice.name));
            let (samples, rate) = decoded(mp3).unwrap();
            let seconds = samples.len() / rate as usize;
            assert!((3..=7).contains(&seconds), "{}: {seconds} s", voice.name);
            assert!(
                samples.iter().any(|sample| sample.abs() > 0.5),
                "{}",
                voice.name
            );
            heard += 1;
        }
        assert_eq!(heard, SAMPLES.len());
        assert_eq!((of("nobody"), decoded(b"no sound")), (None, None));
    }
}
