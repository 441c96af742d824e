//! Rewrites a decoder so that ONNX Runtime runs its convolutions in blocks of channels, which takes it
//! a third less time for the same samples.
//!
//! The runtime has direct convolutions for values whose channels lie in blocks of as many as a vector
//! register holds, but only for values of four dimensions; convolutions over one dimension are
//! unrolled into matrix products. So each value of three dimensions, `[1, channels, length]`, gets a
//! height of one, `[1, channels, 1, length]`, and each kernel with it. Between blocks and rows the values
//! are reordered, wherever an operator stands that the runtime does not know in blocks. Of those that a
//! decoder has, it knows sums, `Relu`, and other activations behind a convolution; so a convolution that
//! changes nothing is put behind each transposed one, and before each activation that follows none. A
//! division before an activation goes into the weights behind it ([`divisions`]), and an activation that
//! leaks is put as a sum where that is faster ([`leaks`]).
//!
//! Nothing is known by its name. What is no convolution of three-dimensional values, or nothing that keeps
//! their shape, gets its values as they were, and stays as it is.
//!
//! Three more things make it faster. A sum goes into the convolution before it where the runtime knows that
//! both have one length, so the lengths are stated, by name. A transposed convolution is put as a
//! plain one ([`upsampling`]), whose values can be cut to what is still looked at of those beside a window
//! ([`margins`]). And a convolution that makes one channel would fill a block with nothing: it is
//! made in several steps ([`narrow`]).
//!
//! The operators: <https://onnx.ai/onnx/operators/>; what the runtime does with them is in its
//! `core/optimizer/nchwc_transformer.cc`.

mod divisions;
mod factors;
mod leaks;
mod lengths;
mod margins;
mod narrow;
mod upsampling;

use std::collections::{HashMap, HashSet};

use prost::Message;
use prost::bytes::Bytes;

use super::fields::{MODEL_GRAPH, put};
use super::messages::{Graph, INT64, Model, Node, Tensor, Value};
use lengths::Lengths;
use margins::{Margin, margins};
use narrow::PADS_AS_INPUT;
use upsampling::{Names, PLACES_AS_INPUT, Steps, Upsampling};

/// The first version of the operators whose `Squeeze` and `Unsqueeze` take their axes as an input.
pub(super) const AXES_AS_INPUT: i64 = 13;

/// The dimension that is added.
pub(super) const HEIGHT: i64 = 2;

/// A decoder in blocks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Blocked {
    /// A model of its own.
    pub model: Bytes,
    /// Where values can be cut on the way, in order. The model takes the places for it.
    pub crops: Vec<Crop>,
}

/// A place in a decoder where the values beside a window that nothing looks at any more can be cut off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crop {
    /// The inputs, of one 64-bit integer each, that say where what stays begins and ends.
    pub from: String,
    /// One past the last that stays.
    pub to: String,
    /// The values that make up a frame here.
    pub rate: usize,
    /// So many stand before those of the first frame.
    pub before: usize,
    /// How many frames on either side of a window are still looked at.
    pub margin: usize,
}

/// The decoder in blocks. `None` if it has no convolution that could be run so, or can't be read to the
/// end.
pub(crate) fn in_blocks(decoder: &[u8]) -> Option<Blocked> {
    let mut model = Model::decode(Bytes::copy_from_slice(decoder)).ok()?;
    let mut versions = model.opset_import.iter();
    let version = versions.find(|set| set.domain.is_empty())?.version;
    let graph = model.graph.as_mut()?;
    let is_plain =
        |node: &Node| node.domain.is_empty() && !node.has_graph() && node.output.len() == 1;
    let is_whole = model.functions.is_empty() && graph.sparse_initializer.is_empty();
    if !is_whole || !graph.node.iter().all(is_plain) {
        return None;
    }
    divisions::fold(graph);
    leaks::part(graph);
    let (new, stated, crops) = Rewriting::new(graph, version)?.rewrite()?;
    *graph = new;
    let mut model = model.encode_to_vec();
    // A message that comes in two parts is put together by whoever reads it.
    put(&mut model, MODEL_GRAPH, &stated);
    Some(Blocked {
        model: model.into(),
        crops,
    })
}

