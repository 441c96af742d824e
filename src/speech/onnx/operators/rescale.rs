//! The sums of a quantised convolution with their bias, scaled back to floats, in one pass. It makes the same
//! bits as the three steps that it stands for.

use ort::operator::{
    ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType;

use super::rows::{Numbers, Row, Stretched, common_shape, fill, input, output};

pub(super) const NAME: &str = "Rescale";

/// Takes sums and a bias, which are integers, and the `scale`; they are stretched to one shape.
pub(super) struct Rescale;

impl Operator for Rescale {
    type Kernel<'attr> = RescaleKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Int32};
        [Int32, Int32, Float32].map(OperatorInput::required)
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel(&self, _: &KernelContext<'_>) -> ort::Result<RescaleKernel> {
        Ok(RescaleKernel)
    }
}

pub(super) struct RescaleKernel;

impl Kernel for RescaleKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = [input(context, 0)?, input(context, 1)?, input(context, 2)?];
        let [sums, bias, scale] = &inputs;
        let (sums, bias) = (Numbers::<i32>::of(sums)?, Numbers::<i32>::of(bias)?);
        let scale = Numbers::<f32>::of(scale)?;
        let shape = common_shape([&sums.dims, &bias.dims, &scale.dims])?;
        let mut output = output(context, &shape)?;
        if shape.contains(&0) {
            return Ok(());
        }
        let (_, made) = output.try_extract_tensor_mut::<f32>()?;
        let sums = Stretched::new(&sums, &shape);
        let (bias, scale) = (
            Stretched::new(&bias, &shape),
            Stretched::new(&scale, &shape),
        );
        let row = shape.last().copied().unwrap_or(1);
        fill(context, made, row, |number, made| {
            match (sums.row(number), bias.row(number), scale.row(number)) {
                (Row::Each(sums), Row::Same(bias), Row::Same(scale)) => {
                    for (made, &sum) in made.iter_mut().zip(sums) {
                        *made = rescaled(sum, bias, scale);
                    }
                }
                (sums, bias, scale) => {
                    for (place, made) in made.iter_mut().enumerate() {
                        *made = rescaled(sums.at(place), bias.at(place), scale.at(place));
                    }
                }
            }
        })
    }
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "rounded as the runtime does")]
fn rescaled(sum: i32, bias: i32, scale: f32) -> f32 {
    sum.wrapping_add(bias) as f32 * scale
}
