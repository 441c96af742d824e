//! Players here are scripts that tell a pipe what they were started with; nothing waits for time.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};

use super::*;
use crate::settings::{Overrides, Paths, load_from};

const PATIENCE: Duration = Duration::from_secs(20);

struct Room(tempfile::TempDir);

impl Room {
    /// A folder with an empty `bin` and a pipe, `told`.
    fn new() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(room.at("bin")).unwrap();
        let made = Command::new("mkfifo").arg(room.at("told")).status();
        assert!(made.unwrap().success());
        room
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a file there that can be run. Another process writes it: one that a parallel test
    /// starts in this moment would inherit our open file, and a file that is open for writing can't
    /// be run.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
            .arg(&path)
            .arg(text)
            .status();
        assert!(written.unwrap().success());
        path
    }

    fn system(&self) -> System {
        System {
            search: self.at("bin").into(),
            is_remote: false,
            has_desktop: true,
        }
    }

    fn player(&self, wanted: Option<&str>) -> Player {
        let paths = Paths::under(self.0.path());
        let env = |name: &str| wanted.filter(|_| name == "ALOUD_PLAYER").map(Into::into);
        let settings = load_from(paths, Overrides::default(), &env).unwrap();
        Player::new(&settings, self.system())
    }

    /// The next line that comes out of the pipe.
    fn told(&self) -> String {
        let (sender, line) = mpsc::channel();
        let told = self.at("told");
        // It ends with whoever writes; if nobody does, the test has failed anyway.
        std::thread::spawn(move || {
            let mut text = String::new();
            let mut pipe = BufReader::new(File::open(told).unwrap());
            pipe.read_line(&mut text).unwrap();
            // Before anyone continues: what the next one writes must not go to a reader that leaves.
            drop(pipe);
            // Fails if nobody waits any more.
            let _ = sender.send(text.trim_end().to_owned());
        });
        line.recv_timeout(PATIENCE).expect("somebody wrote")
    }

    /// The line of a player that then plays on and on; its process and what it was given.
    fn begun(&self) -> (Pid, String) {
        let told = self.told();
        let (pid, rest) = told.split_once(' ').unwrap();
        (
            Pid::from_raw(pid.parse().unwrap()).unwrap(),
            rest.to_owned(),
        )
    }
}

/// Tells its process and its arguments, then waits for input that never comes, with a child.
const ENDLESS: &str = "#!/bin/sh\necho \"$$ $*\" > \"${0%/*}/../told\"\n\
                       sleep 1000 &\nwait\n";

#[test]
fn the_setting_goes_before_what_is_found_and_its_words_stay_together() {
    let room = Room::new();
    room.write(
        "bin/pw-play",
        "#!/bin/sh\necho wrong > \"${0%/*}/../told\"\n",
    );
    let own = room.write("bin/my player", ENDLESS);
    let clip = room.write("a clip.wav", "");
    let player = room.player(Some(&format!("'{}' --gain '1 2'", own.display())));
    player.play(&clip).unwrap();
    let (_, given) = room.begun();
    assert_eq!(given, format!("--gain 1 2 {}", clip.display()));
    assert!(player.is_playing().unwrap());
}

#[test]
fn a_second_clip_ends_the_first_and_dropping_ends_the_last() {
    let room = Room::new();
    room.write("bin/aplay", ENDLESS);
    let player = room.player(None);
    assert!(!player.stop() && !player.is_playing().unwrap());
    for name in ["1.wav", "2.wav", "3.wav"] {
        room.write(name, "");
    }
    let gone = |pid| test_kill_process(pid).is_err();

    player.play(&room.at("1.wav")).unwrap();
    let (first, given) = room.begun();
    assert_eq!(given, format!("-q {}", room.at("1.wav").display()));
    player.play(&room.at("2.wav")).unwrap();
    assert!(gone(first), "ended and reaped");
    let (second, _) = room.begun();
    assert!(player.is_playing().unwrap());
    assert!(player.stop());
    assert!(gone(second) && !player.is_playing().unwrap() && !player.stop());
    player.play(&room.at("3.wav")).unwrap();
    let (third, _) = room.begun();
    drop(player);
    assert!(gone(third));
}

#[test]
fn a_player_that_fails_is_told_once() {
    let room = Room::new();
    // What it plays is a script, for the player is a shell.
    symlink("/bin/sh", room.at("bin/paplay")).unwrap();
    let mut player = room.player(None);
    player.system.is_remote = true;
    let ended = |player: &Player| {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            match player.is_playing() {
                Ok(true) => assert!(std::time::Instant::now() < until, "it never ended"),
                other => break other,
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    };
    player.play(&room.write("fails.wav", "exit 3")).unwrap();
    let error = ended(&player).unwrap_err().to_string();
    assert!(error.contains("paplay failed (exit status: 3)"), "{error}");
    assert!(error.contains("over SSH"), "{error}");
    assert!(!player.is_playing().unwrap());
    player.play(&room.write("sounds.wav", "exit 0")).unwrap();
    assert!(!ended(&player).unwrap());
}

#[test]
fn without_a_player_or_a_file_the_message_says_what_to_do() {
    let room = Room::new();
    let clip = room.write("clip.wav", "");
    let error = |player: &Player, file: &Path| player.play(file).unwrap_err().to_string();
    let mut player = room.player(None);
    let none = error(&player, &clip);
    for part in ["pw-play", "mpv", "`player`", clip.to_str().unwrap()] {
        assert!(none.contains(part), "{none}");
    }
    assert!(!none.contains("SSH"), "{none}");
    player.system.is_remote = true;
    assert!(error(&player, &clip).contains("remote machine"));
    let gone = error(&player, &room.at("go\u{1b}[2Jne.wav"));
    assert!(
        gone.contains("moved or removed") && !gone.contains('\u{1b}'),
        "{gone}"
    );
    // A file that nobody may run is no player, nor is a folder.
    std::fs::write(room.at("bin/aplay"), "").unwrap();
    std::fs::create_dir(room.at("bin/paplay")).unwrap();
    assert!(error(&player, &clip).contains("there is no player"));

    let missing = error(&room.player(Some("no-such -q")), &clip);
    assert!(missing.contains("not installed: no-such -q"), "{missing}");
    let open = error(&room.player(Some("'mpv")), &clip);
    assert!(open.contains("quotation marks"), "{open}");
    let broken = room.write("bin/broken", "#!/no/such/interpreter\n");
    let broken = error(&room.player(Some(broken.to_str().unwrap())), &clip);
    assert!(broken.contains("can't be started"), "{broken}");
}

#[test]
fn a_folder_is_shown_or_named() {
    let room = Room::new();
    let folder = room.at("bin");
    let mut system = room.system();
    let error =
        |system: &System, folder: &Path| system.open_folder(folder).unwrap_err().to_string();
    let none = error(&system, &folder);
    assert!(
        none.contains("is installed") && none.contains(folder.to_str().unwrap()),
        "{none}"
    );
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let told = "#!/bin/sh\necho \"$*\" > \"${0%/*}/../told\"\n";
    room.write(&format!("bin/{opener}"), told);
    system.open_folder(&folder).unwrap();
    assert_eq!(room.told(), folder.to_str().unwrap());
    assert!(error(&system, &room.at("none")).contains("moved or removed"));
    system.has_desktop = false;
    let headless = error(&system, &folder);
    assert!(headless.contains("no desktop") && headless.contains(folder.to_str().unwrap()));
}

#[test]
fn this_system_can_be_asked() {
    assert!(System::here().find("sh").is_some());
}