/// The constants of a graph whose nodes all make something, by name: its weights, and what its `Constant`
/// nodes hold.
pub(super) fn constants(graph: &Graph) -> HashMap<&str, &Tensor> {
    let held = graph.node.iter().filter_map(|node| {
        let value = node.attribute("value")?.t.as_ref()?;
        let is_constant = node.op_type == "Constant" && node.input.is_empty();
        is_constant.then(|| (node.output[0].as_str(), value))
    });
    let weights = graph.initializer.iter();
    let weights = weights.map(|tensor| (tensor.name.as_str(), tensor));
    weights.chain(held).collect()
}

/// What each value goes into, as places of nodes; once for each time that it does. What is an output of the
/// graph goes into nothing that is known here.
pub(super) fn uses(graph: &Graph) -> HashMap<&str, Vec<usize>> {
    let mut uses: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, node) in graph.node.iter().enumerate() {
        for input in &node.input {
            uses.entry(input).or_default().push(place);
        }
    }
    for output in &graph.output {
        uses.entry(&output.name).or_default().push(usize::MAX);
    }
    uses
}

/// A convolution over one dimension: its kernel, and how many channels it makes.
struct Convolution<'g> {
    weights: &'g Tensor,
    channels: i64,
    is_transposed: bool,
}

impl Convolution<'_> {
    /// The weights with a height of one, under this name.
    fn high_weights(&self, name: String) -> Tensor {
        let mut dims = self.weights.dims.clone();
        dims.insert(2, 1);
        Tensor {
            dims,
            name,
            ..self.weights.clone()
        }
    }
}

/// What a node is, if it is a convolution of three-dimensional values with weights that are known.
fn convolution<'g>(node: &Node, constants: &HashMap<&str, &'g Tensor>) -> Option<Convolution<'g>> {
    let is_absent_or_known =
        |value: &String| value.is_empty() || constants.contains_key(value.as_str());
    let is_transposed = match node.op_type.as_str() {
        "Conv" => false,
        "ConvTranspose" => true,
        _ => return None,
    };
    let (inputs, weights) = match &node.input[..] {
        [data, weights] => ([data, weights], weights),
        [data, weights, bias] if is_absent_or_known(bias) => ([data, weights], weights),
        _ => return None,
    };
    if constants.contains_key(inputs[0].as_str()) {
        return None;
    }
    let weights = *constants.get(weights.as_str())?;
    let [first, second, size] = weights.dims[..] else {
        return None;
    };
    let of_kernel = [
        ("kernel_shape", 1, Some(size)),
        ("strides", 1, None),
        ("dilations", 1, None),
        ("pads", 2, None),
        ("output_padding", 1, None),
    ];
    let mut group = 1;
    for attribute in &node.attribute {
        let known = of_kernel.iter().find(|(name, ..)| *name == attribute.name);
        match (known, attribute.name.as_str()) {
            (Some((_, count, value)), _) => {
                let is_as_told = value.is_none_or(|value| attribute.ints == [value]);
                if attribute.ints.len() != *count || !is_as_told {
                    return None;
                }
            }
            (None, "group") => group = attribute.i,
            (None, "auto_pad") if *attribute.s == *b"NOTSET" => {}
            _ => return None,
        }
    }
    // Then there are no more channels than weights.
    let is_sound = first > 0 && second > 0 && size > 0 && group > 0 && first % group == 0;
    if !is_sound || !weights.is_floats() {
        return None;
    }
    let channels = match is_transposed {
        true => second.checked_mul(group)?,
        false => first,
    };
    Some(Convolution {
        weights,
        channels,
        is_transposed,
    })
}

/// What no name in this graph ends in, for the names of values with a height; `None` if there is nothing left.
fn unused_ending(graph: &Graph) -> Option<String> {
    let nodes = graph.node.iter();
    let mut names: Vec<&str> = nodes
        .flat_map(|node| node.input.iter().chain(&node.output))
        .map(String::as_str)
        .collect();
    names.extend(graph.initializer.iter().map(|one| one.name.as_str()));
    names.extend(graph.input.iter().map(|one| one.name.as_str()));
    Some(format!("/high{}", highest(&names)?.checked_add(1)?))
}

