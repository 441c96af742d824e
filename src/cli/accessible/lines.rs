//! The one place that writes to standard output: a sentence a line, safe to print, at once. It must
//! never wait for a listener longer than the program has to live.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::cli::signals::Witness;
use crate::text::printable;

/// What any pipe or terminal that is ready takes without waiting.
const CHUNK: usize = 512;

/// How often someone who does not listen is asked whether the program is to end.
const PATIENCE: Duration = Duration::from_millis(250);

/// Standard output.
pub(super) struct Lines {
    signals: Witness,
    /// Nobody listens any more.
    lost: bool,
}

impl Lines {
    /// `signals` tells when it is useless to wait for a listener.
    pub(super) fn new(signals: Witness) -> Self {
        Self {
            signals,
            lost: false,
        }
    }

    /// Says one sentence. Whoever listened may have gone; the work continues without them.
    pub(super) fn say(&mut self, text: &str) {
        if self.lost {
            return;
        }
        let line = format!("{}\n", printable(text));
        if let Err(error) = self.write(line.as_bytes()) {
            tracing::warn!(%error, "nobody listens any more");
            self.lost = true;
        }
    }

    /// Says each of these.
    pub(super) fn say_all<S: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = S>) {
        for line in lines {
            self.say(line.as_ref());
        }
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let out = io::stdout();
        while !bytes.is_empty() {
            self.wait()?;
            match rustix::io::write(&out, &bytes[..bytes.len().min(CHUNK)]) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits until a listener takes more. One who holds the output back, as Ctrl-S does, is waited
    /// for until a signal comes.
    fn wait(&self) -> io::Result<()> {
        let out = io::stdout();
        let patience = Timespec::try_from(PATIENCE).ok();
        loop {
            let mut fds = [PollFd::new(&out, PollFlags::OUT)];
            match poll(&mut fds, patience.as_ref()) {
                Ok(0) if self.signals.exit_code().is_some() => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Ok(0) | Err(Errno::INTR) => {}
                // Also an error, which writing tells.
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
