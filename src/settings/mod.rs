//! Settings: built-in defaults < `config.toml` < `ALOUD_…` variables < flags, and where each
//! value came from.
//!
//! All settings stand in one table (`settings!` below): a new one is one entry there, and is
//! then known to the file (`pauses.sentence_ms`), the environment (`ALOUD_PAUSES_SENTENCE_MS`),
//! the flags ([`Overrides`]) and [`Settings::explain`]. This part must never create or change
//! a file.

mod chapters;
mod error;
mod paths;
mod sources;
mod value;
mod webhook;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::speech::{Layout, Speaker};
use crate::text::reading::{Addresses, Dates, Emoji, NoteMarks, Taste, Urls, Years};
pub use chapters::ChapterVoices;
pub use error::SettingsError;
pub(crate) use error::printable;
pub use paths::Paths;
use sources::Sources;
pub use sources::{Origin, SettingOrigin};
use value::Setting;
pub use value::{OnHangup, Secret, Symbols};
pub use webhook::{SigningKey, Webhook};

/// The voice of whoever has chosen none.
const USUAL_VOICE: &str = "hibari";
/// The one that was it before: a library that has it goes on with it.
const FORMER_VOICE: &str = "en_US-joe-medium";

fn usual_voice(paths: &Paths) -> &'static str {
    let is_there = |voice: &&str| paths.data.join("voices").join(voice).is_dir();
    let installed = [USUAL_VOICE, FORMER_VOICE].into_iter().find(is_there);
    installed.unwrap_or(USUAL_VOICE)
}

