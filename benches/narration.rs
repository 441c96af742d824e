//! What a narration costs beside the model: cutting a text, phonemes, WAV files, joining, and the
//! store of kept clips, with few clips in it and with many. The phonemes need an installed voice
//! (`aloud setup`).
//!
//!     cargo bench --bench narration [-- --save-baseline NAME | --baseline NAME]

use std::hint::black_box;
use std::path::Path;

use aloud::clip::{self, ClipKey, ClipStore, KeptClip, Part, WAV_LIMIT};
use aloud::narrate::load_voice;
use aloud::settings::{Overrides, Settings};
use aloud::text::{Limits, decode, format_for, segment};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TEXT: &str = include_str!("../tests/peers/text.txt");
const RATE: u32 = 22_050;

/// Some seconds of a sound that is not all the same.
fn samples(seconds: u32) -> Vec<f32> {
    (0..seconds * RATE)
        .map(|n| f64::from(n) / f64::from(RATE))
        .map(|time| (0.6 * (time * 1400.0).sin() * (time * 3.0).sin()) as f32)
        .collect()
}

/// From bytes to segments: a text of 1,480 words, and a hundred of them.
fn text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cut a text");
    for (words, times) in [("1,480 words", 1), ("148,000 words", 100)] {
        let text = TEXT.repeat(times);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.sample_size(if times > 1 { 10 } else { 50 });
        group.bench_function(words, |b| {
            b.iter_batched(
                || text.clone().into_bytes(),
                |bytes| {
                    let source = decode(bytes).expect("the text is UTF-8");
                    let format = format_for(Some(Path::new("text.txt")), &source.text);
                    let document = format.parse(&source.text);
                    let cut = segment(&source.text, &document, "en", &Limits::default());
                    assert!(cut.segments.len() >= 90 * times);
                    cut
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// From a segment's text to the numbers that the model takes.
fn phonemes(criterion: &mut Criterion) {
    let settings: Settings = aloud::settings::load(Overrides::default()).expect("the settings");
    let voice = load_voice(&settings, &settings.voice).expect("a voice: run `aloud setup` first");
    let front_end = voice
        .front_end()
        .expect("eSpeak NG: run `aloud setup` first");
    let sentence = "The lamps along the quay were lit one after the other, and each of them drew a \
                    yellow circle on the wet stones.";
    criterion.bench_function("phonemes of a sentence", |b| {
        b.iter(|| {
            let utterance = front_end
                .prepare(black_box(sentence))
                .expect("it can be spoken");
            assert!(utterance.ids.len() > 100);
            utterance
        });
    });
}

/// WAV files of ten seconds: encoded, drawn, and a hundred of them joined.
fn wav(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("WAV");
    let (samples, folder) = (
        samples(10),
        tempfile::tempdir().expect("a temporary folder"),
    );
    let path = folder.path().join("clip.wav");
    group.throughput(Throughput::Elements(samples.len() as u64));
    group.bench_function("encode 10 s", |b| {
        b.iter(|| clip::encode(black_box(&samples), RATE, &path).expect("it fits"));
    });
    group.bench_function("check 10 s", |b| {
        b.iter(|| clip::check(black_box(&samples), RATE, 100, 1.0));
    });
    let bytes = clip::encode(&samples, RATE, &path).expect("it fits");
    std::fs::write(&path, &bytes).expect("the disk has room");
    group.bench_function("draw 10 s", |b| {
        b.iter(|| clip::peaks(&path, 200).expect("it is a WAV file"));
    });
    let parts = vec![
        Part {
            path,
            samples: samples.len() as u64,
            peak: 0.6,
            checksum: Some(crc32fast::hash(&bytes)),
            pause: u64::from(RATE / 2),
        };
        100
    ];
    group.throughput(Throughput::Elements(100 * samples.len() as u64));
    group.sample_size(10);
    let joined = folder.path().join("joined.wav");
    group.bench_function("join 100 of 10 s", |b| {
        b.iter_batched(
            // One that is there already would be taken as it is.
            || drop(std::fs::remove_file(&joined)),
            |()| clip::join(&parts, RATE, &joined, WAV_LIMIT, || true).expect("the disk has room"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Kept clips of four seconds, in a store of few and of many.
fn kept(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kept clips");
    let key = |n: u32| ClipKey::of(&[&n.to_le_bytes()]);
    let samples = samples(4);
    let clip = KeptClip {
        wav: clip::encode(&samples, RATE, Path::new("clip.wav")).expect("it fits"),
        samples: samples.len() as u64,
        rate: RATE,
        peak: 0.6,
        durations: vec![256; 300],
    };
    let small = KeptClip {
        wav: clip.wav[..100].to_vec(),
        ..clip.clone()
    };
    for count in [10, 10_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = ClipStore::new(folder.path());
        for n in 1..count {
            store.put(&key(n), &small).expect("the disk has room");
        }
        store.put(&key(0), &clip).expect("the disk has room");
        group.bench_function(BenchmarkId::new("get", count), |b| {
            b.iter(|| store.get(&key(0)).expect("it is there"));
        });
        group.bench_function(BenchmarkId::new("miss", count), |b| {
            b.iter(|| assert!(store.get(&key(u32::MAX)).is_none()));
        });
        group.bench_function(BenchmarkId::new("put", count), |b| {
            b.iter(|| store.put(&key(0), &clip).expect("the disk has room"));
        });
    }
    group.finish();
}

criterion_group!(benches, text, phonemes, wav, kept);
criterion_main!(benches);
