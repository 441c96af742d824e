//! Finds what operators of ours compute, by its structure.

use super::super::lookup::{Lookup, either, is};
use super::super::messages::{FLOAT, Node, Tensor};
use super::{DOMAIN, normalise, rescale, snake};

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
    let ((), alpha) = either(product, |value| (value == x).then_some(()))?;
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

/// A Snake of ours, of a value that is normalised, scaled and moved for it alone:
///
/// ```text
/// rest = Sub(x, ReduceMean(x))
/// deviation = Sqrt(Add(ReduceMean(Mul(rest, rest)), epsilon))
/// output = Snake(Add(Mul(Div(rest, deviation), gain), offset), alpha, factor)
/// ```
///
/// Other normalisations stay. They are of short values, and from some of them the pitch is made, whose phase
/// adds up: a rounding there is a shift of the sound.
pub(super) fn normalised_snake(lookup: &Lookup<'_>, node: &Node) -> Option<Found> {
    let is_snake = node.domain == DOMAIN && node.op_type == snake::NAME;
    let [moved, alpha, factor] = &node.input[..] else {
        return None;
    };
    if !is_snake || !lookup.is_used_once(moved) {
        return None;
    }
    let sum = lookup.maker(moved, &["Add"], 2, &[])?;
    let (found, offset) = either(sum, |value| normalised(lookup, value))?;
    let inputs = [found.x, found.gain, offset, alpha, factor];
    let new = ours(normalise::NAME, &inputs, &node.output[0]);
    let inside = found.inside.into_iter().chain([moved.as_str()]);
    Some(Found {
        inside: inside.map(str::to_owned).collect(),
        node: (new.with(normalise::AXIS, found.axis)).with_float(normalise::EPSILON, found.epsilon),
    })
}

/// What is normalised and scaled.
struct Normalised<'v> {
    x: &'v str,
    gain: &'v str,
    axis: i64,
    epsilon: f32,
    inside: [&'v str; 8],
}

fn normalised<'v>(lookup: &Lookup<'v>, value: &str) -> Option<Normalised<'v>> {
    let scaled = lookup.maker(value, &["Mul"], 2, &[])?;
    let divided = |value| lookup.maker(value, &["Div"], 2, &[]).zip(Some(value));
    let ((division, quotient), gain) = either(scaled, divided)?;
    let [rest, deviation] = &division.input[..] else {
        return None;
    };
    let sum = &lookup.maker(deviation, &["Sqrt"], 1, &[])?.input[0];
    let added = lookup.maker(sum, &["Add"], 2, &[])?;
    let small = |value| one_float(lookup.constant(value)?);
    let (epsilon, variance) = either(added, small)?;
    let (squares, axis) = mean(lookup, variance)?;
    let square = lookup.maker(squares, &["Mul"], 2, &[])?;
    let difference = lookup.maker(rest, &["Sub"], 2, &[])?;
    let [x, centre] = &difference.input[..] else {
        return None;
    };
    let is_of_x = mean(lookup, centre)? == (x.as_str(), axis);
    let is_square = square.input.iter().all(|factor| factor == rest);
    let inside = [
        scaled.output[0].as_str(),
        quotient,
        deviation,
        sum,
        variance,
        squares,
        centre,
        rest,
    ];
    // Twice in its square, and once divided.
    let is_used = |value: &&str| lookup.uses(value) == if value == rest { 3 } else { 1 };
    (is_of_x && is_square && inside.iter().all(is_used)).then_some(Normalised {
        x,
        gain,
        axis,
        epsilon,
        inside,
    })
}

/// What this is the mean of along one axis that stays, and the axis.
fn mean<'v>(lookup: &Lookup<'v>, value: &str) -> Option<(&'v str, i64)> {
    let node = lookup.made_by(value)?;
    let known = ["axes", "keepdims", "noop_with_empty_axes"];
    let axes = match &node.input[..] {
        [_] => node.attribute("axes")?.ints.clone(),
        [_, axes] if node.attribute("axes").is_none() => {
            let axes = lookup.constant(axes)?;
            (axes.dims.len() == 1).then(|| axes.integers())??
        }
        _ => return None,
    };
    is(node, &["ReduceMean"], node.input.len(), &known)?;
    let is_kept = node.attribute("keepdims").is_none_or(|kept| kept.i == 1);
    match axes[..] {
        [axis] if is_kept => Some((&node.input[0], axis)),
        _ => None,
    }
}

/// The one number of a tensor that changes no shape.
fn one_float(tensor: &Tensor) -> Option<f32> {
    match (&tensor.dims[..], &tensor.floats()?[..]) {
        ([] | [1], &[value]) => Some(value),
        _ => None,
    }
}

/// What scales the sums of a quantised convolution back, if this node is its end:
///
/// ```text
/// output = Mul(Cast(Add(ConvInteger(…), bias)), scale)
/// ```
///
/// Such a convolution makes 32-bit integers, so that all is of the types that the operator takes.
pub(super) fn rescaled(lookup: &Lookup<'_>, node: &Node) -> Option<Found> {
    is(node, &["Mul"], 2, &[])?;
    let once = |value| lookup.is_used_once(value).then_some(());
    let sums = |value| {
        once(value)?;
        let cast = lookup.maker(value, &["Cast"], 1, &["to"])?;
        let is_to_float = cast.attribute("to")?.i == i64::from(FLOAT);
        once(&cast.input[0])?;
        let added = lookup.maker(&cast.input[0], &["Add"], 2, &[])?;
        is_to_float.then_some((value, added))
    };
    let ((float, added), scale) = either(node, sums)?;
    let convolved = |value| {
        once(value)?;
        let maker = lookup.made_by(value)?;
        (maker.op_type == "ConvInteger" && maker.domain.is_empty()).then_some(value)
    };
    let (sum, bias) = either(added, convolved)?;
    Some(Found {
        node: ours(rescale::NAME, &[sum, bias, scale], &node.output[0]),
        inside: vec![float.to_owned(), added.output[0].clone()],
    })
}

/// A node of an operator of ours.
fn ours(operator: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        domain: DOMAIN.to_owned(),
        ..Node::new(operator, inputs, output)
    }
}
