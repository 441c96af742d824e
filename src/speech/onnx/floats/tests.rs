#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers of these models are small"
)]

use super::super::messages::{Attribute, FLOAT, INT8, INT32, INT64, Opset, UINT8, Value};
use super::super::trials::{constant, node};
use super::*;

#[path = "run_tests.rs"]
mod run;

/// A convolution that was quantised.
#[derive(Clone)]
pub(super) struct Quantised {
    pub dims: [i64; 3],
    pub group: i64,
    pub is_signed: bool,
    pub zeros: Option<Vec<u8>>,
    /// Their dimensions, and one for all channels or one for each.
    pub scales: (Vec<i64>, Vec<f32>),
    pub bias: Option<(Vec<i64>, Vec<f32>)>,
    pub is_reshaped: bool,
    pub version: i64,
}

impl Quantised {
    pub(super) fn new(dims: [i64; 3]) -> Self {
        Self {
            dims,
            group: 1,
            is_signed: false,
            zeros: Some(vec![120]),
            scales: (vec![], vec![0.02]),
            bias: None,
            is_reshaped: true,
            version: 13,
        }
    }

    fn with_bias(mut self) -> Self {
        let outputs = self.dims[0];
        let values = (0..outputs).map(|channel| channel as f32 / 8.0 - 1.0);
        let dims = match self.is_reshaped {
            true => vec![outputs],
            false => vec![1, outputs, 1],
        };
        self.bias = Some((dims, values.collect()));
        self
    }

    fn by_channel(mut self) -> Self {
        let outputs = self.dims[0];
        let scales = (0..outputs).map(|channel| 0.01 + channel as f32 / 1024.0);
        self.scales = (vec![1, outputs, 1], scales.collect());
        let zeros = (0..outputs).map(|channel| (channel * 7 % 31) as u8);
        self.zeros = Some(zeros.collect());
        self.is_reshaped = false;
        self
    }

    fn count(&self) -> usize {
        self.dims.iter().product::<i64>() as usize
    }

    pub(super) fn levels(&self) -> Vec<u8> {
        (0..self.count())
            .map(|place| (place * 37 % 251) as u8)
            .collect()
    }

    /// The weights as floats, one by one.
    pub(super) fn weights(&self) -> Vec<f32> {
        let row = self.count() / self.dims[0] as usize;
        let of = |byte: u8| match self.is_signed {
            true => f32::from(byte.cast_signed()),
            false => f32::from(byte),
        };
        let weight = |(place, level): (usize, u8)| {
            let channel = place / row;
            let zeros = self.zeros.as_deref().unwrap_or(&[0]);
            let scales = &self.scales.1;
            (of(level) - of(zeros[channel % zeros.len()])) * scales[channel % scales.len()]
        };
        self.levels().into_iter().enumerate().map(weight).collect()
    }