/// Gives the attributes of a convolution over one dimension to one over two.
fn high_attributes(node: &Node, high: &mut Node) {
    for (name, neutral) in [
        ("kernel_shape", 1),
        ("strides", 1),
        ("dilations", 1),
        ("output_padding", 0),
    ] {
        if let Some(attribute) = node.attribute(name) {
            high.set(name, vec![neutral, attribute.ints[0]]);
        }
    }
    if let Some(pads) = node.attribute("pads") {
        high.set("pads", vec![0, pads.ints[0], 0, pads.ints[1]]);
    }
}

/// The highest number that one of these names has behind `/high`, or 0; `None` if it is beyond all bounds.
fn highest(names: &[&str]) -> Option<u64> {
    let behind = names.iter().flat_map(|name| name.split("/high").skip(1));
    behind
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            match &rest[..end.unwrap_or(rest.len())] {
                "" => Some(0),
                digits => digits.parse().ok(),
            }
        })
        .try_fold(0, |most, number| Some(number?.max(most)))
}

/// A graph on its way from three dimensions to four.
struct Rewriting<'g> {
    graph: &'g Graph,
    constants: HashMap<&'g str, &'g Tensor>,
    uses: HashMap<&'g str, Vec<usize>>,
    /// What the names of values with a height end in.
    ending: String,
    version: i64,
    nodes: Vec<Node>,
    weights: Vec<Tensor>,
    /// The names of these weights.
    weighted: HashSet<String>,
    /// The channels of the values that are made with a height.
    channels: HashMap<&'g str, i64>,
    /// Those that are to be had with a height though they are made without.
    widened: HashSet<&'g str>,
    /// Those that are to be had without though they are made with one.
    narrowed: HashSet<&'g str>,
    /// The values that a convolution makes.
    convolved: HashSet<&'g str>,
    lengths: Lengths<'g>,
    /// The upsamplings that can be cut, by the places of their nodes.
    margins: HashMap<usize, Margin>,
    crops: Vec<Crop>,
}

impl<'g> Rewriting<'g> {
    fn new(graph: &'g Graph, version: i64) -> Option<Self> {
        let ending = unused_ending(graph)?;
        let constants = constants(graph);
        Some(Self {
            graph,
            margins: margins(graph, &constants),
            constants,
            uses: uses(graph),
            ending,
            version,
            nodes: Vec::new(),
            weights: Vec::new(),
            weighted: HashSet::new(),
            channels: HashMap::new(),
            widened: HashSet::new(),
            narrowed: HashSet::new(),
            convolved: HashSet::new(),
            lengths: Lengths::default(),
            crops: Vec::new(),
        })
    }

    fn rewrite(mut self) -> Option<(Graph, Vec<u8>, Vec<Crop>)> {
        let graph = self.graph;
        let height = self.height();
        for (place, node) in graph.node.iter().enumerate() {
            if let Some(convolution) = convolution(node, &self.constants) {
                self.convolve(place, node, &convolution);
            } else if let Some(channels) = self.kept(node) {
                self.keep(place, node, channels);
            } else {
                for input in &node.input {
                    self.narrow(input);
                }
                self.nodes.push(node.clone());
            }
        }
        if self.convolved.is_empty() {
            return None;
        }
        for output in &graph.output {
            self.narrow(&output.name);
        }
        let used: HashSet<&str> = (self.nodes.iter())
            .flat_map(|node| node.input.iter().map(String::as_str))
            .collect();
        let outputs: HashSet<&str> = graph.output.iter().map(|one| one.name.as_str()).collect();
        let is_needed = |name: &str| used.contains(name) || outputs.contains(name);
        let old = graph.initializer.iter().filter(|one| is_needed(&one.name));
        let new = self.weights.iter().chain(&height);
        let initializer = old.chain(new).cloned().collect();
        let nodes = self.nodes.iter().filter(|node| is_needed(&node.output[0]));
        let places = self.crops.iter().flat_map(|crop| [&crop.from, &crop.to]);
        let places = places.map(|place| Value::of(place, INT64));
        let graph = Graph {
            node: nodes.cloned().collect(),
            initializer,
            input: graph.input.iter().cloned().chain(places).collect(),
            ..graph.clone()
        };
        Some((graph, self.lengths.stated(), self.crops))
    }

