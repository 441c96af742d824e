//! A convolution that makes a channel or two, which would fill the rest of a block with nothing: one that
//! makes a channel for each place of its kernel, of a single value each, and one that shifts these and adds
//! them up.

use super::super::messages::{Node, Tensor};
use super::upsampling::{Names, Steps};

/// The channels of a block, which all of them have to fit in.
const BLOCK: i64 = 16;

/// The two steps of such a convolution with these weights of shape `[channels, channels, size]`; `None` if
/// it is no such one.
pub(super) fn steps(node: &Node, weights: &Tensor, names: &Names<'_>) -> Option<Steps> {
    let [outputs, inputs, size] = weights.dims[..] else {
        return None;
    };
    let is_of_one = |name: &str, one: i64| node.attribute(name).is_none_or(|it| it.ints == [one]);
    let group = node.attribute("group").map_or(1, |group| group.i);
    let is_plain = node.op_type == "Conv"
        && group == 1
        && is_of_one("strides", 1)
        && is_of_one("dilations", 1);
    let is_narrow = outputs > 0 && size > 2 && outputs.checked_mul(size)? <= BLOCK;
    if !is_plain || !is_narrow || inputs % BLOCK != 0 {
        return None;
    }
    let pads = match node.attribute("pads") {
        None => [0, 0],
        Some(pads) => pads.ints[..].try_into().ok()?,
    };
    let number = |number: i64| usize::try_from(number).ok();
    let (many, one, taps) = (number(outputs)?, number(inputs)?, number(size)?);
    let kernel = weights.floats()?;
    let mut single = Vec::with_capacity(kernel.len());
    for output in 0..many {
        for tap in 0..taps {
            let of_input = |input: usize| kernel[(output * one + input) * taps + tap];
            single.extend((0..one).map(of_input));
        }
    }
    let all = many * taps;
    let mut shifts = vec![0.0; many * all * taps];
    for output in 0..many {
        for tap in 0..taps {
            shifts[(output * all + output * taps + tap) * taps + tap] = 1.0;
        }
    }
    let name = |part: &str| format!("{}/{part}", names.prefix);
    let (singles, shift) = (name("singles"), name("shifts"));
    let channels = outputs * size;
    let mut first = Node::new("Conv", &[names.input, &singles], &name("taps"));
    first.set("kernel_shape", vec![1, 1]);
    let taps = name("taps");
    let mut taken = vec![taps.as_str(), shift.as_str()];
    taken.extend(node.input.get(2).map(String::as_str));
    let mut second = Node::new("Conv", &taken, names.output);
    second.set("kernel_shape", vec![1, size]);
    second.set("pads", vec![0, pads[0], 0, pads[1]]);
    let weights = vec![
        Tensor::of_floats(singles.clone(), vec![channels, inputs, 1, 1], &single),
        Tensor::of_floats(shift.clone(), vec![outputs, channels, 1, size], &shifts),
    ];
    Some(Steps {
        nodes: vec![first, second],
        weights,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(pads: [i64; 2]) -> Node {
        let mut node = Node::new("Conv", &["x", "w"], "y");
        node.set("pads", pads.to_vec());
        node
    }

    const NAMES: Names<'_> = Names {
        input: "in",
        output: "out",
        prefix: "p",
    };

    #[test]
    fn the_two_steps_add_up_to_the_one() {
        let (outputs, inputs, taps) = (2, 16, 5);
        let values: Vec<f32> = (0..outputs * inputs * taps)
            .map(|at| u16::try_from(at).unwrap().into())
            .collect();
        let weights = Tensor::of_floats("w".into(), vec![2, 16, 5], &values);
        let steps = steps(&node([2, 2]), &weights, &NAMES).unwrap();
        let [single, shifts] = &steps.weights[..] else {
            panic!("{:?}", steps.weights)
        };
        assert_eq!(
            (&single.dims[..], &shifts.dims[..]),
            (&[10, 16, 1, 1][..], &[2, 10, 1, 5][..])
        );
        let (single, shifts) = (single.floats().unwrap(), shifts.floats().unwrap());
        for output in 0..outputs {
            for input in 0..inputs {
                for tap in 0..taps {
                    let through = |channel: usize| {
                        single[channel * inputs + input]
                            * shifts[(output * outputs * taps + channel) * taps + tap]
                    };
                    let sum: f32 = (0..outputs * taps).map(through).sum();
                    let one = values[(output * inputs + input) * taps + tap];
                    assert!((sum - one).abs() < f32::EPSILON, "{output} {input} {tap}");
                }
            }
        }
        assert_eq!(steps.nodes[1].attribute("pads").unwrap().ints, [0, 2, 0, 2]);
    }

    #[test]
    fn what_fills_a_block_or_is_of_another_kind_stays() {
        let weights = |dims: [i64; 3]| {
            let count = dims.iter().product::<i64>();
            let values = vec![1.0; usize::try_from(count).unwrap()];
            Tensor::of_floats("w".into(), dims.to_vec(), &values)
        };
        let is_narrow = |node: &Node, dims| steps(node, &weights(dims), &NAMES).is_some();
        assert!(is_narrow(&node([3, 3]), [1, 32, 7]));
        for dims in [[16, 32, 7], [3, 32, 7], [1, 24, 7], [1, 32, 1]] {
            assert!(!is_narrow(&node([0, 0]), dims), "{dims:?}");
        }
        let mut wide = node([6, 6]);
        wide.set("dilations", vec![2]);
        assert!(!is_narrow(&wide, [1, 32, 7]));
        assert!(!is_narrow(&node([3, 3]).with("group", 2), [1, 32, 7]));
    }
}
