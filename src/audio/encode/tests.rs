use super::*;

/// A tone of 440 Hz.
fn tone(rate: u32, samples: usize) -> Vec<i16> {
    let step = 440.0 * std::f64::consts::TAU / f64::from(rate);
    let sample = |n: usize| ((f64::from(n as u32) * step).sin() * 12_000.0) as i16;
    (0..samples).map(sample).collect()
}

fn encoded(format: Format, rate: u32, samples: &[i16], piece: usize) -> Vec<u8> {
    let mut encoder = format.encoder(rate, None).unwrap();
    let pieces = samples.chunks(piece);
    let mut bytes: Vec<u8> = pieces
        .flat_map(|piece| encoder.push(piece).unwrap())
        .collect();
    bytes.extend(encoder.finish().unwrap());
    bytes
}

#[test]
fn bytes_do_not_depend_on_how_the_samples_come() {
    let samples = tone(22_050, 10_000);
    for format in Format::ALL {
        let whole = encoded(format, 22_050, &samples, samples.len());
        for piece in [1, 577, 6000] {
            let same = encoded(format, 22_050, &samples, piece) == whole;
            assert!(same, "{format} in pieces of {piece}");
        }
    }
}

#[test]
fn a_wav_says_how_long_it_is_where_that_is_known() {
    let samples = tone(16_000, 1234);
    let read = |bytes: &[u8]| {
        let reader = hound::WavReader::new(bytes).unwrap();
        assert_eq!(reader.spec().sample_rate, 16_000);
        let samples = reader.into_samples::<i16>();
        samples.map_while(Result::ok).collect::<Vec<_>>()
    };
    let mut encoder = Format::Wav.encoder(16_000, Some(1234)).unwrap();
    let mut bytes = encoder.push(&samples).unwrap();
    bytes.extend(encoder.finish().unwrap());
    assert_eq!(Some(bytes.len() as u64), Format::Wav.length(1234));
    assert_eq!(bytes[4..8], (36 + 2 * 1234_u32).to_le_bytes());
    assert_eq!(read(&bytes), samples);
    let unknown = encoded(Format::Wav, 16_000, &samples, 100);
    assert_eq!(
        (&unknown[4..8], &unknown[40..44]),
        (&[255; 4][..], &[255; 4][..])
    );
    assert_eq!(unknown[44..], bytes[44..]);
    let empty = encoded(Format::Wav, 16_000, &[], 1);
    assert_eq!(empty.len(), 44);
    assert_eq!(Format::Wav.length(u64::from(u32::MAX)), None);
}

/// The frames of an MP3 stream: how long each is in bytes, with its rate. Fails on whatever is between
/// them.
fn frames(bytes: &[u8]) -> Vec<(usize, u32)> {
    const V1: [u32; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const V2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let head = &bytes[at..at + 4];
        assert_eq!((head[0], head[1] & 0xe6), (255, 0xe2), "a frame at {at}");
        let version = (head[1] >> 3) & 3;
        let (rates, kilobits, per_frame) = match version {
            3 => ([44_100, 48_000, 32_000], V1, 144),
            2 => ([22_050, 24_000, 16_000], V2, 72),
            _ => ([11_025, 12_000, 8000], V2, 72),
        };
        let rate = rates[usize::from((head[2] >> 2) & 3)];
        let bits = kilobits[usize::from(head[2] >> 4)] * 1000;
        let padding = u32::from((head[2] >> 1) & 1);
        assert_eq!(head[3] >> 6, 3, "one channel");
        let length = (per_frame * bits / rate + padding) as usize;
        frames.push((length, rate));
        at += length;
    }
    assert_eq!(at, bytes.len(), "the last frame is whole");
    frames
}

