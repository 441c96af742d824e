//! Whether what runs in the background goes on after its user has logged out: systemd's user manager
//! ends it unless the user "lingers". It asks, and changes nothing.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

use super::doctor::{Finding, State};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of it that are read: it is a short line.
const LONGEST: u64 = 1024;

/// What was found; `None` where no user manager answers: then nothing of the kind is to be had.
pub(super) fn examine() -> Option<Finding> {
    let answer = ask()?;
    let (state, detail) = match answer.trim() {
        "Linger=yes" => (
            State::Ok,
            "what works in the background goes on after you log out",
        ),
        "Linger=no" => (
            State::Warning,
            "what works in the background may end when you log out: `loginctl enable-linger` lets it \
             go on",
        ),
        _ => return None,
    };
    Some(Finding {
        name: "work after logout".to_owned(),
        state,
        version: None,
        path: None,
        checksum_ok: None,
        detail: detail.to_owned(),
    })
}

fn ask() -> Option<String> {
    let user = rustix::process::getuid().as_raw().to_string();
    let mut child = Command::new("loginctl")
        .args(["show-user", &user, "--property=Linger"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let ended = child.wait_timeout(PATIENCE);
    let Ok(Some(status)) = ended else {
        // It may have ended in this very moment; the wait below says so.
        let _ = child.kill();
        let _ = child.wait();
        return None;
    };
    let mut said = String::new();
    let stdout = child.stdout.take()?;
    stdout.take(LONGEST).read_to_string(&mut said).ok()?;
    status.success().then_some(said)
}