    pub(super) fn model(&self) -> Model {
        let kind = if self.is_signed { INT8 } else { UINT8 };
        let bytes = |name: &str, dims: Vec<i64>, bytes: Vec<u8>| Tensor {
            name: name.to_owned(),
            dims,
            data_type: kind,
            raw_data: bytes.into(),
            ..Tensor::default()
        };
        let [outputs, ..] = self.dims;
        let (dims, scales) = &self.scales;
        let mut initializer = vec![
            bytes("w", self.dims.to_vec(), self.levels()),
            Tensor::of_floats("w_scale".to_owned(), dims.clone(), scales),
        ];
        let mut levels = Node::new("DynamicQuantizeLinear", &["x"], "x_levels");
        levels
            .output
            .extend(["x_scale", "x_zero"].map(str::to_owned));
        let mut node = vec![levels, Node::new("Mul", &["x_scale", "w_scale"], "scale")];
        let mut sum = "sum";
        let mut convolution =
            Node::new("ConvInteger", &["x_levels", "w", "x_zero"], sum).with("group", self.group);
        if let Some(zeros) = &self.zeros {
            let dims = match zeros.len() {
                1 => vec![],
                _ => vec![outputs],
            };
            initializer.push(bytes("w_zero", dims, zeros.clone()));
            convolution.input.push("w_zero".to_owned());
        }
        convolution.set("pads", vec![2, 1]);
        convolution.set("strides", vec![1]);
        convolution.set("dilations", vec![2]);
        convolution.set("kernel_shape", vec![self.dims[2]]);
        if let Some((dims, values)) = &self.bias {
            initializer.push(Tensor::of_floats("b".to_owned(), dims.clone(), values));
            node.push(Node::new("Div", &["b", "scale"], "b_parts"));
            node.push(Node::new("Floor", &["b_parts"], "b_floor"));
            let whole = Node::new("Cast", &["b_floor"], "b_whole");
            node.push(whole.with("to", i64::from(INT32)));
            let mut added = "b_whole";
            if self.is_reshaped {
                let column = vec![1, -1, 1];
                initializer.push(Tensor::of_integers("column".to_owned(), column));
                node.push(Node::new("Reshape", &["b_whole", "column"], "b_column"));
                added = "b_column";
            }
            node.push(convolution);
            node.push(Node::new("Add", &["sum", added], "added"));
            sum = "added";
        } else {
            node.push(convolution);
        }
        node.push(Node::new("Cast", &[sum], "as_float").with("to", i64::from(FLOAT)));
        node.push(Node::new("Mul", &["as_float", "scale"], "y"));
        Model {
            ir_version: 8,
            graph: Some(Graph {
                node,
                name: "quantised".to_owned(),
                initializer,
                input: vec![Value::of("x", FLOAT)],
                output: vec![Value::of("y", FLOAT)],
                ..Graph::default()
            }),
            opset_import: vec![Opset {
                domain: String::new(),
                version: self.version,
            }],
            ..Model::default()
        }
    }
}

fn rewritten(model: &Model) -> Option<Graph> {
    let floats = in_floats(model.encode_to_vec().into())?;
    assert_eq!(
        floats.len(),
        floats.capacity(),
        "the length is known before"
    );
    let new = Model::decode(Bytes::from(floats)).unwrap();
    assert_eq!(
        (new.ir_version, &new.opset_import),
        (model.ir_version, &model.opset_import)
    );
    new.graph
}

fn operators(graph: &Graph) -> Vec<&str> {
    graph
        .node
        .iter()
        .map(|node| node.op_type.as_str())
        .collect()
}

fn tensor<'g>(graph: &'g Graph, name: &str) -> &'g Tensor {
    let mut tensors = graph.initializer.iter();
    tensors.find(|one| one.name == name).unwrap()
}

/// The model, after something else was done to it, stays as it is.
#[track_caller]
fn check_stays(quantised: &Quantised, change: impl FnOnce(&mut Graph)) {
    let mut model = quantised.model();
    assert!(rewritten(&model).is_some());
    change(model.graph.as_mut().unwrap());
    assert!(rewritten(&model).is_none());
}

#[test]
fn what_was_quantised_is_one_convolution_of_floats() {
    let plain = Quantised::new([6, 3, 4]);
    let signed = Quantised {
        is_signed: true,
        zeros: Some(vec![253]),
        ..plain.clone()
    };
    let without_zero = Quantised {
        zeros: None,
        ..plain.clone()
    };
    let groups = Quantised {
        group: 2,
        ..plain.clone()
    };
    for kind in [plain, signed, without_zero, groups] {
        for kind in [kind.clone(), kind.clone().by_channel()] {
            for kind in [kind.clone(), kind.with_bias()] {
                let graph = rewritten(&kind.model()).unwrap();
                assert_eq!(operators(&graph), ["Conv"]);
                let node = &graph.node[0];
                assert_eq!((&*node.input[0], &*node.output[0]), ("x", "y"));
                let ints = |name: &str| node.attribute(name).unwrap().ints.clone();
                assert_eq!(ints("pads"), [2, 1]);
                assert_eq!(ints("strides"), [1]);
                assert_eq!(ints("dilations"), [2]);
                assert_eq!(ints("kernel_shape"), [4]);
                assert_eq!(node.attribute("group").unwrap().i, kind.group);
                let weights = tensor(&graph, &node.input[1]);
                assert_eq!(weights.dims, kind.dims);
                assert_eq!(weights.floats().unwrap(), kind.weights());
                let bias = node.input.get(2).map(|name| tensor(&graph, name));
                assert_eq!(
                    bias.map(|bias| (bias.dims.clone(), bias.floats().unwrap())),
                    kind.bias.map(|(_, values)| (vec![6], values))
                );
                assert_eq!(graph.initializer.len(), node.input.len() - 1);
            }
        }
    }
}

