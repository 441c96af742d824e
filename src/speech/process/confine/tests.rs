//! A process confines itself and then tries what it must not. It is this test program, started again.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use landlock::LandlockStatus;
use rustix::process::{Pid, getpid, getppid, test_kill_process};

use super::super::super::Runtime;
use super::*;
use crate::assets::{EspeakFiles, Family};

/// Set for the process that confines itself: the folder to try it in.
const FOLDER: &str = "ALOUD_TEST_CONFINED";
const PORT: &str = "ALOUD_TEST_PORT";

fn parts(folder: &Path) -> (VoiceFiles, Runtime) {
    let files = VoiceFiles {
        name: "joe".into(),
        model: folder.join("data/voices/joe.onnx"),
        config: folder.join("data/voices/joe.onnx.json"),
        family: Family::Piper,
        card: None,
        blend: Vec::new(),
    };
    let runtime = Runtime {
        onnxruntime: folder.join("data/libonnxruntime.so"),
        espeak: Some(EspeakFiles {
            library: "libespeak-ng.so.1".into(),
            data: folder.join("data/espeak-ng-data"),
        }),
        threads: None,
        layout: None,
    };
    (files, runtime)
}

/// A voice in a home like those that people have: the data is elsewhere, the model a link.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in [
        "disk/voices/private",
        "disk/espeak-ng-data/voices",
        "models",
    ] {
        std::fs::create_dir_all(path(name)).unwrap();
    }
    for name in [
        "models/blob",
        "models/other",
        "disk/voices/joe.onnx.json",
        "disk/voices/joe.onnx.data",
        "disk/voices/.password",
        "disk/voices/private/letter",
        "disk/libonnxruntime.so",
        "disk/libhelper.so.1",
        "disk/settings",
        "disk/espeak-ng-data/voices/en",
        "secret",
    ] {
        std::fs::write(path(name), name).unwrap();
    }
    symlink("disk", path("data")).unwrap();
    symlink("../../models/blob", path("disk/voices/joe.onnx")).unwrap();
    folder
}

/// The version that the kernel has. It is told with a restriction, which is this thread's.
fn landlock() -> u8 {
    let asked = std::thread::spawn(|| files::restrict(&[]).unwrap().landlock);
    match asked.join().unwrap() {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u8,
        _ => 0,
    }
}

/// What the process says of one try.
fn tell<T>(what: impl Display, tried: std::io::Result<T>) {
    match tried {
        Ok(_) => println!("{what}: done"),
        Err(error) => println!("{what}: {error}"),
    }
}

/// Not a test of its own: what the confined process does.
#[test]
fn confined_process() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let (files, runtime) = parts(&folder);
    confine(&files, &runtime);
    // The test program has begun a line of its own.
    println!("\nLandlock: {}", landlock());
    // A later thread has no more than the one that confined itself.
    let tried = std::thread::spawn(move || try_everything(&folder));
    tried.join().unwrap();
}

fn try_everything(folder: &Path) {
    let status = std::fs::read_to_string("/proc/thread-self/status");
    for line in status.iter().flat_map(|status| status.lines()) {
        if line.starts_with("Seccomp:") || line.starts_with("NoNewPrivs:") {
            println!("{line}");
        }
    }
    for name in MAY_READ.iter().chain(&MAY_NOT_READ) {
        tell(format!("read {name}"), std::fs::read(folder.join(name)));
    }
    let parent = getppid().unwrap();
    let memory = format!("/proc/{}/maps", parent.as_raw_nonzero());
    tell("read parent", File::open(memory));
    let append = |name: &str| OpenOptions::new().append(true).open(name);
    tell("write null", append("/dev/null"));
    tell("write own", append("/proc/self/oom_score_adj"));
    let model = folder.join("data/voices/joe.onnx");
    tell("write model", append(model.to_str().unwrap()));
    tell(
        "create beside",
        File::create(folder.join("data/voices/new")),
    );
    tell("create temporary", tempfile::tempfile());
    tell("remove", std::fs::remove_file(&model));
    let port = std::env::var(PORT).unwrap();
    tell("tcp", TcpStream::connect(format!("127.0.0.1:{port}")));
    tell("udp", UdpSocket::bind("127.0.0.1:0"));
    tell("unix", UnixStream::connect(folder.join("socket")));
    tell("pair", UnixStream::pair());
    tell("run", Command::new("/bin/true").status());
    let signal = |pid: Pid| test_kill_process(pid).map_err(Error::from);
    tell("signal parent", signal(parent));
    tell("signal itself", signal(getpid()));
}

const MAY_READ: [&str; 8] = [
    "data/voices/joe.onnx",
    "data/voices/joe.onnx.json",
    "data/voices/joe.onnx.data",
    "data/libonnxruntime.so",
    "data/libhelper.so.1",
    "data/espeak-ng-data/voices/en",
    "/proc/cpuinfo",
    "/proc/self/maps",
];

const MAY_NOT_READ: [&str; 6] = [
    "secret",
    "data/settings",
    "data/voices/.password",
    "data/voices/private/letter",
    "data/espeak-ng-data/../settings",
    "/etc/passwd",
];

#[test]
fn a_confined_process_reads_its_voice_and_nothing_else() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _other = UnixListener::bind(folder.path().join("socket")).unwrap();
    let this = std::env::current_exe().unwrap();
    let (_, module) = module_path!().split_once("::").unwrap();
    let child = Command::new(this)
        .args([
            "--exact",
            &format!("{module}::confined_process"),
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .env(PORT, port.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}");
    let outcome = |what: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("{what} is missing in {said}"))
            .trim()
    };
    let is_done = |what: &str| outcome(what) == "done";

    for name in MAY_READ {
        assert!(is_done(&format!("read {name}")), "{name}: {said}");
    }
    assert!(is_done("write null") && is_done("signal itself"), "{said}");

    if outcome("Seccomp") == "2" {
        assert_eq!(outcome("NoNewPrivs"), "1");
        let refused = Error::from_raw_os_error(1);
        for what in ["tcp", "udp", "unix", "pair", "run"] {
            assert_eq!(outcome(what), refused.to_string(), "{what}");
        }
    } else {
        eprintln!("skipped: the system's calls are not restricted here");
    }

    let abi: u8 = outcome("Landlock").parse().unwrap();
    if abi == 0 {
        eprintln!("skipped: this system has no Landlock");
        return;
    }
    let refused = Error::from_raw_os_error(13);
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let written = [
        "write own",
        "write model",
        "create beside",
        "create temporary",
    ];
    let read = MAY_NOT_READ.map(|name| format!("read {name}"));
    let all = read.iter().map(String::as_str).chain(written);
    for what in all.chain(["read parent", "remove"]) {
        assert!(
            outcome(what).starts_with(&refused.to_string()),
            "{what}: {said}"
        );
    }
    if abi >= 6 {
        assert!(!is_done("signal parent"), "{said}");
    } else {
        eprintln!("skipped: Landlock {abi} knows no signals");
    }
}
