//! Kills the real program with SIGKILL, over and over, and starts it again: no task is lost, no
//! finished clip is lost, damaged or made a second time. The moments are random; in a build with
//! failpoints half of these kills are at a step of publishing a clip or accepting a task instead.
//!
//! On Linux some four in ten of the kills are for the process of the program's voice, which is killed,
//! crashed, or stopped and then killed. The program has to go on with another by itself, whether it
//! is killed later in the same run or lives to its end: no segment is left out, none has an error.
//! Once the program is gone, so is its voice.
//!
//!     ALOUD_KILLS=1000 ALOUD_SEED=7 cargo test --release --features failpoints --test kills -- --nocapture
//!
//! With `ALOUD_KILLS_VOICE=tone` a voice speaks that opens in milliseconds, for volume.

mod kit;

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use kit::{Home, clips, finished, samples, wait_for};

/// The longest that a run lives, in seconds: the model opens in about a second, then clips come.
const LONGEST: f64 = 2.5;
/// The same with a voice that is there at once.
const LONGEST_TONE: f64 = 0.8;

/// How many clips come between two deaths of the voice in one run. What was in the model at the first,
/// or waited beside it, is out of it by then: a segment that the voice crashes of twice is left out,
/// and rightly.
const CLIPS_BETWEEN: usize = 10;
/// How soon after the program its voice has ended.
const VOICE_END: Duration = Duration::from_secs(5);

/// Segments of the story.
const SEGMENTS: u32 = 38;

/// Between two steps of publishing a clip.
const PUBLISHING: [&str; 6] = [
    "part-created",
    "part-written",
    "part-synced",
    "renamed",
    "folder-synced",
    "row-committed",
];
/// Between two steps of accepting a task, and of ending one.
const ACCEPTING: [&str; 4] = ["folder-created", "folder-marked", "recorded", "accepted"];
const ENDING: [&str; 2] = ["work-done", "end-stored"];

/// How a run is killed.
enum Kill {
    After(Duration),
    At(String),
    /// It lives to its end.
    Never,
}

impl Kill {
    fn random(random: &mut fastrand::Rng, longest: f64, is_first: bool) -> Self {
        if random.u8(..10) == 0 {
            return Self::Never;
        }
        if cfg!(feature = "failpoints") && random.bool() {
            return Self::At(match random.u8(..8) {
                0 | 1 if is_first => format!("{}:1", ACCEPTING[random.usize(..4)]),
                0 => format!("{}:1", ENDING[random.usize(..2)]),
                _ => format!("{}:{}", PUBLISHING[random.usize(..6)], random.u8(1..=8)),
            });
        }
        Self::After(moment(random, longest))
    }
}

fn moment(random: &mut fastrand::Rng, longest: f64) -> Duration {
    Duration::from_secs_f64(random.f64() * longest)
}

/// The voices of the programs in this home: their environment has the folder for temporary files that
/// a program was given. One that has ended has no environment.
fn voices(home: &Home) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mark = format!("TMPDIR={}\0", home.folder.path().display()).into_bytes();
    let is_voice = |process: &Path| {
        let read = |name| std::fs::read(process.join(name)).unwrap_or_default();
        read("cmdline").ends_with(b"\0voice\0")
            && read("environ").windows(mark.len()).any(|part| part == mark)
    };
    processes
        .filter_map(|process| {
            let process = process.ok()?;
            let pid = process.file_name().to_str()?.parse().ok()?;
            is_voice(&process.path()).then(|| Pid::from_raw(pid))?
        })
        .collect()
}

