//! Fetching a tarball with the machine's own npm, which honours the user's registry, proxy and
//! certificates. This part must never install a package or run any of its scripts.

use std::path::{Path, PathBuf};

use super::{
    AssetError, AssetOverrides, Package,
    child::{Download, Program, find_program, first_that_works},
};

/// The npm of this machine, which is to fetch `package`; without one, `folder` is where the package may be
/// put.
pub(crate) fn find(
    overrides: &AssetOverrides,
    package: &Package,
    folder: &Path,
    interrupted: &dyn Fn() -> bool,
) -> Result<Program, AssetError> {
    let (mut commands, mut tried) = (Vec::new(), Vec::new());
    match find_program("npm", overrides) {
        Some(path) => commands.push(vec![path.into()]),
        None => tried.push("npm: not found".to_owned()),
    }
    let found = first_that_works("npm", commands, &mut tried, interrupted)?;
    found.ok_or_else(|| AssetError::NoNpm {
        package: format!("{}@{}", package.name, package.version),
        archive: package.archive(),
        folder: folder.to_owned(),
        tried,
    })
}

/// Fetches a tarball and returns its path.
pub(super) fn download(npm: &Program, download: Download<'_>) -> Result<PathBuf, AssetError> {
    let (out, temp) = download.folders()?;
    let package = download.package;
    let mut command = npm.command();
    command
        .arg("pack")
        .arg(format!("{}@{}", package.name, package.version))
        .arg("--pack-destination")
        .arg(&out)
        .args([
            "--ignore-scripts",
            "--loglevel=warn",
            "--no-update-notifier",
        ])
        // In a cache of its own one can see how much has arrived.
        .arg("--cache")
        .arg(&temp)
        // A project's settings in the user's working folder have no say in this.
        .current_dir(&out);
    download.run(command)
}
