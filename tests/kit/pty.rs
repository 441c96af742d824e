//! The real program in a real pseudo-terminal, seen through a terminal emulator. Waits for text to
//! appear, never for time to pass.
#![allow(dead_code, reason = "each user takes its own part")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// However slow the machine, nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the terminal of whoever tests would tell the program.
const FOREIGN: [&str; 17] = [
    "NO_COLOR",
    "TERM_PROGRAM",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "WSL_DISTRO_NAME",
    "SSH_CONNECTION",
    "SSH_TTY",
    "ALOUD_THEME",
    "ALOUD_VOICE",
    "ALOUD_PLAYER",
    "ALOUD_ON_HANGUP",
    "ALOUD_FAILPOINT",
    "ACCESSIBLE",
    // A service manager of theirs would go on with the work.
    "XDG_RUNTIME_DIR",
];

/// `program` with `args` in a home, in a terminal that can do everything.
pub fn command(program: &Path, args: &[&str], home: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("ALOUD_HOME", home);
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    // Whatever the locale of whoever tests.
    command.env("ALOUD_SYMBOLS", "unicode");
    command
}

pub struct Terminal {
    parser: vt100::Parser,
    /// Every byte that the program has written.
    raw: Vec<u8>,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    reader: JoinHandle<()>,
    /// The reader is to let go of the terminal.
    closing: Arc<AtomicBool>,
    /// Held while nobody reads what the program writes.
    reading: Arc<Mutex<()>>,
    process: Process,
}

/// The program itself. Killed if a test leaves it.
pub struct Process {
    child: Box<dyn Child + Send + Sync>,
    has_ended: bool,
}

