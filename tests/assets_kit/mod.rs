//! A small made-up catalogue, its wheels, and a pip made of shell, so that tests are fast.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use aloud::assets::{AssetError, AssetOverrides, Assets, Catalogue, Fetch, PieceId};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

pub const LIBRARY: &[u8] = b"the library";
pub const MODEL: &[u8] = b"the model, which is larger than the library";
pub const DATA: [(&str, &[u8]); 3] = [("phontab", b"tab"), ("lang/en", b"english"), ("empty", b"")];
pub const NEED: [PieceId; 2] = [PieceId::ONNXRUNTIME, PieceId::ESPEAK_NG];

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn tree_sha256() -> String {
    let mut data = DATA;
    data.sort();
    let lines = data.map(|(name, bytes)| format!("{name}\0{}\0{}\n", bytes.len(), sha256(bytes)));
    sha256(lines.concat().as_bytes())
}

pub struct Kit {
    pub folder: tempfile::TempDir,
    pub catalogue: Catalogue,
}

impl Kit {
    pub fn new() -> Kit {
        let pins = |role: &str, from: &str, to: &str, bytes: &[u8]| {
            format!(
                "[[piece.wheel.file]]\nrole='{role}'\nfrom='{from}'\nto='{to}'\nsize={}\nsha256='{}'\n",
                bytes.len(),
                sha256(bytes)
            )
        };
        let piece = |id: &str, folder: &str, package: &str| {
            format!(
                "[[piece]]\nid='{id}'\ntitle='Made-up {id}'\nversion='1.0'\nlicence='MIT'\n\
                 folder='{folder}'\nhint='get it yourself'\n[[piece.wheel]]\nplatform='here'\n\
                 package='{package}'\nversion='1.0'\ntag='any'\nsize=500\n"
            )
        };
        let data_size: usize = DATA.iter().map(|(_, bytes)| bytes.len()).sum();
        let text = [
            piece("onnxruntime", "onnxruntime/1.0", "run-time"),
            pins("library", "rt/lib.so", "lib.so", LIBRARY),
            pins("model", "rt/model.bin", "model.bin", MODEL),
            piece("espeak-ng", "espeak-ng/1.0", "speak"),
            pins("library", "sp/libespeak-ng.so", "libespeak-ng.so", LIBRARY),
            format!(
                "[[piece.wheel.tree]]\nrole='data'\nfrom='sp/espeak-ng-data/'\nto='espeak-ng-data'\n\
                 files={}\nsize={data_size}\nsha256='{}'\n",
                DATA.len(),
                tree_sha256()
            ),
        ]
        .concat();
        let catalogue = Catalogue::parse(&text, "here").unwrap();
        let kit = Kit {
            folder: tempfile::tempdir().unwrap(),
            catalogue,
        };
        fs::create_dir(kit.wheels()).unwrap();
        kit.wheel(
            "run_time-1.0-py3-none-any.whl",
            &[("rt/lib.so", LIBRARY), ("rt/model.bin", MODEL)],
        );
        kit.speak_wheel(&[]);
        kit
    }

    pub fn wheels(&self) -> PathBuf {
        self.folder.path().join("wheels")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn wheel(&self, name: &str, members: &[(&str, &[u8])]) -> PathBuf {
        let path = self.wheels().join(name);
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    /// The wheel of the second piece, with more members or others of the same name.
    pub fn speak_wheel(&self, others: &[(&str, &[u8])]) -> PathBuf {
        let mut members = vec![("sp/libespeak-ng.so".to_owned(), LIBRARY)];
        members.extend(DATA.map(|(name, bytes)| (format!("sp/espeak-ng-data/{name}"), bytes)));
        members.retain(|(name, _)| !others.iter().any(|(other, _)| other == name));
        let mut all: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), *b)).collect();
        all.extend(others);
        self.wheel("speak-1.0-py3-none-any.whl", &all)
    }

    /// A Python whose pip does `download` (shell, with `$1` the package and `$2` the folder),
    /// and counts its downloads.
    pub fn python(&self, download: &str) -> PathBuf {
        let path = self.folder.path().join("python");
        let count = self.folder.path().join("downloads-made");
        let script = format!(
            "#!/bin/sh\n[ \"$3\" = --version ] && {{ echo 'pip 99.0 from here'; exit 0; }}\n\
             while [ $# -gt 0 ]; do case \"$1\" in -d) dir=\"$2\";; *==*) name=\"${{1%%==*}}\";; esac; shift; done\n\
             echo \"$name\" >> '{}'\nset -- \"$(echo \"$name\" | tr - _)\" \"$dir\"\n{download}\n",
            count.display()
        );
        // A child writes it: if this process did, a test that starts a program at the same
        // time could hold it open for writing, and it could not be executed ("text file busy").
        let mut write = std::process::Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        write
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        assert!(write.wait().unwrap().success());
        path
    }

    /// A Python whose pip works.
    pub fn good_python(&self) -> PathBuf {
        self.python(&format!("cp '{}'/$1-* \"$2\"", self.wheels().display()))
    }

    pub fn downloads_made(&self) -> usize {
        let made = fs::read_to_string(self.folder.path().join("downloads-made"));
        made.map_or(0, |text| text.lines().count())
    }

    pub fn overrides(&self, python: PathBuf) -> AssetOverrides {
        AssetOverrides {
            python: Some(python),
            system_root: Some(self.folder.path().join("no-system")),
            ..AssetOverrides::default()
        }
    }

    pub fn assets(&self, python: PathBuf) -> Assets {
        Assets::with_catalogue(&self.data(), self.overrides(python), self.catalogue.clone())
    }

    /// Assets whose pip can't be reached.
    pub fn unconnected(&self) -> Assets {
        self.assets(self.folder.path().join("no-python"))
    }
}

pub fn ensure(assets: &Assets, from: &Fetch) -> Result<(), AssetError> {
    assets.ensure(&NEED, from, &mut |_| {}, &|| false)
}

/// Files whose name shows that something was left over.
pub fn litter(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        } else if entry.path().is_dir() {
            found.extend(litter(&entry.path()));
        }
    }
    found
}
