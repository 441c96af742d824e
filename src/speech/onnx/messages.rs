//! A model as messages that can be changed: what `onnx.proto3` says of the parts that rewriting reads or
//! writes, and what else a node or a tensor needs, as it stands. Descriptions and the like are lost where a
//! model is read and written again.
//!
//! The fields: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3>.

use prost::Message;
use prost::bytes::Bytes;

/// The element type of 32-bit floats.
pub(super) const FLOAT: i32 = 1;
/// The element type of bytes without a sign.
pub(super) const UINT8: i32 = 2;
/// The element type of bytes with one.
pub(super) const INT8: i32 = 3;
/// The element type of 32-bit integers.
pub(super) const INT32: i32 = 6;
/// The element type of 64-bit integers.
pub(super) const INT64: i32 = 7;
/// Where a tensor's bytes are in a file of its own.
const EXTERNAL: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<Opset>,
    /// What is told of functions is read only to see that there are none.
    #[prost(bytes = "bytes", repeated, tag = "25")]
    pub functions: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Opset {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<Value>,
    #[prost(message, repeated, tag = "13")]
    pub value_info: Vec<Value>,
    /// Read only to see that there are none.
    #[prost(bytes = "bytes", repeated, tag = "15")]
    pub sparse_initializer: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    #[prost(string, tag = "7")]
    pub domain: String,
    #[prost(string, tag = "8")]
    pub overload: String,
}

/// What is said of a value: its name and its type, without its shape.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Kind {
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorKind>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorKind {
    #[prost(int32, tag = "1")]
    pub element: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, tag = "2")]
    pub f: f32,
    #[prost(int64, tag = "3")]
    pub i: i64,
    #[prost(bytes = "bytes", tag = "4")]
    pub s: Bytes,
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub g: Option<Bytes>,
    #[prost(float, repeated, tag = "7")]
    pub floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    #[prost(bytes = "bytes", repeated, tag = "9")]
    pub strings: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "10")]
    pub tensors: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "11")]
    pub graphs: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "14")]
    pub tp: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "15")]
    pub type_protos: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "22")]
    pub sparse_tensor: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "23")]
    pub sparse_tensors: Vec<Bytes>,
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub string_data: Vec<Bytes>,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "bytes", tag = "9")]
    pub raw_data: Bytes,
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    pub uint64_data: Vec<u64>,
    #[prost(bytes = "bytes", repeated, tag = "13")]
    pub external_data: Vec<Bytes>,
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

/// The kinds of attributes that are written here.
const OF_FLOAT: i32 = 1;
const OF_INT: i32 = 2;
const OF_INTS: i32 = 7;

impl Node {
    /// A node of the standard operators.
    pub(super) fn new(operator: &str, inputs: &[&str], output: &str) -> Self {
        Self {
            op_type: operator.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            ..Self::default()
        }
    }

    /// Whether there is a graph inside of it.
    pub(super) fn has_graph(&self) -> bool {
        let mut attributes = self.attribute.iter();
        attributes.any(|one| one.g.is_some() || !one.graphs.is_empty())
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attribute.iter().find(|one| one.name == name)
    }

    /// Sets an attribute of integers.
    pub(super) fn set(&mut self, name: &str, ints: Vec<i64>) {
        let new = Attribute {
            name: name.to_owned(),
            ints,
            kind: OF_INTS,
            ..Attribute::default()
        };
        match self.attribute.iter_mut().find(|one| one.name == name) {
            Some(old) => *old = new,
            None => self.attribute.push(new),
        }
    }

    /// The same with an attribute of one integer.
    #[must_use]
    pub(super) fn with(mut self, name: &str, i: i64) -> Self {
        self.attribute.push(Attribute {
            name: name.to_owned(),
            i,
            kind: OF_INT,
            ..Attribute::default()
        });
        self
    }