#[test]
fn full_blocks_of_channels_get_a_height() {
    for version in [11, 13] {
        let kind = Quantised {
            version,
            ..Quantised::new([32, 16, 3]).with_bias()
        };
        let graph = rewritten(&kind.model()).unwrap();
        assert_eq!(operators(&graph), ["Unsqueeze", "Conv", "Squeeze"]);
        let [widened, node, narrowed] = &graph.node[..] else {
            panic!("three were found before");
        };
        assert_eq!((&*widened.input[0], &*narrowed.output[0]), ("x", "y"));
        let ints = |name: &str| node.attribute(name).unwrap().ints.clone();
        assert_eq!(ints("pads"), [0, 2, 0, 1]);
        assert_eq!(ints("dilations"), [1, 2]);
        assert_eq!(ints("kernel_shape"), [1, 3]);
        let weights = tensor(&graph, &node.input[1]);
        assert_eq!(weights.dims, [32, 16, 1, 3]);
        assert_eq!(weights.floats().unwrap(), kind.weights());
        for axis in [widened, narrowed] {
            match version {
                11 => assert_eq!(axis.attribute("axes").unwrap().ints, [2]),
                _ => assert_eq!(tensor(&graph, &axis.input[1]).int64_data, [2]),
            }
        }
    }
    let groups = Quantised {
        group: 2,
        ..Quantised::new([32, 16, 3])
    };
    assert_eq!(operators(&rewritten(&groups.model()).unwrap()), ["Conv"]);
}

#[test]
fn the_order_of_factors_and_of_what_is_added_does_not_matter() {
    let kind = Quantised::new([4, 2, 3]).with_bias();
    let mut model = kind.model();
    let graph = model.graph.as_mut().unwrap();
    for output in ["scale", "added", "y"] {
        node(graph, output).input.reverse();
    }
    node(graph, "b_floor").op_type = "Round".to_owned();
    // Numbers that are written one by one, and attributes that say nothing new.
    let zero = constant(graph, "w_zero");
    zero.int32_data = zero.levels().unwrap().into_iter().map(i32::from).collect();
    zero.raw_data = Bytes::new();
    node(graph, "sum").attribute.push(Attribute {
        name: "auto_pad".to_owned(),
        s: Bytes::from_static(b"NOTSET"),
        ..Attribute::default()
    });
    let graph = rewritten(&model).unwrap();
    assert_eq!(operators(&graph), ["Conv"]);
    let weights = tensor(&graph, &graph.node[0].input[1]);
    assert_eq!(weights.floats().unwrap(), kind.weights());
}

#[test]
fn what_others_need_is_kept() {
    let mut model = Quantised::new([4, 2, 3]).model();
    let graph = model.graph.as_mut().unwrap();
    graph.node.push(Node::new("Neg", &["x_scale"], "other"));
    graph.node.push(Node::new("Neg", &["y"], "for_nobody"));
    graph.output.push(Value::of("other", FLOAT));
    // Names that ours could meet.
    graph.node.push(Node::new("Neg", &["x"], "y/weights"));
    graph.output.push(Value::of("y/weights", FLOAT));
    let graph = rewritten(&model).unwrap();
    assert_eq!(
        operators(&graph),
        ["DynamicQuantizeLinear", "Conv", "Neg", "Neg"]
    );
    assert_eq!(tensor(&graph, "y/weights_").dims, [4, 2, 3]);
}

