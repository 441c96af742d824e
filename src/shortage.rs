//! What the system, or a limit of this session, has too little of. Whatever meets such a shortage first
//! is not to blame for it: advice about that file, voice or text would send people the wrong way.

use std::borrow::Cow;
use std::fmt;
use std::io;

use rustix::io::Errno;

/// Something that there is too little of.
///
/// ```
/// # use aloud::engine::Shortage;
/// let error = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
/// assert_eq!(Shortage::of(&error), Some(Shortage::Memory));
/// let error = std::io::Error::from(std::io::ErrorKind::NotFound);
/// assert_eq!(Shortage::of(&error), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortage {
    /// This process has as many files open as it may.
    OpenFiles,
    /// The whole system has as many files open as it can.
    SystemFiles,
    /// There is no memory left, or no more that this process may take.
    Memory,
    /// A file is as large as this process may make one, or as its disk can hold one.
    FileSize,
}

impl Shortage {
    /// The shortage that an error of the system tells of, if it does.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::MFILE) => Some(Self::OpenFiles),
            Some(Errno::NFILE) => Some(Self::SystemFiles),
            _ => match error.kind() {
                io::ErrorKind::OutOfMemory => Some(Self::Memory),
                io::ErrorKind::FileTooLarge => Some(Self::FileSize),
                _ => None,
            },
        }
    }

    /// Whether it may have passed when the same is tried again in this process.
    pub(crate) fn may_pass(self) -> bool {
        // The limits of a process stay, but what it has taken up to a limit it may give back.
        self != Self::FileSize
    }

    /// What to do next, as a sentence without its full stop.
    #[must_use]
    pub fn remediation(self) -> &'static str {
        match self {
            Self::OpenFiles => {
                "Raise the limit on open files of this shell or session (`ulimit -n` shows it), then \
                 try again"
            }
            Self::SystemFiles => "End some other programs, then try again",
            Self::Memory => {
                "End some other programs, or raise the limit on memory of this shell or session \
                 (`ulimit -v` shows it), then try again"
            }
            Self::FileSize => {
                "Raise the limit on the size of files of this shell or session (`ulimit -f` shows \
                 it; without one it is the disk's own), then try again"
            }
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenFiles => "this program has too many files open",
            Self::SystemFiles => "the system has too many files open",
            Self::Memory => "there is too little memory",
            Self::FileSize => "a file would become too large",
        })
    }
}

/// What to do about an error of the system, to stand at the end of a sentence: what helps against a
/// shortage if it is one, and `otherwise` if not.
pub(crate) fn advice(error: &io::Error, otherwise: &'static str) -> Cow<'static, str> {
    match Shortage::of(error) {
        Some(shortage) => {
            let mut advice = shortage.remediation().to_owned();
            advice[..1].make_ascii_lowercase();
            Cow::Owned(advice)
        }
        None => Cow::Borrowed(otherwise),
    }
}

/// What the system said, and what helps against a shortage if it is one.
#[cfg(feature = "narrate")]
pub(crate) fn told(error: &io::Error) -> String {
    match Shortage::of(error) {
        Some(_) => format!("{error}; {}", advice(error, "")),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let cases = [
            (Errno::MFILE, Some(Shortage::OpenFiles)),
            (Errno::NFILE, Some(Shortage::SystemFiles)),
            (Errno::NOMEM, Some(Shortage::Memory)),
            (Errno::FBIG, Some(Shortage::FileSize)),
            (Errno::NOENT, None),
            (Errno::NOSPC, None),
        ];
        for (errno, shortage) in cases {
            assert_eq!(Shortage::of(&errno.into()), shortage, "{errno}");
        }
        // What a vector says that could not grow.
        let failed = Vec::<u8>::new().try_reserve_exact(isize::MAX as usize);
        assert_eq!(
            Shortage::of(&failed.unwrap_err().into()),
            Some(Shortage::Memory)
        );
    }

    #[test]
    fn advice_is_about_the_shortage_where_there_is_one() {
        let say = |errno: Errno| advice(&errno.into(), "check its permissions");
        assert_eq!(say(Errno::ACCESS), "check its permissions");
        assert!(say(Errno::MFILE).starts_with("raise the limit on open files"));
        assert!(say(Errno::NOMEM).starts_with("end some other programs"));
    }
}
