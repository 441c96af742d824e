//! Cuts a model into pieces that are run one after the other. What ONNX Runtime does to open a model of
//! some thousand steps grows with their number squared: where it plans the memory of a step, it compares
//! it with that of each before (`FindReusableTensor` in its `core/framework/allocation_planner.cc`). Pieces
//! are opened in a third of the time, and several at once.
//!
//! A cut lies where few values cross it, and only tensors of 32-bit floats do, as the model states them. What
//! can't be told stays in one piece.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use prost::Message;
use prost::bytes::Bytes;

use super::messages::{FLOAT, Graph, Model, Node, Tensor, Value};
use super::shapes;

/// A piece with fewer steps is opened in a moment.
const FEWEST_STEPS: usize = 300;

/// A piece of a model. What it holds is held in the bytes of the whole, until it gets its own.
pub(crate) struct Piece(Form);

enum Form {
    Whole(Bytes),
    Part(Box<Model>),
}

impl Piece {
    /// A model of its own.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self.0 {
            Form::Whole(model) => model,
            Form::Part(model) => model.encode_to_vec().into(),
        }
    }
}

/// The model in at most so many pieces, in the order in which they are run: each takes what the ones before
/// it or the caller give, by name. In one, it is as it was, but for the
/// shapes that it states.
pub(crate) fn cut_in_pieces(model: Vec<u8>, most: usize) -> Vec<Piece> {
    let model = Bytes::from(model);
    if let Some(pieces) = cut(&model, most, FEWEST_STEPS) {
        let part = |piece| Piece(Form::Part(Box::new(piece)));
        return pieces.into_iter().map(part).collect();
    }
    // Nobody else has it. Pieces have no shapes to forget.
    let mut model = Vec::from(model);
    shapes::forget(&mut model);
    vec![Piece(Form::Whole(model.into()))]
}

/// The same, where a piece has at least so many steps. `None` if it stays in one.
pub(super) fn cut(model: &Bytes, most: usize, fewest: usize) -> Option<Vec<Model>> {
    let model = Model::decode(model.clone()).ok()?;
    pieces(&model, most, fewest)
}

fn pieces(model: &Model, most: usize, fewest: usize) -> Option<Vec<Model>> {
    let graph = model.graph.as_ref()?;
    let is_whole = model.functions.is_empty() && graph.sparse_initializer.is_empty();
    // A graph inside of a node may take values that the node does not name.
    if !is_whole || graph.node.iter().any(Node::has_graph) {
        return None;
    }
    // What is given is a tensor, for no other type is read.
    if graph.input.iter().any(|input| input.element().is_none()) {
        return None;
    }
    let steps = Steps::of(graph);
    let wanted = most.min(steps.nodes.len() / fewest.max(1));
    let cuts = steps.cuts(wanted);
    if cuts.is_empty() {
        return None;
    }
    let ends = cuts.iter().copied().chain([steps.nodes.len()]);
    let begins = [0].into_iter().chain(cuts.iter().copied());
    let piece = |range: Range<usize>| Model {
        graph: Some(steps.piece(range)),
        ..model.clone()
    };
    let pieces = begins.zip(ends).map(|(begin, end)| piece(begin..end));
    let pieces: Vec<Model> = pieces.collect();
    // Steps that nobody needs may fill a piece: the runtime opens none that gives nothing.
    let gives = |piece: &Model| {
        piece
            .graph
            .as_ref()
            .is_some_and(|graph| !graph.output.is_empty())
    };
    pieces.iter().all(gives).then_some(pieces)
}

/// The steps of a graph, and where its values come from and go to.
struct Steps<'g> {
    graph: &'g Graph,
    /// All nodes but those that hold constants.
    nodes: Vec<&'g Node>,
    constants: HashMap<&'g str, &'g Node>,
    weights: HashMap<&'g str, &'g Tensor>,
    /// The step that makes a value.
    made: HashMap<&'g str, usize>,
    /// The last step that takes it; beyond them all for an output of the graph.
    taken: HashMap<&'g str, usize>,
    /// The values that are stated to be tensors of 32-bit floats.
    floats: HashMap<&'g str, &'g Value>,
}

