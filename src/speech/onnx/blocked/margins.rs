//! How much of what lies beside a window each step behind an upsampling still looks at. In front of the
//! first one a window needs many frames on either side; behind it a few are enough, and there is most of
//! the work. Where nothing else passes an upsampling by, its values can be cut to what is still needed.

use std::collections::{HashMap, HashSet};

use super::super::messages::{Graph, Node, Tensor};

/// An upsampling whose values can be cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Margin {
    /// The values that make up a frame behind it.
    pub(super) rate: u64,
    /// How many frames on either side of a window are still looked at behind it.
    pub(super) frames: usize,
}

/// More values of a frame, or frames, are none of a voice.
const MOST: f64 = 1e6;

/// The upsamplings of a decoder that can be cut, by the places of their nodes. Empty if not each step is
/// understood.
pub(super) fn margins(graph: &Graph, constants: &HashMap<&str, &Tensor>) -> HashMap<usize, Margin> {
    find(graph, constants).unwrap_or_default()
}

fn find(graph: &Graph, constants: &HashMap<&str, &Tensor>) -> Option<HashMap<usize, Margin>> {
    let data = |node: &'_ Node| -> Vec<String> {
        let inputs = node.input.iter();
        let inputs = inputs.filter(|input| !input.is_empty() && !constants.contains_key(&***input));
        inputs.cloned().collect()
    };
    // The values of a frame, forwards.
    let mut rates: HashMap<String, f64> = HashMap::new();
    rates.extend(graph.input.iter().map(|input| (input.name.clone(), 1.0)));
    let steps: Vec<Step> = graph.node.iter().map(Step::of).collect::<Option<_>>()?;
    for (node, step) in graph.node.iter().zip(&steps) {
        let mut inputs = data(node).into_iter();
        let Some(first) = inputs.next() else {
            continue;
        };
        let rate = *rates.get(&first)?;
        if inputs.any(|other| rates.get(&other) != Some(&rate)) {
            return None;
        }
        let rate = rate * step.finer;
        if rate > MOST {
            return None;
        }
        rates.insert(node.output.first()?.clone(), rate);
    }
    // What is still looked at, in frames, backwards.
    let mut reaches: HashMap<String, f64> = HashMap::new();
    reaches.extend(graph.output.iter().map(|output| (output.name.clone(), 0.0)));
    let mut margins = HashMap::new();
    let passed_by = passed_by(graph, constants);
    for (place, (node, step)) in graph.node.iter().zip(&steps).enumerate().rev() {
        let inputs = data(node);
        let Some(first) = inputs.first() else {
            continue;
        };
        let output = node.output.first()?;
        let Some(&reach) = reaches.get(output) else {
            // Nobody takes it.
            continue;
        };
        if step.finer > 1.0 && !passed_by.contains(&place) && reach < MOST {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and MOST"
            )]
            let margin = Margin {
                rate: *rates.get(output)? as u64,
                frames: reach.ceil() as usize,
            };
            margins.insert(place, margin);
        }
        let reach = reach + step.values / (rates.get(first)? * step.finer);
        for input in inputs {
            let known = reaches.entry(input).or_default();
            *known = known.max(reach);
        }
    }
    Some(margins)
}

/// The steps that some value passes by: made before them, and taken behind.
fn passed_by(graph: &Graph, constants: &HashMap<&str, &Tensor>) -> HashSet<usize> {
    let mut made: HashMap<&str, usize> = HashMap::new();
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for (place, node) in graph.node.iter().enumerate() {
        made.extend(
            node.output
                .iter()
                .map(|output| (output.as_str(), place + 1)),
        );
        taken.extend(node.input.iter().map(|input| (input.as_str(), place)));
    }
    let end = graph.node.len();
    taken.extend(
        graph
            .output
            .iter()
            .map(|output| (output.name.as_str(), end)),
    );
    // One more at each place between the two, counted by where that begins and ends.
    let mut changes = vec![0isize; end + 2];
    for (value, &last) in &taken {
        let first = made.get(value).copied().unwrap_or(0);
        if !constants.contains_key(value) && !value.is_empty() && first < last {
            changes[first] += 1;
            changes[last] -= 1;
        }
    }
    let mut many = 0;
    let passing = changes.iter().enumerate().filter_map(|(place, change)| {
        many += change;
        (many > 0).then_some(place)
    });
    passing.collect()
}

