//! ONNX models: looked at from outside, opened, and run so that they can be broken off. The one
//! place that talks to ONNX Runtime.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::SessionBuilder;
use ort::session::{RunOptions, Session, SessionInputValue};

use super::{SpeechError, shapes};
use crate::engine::Interrupt;

/// The runtime of this process; it allows one, and it stays loaded.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

fn environment(library: &Path) -> Result<Environment, SpeechError> {
    let failed = |reason: String| SpeechError::Library {
        what: "ONNX Runtime",
        path: library.to_owned(),
        reason,
    };
    let mut current = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, environment)) = &*current {
        return Ok(environment.clone());
    }
    let environment = ort::init_from(library)
        .map_err(|error| failed(error.to_string()))?
        .with_name("aloud")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    *current = Some((library.to_owned(), environment.clone()));
    Ok(environment)
}

/// An open model.
pub struct Model {
    session: Session,
    path: PathBuf,
}

impl Model {
    /// Opens a model with `threads` threads for a run (all cores if `None`). `interrupt` breaks the
    /// opening off.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], [`SpeechError::Library`] or [`SpeechError::Model`].
    pub fn open(
        path: &Path,
        library: &Path,
        threads: Option<usize>,
        interrupt: &Interrupt,
    ) -> Result<Self, SpeechError> {
        let environment = environment(library)?;
        let failed = |reason: String| SpeechError::Model {
            path: path.to_owned(),
            reason: one_line(&reason),
        };
        let mut builder =
            builder(&environment, threads).map_err(|error| failed(error.to_string()))?;
        let canceler = builder.canceler();
        // There is nothing to do about a request that fails: the opening then runs to its end.
        let cancel = move || drop(canceler.cancel());
        let mut bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        shapes::forget(&mut bytes);
        let opened = interrupt.breaking(cancel, || {
            let opened = builder.commit_from_memory(&bytes);
            drop(bytes);
            match opened {
                // What lies in files beside the model is found from its own place only.
                Err(_) if !interrupt.is_now() => builder.commit_from_file(path),
                opened => opened,
            }
        });
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        let session = opened.map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            session,
            path: path.to_owned(),
        })
    }

    /// The names of the inputs.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(ort::value::Outlet::name)
    }

    /// Runs the model and returns its first output, flattened.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] if `interrupt` broke it off; [`SpeechError::Run`].
    pub fn run(
        &mut self,
        inputs: Vec<(&'static str, SessionInputValue<'_>)>,
        interrupt: &Interrupt,
    ) -> Result<Vec<f32>, SpeechError> {
        let failed = |error: ort::Error| SpeechError::Run(one_line(&error.to_string()));
        let options = std::sync::Arc::new(RunOptions::new().map_err(failed)?);
        let to_break = std::sync::Arc::clone(&options);
        let terminate = move || drop(to_break.terminate());
        let session = &mut self.session;
        let result = interrupt.breaking(terminate, || {
            let outputs = session.run_with_options(inputs, &options)?;
            let (_, samples) = outputs[0].try_extract_tensor::<f32>()?;
            Ok(samples.to_vec())
        });
        // There is no code for a run that was broken off; what counts is that we asked for it.
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        result.map_err(failed)
    }

    /// Where it was opened from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn builder(environment: &Environment, threads: Option<usize>) -> ort::Result<SessionBuilder> {
    // Without its memory pattern the runtime's memory stays flat over changing lengths. Threads that
    // spin while they wait for work take time from whoever has some, and gain nothing measurable.
    let builder = Session::builder(environment)?
        .with_log_level(LogLevel::Error)?
        .with_memory_pattern(false)?
        .with_intra_op_spinning(false)?;
    match threads {
        Some(threads) => Ok(builder.with_intra_threads(threads.max(1))?),
        None => Ok(builder),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tells whether a file is, from outside, a whole ONNX model: its outermost protobuf fields follow
/// each other to the very end of the file, and a graph is among them. Costs a few reads.
///
/// The format: <https://protobuf.dev/programming-guides/encoding/>; field 1 of ONNX's `ModelProto`
/// is the version, field 7 the graph.
///
/// # Errors
/// [`SpeechError::Model`] that says what the file is not.
pub fn check_envelope(path: &Path) -> Result<(), SpeechError> {
    let failed = |reason: &str| SpeechError::Model {
        path: path.to_owned(),
        reason: reason.into(),
    };
    let system = |error: std::io::Error| failed(&error.to_string());
    let file = File::open(path).map_err(system)?;
    let metadata = file.metadata().map_err(system)?;
    if metadata.is_dir() {
        return Err(failed("it is a folder, not a file"));
    }
    let size = metadata.len();
    if size == 0 {
        return Err(failed("the file is empty"));
    }
    let mut file = BufReader::new(file);
    let (mut at, mut graph) = (0, false);
    while at < size {
        let Some((field, past)) = skip_field(&mut file, at) else {
            return Err(failed("it is not an ONNX model"));
        };
        if past > size {
            let missing = past - size;
            return Err(failed(&format!(
                "it is truncated: at least {missing} bytes are missing"
            )));
        }
        graph |= field == GRAPH;
        at = past;
    }
    if graph {
        Ok(())
    } else {
        Err(failed(
            "it holds no graph: it is not an ONNX model, or it is truncated",
        ))
    }
}

/// The fields of `ModelProto` (onnx.proto3), and the one that is the graph.
const FIELDS: [u64; 12] = [1, 2, 3, 4, 5, 6, GRAPH, 8, 14, 20, 25, 26];
const GRAPH: u64 = 7;

/// Reads one field's head at `at` and returns its number and where the next one begins; `None` if
/// no model has such a field.
fn skip_field(file: &mut BufReader<File>, at: u64) -> Option<(u64, u64)> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let (key, after_key) = varint(file, at)?;
    let field = key >> 3;
    let past = match key & 7 {
        0 => varint(file, after_key)?.1,
        1 => after_key + 8,
        2 => {
            let (length, start) = varint(file, after_key)?;
            start.checked_add(length)?
        }
        5 => after_key + 4,
        _ => return None,
    };
    FIELDS.contains(&field).then_some((field, past))
}

fn varint(file: &mut BufReader<File>, mut at: u64) -> Option<(u64, u64)> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        file.read_exact(&mut byte).ok()?;
        at += 1;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        match check_envelope(file.path()) {
            Ok(()) => "fine".into(),
            Err(SpeechError::Model { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_file_is_known_from_outside() {
        // ir_version 8, then a graph of three bytes.
        let whole = [0x08, 8, 0x3a, 3, 1, 2, 3];
        assert_eq!(verdict(&whole), "fine");
        assert_eq!(
            verdict(&whole[..6]),
            "it is truncated: at least 1 bytes are missing"
        );
        assert_eq!(
            verdict(&whole[..2]),
            "it holds no graph: it is not an ONNX model, or it is truncated"
        );
        assert_eq!(verdict(b""), "the file is empty");
        assert_eq!(
            verdict(b"RIFF\x10\0\0\0WAVEfmt "),
            "it is not an ONNX model"
        );
        assert_eq!(
            verdict(b"<!DOCTYPE html><html>not found</html>"),
            "it is not an ONNX model"
        );
    }
}
