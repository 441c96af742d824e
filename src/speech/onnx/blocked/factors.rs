//! Weights that take up a number by which all that they are multiplied with is multiplied.

use std::collections::HashMap;

use super::super::messages::{Graph, Tensor};
use super::uses;

/// Who takes the values of a graph.
pub(super) struct Takers<'g> {
    graph: &'g Graph,
    uses: HashMap<&'g str, Vec<usize>>,
    initializers: HashMap<&'g str, &'g Tensor>,
}

impl<'g> Takers<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let weights = graph.initializer.iter();
        Self {
            graph,
            uses: uses(graph),
            initializers: weights.map(|one| (one.name.as_str(), one)).collect(),
        }
    }

    /// The place of the only node that takes this value, if it is the only one.
    pub(super) fn only_use(&self, value: &str) -> Option<usize> {
        match self.uses.get(value).map(Vec::as_slice) {
            Some([place]) => Some(*place).filter(|place| *place < self.graph.node.len()),
            _ => None,
        }
    }

    /// The names of all weights that this value is multiplied with, if only convolutions take it, each of
    /// which has its own.
    pub(super) fn weights(&self, value: &str) -> Option<Vec<String>> {
        let places = self.uses.get(value)?;
        let weights = places.iter().map(|&place| self.weight(place, value));
        weights.collect()
    }

    fn weight(&self, place: usize, data: &str) -> Option<String> {
        let node = self.graph.node.get(place)?;
        let is_convolution = matches!(node.op_type.as_str(), "Conv" | "ConvTranspose");
        let (taken, kernel) = (node.input.first()?, node.input.get(1)?);
        let weights = self.initializers.get(kernel.as_str())?;
        let is_its_own = weights.is_floats() && self.only_use(kernel).is_some();
        let bias = node.input.get(2);
        let is_data = taken == data && kernel != data && bias.is_none_or(|bias| bias != data);
        (is_convolution && is_its_own && is_data).then(|| kernel.clone())
    }
}

/// Multiplies weights, by their names.
pub(super) fn multiply(graph: &mut Graph, factors: &HashMap<String, f32>) {
    for tensor in &mut graph.initializer {
        if let Some(factor) = factors.get(tensor.name.as_str())
            && let Some(values) = tensor.floats()
        {
            let multiplied: Vec<f32> = values.iter().map(|value| value * factor).collect();
            let (name, dims) = (tensor.name.clone(), tensor.dims.clone());
            *tensor = Tensor::of_floats(name, dims, &multiplied);
        }
    }
}
