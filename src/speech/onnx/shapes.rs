//! Lets ONNX Runtime forget the shapes that a model's file states, which halves the time a voice
//! takes from cold. It changes tags in a copy in memory, one byte each, never the file.
//!
//! Knowing the shapes of values, the runtime plans for each whether a dead one's buffer fits it, and
//! compares it with every dead one by looking the names of their types up. For the 2,700 nodes of a
//! Piper voice that is most of a second, and it gains nothing: lengths differ from run to run, and
//! buffers come from the arena. Without the stated shapes there is nothing to compare. The fields:
//! `onnx.proto3`.

use super::fields::{Field, GRAPH_INPUT, MODEL_GRAPH, TYPE_TENSOR, VALUE_TYPE, fields, hide, tag};

/// Fields that hold others, as their tags: number and wire type "length, then content".
const GRAPH_VALUE_INFO: u64 = tag(13);
const TENSOR_SHAPE: u64 = tag(2);

/// Hides the shapes of the model's inputs and of the values between its nodes. A model that it
/// can't read to the end stays as it is from there on; the runtime says what is wrong with it.
pub(super) fn forget(model: &mut [u8]) {
    let mut hidden = Vec::new();
    for graph in fields(model, 0..model.len()).filter(|field| field.tag == MODEL_GRAPH) {
        for field in fields(model, graph.content) {
            match field.tag {
                GRAPH_VALUE_INFO => hidden.push(field.at),
                GRAPH_INPUT => hidden.extend(shapes_of_input(model, field)),
                _ => {}
            }
        }
    }
    for at in hidden {
        hide(model, at);
    }
}

/// Where the tags of an input's shape stand. A message may come in parts, which whoever reads it
/// puts together.
fn shapes_of_input(model: &[u8], input: Field) -> impl Iterator<Item = usize> {
    let inside =
        move |outer: Field, tag| fields(model, outer.content).filter(move |field| field.tag == tag);
    inside(input, VALUE_TYPE)
        .flat_map(move |kind| inside(kind, TYPE_TENSOR))
        .flat_map(move |tensor| inside(tensor, TENSOR_SHAPE))
        .map(|shape| shape.at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A field with a length; all of them are short here.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    fn value(name: &str, shape: &[u8]) -> Vec<u8> {
        let tensor = [&[0x08, 1], shape].concat();
        [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
    }

    fn model(inner: u8, shape: u8) -> Vec<u8> {
        let dims = [0x0a, 2, 0x08, 3];
        let graph = [
            field(1, &value("node", &field(2, &dims))),
            field(11, &value("ids", &field(shape, &dims))),
            field(12, &value("audio", &field(2, &dims))),
            field(inner, &value("between", &field(2, &dims))),
        ]
        .concat();
        [&[0x08, 8][..], &field(7, &graph), &field(8, b"opset")].concat()
    }

    #[test]
    fn shapes_of_inputs_and_of_what_lies_between_are_hidden_and_nothing_else() {
        let mut bytes = model(13, 2);
        forget(&mut bytes);
        assert_eq!(bytes, model(6, 6));
        forget(&mut bytes);
        assert_eq!(bytes, model(6, 6));
    }

    #[test]
    fn a_shape_in_parts_is_hidden_as_a_whole() {
        let parts = |tag: u8| [field(tag, b"a"), field(tag, b"b")].concat();
        let model = |tag: u8| field(7, &field(11, &value("ids", &parts(tag))));
        let mut bytes = model(2);
        forget(&mut bytes);
        assert_eq!(bytes, model(6));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let length = bytes.len();
            forget(&mut bytes);
            prop_assert_eq!(bytes.len(), length);
        }

        #[test]
        fn a_damaged_model_is_only_tags_apart(at in 0usize..90, byte: u8) {
            let mut bytes = model(13, 2);
            let at = at % bytes.len();
            bytes[at] = byte;
            let before = bytes.clone();
            forget(&mut bytes);
            let changed = bytes.iter().zip(&before).filter(|(new, old)| new != old);
            for (new, old) in changed {
                prop_assert!(*new == 6 << 3 | 2 && [0x12, 0x6a].contains(old));
            }
        }
    }
}
