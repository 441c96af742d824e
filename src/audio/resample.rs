//! Samples at another rate: a windowed sinc, evaluated at the phases that the two rates have in common.
//! The ratio is exact, the phase is linear, and nothing depends on the pieces in which samples come.
//!
//! The filter's formula and its width are those of Kaiser's window design (Oppenheim and Schafer,
//! "Discrete-Time Signal Processing", section 7.5): 64 samples at β = 8.6 stop about 87 dB, over a
//! transition of 0.18 of the band.

use std::f64::consts::PI;

/// Samples of the slower rate on each side of a new one that it is made of.
const HALF: f64 = 32.0;
/// Kaiser's β.
const BETA: f64 = 8.6;
/// The middle of the transition, as a part of the band that both rates hold.
const CUTOFF: f64 = 0.91;
/// So fast are the rates that it takes, in samples a second.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 1000..=192_000;

/// Turns samples of one rate into samples of another.
pub(crate) struct Resampler {
    /// New samples for each `down` old ones.
    up: u64,
    down: u64,
    /// Old samples on each side of a new one.
    half: usize,
    /// Weights of the old samples around a new one, for each of `up` places between two old ones.
    weights: Vec<f32>,
    /// Old samples that are still needed.
    old: Vec<f32>,
    /// How many went before them.
    gone: u64,
    /// How many came, and how many were made.
    came: u64,
    made: u64,
}

impl Resampler {
    /// From one rate of [`RATES`] to another.
    pub(crate) fn new(from: u32, to: u32) -> Self {
        let common = greatest_divisor(from, to);
        let (up, down) = (to / common, from / common);
        let band = (f64::from(to) / f64::from(from)).min(1.0);
        let reach = HALF / band;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some hundreds at most, or some thousands"
        )]
        let half = reach.ceil() as usize;
        Self {
            up: up.into(),
            down: down.into(),
            half,
            weights: weights(up, half, reach, band * CUTOFF),
            // Before the first sample there is silence.
            old: vec![0.0; half - 1],
            gone: 0,
            came: 0,
            made: 0,
        }
    }

    /// Takes samples, and gives those that are ready.
    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = f32>) -> Vec<f32> {
        let before = self.old.len();
        self.old.extend(samples);
        self.came += (self.old.len() - before) as u64;
        self.make(u64::MAX)
    }

    /// Gives the last ones. As many were made as last as long as those that came.
    pub(crate) fn finish(&mut self) -> Vec<f32> {
        // After the last sample there is silence.
        self.old.extend(std::iter::repeat_n(0.0, self.half));
        let all = (self.came * self.up).div_ceil(self.down);
        self.make(all)
    }

    fn make(&mut self, most: u64) -> Vec<f32> {
        let taps = 2 * self.half;
        let mut new = Vec::new();
        while self.made < most {
            let at = self.made * self.down;
            let (Ok(begin), Ok(phase)) = (
                usize::try_from(at / self.up - self.gone),
                usize::try_from(at % self.up),
            ) else {
                break;
            };
            let Some(old) = self.old.get(begin..begin + taps) else {
                let unused = begin.min(self.old.len());
                self.old.drain(..unused);
                self.gone += unused as u64;
                break;
            };
            let weights = &self.weights[phase * taps..][..taps];
            let products = old.iter().zip(weights).map(|(old, weight)| old * weight);
            new.push(products.sum());
            self.made += 1;
        }
        new
    }
}

fn weights(phases: u32, half: usize, reach: f64, cutoff: f64) -> Vec<f32> {
    let mut all = Vec::with_capacity(phases as usize * 2 * half);
    for phase in 0..phases {
        let between = f64::from(phase) / f64::from(phases);
        #[expect(clippy::cast_precision_loss, reason = "some thousands at most")]
        let distance = |tap: usize| tap as f64 - (half as f64 - 1.0) - between;
        let taps: Vec<f64> = (0..2 * half)
            .map(|tap| sinc(distance(tap) * cutoff) * kaiser(distance(tap) / reach))
            .collect();
        // What does not move stays as loud as it is.
        let sum: f64 = taps.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "precise enough for 16 bits"
        )]
        all.extend(taps.iter().map(|tap| (tap / sum) as f32));
    }
    all
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// From -1 to 1; nothing beyond.
fn kaiser(x: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside <= 0.0 {
        return 0.0;
    }
    bessel(BETA * inside.sqrt()) / bessel(BETA)
}

/// The modified Bessel function I₀ by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        let half = x / 2.0 / f64::from(n);
        term *= half * half;
        sum += term;
    }
    sum
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a.max(1)
    } else {
        greatest_divisor(b, a % b)
    }
}
