//! Turns the convolutions of a dynamically quantised model back into convolutions of 32-bit floats. The
//! runtime takes less time for these on processors without dot products of bytes (AVX-VNNI, AVX-512 VNNI);
//! with them it takes more. The weights need four times the memory in any case, so it is for whoever opens
//! a model to choose.
//!
//! Such a model quantises the input of each convolution when it runs, convolves integers, adds a bias that it
//! has quantised as well, and scales the sum back ([`chains`]). One convolution of the input as it was takes
//! the place of all of it, with the weights times their scale. It is one over two dimensions, with a height
//! of one, where the runtime then has it in blocks of channels.
//!
//! Nothing is known by its name, and what is not proven to be such a chain stays as it is.
//!
//! The operators: <https://onnx.ai/onnx/operators/>.

mod chains;
mod names;
mod weights;

use std::collections::{HashMap, HashSet};

use prost::Message;
use prost::bytes::Bytes;

use super::blocked::{AXES_AS_INPUT, HEIGHT};
use super::messages::{Graph, Model, Node, Tensor};
use chains::{Chain, Chains};
use names::Names;
use weights::Weights;

/// A block of channels, on the processors with the widest registers.
const BLOCK: i64 = 16;

/// The runtime reads no model that is larger.
const LARGEST: usize = i32::MAX as usize;

/// The model with its quantised convolutions as convolutions of floats, in the same order of nodes and with
/// the same inputs and outputs. What the model says of the values between its nodes is lost. `None` if it has
/// no such convolution, or can't be read to the end.
pub(crate) fn in_floats(model: Bytes) -> Option<Vec<u8>> {
    let size = model.len();
    let mut model = Model::decode(model).ok()?;
    let mut versions = model.opset_import.iter();
    let version = versions.find(|set| set.domain.is_empty())?.version;
    let graph = model.graph.take()?;
    let is_readable = |node: &Node| !node.has_graph() && !node.output.is_empty();
    let is_whole = model.functions.is_empty() && graph.sparse_initializer.is_empty();
    if !is_whole || !graph.node.iter().all(is_readable) {
        return None;
    }
    let mut names = Names::of(&graph)?;
    let mut rewriting = Rewriting::new(version, size, &mut names);
    let mut nodes = Vec::with_capacity(graph.node.len());
    let chains = Chains::of(&graph);
    for node in &graph.node {
        match chains.ending_in(node) {
            Some(chain) => match rewriting.convolution(&chain) {
                Some(convolution) => nodes.extend(convolution),
                None => nodes.push(node.clone()),
            },
            None => nodes.push(node.clone()),
        }
    }
    let Rewriting { made, small, .. } = rewriting;
    if made.is_empty() {
        return None;
    }
    model.graph = Some(without_unused(&graph, nodes, small));
    let mut bytes = Vec::new();
    let length = (made.iter()).try_fold(model.encoded_len(), |all, one| {
        all.checked_add(one.encoded_len())
    })?;
    if length > LARGEST {
        return None;
    }
    // Such a model may be larger than the memory.
    bytes.try_reserve_exact(length).ok()?;
    model.encode(&mut bytes).ok()?;
    for one in &made {
        one.put(&mut bytes);
    }
    Some(bytes)
}

/// The graph with these nodes instead, and these constants more, without what no output needs.
fn without_unused(graph: &Graph, nodes: Vec<Node>, more: Vec<Tensor>) -> Graph {
    let made = nodes.iter().enumerate().flat_map(|(place, node)| {
        let outputs = node.output.iter();
        outputs.map(move |output| (output.as_str(), place))
    });
    let makers: HashMap<&str, usize> = made.collect();
    let mut needed: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = graph.output.iter().map(|one| one.name.as_str()).collect();
    let mut is_needed = vec![false; nodes.len()];
    while let Some(value) = open.pop() {
        if !needed.insert(value) {
            continue;
        }
        let Some(&place) = makers.get(value) else {
            continue;
        };
        if !std::mem::replace(&mut is_needed[place], true) {
            open.extend(nodes[place].input.iter().map(String::as_str));
        }
    }
    let constants = graph.initializer.iter().chain(&more);
    let initializer = constants.filter(|one| needed.contains(one.name.as_str()));
    let initializer = initializer.cloned().collect();
    let mut is_needed = is_needed.into_iter();
    let mut node = nodes;
    node.retain(|_| is_needed.next().unwrap_or(true));
    Graph {
        node,
        name: graph.name.clone(),
        initializer,
        input: graph.input.clone(),
        output: graph.output.clone(),
        ..Graph::default()
    }
}

