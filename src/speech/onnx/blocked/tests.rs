use std::collections::HashSet;

use super::super::cut_off_decoder;
use super::super::messages::{Attribute, FLOAT, Opset};
use super::*;

const VOICES: [&[u8]; 3] = [
    include_bytes!("../../../../tests/fixtures/decoder-medium.onnx"),
    include_bytes!("../../../../tests/fixtures/decoder-high.onnx"),
    include_bytes!("../../../../tests/fixtures/decoder-speakers.onnx"),
];

fn decoder(voice: &[u8]) -> Model {
    let mut voice = voice.to_vec();
    let decoder = cut_off_decoder(&mut voice).unwrap();
    assert_eq!(decoder.hop, 256);
    Model::decode(Bytes::from(decoder.model)).unwrap()
}

/// The model in blocks, checked to be one that can be run: each value is made once, before it is taken.
fn rewritten(model: &Model) -> Option<Graph> {
    let blocked = in_blocks(&model.encode_to_vec())?;
    let new = Model::decode(blocked.model).unwrap();
    assert_eq!(
        (new.ir_version, &new.opset_import),
        (model.ir_version, &model.opset_import)
    );
    let (new, old) = (new.graph.unwrap(), model.graph.as_ref().unwrap());
    assert_eq!(new.output, old.output);
    let (given, places) = new.input.split_at(old.input.len());
    assert_eq!(given, old.input);
    let crops = blocked.crops.iter();
    let names: Vec<&String> = crops.flat_map(|crop| [&crop.from, &crop.to]).collect();
    let places: Vec<&String> = places.iter().map(|place| &place.name).collect();
    assert_eq!(places, names);
    let mut known: HashSet<&str> = new.input.iter().map(|one| one.name.as_str()).collect();
    for weights in &new.initializer {
        assert!(known.insert(&weights.name), "{} twice", weights.name);
    }
    for node in &new.node {
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(known.contains(input.as_str()), "{input} is taken too early");
        }
        for output in &node.output {
            assert!(known.insert(output), "{output} is made twice");
        }
    }
    assert!(
        new.output
            .iter()
            .all(|one| known.contains(one.name.as_str()))
    );
    Some(new)
}

fn count(graph: &Graph, operators: &[&str]) -> usize {
    let is_one = |node: &&Node| operators.contains(&&*node.op_type);
    graph.node.iter().filter(is_one).count()
}

/// How many upsamplings are plain convolutions whose values are cut.
fn cuts(graph: &Graph) -> usize {
    let is_one = |node: &&Node| node.op_type == "Slice" && node.output[0].ends_with("/cut");
    graph.node.iter().filter(is_one).count()
}

/// How many convolutions take values of three and of four dimensions.
fn dimensions(graph: &Graph) -> (usize, usize) {
    let constants = constants(graph);
    let convolutions = graph
        .node
        .iter()
        .filter(|node| node.op_type.starts_with("Conv"));
    let ranks = convolutions.map(|node| constants.get(&*node.input[1]).map(|it| it.dims.len()));
    let ranks: Vec<_> = ranks.collect();
    let of = |rank| ranks.iter().filter(|one| **one == Some(rank)).count();
    (of(3), of(4))
}

fn change(model: &mut Model, operator: &str, change: impl Fn(&mut Node)) {
    let nodes = &mut model.graph.as_mut().unwrap().node;
    let mut found = nodes.iter_mut().filter(|node| node.op_type == operator);
    change(found.next().unwrap());
}

fn attribute(name: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        ..Attribute::default()
    }
}

#[test]
fn decoders_of_each_kind_are_in_blocks_from_end_to_end() {
    for voice in VOICES {
        let model = decoder(voice);
        let old = model.graph.as_ref().unwrap();
        let new = rewritten(&model).unwrap();
        assert_eq!(dimensions(&new).0, 0);
        assert_eq!(count(&new, &["Div"]), 0);
        assert_eq!(
            count(&new, &["LeakyRelu", "Relu", "Tanh"]),
            count(old, &["LeakyRelu", "Tanh"])
        );
        // In at the front and out at the end; the one that was there stays.
        assert_eq!(
            count(&new, &["Unsqueeze"]),
            old.input.len() + count(old, &["Unsqueeze"])
        );
        assert_eq!(count(&new, &["Squeeze"]), 1 + count(old, &["Squeeze"]));
    }
}

