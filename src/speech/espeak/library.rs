//! eSpeak NG, loaded at run time, and the one thread that talks to it: the library keeps its state
//! in globals and is not thread-safe. This is the only module with `unsafe` code.

#![expect(
    unsafe_code,
    reason = "a C library is called; each block says why it is sound"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_channel::{Receiver, Sender};
use libloading::Library;

use crate::speech::SpeechError;
use crate::speech::error::shortage_at;

/// Requests that may wait for the thread.
const BACKLOG: usize = 16;

/// The longest text in one request, in bytes: the library keeps lengths in C ints and recurses on
/// odd input, and no segment comes near this.
const LONGEST: usize = 64 * 1024;

/// One clause as the library cut it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its phonemes in IPA.
    pub ipa: String,
    /// The text that was read for it. The library reads a little past the clause's end.
    pub consumed: String,
}

struct Request {
    voice: String,
    text: String,
    ties: bool,
    reply: Sender<Result<Vec<Clause>, SpeechError>>,
}

/// A handle to the library's thread; cheap to clone. The thread stays for the rest of the process's
/// life: a second one could start the library while the first still ends it.
#[derive(Clone)]
pub struct Espeak {
    requests: Sender<Request>,
    library: Arc<Path>,
}

/// The library's globals allow one user in a process. This handle is never dropped, so neither does
/// the thread end.
static RUNNING: Mutex<Option<Espeak>> = Mutex::new(None);

impl Espeak {
    /// Loads the library and its data, or returns a handle to the thread that has them. After a
    /// failure it can be called again.
    ///
    /// # Errors
    /// [`SpeechError::Library`] if the library can't be loaded or refuses its data.
    pub fn open(library: &Path, data: &Path) -> Result<Self, SpeechError> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(espeak) = &*running {
            if *espeak.library == *library {
                return Ok(espeak.clone());
            }
            return Err(SpeechError::Phonemes(format!(
                "{} is loaded already; a process can use one",
                espeak.library.display()
            )));
        }
        let espeak = Self::start(library, data)?;
        Ok(running.insert(espeak).clone())
    }

    fn start(library: &Path, data: &Path) -> Result<Self, SpeechError> {
        let (requests, queue) = async_channel::bounded(BACKLOG);
        let (opened, opening) = async_channel::bounded(1);
        let files = (library.to_owned(), data.to_owned());
        let thread = std::thread::Builder::new()
            .name("aloud-espeak".into())
            .spawn(move || match Bound::load(&files.0, &files.1) {
                Ok(bound) => {
                    // The opener waits for this; it can't have gone.
                    let _ = opened.try_send(Ok(()));
                    serve(&bound, &queue);
                }
                Err(error) => {
                    let _ = opened.try_send(Err(error));
                }
            })
            .map_err(|error| SpeechError::Phonemes(format!("can't start its thread: {error}")))?;
        let result = opening
            .recv_blocking()
            .unwrap_or_else(|_| Err(SpeechError::Phonemes("its thread ended".into())));
        if let Err(error) = result {
            // Until it has ended the library may still be loaded there. A panic is in the log.
            drop(thread.join());
            return Err(error);
        }
        Ok(Self {
            requests,
            library: library.into(),
        })
    }

    /// The clauses of a text with their phonemes, in the order of the text.
    ///
    /// # Errors
    /// [`SpeechError::Phonemes`] if the library doesn't know `voice` (such as `en-us`), or the text
    /// is longer than 64 KiB.
    pub fn clauses(&self, voice: &str, text: &str) -> Result<Vec<Clause>, SpeechError> {
        self.ask(voice, text, false)
    }

    /// The same with [`TIE`] between the letters of a phoneme that has several.
    pub(super) fn tied_clauses(&self, voice: &str, text: &str) -> Result<Vec<Clause>, SpeechError> {
        self.ask(voice, text, true)
    }

    fn ask(&self, voice: &str, text: &str, ties: bool) -> Result<Vec<Clause>, SpeechError> {
        let gone = || SpeechError::Phonemes("its thread ended".into());
        let (reply, answer) = async_channel::bounded(1);
        let request = Request {
            voice: voice.into(),
            text: text.into(),
            ties,
            reply,
        };
        self.requests.send_blocking(request).map_err(|_| gone())?;
        answer.recv_blocking().map_err(|_| gone())?
    }
}

fn serve(bound: &Bound, queue: &Receiver<Request>) {
    let mut voice = String::new();
    while let Ok(request) = queue.recv_blocking() {
        let clauses = || bound.clauses(&request.text, request.ties);
        let result = if voice == request.voice {
            clauses()
        } else {
            bound.set_voice(&request.voice).and_then(|()| {
                voice.clone_from(&request.voice);
                clauses()
            })
        };
        // Nobody waits for it any more: fine.
        let _ = request.reply.try_send(result);
    }
}

type Initialize = unsafe extern "C" fn(c_int, c_int, *const c_char, c_int) -> c_int;
type SetVoiceByName = unsafe extern "C" fn(*const c_char) -> c_int;
type TextToPhonemes = unsafe extern "C" fn(*mut *const c_void, c_int, c_int) -> *const c_char;

