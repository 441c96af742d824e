//! `aloud serve` as a service: what a service manager hears of it, and what scripts can ask.

mod kit;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use kit::{Home, PATIENCE, Ran, clips, wait_for, wait_for_end};

/// Begins, for a transaction that nobody else may write in.
const HOLD: &str = "BEGIN IMMEDIATE";

/// A home with the voice of tones, and a service manager's socket.
struct Here {
    home: Home,
    voice: String,
    socket: UnixDatagram,
}

/// The service, ended with the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Here {
    fn new() -> Self {
        let home = Home::ready();
        let socket = UnixDatagram::bind(home.path("notify")).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        Self {
            voice: home.tone(),
            home,
            socket,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command(args);
        command
            .args(["--voice", &self.voice, "--offline"])
            .env_remove("XDG_RUNTIME_DIR");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    fn serve(&self) -> Service {
        let mut command = self.command(&["serve", "--stay"]);
        command
            .env("NOTIFY_SOCKET", self.home.path("notify"))
            .env("WATCHDOG_USEC", "400000")
            .stderr(Stdio::null());
        Service(command.spawn().unwrap())
    }

    /// The next message, line by line.
    fn hears(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let until = Instant::now() + PATIENCE;
        loop {
            match self.socket.recv(&mut bytes) {
                Ok(length) => {
                    let said = std::str::from_utf8(&bytes[..length]).unwrap();
                    return said.lines().map(str::to_owned).collect();
                }
                Err(error) => assert!(Instant::now() < until, "nothing is heard: {error}"),
            }
        }
    }

    /// The first message with a line like this.
    fn hears_of(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let said = self.hears();
            if said.iter().any(|line| wanted(line)) {
                return said;
            }
            assert!(
                Instant::now() < until,
                "only other things are heard: {said:?}"
            );
        }
    }

    fn story(&self, name: &str, sentences: usize) -> String {
        let text: Vec<_> = (0..sentences)
            .map(|n| format!("This is sentence {n} of {name}."))
            .collect();
        self.home.write(&format!("{name}.txt"), text.join("\n\n"))
    }
}

#[test]
fn a_service_manager_hears_of_it_from_the_beginning_to_the_end() {
    let here = Here::new();
    let mut service = here.serve();
    let first = here.hears();
    assert_eq!(first, ["READY=1", "WATCHDOG=1", "STATUS=nothing to do"]);
    // Whoever is told that it is ready can ask it at once.
    let health = here.run(&["health"]);
    assert_eq!(health.code, Some(0), "{}", health.err);
    assert!(health.out.starts_with("ok: 0 running"), "{}", health.out);
    here.hears_of(|line| line == "WATCHDOG=1");
    let long = here.story("long", 2000);
    assert_eq!(here.run(&["add", &long]).code, Some(0));
    here.hears_of(|line| line == "STATUS=1 running, 0 waiting");
    let folder = here.home.path("narrations/long");
    wait_for("clips", || (clips(&folder).len() > 2).then_some(()));
    kill_process(Pid::from_child(&service.0), Signal::TERM).unwrap();
    let last = here.hears_of(|line| line == "STOPPING=1");
    assert!(
        last.iter()
            .any(|line| line == "EXTEND_TIMEOUT_USEC=10000000"),
        "{last:?}"
    );
    assert!(
        last.iter()
            .all(|line| line != "READY=1" && line != "WATCHDOG=1"),
        "{last:?}"
    );
    assert_eq!(wait_for_end(&mut service.0), Some(143));
    let status = here.run(&["status"]);
    assert!(status.out.contains("Nothing runs now"), "{}", status.out);
}

#[test]
fn the_watchdog_hears_nothing_while_the_database_does_not_answer() {
    let here = Here::new();
    let _service = here.serve();
    here.hears_of(|line| line == "READY=1");
    let database = rusqlite::Connection::open(here.home.path("state/aloud.db")).unwrap();
    database.execute_batch(HOLD).unwrap();
    // The thread that owns the database waits for it, as it would for a disk that hangs.
    let text = here.story("text", 1);
    let mut add = here.command(&["add", &text]);
    let mut add = add.stdout(Stdio::null()).spawn().unwrap();
    let said = here.hears_of(|line| line.starts_with("STATUS=the thread that owns the database"));
    assert_eq!(said.len(), 1, "{said:?}");
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(wait_for_end(&mut add), Some(0));
    let said = here.hears_of(|line| line == "WATCHDOG=1");
    assert!(
        said.iter().all(|line| !line.contains("database")),
        "{said:?}"
    );
}

#[test]
fn scripts_are_told_in_one_line_whether_it_is_well() {
    let here = Here::new();
    let health = here.run(&["health"]);
    assert_eq!((health.code, &*health.out), (Some(1), ""));
    assert!(health.err.contains("nothing runs"), "{}", health.err);
    let _service = here.serve();
    here.hears_of(|line| line == "READY=1");
    let health = here.run(&["health", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&health.out).unwrap();
    assert_eq!((health.code, &said["status"]), (Some(0), &"ok".into()));
    std::fs::remove_file(&here.voice).unwrap();
    let health = here.run(&["health"]);
    assert_eq!(health.code, Some(1));
    assert_eq!(health.out.lines().count(), 1, "{}", health.out);
    assert!(health.out.starts_with("degraded: "), "{}", health.out);
}

#[test]
fn the_doctor_tells_what_ends_at_logout_and_who_set_what() {
    let home = Home::ready();
    let doctor = |linger: &str| {
        let stand_in = home.write(
            "bin/loginctl",
            format!("#!/bin/sh\necho \"$@\" > \"$ALOUD_HOME/asked\"\n{linger}\n"),
        );
        std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        let ran = home
            .command(&["doctor"])
            .env("PATH", format!("{}:{path}", home.path("bin").display()))
            .env("MAX_ENGINE_WORKERS", "3")
            .env("EXECUTOR_SHUTDOWN_TIMEOUT", "12")
            .output();
        let ran = Ran::from(ran.unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.out);
        ran.out
    };
    let said = doctor("echo Linger=no");
    assert!(said.contains("loginctl enable-linger"), "{said}");
    let asked = std::fs::read_to_string(home.path("asked")).unwrap();
    let me = rustix::process::getuid().as_raw();
    assert_eq!(asked.trim(), format!("show-user {me} --property=Linger"));
    let setting = |name: &str| said.lines().find(|line| line.contains(name)).unwrap();
    assert!(setting("  workers").ends_with("(MAX_ENGINE_WORKERS)"));
    assert!(setting("  shutdown_timeout").ends_with("(EXECUTOR_SHUTDOWN_TIMEOUT)"));
    let said = doctor("echo Linger=yes");
    assert!(said.contains("goes on after you log out"), "{said}");
    // Where no user manager answers there is nothing to tell.
    let said = doctor("echo Host is down >&2; exit 1");
    assert!(!said.contains("logout"), "{said}");
}
