use std::fmt::Write as _;
use std::path::PathBuf;

use super::*;

/// The folder with the real files, and the runtime's library, where this machine has them.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/aloud-assets");
    let folder = std::env::var_os("ALOUD_HIBARI").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| assets.join("voices/hibari"));
    let library = std::env::var_os("ALOUD_ONNXRUNTIME").map(PathBuf::from);
    let library = library.unwrap_or_else(|| PathBuf::from("libonnxruntime.so"));
    folder
        .join("tagger.json.gz")
        .exists()
        .then_some((folder, library))
}

/// Reads the lines of the file that `ALOUD_ENGLISH_LINES` names and writes their phonemes beside it, which is
/// how `tests/peers/english.py` compares them with those of others.
#[test]
fn lines_are_read_for_comparison() {
    let Some(lines) = std::env::var_os("ALOUD_ENGLISH_LINES").map(PathBuf::from) else {
        return;
    };
    let (folder, library) = installed().expect("ALOUD_HIBARI");
    let dialect = match std::env::var("ALOUD_ENGLISH_DIALECT").as_deref() {
        Ok("british") => Dialect::British,
        _ => Dialect::American,
    };
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or_default().to_owned()
    };
    eprintln!("before {}", memory());
    let start = std::time::Instant::now();
    let english = English::open(&folder, &library, dialect).unwrap();
    eprintln!("opened in {:?}, {}", start.elapsed(), memory());
    let text = std::fs::read_to_string(&lines).unwrap();
    let start = std::time::Instant::now();
    let mut out = String::new();
    for line in text.lines() {
        let read = english.read(line).unwrap();
        writeln!(out, "{}\t{}", read.phonemes, read.unknown.join(" ")).unwrap();
    }
    eprintln!("read in {:?}, {}", start.elapsed(), memory());
    std::fs::write(lines.with_extension("out"), out).unwrap();
}