impl<'g> Steps<'g> {
    fn of(graph: &'g Graph) -> Self {
        let is_constant = |node: &&Node| node.op_type == "Constant" && node.input.is_empty();
        let (constants, nodes): (Vec<&Node>, Vec<&Node>) = graph.node.iter().partition(is_constant);
        let (mut made, mut taken) = (HashMap::new(), HashMap::new());
        for (place, node) in nodes.iter().enumerate() {
            made.extend(node.output.iter().map(|output| (output.as_str(), place)));
            taken.extend(node.input.iter().map(|input| (input.as_str(), place)));
        }
        taken.extend(
            graph
                .output
                .iter()
                .map(|one| (one.name.as_str(), nodes.len())),
        );
        made.remove("");
        taken.remove("");
        let constants = constants
            .iter()
            .flat_map(|node| node.output.iter().map(|output| (output.as_str(), *node)));
        let stated = graph.value_info.iter().chain(&graph.output);
        let floats = stated.filter(|value| value.element() == Some(FLOAT));
        Self {
            graph,
            constants: constants.collect(),
            weights: graph
                .initializer
                .iter()
                .map(|one| (one.name.as_str(), one))
                .collect(),
            made,
            taken,
            floats: floats.map(|value| (value.name.as_str(), value)).collect(),
            nodes,
        }
    }

    /// Where to cut, to have so many pieces of about the same length.
    fn cuts(&self, wanted: usize) -> Vec<usize> {
        let crossing = self.crossing();
        let all = self.nodes.len();
        let mut cuts: Vec<usize> = Vec::new();
        for number in 1..wanted {
            let middle = all * number / wanted;
            // Two neighbours never meet.
            let around = all / wanted / 3;
            let places = middle.saturating_sub(around)..(middle + around).min(all);
            let best = places
                .filter_map(|place| Some((crossing[place]?, place.abs_diff(middle), place)))
                .min();
            cuts.extend(best.map(|(.., place)| place));
        }
        cuts
    }

    /// How many values cross the place before each step; `None` where one does that is no tensor of floats.
    fn crossing(&self) -> Vec<Option<usize>> {
        let mut changes = vec![(0isize, 0isize); self.nodes.len() + 2];
        for (value, &made) in &self.made {
            let Some(&taken) = self.taken.get(value) else {
                continue;
            };
            let other = isize::from(!self.floats.contains_key(value));
            let (begin, end) = (made + 1, taken + 1);
            changes[begin].0 += 1;
            changes[begin].1 += other;
            changes[end].0 -= 1;
            changes[end].1 -= other;
        }
        let mut sum = (0, 0);
        let sums = changes.iter().map(|change| {
            sum = (sum.0 + change.0, sum.1 + change.1);
            usize::try_from(sum.0).ok().filter(|_| sum.1 == 0)
        });
        sums.collect()
    }

