#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the numbers of these models are small"
)]

use super::super::messages::{Attribute, FLOAT, INT32, INT64, Tensor, UINT8, Value};
use super::super::trials::{constant, node};
use super::*;

#[path = "run_tests.rs"]
mod run;

const CHANNELS: i64 = 3;

/// A number for each channel.
fn column(name: &str, first: f32) -> Tensor {
    let values: Vec<f32> = (0..CHANNELS).map(|it| first + it as f32 * 0.75).collect();
    Tensor::of_floats(name.to_owned(), vec![1, CHANNELS, 1], &values)
}

fn two() -> Tensor {
    Tensor::of_floats("two".to_owned(), vec![], &[2.0])
}

fn model_of(node: Vec<Node>, initializer: Vec<Tensor>) -> Model {
    Model {
        ir_version: 8,
        graph: Some(Graph {
            node,
            name: "steps".to_owned(),
            initializer,
            input: vec![Value::of("x", FLOAT)],
            output: vec![Value::of("y", FLOAT)],
            ..Graph::default()
        }),
        opset_import: vec![Opset {
            domain: String::new(),
            version: 17,
        }],
        ..Model::default()
    }
}

/// A Snake in the steps that models have.
fn snake_model() -> Model {
    let node = vec![
        Node::new("Mul", &["alpha", "x"], "angle"),
        Node::new("Sin", &["angle"], "sine"),
        Node::new("Pow", &["sine", "two"], "square"),
        Node::new("Mul", &["factor", "square"], "wave"),
        Node::new("Add", &["x", "wave"], "y"),
    ];
    let initializer = vec![column("alpha", 0.5), column("factor", 0.25), two()];
    model_of(node, initializer)
}

/// A Snake of what is normalised, in the steps that models have.
fn normalised_model() -> Model {
    let mean = |values, output| {
        let mut node = Node::new("ReduceMean", &[values, "axes"], output).with("keepdims", 1);
        node = node.with("noop_with_empty_axes", 0);
        node
    };
    let mut node = vec![
        mean("x", "centre"),
        Node::new("Sub", &["x", "centre"], "rest"),
        Node::new("Mul", &["rest", "rest"], "squares"),
        mean("squares", "variance"),
        Node::new("Add", &["variance", "small"], "sum"),
        Node::new("Sqrt", &["sum"], "deviation"),
        Node::new("Div", &["rest", "deviation"], "quotient"),
        Node::new("Mul", &["gain", "quotient"], "scaled"),
        Node::new("Add", &["scaled", "offset"], "moved"),
    ];
    let snake = snake_model().graph.unwrap();
    node.extend(snake.node.into_iter().map(|mut node| {
        for input in &mut node.input {
            if input == "x" {
                *input = "moved".to_owned();
            }
        }
        node
    }));
    let mut initializer = snake.initializer;
    initializer.extend([
        column("gain", 1.5),
        column("offset", -1.0),
        Tensor::of_integers("axes".to_owned(), vec![2]),
        Tensor::of_floats("small".to_owned(), vec![], &[1e-5]),
    ]);
    let mut model = model_of(node, initializer);
    model.opset_import[0].version = 18;
    model
}

/// A quantised convolution, in the steps that models have.
fn rescaled_model() -> Model {
    let mut levels = Node::new("DynamicQuantizeLinear", &["x"], "levels");
    levels.output.extend(["scale", "zero"].map(str::to_owned));
    let node = vec![
        levels,
        Node::new("ConvInteger", &["levels", "weights", "zero"], "sum"),
        Node::new("Add", &["bias", "sum"], "added"),
        Node::new("Cast", &["added"], "float").with("to", i64::from(FLOAT)),
        Node::new("Mul", &["float", "scale"], "y"),
    ];
    let weights = Tensor {
        name: "weights".to_owned(),
        dims: vec![CHANNELS, CHANNELS, 2],
        data_type: UINT8,
        raw_data: (0..18u8).map(|place| place * 13).collect(),
        ..Tensor::default()
    };
    let bias = Tensor {
        name: "bias".to_owned(),
        dims: vec![1, CHANNELS, 1],
        data_type: INT32,
        int32_data: vec![70_001, -3, 0],
        ..Tensor::default()
    };
    model_of(node, vec![weights, bias])
}