impl Process {
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap()
    }

    /// The exit code, if it has ended.
    pub fn ended(&mut self) -> Option<u32> {
        let status = self.child.try_wait().unwrap()?;
        self.has_ended = true;
        Some(status.exit_code())
    }

    /// Waits for its end.
    #[track_caller]
    pub fn exit_code(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(code) = self.ended() {
                return code;
            }
            assert!(Instant::now() < until, "the program did not end");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended {
            // It may have ended in this moment, which is as good.
            let _ = kill_process(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Terminal {
    /// Runs `program` with `args` in a home, on a terminal of so many columns and rows.
    pub fn run(program: &Path, args: &[&str], home: &Path, size: (u16, u16)) -> Self {
        Self::start(command(program, args, home), size)
    }

    /// Runs a command on a terminal of so many columns and rows.
    pub fn start(command: CommandBuilder, (cols, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(cols, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        let closing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&closing);
        let reading = Arc::new(Mutex::new(()));
        let turn = Arc::clone(&reading);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                drop(turn.lock());
                if sender.send(buffer[..count].to_vec()).is_err() || told.load(Ordering::Acquire) {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        Self {
            parser,
            raw: Vec::new(),
            output,
            input,
            master: pair.master,
            reader,
            closing,
            reading,
            process: Process {
                child,
                has_ended: false,
            },
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        self.until_screen(&format!("`{text}`"), |screen| screen.contains(text));
    }

    /// Waits until `text` is not on the screen any more.
    #[track_caller]
    pub fn until_gone(&mut self, text: &str) {
        self.until_screen(&format!("a screen without `{text}`"), |screen| {
            !screen.contains(text)
        });
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until_screen(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.until_seen(what, |terminal| wanted(&terminal.text()));
    }

    /// Waits until this holds of what was written so far.
    #[track_caller]
    pub fn until_seen(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        // What is half-drawn is never looked at.
        while self.is_drawing() || !wanted(self) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} never came; the screen is\n{}", self.text())
                }
            }
        }
    }

    /// Waits until these bytes were written after the first `from`.
    #[track_caller]
    pub fn until_written(&mut self, from: usize, bytes: &[u8]) {
        let what = format!("{:?}", String::from_utf8_lossy(bytes));
        self.until_seen(&what, |terminal| has(&terminal.raw[from..], bytes));
    }

    /// Whether a frame has begun that has not ended.
    fn is_drawing(&self) -> bool {
        let update = b"\x1b[?2026";
        let mut windows = self.raw.windows(update.len());
        let last = windows.rposition(|window| window == update);
        last.is_some_and(|at| self.raw.get(at + update.len()) != Some(&b'l'))
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    /// Presses keys: the bytes that a terminal sends for them.
    pub fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Hands a text over in brackets, as terminals paste.
    pub fn paste(&mut self, text: &str) {
        self.press(&format!("\u{1b}[200~{text}\u{1b}[201~"));
    }

    /// Presses the left button on a text of the screen, and lets it go.
    #[track_caller]
    pub fn click(&mut self, text: &str) {
        let Some((col, row)) = self.find(text) else {
            panic!("there is no `{text}` to click on in\n{}", self.text());
        };
        let (col, row) = (col + 1, row + 1);
        self.press(&format!("\u{1b}[<0;{col};{row}M\u{1b}[<0;{col};{row}m"));
    }

    /// The column and row where a text begins, both from 0.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        let (rows, cols) = self.screen().size();
        (0..rows.get()).find_map(|row| {
            let (mut line, mut starts) = (String::new(), Vec::new());
            for col in 0..cols.get() {
                let cell = self.screen().cell(row, col)?;
                if cell.is_wide_continuation() {
                    continue;
                }
                starts.push((line.len(), col));
                line += if cell.has_contents() {
                    cell.contents()
                } else {
                    " "
                };
            }
            let place = line.find(text)?;
            let start = starts.iter().rfind(|(start, _)| *start <= place)?;
            Some((start.1, row))
        })
    }

    /// The cell in which a text begins.
    #[track_caller]
    pub fn cell_of(&self, text: &str) -> &vt100::Cell {
        let Some((col, row)) = self.find(text) else {
            panic!("there is no `{text}` in\n{}", self.text());
        };
        self.screen().cell(row, col).unwrap()
    }

    /// Waits for the program's end and returns its exit code.
    #[track_caller]
    pub fn exit_code(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        // The program can't end while nobody reads what it writes.
        loop {
            match self.output.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            assert!(
                Instant::now() < until,
                "the program did not end\n{}",
                self.text()
            );
        }
        self.process.exit_code()
    }

    /// The terminal is as it was before the program came.
    #[track_caller]
    pub fn assert_given_back(&self) {
        let screen = self.screen();
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is left on"
        );
        assert!(!screen.hide_cursor(), "the cursor is left hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is left on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Every byte that the program has written.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(size(cols, rows)).unwrap();
    }

    /// Nobody reads what the program writes while this is held, but for what is being read: as when a
    /// line has stalled.
    pub fn reading(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.reading)
    }

    /// Waits for the program's end without reading what it writes.
    #[track_caller]
    pub fn exit_code_unread(&mut self) -> u32 {
        self.process.exit_code()
    }

    /// Another size for the program, one that no emulator could show.
    pub fn resize_unseen(&mut self, cols: u16, rows: u16) {
        self.master.resize(size(cols, rows)).unwrap();
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Takes the terminal away from the program, which must be at work: it goes as soon as the
    /// program writes the next time.
    #[track_caller]
    pub fn close(self) -> Process {
        let Self {
            input,
            master,
            reader,
            closing,
            process,
            ..
        } = self;
        closing.store(true, Ordering::Release);
        let until = Instant::now() + PATIENCE;
        while !reader.is_finished() {
            assert!(Instant::now() < until, "the program writes nothing");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop((input, master));
        process
    }
}

/// Whether `bytes` are somewhere in `all`.
pub fn has(all: &[u8], bytes: &[u8]) -> bool {
    all.windows(bytes.len()).any(|window| window == bytes)
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}
