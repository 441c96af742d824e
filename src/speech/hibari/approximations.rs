//! Functions of single numbers, fast enough for some hundred thousand of each in a second of speech. They
//! have no branches and call nothing, so that a loop over an array of them becomes vector instructions.
//! What goes in as not-a-number comes out as such, unless it says otherwise.
//!
//! The polynomials are minimax fits (Lawson's reweighted least squares on Chebyshev nodes).

/// Added and taken away again, it leaves the nearest whole number of what is below 2^22.
const WHOLE: f32 = 12_582_912.0;
/// The same of 64-bit floats below 2^51.
const WHOLE_64: f64 = 6_755_399_441_055_744.0;

/// The value at `x` of the polynomial with these coefficients, the constant first.
#[inline]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut value = 0.0;
    for coefficient in coefficients.into_iter().rev() {
        value = value * x + coefficient;
    }
    value
}

/// The smaller one; `x` if it is not a number, which `f32::min` would hide.
#[inline]
pub(super) fn at_most(x: f32, most: f32) -> f32 {
    if x > most { most } else { x }
}

#[inline]
fn at_least(x: f32, least: f32) -> f32 {
    if x < least { least } else { x }
}

/// `e^x`, to a relative error of 1e-6 between −87 and 88; beyond these it stays what it is there.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    let power = at_most(at_least(x, -87.0), 88.0) * std::f32::consts::LOG2_E;
    let shifted = power + WHOLE;
    let part = polynomial(
        power - (shifted - WHOLE),
        [
            1.000_000_1,
            0.693_147_23,
            0.240_221_07,
            0.055_502_97,
            0.009_676_04,
            0.001_341,
        ],
    );
    // The whole number stands in the last bits of `shifted`; here it becomes an exponent.
    part * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()))
}

/// The hyperbolic tangent, to 1e-6.
#[inline]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * at_most(at_least(x, -20.0), 20.0)) + 1.0)
}

/// Sine and cosine of an angle in turns, to 2e-6 and what the angle itself is rounded by, 4e-7 of it.
/// Any finite angle gives something between −1.01 and 1.01.
#[inline]
pub(super) fn sin_cos(turns: f32) -> (f32, f32) {
    let part = turns - ((turns + WHOLE) - WHOLE);
    // Of a huge angle more is left over.
    let part = at_most(at_least(part, -0.5), 0.5);
    let square = part * part;
    let sin = polynomial(
        square,
        [
            std::f32::consts::TAU,
            -41.341_698,
            81.605_02,
            -76.701_55,
            42.016_167,
            -14.868_611,
            3.199_693_4,
        ],
    );
    let cos = polynomial(
        square,
        [
            1.0,
            -19.739_204,
            64.939_12,
            -85.450_165,
            60.167_83,
            -25.968_313,
            6.529_61,
        ],
    );
    (part * sin, cos)
}

/// The sine of half of an angle of at most half a turn to either side, to a relative error of 1e-6.
#[inline]
pub(super) fn sin_of_half(turns: f32) -> f32 {
    let sin = polynomial(
        turns * turns,
        [
            std::f32::consts::PI,
            -5.167_71,
            2.550_077_7,
            -0.598_292_2,
            0.077_659_41,
        ],
    );
    turns * sin
}

/// The natural logarithm of a number that is positive, finite and no smaller than 2^-126, to 3e-6 between
/// 2^-32 and 1. It does not tell what is no number.
#[inline]
pub(super) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let fraction = f32::from_bits(bits & 0x007f_ffff | 1.0f32.to_bits()) - 1.0;
    let exponent = (bits >> 23).cast_signed() - 127;
    let part = polynomial(
        fraction,
        [
            0.999_998_9,
            -0.499_883_75,
            0.331_258_56,
            -0.235_737_42,
            0.150_569_8,
            -0.067_596_93,
            0.014_539_06,
        ],
    );
    #[expect(clippy::cast_precision_loss, reason = "at most 128")]
    let whole = exponent as f32;
    fraction * part + whole * std::f32::consts::LN_2
}

/// What is left of an angle in turns, between −0.5 and 0.5; for angles below 2^51.
#[inline]
pub(super) fn part_of_turn(turns: f64) -> f32 {
    (turns - ((turns + WHOLE_64) - WHOLE_64)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance from `exact`, divided by `scale`, at many places.
    fn worst(
        range: (f64, f64),
        got: impl Fn(f32) -> f32,
        exact: impl Fn(f64) -> f64,
        scale: impl Fn(f64) -> f64,
    ) -> f64 {
        let distance = |step: i32| {
            let x = range.0 + (range.1 - range.0) * f64::from(step) / 1e6;
            let x = f64::from(x as f32);
            (f64::from(got(x as f32)) - exact(x)).abs() / scale(x)
        };
        (0..=1_000_000).map(distance).fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_small_as_stated() {
        let one = |_| 1.0;
        // Near 0 and 7, where the voice's magnitudes are; further out the power itself is rounded.
        let of_exp = worst((-25.0, 8.0), exp, f64::exp, f64::exp);
        let of_exp_far = worst((-87.0, 88.0), exp, f64::exp, f64::exp);
        let of_tanh = worst((-25.0, 25.0), tanh, f64::tanh, one);
        let tau = std::f64::consts::TAU;
        let scale = |x: f64| 1.0 + 0.2 * x.abs();
        let of_sin = worst((-40.0, 40.0), |x| sin_cos(x).0, |x| (tau * x).sin(), scale);
        let of_cos = worst((-40.0, 40.0), |x| sin_cos(x).1, |x| (tau * x).cos(), scale);
        let half = |x: f64| (std::f64::consts::PI * x).sin();
        let of_half = worst((1e-6, 0.5), sin_of_half, half, half);
        let of_ln = worst((2f64.powi(-32), 1.0), ln, f64::ln, one);
        println!("exp {of_exp:e} {of_exp_far:e} tanh {of_tanh:e} sin {of_sin:e} cos {of_cos:e}");
        println!("half {of_half:e} ln {of_ln:e}");
        assert!(of_exp < 2e-6 && of_exp_far < 1e-5 && of_tanh < 1e-6);
        assert!(of_sin < 2e-6 && of_cos < 2e-6 && of_half < 1e-6 && of_ln < 3e-6);
    }

    #[test]
    fn extremes_stay_finite_and_what_is_no_number_stays_that() {
        for x in [0.0, -0.0, f32::MAX, f32::MIN, 8_388_609.0, -3e9, 1e-40] {
            let (sin, cos) = sin_cos(x);
            assert!(exp(x).is_finite() && tanh(x).abs() <= 1.0, "{x}");
            assert!(sin.abs() < 1.01 && cos.abs() < 1.01, "{x}");
        }
        let (sin, cos) = sin_cos(f32::NAN);
        let all = [exp(f32::NAN), tanh(f32::NAN), sin, cos];
        assert!(all.iter().all(|value| value.is_nan()), "{all:?}");
    }
}
