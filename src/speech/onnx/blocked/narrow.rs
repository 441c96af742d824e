//! A convolution that makes a channel or two, which would fill the rest of a block with nothing: one that
//! makes a channel for each place of its kernel, of a single value each; these are shifted and added up.

use super::super::messages::{Node, Tensor};
use super::upsampling::{Names, Steps};

/// The first version of the operators whose `Pad` takes its widths as an input.
pub(super) const PADS_AS_INPUT: i64 = 11;

/// The axis of the values of a channel.
const LENGTH: i64 = 3;

/// The channels of a block, which all of them have to fit in.
const BLOCK: i64 = 16;

/// The steps of such a convolution with these weights of shape `[channels, channels, size]` and this bias;
/// `None` if it is no such one.
pub(super) fn steps(
    node: &Node,
    weights: &Tensor,
    bias: Option<&Tensor>,
    names: &Names<'_>,
) -> Option<Steps> {
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
    if pads.iter().any(|pad| *pad < 0) || bias.is_some_and(|bias| bias.dims != [outputs]) {
        return None;
    }
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
    let name = |part: &str| format!("{}/{part}", names.prefix);
    let mut steps = Steps {
        nodes: Vec::new(),
        weights: vec![Tensor::of_floats(
            name("singles"),
            vec![outputs * size, inputs, 1, 1],
            &single,
        )],
    };
    let mut first = Node::new("Conv", &[names.input, &name("singles")], &name("taps"));
    first.set("kernel_shape", vec![1, 1]);
    let widths = vec![0, 0, 0, pads[0], 0, 0, 0, pads[1]];
    let padded = Node::new("Pad", &[&name("taps"), &name("widths")], &name("padded"));
    steps.nodes = vec![first, padded];
    let mut integers = |name: String, values: Vec<i64>| {
        steps.weights.push(Tensor::of_integers(name, values));
    };
    integers(name("widths"), widths);
    integers(name("axes"), vec![1, LENGTH]);
    integers(name("every"), vec![size, 1]);
    for tap in 0..size {
        // As many values from each on as come out.
        let end = match size - 1 - tap {
            0 => i64::MAX,
            left => -left,
        };
        integers(name(&format!("from{tap}")), vec![tap, tap]);
        integers(name(&format!("to{tap}")), vec![i64::MAX, end]);
    }
    let shifted = (0..size).map(|tap| {
        let (from, to) = (name(&format!("from{tap}")), name(&format!("to{tap}")));
        let taken = [&name("padded"), &from, &to, &name("axes"), &name("every")];
        let taken = taken.map(String::as_str);
        Node::new("Slice", &taken, &name(&format!("shifted{tap}")))
    });
    steps.nodes.extend(shifted);
    let mut parts: Vec<String> = (0..size)
        .map(|tap| name(&format!("shifted{tap}")))
        .collect();
    if let Some(bias) = bias {
        parts.push(name("bias"));
        steps.weights.push(Tensor {
            dims: vec![outputs, 1, 1],
            name: name("bias"),
            ..bias.clone()
        });
    }
    let last = parts.len() - 1;
    let mut sum = parts[0].clone();
    for (number, part) in parts.iter().enumerate().skip(1) {
        let next = match number == last {
            true => names.output.to_owned(),
            false => name(&format!("sum{number}")),
        };
        steps.nodes.push(Node::new("Add", &[&sum, part], &next));
        sum = next;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

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
    fn the_steps_add_up_to_the_one() {
        let (outputs, inputs, taps) = (2, 16, 5);
        let values: Vec<f32> = (0..outputs * inputs * taps)
            .map(|at| u16::try_from(at).unwrap().into())
            .collect();
        let weights = Tensor::of_floats("w".into(), vec![2, 16, 5], &values);
        let bias = Tensor::of_floats("b".into(), vec![2], &[1.0, 2.0]);
        let steps = steps(&node([2, 2]), &weights, Some(&bias), &NAMES).unwrap();
        let constants: HashMap<&str, &Tensor> = (steps.weights.iter())
            .map(|one| (one.name.as_str(), one))
            .collect();
        let single = constants["p/singles"];
        assert_eq!(single.dims, [10, 16, 1, 1]);
        let single = single.floats().unwrap();
        // Of channels output · taps + tap those with one tap go on, from this tap's place on.
        for output in 0..outputs {
            for input in 0..inputs {
                for tap in 0..taps {
                    let one = values[(output * inputs + input) * taps + tap];
                    let made = single[(output * taps + tap) * inputs + input];
                    assert!((made - one).abs() < f32::EPSILON, "{output} {input} {tap}");
                }
            }
        }
        let integers = |name: &str| constants[name].int64_data.clone();
        assert_eq!(integers("p/widths"), [0, 0, 0, 2, 0, 0, 0, 2]);
        assert_eq!(integers("p/every"), [5, 1]);
        assert_eq!(
            (integers("p/from3"), integers("p/to3")),
            (vec![3, 3], vec![i64::MAX, -1])
        );
        assert_eq!(integers("p/to4"), [i64::MAX, i64::MAX]);
        let mut sums = steps.nodes.iter().filter(|node| node.op_type == "Add");
        assert_eq!(sums.clone().count(), taps);
        assert_eq!(sums.next_back().unwrap().input[1], "p/bias");
        assert_eq!(steps.nodes.last().unwrap().output, ["out"]);
    }

    #[test]
    fn what_fills_a_block_or_is_of_another_kind_stays() {
        let weights = |dims: [i64; 3]| {
            let count = dims.iter().product::<i64>();
            let values = vec![1.0; usize::try_from(count).unwrap()];
            Tensor::of_floats("w".into(), dims.to_vec(), &values)
        };
        let is_narrow = |node: &Node, dims| steps(node, &weights(dims), None, &NAMES).is_some();
        assert!(is_narrow(&node([3, 3]), [1, 32, 7]));
        for dims in [[16, 32, 7], [3, 32, 7], [1, 24, 7], [1, 32, 1]] {
            assert!(!is_narrow(&node([0, 0]), dims), "{dims:?}");
        }
        let mut wide = node([6, 6]);
        wide.set("dilations", vec![2]);
        assert!(!is_narrow(&wide, [1, 32, 7]));
        assert!(!is_narrow(&node([-1, 7]), [1, 32, 7]));
        assert!(!is_narrow(&node([3, 3]).with("group", 2), [1, 32, 7]));
    }
}