    /// The name of a value with its height.
    fn high(&self, value: &str) -> String {
        format!("{value}{}", self.ending)
    }

    /// The axis that is added and taken away, where operators take it as an input.
    fn height(&self) -> Option<Tensor> {
        let is_input = self.version >= AXES_AS_INPUT;
        is_input.then(|| Tensor::of_integers(self.ending.clone(), vec![HEIGHT]))
    }

    fn axis(&self, operator: &str, input: &str, output: &str) -> Node {
        if self.version >= AXES_AS_INPUT {
            return Node::new(operator, &[input, &self.ending], output);
        }
        let mut node = Node::new(operator, &[input], output);
        node.set("axes", vec![HEIGHT]);
        node
    }

    /// Has a value at hand with its height, and returns its name.
    fn widen(&mut self, value: &'g str) -> String {
        let high = self.high(value);
        if !self.channels.contains_key(value) && self.widened.insert(value) {
            let node = self.axis("Unsqueeze", value, &high);
            self.nodes.push(node);
        }
        high
    }

    /// Has a value at hand as it was.
    fn narrow(&mut self, value: &'g str) {
        if self.channels.contains_key(value) && self.narrowed.insert(value) {
            let node = self.axis("Squeeze", &self.high(value), value);
            self.nodes.push(node);
        }
    }

    fn convolve(&mut self, place: usize, node: &'g Node, convolution: &Convolution<'g>) {
        let data = self.widen(&node.input[0]);
        let output = node.output[0].as_str();
        let channels = convolution.channels;
        self.channels.insert(output, channels);
        self.convolved.insert(output);
        let high = self.high(output);
        self.lengths
            .convolved(node, convolution.weights, high.clone(), channels);
        if convolution.is_transposed && self.upsample(place, node, convolution, &data) {
            return;
        }
        if let Some(steps) = self.narrowed_to(node, convolution, &data) {
            self.nodes.extend(steps.nodes);
            self.weights.extend(steps.weights);
            return;
        }
        let kernel = self.high(&node.input[1]);
        if self.weighted.insert(kernel.clone()) {
            self.weights.push(convolution.high_weights(kernel.clone()));
        }
        let mut high = node.clone();
        high.input[0] = data;
        high.input[1] = kernel;
        high_attributes(node, &mut high);
        high.output[0] = self.high(output);
        if convolution.is_transposed {
            let raw = format!("{}/raw", high.output[0]);
            let whole = std::mem::replace(&mut high.output[0], raw.clone());
            self.nodes.push(high);
            self.unchanged(&raw, &whole, channels);
        } else {
            self.nodes.push(high);
        }
    }

    /// Whether only one node takes these weights: what is made of them anew is made once then, however large
    /// they are.
    fn are_for_one(&self, weights: &str) -> bool {
        self.uses.get(weights).is_some_and(|uses| uses.len() == 1)
    }

