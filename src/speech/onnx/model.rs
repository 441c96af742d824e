//! Opens models and runs them. A run can be broken off from another thread; the memory that it takes
//! stays flat over inputs of changing lengths.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{LoadCanceler, SessionBuilder};
use ort::session::{NoSelectedOutputs, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Tensor};
use prost::bytes::Bytes;

use super::envelope::check_bytes;
use super::operators::register;
use super::shapes;
use crate::engine::{Interrupt, Shortage};
use crate::speech::SpeechError;
use crate::speech::error::{CHANGED, is_about_memory, shortage_at};

/// The runtime of this process; it allows one, and it stays loaded.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

fn environment(library: &Path) -> Result<Environment, SpeechError> {
    let failed = |reason: String| match shortage_at(library) {
        Some(shortage) => SpeechError::Shortage {
            doing: "load ONNX Runtime".to_owned(),
            shortage,
        },
        None => SpeechError::Library {
            what: "ONNX Runtime",
            path: library.to_owned(),
            reason,
        },
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

/// A model that is to be opened.
pub(crate) struct Opening<'a> {
    /// Gives what was read from the file, or a part of it, on the thread that opens it.
    model: Box<dyn FnOnce() -> Bytes + Send + 'a>,
    threads: usize,
    has_operators: bool,
}

impl<'a> Opening<'a> {
    /// Of what this gives, to run on so many threads.
    pub(crate) fn new(model: impl FnOnce() -> Bytes + Send + 'a, threads: usize) -> Self {
        Self {
            model: Box::new(model),
            threads,
            has_operators: false,
        }
    }

    /// The same with the operators that [`with_operators`](super::with_operators) puts in.
    fn with_operators(mut self) -> Self {
        self.has_operators = true;
        self
    }
}

/// Opens the model in a file, whole or in parts.
pub(crate) struct Opener<'a> {
    environment: Environment,
    path: &'a Path,
    interrupt: &'a Interrupt,
    /// Of what was read first.
    checksum: OnceLock<u32>,
}

impl<'a> Opener<'a> {
    /// Loads the runtime. `interrupt` breaks every opening off.
    ///
    /// # Errors
    /// [`SpeechError::Library`].
    pub(crate) fn new(
        path: &'a Path,
        library: &Path,
        interrupt: &'a Interrupt,
    ) -> Result<Self, SpeechError> {
        Ok(Self {
            environment: environment(library)?,
            path,
            interrupt,
            checksum: OnceLock::new(),
        })
    }

    /// What is in the file, with some room after it, read by so many threads. It is looked at again: what was looked at before
    /// may have been replaced since.
    ///
    /// # Errors
    /// [`SpeechError::Model`] if it can't be read, is no model, or is not what was read before.
    pub(crate) fn read(&self, threads: usize) -> Result<Vec<u8>, SpeechError> {
        const ROOM: usize = 1 << 16;
        let read = || {
            let file = File::open(self.path)?;
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            let all = length.saturating_add(ROOM);
            // A model may be larger than the memory; that is an error, not the end.
            Vec::<u8>::new().try_reserve_exact(all)?;
            let mut bytes = vec![0; all];
            bytes.truncate(length);
            read_in_parts(&file, &mut bytes, threads)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error: std::io::Error| match Shortage::of(&error) {
            Some(shortage) => self.lacking(shortage),
            // It could be read when the voice was loaded. A confined process can't read what has
            // taken its place.
            None if [ErrorKind::PermissionDenied, ErrorKind::UnexpectedEof]
                .contains(&error.kind()) =>
            {
                self.failed(&format!("{CHANGED}: {error}"))
            }
            None => self.failed(&error.to_string()),
        })?;
        check_bytes(&bytes).map_err(|reason| self.failed(&reason))?;
        let checksum = crc32fast::hash(&bytes);
        if *self.checksum.get_or_init(|| checksum) != checksum {
            return Err(self.failed(CHANGED));
        }
        Ok(bytes)
    }

    /// What tells the bytes that were read from others; `None` before that.
    pub(crate) fn checksum(&self) -> Option<u32> {
        self.checksum.get().copied()
    }

    /// Opens a model that was read from the file, or a part of it.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] or [`SpeechError::Model`].
    pub(crate) fn open(&self, mut model: Vec<u8>, threads: usize) -> Result<Model, SpeechError> {
        shapes::forget(&mut model);
        self.open_as_stated(model, threads)
    }

