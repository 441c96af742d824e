//! Cuts a model that makes sound from frames in two: what makes the frames, and what turns frames
//! into samples. The second half looks at a few frames on either side only, so it can be run on a
//! part of them at a time, which takes memory for that part, and gives the same samples. What it
//! can't prove to be of that kind it leaves alone. It works on bytes and never runs anything.
//!
//! The lengths of what a convolution gives are those of the operators `Conv` and
//! `ConvTranspose` at <https://onnx.ai/onnx/operators/>.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::fields::{GRAPH_INPUT, MODEL_GRAPH, TYPE_TENSOR, VALUE_TYPE, fields, hide, put};
use super::graph::{
    GRAPH_INITIALIZER, GRAPH_NAME, GRAPH_NODE, GRAPH_OUTPUT, Graph, Node, TENSOR_NAME, VALUE_NAME,
    name,
};

/// A tensor's type in bytes: its element type (field 1) is 1, a 32-bit float, its shape unknown.
const FLOATS: [u8; 2] = [1 << 3, 1];
/// The same of 64-bit integers.
const INTEGERS: [u8; 2] = [1 << 3, 7];

/// A second half that makes fewer samples of a frame than this holds too little of the work.
const FEWEST_SAMPLES: u64 = 32;
/// One that looks further than this would do most of its work twice.
const FURTHEST: f64 = 48.0;

/// The second half of a model.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoder {
    /// A model of its own.
    pub model: Vec<u8>,
    /// The samples of a frame.
    pub hop: usize,
    /// How many frames on either side a frame's samples may depend on.
    pub reach: usize,
    /// What the first half makes of how many frames each of its inputs takes, if that can be told.
    pub durations: Option<String>,
}

/// Has a model give one more of the values that it makes, of 32-bit floats.
pub(crate) fn give_too(model: &mut Vec<u8>, value: &str) {
    // A message that comes in two parts is put together by whoever reads it.
    put(model, MODEL_GRAPH, &end_of_half(value));
}

/// The same of 64-bit integers.
pub(crate) fn give_integers_too(model: &mut Vec<u8>, value: &str) {
    let mut output = Vec::new();
    put(&mut output, GRAPH_OUTPUT, &stated(value, &INTEGERS));
    put(model, MODEL_GRAPH, &output);
}

/// Cuts a model in two, at the first values from its end that come from elsewhere than operators
/// that look at their neighbourhood only. `model` becomes what makes the frames, which are its
/// outputs now: most of it stays where it stands, for it is large. `None` if it is of another kind,
/// or can't be read; then it stays as it is.
pub(crate) fn cut_off_decoder(model: &mut Vec<u8>) -> Option<Decoder> {
    let graph = Graph::read(model)?;
    let (nodes, between) = graph.decoder();
    let (hop, reach) = graph.geometry(&nodes, &between)?;
    if hop < FEWEST_SAMPLES || reach > FURTHEST {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and FURTHEST"
    )]
    let reach = reach.ceil() as usize;
    let hop = usize::try_from(hop).ok()?;
    let durations = graph.durations(&nodes, &between).map(str::to_owned);
    let parts = graph.part(&nodes)?;
    let ends: Vec<u8> = between.iter().flat_map(|name| end_of_half(name)).collect();
    let mut decoder = Vec::new();
    for field in fields(model, 0..model.len()) {
        if field.tag == MODEL_GRAPH {
            put(
                &mut decoder,
                MODEL_GRAPH,
                &graph.second_half(&parts, &between),
            );
        } else {
            decoder.extend_from_slice(&model[field.whole()]);
        }
    }
    for at in parts.leaving {
        hide(model, at);
    }
    put(model, MODEL_GRAPH, &ends);
    Some(Decoder {
        model: decoder,
        hop,
        reach,
        durations,
    })
}

/// The fields of a graph that says: this value is an output.
fn end_of_half(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, GRAPH_OUTPUT, &floats(name));
    out
}

