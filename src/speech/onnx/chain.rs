//! Models that are run one after the other, as one: each takes what it needs of what was given and of what
//! those before it have made.

use super::model::{Inputs, Model, Stop, Values, read_values};
use crate::speech::SpeechError;

/// The pieces of one model, in order. One thread at a time runs them.
pub(crate) struct Chain {
    pieces: Vec<Model>,
}

impl Chain {
    /// Of these, of which the last one gives what is wanted last.
    pub(crate) fn new(pieces: Vec<Model>) -> Self {
        Self { pieces }
    }

    /// The names of what a caller gives: the inputs that no piece makes.
    pub(crate) fn inputs(&self) -> Vec<String> {
        let mut inputs: Vec<String> = Vec::new();
        let mut made: Vec<&str> = Vec::new();
        for piece in &self.pieces {
            for name in piece.inputs() {
                if !made.contains(&name) && !inputs.iter().any(|known| known == name) {
                    inputs.push(name.to_owned());
                }
            }
            made.extend(piece.outputs());
        }
        inputs
    }

    /// Runs all of them, and returns what these outputs are.
    ///
    /// # Errors
    /// [`SpeechError::Run`], also if `stop` has broken it off, or if an output is made by none.
    pub(crate) fn run(
        &mut self,
        inputs: Inputs<'_>,
        outputs: &[String],
        stop: &Stop,
    ) -> Result<Vec<Values>, SpeechError> {
        let mut known = inputs.into_values();
        for piece in &mut self.pieces {
            let made = piece.run_with(&known, stop)?;
            known.extend(made);
        }
        let wanted = outputs.iter().map(|name| {
            let value = known.get(name.as_str()).ok_or_else(|| {
                SpeechError::Run(format!("no piece of the voice's model makes {name}"))
            })?;
            read_values(value)
        });
        wanted.collect()
    }
}
