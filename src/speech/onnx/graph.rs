//! The graph of a model as it stands in its bytes: nodes, what they take and make, their attributes.
//! Nothing is copied and nothing is run.
//!
//! The fields are those of `onnx.proto3`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::fields::{Field, GRAPH_INPUT, MODEL_GRAPH, fields, tag, varint};

pub(super) const GRAPH_NODE: u64 = tag(1);
pub(super) const GRAPH_NAME: u64 = tag(2);
pub(super) const GRAPH_INITIALIZER: u64 = tag(5);
pub(super) const GRAPH_OUTPUT: u64 = tag(12);
const NODE_INPUT: u64 = tag(1);
const NODE_OUTPUT: u64 = tag(2);
pub(super) const NODE_OPERATOR: u64 = tag(4);
const NODE_ATTRIBUTE: u64 = tag(5);
const ATTRIBUTE_NAME: u64 = tag(1);
/// The field 8 of an attribute: its integers, in one piece or one by one.
const ATTRIBUTE_INTEGERS: u64 = tag(8);
const ATTRIBUTE_INTEGER: u64 = 8 << 3;
pub(super) const TENSOR_NAME: u64 = tag(8);
pub(super) const VALUE_NAME: u64 = tag(1);

/// A graph as it stands in the bytes.
pub(super) struct Graph<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) content: Range<usize>,
    /// In an order in which they can be run.
    pub(super) nodes: Vec<Node<'a>>,
    /// Values that are constants of the model.
    pub(super) constants: HashSet<&'a str>,
    pub(super) inputs: HashSet<&'a str>,
    pub(super) output: &'a str,
    /// Which node makes a value.
    pub(super) makers: HashMap<&'a str, usize>,
}

#[derive(Default)]
pub(super) struct Node<'a> {
    pub(super) operator: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) attributes: Vec<Range<usize>>,
}

/// What a convolution over one dimension looks at, in values.
pub(super) struct Kernel {
    pub(super) size: u64,
    pub(super) stride: u64,
    pub(super) dilation: u64,
    /// Zeros before the first value.
    pub(super) before: u64,
    /// Zeros after the last one.
    pub(super) after: u64,
}

impl<'a> Graph<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut graphs = fields(bytes, 0..bytes.len()).filter(|field| field.tag == MODEL_GRAPH);
        let (content, None) = (graphs.next()?.content, graphs.next()) else {
            return None;
        };
        let (mut nodes, mut constants, mut inputs) = (Vec::new(), HashSet::new(), HashSet::new());
        let mut outputs = Vec::new();
        for field in fields(bytes, content.clone()) {
            match field.tag {
                GRAPH_NODE => nodes.push(Node::read(bytes, field.content)?),
                GRAPH_INITIALIZER => drop(constants.insert(name(bytes, &field, TENSOR_NAME)?)),
                GRAPH_INPUT => drop(inputs.insert(name(bytes, &field, VALUE_NAME)?)),
                GRAPH_OUTPUT => outputs.push(name(bytes, &field, VALUE_NAME)?),
                _ => {}
            }
        }
        let [output] = outputs[..] else { return None };
        let mut makers = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            if node.operator == "Constant" {
                constants.extend(&node.outputs);
            }
            makers.extend(node.outputs.iter().map(|output| (*output, index)));
        }
        Some(Self {
            bytes,
            content,
            nodes,
            constants,
            inputs,
            output,
            makers,
        })
    }

    /// What a convolution over one dimension looks at.
    pub(super) fn kernel(&self, node: &Node<'a>) -> Option<Kernel> {
        let [size] = self.integers(node, "kernel_shape")?[..] else {
            return None;
        };
        let [stride] = self.integers_or(node, "strides", &[1])?[..] else {
            return None;
        };
        let [dilation] = self.integers_or(node, "dilations", &[1])?[..] else {
            return None;
        };
        let [before, after] = self.integers_or(node, "pads", &[0, 0])?[..] else {
            return None;
        };
        Some(Kernel {
            size,
            stride,
            dilation,
            before,
            after,
        })
    }

    pub(super) fn integers_or(
        &self,
        node: &Node<'a>,
        name: &str,
        default: &[u64],
    ) -> Option<Vec<u64>> {
        match self.attribute(node, name) {
            Some(_) => self.integers(node, name),
            None => Some(default.to_vec()),
        }
    }

    /// The integers of an attribute; a negative one is a huge one, which fits nowhere.
    pub(super) fn integers(&self, node: &Node<'a>, name: &str) -> Option<Vec<u64>> {
        let mut all = Vec::new();
        for field in fields(self.bytes, self.attribute(node, name)?) {
            match field.tag {
                ATTRIBUTE_INTEGER => all.push(field.number),
                ATTRIBUTE_INTEGERS => {
                    let mut at = field.content.start;
                    while at < field.content.end {
                        let (number, next) = varint(self.bytes, at, field.content.end)?;
                        all.push(number);
                        at = next;
                    }
                }
                _ => {}
            }
        }
        Some(all)
    }

    pub(super) fn attribute(&self, node: &Node<'a>, wanted: &str) -> Option<Range<usize>> {
        let mut attributes = node.attributes.iter();
        let found = attributes.find(|content| {
            fields(self.bytes, (*content).clone()).any(|field| {
                field.tag == ATTRIBUTE_NAME && self.bytes[field.content] == *wanted.as_bytes()
            })
        });
        found.cloned()
    }
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8], content: Range<usize>) -> Option<Self> {
        let mut node = Self::default();
        for field in fields(bytes, content) {
            match field.tag {
                NODE_INPUT => node.inputs.push(text(bytes, field.content)?),
                NODE_OUTPUT => node.outputs.push(text(bytes, field.content)?),
                NODE_OPERATOR => node.operator = text(bytes, field.content)?,
                NODE_ATTRIBUTE => node.attributes.push(field.content),
                _ => {}
            }
        }
        Some(node)
    }
}

pub(super) fn text(bytes: &[u8], content: Range<usize>) -> Option<&str> {
    std::str::from_utf8(bytes.get(content)?).ok()
}

/// The text in the first field with this tag inside a field.
pub(super) fn name<'a>(bytes: &'a [u8], field: &Field, tag: u64) -> Option<&'a str> {
    let inner = fields(bytes, field.content.clone()).find(|inner| inner.tag == tag)?;
    text(bytes, inner.content)
}