/// The convolutions of floats that were made so far.
struct Rewriting<'n, 'g> {
    version: i64,
    names: &'n mut Names<'g>,
    /// How many weights may still be made: no more than there are bytes in the model, however many
    /// convolutions take the same ones.
    left: usize,
    made: Vec<Weights>,
    /// Biases, and the axis of the height.
    small: Vec<Tensor>,
    axis: Option<String>,
}

impl<'n, 'g> Rewriting<'n, 'g> {
    fn new(version: i64, size: usize, names: &'n mut Names<'g>) -> Self {
        Self {
            version,
            names,
            left: size,
            made: Vec::new(),
            small: Vec::new(),
            axis: None,
        }
    }

    /// The nodes that take the place of a chain; `None` if its weights would be too many.
    fn convolution(&mut self, chain: &Chain<'g>) -> Option<Vec<Node>> {
        self.left = self.left.checked_sub(chain.kernel.count())?;
        let [outputs, inputs, size] = chain.kernel.dims;
        let is_high = chain.shape.group == 1 && outputs % BLOCK == 0 && inputs % BLOCK == 0;
        let name = self.names.new_one(chain.output, "weights");
        let dims = match is_high {
            true => vec![outputs, inputs, 1, size],
            false => vec![outputs, inputs, size],
        };
        self.made.push(Weights {
            name: name.clone(),
            dims,
            kernel: chain.kernel.clone(),
        });
        let mut taken = vec![chain.input.to_owned(), name];
        if let Some(bias) = &chain.bias {
            let name = self.names.new_one(chain.output, "bias");
            self.small
                .push(Tensor::of_floats(name.clone(), vec![outputs], bias));
            taken.push(name);
        }
        if !is_high {
            let mut node = node_of("Conv", &taken, chain.output).with("group", chain.shape.group);
            node.set("kernel_shape", vec![size]);
            node.set("strides", vec![chain.shape.stride]);
            node.set("dilations", vec![chain.shape.dilation]);
            node.set("pads", chain.shape.pads.to_vec());
            return Some(vec![node]);
        }
        let [before, after] = chain.shape.pads;
        let high = self.names.new_one(chain.output, "input");
        let raw = self.names.new_one(chain.output, "output");
        let widened = self.with_axis("Unsqueeze", chain.input, &high);
        taken[0] = high;
        let mut node = node_of("Conv", &taken, &raw);
        node.set("kernel_shape", vec![1, size]);
        node.set("strides", vec![1, chain.shape.stride]);
        node.set("dilations", vec![1, chain.shape.dilation]);
        node.set("pads", vec![0, before, 0, after]);
        let narrowed = self.with_axis("Squeeze", &raw, chain.output);
        Some(vec![widened, node, narrowed])
    }

    /// What adds the height, or takes it away.
    fn with_axis(&mut self, operator: &str, input: &str, output: &str) -> Node {
        if self.version < AXES_AS_INPUT {
            let mut node = Node::new(operator, &[input], output);
            node.set("axes", vec![HEIGHT]);
            return node;
        }
        let axis = self.axis.get_or_insert_with(|| {
            let name = self.names.new_one("floats", "axis");
            self.small
                .push(Tensor::of_integers(name.clone(), vec![HEIGHT]));
            name
        });
        Node::new(operator, &[input, axis], output)
    }
}

fn node_of(operator: &str, inputs: &[String], output: &str) -> Node {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Node::new(operator, &inputs, output)
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
