//! The names of a graph's values: that each is made once, and new ones that no value has.

use std::collections::HashSet;

use super::super::messages::Graph;

/// All names that are taken.
pub(super) struct Names<'g> {
    old: HashSet<&'g str>,
    new: HashSet<String>,
}

impl<'g> Names<'g> {
    /// Those of this graph; `None` if two of its values have one name, for then nothing can be told of
    /// either. An input may have a constant of its name: what it is if nothing is given.
    pub(super) fn of(graph: &'g Graph) -> Option<Self> {
        let mut old: HashSet<&str> = HashSet::new();
        let outputs = graph.node.iter().flat_map(|node| &node.output);
        let made = outputs.filter(|name| !name.is_empty());
        let constants = graph.initializer.iter().map(|one| &one.name);
        for name in made.chain(constants) {
            if !old.insert(name) {
                return None;
            }
        }
        old.extend(graph.input.iter().map(|one| one.name.as_str()));
        // What is taken may be made outside of the graph.
        let taken = graph.node.iter().flat_map(|node| &node.input);
        old.extend(taken.map(String::as_str));
        let new = HashSet::new();
        Some(Self { old, new })
    }

    /// A name for what belongs to this value.
    pub(super) fn new_one(&mut self, value: &str, part: &str) -> String {
        let mut name = format!("{value}/{part}");
        // Each name that is in the way is one longer, so that there are few of them in any model.
        while self.old.contains(name.as_str()) || self.new.contains(&name) {
            name.push('_');
        }
        self.new.insert(name.clone());
        name
    }
}
