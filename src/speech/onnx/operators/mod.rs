//! Operators of our own, and the rewriting that puts them into a model in place of what the runtime does in
//! many steps, one pass over the values for each, some on a single thread. Each does its work in as few passes
//! as it needs, shared out among the session's threads, and makes the same numbers whatever their number.
//!
//! Nothing is known by its name, and what is not proven to compute what an operator does stays as it is. A
//! rewritten model opens only where the operators are registered.

mod found;
mod normalise;
mod rescale;
mod rows;
mod snake;

use std::collections::{HashMap, HashSet};

use ort::operator::OperatorDomain;
use ort::session::builder::SessionBuilder;
use prost::Message;
use prost::bytes::Bytes;

use super::lookup::Lookup;
use super::messages::{Graph, Model, Node, Opset};
use found::Found;
use normalise::NormaliseSnake;
use rescale::Rescale;
use snake::Snake;

/// The domain of the operators, and its one version.
const DOMAIN: &str = "aloud";
const VERSION: i64 = 1;

/// Finds what ends in a node.
type Finder = fn(&Lookup<'_>, &Node) -> Option<Found>;

/// In this order: the second finds what the first has put in.
const FINDERS: [Finder; 3] = [found::snake, found::normalised_snake, found::rescaled];

/// The runtime reads no model that is larger.
const LARGEST: usize = i32::MAX as usize;

/// The session with these operators.
pub(super) fn register(builder: SessionBuilder) -> ort::Result<SessionBuilder> {
    let domain = OperatorDomain::new(DOMAIN)?
        .add(Snake)?
        .add(NormaliseSnake)?
        .add(Rescale)?;
    Ok(builder.with_operators(domain)?)
}

/// The model with operators of ours where they fit, with the same inputs and outputs. What the model says of
/// the values between its nodes is lost. `None` if none fits, or it can't be read to the end.
pub(crate) fn with_operators(model: Bytes) -> Option<Vec<u8>> {
    let mut model = Model::decode(model).ok()?;
    let graph = model.graph.as_mut()?;
    let is_readable = |node: &Node| !node.has_graph() && !node.output.is_empty();
    let is_whole = model.functions.is_empty() && graph.sparse_initializer.is_empty();
    let is_taken = model.opset_import.iter().any(|set| set.domain == DOMAIN);
    if !is_whole || is_taken || !graph.node.iter().all(is_readable) {
        return None;
    }
    let mut is_any = false;
    for find in FINDERS {
        is_any |= replace(graph, find)?;
    }
    if !is_any {
        return None;
    }
    graph.value_info.clear();
    model.opset_import.push(Opset {
        domain: DOMAIN.to_owned(),
        version: VERSION,
    });
    let length = model.encoded_len();
    let mut bytes = Vec::new();
    if length > LARGEST {
        return None;
    }
    // Such a model may be larger than the memory.
    bytes.try_reserve_exact(length).ok()?;
    model.encode(&mut bytes).ok()?;
    Some(bytes)
}

/// Puts what is found in place of what it stands for, and tells whether anything was. `None` if two values
/// have one name, for then nothing can be told of either.
fn replace(graph: &mut Graph, find: Finder) -> Option<bool> {
    let (mut new, mut old) = (HashMap::new(), HashSet::new());
    {
        let lookup = Lookup::of(graph);
        if !lookup.is_each_made_once() {
            return None;
        }
        for (place, node) in graph.node.iter().enumerate() {
            let Some(found) = find(&lookup, node) else {
                continue;
            };
            let makes_one = |node: &Node| node.output.len() == 1;
            let mut makers = found.inside.iter().map(|value| lookup.made_by(value));
            if makes_one(node) && makers.all(|maker| maker.is_some_and(makes_one)) {
                let inside = found.inside.iter();
                old.extend(inside.filter_map(|value| lookup.place(value)));
                new.insert(place, found.node);
            }
        }
    }
    let is_any = !new.is_empty();
    let nodes = std::mem::take(&mut graph.node).into_iter().enumerate();
    let kept = nodes.filter(|(place, _)| !old.contains(place));
    let kept = kept.map(|(place, node)| new.remove(&place).unwrap_or(node));
    graph.node = kept.collect();
    Some(is_any)
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