    fn piece(&self, steps: Range<usize>) -> Graph {
        let nodes = &self.nodes[steps.clone()];
        let takes = nodes
            .iter()
            .flat_map(|node| node.input.iter().map(String::as_str));
        let takes: BTreeSet<&str> = takes.filter(|input| !input.is_empty()).collect();
        let mut held = HashSet::new();
        let constants = takes
            .iter()
            .filter_map(|input| self.constants.get(input).copied())
            .filter(|node| held.insert(std::ptr::from_ref::<Node>(node)));
        let constants: Vec<&Node> = constants.collect();
        let weights = takes.iter().filter_map(|input| self.weights.get(input));
        // The first piece has all that is given, also what no step takes: a caller gives it nevertheless.
        let given = self.graph.input.iter();
        let given = given.filter(|input| steps.start == 0 || takes.contains(&*input.name));
        let before = takes.iter().filter(|input| {
            let made = self.made.get(**input);
            made.is_some_and(|made| *made < steps.start)
        });
        let before = before.filter_map(|input| self.floats.get(input).copied());
        let made = nodes.iter().flat_map(|node| node.output.iter());
        let beyond = made.filter(|output| {
            let taken = self.taken.get(output.as_str());
            taken.is_some_and(|taken| *taken >= steps.end)
        });
        let beyond = beyond.filter_map(|output| self.floats.get(output.as_str()).copied());
        Graph {
            node: constants
                .into_iter()
                .chain(nodes.iter().copied())
                .cloned()
                .collect(),
            name: self.graph.name.clone(),
            initializer: weights.copied().cloned().collect(),
            input: given.chain(before).cloned().collect(),
            output: beyond.cloned().collect(),
            ..Graph::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: &[u8] = include_bytes!("../../../tests/fixtures/decoder-speakers.onnx");

    fn value(name: &str) -> Value {
        Value::of(name, FLOAT)
    }

    /// Steps that each add what the one two before gave, and one that all take.
    fn model(count: usize) -> Model {
        let name = |place: usize| format!("v{place}");
        let mut nodes = vec![Node::new("Constant", &[], "one")];
        for place in 0..count {
            let before = name(place.saturating_sub(2));
            let data = if place < 2 { "given" } else { &before };
            nodes.push(Node::new(
                "Add",
                &[data, if place % 7 == 0 { "one" } else { "w" }],
                &name(place),
            ));
        }
        let ends = [name(count - 1), name(count - 2)];
        Model {
            ir_version: 8,
            opset_import: Vec::new(),
            functions: Vec::new(),
            graph: Some(Graph {
                node: nodes,
                initializer: vec![Tensor::of_floats("w".into(), vec![1], &[2.0])],
                input: vec![value("given")],
                output: ends.iter().map(|end| value(end)).collect(),
                value_info: (0..count).map(|place| value(&name(place))).collect(),
                ..Graph::default()
            }),
        }
    }

    fn graphs(model: &Model, most: usize) -> Vec<Graph> {
        let pieces = cut_in_pieces(model.encode_to_vec(), most).into_iter();
        let graph = |bytes: Bytes| Model::decode(bytes).unwrap().graph.unwrap();
        pieces.map(|piece| graph(piece.into_bytes())).collect()
    }

    /// Each piece takes only what was given or made before it, and all that is made is made once.
    #[track_caller]
    fn check(model: &Model, pieces: &[Graph]) {
        let whole = model.graph.as_ref().unwrap();
        let mut known: HashSet<&str> = whole.input.iter().map(|one| &*one.name).collect();
        let mut steps = Vec::new();
        for piece in pieces {
            assert!(piece.input.iter().all(|one| known.contains(&*one.name)));
            let mut inside: HashSet<&str> = piece.input.iter().map(|one| &*one.name).collect();
            inside.extend(piece.initializer.iter().map(|one| &*one.name));
            for node in &piece.node {
                assert!(
                    node.input.iter().all(|input| inside.contains(&**input)),
                    "{node:?}"
                );
                inside.extend(node.output.iter().map(String::as_str));
            }
            assert!(piece.output.iter().all(|one| inside.contains(&*one.name)));
            known.extend(piece.output.iter().map(|one| &*one.name));
            steps.extend(piece.node.iter().filter(|node| node.op_type != "Constant"));
        }
        assert!(whole.output.iter().all(|one| known.contains(&*one.name)));
        let all = whole.node.iter().filter(|node| node.op_type != "Constant");
        assert_eq!(steps, all.collect::<Vec<_>>());
    }

    #[test]
    fn pieces_give_each_other_what_they_take() {
        let model = model(4 * FEWEST_STEPS + 7);
        for (most, count) in [(0, 1), (1, 1), (2, 2), (4, 4), (9, 4)] {
            let pieces = graphs(&model, most);
            assert_eq!(pieces.len(), count, "{most}");
            check(&model, &pieces);
        }
    }

    #[test]
    fn a_cut_lies_where_few_values_cross_it_and_nothing_but_floats() {
        let mut model = model(2 * FEWEST_STEPS);
        let graph = model.graph.as_mut().unwrap();
        // Of two values that cross each place one is of another kind, but for one place.
        let (at, integers) = (FEWEST_STEPS + 40, 7);
        graph.value_info.retain(|value| {
            let place: usize = value.name[1..].parse().unwrap();
            (at - 2..at).contains(&place)
        });
        graph.value_info.push(Value::of("v1", integers));
        let pieces = graphs(&model, 2);
        check(&model, &pieces);
        assert_eq!(
            (pieces.len(), pieces[1].node.len() >= FEWEST_STEPS - 41),
            (2, true)
        );
        assert_eq!(pieces[1].input.len(), 2);

        let graph = model.graph.as_mut().unwrap();
        graph.value_info.clear();
        assert_eq!(graphs(&model, 2).len(), 1);
    }

    #[test]
    fn a_voice_is_cut_and_takes_all_that_it_took() {
        let long = include_bytes!("../../../tests/fixtures/decoder-long.onnx");
        let mut first = long.to_vec();
        super::super::cut_off_decoder(&mut first).unwrap();
        let model = Model::decode(Bytes::from(first)).unwrap();
        let pieces = graphs(&model, 9);
        assert_eq!(pieces.len(), 3);
        check(&model, &pieces);
        // Two of its inputs go into no step.
        assert_eq!(pieces[0].input, model.graph.unwrap().input);
    }

    #[test]
    fn what_is_small_or_not_understood_is_one_piece_and_as_it_was() {
        let in_pieces = |model: &[u8]| -> Vec<Bytes> {
            let pieces = cut_in_pieces(model.to_vec(), 4).into_iter();
            pieces.map(Piece::into_bytes).collect()
        };
        let one = in_pieces(VOICE);
        assert_eq!((one.len(), one[0].len()), (1, VOICE.len()));
        assert_eq!(in_pieces(b"no model"), [&b"no model"[..]]);
        let mut model = model(3 * FEWEST_STEPS);
        let graph = model.graph.as_mut().unwrap();
        graph.node[9]
            .attribute
            .push(super::super::messages::Attribute {
                name: "body".into(),
                g: Some(Bytes::new()),
                ..Default::default()
            });
        assert_eq!(graphs(&model, 3).len(), 1);
    }
}
