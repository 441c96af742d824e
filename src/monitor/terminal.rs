//! The one owner of the terminal: enters it, draws on it, and gives it back as it was on every way
//! out, a panic included. Nothing else in the program may write to it meanwhile.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    self, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue};
use ratatui::layout::Rect;

use super::app::{App, percent_of, share_done};
use super::canvas::{Canvas, Pace, PendingOutput};
use super::escape::{PopTitle, PushTitle, TaskBar, Title, erases_in_colour};
use super::theme::SymbolSet;
use super::view;
use crate::model::TaskState;

/// Whether the terminal is ours now. One for the process, as there is one terminal; the panic hook
/// has no other way to know.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// In mere progress, title and task bar are told only so often.
const TOLD_EACH: Duration = Duration::from_secs(1);

/// The screen, from entering to leaving it.
pub(super) struct Screen {
    file: File,
    canvas: Canvas,
    title: String,
    symbols: SymbolSet,
    /// `None` where the terminal doesn't know it.
    task_bar: Option<TaskBar>,
    /// When title and task bar were last told.
    told: Instant,
    /// How long they have to wait, if they have changed since.
    held: Option<Duration>,
    _hook: PanicHook,
}

impl Screen {
    /// Takes the terminal over, to draw on it with these symbols.
    ///
    /// # Errors
    /// The terminal can't be written to or set up.
    pub(super) fn enter(symbols: SymbolSet) -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let hook = PanicHook::install();
        enter().inspect_err(|_| restore())?;
        let known = TaskBar::is_known(|name| std::env::var(name).ok());
        Ok(Self {
            file,
            canvas: Canvas::new(erases_in_colour(|name| std::env::var(name).ok())),
            title: String::new(),
            symbols,
            task_bar: known.then_some(TaskBar::Clear),
            told: Instant::now(),
            held: None,
            _hook: hook,
        })
    }

    /// Draws what changed. Nothing is written if nothing did. A frame goes out in one piece or not at
    /// all: what a panic left half-made is never sent. Without `all`, it carries no more than mere progress
    /// may take. Returns what there is left to write.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn draw(&mut self, app: &mut App, all: bool) -> io::Result<PendingOutput> {
        let (width, height) = terminal::size()?;
        let area = Rect::new(0, 0, width, height);
        let wait = TOLD_EACH.saturating_sub(self.told.elapsed());
        let is_time = all || app.all_done() || wait.is_zero();
        let (around, is_held) = self.tell_around(app, is_time);
        let pace = if all {
            Pace::AtOnce
        } else {
            Pace::InShares(around.len())
        };
        let mut frame = self.canvas.draw(app, area, self.symbols, pace);
        frame.push_str(&around);
        if !frame.is_empty() {
            self.file.write_all(frame.as_bytes())?;
        }
        self.held = is_held.then_some(wait);
        Ok(self.behind())
    }

    fn behind(&self) -> PendingOutput {
        match (self.canvas.behind(), self.held) {
            (PendingOutput::Nothing, Some(wait)) => PendingOutput::Held(wait),
            (PendingOutput::Held(other), Some(wait)) => PendingOutput::Held(wait.min(other)),
            (behind, _) => behind,
        }
    }

    /// Writes more of what the last frame had no room for. Returns what there is left to write.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn go_on(&mut self) -> io::Result<PendingOutput> {
        let share = self.canvas.go_on();
        if !share.is_empty() {
            self.file.write_all(share.as_bytes())?;
        }
        Ok(self.behind())
    }

    /// The title and the task bar, if they changed and it is time. Returns whether they wait for it.
    fn tell_around(&mut self, app: &App, is_time: bool) -> (String, bool) {
        let mut around = String::new();
        let (title, bar) = (title(app), task_bar(app));
        let is_bar_new = self.task_bar.is_some_and(|shown| shown != bar);
        if title == self.title && !is_bar_new {
            return (around, false);
        }
        if !is_time {
            return (around, true);
        }
        if title != self.title {
            // Writing to a string can't fail.
            let _ = write!(around, "{}", Title(&self.symbols.text(&title)));
            self.title = title;
        }
        if is_bar_new {
            let _ = write!(around, "{bar}");
            self.task_bar = Some(bar);
        }
        self.told = Instant::now();
        (around, false)
    }

    /// Puts a text on the clipboard of the person's own machine, over SSH too, where the terminal
    /// allows it (OSC 52). Nothing tells whether it did.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        self.file.write_all(&bytes)
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn refresh(&mut self) {
        self.canvas.forget();
        self.title.clear();
        self.task_bar = self.task_bar.map(|_| TaskBar::Clear);
    }

    /// Gives the terminal back for a while.
    pub(super) fn pause(&mut self) {
        restore();
    }

    /// Takes it over again after [`Self::pause`], or after someone else had it.
    ///
    /// # Errors
    /// The terminal can't be written to or set up.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        // Raw mode is set only once by crossterm; after a stop the shell has undone it.
        restore();
        enter()?;
        self.refresh();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::Release);
    let mut out = Vec::new();
    write!(out, "{PushTitle}")?;
    queue!(
        out,
        EnterAlternateScreen,
        cursor::Hide,
        EnableMouseCapture,
        EnableBracketedPaste
    )?;
    io::stdout().write_all(&out)?;
    io::stdout().flush()
}

