//! Quantised weights, and their values as floats: written one after the other into the model that takes
//! them, for there is no room for a second copy of them all.

use prost::Message;
use prost::bytes::Bytes;
use prost::encoding::encoded_len_varint;

use super::super::fields::{MODEL_GRAPH, put_varint, tag};
use super::super::graph::GRAPH_INITIALIZER;
use super::super::messages::{FLOAT, INT8, Tensor, UINT8};

/// A tensor's bytes.
const TENSOR_RAW: u64 = tag(9);

/// The quantised kernel of a convolution over one dimension.
#[derive(Clone)]
pub(super) struct Kernel {
    /// Channels that come out, those that go in in a group, and the size.
    pub dims: [i64; 3],
    /// One byte for each.
    bytes: Bytes,
    is_signed: bool,
    /// The level that stands for zero: one, or one for each channel that comes out.
    zeros: Vec<i16>,
    /// What a level is worth, likewise.
    scales: Vec<f32>,
}

impl Kernel {
    /// What these tensors are together; `None` if they don't fit each other.
    pub(super) fn of(levels: &Tensor, zero: Option<&Tensor>, scales: Vec<f32>) -> Option<Self> {
        let dims: [i64; 3] = levels.dims[..].try_into().ok()?;
        let [outputs, inputs, size] = dims;
        let is_sound = outputs > 0 && inputs > 0 && size > 0;
        let is_signed = levels.data_type == INT8;
        if !is_sound || !(is_signed || levels.data_type == UINT8) || !levels.is_bytes() {
            return None;
        }
        let zeros = match zero {
            None => vec![0],
            Some(zero) if zero.data_type == levels.data_type => match zero.dims[..] {
                [] | [1] => zero.levels()?,
                [all] if all == outputs => zero.levels()?,
                _ => return None,
            },
            Some(_) => return None,
        };
        let each = usize::try_from(outputs).ok()?;
        let fits = |count: usize| count == 1 || count == each;
        (fits(zeros.len()) && fits(scales.len())).then(|| Self {
            dims,
            bytes: levels.raw_data.clone(),
            is_signed,
            zeros,
            scales,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.bytes.len()
    }

    /// Adds its values, as the bytes of floats.
    fn put(&self, out: &mut Vec<u8>) {
        let [outputs, ..] = self.dims;
        let outputs = usize::try_from(outputs).unwrap_or(1);
        let row = self.count() / outputs;
        let mut values = Vec::new();
        for (channel, row) in self.bytes.chunks_exact(row.max(1)).enumerate() {
            let is_other = self.zeros.len() > 1 || self.scales.len() > 1;
            if values.is_empty() || is_other {
                values = self.values(channel);
            }
            let start = out.len();
            out.resize(start + 4 * row.len(), 0);
            let (places, _) = out[start..].as_chunks_mut::<4>();
            for (place, &level) in places.iter_mut().zip(row) {
                *place = values[usize::from(level)];
            }
        }
    }

    /// What each byte stands for in this channel.
    fn values(&self, channel: usize) -> Vec<[u8; 4]> {
        let zero = self.zeros[channel % self.zeros.len()];
        let scale = self.scales[channel % self.scales.len()];
        let value = |byte: u8| {
            let level = match self.is_signed {
                true => i16::from(byte.cast_signed()),
                false => i16::from(byte),
            };
            (f32::from(level - zero) * scale).to_le_bytes()
        };
        (0..=u8::MAX).map(value).collect()
    }
}

/// The float weights of a convolution, in a model that is to be written.
pub(super) struct Weights {
    pub name: String,
    pub dims: Vec<i64>,
    pub kernel: Kernel,
}

impl Weights {
    /// All that is said of them but their values.
    fn head(&self) -> Vec<u8> {
        let head = Tensor {
            name: self.name.clone(),
            dims: self.dims.clone(),
            data_type: FLOAT,
            ..Tensor::default()
        };
        head.encode_to_vec()
    }

    /// The lengths of the values, of the tensor and of the graph that holds nothing else.
    fn lengths(&self, head: &[u8]) -> [usize; 3] {
        let values = 4 * self.kernel.count();
        let tensor = head.len() + with_head(values);
        [values, tensor, with_head(tensor)]
    }

    /// How many bytes [`Self::put`] adds.
    pub(super) fn encoded_len(&self) -> usize {
        let [.., graph] = self.lengths(&self.head());
        with_head(graph)
    }

    /// Adds them to a model's bytes, as a part of its graph: whoever reads a message in parts puts it
    /// together.
    pub(super) fn put(&self, model: &mut Vec<u8>) {
        let head = self.head();
        let [values, tensor, graph] = self.lengths(&head);
        for (tag, length) in [(MODEL_GRAPH, graph), (GRAPH_INITIALIZER, tensor)] {
            put_varint(model, tag);
            put_varint(model, length as u64);
        }
        model.extend(&head);
        put_varint(model, TENSOR_RAW);
        put_varint(model, values as u64);
        self.kernel.put(model);
    }
}

/// The length of a field whose tag takes one byte, with that and its length before it.
fn with_head(length: usize) -> usize {
    1 + encoded_len_varint(length as u64) + length
}