    /// The same with the operators that [`with_operators`](super::with_operators) puts in.
    ///
    /// # Errors
    /// As [`Self::open`]; also [`SpeechError::Model`] if the runtime can't have them.
    pub(crate) fn open_with_operators(
        &self,
        mut model: Vec<u8>,
        threads: usize,
    ) -> Result<Model, SpeechError> {
        shapes::forget(&mut model);
        self.open_one(Opening::new(|| model.into(), threads).with_operators())
    }

    /// The same with the shapes that it states: few, and of use.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_as_stated(
        &self,
        model: Vec<u8>,
        threads: usize,
    ) -> Result<Model, SpeechError> {
        self.open_one(Opening::new(|| model.into(), threads))
    }

    fn open_one(&self, opening: Opening<'_>) -> Result<Model, SpeechError> {
        let opened = self.open_all(vec![opening], 1)?.into_iter().next();
        opened.unwrap_or_else(|| Err(self.failed("it was not opened")))
    }

    /// Opens a model that was read from the file so many times, each to run on one thread, all at once.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_copies(
        &self,
        mut model: Vec<u8>,
        copies: usize,
    ) -> Result<Vec<Model>, SpeechError> {
        shapes::forget(&mut model);
        let model = Bytes::from(model);
        let opening = || {
            let model = model.clone();
            Opening::new(move || model, 1)
        };
        let all = std::iter::repeat_with(opening).take(copies).collect();
        self.open_all(all, copies)?.into_iter().collect()
    }

    /// Opens several, so many of them at once, and returns what became of each. While they open, each has a
    /// thread.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`].
    pub(crate) fn open_all(
        &self,
        all: Vec<Opening<'_>>,
        at_once: usize,
    ) -> Result<Vec<Result<Model, SpeechError>>, SpeechError> {
        let threads = at_once.clamp(1, all.len().max(1));
        let cancelers: Arc<Mutex<Vec<LoadCanceler>>> = Arc::default();
        let known = Arc::clone(&cancelers);
        // There is nothing to do about a request that fails: the opening then runs to its end.
        let cancel = move || lock(&known).iter().for_each(|one| drop(one.cancel()));
        let jobs = Mutex::new(all.into_iter().enumerate());
        let work = || {
            let mut done = Vec::new();
            loop {
                let next = lock(&jobs).next();
                let Some((place, opening)) = next else {
                    return done;
                };
                done.push((place, self.commit(opening, &cancelers)));
            }
        };
        let mut opened = self.interrupt.breaking(cancel, || {
            thread::scope(|scope| {
                let thread = |number| {
                    let name = format!("aloud-open-{number}");
                    thread::Builder::new().name(name).spawn_scoped(scope, work)
                };
                // This one works as well; one that can't be had has its part done by the others.
                let others: Vec<_> = (1..threads).filter_map(|it| thread(it).ok()).collect();
                let mut done = work();
                for other in others {
                    match other.join() {
                        Ok(more) => done.extend(more),
                        Err(_) => done.push((0, Err(self.failed("opening it has panicked")))),
                    }
                }
                done
            })
        });
        if self.interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        opened.sort_by_key(|(place, _)| *place);
        Ok(opened.into_iter().map(|(_, opened)| opened).collect())
    }

    fn commit(
        &self,
        opening: Opening<'_>,
        cancelers: &Mutex<Vec<LoadCanceler>>,
    ) -> Result<Model, SpeechError> {
        let Opening {
            model,
            threads,
            has_operators,
        } = opening;
        let failed = |error: ort::Error| self.failed(&error.to_string());
        let mut builder = builder(&self.environment, threads, self.path).map_err(failed)?;
        if has_operators {
            builder = register(builder).map_err(failed)?;
        }
        lock(cancelers).push(builder.canceler());
        // Raised before the line above, it was heard by nobody.
        if self.interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        let session = builder.commit_from_memory(&model()).map_err(failed)?;
        Ok(Model { session })
    }

    /// An error about this model, unless it is about the memory.
    pub(crate) fn failed(&self, reason: &str) -> SpeechError {
        if is_about_memory(reason) {
            return self.lacking(Shortage::Memory);
        }
        SpeechError::Model {
            path: self.path.to_owned(),
            reason: one_line(reason),
        }
    }

    fn lacking(&self, shortage: Shortage) -> SpeechError {
        SpeechError::Shortage {
            doing: format!("open the voice's model {}", self.path.display()),
            shortage,
        }
    }
}

