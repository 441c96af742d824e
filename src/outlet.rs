//! A terminal that is written to without being waited for. One that is not read, because its line has
//! stalled or someone has pressed Ctrl-S, holds up neither the work nor a signal.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::termios::{QueueSelector, tcflush, tcgetpgrp, ttyname};

/// Ends an escape sequence that was begun: CAN of ECMA-48.
pub(crate) const CANCEL: u8 = 0x18;

/// A terminal, and what it has not taken yet.
#[derive(Debug)]
pub(crate) struct Outlet {
    file: File,
    pending: Vec<u8>,
    /// So many of those have left.
    sent: usize,
}

impl Outlet {
    /// The terminal behind this stream. It is opened anew: whether writing waits is a property of what
    /// was opened, which the stream shares with the shell. Where a terminal can't be opened by its name,
    /// writing to it waits as it does for everyone.
    ///
    /// # Errors
    /// The process has too many open files.
    pub(crate) fn of(stream: impl AsFd) -> io::Result<Self> {
        let stream = stream.as_fd();
        let file = match by_name(stream) {
            Some(own) => own,
            None => stream.try_clone_to_owned()?,
        };
        Ok(Self {
            file: file.into(),
            pending: Vec::new(),
            sent: 0,
        })
    }

    /// Has these bytes written, after all that were sent before. Takes as much of it as the terminal takes
    /// now; [`Self::flush`] and [`Self::flush_within`] bring it the rest.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        self.flush()
    }

    /// Whether the terminal has taken everything.
    pub(crate) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Writes as much as the terminal takes now.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.pending.len() {
            match self.file.write(&self.pending[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.pending.clear();
        self.sent = 0;
        Ok(())
    }

    /// Waits at most so long for the terminal to take everything. Returns whether it has.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn flush_within(&mut self, patience: Duration) -> io::Result<bool> {
        let until = Instant::now() + patience;
        loop {
            self.flush()?;
            let left = until.saturating_duration_since(Instant::now());
            if self.is_idle() || left.is_zero() {
                return Ok(self.is_idle());
            }
            let left = Timespec::try_from(left).unwrap_or_default();
            match poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives up what the terminal has not taken, and what nobody has read of it: so there is room for what
    /// comes next, which is not taken for a part of it.
    pub(crate) fn give_up(&mut self) {
        if self.is_idle() {
            return;
        }
        // Where that can't be, what comes next has to wait for its turn.
        let _ = tcflush(&self.file, QueueSelector::OFlush);
        self.pending.clear();
        self.sent = 0;
        self.pending.push(CANCEL);
    }
}

/// Says something on this stream, where a terminal is waited for so long at most: for last words.
///
/// # Errors
/// It can't be written to.
pub(crate) fn say_within(
    mut to: impl AsFd + IsTerminal + Write,
    text: &str,
    patience: Duration,
) -> io::Result<()> {
    if !to.is_terminal() {
        to.write_all(text.as_bytes())?;
        return to.flush();
    }
    let mut outlet = Outlet::of(&to)?;
    outlet.send(text.as_bytes())?;
    if !outlet.flush_within(patience)? {
        tracing::warn!("the terminal does not read: {text}");
    }
    Ok(())
}

/// Whether this is a terminal that takes nothing now, because nobody reads it.
pub(crate) fn is_stalled(stream: impl AsFd + IsTerminal) -> bool {
    let mut asked = [PollFd::new(&stream, PollFlags::OUT)];
    let now = Timespec::default();
    stream.is_terminal() && poll(&mut asked, Some(&now)) == Ok(0)
}

impl AsFd for Outlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Opens the terminal behind a stream for this process alone.
fn by_name(stream: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |path: &std::ffi::CStr| open(path, flags, Mode::empty()).ok();
    let terminal = fstat(stream).ok()?.st_rdev;
    let is_it = |file: &OwnedFd| fstat(file).is_ok_and(|found| found.st_rdev == terminal);
    let named = ttyname(stream, Vec::new()).ok()?;
    // Another user's terminal can't be opened by its name, but as the terminal of this session.
    let is_ours = || tcgetpgrp(stream).is_ok();
    (open(&named).filter(is_it)).or_else(|| is_ours().then(|| open(c"/dev/tty")).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_terminal_that_is_not_read_is_not_waited_for() {
        let system = portable_pty::native_pty_system();
        let pty = system.openpty(portable_pty::PtySize::default()).unwrap();
        let mut reader = pty.master.try_clone_reader().unwrap();
        let name = pty.master.tty_name().unwrap();
        let shared = open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut outlet = Outlet::of(&shared).unwrap();
        // More than any terminal keeps.
        let frame = vec![b'x'; 1 << 18];
        outlet.send(&frame).unwrap();
        assert!(!outlet.is_idle());
        assert!(!outlet.flush_within(Duration::from_millis(1)).unwrap());
        // What others write with goes on waiting.
        let others = rustix::fs::fcntl_getfl(&shared).unwrap();
        assert!(!others.contains(OFlags::NONBLOCK));
        outlet.give_up();
        outlet.send(b"end").unwrap();
        let mut last = Vec::new();
        while !last.ends_with(b"\x18end") {
            let mut bytes = [0; 4096];
            let count = reader.read(&mut bytes).unwrap();
            last.extend_from_slice(&bytes[..count]);
            outlet.flush().unwrap();
        }
        assert!(outlet.is_idle() && last.len() < frame.len());
        drop((reader, pty));
        assert!(outlet.send(b"x").is_err(), "it is gone");
    }
}
