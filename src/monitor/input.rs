//! Reads keys and the mouse on a thread of its own. It must never be inside crossterm when the
//! terminal is gone: crossterm would read "nothing" for ever and keep a core busy. So it waits by
//! itself, looks whether the terminal still stands, and only then lets crossterm read. Of crossterm's
//! two ways to read, this needs the one of `use-dev-tty`: the other one is told of a key only once,
//! forgets it when a change of size comes first, and the key would stay unread.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_channel::Sender;
use crossterm::event::{Event, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use rustix::event::{PollFd, PollFlags, poll};

use super::app::Message;
use super::incoming::{Incoming, Pointed};
use super::keys::Key;
use super::terminal;

/// Rows that one step of the wheel moves.
const WHEEL: i32 = 3;

/// How long crossterm may look for what is there already: with no time at all it looks at nothing.
const GLANCE: Duration = Duration::from_millis(1);

/// How long to wait for the thread. It may be waiting for the rest of a key that never comes.
const PATIENCE: Duration = Duration::from_millis(200);

/// So often what is read may break the reader, before the terminal counts as lost.
const MOST_PANICS: usize = 100;

/// The reading thread; it ends when this goes.
pub(super) struct Input {
    wake: Option<PipeWriter>,
    ended: mpsc::Receiver<()>,
}

impl Input {
    /// Starts reading.
    ///
    /// # Errors
    /// There is no terminal to read from, or no thread available.
    pub(super) fn start(to: Sender<Incoming>) -> io::Result<Self> {
        let keyboard = terminal::keyboard()?;
        let (woken, wake) = io::pipe()?;
        let (ending, ended) = mpsc::channel();
        thread::Builder::new()
            .name("aloud-input".to_owned())
            .spawn(move || {
                let _ending: mpsc::Sender<()> = ending;
                // What a terminal sends is anyone's: what crossterm breaks on costs that key.
                for _ in 0..MOST_PANICS {
                    let reading = AssertUnwindSafe(|| read(&keyboard, &woken, &to));
                    if panic::catch_unwind(reading).is_ok() {
                        return;
                    }
                    tracing::error!("what the terminal sent can't be read");
                }
                lost(&to);
            })?;
        Ok(Self {
            wake: Some(wake),
            ended,
        })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // Closing our end of the pipe wakes the thread; hearing that it ended is a disconnect.
        self.wake = None;
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

fn read(keyboard: &OwnedFd, woken: &PipeReader, to: &Sender<Incoming>) {
    loop {
        match wait(keyboard, woken) {
            Ok(Ready::Keys) => {}
            Ok(Ready::Stop) => return,
            Ok(Ready::Gone) => break,
            Err(error) => {
                tracing::warn!(%error, "the keyboard can't be read");
                break;
            }
        }
        loop {
            match crossterm::event::poll(GLANCE) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return lost(to),
            }
            let Ok(event) = crossterm::event::read() else {
                return lost(to);
            };
            if let Some(incoming) = understood(event)
                && to.send_blocking(incoming).is_err()
            {
                return;
            }
        }
    }
    lost(to);
}

fn lost(to: &Sender<Incoming>) {
    // Without a receiver nobody has to know.
    let _ = to.send_blocking(Incoming::TerminalLost);
}

enum Ready {
    Keys,
    Stop,
    Gone,
}

/// Waits until there is something to read, or no reason to go on.
fn wait(keyboard: impl AsFd, woken: impl AsFd) -> io::Result<Ready> {
    loop {
        let mut fds = [
            PollFd::new(&keyboard, PollFlags::IN),
            PollFd::new(&woken, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let [keys, stop] = fds.map(|fd| fd.revents());
        if !stop.is_empty() {
            return Ok(Ready::Stop);
        }
        if keys.intersects(gone) {
            return Ok(Ready::Gone);
        }
        if keys.contains(PollFlags::IN) {
            return Ok(Ready::Keys);
        }
    }
}

/// What the monitor takes from an event of the terminal.
fn understood(event: Event) -> Option<Incoming> {
    let message = match event {
        Event::Key(key) => Message::Key(Key::from_event(&key)?),
        Event::Mouse(MouseEvent {
            kind, column, row, ..
        }) => {
            let what = match kind {
                MouseEventKind::Down(MouseButton::Left) => Pointed::Click,
                MouseEventKind::ScrollDown => Pointed::Wheel(WHEEL),
                MouseEventKind::ScrollUp => Pointed::Wheel(-WHEEL),
                _ => return None,
            };
            return Some(Incoming::Pointer(Position::new(column, row), what));
        }
        Event::Resize(..) => Message::Tick,
        Event::Paste(text) => Message::Paste(text),
        Event::FocusGained | Event::FocusLost => return None,
    };
    Some(Incoming::Person(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_closed_terminal_is_noticed_before_anything_is_read() {
        let pty = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .unwrap();
        let name = pty.master.tty_name().unwrap();
        let slave = std::fs::File::options()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        assert!(slave.as_raw_fd() >= 0);
        let (woken, wake) = io::pipe().unwrap();
        let mut keys = pty.master.take_writer().unwrap();
        keys.write_all(b"x\n").unwrap();
        assert!(matches!(wait(&slave, &woken), Ok(Ready::Keys)));
        drop((keys, pty));
        assert!(matches!(wait(&slave, &woken), Ok(Ready::Gone)));
        drop(wake);
        assert!(matches!(wait(&slave, &woken), Ok(Ready::Stop)));
    }
}
