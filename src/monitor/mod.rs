//! The screen: a monitor over a queue, for one person at one terminal, whoever works that queue: it
//! knows the room `service` and nothing behind it. Closing it never loses work.
//!
//! Events become actions, actions change the model, the model is drawn:
//!
//! | part | what it does |
//! |---|---|
//! | `keys`, `keymap`, `action` | names of keys, which are bound to what; the one table of what a person can do |
//! | `app` | the model and `App::update`: pure, no I/O, nothing of drawing |
//! | `view`, `layout` | one file a widget; drawing returns where everything is |
//! | `scene` | what is seen of the model, and what is under the pointer |
//! | [`theme`] | roles, theme files, what a terminal can show |
//! | `canvas` | what is on the screen, and the difference to the next frame in few bytes |
//! | `terminal` | owns the terminal: enters, restores, draws |
//! | `incoming`, `input`, `effects`, `runtime` | what happens, where it comes from, what is done elsewhere, and the loop |
//! | [`services`] | what the program around the monitor does for it |

mod action;
mod app;
mod canvas;
mod effects;
mod escape;
#[cfg(test)]
mod fixtures;
mod glyph;
mod headless;
mod incoming;
mod input;
mod keymap;
mod keys;
mod layout;
mod runtime;
mod scene;
pub mod services;
mod terminal;
pub mod theme;
mod view;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::app::TourPlan;
use self::app::{App, Start};
pub use self::headless::HeadlessRenderer;
pub use self::keymap::KeyError;
use self::keymap::Keymap;
use self::runtime::Runtime;
use self::scene::Scene;
use self::services::Services;
use self::theme::{ColorDepth, SymbolSet, Theme, ThemeError};
use crate::model::ShutdownReport;
use crate::settings::{OnHangup, Symbols};

/// How the monitor is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the theme; `dark` unless given. Where the terminal shows no colours, or
    /// `NO_COLOR` is set, it is `mono` whatever was asked for.
    pub theme: Option<String>,
    /// A folder with themes of the user's own, as `*.toml`; it need not exist.
    pub theme_folder: Option<PathBuf>,
    /// Which symbols to draw with.
    pub symbols: Symbols,
    /// Leave by itself once every task has ended.
    pub exit_when_done: bool,
    /// Keys of actions, by their names, where they are not those of the table; several are
    /// separated by blanks.
    pub keys: BTreeMap<String, String>,
    /// Show the program by itself, with captions; any key takes over.
    pub tour: Option<TourPlan>,
    /// What happens when the terminal goes away.
    pub on_hangup: OnHangup,
    /// Whether the program around the monitor can have the work go on in the background: a person is
    /// offered it when they quit.
    pub background: bool,
    /// How long quitting waits for the segment in work before it is broken off.
    pub shutdown_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: None,
            theme_folder: None,
            symbols: Symbols::Auto,
            exit_when_done: false,
            keys: BTreeMap::new(),
            tour: None,
            on_hangup: OnHangup::Stop,
            background: false,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Why the monitor closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A person asked for it, or everything was done.
    Quit,
    /// A person asked for it, and wants the work to go on in the background.
    LeftRunning,
    /// SIGINT: exit code 130.
    Interrupted,
    /// SIGTERM: exit code 143.
    Terminated,
    /// The terminal went away.
    TerminalLost,
    /// The service has ended by itself: something else has shut it down, or its process is gone.
    ServiceEnded,
}

/// How the monitor closed. Work that was done in this process has ended by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// Why.
    pub cause: Cause,
    /// What the shutdown did; `None` if the monitor was not the one who asked for it.
    pub report: Option<ShutdownReport>,
}

/// Why the monitor could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// Standard output is not a terminal.
    #[error(
        "there is no terminal to draw on: standard output is a file or a pipe; \
         `aloud --accessible` and `aloud narrate --plain` work without one"
    )]
    NoTerminal,
    /// The theme can't be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The keys of the configuration can't be used.
    #[error("{}", all_of(.0))]
    Keys(Vec<KeyError>),
    /// The terminal can't be read, written or set up.
    #[error("the terminal can't be used: {0}; `aloud narrate --plain` works without one")]
    Terminal(#[from] io::Error),
}

fn all_of(errors: &[KeyError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// Opens the monitor on this process's terminal and runs it until someone quits, a signal asks for
/// it, the terminal goes away or, if so wished, all is done. Ends the work before it returns, unless
/// that is another process's, and leaves the terminal as it was.
///
/// # Errors
/// [`MonitorError`]: there is no terminal, it can't be used, or the theme asked for is missing or
/// broken. The work continues in that case. Broken themes that nobody asked for are only logged.
pub fn run(services: Arc<dyn Services>, options: &Options) -> Result<Exit, MonitorError> {
    if !io::stdout().is_terminal() {
        return Err(MonitorError::NoTerminal);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let depth = ColorDepth::detect(variable);
    let symbols = SymbolSet::detect(options.symbols, variable);
    let (mut themes, errors) = theme::load(depth, options.theme_folder.as_deref());
    let wanted = options.theme.as_deref().unwrap_or("dark");
    let mut theme = theme::find(&themes, &errors, wanted)?;
    for error in &errors {
        tracing::warn!(%error, "a theme is left out");
    }
    if depth == ColorDepth::None {
        themes.retain(|theme| theme.name() == Theme::MONO);
        theme = 0;
    }
    let keys = options.keys.iter();
    let keymap = Keymap::with(keys.map(|(action, keys)| (action.as_str(), keys.as_str())))
        .map_err(MonitorError::Keys)?;
    let mut app = App::new(Start {
        themes: theme::names(&themes),
        theme,
        keymap,
        defaults: services.defaults(),
        exit_when_done: options.exit_when_done,
        is_attached: services.is_attached(),
        zone: jiff::tz::TimeZone::system(),
        notice: match errors.first() {
            Some(error) => Some(format!("left out: {error}")),
            None => services
                .is_attached()
                .then(|| "another aloud does the work, and goes on when you leave".to_owned()),
        },
    });
    app.can_hand_over = options.background && !services.is_attached();
    if let Some(plan) = options.tour.clone() {
        app.begin_tour(plan);
    }
    let scene = Scene::new(themes, symbols);
    Runtime::new(app, services, options, scene)?.run()
}
