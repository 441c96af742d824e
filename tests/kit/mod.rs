//! Runs the real program in a home of its own, with the real runtime and voice. These are fetched
//! once into a folder that all tests share; where they can't be had, the tests fail and say so.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod line;
pub mod onnx;
pub mod owner;
pub mod request;
pub mod voice;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// However slow the machine, nothing here takes longer.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The Piper voice of [`Home::ready`].
pub const JOE: &str = "en_US-joe-medium";

pub struct Home {
    pub folder: TempDir,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Home {
    /// A home with everything that narrating needs, and with a Piper voice: all that is said of samples and
    /// phonemes in the tests is of that one.
    pub fn ready() -> Self {
        static FETCH: Once = Once::new();
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aloud-assets");
        FETCH.call_once(|| {
            std::fs::create_dir_all(&data).unwrap();
            let first = Self::empty();
            std::os::unix::fs::symlink(&data, first.path("data")).unwrap();
            let setup = first.run(&["setup", JOE]);
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

    /// A voice of tones, with the phonemes of the real one: it opens and speaks in milliseconds.
    /// Returns its path.
    pub fn tone(&self) -> String {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tone.onnx");
        self.made_voice("tone", &std::fs::read(model).unwrap())
    }

    /// A voice with this model and the phonemes of the real one. Returns its path.
    pub fn made_voice(&self, name: &str, model: &[u8]) -> String {
        let real = self.path("data/voices/en_US-joe-medium/en_US-joe-medium.onnx.json");
        self.write(&format!("{name}.onnx.json"), std::fs::read(real).unwrap());
        self.write(&format!("{name}.onnx"), model)
    }

    /// The real voice without the noise that makes each run of it another, as `quiet.onnx`.
    pub fn quiet(&self) {
        let real = self.path("data/voices/en_US-joe-medium/en_US-joe-medium.onnx");
        let config = std::fs::read(real.with_extension("onnx.json")).unwrap();
        let mut config: Value = serde_json::from_slice(&config).unwrap();
        config["inference"]["noise_scale"] = 0.into();
        config["inference"]["noise_w"] = 0.into();
        self.write("quiet.onnx.json", config.to_string());
        std::os::unix::fs::symlink(&real, self.path("quiet.onnx")).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aloud"));
        command
            .args(args)
            .env("ALOUD_HOME", self.folder.path())
            // A service manager of whoever tests would go on with the work.
            .env_remove("XDG_RUNTIME_DIR")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// Narrates a file into the folder `out`, on a file system in a mount namespace of its own that
    /// is mounted with these options. `meanwhile` are lines of shell that may look at the program
    /// as `$pid` and at the folder as `$1`. What it held is in the home's `kept` afterwards.
    pub fn narrating_on_a_mount(
        &self,
        file: &str,
        out: &Path,
        options: &str,
        meanwhile: &str,
    ) -> Command {
        std::fs::create_dir(out).unwrap();
        let script = format!(
            "mount -t tmpfs -o {options} tmpfs \"$1\" && mkdir \"$3\" || exit 99
            \"$0\" narrate \"$2\" --plain --out \"$1\" & pid=$!
            {meanwhile}
            wait $pid; code=$?; cp -r \"$1\"/. \"$3\"; exit $code"
        );
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--map-root-user", "sh", "-c", &script])
            .args([env!("CARGO_BIN_EXE_aloud"), out.to_str().unwrap(), file])
            .arg(self.path("kept"))
            .env("ALOUD_HOME", self.folder.path());
        command
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

/// The program at work with `--json`, its events read as they come. Killed if a test leaves it.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    events: Vec<Value>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // It ends with the program's output.
        std::thread::spawn(move || {
            for line in out.lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            events: Vec::new(),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for an event of this name.
    pub fn until(&mut self, name: &str) {
        while self.next_event().unwrap_or_else(|| panic!("no {name}"))["event"] != name {}
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end: the exit code, and every event there was.
    pub fn end(mut self) -> (Option<i32>, Vec<Value>) {
        while self.next_event().is_some() {}
        let code = wait_for_end(&mut self.child);
        (code, std::mem::take(&mut self.events))
    }

    fn next_event(&mut self) -> Option<&Value> {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => self.events.push(serde_json::from_str(&line).unwrap()),
            Err(Disconnected) => return None,
            Err(Timeout) => panic!("it says nothing any more"),
        }
        self.events.last()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// The clips that have a row in the library, all of them or those in one folder: these are finished,
/// whatever happens. The database is sound.
pub fn finished(home: &Home, folder: Option<&Path>) -> Vec<PathBuf> {
    let database = library(home);
    let sound: String = database
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    let query = "SELECT folder, clip FROM segments JOIN tasks ON task = seq
                 WHERE clip IS NOT NULL AND (?1 IS NULL OR folder = ?1)";
    let mut rows = database.prepare(query).unwrap();
    let paths = rows
        .query_map([folder.map(|folder| folder.to_str().unwrap())], |row| {
            Ok(Path::new(&row.get::<_, String>(0)?).join(row.get::<_, String>(1)?))
        })
        .unwrap();
    paths.map(Result::unwrap).collect()
}

/// The state of every task in the library, in the order of submission.
pub fn stored_states(home: &Home) -> Vec<String> {
    let database = library(home);
    let mut rows = database
        .prepare("SELECT state FROM tasks ORDER BY seq")
        .unwrap();
    let states = rows.query_map([], |row| row.get(0)).unwrap();
    states.map(Result::unwrap).collect()
}

fn library(home: &Home) -> rusqlite::Connection {
    rusqlite::Connection::open(home.path("state/aloud.db")).unwrap()
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
