//! Kills the real program with SIGKILL, over and over, and starts it again: no task is lost, no
//! finished clip is lost, damaged or made a second time. The moments are random; in a build with
//! failpoints every second kill is at a step of publishing a clip or accepting a task instead.
//!
//!     ALOUD_KILLS=1000 ALOUD_SEED=7 cargo test --release --features failpoints --test kills -- --nocapture
//!
//! With `ALOUD_KILLS_VOICE=tone` a voice speaks that opens in milliseconds, for volume.

mod kit;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use kit::{Home, clips, finished, samples};

/// The longest that a run lives, in seconds: the model opens in about a second, then clips come.
const LONGEST: f64 = 2.5;
/// The same with a voice that is there at once.
const LONGEST_TONE: f64 = 0.8;

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
}

impl Kill {
    fn random(random: &mut fastrand::Rng, longest: f64, is_first: bool) -> Self {
        if cfg!(feature = "failpoints") && random.bool() {
            return Self::At(match random.u8(..8) {
                0 | 1 if is_first => format!("{}:1", ACCEPTING[random.usize(..4)]),
                0 => format!("{}:1", ENDING[random.usize(..2)]),
                _ => format!("{}:{}", PUBLISHING[random.usize(..6)], random.u8(1..=8)),
            });
        }
        Self::After(Duration::from_secs_f64(random.f64() * longest))
    }
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

/// Lets a run live until it is killed. Returns its exit code if it came to its end.
fn live(child: &mut Child, time: Duration) -> Option<i32> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
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
    again: u64,
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
            let mut time = kit::PATIENCE;
            let mut place = None;
            if self.killed < self.kills {
                match Kill::random(&mut self.random, self.longest, is_first) {
                    Kill::After(moment) => time = moment,
                    Kill::At(name) => place = Some(name),
                }
            }
            command.args(["--voice", &self.voice]);
            // Every clip is made here: a copy would hide one that was lost.
            command.env("ALOUD_CLIP_STORE_MB", "0");
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            if let Some(place) = &place {
                command.env("ALOUD_FAILPOINT", place);
            }
            is_first = false;
            let mut child = command.spawn().unwrap();
            let code = live(&mut child, time);
            if self.home.path("state/aloud.db").exists() {
                let finished = finished(&self.home, Some(&out.join("the-lighthouse-keeper")));
                self.inspect(finished);
            }
            match code {
                Some(0) => return,
                Some(code) => panic!("exit code {code}"),
                None => {
                    self.killed += 1;
                    self.at_places += u64::from(place.is_some());
                }
            }
        }
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
        again: 0,
    };
    let mut rounds = 0;
    while campaign.killed < campaign.kills || rounds == 0 {
        let out = campaign.home.path(&format!("out-{rounds}"));
        campaign.narrate(&out);
        campaign.check(&out.join("the-lighthouse-keeper"));
        rounds += 1;
        println!(
            "{} kills, {} of them at failpoints, {rounds} narrations, {} clips seen, {} made twice",
            campaign.killed,
            campaign.at_places,
            campaign.seen.len(),
            campaign.again,
        );
    }
    assert_eq!(
        campaign.again, 0,
        "a finished clip was made a second time (seed {seed})"
    );
}
