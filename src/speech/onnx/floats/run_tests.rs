//! What the runtime makes of a quantised model, and of the same in floats.

use std::path::Path;

use super::super::super::trials::library;
use super::super::super::{Inputs, Opener, Stop};
use super::*;
use crate::engine::Interrupt;

/// How many values of each channel are given.
const LENGTH: usize = 40;

fn given(channels: usize) -> Vec<f32> {
    let values = 0..channels * LENGTH;
    values.map(|place| (place as f32 * 0.37).sin()).collect()
}

/// The convolution by its definition, in 64-bit floats, with what the models here are made with: a dilation
/// of two, two zeros before and one after.
fn convolved(kind: &Quantised, given: &[f32]) -> Vec<f64> {
    let [outputs, inputs, size] = kind.dims.map(|dim| dim as usize);
    let weights = kind.weights();
    let in_group = outputs / kind.group as usize;
    let made = LENGTH + 3 - 2 * (size - 1);
    let mut all = Vec::new();
    for output in 0..outputs {
        for at in 0..made {
            let bias = kind.bias.as_ref().map_or(0.0, |(_, all)| all[output]);
            let mut sum = f64::from(bias);
            for input in 0..inputs {
                let channel = output / in_group * inputs + input;
                for tap in 0..size {
                    let place = (at + 2 * tap).checked_sub(2);
                    let place = place.filter(|&place| place < LENGTH);
                    let value = place.map_or(0.0, |place| given[channel * LENGTH + place]);
                    let weight = weights[(output * inputs + input) * size + tap];
                    sum += f64::from(value) * f64::from(weight);
                }
            }
            all.push(sum);
        }
    }
    all
}

/// The furthest that a value is from what is expected.
fn distance(values: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(values.len(), expected.len());
    let pairs = values.iter().zip(expected);
    pairs.fold(0.0, |most, (&value, expected)| {
        f64::max(most, (f64::from(value) - expected).abs())
    })
}

#[test]
fn the_runtime_makes_the_same_of_both_but_for_the_rounding() {
    let interrupt = Interrupt::default();
    let opener = Opener::new(Path::new("quantised.onnx"), &library(), &interrupt).unwrap();
    let run = |model: Vec<u8>, given: &[f32]| {
        let channels = i64::try_from(given.len() / LENGTH).unwrap();
        let mut model = opener.open(model, 1).unwrap();
        let mut inputs = Inputs::default();
        let shape = vec![1, channels, LENGTH as i64];
        inputs.add("x", shape, given.to_vec()).unwrap();
        model.run(inputs, &Stop::new().unwrap()).unwrap()
    };
    let high = Quantised::new([32, 16, 3]);
    let flat = Quantised::new([6, 3, 4]);
    let groups = Quantised {
        group: 2,
        ..flat.clone()
    };
    let kinds = [
        high.clone(),
        high.clone().with_bias(),
        high.by_channel(),
        flat.clone().with_bias(),
        flat.by_channel().with_bias(),
        groups.with_bias(),
    ];
    for kind in kinds {
        let channels = kind.dims[1] * kind.group;
        let given = given(channels as usize);
        let expected = convolved(&kind, &given);
        let model = kind.model().encode_to_vec();
        let floats = in_floats(Bytes::from(model.clone())).unwrap();
        let floats = run(floats, &given);
        let most = distance(&floats.values, &expected);
        assert!(most < 1e-4, "floats are {most} from what they should be");
        // Of several zeros, one for each channel, the runtime knows nothing.
        if kind.scales.1.len() == 1 {
            let bytes = run(model, &given);
            assert_eq!(bytes.shape, floats.shape);
            let largest = expected
                .iter()
                .fold(0.0, |most, one| f64::max(most, one.abs()));
            let most = distance(&bytes.values, &expected);
            assert!(most < 0.05 * largest, "bytes are {most} of {largest} away");
        }
    }
}