/// What a graph says of an input or output: its name, and that it is of 32-bit floats.
fn floats(name: &str) -> Vec<u8> {
    stated(name, &FLOATS)
}

/// The same with this type.
fn stated(name: &str, kind: &[u8]) -> Vec<u8> {
    let (mut tensor, mut value) = (Vec::new(), Vec::new());
    put(&mut tensor, TYPE_TENSOR, kind);
    put(&mut value, VALUE_NAME, name.as_bytes());
    put(&mut value, VALUE_TYPE, &tensor);
    value
}

/// Which fields of the graph are whose.
struct Parts {
    /// Where the tags of those stand that the first half loses.
    leaving: Vec<usize>,
    /// The second half's.
    taken: Vec<Range<usize>>,
}

/// What a value has to do with the frames.
#[derive(Clone, Copy)]
struct Place {
    /// How many of it make up a frame.
    per_frame: u64,
    /// How many frames on either side it may depend on.
    reach: f64,
}

impl<'a> Graph<'a> {
    /// The nodes of the second half, and the values that it takes from the first.
    fn decoder(&self) -> (BTreeSet<usize>, BTreeSet<&'a str>) {
        let (mut nodes, mut between) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![self.output];
        while let Some(value) = open.pop() {
            if value.is_empty() || self.constants.contains(value) {
                continue;
            }
            match self.makers.get(value) {
                Some(&maker) if self.nodes[maker].is_local() => {
                    if nodes.insert(maker) {
                        open.extend(&self.nodes[maker].inputs);
                    }
                }
                _ => drop(between.insert(value)),
            }
        }
        (nodes, between)
    }