#[test]
fn two_convolutions_share_their_input_but_not_more_weights_than_there_are_bytes() {
    let mut model = Quantised::new([4, 2, 64]).model();
    let graph = model.graph.as_mut().unwrap();
    let old = graph.node.clone();
    for number in 0..8 {
        for mut node in old[2..].iter().cloned() {
            for name in node.input.iter_mut().chain(&mut node.output) {
                if ["sum", "as_float", "y"].contains(&&**name) {
                    *name = format!("{name}{number}");
                }
            }
            graph.node.push(node);
        }
        graph.output.push(Value::of(&format!("y{number}"), FLOAT));
    }
    let size = model.encoded_len();
    let graph = rewritten(&model).unwrap();
    let count = |operator: &str| {
        operators(&graph)
            .iter()
            .filter(|it| **it == operator)
            .count()
    };
    assert_eq!(count("Conv") + count("ConvInteger"), 9);
    assert_eq!(count("Conv"), size / 512);
    assert!(count("ConvInteger") > 0);
}

#[test]
fn what_goes_elsewhere_too_stays() {
    let kind = Quantised::new([4, 2, 3]).with_bias();
    for value in ["sum", "added", "as_float"] {
        check_stays(&kind, |graph| {
            graph.node.push(Node::new("Neg", &[value], "other"));
            graph.output.push(Value::of("other", FLOAT));
        });
        check_stays(&kind, |graph| graph.output.push(Value::of(value, INT32)));
    }
    check_stays(&kind, |graph| {
        node(graph, "y").input = vec!["as_float".to_owned(); 2];
    });
}

#[test]
fn chains_that_are_almost_right_stay() {
    let kind = Quantised::new([4, 2, 3]).with_bias();
    // Each node: another operator, another domain, an attribute that nobody knows, an input more.
    let outputs = [
        "x_levels", "scale", "b_parts", "b_floor", "b_whole", "b_column", "sum", "added",
        "as_float", "y",
    ];
    for output in outputs {
        check_stays(&kind, |graph| {
            node(graph, output).op_type = "Identity".to_owned();
        });
        check_stays(&kind, |graph| {
            node(graph, output).domain = "elsewhere".to_owned();
        });
        check_stays(&kind, |graph| {
            let node = node(graph, output);
            node.attribute.push(Attribute {
                name: "unheard_of".to_owned(),
                ..Attribute::default()
            });
        });
        check_stays(&kind, |graph| {
            let node = node(graph, output);
            let more = vec!["x".to_owned(); 3];
            node.input.extend(more);
        });
    }
    for (output, element) in [("as_float", 10), ("b_whole", INT64)] {
        check_stays(&kind, |graph| {
            node(graph, output).attribute[0].i = i64::from(element);
        });
    }
    // Scales and zeros of something else.
    check_stays(&kind, |graph| {
        node(graph, "y").input[1] = "w_scale".to_owned();
    });
    check_stays(&kind, |graph| {
        node(graph, "b_parts").input[1] = "w_scale".to_owned();
    });
    check_stays(&kind, |graph| {
        node(graph, "sum").input[2] = "w_zero".to_owned();
    });
    check_stays(&kind, |graph| node(graph, "sum").input.truncate(2));
    check_stays(&kind, |graph| {
        node(graph, "scale").input[0] = "x_zero".to_owned();
    });
    // What is not known before it runs.
    for name in ["w", "w_scale", "w_zero", "b", "column"] {
        check_stays(&kind, |graph| graph.input.push(Value::of(name, FLOAT)));
        check_stays(&kind, |graph| {
            graph.initializer.retain(|one| one.name != name);
        });
    }
    check_stays(&kind, |graph| {
        let pads = vec![1, 2, 3, 4];
        node(graph, "sum").set("pads", pads);
    });
    for (name, value) in [
        ("pads", vec![-1, 0]),
        ("strides", vec![0]),
        ("dilations", vec![]),
        ("kernel_shape", vec![2]),
    ] {
        check_stays(&kind, |graph| node(graph, "sum").set(name, value));
    }
    for group in [0, -1, 3, i64::MIN] {
        check_stays(&kind, |graph| node(graph, "sum").attribute[0].i = group);
    }
}

