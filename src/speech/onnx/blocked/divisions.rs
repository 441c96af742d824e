//! Divisions by a number before an activation that leaves factors alone: they go into the weights behind it.

use std::collections::HashMap;

use super::super::messages::{Graph, Node};
use super::constants;
use super::factors::{Takers, multiply};

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
    let mut factors = HashMap::new();
    for division in &found {
        let weights = division.weights.iter().cloned();
        factors.extend(weights.map(|weights| (weights, division.divisor.recip())));
        let divided = graph.node[division.at].input[0].clone();
        graph.node[division.activation].input[0] = divided;
    }
    multiply(graph, &factors);
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
    let (constants, takers) = (constants(graph), Takers::new(graph));
    let divisor = |node: &Node| {
        let [_, number] = &node.input[..] else {
            return None;
        };
        let number = constants.get(number.as_str())?.floats()?;
        // A positive factor goes through an activation that is a straight line on each side of zero.
        let [number] = number[..] else { return None };
        (node.op_type == "Div" && SIZES.contains(&number)).then_some(number)
    };
    let mut found = Vec::new();
    for (at, node) in graph.node.iter().enumerate() {
        let Some(divisor) = divisor(node) else {
            continue;
        };
        let Some(activation) = takers.only_use(&node.output[0]) else {
            continue;
        };
        let behind = &graph.node[activation];
        let is_straight = matches!(behind.op_type.as_str(), "LeakyRelu" | "Relu");
        if is_straight && let Some(weights) = takers.weights(&behind.output[0]) {
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
