//! What a hibari voice's sound costs once the model has said what it is like: ten seconds of it, on one
//! thread. A second of speech takes a tenth of what is told.
//!
//!     cargo bench --bench waveform

use std::hint::black_box;

use aloud::speech::hibari::{BINS, Spectra, Waveform};
use criterion::{Criterion, criterion_group, criterion_main};

/// Ten seconds.
const FRAMES: usize = 800;

fn waveform(bencher: &mut Criterion) {
    let mut random = fastrand::Rng::with_seed(1);
    // About as loud as a voice's.
    let mut part = |middle: f32, around: f32| -> Vec<f32> {
        let value = |_| middle + around * (random.f32() - 0.5);
        (0..BINS * FRAMES).map(value).collect()
    };
    let parts = [
        part(-6.0, 12.0),
        part(0.0, 8.0),
        part(-12.0, 12.0),
        part(-5.0, 10.0),
        part(0.0, 12.0),
    ];
    // Voiced for most of the time.
    let pitch = (0..FRAMES).map(|frame| if frame % 50 < 35 { 190.0 } else { 1.0 });
    let pitch: Vec<f32> = pitch.collect();
    let parts = parts.each_ref().map(Vec::as_slice);
    let Some(spectra) = Spectra::new(parts, &pitch) else {
        return;
    };
    let mut waveform = Waveform::new();
    bencher.bench_function("ten seconds of a hibari voice", |bencher| {
        bencher.iter(|| waveform.samples(black_box(&spectra), 1, || false));
    });
}

criterion_group!(benches, waveform);
criterion_main!(benches);