#[test]
fn an_mp3_is_frames_of_one_size_and_nothing_else() {
    for (rate, becomes) in [
        (16_000, 16_000),
        (22_050, 22_050),
        (44_100, 24_000),
        (1000, 24_000),
    ] {
        let samples = tone(rate, rate as usize);
        let bytes = encoded(Format::Mp3, rate, &samples, 5000);
        let frames = frames(&bytes);
        assert!(frames.iter().all(|frame| frame.1 == becomes));
        let least = becomes as usize / 576;
        let count = frames.len();
        assert!(
            (least..least + 5).contains(&count),
            "{rate}: {count} of {least}"
        );
        let kilobits = bytes.len() as u64 * 8 / 1000;
        assert!((60..=72).contains(&kilobits), "{rate}: {kilobits} kbit/s");
    }
    for format in [Format::Mp3, Format::Pcm] {
        for rate in [0, 10, u32::MAX] {
            let refused = format.encoder(rate, None).map(drop).unwrap_err();
            assert_eq!(refused, EncodeError::Rate { format, rate });
        }
    }
}

#[test]
fn pcm_comes_at_its_own_rate_and_sounds_the_same() {
    for rate in [8000, 16_000, 22_050, 24_000, 44_100, 47_999] {
        let samples = tone(rate, rate as usize);
        let bytes = encoded(Format::Pcm, rate, &samples, 3000);
        let out: Vec<i16> = bytes
            .chunks(2)
            .map(|sample| i16::from_le_bytes([sample[0], sample[1]]))
            .collect();
        assert!(out.len().abs_diff(24_000) <= 1, "{rate}: {}", out.len());
        // The same tone, at the same time, but for the very ends.
        let wanted = tone(PCM_RATE, 24_000);
        let middle = 500..23_500;
        let worst = middle.map(|n| (i32::from(out[n]) - i32::from(wanted[n])).abs());
        assert!(worst.max().unwrap() < 120, "{rate}");
    }
}

#[test]
fn what_a_slower_rate_can_not_hold_is_left_out() {
    // 15 kHz, of which 24,000 samples a second would make 9 kHz.
    let step = 15_000.0 * std::f64::consts::TAU / 44_100.0;
    let samples: Vec<i16> = (0..44_100)
        .map(|n| (f64::from(n) * step).sin() * 12_000.0)
        .map(|sample| sample as i16)
        .collect();
    let bytes = encoded(Format::Pcm, 44_100, &samples, 44_100);
    let loudest = bytes[2000..46_000].chunks(2);
    let loudest = loudest.map(|sample| i16::from_le_bytes([sample[0], sample[1]]).abs());
    assert!(loudest.max().unwrap() < 12);
}

/// Another program takes them for what they are: two joined MP3 files for one as long as both, and a WAV
/// file of unknown length for all that is there.
#[test]
fn ffmpeg_decodes_all_of_it() {
    let decode = |bytes: &[u8], format: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sound");
        std::fs::write(&file, bytes).unwrap();
        let mut command = std::process::Command::new("ffmpeg");
        command
            .args(["-v", "error", "-nostdin"])
            .args(format)
            .arg("-i")
            .arg(&file);
        let ran = command.args(["-f", "s16le", "-"]).output();
        let ran = match ran {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            ran => ran.unwrap(),
        };
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success() && said.is_empty(), "{said}");
        let samples = ran.stdout.chunks(2);
        Some(
            samples
                .map(|sample| i16::from_le_bytes([sample[0], sample[1]]))
                .collect::<Vec<_>>(),
        )
    };
    let samples = tone(22_050, 44_100);
    let once = encoded(Format::Mp3, 22_050, &samples, 3000);
    let Some(sound) = decode(&once, &[]) else {
        println!("left out: there is no ffmpeg");
        return;
    };
    // A frame or two more, for the codec begins and ends with some silence.
    assert!(
        (44_100..44_100 + 3 * 576).contains(&sound.len()),
        "{}",
        sound.len()
    );
    let loudest = sound
        .iter()
        .map(|sample| sample.unsigned_abs())
        .max()
        .unwrap();
    assert!((11_000..13_500).contains(&loudest), "{loudest}");
    let twice = decode(&[once.clone(), once].concat(), &[]).unwrap();
    assert_eq!(twice.len(), 2 * sound.len());
    let wav = encoded(Format::Wav, 22_050, &samples, 3000);
    assert_eq!(decode(&wav, &[]).unwrap(), samples);
}
