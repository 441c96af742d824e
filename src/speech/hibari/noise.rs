//! The noise in a voice: Gaussian numbers that depend on a seed and their place alone, so that whoever
//! makes a part of a sound makes the same.
//!
//! Each frame has a generator of its own, xoshiro128+ of Blackman and Vigna
//! (<https://prng.di.unimi.it/xoshiro128plus.c>, public domain), which begins with what their splitmix64
//! makes of the seed and the frame's number. It has only shifts and sums, and runs for [`LANES`] frames
//! side by side. Box and Muller's transform makes two Gaussian numbers of two uniform ones.

use super::approximations::{ln, sin_cos};

/// So many frames are made at once.
pub(super) const LANES: usize = 16;

/// A number for each of the frames that are made at once.
pub(super) type Lanes = [f32; LANES];

/// The generators of some neighbouring frames.
pub(super) struct Noise {
    state: [[u32; LANES]; 4],
}

impl Noise {
    /// For the frames from `first` on.
    pub(super) fn new(seed: u64, first: usize) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            let mut number = seed ^ splitmix(&mut ((first + lane) as u64));
            let (one, other) = (splitmix(&mut number), splitmix(&mut number));
            // All zeros would stay zeros.
            let words = [one, one >> 32 | 1, other, other >> 32];
            for (state, word) in state.iter_mut().zip(words) {
                state[lane] = word as u32;
            }
        }
        Self { state }
    }

    /// Two independent numbers of mean 0 and variance 1 for each frame.
    #[inline]
    pub(super) fn next(&mut self) -> (Lanes, Lanes) {
        let (one, other) = (self.bits(), self.bits());
        let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            // Never 0, which has no logarithm.
            let uniform = (to_float(one[lane]) + 0.5) * UNIT;
            // The logarithm of what is almost 1 may come out above 0.
            let radius = (-2.0 * ln(uniform)).max(0.0).sqrt();
            let (sin, cos) = sin_cos(to_float(other[lane]) * UNIT);
            real[lane] = radius * cos;
            imaginary[lane] = radius * sin;
        }
        (real, imaginary)
    }

    #[inline]
    fn bits(&mut self) -> [u32; LANES] {
        let mut bits = [0; LANES];
        let [a, b, c, d] = &mut self.state;
        for lane in 0..LANES {
            bits[lane] = a[lane].wrapping_add(d[lane]);
            let shifted = b[lane] << 9;
            c[lane] ^= a[lane];
            d[lane] ^= b[lane];
            b[lane] ^= c[lane];
            a[lane] ^= d[lane];
            c[lane] ^= shifted;
            d[lane] = d[lane].rotate_left(11);
        }
        bits
    }
}

/// One of 2^23.
const UNIT: f32 = 1.0 / 8_388_608.0;

/// The upper 23 bits, which are the better ones; with a half added they still fit a float.
#[inline]
fn to_float(bits: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "it has 23 bits")]
    let float = (bits >> 9).cast_signed() as f32;
    float
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    #[test]
    fn it_is_gaussian_and_its_parts_have_nothing_to_do_with_each_other() {
        let count = 601 * LANES * 8;
        let mut pairs = Vec::new();
        for first in (0..8 * LANES).step_by(LANES) {
            let mut noise = Noise::new(7, first);
            for _ in 0..601 {
                let (real, imaginary) = noise.next();
                pairs.extend(real.into_iter().zip(imaginary));
            }
        }
        assert_eq!(pairs.len(), count);
        let mean = |of: &dyn Fn(f64, f64) -> f64| {
            let values = pairs.iter().map(|&(a, b)| of(f64::from(a), f64::from(b)));
            values.sum::<f64>() / count as f64
        };
        // Five standard errors of 77,000 values.
        assert!(mean(&|a, _| a).abs() < 0.02 && mean(&|_, b| b).abs() < 0.02);
        assert!((mean(&|a, _| a * a) - 1.0).abs() < 0.03);
        assert!((mean(&|_, b| b * b) - 1.0).abs() < 0.03);
        assert!((mean(&|a, b| (a * a + b * b).powi(2)) - 8.0).abs() < 0.5);
        assert!(mean(&|a, b| a * b).abs() < 0.02);
        // From one frame to the next, and from one bin to the next.
        for step in [1, LANES] {
            let products = pairs.windows(step + 1).map(|all| all[0].0 * all[step].0);
            assert!(
                (products.sum::<f32>() / count as f32).abs() < 0.02,
                "{step}"
            );
        }
    }

    #[test]
    fn a_frame_has_the_same_noise_wherever_it_is_made() {
        let mut early = Noise::new(7, 0);
        let mut late = Noise::new(7, 5);
        let mut other = Noise::new(8, 5);
        for _ in 0..10 {
            let (early, late, other) = (early.next(), late.next(), other.next());
            assert_eq!(early.0[5..], late.0[..LANES - 5]);
            assert_eq!(early.1[5..], late.1[..LANES - 5]);
            assert_ne!(other, late);
        }
    }
}
