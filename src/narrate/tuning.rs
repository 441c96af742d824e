//! What was measured to be best for a voice on this machine, kept in a small file beside the
//! library. It only remembers; measuring is somebody else's part, and whoever sets something in the
//! settings is right.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::settings::Paths;
use crate::speech::Layout;

/// The best settings for one voice on one machine; what was not measured is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Threads that the model runs on, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// How the decoder's values lie in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Audio per second of work with both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// What was measured with, as [`runtime`] calls it.
    #[serde(default)]
    pub runtime: String,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// By machine, then by the voice's version.
    machines: BTreeMap<String, BTreeMap<String, Tuned>>,
}

/// The processor and how many of its cores this process may use.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok();
    let model = cpu.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{model}, {cores} cores")
}

/// What tells this ONNX Runtime from another: the name of its library, which has its version, and its
/// size.
#[must_use]
pub fn runtime(library: &Path) -> String {
    let file = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_owned());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let size = std::fs::metadata(&file).map_or(0, |file| file.len());
    format!("{name}, {size} bytes")
}

fn file(paths: &Paths) -> PathBuf {
    paths.library.join("tuning.json")
}

impl Tuning {
    /// What is known; nothing if there is no file, or if it can't be read: it can be measured again.
    #[must_use]
    pub fn read(paths: &Paths) -> Self {
        let text = std::fs::read(file(paths)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// What is best for this version of a voice on this machine.
    #[must_use]
    pub fn get(&self, machine: &str, version: &str) -> Option<&Tuned> {
        self.machines.get(machine)?.get(version)
    }

    /// What is best for this version of a voice on this machine with this library of ONNX Runtime. It asks
    /// for neither while nothing was measured.
    #[must_use]
    pub fn here(&self, version: &str, library: &Path) -> Option<Tuned> {
        if self.machines.is_empty() {
            return None;
        }
        let tuned = self.get(&machine(), version).cloned();
        tuned.filter(|tuned| tuned.runtime == runtime(library))
    }

    /// Remembers it, on disk too.
    ///
    /// # Errors
    /// The file can't be written; the old one stays.
    pub fn put(
        &mut self,
        paths: &Paths,
        machine: &str,
        version: &str,
        tuned: Tuned,
    ) -> io::Result<PathBuf> {
        let voices = self.machines.entry(machine.to_owned()).or_default();
        voices.insert(version.to_owned(), tuned);
        let path = file(paths);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        files::replace(&path, &bytes)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_remembered_by_machine_and_voice() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let mut tuning = Tuning::read(&paths);
        assert_eq!(tuning.get("a", "joe"), None);
        let library = folder.path().join("libonnxruntime.so.1");
        std::fs::write(&library, "1.31").unwrap();
        let tuned = Tuned {
            threads: Some(3),
            layout: Some(Layout::Plain),
            speed: Some(20.5),
            runtime: runtime(&library),
        };
        let file = tuning.put(&paths, "a", "joe", tuned.clone()).unwrap();
        let mut again = Tuning::read(&paths);
        assert_eq!(again.get("a", "joe"), Some(&tuned));
        again.put(&paths, &machine(), "joe", tuned.clone()).unwrap();
        assert_eq!(again.here("joe", &library), Some(tuned));
        std::fs::write(&library, "1.32.0").unwrap();
        assert_eq!(again.here("joe", &library), None, "another runtime");
        assert_eq!((again.get("b", "joe"), again.get("a", "amy")), (None, None));
        std::fs::write(file, "{ broken").unwrap();
        assert_eq!(Tuning::read(&paths), Tuning::default());
        assert!(machine().ends_with("cores"));
    }
}
