//! Runs the real program in a home of its own, with the real runtime and voice. These are fetched
//! once into a folder that all tests share; where they can't be had, the tests fail and say so.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// However slow the machine, nothing here takes longer.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub struct Home {
    pub folder: TempDir,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    /// A home with everything that narrating needs.
    pub fn ready() -> Self {
        static FETCH: Once = Once::new();
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aloud-assets");
        FETCH.call_once(|| {
            std::fs::create_dir_all(&data).unwrap();
            let first = Self::empty();
            std::os::unix::fs::symlink(&data, first.path("data")).unwrap();
            let setup = first.run(&["setup"]);
            assert_eq!(
                setup.code,
                Some(0),
                "the real voice is needed: {}{}",
                setup.out,
                setup.err
            );
        });
        let home = Self::empty();
        std::os::unix::fs::symlink(&data, home.path("data")).unwrap();
        home
    }

    /// A home with nothing in it.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file into the home and returns its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aloud"));
        command
            .args(args)
            .env("ALOUD_HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The lines of `--json`.
    pub fn events(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The last line of `--json`.
    pub fn summary(&self) -> Value {
        let last = self
            .events()
            .pop()
            .unwrap_or_else(|| panic!("no output: {}", self.err));
        assert_eq!(last["event"], "summary");
        last
    }
}

/// Waits for a condition, and fails when it does not come.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < until, "{what}: it never happened");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Waits for a child's end, and kills it when it does not come.
pub fn wait_for_end(child: &mut Child) -> Option<i32> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("the program did not end");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The clips in a narration's folder, by name: `NNNN-….wav`.
pub fn clips(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut clips: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.ends_with(".wav") && name.chars().take(4).all(|c| c.is_ascii_digit())
        })
        .collect();
    clips.sort();
    clips
}

/// Samples in a WAV file, having read every one of them.
pub fn samples(path: &Path) -> u64 {
    let reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().channels, 1);
    assert_eq!(reader.spec().bits_per_sample, 16);
    reader
        .into_samples::<i16>()
        .map(|sample| u64::from(sample.is_ok()))
        .sum()
}

pub const STORY: &str = "The Small Hours\n\nAt three in the morning the house was quiet. A clock \
    ticked in the hall. Nobody had wound it for years, and yet it ticked.\n\nMara went down to \
    look. The pendulum hung still behind the glass. She put her ear to the wood and listened for \
    a long while.\n\nInside, very softly, somebody was counting. She counted along until the sun \
    came up over the garden wall.\n";