#[test]
fn upsamplings_are_plain_convolutions_that_can_be_cut() {
    for voice in VOICES {
        let model = decoder(voice);
        let old = model.graph.as_ref().unwrap();
        let upsamplings = count(old, &["ConvTranspose"]);
        let crops = in_blocks(&model.encode_to_vec()).unwrap().crops;
        let new = rewritten(&model).unwrap();
        assert_eq!(count(&new, &["ConvTranspose"]), 0);
        assert_eq!(cuts(&new), upsamplings);
        assert_eq!(crops.len(), upsamplings);
        // Each makes more of a frame than the one before, and less is looked at behind it.
        assert!(crops.is_sorted_by(|a, b| a.rate < b.rate && a.margin >= b.margin));
    }
    let mut model = decoder(VOICES[0]);
    model.opset_import[0].version = PLACES_AS_INPUT - 1;
    assert_eq!(cuts(&rewritten(&model).unwrap()), 0);
}

#[test]
fn weights_that_several_take_are_not_made_anew_for_each() {
    let mut model = decoder(VOICES[0]);
    let graph = model.graph.as_mut().unwrap();
    let found = |operator: &str| {
        let mut nodes = graph.node.iter().filter(|node| node.op_type == operator);
        nodes.next().unwrap().clone()
    };
    let mut more = found("ConvTranspose");
    "another".clone_into(&mut more.output[0]);
    graph.output.push(Value::of("another", FLOAT));
    let first = graph
        .node
        .iter()
        .position(|node| node.output == found("ConvTranspose").output);
    graph.node.insert(first.unwrap() + 1, more);
    let all = count(graph, &["ConvTranspose"]);
    let new = rewritten(&model).unwrap();
    assert_eq!(count(&new, &["ConvTranspose"]), 2);
    assert_eq!(cuts(&new), all - 2);
}

#[test]
fn what_is_added_is_stated_to_have_one_length() {
    let model = decoder(VOICES[0]);
    let new = rewritten(&model).unwrap();
    let stated: HashSet<&str> = new.value_info.iter().map(|value| &*value.name).collect();
    let sums = new.node.iter().filter(|node| node.op_type == "Add");
    // Those of the last convolution's steps are no values in blocks.
    let is_step = |value: &String| value.contains("/sum") || value.contains("/shifted");
    let sums: Vec<&Node> = sums.filter(|sum| !sum.input.iter().any(is_step)).collect();
    assert!(!sums.is_empty());
    for sum in sums {
        assert!(sum.input.iter().all(|input| stated.contains(&**input)));
    }
}

#[test]
fn a_division_goes_into_the_weights_behind_it() {
    let model = decoder(VOICES[0]);
    let old = model.graph.as_ref().unwrap();
    let (kernels, numbers) = (constants(old), uses(old));
    assert_eq!(count(&rewritten(&model).unwrap(), &["Div"]), 0);
    let mut without = old.clone();
    divisions::fold(&mut without);
    let new = constants(&without);
    let mut folded = 0;
    for node in old.node.iter().filter(|node| node.op_type == "Div") {
        let activation = &old.node[numbers[&*node.output[0]][0]];
        let kernel = &*old.node[numbers[&*activation.output[0]][0]].input[1];
        let (before, after) = (
            kernels[kernel].floats().unwrap(),
            new[kernel].floats().unwrap(),
        );
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| (*after - before / 2.0).abs() < f32::EPSILON)
        );
        folded += 1;
    }
    assert_eq!(folded, 3);
}

#[test]
fn divisions_that_weights_cannot_take_up_stay() {
    let divisor = |values: &[f32]| {
        let value = Tensor::of_floats(
            String::new(),
            vec![1; usize::from(values.len() > 1)],
            values,
        );
        let dims = match values.len() {
            1 => Vec::new(),
            many => vec![i64::try_from(many).unwrap()],
        };
        Tensor { dims, ..value }
    };
    for values in [
        &[-2.0][..],
        &[0.0],
        &[f32::NAN],
        &[f32::INFINITY],
        &[1e36],
        &[1e-36],
    ] {
        let mut model = decoder(VOICES[0]);
        for node in &mut model.graph.as_mut().unwrap().node {
            if node.op_type == "Constant" {
                node.attribute[0].t = Some(divisor(values));
            }
        }
        let new = rewritten(&model).unwrap();
        assert_eq!(
            (count(&new, &["Div"]), dimensions(&new).0),
            (3, 0),
            "{values:?}"
        );
    }
    // Numbers for each channel are no number; such a step gets its values as they were.
    let mut model = decoder(VOICES[0]);
    for node in &mut model.graph.as_mut().unwrap().node {
        if node.op_type == "Constant" {
            node.attribute[0].t = Some(divisor(&[2.0, 3.0]));
        }
    }
    let new = rewritten(&model).unwrap();
    assert_eq!(count(&new, &["Div"]), 3);
    assert_eq!(count(&new, &["Squeeze"]), 4);
    // What is divided is taken by something else as well.
    let mut model = decoder(VOICES[0]);
    let graph = model.graph.as_mut().unwrap();
    let divided = graph
        .node
        .iter()
        .find(|node| node.op_type == "Div")
        .unwrap();
    graph.output.push(super::super::messages::Value {
        name: divided.output[0].clone(),
        ..graph.output[0].clone()
    });
    assert_eq!(count(&rewritten(&model).unwrap(), &["Div"]), 1);
}

