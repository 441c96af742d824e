//! A transposed convolution as a plain one, which the runtime has in blocks: for each value that goes in, it
//! makes those that come out for it as channels, one group after the other. Laid out with the channels last,
//! these groups are the values in their order; what is too much at the ends is cut off. The runtime
//! makes one step of a change of layout beside a convolution in blocks.
//!
//! With a stride s and kernel w, value s·q + p of all that come out is the sum over i of the value q − i that
//! went in times w\[p + s·i\].

use super::super::messages::{Node, Tensor};
use super::{Crop, HEIGHT};

/// The first version of the operators whose `Slice` takes its places as inputs.
pub(super) const PLACES_AS_INPUT: i64 = 10;

/// Fewer channels fill no block.
const BLOCK: i64 = 16;

/// A transposed convolution that can be put otherwise.
pub(super) struct Upsampling {
    /// Channels that go in and come out.
    channels: (usize, usize),
    size: usize,
    stride: usize,
    /// The values that are cut off in front.
    before: usize,
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
}

/// Where the values come from and go to, and what the names of all between begin with.
pub(super) struct Names<'n> {
    pub(super) input: &'n str,
    pub(super) output: &'n str,
    pub(super) prefix: &'n str,
}

/// The steps that take another's place, and the constants that they take.
pub(super) struct Steps {
    pub(super) nodes: Vec<Node>,
    pub(super) weights: Vec<Tensor>,
}

impl Upsampling {
    /// What this node is, with these weights of shape `[channels, channels, size]` and this bias; `None` if
    /// it is another kind of one.
    pub(super) fn of(node: &Node, weights: &Tensor, bias: Option<&Tensor>) -> Option<Self> {
        let [input, output, size] = weights.dims[..] else {
            return None;
        };
        let first = |name: &str, default: i64| {
            let attribute = node.attribute(name);
            attribute.map_or(Some(default), |one| one.ints.first().copied())
        };
        let group = node.attribute("group").map_or(1, |group| group.i);
        let is_plain =
            group == 1 && first("dilations", 1)? == 1 && first("output_padding", 0)? == 0;
        let stride = first("strides", 1)?;
        let [before, after] = match node.attribute("pads") {
            None => [0, 0],
            Some(pads) => pads.ints[..].try_into().ok()?,
        };
        // As many values come out as go in, times the stride.
        let is_whole = stride > 0
            && before >= 0
            && after >= 0
            && size.checked_sub(before)?.checked_sub(after)? == stride;
        let fills_blocks = input % BLOCK == 0 && output % BLOCK == 0;
        if !is_plain || !is_whole || !fills_blocks {
            return None;
        }
        let bias = match bias {
            Some(bias) if bias.dims == [output] => Some(bias.floats()?),
            Some(_) => return None,
            None => None,
        };
        let number = |number: i64| usize::try_from(number).ok();
        Some(Self {
            channels: (number(input)?, number(output)?),
            size: number(size)?,
            stride: number(stride)?,
            before: number(before)?,
            weights: weights.floats()?,
            bias,
        })
    }

    /// How many values that went in each that comes out is made of.
    fn taps(&self) -> usize {
        self.size.div_ceil(self.stride)
    }

    /// The plain convolution's kernel, of shape `[stride · channels, channels, 1, taps]`.
    fn kernel(&self) -> Vec<f32> {
        let (taps, (inputs, outputs)) = (self.taps(), self.channels);
        let mut kernel = Vec::with_capacity(self.stride * outputs * inputs * taps);
        for phase in 0..self.stride {
            for output in 0..outputs {
                for input in 0..inputs {
                    let row = &self.weights[(input * outputs + output) * self.size..][..self.size];
                    // The value that went in last comes last in the kernel.
                    let places = (0..taps).rev().map(|back| phase + self.stride * back);
                    kernel.extend(places.map(|place| row.get(place).copied().unwrap_or(0.0)));
                }
            }
        }
        kernel
    }

    /// What makes the values of a height of one from such values. With `crop`, whoever runs it says where
    /// to cut.
    pub(super) fn steps(&self, names: &Names<'_>, crop: Option<&Crop>) -> Steps {
        let name = |part: &str| format!("{}/{part}", names.prefix);
        let integer = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let (taps, (inputs, outputs)) = (self.taps(), self.channels);
        let phases = self.stride * outputs;
        let dims = [phases, inputs, 1, taps].map(integer).to_vec();
        let mut weights = vec![Tensor::of_floats(name("kernel"), dims, &self.kernel())];
        let mut taken = vec![names.input.to_owned(), name("kernel")];
        if let Some(bias) = &self.bias {
            let dims = vec![integer(phases)];
            weights.push(Tensor::of_floats(
                name("bias"),
                dims,
                &bias.repeat(self.stride),
            ));
            taken.push(name("bias"));
        }
        let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
        let more = integer(taps - 1);
        let mut convolution = Node::new("Conv", &taken, &name("phases"));
        convolution.set("kernel_shape", vec![1, integer(taps)]);
        convolution.set("pads", vec![0, more, 0, more]);
        let transposed = |from: &str, to: &str, order: [i64; 4]| {
            let mut node = Node::new("Transpose", &[from], to);
            node.set("perm", order.to_vec());
            node
        };
        let (from, to) = if let Some(crop) = crop {
            (crop.from.clone(), crop.to.clone())
        } else {
            let too_many = integer((taps - 1) * self.stride) - integer(self.before);
            let end = if too_many > 0 { -too_many } else { i64::MAX };
            let (from, to) = (name("from"), name("to"));
            weights.push(Tensor::of_integers(
                from.clone(),
                vec![integer(self.before)],
            ));
            weights.push(Tensor::of_integers(to.clone(), vec![end]));
            (from, to)
        };
        let shape = vec![1, 1, -1, integer(outputs)];
        weights.push(Tensor::of_integers(name("shape"), shape));
        weights.push(Tensor::of_integers(name("axis"), vec![HEIGHT]));
        let nodes = vec![
            convolution,
            transposed(&name("phases"), &name("last"), [0, 2, 3, 1]),
            Node::new("Reshape", &[&name("last"), &name("shape")], &name("row")),
            Node::new(
                "Slice",
                &[&name("row"), &from, &to, &name("axis")],
                &name("cut"),
            ),
            transposed(&name("cut"), names.output, [0, 3, 1, 2]),
        ];
        Steps { nodes, weights }
    }

