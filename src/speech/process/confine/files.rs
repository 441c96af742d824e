//! What the child may read, held by Landlock. It may write to nothing but `/dev/null`, start no
//! program, use no TCP, and signal nobody but itself, as far as the kernel knows of these.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};

use crate::assets::VoiceFiles;
use crate::speech::Runtime;

/// What is denied is all that this version knows; an older kernel denies what it can.
const KNOWN: ABI = ABI::V10;

/// Where the system's loader finds what libraries depend on. All of it was installed, so it is nobody's
/// secret. `/usr` has the languages, the time zones and the encodings as well.
const SYSTEM: [&str; 15] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/app",
    "/snap",
    "/nix/store",
    "/gnu/store",
    "/home/linuxbrew/.linuxbrew",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/locale.alias",
    "/etc/localtime",
];

/// What libraries ask about the machine: its cores, its memory and its limits. ONNX Runtime looks for
/// graphics cards as well, and warns of those that it can't look at.
const MACHINE: [&str; 15] = [
    "/dev/null",
    "/dev/urandom",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/proc/version",
    "/sys/bus/pci/devices",
    "/sys/class/drm",
    "/sys/devices",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/hugepages",
    "/sys/kernel/mm/transparent_hugepage",
];

/// So many files of a folder are looked at. One with more is not where a voice lies.
const MOST_FILES: usize = 4096;

/// Folders and files that this voice needs; some may not exist. What a folder holds is readable to its
/// depths.
pub(super) fn readable(voice: &VoiceFiles, runtime: &Runtime) -> Vec<PathBuf> {
    let espeak = runtime.espeak.as_ref();
    let libraries = [
        Some(&runtime.onnxruntime),
        espeak.map(|espeak| &espeak.library),
    ];
    let libraries = libraries.into_iter().flatten();
    let mut all = vec![voice.model.clone(), voice.config.clone()];
    all.extend(libraries.clone().cloned());
    all.extend(espeak.map(|espeak| espeak.data.clone()));
    all.extend(SYSTEM.iter().chain(&MACHINE).map(PathBuf::from));
    // What a panic is told with is read from the program.
    all.extend(std::env::current_exe());
    // A model may keep its weights in files beside it, under any name.
    for folder in folders_of(&voice.model) {
        all.extend(files_in(&folder, |name| !name.starts_with('.')));
    }
    let paths = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let libraries = libraries.flat_map(|library| folders_of(library));
    for folder in std::env::split_paths(&paths).chain(libraries) {
        all.extend(files_in(&folder, |name| name.contains(".so")));
    }
    // An empty path would be the working directory, which is everything.
    all.retain(|path| path.is_absolute());
    all
}

/// The folder that a file is named in, and the one that it lies in if it is a link.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let real = file.canonicalize().ok();
    let named = file.parent().filter(|folder| folder.is_absolute());
    let mut folders: Vec<_> = named.map(Path::to_owned).into_iter().collect();
    folders.extend(real.and_then(|real| Some(real.parent()?.to_owned())));
    folders.dedup();
    folders
}

/// The files of a folder, one by one: people keep voices in folders that have others in them, such as
/// their own, and what is in those is not the voice's.
fn files_in(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .take(MOST_FILES)
        .filter(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        // Of what a link leads to.
        .filter(|path| path.is_file())
        .collect()
}

/// Takes everything from this thread, and from those that it starts, but to read what is named here.
pub(super) fn restrict(readable: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::WriteFile))?
        .restrict_self()
}