    /// What the only step gives that rounds up: a number of frames is whole, and no other value of such a
    /// model is. `None` if there are several, or it is in the second half.
    fn durations(&self, decoder: &BTreeSet<usize>, between: &BTreeSet<&str>) -> Option<&'a str> {
        let nodes = self.nodes.iter().enumerate();
        let mut rounding = nodes.filter(|(_, node)| node.operator == "Ceil");
        let (Some((index, node)), None) = (rounding.next(), rounding.next()) else {
            return None;
        };
        let [output] = node.outputs[..] else {
            return None;
        };
        let is_new = !decoder.contains(&index) && !between.contains(output);
        is_new.then_some(output)
    }

    /// The samples of a frame and how far a sample looks, in frames. `None` if that can't be told.
    fn geometry(&self, nodes: &BTreeSet<usize>, between: &BTreeSet<&str>) -> Option<(u64, f64)> {
        let frames = Place {
            per_frame: 1,
            reach: 0.0,
        };
        let mut places: HashMap<&str, Place> =
            between.iter().map(|value| (*value, frames)).collect();
        for node in nodes.iter().map(|&index| &self.nodes[index]) {
            let mut data = node
                .inputs
                .iter()
                .filter(|input| !input.is_empty() && !self.constants.contains(**input));
            let first = *places.get(data.next()?)?;
            let place = match (node.operator, data.next()) {
                ("Conv", None) => self.after_conv(node, first)?,
                ("ConvTranspose", None) => self.after_transposed(node, first)?,
                ("Add", Some(second)) => first.beside(*places.get(second)?)?,
                (_, None) => first,
                (_, Some(_)) => return None,
            };
            places.extend(node.outputs.iter().map(|output| (*output, place)));
        }
        let end = places.get(self.output)?;
        Some((end.per_frame, end.reach))
    }

    /// A convolution that gives as many values as it takes.
    fn after_conv(&self, node: &Node<'a>, place: Place) -> Option<Place> {
        let kernel = self.kernel(node)?;
        let span = kernel.size.checked_sub(1)?.checked_mul(kernel.dilation)?;
        let padded = kernel.before.checked_add(kernel.after)?;
        (kernel.stride == 1 && padded == span)
            .then(|| place.further(kernel.before.max(kernel.after), 1))
    }

    /// A transposed convolution that gives `stride` times as many values as it takes.
    fn after_transposed(&self, node: &Node<'a>, place: Place) -> Option<Place> {
        let kernel = self.kernel(node)?;
        let [more] = self.integers_or(node, "output_padding", &[0])?[..] else {
            return None;
        };
        let padded = kernel.before.checked_add(kernel.after)?;
        let length = kernel.stride.checked_add(padded)?;
        if kernel.stride == 0
            || kernel.dilation != 1
            || kernel.size.checked_add(more)? != length
            || self.attribute(node, "output_shape").is_some()
        {
            return None;
        }
        let mut place = place.further(kernel.size, kernel.stride);
        place.per_frame = place.per_frame.checked_mul(kernel.stride)?;
        Some(place)
    }

    /// What belongs to the second half, and what no longer to the first. `None` if that can't be
    /// told apart.
    fn part(&self, decoder: &BTreeSet<usize>) -> Option<Parts> {
        let used: HashSet<&str> = (decoder.iter())
            .flat_map(|&index| self.nodes[index].inputs.iter().copied())
            .collect();
        // Old models give constants among the inputs as well; such an input would be missed.
        if used.iter().any(|value| self.inputs.contains(value)) {
            return None;
        }
        let mut used_before: HashSet<&str> = (self.nodes.iter().enumerate())
            .filter(|(index, _)| !decoder.contains(index))
            .flat_map(|(_, node)| node.inputs.iter().copied())
            .collect();
        // What both halves need, such as the values of a speaker, both make.
        let mut in_both = HashSet::new();
        for &index in decoder.iter().rev() {
            let node = &self.nodes[index];
            if node.outputs.iter().any(|value| used_before.contains(value)) {
                in_both.insert(index);
                used_before.extend(&node.inputs);
            }
        }
        let mut parts = Parts {
            leaving: Vec::new(),
            taken: Vec::new(),
        };
        let mut index = 0;
        for field in fields(self.bytes, self.content.clone()) {
            let (stays, taken) = match field.tag {
                GRAPH_NODE => {
                    let node = &self.nodes[index];
                    let is_decoders = decoder.contains(&index);
                    let is_shared = in_both.contains(&index);
                    let is_needed = node.operator == "Constant"
                        && node.outputs.iter().any(|value| used.contains(value));
                    index += 1;
                    (!is_decoders || is_shared, is_decoders || is_needed)
                }
                GRAPH_INITIALIZER => {
                    let name = name(self.bytes, &field, TENSOR_NAME)?;
                    let taken = used.contains(name);
                    // What is in no list may be used inside a branch or a loop of the first half.
                    (!taken || used_before.contains(name), taken)
                }
                GRAPH_OUTPUT => (false, true),
                GRAPH_NAME => (true, true),
                _ => (true, false),
            };
            if !stays {
                parts.leaving.push(field.at);
            }
            if taken {
                parts.taken.push(field.whole());
            }
        }
        Some(parts)
    }

    fn second_half(&self, parts: &Parts, between: &BTreeSet<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(parts.taken.iter().map(Range::len).sum());
        for range in &parts.taken {
            out.extend_from_slice(&self.bytes[range.clone()]);
        }
        for name in between {
            put(&mut out, GRAPH_INPUT, &floats(name));
        }
        out
    }
}

impl Node<'_> {
    /// Whether it is of a kind that looks at a neighbourhood of each value only.
    fn is_local(&self) -> bool {
        const LOCAL: [&str; 9] = [
            "Add",
            "Conv",
            "ConvTranspose",
            "Div",
            "LeakyRelu",
            "Relu",
            "Squeeze",
            "Tanh",
            "Unsqueeze",
        ];
        LOCAL.contains(&self.operator)
    }
}