    /// The bias of a convolution, which is known where there is one.
    fn bias(&self, node: &Node) -> Option<&'g Tensor> {
        let bias = node.input.get(2)?;
        self.constants.get(bias.as_str()).copied()
    }

    /// Puts a transposed convolution as a plain one, if that can be.
    fn upsample(
        &mut self,
        place: usize,
        node: &'g Node,
        convolution: &Convolution<'g>,
        data: &str,
    ) -> bool {
        if self.version < PLACES_AS_INPUT || !self.are_for_one(&node.input[1]) {
            return false;
        }
        let upsampling = Upsampling::of(node, convolution.weights, self.bias(node));
        let Some(upsampling) = upsampling else {
            return false;
        };
        let whole = self.high(&node.output[0]);
        let crop = self.margins.get(&place).map(|margin| Crop {
            from: format!("{whole}/begin"),
            to: format!("{whole}/end"),
            rate: usize::try_from(margin.rate).unwrap_or(usize::MAX),
            before: upsampling.before(),
            margin: margin.frames,
        });
        let raw = format!("{whole}/raw");
        let names = Names {
            input: data,
            output: &raw,
            prefix: &whole,
        };
        let steps = upsampling.steps(&names, crop.as_ref());
        self.nodes.extend(steps.nodes);
        self.weights.extend(steps.weights);
        self.crops.extend(crop);
        self.unchanged(&raw, &whole, convolution.channels);
        true
    }

    /// The steps of a convolution that makes few channels, if it is one.
    fn narrowed_to(
        &self,
        node: &'g Node,
        convolution: &Convolution<'g>,
        data: &str,
    ) -> Option<Steps> {
        if self.version < PADS_AS_INPUT || !self.are_for_one(&node.input[1]) {
            return None;
        }
        let bias = self.bias(node);
        let whole = self.high(&node.output[0]);
        let names = Names {
            input: data,
            output: &whole,
            prefix: &whole,
        };
        narrow::steps(node, convolution.weights, bias, &names)
    }

    /// A convolution that changes nothing.
    fn unchanged(&mut self, input: &str, output: &str, channels: i64) {
        self.multiplied(input, 1.0, output, channels);
    }

    /// One that multiplies with a number.
    fn multiplied(&mut self, input: &str, by: f32, output: &str, channels: i64) {
        let kernel = format!("{}/times{:x}x{channels}", self.ending, by.to_bits());
        if self.weighted.insert(kernel.clone()) {
            let all = vec![by; usize::try_from(channels).unwrap_or(0)];
            let dims = vec![channels, 1, 1, 1];
            self.weights
                .push(Tensor::of_floats(kernel.clone(), dims, &all));
        }
        let mut node = Node::new("Conv", &[input, &kernel], output).with("group", channels);
        node.set("kernel_shape", vec![1, 1]);
        self.nodes.push(node);
    }

    /// The channels of what a node makes of values with a height, if it keeps their shape.
    fn kept(&self, node: &Node) -> Option<i64> {
        let channels = |value: &String| self.channels.get(value.as_str()).copied();
        let is_number = |value: &String| {
            let constant = self.constants.get(value.as_str());
            // Of no or one dimension it fits everywhere, and adds none.
            constant.is_some_and(|one| matches!(one.dims[..], [] | [1]))
        };
        let is_float = |value: &String| is_number(value) && self.number(value).is_some();
        match (node.op_type.as_str(), &node.input[..]) {
            ("LeakyRelu" | "Relu" | "Tanh", [data]) => channels(data),
            ("Add", [one, other]) => {
                let (one, other) = (channels(one)?, channels(other)?);
                (one == other).then_some(one)
            }
            ("Div", [data, number]) if is_number(number) => channels(data),
            ("Mul", [data, number]) if is_float(number) => channels(data),
            _ => None,
        }
    }

    /// The only value of a constant.
    fn number(&self, constant: &str) -> Option<f32> {
        match self.constants.get(constant)?.floats()?[..] {
            [number] => Some(number),
            _ => None,
        }
    }

    fn keep(&mut self, place: usize, node: &'g Node, channels: i64) {
        let mut high = node.clone();
        for input in &mut high.input {
            if self.channels.contains_key(input.as_str()) {
                *input = self.high(input);
            }
        }
        if node.op_type == "LeakyRelu" && !self.is_only_use(place, &node.input[0]) {
            let behind = format!("{}/in", self.high(&node.output[0]));
            let before = std::mem::replace(&mut high.input[0], behind.clone());
            self.unchanged(&before, &behind, channels);
        }
        high.output[0] = self.high(&node.output[0]);
        self.lengths.kept(node, high.output[0].clone(), channels);
        match &node.input[..] {
            [_, number] if node.op_type == "Mul" => {
                let number = self.number(number).unwrap_or(1.0);
                self.multiplied(&high.input[0], number, &high.output[0], channels);
            }
            _ => self.nodes.push(high),
        }
        self.channels.insert(&node.output[0], channels);
    }

    /// Whether a convolution makes this value for this node alone: the runtime makes one step of both.
    fn is_only_use(&self, place: usize, value: &str) -> bool {
        self.convolved.contains(value) && self.uses.get(value).is_some_and(|uses| *uses == [place])
    }
}

#[cfg(test)]
mod tests;
