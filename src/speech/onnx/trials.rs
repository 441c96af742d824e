//! What tests of rewritten models have in common: the real runtime, and a graph's parts by name.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::messages::{Graph, Node, Tensor};
use crate::assets::{AssetOverrides, Assets, Fetch, PieceId};

/// The runtime's library. It is fetched once, into the folder that all tests of the program share; where it
/// can't be had, the test fails and says so.
pub(super) fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        // The program of the tests is in `deps` of a profile's folder.
        let tests = std::env::current_exe().unwrap();
        let target = tests.ancestors().nth(3).unwrap();
        let assets = Assets::new(&target.join("tmp/aloud-assets"), AssetOverrides::default());
        let need = [PieceId::ONNXRUNTIME];
        let fetched = assets.ensure(&need, &Fetch::Network, &mut |_| {}, &|| false);
        if let Err(why) = fetched {
            panic!("the real runtime is needed: {why}");
        }
        assets.onnxruntime().unwrap()
    };
    LIBRARY.get_or_init(find).clone()
}

/// The node that makes this value.
pub(super) fn node<'g>(graph: &'g mut Graph, output: &str) -> &'g mut Node {
    let mut nodes = graph.node.iter_mut();
    nodes.find(|node| node.output[0] == output).unwrap()
}

pub(super) fn constant<'g>(graph: &'g mut Graph, name: &str) -> &'g mut Tensor {
    let mut tensors = graph.initializer.iter_mut();
    tensors.find(|one| one.name == name).unwrap()
}