/// What a node does with the places of values.
struct Step {
    /// How many values it makes of one.
    finer: f64,
    /// How far it looks, in values of what it makes.
    values: f64,
}

impl Step {
    fn of(node: &Node) -> Option<Self> {
        const PLAIN: [&str; 9] = [
            "Add",
            "Constant",
            "Div",
            "LeakyRelu",
            "Mul",
            "Relu",
            "Squeeze",
            "Tanh",
            "Unsqueeze",
        ];
        #[expect(clippy::cast_precision_loss, reason = "kernels of some hundred values")]
        let float = |number: i64| number as f64;
        let number = |name: &str, default| match node.attribute(name) {
            Some(attribute) => attribute.ints.first().copied(),
            None => Some(default),
        };
        let pads = match node.attribute("pads").map(|pads| &pads.ints[..]) {
            None => [0, 0],
            Some(&[before, after]) => [before, after],
            Some(_) => return None,
        };
        let stride = number("strides", 1)?;
        let size = || number("kernel_shape", -1).filter(|size| *size > 0);
        match node.op_type.as_str() {
            // It makes as many as it takes.
            "Conv" => {
                let span = (size()? - 1).checked_mul(number("dilations", 1)?)?;
                let is_same = stride == 1 && pads[0].checked_add(pads[1])? == span;
                is_same.then(|| Self {
                    finer: 1.0,
                    values: float(pads[0].max(pads[1])),
                })
            }
            "ConvTranspose" => (stride > 0).then_some(Self {
                finer: float(stride),
                values: float(size()?),
            }),
            plain => PLAIN.contains(&plain).then_some(Self {
                finer: 1.0,
                values: 0.0,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::constants;
    use super::*;
    use crate::speech::onnx::messages::Value;

    fn conv(input: &str, output: &str, size: i64) -> Node {
        let mut node = Node::new("Conv", &[input, "w"], output);
        node.set("kernel_shape", vec![size]);
        node.set("pads", vec![size / 2, size / 2]);
        node
    }

    fn upsampling(input: &str, output: &str, by: i64) -> Node {
        let mut node = Node::new("ConvTranspose", &[input, "w"], output);
        node.set("kernel_shape", vec![2 * by]);
        node.set("strides", vec![by]);
        node.set("pads", vec![by / 2, by / 2]);
        node
    }

    fn graph(nodes: Vec<Node>) -> Graph {
        Graph {
            node: nodes,
            initializer: vec![Tensor::of_floats("w".into(), vec![1], &[1.0])],
            input: vec![Value::of("in", 1)],
            output: vec![Value::of("out", 1)],
            ..Graph::default()
        }
    }

    #[test]
    fn behind_each_upsampling_less_is_looked_at() {
        let graph = graph(vec![
            conv("in", "a", 7),
            upsampling("a", "b", 8),
            conv("b", "c", 17),
            Node::new("Add", &["c", "b"], "d"),
            upsampling("d", "e", 4),
            conv("e", "out", 65),
        ]);
        let found = margins(&graph, &constants(&graph));
        // 32 of 32 values behind the second; before it 8 of 32 and then 8 of 8 values more.
        let (one, other) = (found[&1], found[&4]);
        assert_eq!((one.rate, one.frames), (8, 3));
        assert_eq!((other.rate, other.frames), (32, 1));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_something_passes_by_is_not_cut() {
        let graph = graph(vec![
            upsampling("in", "a", 8),
            upsampling("in", "b", 8),
            Node::new("Add", &["a", "b"], "c"),
            upsampling("c", "out", 4),
        ]);
        let found = margins(&graph, &constants(&graph));
        assert_eq!(found.keys().collect::<Vec<_>>(), [&3]);
    }

    #[test]
    fn steps_that_are_not_understood_leave_all_as_it_is() {
        let misses = [
            Node::new("Concat", &["a", "a"], "out"),
            Node::new("Conv", &["a", "w"], "out"),
            upsampling("unheard", "out", 2),
            Node::new("Add", &["a", "in"], "out"),
        ];
        for miss in misses {
            let graph = graph(vec![upsampling("in", "a", 8), miss]);
            assert_eq!(margins(&graph, &constants(&graph)), HashMap::new());
        }
    }
}