/// Ends a voice in one of the ways in which voices end.
fn strike(home: &Home, voice: Pid, random: &mut fastrand::Rng) {
    // Each fails if it has ended by itself, with its program.
    let send = |signal| {
        let _ = kill_process(voice, signal);
    };
    let last = match random.u8(..4) {
        0 => Signal::SEGV,
        1 => Signal::ABORT,
        2 => Signal::KILL,
        _ => {
            send(Signal::STOP);
            std::thread::park_timeout(moment(random, 0.2));
            Signal::KILL
        }
    };
    wait_for("the voice ends", || {
        // Rust's own handler lets the first SIGSEGV pass that comes without a bad address.
        send(last);
        (!voices(home).contains(&voice)).then_some(())
    });
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// What tells one file from another under the same name.
type Identity = (u64, i64, i64);

fn identity(path: &Path) -> Identity {
    let file = path
        .metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (file.ino(), file.mtime(), file.mtime_nsec())
}

/// One home, its narrations, and what was seen of their clips.
struct Campaign {
    home: Home,
    random: fastrand::Rng,
    longest: f64,
    voice: String,
    seen: HashMap<PathBuf, Identity>,
    kills: u64,
    killed: u64,
    at_places: u64,
    of_voices: u64,
    again: u64,
    /// How long a voice has outlived its program.
    outlived: Duration,
}

impl Campaign {
    /// Looks at every clip that counts as finished: it is there, whole, and the same one as before.
    fn inspect(&mut self, finished: Vec<PathBuf>) {
        for clip in finished {
            let now = identity(&clip);
            let before = *self.seen.entry(clip.clone()).or_insert(now);
            self.again += u64::from(before != now);
            samples(&clip);
        }
    }

    /// Narrates into one folder, killed as often as it takes, until it comes to its end.
    fn narrate(&mut self, out: &Path) {
        let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/the-lighthouse-keeper.txt");
        let story = story.to_str().unwrap();
        let mut is_first = true;
        loop {
            let mut command =
                self.home
                    .command(&["narrate", "--json", "--out", out.to_str().unwrap(), story]);
            let kill = if self.killed < self.kills {
                Kill::random(&mut self.random, self.longest, is_first)
            } else {
                Kill::Never
            };
            command.args(["--voice", &self.voice]);
            // Every clip is made here: a copy would hide one that was lost.
            command.env("ALOUD_CLIP_STORE_MB", "0");
            command.env("TMPDIR", self.home.folder.path());
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            if let Kill::At(place) = &kill {
                command.env("ALOUD_FAILPOINT", place);
            }
            let time = match kill {
                Kill::After(time) => time,
                Kill::At(_) | Kill::Never => kit::PATIENCE,
            };
            is_first = false;
            let mut child = command.spawn().unwrap();
            let folder = out.join("the-lighthouse-keeper");
            let code = self.live(&mut child, time, &folder);
            self.await_voices();
            if self.home.path("state/aloud.db").exists() {
                self.inspect(finished(&self.home, Some(&folder)));
                self.assert_no_errors();
            }
            match code {
                Some(0) => return,
                Some(code) => {
                    let mut said = String::new();
                    let mut stderr = child.stderr.take().unwrap();
                    stderr.read_to_string(&mut said).unwrap();
                    panic!("exit code {code}: {said}");
                }
                None => {
                    self.killed += 1;
                    self.at_places += u64::from(matches!(kill, Kill::At(_)));
                }
            }
        }
    }

    /// Lets a run live until it is killed, and kills its voice now and then. Returns its exit code if
    /// it came to its end.
    fn live(&mut self, child: &mut Child, time: Duration, folder: &Path) -> Option<i32> {
        let begun = Instant::now();
        let mut next = self.next_strike(Duration::ZERO);
        let mut enough = 0;
        while begun.elapsed() < time {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            if next.is_some_and(|next| begun.elapsed() >= next)
                && clips(folder).len() >= enough
                && let Some(&voice) = voices(&self.home).first()
            {
                strike(&self.home, voice, &mut self.random);
                self.killed += 1;
                self.of_voices += 1;
                enough = clips(folder).len() + CLIPS_BETWEEN;
                next = self.next_strike(begun.elapsed());
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        None
    }

    /// When the voice is killed after this moment of a run, if it is.
    fn next_strike(&mut self, after: Duration) -> Option<Duration> {
        let is_wanted = self.killed < self.kills && self.random.u8(..4) > 0;
        is_wanted.then(|| after + moment(&mut self.random, self.longest / 2.0))
    }

    /// Whichever way the program has ended, its voice ends with it.
    fn await_voices(&mut self) {
        let begun = Instant::now();
        wait_for("the voice ends with its program", || {
            voices(&self.home).is_empty().then_some(())
        });
        let took = begun.elapsed();
        assert!(took < VOICE_END, "the voice was there for {took:?} more");
        self.outlived = self.outlived.max(took);
    }

    /// No segment was left out, whatever its voice died of.
    fn assert_no_errors(&self) {
        let database = rusqlite::Connection::open(self.home.path("state/aloud.db")).unwrap();
        let query = "SELECT number || ': ' || error FROM segments WHERE error IS NOT NULL";
        let mut rows = database.prepare(query).unwrap();
        let errors = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let errors: Vec<_> = errors.map(Result::unwrap).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }

    /// What a narration that has come to its end looks like.
    fn check(&mut self, folder: &Path) {
        let all = clips(folder);
        assert_eq!(all.len(), SEGMENTS as usize, "every segment has one clip");
        self.inspect(all.clone());
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.retain(|name| !all.iter().any(|clip| clip.ends_with(name)));
        files.sort();
        let expected = [".aloud", "narration.jsonl", "the-lighthouse-keeper.wav"];
        assert_eq!(
            files, expected,
            "the folder's mark, the record and the whole"
        );
        let spoken: u64 = all.iter().map(|clip| samples(clip)).sum();
        let database = rusqlite::Connection::open(self.home.path("state/aloud.db")).unwrap();
        let query = "SELECT SUM(pause_ms * 22050 / 1000) FROM segments WHERE number < ?1
                     AND task = (SELECT MAX(seq) FROM tasks)";
        let pauses: i64 = database
            .query_row(query, [SEGMENTS], |row| row.get(0))
            .unwrap();
        let joined = samples(&folder.join("the-lighthouse-keeper.wav"));
        assert_eq!(joined, spoken + pauses.cast_unsigned());
        assert!(
            !folder.with_file_name("the-lighthouse-keeper-2").exists(),
            "the task was lost and begun anew"
        );
    }
}

#[test]
fn killed_over_and_over_nothing_is_lost_and_nothing_made_twice() {
    let seed = setting("ALOUD_SEED", 1);
    let home = Home::ready();
    let (voice, longest) = match std::env::var("ALOUD_KILLS_VOICE").as_deref() {
        Ok("tone") => (home.tone(), LONGEST_TONE),
        Ok(other) => panic!("there is no voice {other} for this"),
        Err(_) => ("en_US-joe-medium".to_owned(), LONGEST),
    };
    let mut campaign = Campaign {
        home,
        random: fastrand::Rng::with_seed(seed),
        longest,
        voice,
        seen: HashMap::new(),
        kills: setting("ALOUD_KILLS", 12),
        killed: 0,
        at_places: 0,
        of_voices: 0,
        again: 0,
        outlived: Duration::ZERO,
    };
    let mut rounds = 0;
    while campaign.killed < campaign.kills || rounds == 0 {
        let out = campaign.home.path(&format!("out-{rounds}"));
        campaign.narrate(&out);
        campaign.check(&out.join("the-lighthouse-keeper"));
        rounds += 1;
        println!(
            "{} kills, {} of them at failpoints and {} of the voice, {rounds} narrations, {} clips \
             seen, {} made twice, a voice at most {:.0?} after its program",
            campaign.killed,
            campaign.at_places,
            campaign.of_voices,
            campaign.seen.len(),
            campaign.again,
            campaign.outlived,
        );
    }
    assert_eq!(
        campaign.again, 0,
        "a finished clip was made a second time (seed {seed})"
    );
}