    /// Where to cut in front, at least.
    pub(super) fn before(&self) -> usize {
        self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: (usize, usize) = (16, 32);

    fn node(size: usize, stride: usize, pads: [usize; 2]) -> Node {
        let integer = |value: usize| i64::try_from(value).unwrap();
        let mut node = Node::new("ConvTranspose", &["x", "w"], "y");
        node.set("kernel_shape", vec![integer(size)]);
        node.set("strides", vec![integer(stride)]);
        node.set("pads", pads.map(integer).to_vec());
        node
    }

    fn small(number: usize) -> f32 {
        u16::try_from(number).unwrap().into()
    }

    fn weights(size: usize) -> Tensor {
        let count = CHANNELS.0 * CHANNELS.1 * size;
        let values: Vec<f32> = (0..count).map(|at| small(at * 37 % 101) - 50.0).collect();
        let dims = [CHANNELS.0, CHANNELS.1, size].map(|dim| i64::try_from(dim).unwrap());
        Tensor::of_floats("w".into(), dims.to_vec(), &values)
    }

    /// What ONNX says of the operator, for values `[channel][place]`.
    fn transposed(x: &[Vec<f32>], w: &[f32], size: usize, stride: usize) -> Vec<Vec<f32>> {
        let length = (x[0].len() - 1) * stride + size;
        let mut y = vec![vec![0.0; length]; CHANNELS.1];
        for (input, row) in x.iter().enumerate() {
            for (at, value) in row.iter().enumerate() {
                for (output, out) in y.iter_mut().enumerate() {
                    let w = &w[(input * CHANNELS.1 + output) * size..][..size];
                    for (tap, weight) in w.iter().enumerate() {
                        out[at * stride + tap] += value * weight;
                    }
                }
            }
        }
        y
    }

    #[test]
    fn the_plain_convolution_gives_the_same_values_in_their_order() {
        for (size, stride, before) in [(16, 8, 4), (8, 4, 2), (7, 4, 1), (3, 3, 0), (9, 2, 3)] {
            let weights = weights(size);
            let pads = [before, size - stride - before];
            let upsampling = Upsampling::of(&node(size, stride, pads), &weights, None).unwrap();
            let x: Vec<Vec<f32>> = (0..CHANNELS.0)
                .map(|channel| (0..5).map(|at| small(channel * at % 7) - 3.0).collect())
                .collect();
            let whole = transposed(&x, &upsampling.weights, size, stride);
            let (kernel, taps) = (upsampling.kernel(), upsampling.taps());
            for (output, whole) in whole.iter().enumerate() {
                // Place q of phase p, with as many zeros as taps but one on either side.
                for (at, value) in whole.iter().enumerate() {
                    let (q, phase) = (at / stride, at % stride);
                    let mut sum = 0.0;
                    for (input, row) in x.iter().enumerate() {
                        let channel = (phase * CHANNELS.1 + output) * CHANNELS.0 + input;
                        for tap in 0..taps {
                            let place = (q + tap).checked_sub(taps - 1);
                            let value = place.and_then(|place| row.get(place));
                            sum += value.unwrap_or(&0.0) * kernel[channel * taps + tap];
                        }
                    }
                    assert!(
                        (sum - value).abs() < 0.5,
                        "{size} {stride} at {at}: {sum} {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_of_another_kind_stays() {
        let weights = weights(8);
        let plain = || node(8, 4, [2, 2]);
        assert!(Upsampling::of(&plain(), &weights, None).is_some());
        let mut misses = [(); 6].map(|()| plain());
        misses[0].set("pads", vec![1, 2]);
        misses[1].set("dilations", vec![2]);
        misses[2].set("output_padding", vec![1]);
        misses[3] = plain().with("group", 2);
        misses[4].set("strides", vec![0]);
        misses[5].set("pads", vec![-2, 6]);
        for miss in &misses {
            assert!(Upsampling::of(miss, &weights, None).is_none(), "{miss:?}");
        }
        // Channels that fill no block, and a bias of other ones.
        let mut few = weights.clone();
        few.dims = vec![8, 64, 8];
        assert!(Upsampling::of(&plain(), &few, None).is_none());
        let bias = Tensor::of_floats("b".into(), vec![3], &[1.0; 3]);
        assert!(Upsampling::of(&plain(), &weights, Some(&bias)).is_none());
    }
}
