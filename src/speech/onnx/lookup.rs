//! A graph's values by their names: what makes each, what takes it, and which are constants. It is what a
//! structure is proven with.

use std::collections::HashMap;

use super::blocked::{constants, uses};
use super::messages::{Graph, Node, Tensor};

/// A graph, as far as it must be known to find something in it.
pub(super) struct Lookup<'g> {
    graph: &'g Graph,
    constants: HashMap<&'g str, &'g Tensor>,
    makers: HashMap<&'g str, usize>,
    uses: HashMap<&'g str, Vec<usize>>,
}

impl<'g> Lookup<'g> {
    /// Of a graph whose nodes all make something.
    pub(super) fn of(graph: &'g Graph) -> Self {
        let mut constants = constants(graph);
        // Something else may be given instead.
        for input in &graph.input {
            constants.remove(input.name.as_str());
        }
        let made = graph.node.iter().enumerate().flat_map(|(place, node)| {
            let outputs = node.output.iter();
            outputs.map(move |output| (output.as_str(), place))
        });
        let mut makers: HashMap<_, _> = made.collect();
        // The name of what is left out.
        makers.remove("");
        Self {
            graph,
            constants,
            makers,
            uses: uses(graph),
        }
    }

    /// Whether no value has the name of another.
    pub(super) fn is_each_made_once(&self) -> bool {
        let outputs = self.graph.node.iter().flat_map(|node| &node.output);
        let made = outputs.filter(|name| !name.is_empty()).count();
        let mut weights: Vec<&str> = (self.graph.initializer.iter())
            .map(|one| one.name.as_str())
            .collect();
        let all = weights.len();
        weights.sort_unstable();
        weights.dedup();
        let mut inputs = self.graph.input.iter();
        made == self.makers.len()
            && all == weights.len()
            && !weights.iter().any(|name| self.makers.contains_key(name))
            && !inputs.any(|input| self.makers.contains_key(input.name.as_str()))
    }

    /// Where the node stands that makes this value.
    pub(super) fn place(&self, value: &str) -> Option<usize> {
        self.makers.get(value).copied()
    }

    /// The node that makes this value.
    pub(super) fn made_by(&self, value: &str) -> Option<&'g Node> {
        self.graph.node.get(self.place(value)?)
    }

    /// The same, if it is one of these.
    pub(super) fn maker(
        &self,
        value: &str,
        operators: &[&str],
        inputs: usize,
        attributes: &[&str],
    ) -> Option<&'g Node> {
        let node = self.made_by(value)?;
        is(node, operators, inputs, attributes).map(|()| node)
    }

    pub(super) fn constant(&self, name: &str) -> Option<&'g Tensor> {
        self.constants.get(name).copied()
    }

    /// How often this value is taken, by nodes or as an output.
    pub(super) fn uses(&self, value: &str) -> usize {
        self.uses.get(value).map_or(0, Vec::len)
    }

    pub(super) fn is_used_once(&self, value: &str) -> bool {
        self.uses(value) == 1
    }
}

/// Whether a node is one of these standard operators, with so many inputs and no other attributes.
pub(super) fn is(
    node: &Node,
    operators: &[&str],
    inputs: usize,
    attributes: &[&str],
) -> Option<()> {
    let is_one = node.domain.is_empty() && operators.contains(&&*node.op_type);
    let mut told = node.attribute.iter();
    let is_known = told.all(|one| attributes.contains(&&*one.name));
    (is_one && is_known && node.input.len() == inputs).then_some(())
}

/// What is told of one of a node's two inputs, and the name of the other.
pub(super) fn either<'g, T>(
    node: &'g Node,
    told: impl Fn(&'g str) -> Option<T>,
) -> Option<(T, &'g str)> {
    let [one, other] = &node.input[..] else {
        return None;
    };
    let first = told(one).map(|it| (it, other.as_str()));
    first.or_else(|| told(other).map(|it| (it, one.as_str())))
}