#[test]
fn what_is_unknown_gets_its_values_as_they_were() {
    // An operator that mixes neighbours in a way of its own, amid the convolutions.
    let mut model = decoder(VOICES[0]);
    change(&mut model, "Add", |node| node.op_type = "Sub".into());
    let new = rewritten(&model).unwrap();
    assert_eq!(count(&new, &["Sub"]), 1);
    assert_eq!(dimensions(&new).0, 0);

    // Kernels that are not in the model, paddings that the runtime finds, kernels of another kind.
    let misses: [&dyn Fn(&mut Model); 5] = [
        &|model| change(model, "Conv", |node| node.input[1] = "elsewhere".into()),
        &|model| {
            change(model, "Conv", |node| {
                node.attribute.push(Attribute {
                    s: Bytes::from_static(b"SAME_UPPER"),
                    ..attribute("auto_pad")
                });
            });
        },
        &|model| {
            change(model, "Conv", |node| {
                node.attribute.push(attribute("unheard_of"));
            });
        },
        &|model| {
            change(model, "ConvTranspose", |node| {
                node.set("output_shape", vec![99]);
            });
        },
        &|model| change(model, "Conv", |node| node.set("kernel_shape", vec![9])),
    ];
    for miss in misses {
        let mut model = decoder(VOICES[0]);
        let all = dimensions(model.graph.as_ref().unwrap()).0;
        miss(&mut model);
        // It is taken for given here that the value is there.
        let graph = model.graph.as_mut().unwrap();
        graph.input.push(super::super::messages::Value {
            name: "elsewhere".into(),
            ..graph.input[0].clone()
        });
        let new = rewritten(&model).unwrap();
        let known = constants(&new);
        let old = new.node.iter().filter(|node| {
            let kernel = node
                .op_type
                .starts_with("Conv")
                .then(|| known.get(&*node.input[1]));
            kernel.is_some_and(|kernel| kernel.is_none_or(|kernel| kernel.dims.len() == 3))
        });
        assert_eq!(old.count(), 1);
        assert!(dimensions(&new).1 >= all - 1);
    }
}

#[test]
fn models_that_are_not_understood_stay_as_they_are() {
    let misses: [&dyn Fn(&mut Model); 6] = [
        &|model| model.opset_import.clear(),
        &|model| model.functions.push(Bytes::new()),
        &|model| model.graph = None,
        &|model| change(model, "Tanh", |node| node.domain = "com.example".into()),
        &|model| {
            change(model, "Tanh", |node| {
                node.attribute.push(Attribute {
                    g: Some(Bytes::new()),
                    ..attribute("body")
                });
            });
        },
        &|model| {
            for tensor in &mut model.graph.as_mut().unwrap().initializer {
                tensor.data_type = FLOAT + 10;
            }
        },
    ];
    for (place, miss) in misses.iter().enumerate() {
        let mut model = decoder(VOICES[0]);
        miss(&mut model);
        assert_eq!(in_blocks(&model.encode_to_vec()), None, "{place}");
    }
    assert_eq!(in_blocks(b""), None);
    assert_eq!(in_blocks(b"no model"), None);
}

#[test]
fn sizes_that_no_weights_can_have_are_refused() {
    let sizes: [&dyn Fn(&mut Model); 3] = [
        &|model| {
            change(model, "ConvTranspose", |node| {
                node.attribute.retain(|one| one.name != "group");
                *node = std::mem::take(node).with("group", 1 << 40);
            });
        },
        &|model| {
            change(model, "Conv", |node| {
                node.attribute.retain(|one| one.name != "group");
                *node = std::mem::take(node).with("group", 0);
            });
        },
        &|model| {
            let graph = model.graph.as_mut().unwrap();
            let kernel = graph
                .node
                .iter()
                .find(|node| node.op_type == "Conv")
                .unwrap();
            let kernel = kernel.input[1].clone();
            let mut weights = graph.initializer.iter_mut();
            let weights = weights.find(|one| one.name == kernel).unwrap();
            weights.dims = vec![1 << 40, 0, 7];
            weights.raw_data = Bytes::new();
        },
    ];
    for size in sizes {
        let mut model = decoder(VOICES[0]);
        size(&mut model);
        let all = dimensions(model.graph.as_ref().unwrap()).0;
        assert_eq!(dimensions(&rewritten(&model).unwrap()).0, 1, "of {all}");
    }
}