/// The table of settings becomes the struct, the struct of flags and the reading.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $name:ident, flags $flags:ident, prefix $prefix:literal,
        groups { $($(#[$gdoc:meta])* $group:ident: $gty:ident / $gflags:ident,)* }
        keeps { $($(#[$kdoc:meta])* $keep:ident: $kty:ty,)* }
        $($(#[$doc:meta])* $field:ident: $ty:ty = $default:expr, $check:expr;)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$kdoc])* pub $keep: $kty,)*
            $($(#[$doc])* pub $field: $ty,)*
            $($(#[$gdoc])* pub $group: $gty,)*
        }

        #[doc = concat!("The values of [`", stringify!($name), "`] that were given as flags.")]
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $flags {
            $($(#[$doc])* pub $field: Option<<$ty as Setting>::Flag>,)*
            $($(#[$gdoc])* pub $group: $gflags,)*
        }

        impl $name {
            #[allow(
                clippy::too_many_arguments,
                reason = "what is kept stands in the table, and there may be much of it"
            )]
            fn read(
                sources: &mut Sources<'_>,
                flags: $flags,
                paths: &Paths,
                $($keep: $kty,)*
            ) -> Result<$name, SettingsError> {
                Ok($name {
                    $($field: {
                        let default: fn(&Paths) -> $ty = $default;
                        sources.take(
                            concat!($prefix, stringify!($field)),
                            flags.$field,
                            || default(paths),
                            $check,
                        )?
                    },)*
                    $($group: $gty::read(sources, flags.$group, paths)?,)*
                    $($keep,)*
                })
            }
        }
    };
}

settings! {
    /// Silence between the things that are read, in milliseconds.
    Pauses, flags PauseOverrides, prefix "pauses.",
    groups {}
    keeps {}
    /// Between two clauses, where a sentence too long for one breath was cut.
    clause_ms: u32 = |_| 120, pause;
    /// Between two sentences.
    sentence_ms: u32 = |_| 250, pause;
    /// Between two paragraphs.
    paragraph_ms: u32 = |_| 600, pause;
    /// Before and after a heading.
    heading_ms: u32 = |_| 900, pause;
}

settings! {
    /// What is a matter of taste in reading aloud.
    Reading, flags ReadingOverrides, prefix "reading.",
    groups {}
    keeps {}
    /// How a year such as 1492 is said: `pairs` ("fourteen ninety-two") or `numbers`.
    years: Years = |_| Years::Pairs, anything;
    /// Which comes first in a date such as 5/4/2024: `local` is the month in American English and
    /// elsewhere the day; `month-first`, `day-first`.
    dates: Dates = |_| Dates::Local, anything;
    /// What is said of the marks of notes, such as `[12]` behind a word: nothing (`silent`), or "note
    /// twelve" (`spoken`).
    note_marks: NoteMarks = |_| NoteMarks::Silent, anything;
    /// What is said of the address of a page: its `host` ("example dot org"), the `whole` of it, or
    /// nothing (`silent`).
    urls: Urls = |_| Urls::Host, anything;
    /// What is said of a mail address: `spoken` ("k at example dot org"), or nothing (`silent`).
    addresses: Addresses = |_| Addresses::Spoken, anything;
    /// What is said of emoji: nothing (`silent`), or their names (`named`).
    emoji: Emoji = |_| Emoji::Silent, anything;
}

settings! {
    /// What the process that a voice runs in may use of the machine. A task can have limits of its own.
    VoiceLimits, flags VoiceLimitOverrides, prefix "limits.",
    groups {}
    keeps {}
    /// The memory that it may take for data, in MB (10⁶ bytes); none is no limit. A voice takes some
    /// hundred.
    memory_mb: Option<u32> = |_| None, |value| optional(value, |n| within(n, 1..=100_000_000));
    /// The processor time that a task may use, of all cores together; none is no limit.
    cpu_time: Option<Duration> = |_| None, |value| optional(value, some_time);
    /// How far it stands back for other programs: 0 not at all, 19 as far as possible.
    niceness: u32 = |_| 10, |value| within(value, 0..=19);
    /// The processor's cores that it may use; none is all of them.
    cores: Option<usize> = |_| None, |value| optional(value, |n| within(n, 1..=1024));
}

settings! {
    /// Where the program answers over TCP, and whom. Nothing listens there unless `listen` says so.
    Http, flags HttpOverrides, prefix "http.",
    groups {}
    keeps {}
    /// The address, as `127.0.0.1:8480`, `[::1]`, `localhost` or `0.0.0.0:80`; none is not at all.
    /// Beyond this machine only with a token.
    listen: Option<String> = |_| None, |value| optional(value, |text| not_empty(text));
    /// What a client must send as `Authorization: Bearer …`, 16 characters or more; none lets everyone
    /// in who reaches it.
    token: Option<Secret> = |_| None, |value| optional(value, |secret| not_empty(secret.reveal()));
    /// Names besides `localhost` by which clients may call it, as `box.lan`.
    hosts: Vec<String> = |_| Vec::new(), anything;
    /// Origins whose pages may use it from a browser, as `https://reader.example`.
    origins: Vec<String> = |_| Vec::new(), anything;
}

settings! {
    /// Speech for programs that ask for it over HTTP.
    SpeechRequests, flags SpeechRequestOverrides, prefix "speech.",
    groups {}
    keeps {}
    /// The most characters of one request.
    max_chars: u32 = |_| 100_000, |value| within(value, 1..=1_000_000);
    /// How many requests are answered or wait at a time; more are told to come back.
    requests: usize = |_| 16, |value| within(value, 1..=1000);
}

settings! {
    /// Every setting, with its final value.
    Settings, flags Overrides, prefix "",
    groups {
        /// Silence between the things that are read.
        pauses: Pauses / PauseOverrides,
        /// What is a matter of taste in reading aloud.
        reading: Reading / ReadingOverrides,
        /// What the process that a voice runs in may use of the machine.
        limits: VoiceLimits / VoiceLimitOverrides,
        /// Where the program answers over TCP, and whom.
        http: Http / HttpOverrides,
        /// Speech for programs that ask for it over HTTP.
        speech: SpeechRequests / SpeechRequestOverrides,
    }
    keeps {
        /// Where things are kept.
        paths: Paths,
        /// Keys of the monitor's actions, by the actions' names; several are separated by blanks.
        keys: BTreeMap<String, String>,
        /// Voices by other names, under which programs ask for them over HTTP, such as `alloy`.
        voices: BTreeMap<String, String>,
        /// Who is told of changes of tasks, by a signed request for each: the tables `[[webhooks]]`.
        webhooks: Vec<Webhook>,
        /// The program that voices run in, each in a process of its own, so that one that crashes
        /// takes nothing with it; none runs them in this process. No user sets this: the program
        /// does that reads the settings. See [`speech::process::load`](crate::speech::process::load).
        voice_program: Option<PathBuf>,
        /// Each value's origin: read it with [`Settings::explain`].
        origins: Vec<SettingOrigin>,
    }
    /// The voice that narrates: a name from `aloud voices`, or a path to an `.onnx` file. Unset, it is
    /// hibari, or en_US-joe-medium where only that one is installed.
    voice: String = |paths| usual_voice(paths).to_owned(), |value| not_empty(value);
    /// The folder that narrations go to.
    out: PathBuf = |paths| paths.narrations.clone(), |value| not_empty_path(value);
    /// How fast the voice speaks: 1 is its own pace, 2 is twice as fast.
    speed: f32 = |_| 1.0, |value| within(value, 0.25..=4.0);
    /// Which of a voice's speakers, by number or name, for voices that have several; none is the voice's first.
    speaker: Option<Speaker> = |_| None, anything;
    /// The voice that says what stands in quotation marks; none is the one that tells the rest.
    dialogue_voice: Option<String> = |_| None, |value| optional(value, |text| not_empty(text));
    /// Voices that tell chapters, as `1=af_heart, 3-5=bf_emma`; the others are told by the usual one.
    chapter_voices: ChapterVoices = |_| ChapterVoices::default(), anything;
    /// The memory that the open voices of one narration may take together, in MB (10⁶ bytes): beyond it
    /// the one that was silent for longest is closed. None is half of what is free when another opens.
    voices_memory_mb: Option<u32> = |_| None, |value| optional(value, |n| within(n, 1..=100_000_000));
    /// How many tasks run at once. One voice uses all cores: more is rarely faster. (Documents of
    /// engines like this one give 4, 2 or 1; for voices that use all cores, 1 is the fastest, and takes
    /// the memory of one model.)
    workers: usize = |_| 1, |value| within(value, 1..=64);
    /// The processor cores that one worker uses; none is all of them.
    threads: Option<usize> = |_| None, |value| optional(value, |n| within(n, 1..=1024));
    /// How the values of a voice's decoder lie in memory: `plain` or `blocked`; none is what was measured,
    /// or what is usually faster on such a processor.
    layout: Option<Layout> = |_| None, anything;
    /// How long a voice that nothing is spoken with stays in memory; none is as long as the program runs.
    keep_voice: Option<Duration> = |_| Some(Duration::from_secs(60)), anything;
    /// How long a finished task stays in the list.
    cleanup_threshold: Duration = |_| Duration::from_secs(3600), anything;
    /// How long a clean shutdown waits for what is running.
    shutdown_timeout: Duration = |_| Duration::from_secs(30), anything;
    /// The longest a task may run; none is no limit.
    task_timeout: Option<Duration> = |_| None, |value| optional(value, some_time);
    /// The longest a single segment may take; none is no limit. One that takes so long hangs.
    segment_timeout: Option<Duration> = |_| Some(Duration::from_secs(600)), |value| optional(value, some_time);
    /// How much disk may be taken by clips that are kept for other narrations, in MB (10⁶ bytes): a
    /// sentence that was spoken before is then copied. 0 keeps none.
    clip_store_mb: u32 = |_| 1000, anything;
    /// A command for the shell, run at the end of each task with the task as JSON on its standard
    /// input.
    on_complete: Option<String> = |_| None, |value| optional(value, |text| not_empty(text));
    /// The longest that command may run.
    on_complete_timeout: Duration = |_| Duration::from_secs(30), some_time;
    /// A command that plays a clip, whose file's name is added at its end; no shell takes part. None
    /// is the first that is found of those that aloud knows.
    player: Option<String> = |_| None, |value| optional(value, |text| not_empty(text));
    /// The monitor's colours: a theme of the program, or a file in the folder `themes` beside
    /// `config.toml`.
    theme: String = |_| "dark".to_owned(), |value| not_empty(value);
    /// The symbols that the monitor draws with: `auto`, `unicode` or `ascii`.
    symbols: Symbols = |_| Symbols::Auto, anything;
    /// What happens to the work when its terminal goes away: `hand-over` to the background, `finish` it
    /// without a screen, or `stop` after the segment in work.
    on_hangup: OnHangup = |_| OnHangup::HandOver, anything;
    /// An ONNX Runtime library to use instead of the fetched one.
    onnxruntime: Option<PathBuf> = |_| None, anything;
    /// An eSpeak NG library to use instead of the fetched one.
    espeak_library: Option<PathBuf> = |_| None, anything;
    /// The folder `espeak-ng-data` to use instead of the fetched one.
    espeak_data: Option<PathBuf> = |_| None, anything;
    /// The Python whose pip fetches what is missing.
    python: Option<PathBuf> = |_| None, anything;
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands in the table beside real checks"
)]
fn anything<T>(_: &T) -> Result<(), String> {
    Ok(())
}

fn pause(value: &u32) -> Result<(), String> {
    within(value, 0..=60_000)
}

fn not_empty(value: &str) -> Result<(), String> {
    if value.trim().is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(())
    }
}

fn not_empty_path(value: &Path) -> Result<(), String> {
    if value.as_os_str().is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(())
    }
}

fn some_time(value: &Duration) -> Result<(), String> {
    if value.is_zero() {
        Err("must be more than 0 seconds, or \"none\" for no limit".to_owned())
    } else {
        Ok(())
    }
}

fn optional<T>(value: &Option<T>, check: fn(&T) -> Result<(), String>) -> Result<(), String> {
    value.as_ref().map_or(Ok(()), check)
}

fn within<T: PartialOrd + std::fmt::Display>(
    value: &T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(value) {
        Ok(())
    } else {
        Err(format!("must be from {} to {}", range.start(), range.end()))
    }
}

/// Reads the settings of this user; `flags` win over everything.
///
/// # Errors
/// [`SettingsError`], naming the setting and the place of the first value that is wrong.
pub fn load(flags: Overrides) -> Result<Settings, SettingsError> {
    load_from(Paths::resolve()?, flags, &|name| std::env::var_os(name))
}

/// The same with the folders and the environment handed in, for tests and embedding programs.
///
/// # Errors
/// As [`load`].
pub fn load_from(
    paths: Paths,
    flags: Overrides,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Settings, SettingsError> {
    let mut sources = Sources::read(paths.config_file(), env)?;
    let (keys, voices) = (BTreeMap::new(), BTreeMap::new());
    let own_paths = paths.clone();
    let mut settings = Settings::read(
        &mut sources,
        flags,
        &paths,
        own_paths,
        keys,
        voices,
        Vec::new(),
        None,
        Vec::new(),
    )?;
    settings.keys = sources.take_table("keys")?;
    settings.voices = sources.take_table("voices")?;
    settings.webhooks = sources.take_webhooks()?;
    sources.refuse_unknown_keys()?;
    // Whatever folder the program later runs in, the narrations' folder stays the same one.
    settings.out = std::path::absolute(&settings.out).unwrap_or(settings.out);
    settings.origins = sources.origins;
    Ok(settings)
}

impl Settings {
    /// How texts are read under these settings.
    #[must_use]
    pub fn taste(&self) -> Taste {
        Taste {
            years: self.reading.years,
            dates: self.reading.dates,
            note_marks: self.reading.note_marks,
            urls: self.reading.urls,
            addresses: self.reading.addresses,
            emoji: self.reading.emoji,
        }
    }

    /// Every setting with its value and where that came from, in the order of the table.
    #[must_use]
    pub fn explain(&self) -> Vec<SettingOrigin> {
        self.origins.clone()
    }
}

#[cfg(test)]
mod tests;
