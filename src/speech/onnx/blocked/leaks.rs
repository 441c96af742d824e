//! Activations that leak, where they can't go into the convolution before them because something else takes
//! its values, too. The runtime does `LeakyRelu` four values at a time, and `Relu` as many as a register holds.
//! With a slope a below zero and b above it, the activation of x is b − a times the sum of `Relu(x)` and
//! a / (b − a) · x, and the weights behind it take up b − a; here b is 1.

use std::collections::{HashMap, HashSet};

use super::super::messages::{Graph, Node, Tensor};
use super::factors::{Takers, multiply};
use super::unused_ending;

/// What `LeakyRelu` has where it is not told.
const SLOPE: f32 = 0.01;

/// Slopes with which neither part is lost beside the other.
const SLOPES: std::ops::RangeInclusive<f32> = 1e-4..=0.5;

/// Parts the activations of this graph that weights allow it for.
pub(super) fn part(graph: &mut Graph) {
    let Some(ending) = unused_ending(graph) else {
        return;
    };
    let mut factors = HashMap::new();
    let mut slopes = HashMap::new();
    let takers = Takers::new(graph);
    let convolutions = (graph.node.iter()).filter(|node| node.op_type.starts_with("Conv"));
    let convolved: HashSet<&str> = convolutions.map(|node| node.output[0].as_str()).collect();
    for (place, node) in graph.node.iter().enumerate() {
        let ("LeakyRelu", [data]) = (node.op_type.as_str(), &node.input[..]) else {
            continue;
        };
        let slope = node.attribute("alpha").map_or(SLOPE, |alpha| alpha.f);
        let is_one_step = takers.only_use(data) == Some(place) && convolved.contains(data.as_str());
        if !is_one_step
            && SLOPES.contains(&slope)
            && let Some(weights) = takers.weights(&node.output[0])
        {
            factors.extend(weights.into_iter().map(|weights| (weights, 1.0 - slope)));
            slopes.insert(place, slope);
        }
    }
    multiply(graph, &factors);
    let mut nodes = Vec::with_capacity(graph.node.len() + 2 * slopes.len());
    for (place, node) in std::mem::take(&mut graph.node).into_iter().enumerate() {
        let Some(slope) = slopes.get(&place) else {
            nodes.push(node);
            continue;
        };
        let (data, whole) = (&node.input[0], &node.output[0]);
        let name = |part: &str| format!("{whole}{ending}/{part}");
        let (above, below, ratio) = (name("above"), name("below"), name("ratio"));
        nodes.push(Node::new("Relu", &[data], &above));
        nodes.push(Node::new("Mul", &[data, &ratio], &below));
        nodes.push(Node::new("Add", &[&below, &above], whole));
        let values = [slope / (1.0 - slope)];
        graph
            .initializer
            .push(Tensor::of_floats(ratio, Vec::new(), &values));
    }
    graph.node = nodes;
}
