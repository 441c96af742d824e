//! A Snake of what is normalised along one axis to a mean of zero and a variance of one, scaled and moved: each
//! row of it while it is in the processor's cache.

use ort::operator::{
    ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

use super::rows::{Numbers, Row, Stretched, common_shape, fill, input, output};
use super::snake::{half_turns, snake};

pub(super) const NAME: &str = "NormaliseSnake";
pub(super) const AXIS: &str = "axis";
pub(super) const EPSILON: &str = "epsilon";

/// Takes `x`, the `gain` and the `offset` of what is normalised, and the Snake's `alpha` and `factor`, which are
/// stretched to one shape.
pub(super) struct NormaliseSnake;

impl Operator for NormaliseSnake {
    type Kernel<'attr> = NormaliseSnakeKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [const { OperatorInput::required(TensorElementType::Float32) }; 5]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel(&self, node: &KernelContext<'_>) -> ort::Result<NormaliseSnakeKernel> {
        let missing = || ort::Error::new("an attribute is missing");
        Ok(NormaliseSnakeKernel {
            axis: node.get(AXIS).ok_or_else(missing)?,
            epsilon: node.get(EPSILON).ok_or_else(missing)?,
        })
    }
}

pub(super) struct NormaliseSnakeKernel {
    axis: i64,
    epsilon: f32,
}

impl Kernel for NormaliseSnakeKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = (0..5).map(|number| input(context, number));
        let inputs = inputs.collect::<ort::Result<Vec<_>>>()?;
        let all = inputs
            .iter()
            .map(Numbers::<f32>::of)
            .collect::<ort::Result<Vec<_>>>()?;
        let shape = common_shape(all.iter().map(|one| &one.dims))?;
        let mut output = output(context, &shape)?;
        let [x, others @ ..] = &all[..] else {
            return Err(ort::Error::new("an input is missing"));
        };
        let axis = place(self.axis, x.dims.len())?;
        if shape.contains(&0) {
            return Ok(());
        }
        let (_, made) = output.try_extract_tensor_mut::<f32>()?;
        let epsilon = self.epsilon;
        let is_row = axis + 1 == shape.len() && x.dims == shape;
        let before = (!is_row).then(|| along(x, axis, epsilon));
        let x = match &before {
            Some(values) => &Numbers {
                dims: x.dims.clone(),
                values,
            },
            None => x,
        };
        let x = Stretched::new(x, &shape);
        let others: Vec<_> = others
            .iter()
            .map(|one| Stretched::new(one, &shape))
            .collect();
        let row = shape.last().copied().unwrap_or(1);
        fill(context, made, row, |number, made| {
            let x = x.row(number);
            let moments = match x {
                Row::Each(values) if is_row => Moments::of(values, epsilon),
                Row::Same(value) if is_row => Moments::of(&[value], epsilon),
                _ => Moments::NONE,
            };
            let mut others = others.iter().map(|one| one.row(number));
            let mut next = || others.next().unwrap_or(Row::Same(0.0));
            finish(moments, x, [next(), next(), next(), next()], made);
        })
    }
}

/// Scales and moves a row, and makes a Snake of it.
fn finish(moments: Moments, x: Row<'_>, others: [Row<'_>; 4], made: &mut [f32]) {
    let Moments { mean, scale } = moments;
    let [gain, offset, alpha, factor] = others;
    match (x, gain, offset, alpha, factor) {
        (Row::Each(x), Row::Same(gain), Row::Same(offset), Row::Same(alpha), Row::Same(factor)) => {
            let (gain, turns) = (gain * scale, half_turns(alpha));
            for (made, &x) in made.iter_mut().zip(x) {
                *made = snake((x - mean) * gain + offset, turns, factor);
            }
        }
        _ => {
            for (place, made) in made.iter_mut().enumerate() {
                let moved = (x.at(place) - mean) * (gain.at(place) * scale) + offset.at(place);
                *made = snake(moved, half_turns(alpha.at(place)), factor.at(place));
            }
        }
    }
}

/// Where this axis is, which may be counted from the end.
fn place(axis: i64, rank: usize) -> ort::Result<usize> {
    let from_end = axis.checked_add_unsigned(rank as u64).unwrap_or(axis);
    let axis = usize::try_from(if axis < 0 { from_end } else { axis });
    let axis = axis.ok().filter(|&axis| axis < rank);
    axis.ok_or_else(|| ort::Error::new("there is no such axis"))
}

/// A value that is normalised along an axis that need not be its last.
fn along(x: &Numbers<'_>, axis: usize, epsilon: f32) -> Vec<f32> {
    let length = x.dims[axis];
    let step: usize = x.dims[axis + 1..].iter().product();
    let mut made = x.values.to_vec();
    for start in (0..made.len()).filter(|start| (start / step).is_multiple_of(length)) {
        let places = || (0..length).map(|number| start + number * step);
        let column: Vec<f32> = places().map(|place| x.values[place]).collect();
        let Moments { mean, scale } = Moments::of(&column, epsilon);
        for place in places() {
            made[place] = (x.values[place] - mean) * scale;
        }
    }
    made
}

/// What is taken off numbers, and what the rest is multiplied by.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    scale: f32,
}

impl Moments {
    /// Those that change nothing.
    const NONE: Self = Self {
        mean: 0.0,
        scale: 1.0,
    };

    #[expect(clippy::cast_precision_loss, reason = "so many do not fit in memory")]
    fn of(values: &[f32], epsilon: f32) -> Self {
        let count = values.len() as f64;
        let mean = (sum(values, |value| value) / count) as f32;
        let variance = sum(values, |value| (value - mean) * (value - mean)) / count;
        let scale = 1.0 / (variance + f64::from(epsilon)).sqrt();
        Self {
            mean,
            scale: scale as f32,
        }
    }
}

/// The sum of what is made of each value: side by side, as vector instructions do it, and over so few of them
/// that the rounding stays within 5e-6 of the sum of their sizes.
fn sum(values: &[f32], made: impl Fn(f32) -> f32) -> f64 {
    const SIDE_BY_SIDE: usize = 16;
    const BLOCK: usize = 64 * SIDE_BY_SIDE;
    let mut all = 0.0;
    for block in values.chunks(BLOCK) {
        let (chunks, rest) = block.as_chunks::<SIDE_BY_SIDE>();
        let mut sums = [0.0f32; SIDE_BY_SIDE];
        for chunk in chunks {
            for (sum, &value) in sums.iter_mut().zip(chunk) {
                *sum += made(value);
            }
        }
        let rest = rest.iter().map(|&value| f64::from(made(value)));
        all += sums.into_iter().map(f64::from).chain(rest).sum::<f64>();
    }
    all
}
