//! What holds for the bytes of any model whatever. Property tests and fuzz targets call it. It must
//! never lean on the code that it checks.

use std::collections::HashSet;
use std::ops::Range;

use prost::Message;
use prost::bytes::Bytes;

use super::blocked::in_blocks;
use super::fields::{Field, MODEL_GRAPH, fields, put};
use super::floats::in_floats;
use super::graph::Graph;
use super::halves::cut_off_decoder;
use super::messages;
use super::operators::with_operators;
use super::pieces::cut;
use super::shapes::forget;

/// Panics unless these bytes, a model or not, are read and changed as promised.
#[track_caller]
pub(crate) fn check_bytes(bytes: &[u8]) {
    check_fields(bytes, 0..bytes.len());
    for graph in graphs(bytes) {
        check_fields(bytes, graph);
    }
    if let Some(graph) = Graph::read(bytes) {
        for node in &graph.nodes {
            graph.kernel(node);
        }
    }
    check_shapes(bytes);
    check_halves(bytes);
    if let Some(blocked) = in_blocks(bytes) {
        assert!(messages::Model::decode(blocked.model).is_ok());
    }
    check_floats(bytes);
    check_operators(bytes);
    check_pieces(bytes);
}

/// A model in floats is one that can be read, with the same inputs and outputs, and not much larger than
/// its weights of bytes make it.
#[track_caller]
fn check_floats(bytes: &[u8]) {
    let Some(floats) = in_floats(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let graph = |bytes: &[u8]| messages::Model::decode(bytes).unwrap().graph.unwrap();
    let (new, old) = (graph(&floats), graph(bytes));
    assert_eq!((&new.input, &new.output), (&old.input, &old.output));
    let room = |graph: &messages::Graph| {
        let weights = graph.initializer.iter();
        weights.map(|one| one.raw_data.len()).sum::<usize>()
    };
    assert!(room(&new) <= room(&old) + 8 * bytes.len());
    check_made_once(new);
}

#[track_caller]
fn check_made_once(graph: messages::Graph) {
    let made = graph.node.into_iter().flat_map(|node| node.output);
    let made: Vec<String> = made.filter(|name| !name.is_empty()).collect();
    let once: HashSet<&String> = made.iter().collect();
    assert_eq!(once.len(), made.len(), "a value is made twice");
}

/// A model with operators of ours is one that can be read, with the same inputs, outputs and constants and
/// fewer nodes, each of which takes what there is; and it is not rewritten again.
#[track_caller]
fn check_operators(bytes: &[u8]) {
    let Some(faster) = with_operators(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert!(with_operators(Bytes::from(faster.clone())).is_none());
    let graph = |bytes: &[u8]| messages::Model::decode(bytes).unwrap().graph.unwrap();
    let (new, old) = (graph(&faster), graph(bytes));
    assert_eq!((&new.input, &new.output), (&old.input, &old.output));
    assert_eq!(new.initializer, old.initializer);
    assert!(new.node.len() <= old.node.len());
    let made = |graph: &messages::Graph| -> HashSet<String> {
        let outputs = graph.node.iter().flat_map(|node| &node.output);
        outputs.cloned().collect()
    };
    let (after, before) = (made(&new), made(&old));
    let mut taken = new.node.iter().flat_map(|node| &node.input);
    assert!(taken.all(|input| after.contains(input) || !before.contains(input)));
    check_made_once(new);
}

/// Fields follow each other without a gap, within their range; one with a length can be written again.
#[track_caller]
fn check_fields(bytes: &[u8], range: Range<usize>) {
    let mut next = range.start;
    for field in fields(bytes, range.clone()) {
        assert_eq!(field.at, next);
        assert!(field.at < field.content.start && field.content.start <= field.content.end);
        assert!(field.content.end <= range.end);
        next = field.whole().end;
        if field.tag & 7 == 2 {
            let mut again = Vec::new();
            put(&mut again, field.tag, &bytes[field.content.clone()]);
            let read: Vec<Field> = fields(&again, 0..again.len()).collect();
            let [read] = &read[..] else {
                panic!("one field was written, {} are read", read.len());
            };
            assert_eq!(read.tag, field.tag);
            assert_eq!(again[read.content.clone()], bytes[field.content]);
        }
    }
}

/// Without its shapes a model has the same fields at the same places: only tags are others.
#[track_caller]
fn check_shapes(bytes: &[u8]) {
    let mut without = bytes.to_vec();
    forget(&mut without);
    assert_eq!(
        places(&without, 0..without.len()),
        places(bytes, 0..bytes.len())
    );
    for graph in graphs(bytes) {
        assert_eq!(places(&without, graph.clone()), places(bytes, graph));
    }
    let once = without.clone();
    forget(&mut without);
    assert_eq!(without, once, "what is hidden stays as it is");
}

/// A model is cut in two that can be read, or stays as it is.
#[track_caller]
fn check_halves(bytes: &[u8]) {
    let mut first = bytes.to_vec();
    let Some(second) = cut_off_decoder(&mut first) else {
        assert_eq!(first, bytes, "a model that was not cut is another");
        return;
    };
    assert!(second.hop > 0);
    assert!(Graph::read(&second.model).is_some());
    // Only tags are others, and what was added stands behind.
    let graph = |graphs: Vec<Range<usize>>| graphs.first().cloned();
    assert_eq!(graph(graphs(&first)), graph(graphs(bytes)));
    for graph in graphs(bytes) {
        assert_eq!(places(&first, graph.clone()), places(bytes, graph));
    }
}

/// A model is cut in pieces of which each is given what it takes, or stays in one.
#[track_caller]
fn check_pieces(bytes: &[u8]) {
    let Some(pieces) = cut(&Bytes::copy_from_slice(bytes), 3, 2) else {
        return;
    };
    let graphs: Vec<_> = pieces.into_iter().map(|it| it.graph.unwrap()).collect();
    let mut given: HashSet<&str> = HashSet::new();
    for (place, graph) in graphs.iter().enumerate() {
        let inputs = graph.input.iter().map(|one| one.name.as_str());
        let inputs: Vec<&str> = inputs.collect();
        assert!(!graph.output.is_empty());
        if place == 0 {
            given.extend(inputs);
        } else {
            assert!(inputs.iter().all(|input| given.contains(input)));
        }
        given.extend(graph.output.iter().map(|one| one.name.as_str()));
    }
}

fn graphs(bytes: &[u8]) -> Vec<Range<usize>> {
    fields(bytes, 0..bytes.len())
        .filter(|field| field.tag == MODEL_GRAPH)
        .map(|field| field.content)
        .collect()
}

fn places(bytes: &[u8], range: Range<usize>) -> Vec<(usize, Range<usize>)> {
    fields(bytes, range)
        .map(|field| (field.at, field.content))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model of this program's own, small and whole.
    const TONE: &[u8] = include_bytes!("../../../tests/fixtures/tone.onnx");

    fn varint(mut value: u64, is_longer: bool) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        if is_longer {
            *out.last_mut().unwrap() |= 0x80;
            out.push(0);
        }
        out
    }

    /// Something like a message: fields that models have, now and then written as nobody does.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..6),
            Just(b"Conv".to_vec()),
            Just(b"a".to_vec()),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            let field =
                (1u64..15, 0u64..40, 0u8..8, inner).prop_map(|(number, kind, odd, content)| {
                    let is_odd = odd == 0;
                    let kind = if kind < 6 { kind } else { 2 };
                    let mut out = varint(number << 3 | kind, is_odd);
                    if kind == 2 {
                        out.extend(varint(content.len() as u64, is_odd));
                    }
                    out.extend(content);
                    out
                });
            prop::collection::vec(field, 0..6).prop_map(|fields| fields.concat())
        })
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check_bytes(&bytes);
        }

        #[test]
        fn no_message_is_too_strange(graph in message(), rest in message()) {
            let mut bytes = Vec::new();
            put(&mut bytes, MODEL_GRAPH, &graph);
            bytes.extend(rest);
            check_bytes(&bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_damaged_model_is_not_too_strange(at: prop::sample::Index, byte: u8) {
            let mut bytes = TONE.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            check_bytes(&bytes);
            check_bytes(&bytes[..at]);
        }
    }
}