fn rewritten(model: &Model) -> Option<Model> {
    let bytes = with_operators(model.encode_to_vec().into())?;
    assert_eq!(bytes.len(), bytes.capacity(), "the length is known before");
    Some(Model::decode(Bytes::from(bytes)).unwrap())
}

fn nodes(model: Model) -> Vec<Node> {
    model.graph.unwrap().node
}

/// The model, after something else was done to it, stays as it is.
#[track_caller]
fn check_stays(mut model: Model, change: impl FnOnce(&mut Graph)) {
    assert!(rewritten(&model).is_some());
    change(model.graph.as_mut().unwrap());
    assert!(rewritten(&model).is_none());
}

/// Whatever is done to one of these nodes, the model stays.
#[track_caller]
fn check_nodes_matter(model: fn() -> Model, outputs: &[&str]) {
    for output in outputs {
        check_stays(model(), |graph| {
            node(graph, output).op_type = "Identity".to_owned();
        });
        check_stays(model(), |graph| {
            node(graph, output).domain = "elsewhere".to_owned();
        });
        check_stays(model(), |graph| {
            node(graph, output).attribute.push(Attribute {
                name: "unheard_of".to_owned(),
                ..Attribute::default()
            });
        });
        check_stays(model(), |graph| {
            node(graph, output).input.push("x".to_owned());
        });
        check_stays(model(), |graph| {
            let Some(node) = graph.node.iter_mut().find(|node| node.output[0] == *output) else {
                return;
            };
            node.input.clear();
        });
    }
}

/// What is made on the way is kept where it goes elsewhere too.
#[track_caller]
fn check_inside_matters(model: fn() -> Model, values: &[&str]) {
    for value in values {
        check_stays(model(), |graph| {
            graph.node.push(Node::new("Neg", &[value], "other"));
        });
        check_stays(model(), |graph| graph.output.push(Value::of(value, FLOAT)));
    }
}

#[test]
fn the_steps_of_a_snake_are_one_operator() {
    let model = rewritten(&snake_model()).unwrap();
    let imported = model.opset_import.last().unwrap();
    assert_eq!((&*imported.domain, imported.version), (DOMAIN, VERSION));
    let [node] = &nodes(model)[..] else {
        panic!("more than one node is left");
    };
    assert_eq!((&*node.domain, &*node.op_type), (DOMAIN, "Snake"));
    assert_eq!(node.input, ["x", "alpha", "factor"]);
    assert_eq!(node.output, ["y"]);
}

#[test]
fn the_order_of_factors_and_terms_does_not_matter() {
    let mut model = snake_model();
    let graph = model.graph.as_mut().unwrap();
    for output in ["angle", "wave", "y"] {
        node(graph, output).input.reverse();
    }
    *constant(graph, "two") = Tensor::of_integers("two".to_owned(), vec![2]);
    assert_eq!(nodes(rewritten(&model).unwrap()).len(), 1);
    // The factor may be made when it runs, of what has no constant of its own.
    let mut model = snake_model();
    let graph = model.graph.as_mut().unwrap();
    graph.initializer.retain(|one| one.name != "factor");
    let factor = Node::new("Reciprocal", &["alpha"], "factor");
    graph.node.insert(0, factor);
    assert_eq!(nodes(rewritten(&model).unwrap()).len(), 2);
}

#[test]
fn a_term_that_looks_alike_does_not_hide_the_wave() {
    let mut model = snake_model();
    let graph = model.graph.as_mut().unwrap();
    graph.node.insert(0, Node::new("Mul", &["z", "z"], "x"));
    graph.input[0].name = "z".to_owned();
    assert_eq!(nodes(rewritten(&model).unwrap()).len(), 2);
}

