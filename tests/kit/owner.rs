//! A library that one program works and others look at and steer, with the voice of tones.

use std::process::{Child, Stdio};

use rustix::process::Pid;
use serde_json::Value;

use super::{Home, wait_for};

/// A home with the voice of tones, and whoever was started in it.
pub struct Desk {
    pub home: Home,
    voice: String,
}

impl Desk {
    pub fn new() -> Self {
        let home = Home::ready();
        let voice = home.tone();
        Self { home, voice }
    }

    pub fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.home.command(args);
        command
            .args(["--voice", &self.voice, "--offline"])
            .env_remove("XDG_RUNTIME_DIR");
        command
    }

    /// What it prints; it has to end well.
    #[track_caller]
    pub fn says(&self, args: &[&str]) -> String {
        let ran = self.command(args).output().unwrap();
        let (out, err) = (
            ran.stdout,
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        );
        assert!(ran.status.success(), "{args:?}: {err}");
        String::from_utf8(out).unwrap()
    }

    /// Why it does not end well.
    #[track_caller]
    pub fn refuses(&self, args: &[&str]) -> String {
        let ran = self.command(args).output().unwrap();
        assert!(!ran.status.success(), "{args:?}");
        String::from_utf8(ran.stderr).unwrap()
    }

    pub fn tasks(&self) -> Vec<Value> {
        serde_json::from_str(&self.says(&["status", "--json"])).unwrap()
    }

    /// The process that answers.
    pub fn owner(&self) -> Pid {
        let lock = std::fs::read_to_string(self.home.path("state/lock")).unwrap();
        let holder: Value = serde_json::from_str(&lock).unwrap();
        let pid = holder["pid"].as_i64().unwrap();
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    pub fn serve(&self) -> Child {
        let mut command = self.command(&["serve", "--stay"]);
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_for("it answers", || {
            let lock = std::fs::read_to_string(self.home.path("state/lock")).ok()?;
            lock.contains("socket").then_some(())
        });
        child
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // One that was started in the background has no other end.
        let _ = self.command(&["stop"]).output();
    }
}

/// A text of so many segments: its path.
pub fn story(desk: &Desk, name: &str, sentences: usize) -> String {
    let text: Vec<_> = (0..sentences)
        .map(|n| format!("This is sentence {n} of {name}."))
        .collect();
    desk.home.write(&format!("{name}.txt"), text.join("\n\n"))
}