/// Gives the terminal back as it was, once; errors have nowhere to go.
fn restore() {
    if !ENTERED.swap(false, Ordering::AcqRel) {
        return;
    }
    let mut text = String::new();
    let known = TaskBar::is_known(|name| std::env::var(name).ok());
    if known {
        let _ = write!(text, "{}", TaskBar::Clear);
    }
    let mut out = text.into_bytes();
    // Writing to memory does not fail. A frame that was broken off may have left an update open.
    let _ = queue!(
        out,
        EndSynchronizedUpdate,
        ResetColor,
        DisableBracketedPaste,
        DisableMouseCapture,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = write!(out, "{PopTitle}");
    let _ = io::stdout().write_all(&out);
    let _ = io::stdout().flush();
    let _ = disable_raw_mode();
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Sync + Send;

/// While the screen is up: a panic of its own thread gives the terminal back before anything is
/// printed; one of another thread is logged, for the engine catches it and continues.
struct PanicHook(Arc<Hook>);

impl PanicHook {
    fn install() -> Self {
        let before: Arc<Hook> = panic::take_hook().into();
        let inner = Arc::clone(&before);
        let owner = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == owner {
                restore();
            }
            if ENTERED.load(Ordering::Acquire) {
                tracing::error!("{info}");
            } else {
                inner(info);
            }
        }));
        Self(before)
    }
}

impl Drop for PanicHook {
    fn drop(&mut self) {
        // The hook can't be changed while a panic is under way, and is harmless by then.
        if !thread::panicking() {
            let before = Arc::clone(&self.0);
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// What the window is called: how far, and what with.
fn title(app: &App) -> String {
    match app.tasks.first_running() {
        Some(task) => {
            let name = view::text::fit(&task.title, 60);
            format!("{} % · {name} · aloud", percent_of(share_done(task)))
        }
        None if app.all_done() => "✔ aloud".to_owned(),
        None => "aloud".to_owned(),
    }
}

fn task_bar(app: &App) -> TaskBar {
    let totals = app.tasks.totals();
    if totals.active() == 0 {
        return TaskBar::Clear;
    }
    let percent = percent_of(totals.fraction());
    if totals.count(TaskState::Failed) > 0 {
        TaskBar::Failed(percent)
    } else {
        TaskBar::Percent(percent)
    }
}

/// Where keys come from: standard input if it is a terminal, else the terminal of the session, as
/// crossterm chooses.
pub(super) fn keyboard() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    let tty = File::options().read(true).write(true).open("/dev/tty")?;
    Ok(tty.into())
}