// From the library's header `speak_lib.h`.
const AUDIO_OUTPUT_RETRIEVAL: c_int = 2;
const INITIALIZE_DONT_EXIT: c_int = 0x8000;
const CHARS_UTF8: c_int = 1;
const PHONEMES_IPA: c_int = 0x02;
/// The bits above the eighth are a sign to put between the letters of one phoneme.
const PHONEMES_TIED: c_int = 0x80 | ((TIE as c_int) << 8);
/// What stands between the letters of a phoneme that has several, if that is asked for.
pub(super) const TIE: char = '^';

/// A file of the library's data that every language needs.
const PHONEMES: &str = "phontab";

/// The library never says why it could not read a file.
fn lacking(file: &Path) -> Option<SpeechError> {
    Some(SpeechError::Shortage {
        doing: "use eSpeak NG".to_owned(),
        shortage: shortage_at(file)?,
    })
}

/// The library's functions. Made and used on one thread.
struct Bound {
    set_voice: SetVoiceByName,
    text_to_phonemes: TextToPhonemes,
    data: PathBuf,
    /// Keeps the functions above valid.
    _library: Library,
}

impl Bound {
    fn load(path: &Path, data: &Path) -> Result<Self, SpeechError> {
        let failed = |reason: String| SpeechError::Library {
            what: "eSpeak NG",
            path: path.to_owned(),
            reason,
        };
        let folder = data;
        let data = data
            .to_str()
            .and_then(|data| CString::new(data).ok())
            .ok_or_else(|| {
                failed(format!(
                    "its data folder {} has an odd name",
                    data.display()
                ))
            })?;
        // SAFETY: loading runs the library's initialisers; eSpeak NG has none with effects, and
        // the file was checked when it was installed or named by the user.
        let library = unsafe { Library::new(path) }
            .map_err(|error| lacking(path).unwrap_or_else(|| failed(error.to_string())))?;
        // SAFETY: the types are those of `speak_lib.h`, stable since version 1.49; the functions
        // are copied out of their symbols, and `_library` keeps them loaded.
        let (initialize, bound) = unsafe {
            let name = |error: libloading::Error| failed(error.to_string());
            let initialize: Initialize = *library.get(b"espeak_Initialize").map_err(name)?;
            let bound = (
                *library
                    .get::<SetVoiceByName>(b"espeak_SetVoiceByName")
                    .map_err(name)?,
                *library
                    .get::<TextToPhonemes>(b"espeak_TextToPhonemes")
                    .map_err(name)?,
            );
            (initialize, bound)
        };
        // SAFETY: `data` is a C string that lives through the call.
        let rate = unsafe {
            initialize(
                AUDIO_OUTPUT_RETRIEVAL,
                0,
                data.as_ptr(),
                INITIALIZE_DONT_EXIT,
            )
        };
        if rate <= 0 {
            return Err(lacking(&folder.join(PHONEMES)).unwrap_or_else(|| {
                let data = data.to_string_lossy();
                failed(format!("it refused its data in {data}"))
            }));
        }
        let (set_voice, text_to_phonemes) = bound;
        Ok(Self {
            set_voice,
            text_to_phonemes,
            data: folder.to_owned(),
            _library: library,
        })
    }

    fn set_voice(&self, voice: &str) -> Result<(), SpeechError> {
        let unknown = || SpeechError::Phonemes(format!("it has no language `{voice}`"));
        let name = CString::new(voice).map_err(|_| unknown())?;
        // SAFETY: `name` is a C string that lives through the call.
        match unsafe { (self.set_voice)(name.as_ptr()) } {
            0 => Ok(()),
            // A language is a file. One that can't be opened is as unknown to the library as one that
            // is not there.
            _ => Err(lacking(&self.data.join(PHONEMES)).unwrap_or_else(unknown)),
        }
    }

    fn clauses(&self, text: &str, ties: bool) -> Result<Vec<Clause>, SpeechError> {
        if text.len() > LONGEST {
            let message = format!("a text of {} bytes is too long for one segment", text.len());
            return Err(SpeechError::Phonemes(message));
        }
        // A NUL would end the text for the library, and what follows it would not be spoken.
        let text = text.replace('\0', " ");
        let c_text = CString::new(text.as_str())
            .map_err(|error| SpeechError::Phonemes(error.to_string()))?;
        let base = c_text.as_ptr().cast::<c_void>();
        let mode = if ties {
            PHONEMES_IPA | PHONEMES_TIED
        } else {
            PHONEMES_IPA
        };
        let mut at = base;
        let mut clauses = Vec::new();
        let mut read = 0;
        while !at.is_null() {
            // SAFETY: `at` points into `c_text`, which ends with a NUL and outlives the loop; the
            // library moves it forward within the text or sets it to null.
            let ipa = unsafe {
                let ipa = (self.text_to_phonemes)(&raw mut at, CHARS_UTF8, mode);
                if ipa.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(ipa).to_string_lossy().into_owned()
                }
            };
            let end = if at.is_null() {
                text.len()
            } else {
                at.addr() - base.addr()
            };
            // It may stop inside a character it has looked at: count that one as read.
            let end = (end.min(text.len())..=text.len())
                .find(|&end| text.is_char_boundary(end))
                .unwrap_or(text.len());
            let consumed = text.get(read..end).unwrap_or_default().to_owned();
            if end <= read && !at.is_null() && ipa.is_empty() {
                let message = format!("it does not get past byte {read} of `{text}`");
                return Err(SpeechError::Phonemes(message));
            }
            read = end.max(read);
            clauses.push(Clause { ipa, consumed });
        }
        Ok(clauses)
    }
}
