//! The activation "Snake", x + sin²(alpha · x) · factor, in one pass.
//!
//! Its definition: <https://arxiv.org/abs/2006.08195>.

use ort::operator::{
    ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

use super::rows::{Numbers, Row, Stretched, common_shape, fill, input, output};

pub(super) const NAME: &str = "Snake";

/// Takes `x`, `alpha` and `factor`, which are stretched to one shape.
pub(super) struct Snake;

impl Operator for Snake {
    type Kernel<'attr> = SnakeKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [const { OperatorInput::required(TensorElementType::Float32) }; 3]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel(&self, _: &KernelContext<'_>) -> ort::Result<SnakeKernel> {
        Ok(SnakeKernel)
    }
}

pub(super) struct SnakeKernel;

impl Kernel for SnakeKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = [input(context, 0)?, input(context, 1)?, input(context, 2)?];
        let [x, alpha, factor] = &inputs;
        let all = [
            Numbers::<f32>::of(x)?,
            Numbers::<f32>::of(alpha)?,
            Numbers::<f32>::of(factor)?,
        ];
        let shape = common_shape(all.iter().map(|one| &one.dims))?;
        let mut output = output(context, &shape)?;
        if shape.contains(&0) {
            return Ok(());
        }
        let (_, made) = output.try_extract_tensor_mut::<f32>()?;
        let [x, alpha, factor] = all.map(|one| Stretched::new(&one, &shape));
        let row = shape.last().copied().unwrap_or(1);
        fill(context, made, row, |number, made| {
            let (alpha, factor) = (alpha.row(number), factor.row(number));
            match (x.row(number), alpha, factor) {
                (Row::Each(x), Row::Same(alpha), Row::Same(factor)) => {
                    let turns = half_turns(alpha);
                    for (made, &x) in made.iter_mut().zip(x) {
                        *made = snake(x, turns, factor);
                    }
                }
                (x, ..) => {
                    for (place, made) in made.iter_mut().enumerate() {
                        let turns = half_turns(alpha.at(place));
                        *made = snake(x.at(place), turns, factor.at(place));
                    }
                }
            }
        })
    }
}

/// `x + sin²(alpha · x) · factor`, where `turns` is [`half_turns`] of `alpha`. The squared sine is within
/// 7e-7 + 1.2e-7 · |alpha · x| of the true one, about twice the error of computing it step by step; of an angle
/// however far out it is between 0 and 1 and a rounding. What is not finite makes no number.
///
/// It has no branches and calls nothing, so that a loop over an array becomes vector instructions. The
/// polynomial is a minimax fit (Lawson's reweighted least squares on Chebyshev nodes).
#[inline]
pub(super) fn snake(x: f32, turns: f32, factor: f32) -> f32 {
    /// Added and taken away again, it leaves the nearest whole number of what is below 2^22.
    const WHOLE: f32 = 12_582_912.0;
    /// Of the square of at most half of a half turn.
    const FURTHEST: f32 = 0.25;
    /// What the square of such an angle in half turns makes of the squared sine.
    const COEFFICIENTS: [f32; 5] = [9.869_525, -32.465_14, 42.643_425, -29.426_275, 10.581_301];
    let angle = x * turns;
    let part = angle - ((angle + WHOLE) - WHOLE);
    let square = part * part;
    // Of a huge angle more is left over. What is not a number passes this.
    let square = if square > FURTHEST { FURTHEST } else { square };
    let mut value = 0.0;
    for coefficient in COEFFICIENTS.into_iter().rev() {
        value = value * square + coefficient;
    }
    x + square * value * factor
}

/// What makes half turns of what `alpha` makes radians of.
pub(super) fn half_turns(alpha: f32) -> f32 {
    (f64::from(alpha) / std::f64::consts::PI) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squared_sines_are_as_near_as_stated() {
        for alpha in [0.01, 0.37, 1.0, 2.9, 50.0, -1.7] {
            for furthest in [2.0, 10.0, 100.0, 5_000.0] {
                for step in -20_000..=20_000 {
                    let x = (furthest * f64::from(step) / 20_000.0) as f32;
                    let angle = f64::from(x) * f64::from(alpha);
                    let exact = f64::from(x) + angle.sin().powi(2);
                    let away = (f64::from(snake(x, half_turns(alpha), 1.0)) - exact).abs();
                    // The sum is rounded as well.
                    let most = 7e-7 + 1.2e-7 * angle.abs() + 6e-8 * exact.abs();
                    assert!(away <= most, "{away} away at {x}, {alpha}");
                }
            }
        }
    }

    #[test]
    fn far_angles_stay_within_bounds_and_what_is_no_number_stays_that() {
        for turns in [0.0, -0.0, 3e5, -1e7, 1e20, f32::MAX, f32::MIN, 1e-40] {
            let value = snake(0.01, turns, 1.0) - 0.01;
            assert!((-1e-6..=1.000_001).contains(&value), "{value} of {turns}");
        }
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(snake(x, 1.0, 1.0).is_nan());
        }
        assert_eq!(snake(-0.5, 0.0, 3.0).to_bits(), (-0.5f32).to_bits());
    }
}
