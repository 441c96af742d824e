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
use std::time::Duration;

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
use ratatui::layout::{Position, Rect};
use smol::Async;

use super::app::{App, Spot, percent_of, share_done};
use super::canvas::Canvas;
use super::escape::{PopTitle, PushTitle, TaskBar, Title, erases_in_colour};
use super::scene::Scene;
use super::view;
use crate::model::TaskState;
use crate::outlet::{CANCEL, Outlet};

/// Whether the terminal is ours now. One for the process, as there is one terminal; the panic hook
/// has no other way to know.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// What a frame begins and ends with, so that nobody sees half of it: private mode 2026 of terminals.
const SYNCHRONIZED: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// How long a terminal is waited for that is given back.
const FAREWELL: Duration = Duration::from_millis(300);

/// How often to look whether the terminal takes more, where the system doesn't say it: macOS, of a terminal
/// that was opened as `/dev/tty`.
const GLANCE: Duration = Duration::from_millis(20);

/// The screen, from entering to leaving it.
pub(super) struct Screen {
    outlet: Outlet,
    /// Says when the terminal takes more; `None` where the system doesn't.
    readiness: Option<Async<OwnedFd>>,
    canvas: Canvas,
    title: String,
    scene: Scene,
    /// `None` where the terminal doesn't know it.
    task_bar: Option<TaskBar>,
    _hook: PanicHook,
}

impl Screen {
    /// Takes the terminal over, to draw this on it.
    ///
    /// # Errors
    /// The terminal can't be written to or set up.
    pub(super) fn enter(scene: Scene) -> io::Result<Self> {
        let mut outlet = Outlet::of(io::stdout())?;
        let readiness = outlet.as_fd().try_clone_to_owned();
        // Some systems can't say it of a terminal.
        let readiness = readiness.and_then(Async::new_nonblocking).ok();
        let hook = PanicHook::install();
        enter(&mut outlet).inspect_err(|_| restore_anew())?;
        let known = TaskBar::is_known(|name| std::env::var(name).ok());
        Ok(Self {
            outlet,
            readiness,
            canvas: Canvas::new(erases_in_colour(|name| std::env::var(name).ok())),
            title: String::new(),
            scene,
            task_bar: known.then_some(TaskBar::Clear),
            _hook: hook,
        })
    }

    /// What is at this place.
    pub(super) fn spot(&self, at: Position) -> Spot {
        self.scene.spot(at)
    }

    /// Whether the last frame has left: only then is the next one drawn.
    pub(super) fn is_idle(&self) -> bool {
        self.outlet.is_idle()
    }

    /// Waits until the last frame has left; for ever if it has already.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) async fn has_left(&mut self) -> io::Result<()> {
        while !self.outlet.is_idle() {
            if let Some(readiness) = &self.readiness {
                readiness.writable().await?;
            } else {
                smol::Timer::after(GLANCE).await;
            }
            self.outlet.flush()?;
            if self.outlet.is_idle() {
                return Ok(());
            }
        }
        smol::future::pending().await
    }

    /// Draws what changed. Nothing is written if nothing did. A frame goes out in one piece or not at
    /// all: what a panic left half-made is never sent. Returns how many bytes it has.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn draw(&mut self, app: &mut App) -> io::Result<usize> {
        let (width, height) = terminal::size()?;
        let area = Rect::new(0, 0, width, height);
        let scene = &mut self.scene;
        let mut frame = self.canvas.draw(area, |buf| scene.draw(buf, app));
        self.tell_around(app, &mut frame);
        if frame.is_empty() {
            return Ok(0);
        }
        let (begin, end) = SYNCHRONIZED;
        let frame = [begin, &frame, end].concat();
        self.outlet.send(frame.as_bytes())?;
        Ok(frame.len())
    }

    /// The title and the task bar, if they have changed.
    fn tell_around(&mut self, app: &App, frame: &mut String) {
        let title = title(app);
        if title != self.title {
            // Writing to a string can't fail.
            let _ = write!(frame, "{}", Title(&self.scene.text(&title)));
            self.title = title;
        }
        let bar = task_bar(app);
        if self.task_bar.is_some_and(|shown| shown != bar) {
            let _ = write!(frame, "{bar}");
            self.task_bar = Some(bar);
        }
    }

    /// Puts a text on the clipboard of the person's own machine, over SSH too, where the terminal
    /// allows it (OSC 52). Nothing tells whether it did.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        self.outlet.send(&bytes)
    }

    /// Forgets what is on the screen: the next frame is drawn from nothing.
    pub(super) fn refresh(&mut self) {
        self.canvas.forget();
        self.title.clear();
        self.task_bar = self.task_bar.map(|_| TaskBar::Clear);
    }

    /// Gives the terminal back for a while.
    pub(super) fn pause(&mut self) {
        restore(&mut self.outlet);
    }

    /// Takes it over again after [`Self::pause`], or after someone else had it.
    ///
    /// # Errors
    /// The terminal can't be written to or set up.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        // Raw mode is set only once by crossterm; after a stop the shell has undone it.
        restore(&mut self.outlet);
        enter(&mut self.outlet)?;
        self.refresh();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore(&mut self.outlet);
    }
}

fn enter(outlet: &mut Outlet) -> io::Result<()> {
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
    outlet.send(&out)
}

/// The same without the screen: from a panic, in the middle of whatever it was sending.
fn restore_anew() {
    if let Ok(mut outlet) = Outlet::of(io::stdout()) {
        let _ = outlet.send(&[CANCEL]);
        restore(&mut outlet);
    }
}

/// Gives the terminal back as it was, once; errors have nowhere to go. The last frame leaves before, or what
/// comes next would be read as a part of it.
fn restore(outlet: &mut Outlet) {
    if !ENTERED.swap(false, Ordering::AcqRel) {
        return;
    }
    if !matches!(outlet.flush_within(FAREWELL), Ok(true)) {
        outlet.give_up();
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
    let _ = outlet.send(&out);
    let _ = outlet.flush_within(FAREWELL);
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
                restore_anew();
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