impl Place {
    /// A value that depends on as many more neighbours on either side, of `finer` times its rate.
    #[expect(
        clippy::cast_precision_loss,
        reason = "kernels and rates of some hundreds"
    )]
    fn further(self, values: u64, finer: u64) -> Self {
        Self {
            per_frame: self.per_frame,
            reach: self.reach + values as f64 / (self.per_frame as f64 * finer as f64),
        }
    }

    /// What depends on both.
    fn beside(self, other: Self) -> Option<Self> {
        (self.per_frame == other.per_frame).then(|| Self {
            per_frame: self.per_frame,
            reach: self.reach.max(other.reach),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fields::tag;
    use super::super::graph::NODE_OPERATOR;
    use super::*;

    fn field(out: &mut Vec<u8>, number: u64, content: &[u8]) {
        put(out, tag(number), content);
    }

    fn message(parts: &[(u64, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, content) in parts {
            field(&mut out, *number, content);
        }
        out
    }

    /// An attribute of integers below 128.
    fn integers(name: &str, all: &[u8]) -> Vec<u8> {
        let mut out = message(&[(1, name.as_bytes())]);
        for integer in all {
            out.extend([8 << 3, *integer]);
        }
        out
    }

    fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for input in inputs {
            field(&mut out, 1, input.as_bytes());
        }
        field(&mut out, 2, output.as_bytes());
        field(&mut out, 4, operator.as_bytes());
        for attribute in attributes {
            field(&mut out, 5, attribute);
        }
        out
    }

    fn conv(kernel: u8, pad: u8) -> [Vec<u8>; 2] {
        [
            integers("kernel_shape", &[kernel]),
            integers("pads", &[pad, pad]),
        ]
    }

    /// A model like a vocoder: ids → Gather → Mul "frames" → convolutions of 32 samples a frame.
    fn vocoder(pad: u8) -> Vec<u8> {
        let upsampled = [
            integers("kernel_shape", &[64]),
            integers("strides", &[32]),
            integers("pads", &[16, 16]),
        ];
        let nodes = [
            node("Gather", &["table", "ids"], "rows", &[]),
            node("Mul", &["rows", "rows"], "frames", &[]),
            node("Conv", &["frames", "w1", "both"], "a", &conv(7, pad)),
            node("LeakyRelu", &["a"], "b", &[]),
            node("ConvTranspose", &["b", "w2"], "c", &upsampled),
            node("Conv", &["c", "w3"], "d", &conv(3, 1)),
            node("Conv", &["c", "w3"], "e", &conv(5, 2)),
            node("Add", &["d", "e"], "f", &[]),
            node("Constant", &[], "two", &[]),
            node("Div", &["f", "two"], "g", &[]),
            node("Tanh", &["g"], "samples", &[]),
        ];
        let mut graph = message(&[(2, b"vocoder")]);
        for node in &nodes {
            field(&mut graph, 1, node);
        }
        for name in ["table", "both", "w1", "w2", "w3"] {
            field(&mut graph, 5, &message(&[(8, name.as_bytes())]));
        }
        field(&mut graph, 11, &message(&[(1, b"ids")]));
        field(&mut graph, 12, &message(&[(1, b"samples")]));
        message(&[(7, &graph), (8, b"opset")])
    }

    /// The names of operators, constants, inputs and outputs.
    fn content(model: &[u8]) -> [Vec<&str>; 4] {
        let graphs = || fields(model, 0..model.len()).filter(|field| field.tag == MODEL_GRAPH);
        let all = |wanted, inner| {
            graphs()
                .flat_map(|graph| fields(model, graph.content))
                .filter(|field| field.tag == wanted)
                .map(|field| name(model, &field, inner).unwrap())
                .collect::<Vec<_>>()
        };
        [
            all(GRAPH_NODE, NODE_OPERATOR),
            all(GRAPH_INITIALIZER, TENSOR_NAME),
            all(GRAPH_INPUT, VALUE_NAME),
            all(GRAPH_OUTPUT, VALUE_NAME),
        ]
    }

    #[test]
    fn a_vocoder_is_cut_from_what_makes_its_frames() {
        let mut model = vocoder(3);
        let decoder = cut_off_decoder(&mut model).unwrap();
        let [operators, constants, inputs, outputs] = content(&model);
        assert_eq!(operators, ["Gather", "Mul", "Constant"]);
        assert_eq!(constants, ["table"]);
        assert_eq!((inputs, outputs), (vec!["ids"], vec!["frames"]));
        let [operators, constants, inputs, outputs] = content(&decoder.model);
        assert_eq!(operators[0], "Conv");
        assert_eq!(operators.len(), 9, "{operators:?}");
        assert_eq!(constants, ["both", "w1", "w2", "w3"]);
        assert_eq!((inputs, outputs), (vec!["frames"], vec!["samples"]));
        // 3 for the first, 64/32 for the transposed, 2/32 for the widest after it.
        assert_eq!((decoder.hop, decoder.reach), (32, 6));
    }

    #[test]
    fn what_both_halves_need_is_in_both() {
        let nodes = [
            node("Gather", &["speakers", "speaker"], "row", &[]),
            node("Unsqueeze", &["row", "axis"], "voice", &[]),
            node("Mul", &["ids", "voice"], "frames", &[]),
            node("Conv", &["voice", "w0"], "colour", &conv(1, 0)),
            node("Conv", &["frames", "w1"], "a", &conv(7, 3)),
            node("Add", &["a", "colour"], "b", &[]),
            node(
                "ConvTranspose",
                &["b", "w2"],
                "samples",
                &[
                    integers("kernel_shape", &[64]),
                    integers("strides", &[32]),
                    integers("pads", &[16, 16]),
                ],
            ),
        ];
        let mut graph = Vec::new();
        for node in &nodes {
            field(&mut graph, 1, node);
        }
        for name in ["speakers", "axis", "w0", "w1", "w2"] {
            field(&mut graph, 5, &message(&[(8, name.as_bytes())]));
        }
        for name in ["ids", "speaker"] {
            field(&mut graph, 11, &message(&[(1, name.as_bytes())]));
        }
        field(&mut graph, 12, &message(&[(1, b"samples")]));
        let mut model = message(&[(7, &graph)]);
        let decoder = cut_off_decoder(&mut model).unwrap();
        let [operators, constants, _, outputs] = content(&model);
        assert_eq!(operators, ["Gather", "Unsqueeze", "Mul"]);
        assert_eq!(constants, ["speakers", "axis"]);
        assert_eq!(outputs, ["frames", "row"]);
        let [operators, constants, inputs, _] = content(&decoder.model);
        assert_eq!(
            operators,
            ["Unsqueeze", "Conv", "Conv", "Add", "ConvTranspose"]
        );
        assert_eq!(constants, ["axis", "w0", "w1", "w2"]);
        assert_eq!(inputs, ["frames", "row"]);
    }

    #[test]
    fn what_gives_another_number_of_samples_stays_whole() {
        let cut = |mut model: Vec<u8>| {
            let before = model.clone();
            let decoder = cut_off_decoder(&mut model);
            assert_eq!(model, before);
            decoder
        };
        assert_eq!(cut(vocoder(2)), None);
        let model = vocoder(3);
        let at = model.windows(4).position(|part| part == b"Tanh").unwrap();
        let mut global = model.clone();
        global[at..at + 4].copy_from_slice(b"Norm");
        assert_eq!(cut(global), None, "nothing before the last node is known");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let before = bytes.clone();
            prop_assert_eq!(cut_off_decoder(&mut bytes), None);
            prop_assert_eq!(bytes, before);
        }

        #[test]
        fn a_damaged_model_is_cut_or_left(at: prop::sample::Index, byte: u8) {
            let mut model = vocoder(3);
            let at = at.index(model.len());
            model[at] = byte;
            let before = model.clone();
            if let Some(decoder) = cut_off_decoder(&mut model) {
                prop_assert!(decoder.model.len() < 2 * before.len());
            } else {
                prop_assert_eq!(model, before);
            }
        }
    }
}
