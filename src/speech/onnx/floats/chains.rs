//! Finds what dynamic quantisation makes of a convolution:
//!
//! ```text
//! levels, scale, zero = DynamicQuantizeLinear(input)
//! sum = ConvInteger(levels, weights, zero, zero of the weights)
//! sum = Add(sum, Reshape(Cast(Floor(Div(bias, scale · scale of the weights)))))     where there is a bias
//! output = Mul(Cast(sum), scale · scale of the weights)
//! ```

use super::super::lookup::{Lookup, either, is};
use super::super::messages::{FLOAT, Graph, INT32, Node};
use super::weights::Kernel;

/// A convolution that was quantised.
pub(super) struct Chain<'g> {
    /// What is quantised when it runs.
    pub input: &'g str,
    /// What is scaled back.
    pub output: &'g str,
    pub kernel: Kernel,
    /// One for each channel that comes out.
    pub bias: Option<Vec<f32>>,
    pub shape: Shape,
}

/// Finds them in a graph.
pub(super) struct Chains<'g>(Lookup<'g>);

impl<'g> Chains<'g> {
    /// Of a graph whose nodes all make something, each value once.
    pub(super) fn of(graph: &'g Graph) -> Self {
        Self(Lookup::of(graph))
    }

    /// The chain whose end this node is, if it is one. What is made on the way goes into nothing else.
    pub(super) fn ending_in(&self, node: &'g Node) -> Option<Chain<'g>> {
        is(node, &["Mul"], 2, &[])?;
        let (sum, scale) = either(node, |value| self.cast(value, FLOAT))?;
        let (sum, bias) = match self.0.maker(sum, &["Add"], 2, &[]) {
            Some(added) if self.0.is_used_once(sum) => {
                let convolved = |value| self.is_convolved(value).then_some(value);
                let (sum, bias) = either(added, convolved)?;
                (sum, Some(bias))
            }
            Some(_) => return None,
            None => (sum, None),
        };
        if !self.is_convolved(sum) || !self.0.is_used_once(sum) {
            return None;
        }
        let convolution = self.0.made_by(sum)?;
        let shape = Shape::of(convolution)?;
        let [levels, weights, zero, rest @ ..] = &convolution.input[..] else {
            return None;
        };
        let quantised = self.0.maker(levels, &["DynamicQuantizeLinear"], 1, &[])?;
        let scale_of_levels = match &quantised.output[..] {
            [made, scale, made_zero] if made == levels && made_zero == zero => scale,
            _ => return None,
        };
        let weights = self.0.constant(weights)?;
        let zero_of_weights = match rest {
            [zero] if !zero.is_empty() => Some(self.0.constant(zero)?),
            [] | [_] => None,
            _ => return None,
        };
        let [outputs, _, size] = weights.dims[..] else {
            return None;
        };
        if outputs % shape.group != 0 || shape.size.is_some_and(|stated| stated != size) {
            return None;
        }
        let scales = self.scales(scale, scale_of_levels, outputs)?;
        let bias = match bias {
            Some(bias) => Some(self.bias(bias, scale, scales.len() > 1, outputs)?),
            None => None,
        };
        Some(Chain {
            input: &quantised.input[0],
            output: &node.output[0],
            kernel: Kernel::of(weights, zero_of_weights, scales)?,
            bias,
            shape,
        })
    }

    /// What each level of the weights is worth, if this value is that times what a level of the input is:
    /// one number, or one for each channel.
    fn scales(&self, value: &str, scale_of_levels: &str, outputs: i64) -> Option<Vec<f32>> {
        let product = self.0.maker(value, &["Mul"], 2, &[])?;
        let (_, constant) = either(product, |value| (value == scale_of_levels).then_some(value))?;
        let constant = self.0.constant(constant)?;
        let is_one = constant.dims.len() <= 3 && constant.dims.iter().all(|&dim| dim == 1);
        (is_one || is_column(&constant.dims, outputs)).then(|| constant.floats())?
    }

    /// The bias that is quantised to this value with this scale.
    fn bias(
        &self,
        value: &str,
        scale: &str,
        is_scaled_by_channel: bool,
        outputs: i64,
    ) -> Option<Vec<f32>> {
        let reshaped = self.0.maker(value, &["Reshape"], 2, &[]);
        let value = match reshaped {
            Some(node) => {
                let shape = self.0.constant(&node.input[1])?.integers()?;
                if shape != [1, -1, 1] && shape != [1, outputs, 1] {
                    return None;
                }
                &node.input[0]
            }
            None => value,
        };
        let whole = self.0.maker(value, &["Cast"], 1, &["to"])?;
        let is_whole = whole.attribute("to")?.i == i64::from(INT32);
        let rounded = self.0.maker(&whole.input[0], &["Floor", "Round"], 1, &[])?;
        let quotient = self.0.maker(&rounded.input[0], &["Div"], 2, &[])?;
        if !is_whole || quotient.input[1] != scale {
            return None;
        }
        let bias = self.0.constant(&quotient.input[0])?;
        // Divided by one number it keeps its order, whatever its dimensions.
        let is_any = reshaped.is_some() && !is_scaled_by_channel && bias.dims.len() <= 3;
        let values = bias.floats()?;
        let is_all = i64::try_from(values.len()) == Ok(outputs);
        (is_all && (is_any || is_column(&bias.dims, outputs))).then_some(values)
    }

    /// What is cast to this type, for one use only.
    fn cast(&self, value: &str, element: i32) -> Option<&'g str> {
        let node = self.0.maker(value, &["Cast"], 1, &["to"])?;
        let is_to = node.attribute("to")?.i == i64::from(element);
        (is_to && self.0.is_used_once(value)).then(|| node.input[0].as_str())
    }

    fn is_convolved(&self, value: &str) -> bool {
        let maker = self.0.made_by(value);
        maker.is_some_and(|node| node.op_type == "ConvInteger" && node.domain.is_empty())
    }
}

/// Whether a tensor of these dimensions has one number for each channel of values of three dimensions.
fn is_column(dims: &[i64], channels: i64) -> bool {
    dims == [channels, 1] || dims == [1, channels, 1]
}

/// What a convolution looks at, beside its kernel.
pub(super) struct Shape {
    pub group: i64,
    /// The kernel's size, if it is stated.
    size: Option<i64>,
    pub stride: i64,
    pub dilation: i64,
    /// Zeros before and after.
    pub pads: [i64; 2],
}

impl Shape {
    /// Of one over one dimension, all of whose attributes are known.
    fn of(node: &Node) -> Option<Self> {
        let mut shape = Self {
            group: 1,
            size: None,
            stride: 1,
            dilation: 1,
            pads: [0, 0],
        };
        for attribute in &node.attribute {
            match (attribute.name.as_str(), &attribute.ints[..]) {
                ("group", _) => shape.group = attribute.i,
                ("auto_pad", _) if *attribute.s == *b"NOTSET" => {}
                ("kernel_shape", &[size]) => shape.size = Some(size),
                ("strides", &[stride]) => shape.stride = stride,
                ("dilations", &[dilation]) => shape.dilation = dilation,
                ("pads", &[before, after]) => shape.pads = [before, after],
                _ => return None,
            }
        }
        let is_sound = shape.group > 0 && shape.stride > 0 && shape.dilation > 0;
        (is_sound && shape.pads.iter().all(|&pad| pad >= 0)).then_some(shape)
    }
}
