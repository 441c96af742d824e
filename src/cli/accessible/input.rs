//! Reads lines on a thread of its own, from a terminal, a pipe or a file. It must never read when
//! there is nothing to read: it waits for input or for its own end, whichever comes first, and
//! notices a terminal that is gone.

use std::io::{self, IsTerminal, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::thread::{self, JoinHandle};

use async_channel::Sender;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::Incoming;

/// No path and no command is longer.
const LONGEST: usize = 16 * 1024;

/// The reading thread; it ends when this goes.
pub(super) struct Input {
    wake: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Input {
    /// Starts reading standard input.
    ///
    /// # Errors
    /// No pipe or no thread is available.
    pub(super) fn start(to: Sender<Incoming>) -> io::Result<Self> {
        let (woken, wake) = io::pipe()?;
        let thread = thread::Builder::new()
            .name("aloud-input".to_owned())
            .spawn(move || {
                let input = io::stdin();
                let is_terminal = input.is_terminal();
                // Without a receiver nobody has to know how it ended.
                let _ = read(&input, is_terminal, &woken, &to);
            })?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
        })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // Closing our end of the pipe wakes the thread.
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It only reads; there is nothing to say about a panic there that the log has not.
            let _ = thread.join();
        }
    }
}

/// Whoever is told has gone.
struct NobodyIsTold;

fn read(
    input: impl AsFd,
    is_terminal: bool,
    woken: &PipeReader,
    to: &Sender<Incoming>,
) -> Result<(), NobodyIsTold> {
    let tell = |incoming| to.send_blocking(incoming).map_err(|_| NobodyIsTold);
    let mut splitter = Splitter::default();
    let mut buffer = [0; 4096];
    loop {
        match wait(&input, is_terminal, woken) {
            Ready::Input => {}
            Ready::Stop => return Ok(()),
            Ready::Gone => return tell(Incoming::TerminalLost),
        }
        match rustix::io::read(&input, &mut buffer) {
            // Ctrl-D: the terminal itself continues.
            Ok(0) if is_terminal => tell(Incoming::InputEnded { for_good: false })?,
            Ok(0) => {
                if let Some(line) = splitter.last() {
                    tell(line)?;
                }
                return tell(Incoming::InputEnded { for_good: true });
            }
            Ok(count) => {
                for line in splitter.split(&buffer[..count]) {
                    tell(line)?;
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => {
                tracing::warn!(%error, "standard input can't be read");
                return tell(if is_terminal {
                    Incoming::TerminalLost
                } else {
                    Incoming::InputEnded { for_good: true }
                });
            }
        }
    }
}

enum Ready {
    Input,
    Stop,
    Gone,
}

fn wait(input: &impl AsFd, is_terminal: bool, woken: &PipeReader) -> Ready {
    loop {
        let mut fds = [
            PollFd::new(input, PollFlags::IN),
            PollFd::new(woken, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => {
                tracing::warn!(%error, "standard input can't be waited for");
                return Ready::Gone;
            }
        }
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let [input, stop] = fds.map(|fd| fd.revents());
        if !stop.is_empty() {
            return Ready::Stop;
        }
        // A pipe whose writer has gone still has what was written to it, and then its end.
        if is_terminal && input.intersects(gone) {
            return Ready::Gone;
        }
        if !input.is_empty() {
            return Ready::Input;
        }
    }
}

/// Makes lines of bytes as they come.
#[derive(Default)]
struct Splitter {
    begun: Vec<u8>,
    /// What is begun is longer than a line may be.
    too_long: bool,
}

impl Splitter {
    fn split(&mut self, mut bytes: &[u8]) -> Vec<Incoming> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            lines.push(self.take());
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
        lines
    }

    /// What stands after the last end of line.
    fn last(&mut self) -> Option<Incoming> {
        (!self.begun.is_empty() || self.too_long).then(|| self.take())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.too_long |= self.begun.len() + bytes.len() > LONGEST;
        if self.too_long {
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    fn take(&mut self) -> Incoming {
        let line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.too_long) {
            return Incoming::LineTooLong;
        }
        Incoming::Line(String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// What a reader of this input is told.
    fn told(bytes: &[u8]) -> Vec<String> {
        let (input, mut writer) = io::pipe().unwrap();
        let (woken, _wake) = io::pipe().unwrap();
        let (sender, receiver) = async_channel::unbounded();
        writer.write_all(bytes).unwrap();
        drop(writer);
        assert!(read(&input, false, &woken, &sender).is_ok());
        receiver.close();
        let told = std::iter::from_fn(|| receiver.try_recv().ok());
        told.map(|incoming| format!("{incoming:?}")).collect()
    }

    #[test]
    fn a_pipe_gives_its_lines_and_then_its_end() {
        let end = "InputEnded { for_good: true }";
        assert_eq!(told(b""), [end]);
        assert_eq!(
            told(b"l\n\nquit"),
            ["Line(\"l\")", "Line(\"\")", "Line(\"quit\")", end]
        );
        let mut long = vec![b'x'; LONGEST + 1];
        long.extend_from_slice(b"\nl\xff\n");
        assert_eq!(told(&long), ["LineTooLong", "Line(\"l\u{FFFD}\")", end]);
    }

    #[test]
    fn it_is_woken_to_end_and_a_closed_terminal_is_noticed() {
        let (input, _writer) = io::pipe().unwrap();
        let (woken, wake) = io::pipe().unwrap();
        let (sender, receiver) = async_channel::unbounded();
        drop(wake);
        assert!(read(&input, false, &woken, &sender).is_ok());
        assert!(receiver.is_empty());

        let (input, writer) = io::pipe().unwrap();
        let (woken, _wake) = io::pipe().unwrap();
        drop(writer);
        assert!(read(&input, true, &woken, &sender).is_ok());
        assert!(matches!(receiver.try_recv(), Ok(Incoming::TerminalLost)));
    }
}