/// Fills `bytes` with what the file begins with. Most of the time goes into finding memory for them, in which
/// threads help each other.
fn read_in_parts(file: &File, bytes: &mut [u8], threads: usize) -> std::io::Result<()> {
    const PART: usize = 1 << 22;
    let parts = Mutex::new(bytes.chunks_mut(PART).enumerate());
    let read = || {
        loop {
            let next = lock(&parts).next();
            let Some((number, part)) = next else {
                return Ok(());
            };
            file.read_exact_at(part, (number * PART) as u64)?;
        }
    };
    thread::scope(|scope| {
        let thread = |number| {
            let name = format!("aloud-read-{number}");
            thread::Builder::new().name(name).spawn_scoped(scope, read)
        };
        // This one works as well; one that can't be had has its part done by the others.
        let others: Vec<_> = (1..threads).filter_map(|it| thread(it).ok()).collect();
        let mut done: std::io::Result<()> = read();
        for other in others {
            let panicked = |_| Err(std::io::Error::other("reading it has panicked"));
            done = done.and(other.join().unwrap_or_else(panicked));
        }
        done
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder(environment: &Environment, threads: usize, path: &Path) -> ort::Result<SessionBuilder> {
    // Where the runtime looks for what a model keeps in files beside it; the bytes don't say.
    const FOLDER: &str = "session.model_external_initializers_file_folder_path";
    // Without its memory pattern the runtime's memory stays flat over changing lengths. Threads that
    // spin while they wait for work take time from whoever has some, and gain nothing measurable.
    let builder = Session::builder(environment)?
        .with_log_level(LogLevel::Error)?
        .with_memory_pattern(false)?
        .with_intra_op_spinning(false)?
        .with_intra_threads(threads.max(1))?;
    let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(folder) = folder.parent().and_then(Path::to_str) else {
        return Ok(builder);
    };
    // A name that is too long for the runtime matters to a model with such files only.
    let named = builder.with_config_entry(FOLDER, folder);
    Ok(named.unwrap_or_else(ort::Error::recover))
}

/// Breaks runs off, from any thread: all that were given it.
#[derive(Clone)]
pub(crate) struct Stop(Arc<RunOptions<NoSelectedOutputs>>);

impl Stop {
    /// # Errors
    /// [`SpeechError::Run`] if the runtime has none to give.
    pub(crate) fn new() -> Result<Self, SpeechError> {
        Ok(Self(Arc::new(RunOptions::new().map_err(run_failed)?)))
    }

    /// Ends what runs with it, and whatever begins to run before [`Self::reset`].
    pub(crate) fn stop(&self) {
        // There is nothing to do about a request that fails: the run then continues to its end.
        drop(self.0.terminate());
    }

    /// Lets runs begin again.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if they can't.
    pub(crate) fn reset(&self) -> Result<(), SpeechError> {
        self.0.unterminate().map_err(run_failed)
    }
}

/// Numbers with their shape, the last dimension's neighbours side by side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Values {
    pub shape: Vec<i64>,
    pub values: Vec<f32>,
}

/// What a run is given, by name.
#[derive(Default)]
pub(crate) struct Inputs<'a>(Vec<(Cow<'a, str>, DynValue)>);

impl<'a> Inputs<'a> {
    /// # Errors
    /// [`SpeechError::Run`] if the numbers are not as many as the shape says.
    pub(crate) fn add<T>(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        shape: Vec<i64>,
        values: Vec<T>,
    ) -> Result<(), SpeechError>
    where
        T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
    {
        let tensor = Tensor::from_array((shape, values)).map_err(run_failed)?;
        self.0.push((name.into(), tensor.into_dyn()));
        Ok(())
    }

    /// The same by their names.
    pub(super) fn into_values(self) -> HashMap<String, DynValue> {
        let values = self.0.into_iter();
        values
            .map(|(name, value)| (name.into_owned(), value))
            .collect()
    }
}

/// The numbers of a value.
pub(super) fn read_values(value: &DynValue) -> Result<Values, SpeechError> {
    let (shape, values) = value.try_extract_tensor::<f32>().map_err(run_failed)?;
    Ok(Values {
        shape: shape.to_vec(),
        values: values.to_vec(),
    })
}

/// What a run has made, by name.
pub(crate) struct Outputs(Vec<(String, DynValue)>);

impl Outputs {
    /// The numbers of an output that has 32-bit floats.
    ///
    /// # Errors
    /// [`SpeechError::Run`] if there is none of this name and type.
    pub(crate) fn floats(&self, name: &str) -> Result<&[f32], SpeechError> {
        self.numbers(name)
    }

