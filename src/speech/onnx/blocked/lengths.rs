//! Which values with a height have one length, stated in the model by name. The runtime adds values in blocks
//! where it knows that, and then within the convolution that makes one of them
//! (`NchwcTransformerImpl::TransformBinary` in its `core/optimizer/nchwc_transformer.cc`). When it runs,
//! it looks at the lengths once more.

use std::collections::HashMap;

use prost::Message;

use super::super::messages::{FLOAT, Node, Tensor};

/// The lengths of values, by number: what has one number has one length.
#[derive(Default)]
pub(super) struct Lengths<'g> {
    of: HashMap<&'g str, usize>,
    count: usize,
    /// The values with a height: their names, channels and lengths.
    stated: Vec<(String, i64, usize)>,
}

impl<'g> Lengths<'g> {
    fn another(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    /// A convolution with these weights makes this value, which is called `high` with its height.
    pub(super) fn convolved(
        &mut self,
        node: &'g Node,
        weights: &Tensor,
        high: String,
        channels: i64,
    ) {
        let length = match keeps_length(node, weights) {
            true => self.length(&node.input[0]),
            false => self.another(),
        };
        self.of.insert(&node.output[0], length);
        self.stated.push((high, channels, length));
    }

    /// A node makes this value whose shape is that of each of its inputs; those of no length of their own are
    /// numbers.
    pub(super) fn kept(&mut self, node: &'g Node, high: String, channels: i64) {
        let is_sum = node.op_type == "Add";
        let count = if is_sum { 2 } else { 1 };
        let lengths: Vec<usize> = (node.input.iter().take(count))
            .map(|input| self.length(input))
            .collect();
        let is_one = lengths.iter().all(|length| *length == lengths[0]);
        // One of them may have a single value, which is added to all of the other.
        let length = if is_one { lengths[0] } else { self.another() };
        self.of.insert(&node.output[0], length);
        self.stated.push((high, channels, length));
    }

    fn length(&mut self, value: &'g str) -> usize {
        if let Some(&length) = self.of.get(value) {
            return length;
        }
        let length = self.another();
        self.of.insert(value, length);
        length
    }

    /// What is known, as a part of the graph's message.
    pub(super) fn stated(&self) -> Vec<u8> {
        let value = |(name, channels, length): &(String, i64, usize)| Stated {
            name: name.clone(),
            kind: Some(Kind {
                tensor: Some(TensorKind {
                    element: FLOAT,
                    shape: Some(Shape {
                        dims: vec![
                            Dimension::called("batch".to_owned()),
                            Dimension::of(*channels),
                            Dimension::of(1),
                            Dimension::called(format!("length{length}")),
                        ],
                    }),
                }),
            }),
        };
        let values = self.stated.iter().map(value).collect();
        Values { values }.encode_to_vec()
    }
}

/// Whether a plain convolution over one dimension makes as many values as it takes.
fn keeps_length(node: &Node, weights: &Tensor) -> bool {
    let first = |name: &str, default: i64| {
        let attribute = node.attribute(name);
        attribute.map_or(default, |one| one.ints.first().copied().unwrap_or(default))
    };
    let pads = match node.attribute("pads").map(|pads| &pads.ints[..]) {
        None => Some(0),
        Some(&[before, after]) => before.checked_add(after),
        Some(_) => None,
    };
    let size = weights.dims.last().copied().unwrap_or(0);
    let span = size
        .checked_sub(1)
        .and_then(|span| span.checked_mul(first("dilations", 1)));
    node.op_type == "Conv" && first("strides", 1) == 1 && pads.is_some() && pads == span
}

/// What is stated of the values of a graph, with their shapes.
#[derive(Clone, PartialEq, Message)]
struct Values {
    #[prost(message, repeated, tag = "13")]
    values: Vec<Stated>,
}

#[derive(Clone, PartialEq, Message)]
struct Stated {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Message)]
struct Kind {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorKind>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorKind {
    #[prost(int32, tag = "1")]
    element: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dims: Vec<Dimension>,
}

/// A number, or a name for one that is not known.
#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}

impl Dimension {
    fn of(value: i64) -> Self {
        Self {
            value: Some(value),
            name: None,
        }
    }

    fn called(name: String) -> Self {
        Self {
            value: None,
            name: Some(name),
        }
    }
}
