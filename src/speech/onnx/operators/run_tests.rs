//! What the runtime makes of operators of ours, of the steps that they stand for, and what is true.

use std::path::Path;

use super::super::super::trials::library;
use super::super::super::{Inputs, Opener, Stop, Values};
use super::*;
use crate::engine::Interrupt;

/// Something of this shape.
fn given(shape: &[i64]) -> Values {
    let count = shape.iter().product::<i64>();
    let values = (0..count).map(|place| (place as f32 * 0.37).sin() * 9.0);
    Values {
        shape: shape.to_vec(),
        values: values.collect(),
    }
}

/// What the model makes of these: as it is, and with operators of ours on one thread and on several.
fn made(model: &Model, given: &Values) -> [Values; 3] {
    let interrupt = Interrupt::default();
    let opener = Opener::new(Path::new("steps.onnx"), &library(), &interrupt).unwrap();
    let bytes = model.encode_to_vec();
    let faster = with_operators(bytes.clone().into()).unwrap();
    let models = [
        opener.open(bytes, 1).unwrap(),
        opener.open_with_operators(faster.clone(), 1).unwrap(),
        opener.open_with_operators(faster.clone(), 3).unwrap(),
    ];
    assert!(opener.open(faster, 1).is_err(), "nobody told of operators");
    models.map(|mut model| {
        let mut inputs = Inputs::default();
        let Values { shape, values } = given.clone();
        inputs.add("x", shape, values).unwrap();
        model.run(inputs, &Stop::new().unwrap()).unwrap()
    })
}

/// The furthest that a value is from what is expected.
fn distance(values: &[f32], expected: impl Iterator<Item = f64>) -> f64 {
    let pairs = values.iter().zip(expected);
    pairs.fold(0.0, |most, (&value, expected)| {
        f64::max(most, (f64::from(value) - expected).abs())
    })
}

#[test]
fn a_snake_is_the_same_in_one_pass_on_any_number_of_threads() {
    // More than one thread is woken for, less, one number, none; of one channel, which is stretched to all.
    let shapes = [
        vec![1, CHANNELS, 30_011],
        vec![2, CHANNELS, 7],
        vec![2, CHANNELS, 1],
        vec![1, CHANNELS, 0],
        vec![1, 1, 5],
        vec![5],
        vec![2, 1, CHANNELS, 4],
    ];
    for shape in shapes {
        let given = given(&shape);
        let [steps, one, several] = made(&snake_model(), &given);
        assert_eq!((&one, &steps.shape), (&several, &one.shape), "{shape:?}");
        let away = distance(&one.values, steps.values.iter().copied().map(f64::from));
        assert!(away < 4e-6, "{away} from the steps, {shape:?}");
        if shape[..] == [1, CHANNELS, 30_011] {
            let values = given.values.iter().enumerate().map(|(place, &x)| {
                let channel = (place / 30_011) as f64;
                let (alpha, factor) = (0.5 + channel * 0.75, 0.25 + channel * 0.75);
                f64::from(x) + (alpha * f64::from(x)).sin().powi(2) * factor
            });
            let away = distance(&one.values, values);
            assert!(away < 6e-6, "{away} from what is true");
        }
    }
}

#[test]
fn a_normalised_snake_is_the_same_in_one_operator_on_any_number_of_threads() {
    let long = [1, CHANNELS, 20_011];
    let shapes = [
        long.to_vec(),
        vec![2, CHANNELS, 7],
        vec![2, CHANNELS, 1],
        // One channel is stretched to all, and what is normalised is not a row.
        vec![1, 1, 5],
        vec![2, 1, CHANNELS, 4],
    ];
    for shape in shapes {
        let mut given = given(&shape);
        // Far from zero, where a mean that is not exact is seen.
        given.values.iter_mut().for_each(|value| *value += 50.0);
        let [steps, one, several] = made(&normalised_model(), &given);
        assert_eq!((&one, &steps.shape), (&several, &one.shape), "{shape:?}");
        let away = distance(&one.values, steps.values.iter().copied().map(f64::from));
        assert!(away < 4e-5, "{away} from the steps, {shape:?}");
        if shape == long {
            let away = distance(&one.values, normalised_snakes(&given.values).into_iter());
            assert!(away < 4e-5, "{away} from what is true");
        }
    }
}

/// The same by its definition, in 64-bit floats.
fn normalised_snakes(values: &[f32]) -> Vec<f64> {
    let channels = values.chunks(values.len() / CHANNELS as usize).enumerate();
    let snakes = channels.flat_map(|(channel, row)| {
        let more = channel as f64 * 0.75;
        let count = row.len() as f64;
        let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
        let mean = row.iter().sum::<f64>() / count;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        row.into_iter().map(move |x| {
            let moved = (x - mean) / (variance + 1e-5).sqrt() * (1.5 + more) + more - 1.0;
            moved + ((0.5 + more) * moved).sin().powi(2) * (0.25 + more)
        })
    });
    snakes.collect()
}

#[test]
fn what_is_scaled_back_is_the_same_to_the_bit() {
    for shape in [[1, CHANNELS, 20_011], [2, CHANNELS, 7], [1, CHANNELS, 2]] {
        let [steps, one, several] = made(&rescaled_model(), &given(&shape));
        assert!(steps.values.iter().any(|value| *value != 0.0));
        assert_eq!((&one, &several), (&steps, &steps), "{shape:?}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_told_of() {
    let interrupt = Interrupt::default();
    let opener = Opener::new(Path::new("steps.onnx"), &library(), &interrupt).unwrap();
    let faster = with_operators(snake_model().encode_to_vec().into()).unwrap();
    let mut model = opener.open_with_operators(faster, 1).unwrap();
    let mut inputs = Inputs::default();
    inputs.add("x", vec![1, 2, 2], vec![1.0f32; 4]).unwrap();
    assert!(model.run(inputs, &Stop::new().unwrap()).is_err());
}
