//! What operators of ours have in common: values that are stretched to the shape of the result as the
//! standard operators do, and rows of the result that are shared out among the session's threads.
//!
//! The rules: <https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md>.

use std::sync::{Mutex, PoisonError};

use ort::operator::ComputeContext;
use ort::value::{PrimitiveTensorElementType, ValueRef, ValueRefMut};

/// As many numbers are worth waking a thread for.
const JOB: usize = 1 << 14;

/// One of the operator's inputs.
pub(super) fn input(context: &ComputeContext, number: usize) -> ort::Result<ValueRef<'_>> {
    let input = context.input(number)?;
    input.ok_or_else(|| ort::Error::new(format!("input {number} is missing")))
}

/// The operator's output, of this shape.
pub(super) fn output<'c>(
    context: &'c ComputeContext,
    shape: &[usize],
) -> ort::Result<ValueRefMut<'c>> {
    let dims: Result<Vec<i64>, _> = shape.iter().map(|&dim| dim.try_into()).collect();
    let dims = dims.map_err(|_| ort::Error::new("a dimension is too large"))?;
    let output = context.output(0, dims)?;
    output.ok_or_else(|| ort::Error::new("the output is missing"))
}

/// Numbers of a value.
pub(super) struct Numbers<'v, T = f32> {
    pub dims: Vec<usize>,
    pub values: &'v [T],
}

impl<'v, T: PrimitiveTensorElementType> Numbers<'v, T> {
    pub(super) fn of(value: &'v ValueRef<'_>) -> ort::Result<Self> {
        let dims: Result<Vec<usize>, _> = value.shape().iter().map(|&dim| dim.try_into()).collect();
        let dims = dims.map_err(|_| ort::Error::new("a dimension is not known"))?;
        // Where there is nothing, there may be no place for it.
        let values = match dims.contains(&0) {
            true => &[],
            false => value.try_extract_tensor::<T>()?.1,
        };
        Ok(Self { dims, values })
    }
}

/// The shape that all of these are stretched to.
pub(super) fn common_shape<'d>(
    all: impl IntoIterator<Item = &'d Vec<usize>>,
) -> ort::Result<Vec<usize>> {
    let mut shape: Vec<usize> = Vec::new();
    for dims in all {
        let missing = dims.len().saturating_sub(shape.len());
        shape.splice(0..0, std::iter::repeat_n(1, missing));
        for (whole, &dim) in shape.iter_mut().rev().zip(dims.iter().rev()) {
            match (*whole, dim) {
                (1, dim) => *whole = dim,
                (_, 1) => {}
                (whole, dim) if whole == dim => {}
                _ => return Err(ort::Error::new("shapes that do not fit each other")),
            }
        }
    }
    Ok(shape)
}

/// A row of a value that is stretched.
#[derive(Clone, Copy)]
pub(super) enum Row<'v, T = f32> {
    /// One number for the whole row.
    Same(T),
    Each(&'v [T]),
}

impl<T: Copy> Row<'_, T> {
    pub(super) fn at(self, place: usize) -> T {
        match self {
            Self::Same(value) => value,
            Self::Each(values) => values[place],
        }
    }
}

/// A value that is stretched to a shape.
pub(super) struct Stretched<'v, T = f32> {
    values: &'v [T],
    /// The shape without its last dimension, and how far it is to the next number there; from the back.
    steps: Vec<(usize, usize)>,
    /// As long as the value's own rows are; one if it has one number in each.
    row: usize,
}

impl<'v, T: Copy> Stretched<'v, T> {
    /// To the [`common_shape`] of it and others.
    pub(super) fn new(numbers: &Numbers<'v, T>, shape: &[usize]) -> Self {
        let mut dims = numbers.dims.iter().rev().copied();
        let row = dims.next().unwrap_or(1);
        let mut step = row;
        let mut steps = Vec::new();
        for &whole in shape.iter().rev().skip(1) {
            let dim = dims.next().unwrap_or(1);
            steps.push((whole, if dim == 1 { 0 } else { step }));
            step *= dim;
        }
        Self {
            values: numbers.values,
            steps,
            row,
        }
    }

    /// The row of this number.
    pub(super) fn row(&self, mut number: usize) -> Row<'v, T> {
        let mut start = 0;
        for &(dim, step) in &self.steps {
            start += number % dim * step;
            number /= dim;
        }
        match self.row {
            1 => Row::Same(self.values[start]),
            row => Row::Each(&self.values[start..start + row]),
        }
    }
}

/// Has each row of `made` filled, by any of the session's threads.
pub(super) fn fill(
    context: &ComputeContext,
    made: &mut [f32],
    row: usize,
    work: impl Fn(usize, &mut [f32]) + Sync + Send,
) -> ort::Result<()> {
    if made.is_empty() || row == 0 {
        return Ok(());
    }
    let rows = (JOB / row).max(1);
    let jobs: Vec<Mutex<&mut [f32]>> = made.chunks_mut(rows * row).map(Mutex::new).collect();
    let run = |job: usize| {
        let Some(part) = jobs.get(job) else { return };
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, values) in part.chunks_mut(row).enumerate() {
            work(job * rows + place, values);
        }
    };
    match jobs.len() {
        1 => run(0),
        count => context.par_for(count, 0, run)?,
    }
    Ok(())
}