    /// The numbers of an output that has 64-bit integers.
    ///
    /// # Errors
    /// As [`Self::floats`].
    pub(crate) fn integers(&self, name: &str) -> Result<&[i64], SpeechError> {
        self.numbers(name)
    }

    fn numbers<T>(&self, name: &str) -> Result<&[T], SpeechError>
    where
        T: ort::value::PrimitiveTensorElementType,
    {
        let mut all = self.0.iter();
        let (_, value) = (all.find(|(known, _)| known == name))
            .ok_or_else(|| SpeechError::Run(format!("the model has not made {name}")))?;
        let (_, numbers) = value.try_extract_tensor::<T>().map_err(run_failed)?;
        Ok(numbers)
    }
}

/// An open model. One thread at a time runs it.
pub(crate) struct Model {
    session: Session,
}

impl Model {
    /// The names of the inputs.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(ort::value::Outlet::name)
    }

    /// The names of the outputs.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.session.outputs().iter().map(ort::value::Outlet::name)
    }

    /// Runs the model and returns its first output.
    ///
    /// # Errors
    /// [`SpeechError::Run`], also if `stop` has broken it off: there is no code for that, what counts
    /// is that someone asked for it.
    pub(crate) fn run(&mut self, inputs: Inputs<'_>, stop: &Stop) -> Result<Values, SpeechError> {
        let outputs = self
            .session
            .run_with_options(inputs.0, &stop.0)
            .map_err(run_failed)?;
        let first = outputs.into_iter().next();
        let (_, value) = first.ok_or_else(|| SpeechError::Run("it has no output".to_owned()))?;
        read_values(&value)
    }

    /// Runs the model and returns all of its outputs.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn run_for_all(
        &mut self,
        inputs: Inputs<'_>,
        stop: &Stop,
    ) -> Result<Outputs, SpeechError> {
        Ok(Outputs(self.run_with(&inputs.into_values(), stop)?))
    }

    /// Runs the model and returns its first output, whole numbers, one after the other.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn run_whole(
        &mut self,
        inputs: Inputs<'_>,
        stop: &Stop,
    ) -> Result<Vec<i64>, SpeechError> {
        let first = self.outputs().next().unwrap_or_default().to_owned();
        let outputs = self.run_for_all(inputs, stop)?;
        outputs.integers(&first).map(<[i64]>::to_vec)
    }

    /// Runs it with those of these values that it takes, and returns what it makes, by name.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(super) fn run_with(
        &mut self,
        known: &HashMap<String, DynValue>,
        stop: &Stop,
    ) -> Result<Vec<(String, DynValue)>, SpeechError> {
        let taken: Vec<(String, SessionInputValue<'_>)> = (self.inputs())
            .filter_map(|name| Some((name.to_owned(), known.get(name)?.into())))
            .collect();
        let made = self
            .session
            .run_with_options(taken, &stop.0)
            .map_err(run_failed)?;
        let made = made.into_iter();
        Ok(made.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn run_failed(error: ort::Error) -> SpeechError {
    run_error(&error.to_string())
}

/// No voice needs as much memory at once, whatever there is: a fault of the model.
const ABSURD: u64 = 64_000_000_000;

fn run_error(reason: &str) -> SpeechError {
    if let Some(bytes) = wanted(reason).filter(|&bytes| bytes >= ABSURD) {
        let gigabytes = bytes / 1_000_000_000;
        return SpeechError::Run(format!("it asks for {gigabytes} GB of memory at once"));
    }
    if is_about_memory(reason) {
        return SpeechError::Shortage {
            doing: "run the voice's model".to_owned(),
            shortage: Shortage::Memory,
        };
    }
    SpeechError::Run(one_line(reason))
}

/// How much memory could not be had, where the runtime says so.
fn wanted(reason: &str) -> Option<u64> {
    let (_, size) = reason.split_once("Failed to allocate memory for requested buffer of size ")?;
    let digits = size.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_gets_no_memory_blames_neither_text_nor_voice() {
        let said = "Non-zero status code returned while running ConvTranspose node. Status \
            Message: bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 166";
        for said in [said, "std::bad_alloc"] {
            let error = run_error(said);
            assert!(error.remediation().contains("`ulimit -v`"), "{error}");
        }
        let absurd =
            run_error("Failed to allocate memory for requested buffer of size 100000000007");
        let told = SpeechError::Run("it asks for 100 GB of memory at once".into());
        assert_eq!(absurd, told);
        let error = run_error("Non-zero status code");
        assert_eq!(error, SpeechError::Run("Non-zero status code".into()));
    }
}