#[test]
fn snakes_that_are_almost_right_stay() {
    check_nodes_matter(snake_model, &["angle", "sine", "square", "wave", "y"]);
    check_inside_matters(snake_model, &["angle", "sine", "square", "wave"]);
    // The sine of something else.
    check_stays(snake_model(), |graph| {
        node(graph, "angle").input[1] = "factor".to_owned();
    });
    check_stays(snake_model(), |graph| {
        node(graph, "y").input[0] = "alpha".to_owned();
    });
    check_stays(snake_model(), |graph| {
        node(graph, "square").input.reverse();
    });
    for exponent in [
        Tensor::of_floats("two".to_owned(), vec![], &[3.0]),
        Tensor::of_floats("two".to_owned(), vec![1, 1], &[2.0]),
        Tensor::of_floats("two".to_owned(), vec![2], &[2.0, 2.0]),
        Tensor::of_integers("two".to_owned(), vec![3]),
        Tensor::of_integers("two".to_owned(), vec![]),
    ] {
        check_stays(snake_model(), |graph| *constant(graph, "two") = exponent);
    }
    // Numbers that may be of another kind, and what is known only when it runs.
    for name in ["alpha", "two"] {
        check_stays(snake_model(), |graph| constant(graph, name).data_type = 11);
        check_stays(snake_model(), |graph| {
            constant(graph, name).data_location = 1;
        });
        check_stays(snake_model(), |graph| {
            graph.input.push(Value::of(name, FLOAT));
        });
        check_stays(snake_model(), |graph| {
            graph.initializer.retain(|one| one.name != name);
        });
    }
    check_stays(snake_model(), |graph| {
        *constant(graph, "alpha") = Tensor::of_floats("alpha".to_owned(), vec![], &[1.0]);
    });
}

/// What is around the Snake stays as it is, after something else was done to it.
#[track_caller]
fn check_only_snake(change: impl FnOnce(&mut Graph)) {
    let mut model = normalised_model();
    assert_eq!(nodes(rewritten(&model).unwrap()).len(), 1);
    change(model.graph.as_mut().unwrap());
    let nodes = nodes(rewritten(&model).unwrap());
    let kept = nodes.iter().filter(|node| node.op_type == "Snake").count();
    assert_eq!((kept, nodes.len() >= 10), (1, true));
}

#[test]
fn a_snake_of_what_is_normalised_is_one_operator() {
    for is_older in [false, true] {
        let mut model = normalised_model();
        let graph = model.graph.as_mut().unwrap();
        for output in ["sum", "scaled", "moved"] {
            node(graph, output).input.reverse();
        }
        if is_older {
            for output in ["centre", "variance"] {
                let node = node(graph, output);
                node.input.truncate(1);
                node.attribute.clear();
                node.set("axes", vec![2]);
            }
        }
        let nodes = nodes(rewritten(&model).unwrap());
        let [node] = &nodes[..] else {
            panic!("more than one node is left");
        };
        assert_eq!((&*node.domain, &*node.op_type), (DOMAIN, "NormaliseSnake"));
        assert_eq!(node.input, ["x", "gain", "offset", "alpha", "factor"]);
        assert_eq!(node.attribute("axis").unwrap().i, 2);
        assert_eq!(
            node.attribute("epsilon").unwrap().f.to_bits(),
            1e-5f32.to_bits()
        );
        assert_eq!(node.output, ["y"]);
    }
}

#[test]
fn normalisations_that_are_almost_right_stay() {
    let steps = [
        "centre",
        "rest",
        "squares",
        "variance",
        "sum",
        "deviation",
        "quotient",
        "scaled",
        "moved",
    ];
    for step in steps {
        check_only_snake(|graph| node(graph, step).op_type = "Identity".to_owned());
        check_only_snake(|graph| node(graph, step).domain = "elsewhere".to_owned());
        check_only_snake(|graph| node(graph, step).input.push("x".to_owned()));
        check_only_snake(|graph| node(graph, step).output.push("more".to_owned()));
        check_only_snake(|graph| {
            node(graph, step).attribute.push(Attribute {
                name: "unheard_of".to_owned(),
                ..Attribute::default()
            });
        });
        check_only_snake(|graph| graph.node.push(Node::new("Neg", &[step], "other")));
        check_only_snake(|graph| graph.output.push(Value::of(step, FLOAT)));
    }
    for step in ["rest", "quotient"] {
        check_only_snake(|graph| node(graph, step).input.reverse());
    }
    for (step, place) in [("rest", 0), ("squares", 1), ("centre", 0), ("quotient", 0)] {
        check_only_snake(|graph| node(graph, step).input[place] = "offset".to_owned());
    }
    for axes in [vec![1], vec![1, 2], vec![]] {
        // Of one of the two means.
        check_only_snake(|graph| {
            let axes = Tensor::of_integers("others".to_owned(), axes);
            graph.initializer.push(axes);
            node(graph, "variance").input[1] = "others".to_owned();
        });
    }
    check_only_snake(|graph| node(graph, "centre").attribute[0].i = 0);
    for name in ["small", "axes"] {
        check_only_snake(|graph| graph.input.push(Value::of(name, FLOAT)));
        check_only_snake(|graph| constant(graph, name).dims = vec![1, 1]);
        check_only_snake(|graph| constant(graph, name).data_type = 11);
    }
}

