//! Divisions by a number before an activation that leaves factors alone: they go into the weights behind it.

use std::collections::HashMap;

use super::super::messages::{Graph, Node, Tensor};
use super::{constants, uses};

/// Divisors that no weight becomes too large or too small for.
const SIZES: std::ops::RangeInclusive<f32> = 1e-6..=1e6;

/// A division that can go, and where it goes to.
struct Division {
    /// The places of the division and of the activation behind it.
    at: usize,
    activation: usize,
    divisor: f32,
    /// The weights behind the activation.
    weights: Vec<String>,
}

/// Takes away the divisions of this graph that weights can take up.
pub(super) fn fold(graph: &mut Graph) {
    let found = find(graph);
    let mut divisors: HashMap<&str, f32> = HashMap::new();
    for division in &found {
        for weights in &division.weights {
            divisors.insert(weights, division.divisor);
        }
        let divided = graph.node[division.at].input[0].clone();
        graph.node[division.activation].input[0] = divided;
    }
    for tensor in &mut graph.initializer {
        if let Some(divisor) = divisors.get(tensor.name.as_str())
            && let Some(values) = tensor.floats()
        {
            let divided: Vec<f32> = values.iter().map(|value| value / divisor).collect();
            let (name, dims) = (tensor.name.clone(), tensor.dims.clone());
            *tensor = Tensor::of_floats(name, dims, &divided);
        }
    }
    let mut gone = found.iter().map(|division| division.at);
    let mut gone_next = gone.next();
    let mut place = 0;
    graph.node.retain(|_| {
        let is_gone = gone_next == Some(place);
        if is_gone {
            gone_next = gone.next();
        }
        place += 1;
        !is_gone
    });
}

/// In the order of the graph.
fn find(graph: &Graph) -> Vec<Division> {
    let (constants, uses) = (constants(graph), uses(graph));
    let weights: HashMap<&str, &Tensor> = (graph.initializer.iter())
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    let only_use = |value: &str| match uses.get(value).map(Vec::as_slice) {
        Some([place]) => Some(*place).filter(|place| *place < graph.node.len()),
        _ => None,
    };
    let divisor = |node: &Node| {
        let [_, number] = &node.input[..] else {
            return None;
        };
        let number = constants.get(number.as_str())?.floats()?;
        // A positive factor goes through an activation that is a straight line on each side of zero.
        let [number] = number[..] else { return None };
        (node.op_type == "Div" && SIZES.contains(&number)).then_some(number)
    };
    let taker = |place: usize, data: &str| {
        let node = graph.node.get(place)?;
        let is_convolution = matches!(node.op_type.as_str(), "Conv" | "ConvTranspose");
        let (taken, kernel) = (node.input.first()?, node.input.get(1)?);
        let is_its_own = weights.get(kernel.as_str())?.is_floats() && only_use(kernel).is_some();
        let bias = node.input.get(2);
        let is_data = taken == data && kernel != data && bias.is_none_or(|bias| bias != data);
        (is_convolution && is_its_own && is_data).then(|| kernel.clone())
    };
    let mut found = Vec::new();
    for (at, node) in graph.node.iter().enumerate() {
        let Some(divisor) = divisor(node) else {
            continue;
        };
        let Some(activation) = only_use(&node.output[0]) else {
            continue;
        };
        let behind = &graph.node[activation];
        let is_straight = matches!(behind.op_type.as_str(), "LeakyRelu" | "Relu");
        let Some(places) = uses.get(behind.output[0].as_str()).filter(|_| is_straight) else {
            continue;
        };
        let takers = places.iter().map(|&place| taker(place, &behind.output[0]));
        if let Some(weights) = takers.collect::<Option<Vec<String>>>() {
            found.push(Division {
                at,
                activation,
                divisor,
                weights,
            });
        }
    }
    found
}