#[test]
fn names_that_end_as_ours_do_are_no_hindrance() {
    let mut model = decoder(VOICES[0]);
    let graph = model.graph.as_mut().unwrap();
    let old = graph.input[0].name.clone();
    graph.input[0].name = "frames/high0".into();
    for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if *input == old {
            *input = "frames/high0".into();
        }
    }
    model.opset_import = vec![Opset {
        domain: String::new(),
        version: 11,
    }];
    let new = rewritten(&model).unwrap();
    assert!(new.node[0].output[0].starts_with("frames/high0/high2"));
    assert_eq!(new.node[0].attribute[0].ints, [HEIGHT]);
}

#[test]
fn an_activation_that_leaks_is_a_sum_where_nothing_else_takes_it() {
    let model = decoder(VOICES[0]);
    let old = model.graph.as_ref().unwrap();
    let kernels = constants(old);
    let mut parted = old.clone();
    leaks::part(&mut parted);
    let new = constants(&parted);
    let before = |value: &str| old.node.iter().find(|node| node.output[0] == value);
    let mut found = 0;
    for node in old.node.iter().filter(|node| node.op_type == "LeakyRelu") {
        let whole = &node.output[0];
        let takers = || old.node.iter().filter(|taker| taker.input.contains(whole));
        let made = parted.node.iter().find(|node| node.output[0] == *whole);
        let sum = made.unwrap();
        let factor = if sum.op_type == "LeakyRelu" {
            // The convolution before it makes its values for it alone.
            assert!(before(&node.input[0]).unwrap().op_type.starts_with("Conv"));
            1.0
        } else {
            let slope = node.attribute("alpha").unwrap().f;
            let part = |name: &str| parted.node.iter().find(|node| node.output[0] == name);
            let (below, above) = (part(&sum.input[0]).unwrap(), part(&sum.input[1]).unwrap());
            assert_eq!(
                (&*sum.op_type, &*above.op_type, &*below.op_type),
                ("Add", "Relu", "Mul")
            );
            assert_eq!(
                (&above.input[0], &below.input[0]),
                (&node.input[0], &node.input[0])
            );
            let ratio = new[&*below.input[1]].floats().unwrap()[0];
            found += 1;
            // What comes out for 1 and for −1.
            for (x, y) in [(1.0f32, 1.0f32), (-1.0, -slope)] {
                let sum = x.max(0.0) + ratio * x;
                assert!((sum * (1.0 - slope) - y).abs() < 1e-6);
            }
            1.0 - slope
        };
        for taker in takers() {
            let kernel = &*taker.input[1];
            let (old, new) = (
                kernels[kernel].floats().unwrap(),
                new[kernel].floats().unwrap(),
            );
            let mut both = old.iter().zip(&new);
            assert!(both.all(|(old, new)| (new - old * factor).abs() < 1e-6));
        }
    }
    assert!(found > 3);
}

#[test]
fn activations_that_something_else_takes_or_that_hardly_leak_stay() {
    let count_of = |model: &Model| count(&rewritten(model).unwrap(), &["Mul", "LeakyRelu"]);
    let model = decoder(VOICES[0]);
    let all = count(model.graph.as_ref().unwrap(), &["LeakyRelu"]);
    assert!(count_of(&model) < all);
    for slope in [1e-6, 0.9, -0.1, f32::NAN] {
        let mut model = decoder(VOICES[0]);
        for node in &mut model.graph.as_mut().unwrap().node {
            if let Some(alpha) = node.attribute.iter_mut().find(|one| one.name == "alpha") {
                alpha.f = slope;
            }
        }
        assert_eq!(count_of(&model), all, "{slope}");
    }
    let mut model = decoder(VOICES[0]);
    let graph = model.graph.as_mut().unwrap();
    let more = graph.node.iter().filter(|node| node.op_type == "LeakyRelu");
    let more: Vec<Value> = more.map(|node| Value::of(&node.output[0], FLOAT)).collect();
    graph.output.extend(more);
    assert_eq!(count_of(&model), all);
}