#[test]
fn what_scales_a_quantised_convolution_back_is_one_operator() {
    for is_reversed in [false, true] {
        let mut model = rescaled_model();
        let graph = model.graph.as_mut().unwrap();
        if is_reversed {
            node(graph, "added").input.reverse();
            node(graph, "y").input.reverse();
        }
        let nodes = nodes(rewritten(&model).unwrap());
        let [_, _, node] = &nodes[..] else {
            panic!("not the quantisation, the convolution and one more");
        };
        assert_eq!((&*node.domain, &*node.op_type), (DOMAIN, "Rescale"));
        assert_eq!(node.input, ["sum", "bias", "scale"]);
        assert_eq!(node.output, ["y"]);
    }
}

#[test]
fn what_scales_something_else_back_stays() {
    check_nodes_matter(rescaled_model, &["added", "float", "y"]);
    check_inside_matters(rescaled_model, &["sum", "added", "float"]);
    check_stays(rescaled_model(), |graph| {
        node(graph, "sum").op_type = "MatMulInteger".to_owned();
    });
    check_stays(rescaled_model(), |graph| {
        node(graph, "sum").domain = "elsewhere".to_owned();
    });
    for element in [INT64, 10, 11] {
        check_stays(rescaled_model(), |graph| {
            node(graph, "float").attribute[0].i = i64::from(element);
        });
    }
    check_stays(rescaled_model(), |graph| {
        node(graph, "y").input = vec!["float".to_owned(); 2];
    });
}

#[test]
fn models_that_are_not_understood_stay() {
    check_stays(snake_model(), |graph| {
        graph.sparse_initializer.push(Bytes::from_static(b"any"));
    });
    check_stays(snake_model(), |graph| graph.node.push(Node::default()));
    // A value that is made twice could be either.
    check_stays(snake_model(), |graph| {
        graph.node.push(Node::new("Neg", &["x"], "sine"));
    });
    check_stays(snake_model(), |graph| {
        graph.node.push(Node::new("Neg", &["x"], "alpha"));
    });
    check_stays(snake_model(), |graph| {
        graph.node.push(Node::new("Neg", &["factor"], "x"));
    });
    check_stays(snake_model(), |graph| {
        let again = graph.initializer[0].clone();
        graph.initializer.push(again);
    });
    check_stays(snake_model(), |graph| {
        let mut branch = Node::new("If", &["x"], "other");
        branch.attribute.push(Attribute {
            name: "then_branch".to_owned(),
            g: Some(Bytes::new()),
            ..Attribute::default()
        });
        graph.node.push(branch);
    });
    let mut model = snake_model();
    model.functions.push(Bytes::from_static(b"any"));
    assert!(rewritten(&model).is_none());
    let mut model = snake_model();
    model.opset_import.push(Opset {
        domain: DOMAIN.to_owned(),
        version: 1,
    });
    assert!(rewritten(&model).is_none());
}

#[test]
fn another_output_can_be_asked_for_before_and_after() {
    let mut model = snake_model();
    let graph = model.graph.as_mut().unwrap();
    graph.node.push(Node::new("Shape", &["y"], "lengths"));
    let mut before = model.encode_to_vec();
    super::super::give_integers_too(&mut before, "lengths");
    let before = with_operators(before.into()).unwrap();
    let mut after = with_operators(model.encode_to_vec().into()).unwrap();
    super::super::give_integers_too(&mut after, "lengths");
    for bytes in [before, after] {
        let graph = Model::decode(Bytes::from(bytes)).unwrap().graph.unwrap();
        assert_eq!(graph.node.len(), 2);
        assert_eq!(graph.output[1], Value::of("lengths", INT64));
    }
}

#[test]
fn bytes_that_are_cut_off_or_damaged_are_no_trouble() {
    for model in [normalised_model(), rescaled_model()] {
        check_damaged(&model.encode_to_vec());
    }
}

#[track_caller]
fn check_damaged(whole: &[u8]) {
    for place in 0..whole.len() {
        super::super::invariants::check_bytes(&whole[..place]);
        for byte in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.to_vec();
            damaged[place] = byte;
            super::super::invariants::check_bytes(&damaged);
        }
    }
}
