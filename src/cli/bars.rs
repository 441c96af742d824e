//! Bars on standard error, drawn only as long as the terminal reads them: one that has stalled holds up
//! nothing of what they tell.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};
use rustix::termios::tcgetwinsize;

use super::LAST_WORDS;
use crate::outlet::Outlet;

/// How often a second bars are drawn.
const RATE: u8 = 10;

/// The terminal behind standard error.
#[derive(Clone, Debug)]
pub(super) struct BarTerminal(Arc<Mutex<Drawing>>);

#[derive(Debug)]
struct Drawing {
    outlet: Outlet,
    /// What is being drawn.
    frame: String,
}

impl Drop for Drawing {
    fn drop(&mut self) {
        // What the terminal does not take by then is lost with it.
        let _ = self.outlet.flush_within(LAST_WORDS);
    }
}

impl BarTerminal {
    /// `None` if there is none to be opened.
    pub(super) fn open() -> Option<Self> {
        let outlet = Outlet::of(io::stderr()).ok()?;
        let frame = String::new();
        Some(Self(Arc::new(Mutex::new(Drawing { outlet, frame }))))
    }

    /// For bars to be drawn on.
    pub(super) fn target(&self) -> ProgressDrawTarget {
        ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), RATE)
    }

    /// Says something on a line of its own, where no bar stands now. It comes when the terminal reads.
    pub(super) fn line(&self, text: &str) {
        // Nobody is left to be told when standard error is gone.
        let _ = self.lock().outlet.send(format!("{text}\n").as_bytes());
    }

    fn lock(&self) -> MutexGuard<'_, Drawing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.lock().frame.write_fmt(text);
    }

    /// A movement of the cursor, of ECMA-48.
    fn go(&self, by: usize, way: char) {
        if by > 0 {
            self.add(format_args!("\x1b[{by}{way}"));
        }
    }
}

impl TermLike for BarTerminal {
    fn width(&self) -> u16 {
        let size = tcgetwinsize(io::stderr()).ok();
        size.map_or(80, |size| size.ws_col.max(1))
    }

    fn height(&self) -> u16 {
        let size = tcgetwinsize(io::stderr()).ok();
        size.map_or(24, |size| size.ws_row.max(1))
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(format_args!("{text}\n"));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(format_args!("{text}"));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add(format_args!("\r\x1b[2K"));
        Ok(())
    }

    /// Sends what was drawn, unless the frame before has not left yet: then it fails, for whoever draws
    /// counts the lines that are there, and the next one says more.
    fn flush(&self) -> io::Result<()> {
        let mut drawing = self.lock();
        let frame = std::mem::take(&mut drawing.frame);
        drawing.outlet.flush()?;
        if !drawing.outlet.is_idle() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        drawing.outlet.send(frame.as_bytes())
    }
}