    /// The same with an attribute of one float.
    #[must_use]
    pub(super) fn with_float(mut self, name: &str, f: f32) -> Self {
        self.attribute.push(Attribute {
            name: name.to_owned(),
            f,
            kind: OF_FLOAT,
            ..Attribute::default()
        });
        self
    }
}

impl Value {
    /// A tensor's type of elements; `None` if it is not said, or no tensor.
    pub(super) fn element(&self) -> Option<i32> {
        Some(self.kind.as_ref()?.tensor.as_ref()?.element)
    }

    /// A tensor of such elements.
    pub(super) fn of(name: &str, element: i32) -> Self {
        Self {
            name: name.to_owned(),
            kind: Some(Kind {
                tensor: Some(TensorKind { element }),
            }),
        }
    }
}

impl Tensor {
    pub(super) fn of_floats(name: String, dims: Vec<i64>, values: &[f32]) -> Self {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        Self {
            name,
            dims,
            data_type: FLOAT,
            raw_data: bytes.into(),
            ..Self::default()
        }
    }

    pub(super) fn of_integers(name: String, values: Vec<i64>) -> Self {
        Self {
            name,
            dims: vec![i64::try_from(values.len()).unwrap_or(0)],
            data_type: INT64,
            int64_data: values,
            ..Self::default()
        }
    }

    /// Its numbers, if they are 32-bit floats and stand in the model.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        if self.data_type != FLOAT || self.data_location == EXTERNAL {
            return None;
        }
        let count = self.count()?;
        let (four, rest) = self.raw_data.as_chunks::<4>();
        let values: Vec<f32> = match self.float_data.is_empty() {
            true if rest.is_empty() => four.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            true => return None,
            false => self.float_data.clone(),
        };
        (values.len() == count).then_some(values)
    }

    /// Whether it holds as many 32-bit floats as its dimensions say.
    pub(super) fn is_floats(&self) -> bool {
        let held = match self.float_data.len() {
            0 if self.raw_data.len().is_multiple_of(4) => self.raw_data.len() / 4,
            0 => return false,
            held => held,
        };
        self.data_type == FLOAT && self.data_location != EXTERNAL && self.count() == Some(held)
    }

    /// Its numbers, if they are 64-bit integers and stand in the model.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        if self.data_type != INT64 || self.data_location == EXTERNAL {
            return None;
        }
        let (eight, rest) = self.raw_data.as_chunks::<8>();
        let values = match self.int64_data.is_empty() {
            true if rest.is_empty() => eight.iter().map(|one| i64::from_le_bytes(*one)).collect(),
            true => return None,
            false => self.int64_data.clone(),
        };
        (self.count() == Some(values.len())).then_some(values)
    }

    /// Whether it holds, one after the other, as many bytes as its dimensions say.
    pub(super) fn is_bytes(&self) -> bool {
        [UINT8, INT8].contains(&self.data_type)
            && self.data_location != EXTERNAL
            && self.int32_data.is_empty()
            && self.count() == Some(self.raw_data.len())
    }

    /// Its numbers, if they are bytes with or without a sign, and stand in the model.
    pub(super) fn levels(&self) -> Option<Vec<i16>> {
        let is_signed = self.data_type == INT8;
        if self.is_bytes() {
            let value = |&byte: &u8| match is_signed {
                true => i16::from(byte.cast_signed()),
                false => i16::from(byte),
            };
            return Some(self.raw_data.iter().map(value).collect());
        }
        let is_held = [UINT8, INT8].contains(&self.data_type)
            && self.data_location != EXTERNAL
            && self.raw_data.is_empty()
            && self.count() == Some(self.int32_data.len());
        let value = |&value: &i32| match is_signed {
            true => i8::try_from(value).ok().map(i16::from),
            false => u8::try_from(value).ok().map(i16::from),
        };
        is_held.then(|| self.int32_data.iter().map(value).collect())?
    }

    fn count(&self) -> Option<usize> {
        self.dims.iter().try_fold(1usize, |all, &dim| {
            all.checked_mul(usize::try_from(dim).ok()?)
        })
    }
}