#[test]
fn constants_that_do_not_fit_stay() {
    let kind = Quantised::new([4, 2, 3]).with_bias();
    for name in ["w", "w_scale", "w_zero", "b", "column"] {
        check_stays(&kind, |graph| constant(graph, name).data_type = INT32);
        check_stays(&kind, |graph| constant(graph, name).data_location = 1);
        check_stays(&kind, |graph| {
            let tensor = constant(graph, name);
            tensor.raw_data = Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7]);
            tensor.int64_data = Vec::new();
        });
    }
    for dims in [
        vec![],
        vec![24],
        vec![4, 2, 4],
        vec![4, 2, 1, 3],
        vec![-4, -2, 3],
        vec![0, 2, 3],
        vec![i64::MAX, i64::MAX, 3],
        vec![i64::MIN, 2, 3],
    ] {
        check_stays(&kind, |graph| constant(graph, "w").dims = dims);
    }
    for (name, dims) in [
        ("w_scale", vec![2]),
        ("w_scale", vec![-1]),
        ("w_scale", vec![1, 1, 1, 1]),
        ("w_zero", vec![1, 1]),
        ("b", vec![5]),
        ("b", vec![1, 1, 1, 4]),
    ] {
        check_stays(&kind, |graph| constant(graph, name).dims = dims);
    }
    // Along the last axis instead of the channels.
    let by_channel = Quantised::new([4, 2, 3]).by_channel().with_bias();
    for name in ["w_scale", "b"] {
        check_stays(&by_channel, |graph| constant(graph, name).dims = vec![4]);
    }
    check_stays(&by_channel, |graph| {
        constant(graph, "w_zero").raw_data = vec![0; 3].into();
    });
    check_stays(&kind, |graph| {
        constant(graph, "column").int64_data = vec![1, 1, -1];
    });
}

#[test]
fn models_that_are_not_understood_stay() {
    let kind = Quantised::new([4, 2, 3]);
    check_stays(&kind, |graph| {
        graph.sparse_initializer.push(Bytes::from_static(b"any"));
    });
    check_stays(&kind, |graph| graph.node.push(Node::default()));
    // A value that is made twice could be either.
    check_stays(&kind, |graph| {
        graph.node.push(Node::new("Neg", &["x"], "sum"));
    });
    check_stays(&kind, |graph| {
        let again = graph.initializer[0].clone();
        graph.initializer.push(again);
    });
    check_stays(&kind, |graph| {
        let mut branch = Node::new("If", &["x"], "other");
        branch.attribute.push(Attribute {
            name: "then_branch".to_owned(),
            g: Some(Bytes::new()),
            ..Attribute::default()
        });
        graph.node.push(branch);
    });
    let mut model = kind.model();
    model.functions.push(Bytes::from_static(b"any"));
    assert!(rewritten(&model).is_none());
    let mut model = kind.model();
    model.opset_import[0].domain = "elsewhere".to_owned();
    assert!(rewritten(&model).is_none());
    assert!(
        in_floats(Bytes::from_static(include_bytes!(
            "../../../../tests/fixtures/tone.onnx"
        )))
        .is_none()
    );
}

#[test]
fn bytes_that_are_cut_off_or_damaged_are_no_trouble() {
    let whole = Quantised::new([16, 16, 1])
        .with_bias()
        .model()
        .encode_to_vec();
    assert!(in_floats(Bytes::from(whole.clone())).is_some());
    let bytes = Bytes::from(whole.clone());
    for end in 0..whole.len() {
        in_floats(bytes.slice(..end));
    }
    for place in 0..whole.len() {
        for byte in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[place] = byte;
            super::super::invariants::check_bytes(&damaged);
        }
    }
}
