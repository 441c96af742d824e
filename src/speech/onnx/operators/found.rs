//! Finds what operators of ours compute, by its structure.

use super::super::lookup::{Lookup, either, is};
use super::super::messages::{Node, Tensor};
use super::{DOMAIN, snake};

/// What can stand in place of a node.
pub(super) struct Found {
    pub node: Node,
    /// Values that go into nothing else, so that what makes them can go as well.
    pub inside: Vec<String>,
}

/// The activation "Snake", if this node is its end:
///
/// ```text
/// output = Add(x, Mul(factor, Pow(Sin(Mul(x, alpha)), 2)))
/// ```
///
/// A constant `alpha` of 32-bit floats makes all of it such; the shapes are those of the runtime's own
/// operators, whatever they are.
pub(super) fn snake(lookup: &Lookup<'_>, node: &Node) -> Option<Found> {
    is(node, &["Add"], 2, &[])?;
    let [one, other] = &node.input[..] else {
        return None;
    };
    let wave = wave(lookup, one, other).or_else(|| wave(lookup, other, one))?;
    Some(Found {
        node: ours(
            snake::NAME,
            &[wave.x, wave.alpha, wave.factor],
            &node.output[0],
        ),
        inside: wave.inside.map(str::to_owned).to_vec(),
    })
}

/// A squared sine of a value, times a factor.
struct Wave<'v> {
    x: &'v str,
    alpha: &'v str,
    factor: &'v str,
    inside: [&'v str; 4],
}

/// That of `x`, if `value` is it.
fn wave<'v>(lookup: &Lookup<'v>, value: &'v str, x: &'v str) -> Option<Wave<'v>> {
    let once = |value| lookup.is_used_once(value).then_some(());
    once(value)?;
    let scaled = lookup.maker(value, &["Mul"], 2, &[])?;
    let squared = |value| {
        once(value)?;
        let power = lookup.maker(value, &["Pow"], 2, &[])?;
        let [sine, exponent] = &power.input[..] else {
            return None;
        };
        let is_square = is_two(lookup.constant(exponent)?);
        is_square.then_some((value, sine.as_str()))
    };
    let ((square, sine), factor) = either(scaled, squared)?;
    once(sine)?;
    let angle = lookup.maker(sine, &["Sin"], 1, &[])?.input[0].as_str();
    once(angle)?;
    let product = lookup.maker(angle, &["Mul"], 2, &[])?;
    let (_, alpha) = either(product, |value| (value == x).then_some(()))?;
    // The exponent, of no dimension or of one, then changes no shape.
    let constant = lookup.constant(alpha)?;
    (constant.is_floats() && !constant.dims.is_empty()).then_some(Wave {
        x,
        alpha,
        factor,
        inside: [value, square, sine, angle],
    })
}

fn is_two(exponent: &Tensor) -> bool {
    let is_one = exponent.dims.is_empty() || exponent.dims == [1];
    let is_float = exponent.floats().is_some_and(|values| values == [2.0]);
    let is_whole = exponent.integers().is_some_and(|values| values == [2]);
    is_one && (is_float || is_whole)
}

/// A node of an operator of ours.
fn ours(operator: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        domain: DOMAIN.to_owned(),
        ..Node::new(operator, inputs, output)
    }
}
