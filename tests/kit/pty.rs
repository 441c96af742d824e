//! The real program in a real pseudo-terminal, seen through a terminal emulator. Waits for text to
//! appear, never for time to pass.
#![allow(dead_code, reason = "each user takes its own part")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// However slow the machine, nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct Terminal {
    parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Runs `program` with `args` in a home, on a terminal of so many columns and rows.
    pub fn run(program: &Path, args: &[&str], home: &Path, size: (u16, u16)) -> Self {
        let (cols, rows) = size;
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("ALOUD_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("NO_COLOR");
        // Whatever the locale of whoever tests.
        command.env("ALOUD_SYMBOLS", "unicode");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        Self {
            parser,
            output,
            input,
            child,
            master: pair.master,
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        self.until_screen(&format!("«{text}»"), |screen| screen.contains(text));
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until_screen(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !wanted(&self.text()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} never came; the screen is\n{}", self.text())
                }
            }
        }
    }

    /// Presses keys: the bytes that a terminal sends for them.
    pub fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for the program's end and returns its exit code.
    pub fn exit_code(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        // The program can't end while nobody reads what it writes.
        loop {
            match self.output.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            assert!(
                Instant::now() < until,
                "the program did not end\n{}",
                self.text()
            );
        }
        self.child.wait().unwrap().exit_code()
    }

    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(size).unwrap();
    }

    pub fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already unless a test failed.
        let _ = self.child.kill();
    }
}
