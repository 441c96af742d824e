//! The monitor without a terminal: the same model and the same drawing, for measuring them and for
//! showing tasks elsewhere. It touches no engine, no file and no clock.

use ratatui::layout::Rect;

use super::app::{App, Message, Start};
use super::canvas::Canvas;
use super::keymap::Keymap;
use super::keys::Key;
use super::scene::Scene;
use super::services::Defaults;
use super::theme::{self, ColorDepth, SymbolSet, ThemeError, names};
use crate::model::{TaskStatus, Timestamp};

/// One screen, drawn into memory.
///
/// ```
/// use aloud::engine::{Engine, Options, Timestamp, Work};
/// use aloud::monitor::{HeadlessRenderer, theme::ColorDepth};
///
/// let folder = tempfile::tempdir()?;
/// let engine = Engine::open(Options::new(folder.path()))?;
/// engine.submit_task(Work::closure("an answer", |_| Ok(42.into())), None)?;
/// let mut still = HeadlessRenderer::new("dark", ColorDepth::TrueColor, (80, 24))?;
/// still.show(engine.tasks(), Timestamp(0));
/// assert!(still.draw().contains("an answer"));
/// // What is on the screen already is not written again.
/// assert_eq!(still.draw(), "");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HeadlessRenderer {
    app: App,
    now: Timestamp,
    canvas: Canvas,
    scene: Scene,
    area: Rect,
}

impl HeadlessRenderer {
    /// An empty monitor of so many columns and rows, in a theme that comes with the program.
    ///
    /// # Errors
    /// [`ThemeError::Unknown`]
    pub fn new(
        theme: &str,
        depth: ColorDepth,
        (columns, rows): (u16, u16),
    ) -> Result<Self, ThemeError> {
        let (themes, _) = theme::load(depth, None);
        let app = App::new(Start {
            theme: theme::position(&themes, theme)?,
            themes: names(&themes),
            keymap: Keymap::default(),
            defaults: Defaults {
                voice: String::new(),
                speed: 1.0,
                speaker: None,
            },
            exit_when_done: false,
            is_attached: false,
            zone: jiff::tz::TimeZone::UTC,
            notice: None,
        });
        Ok(Self {
            app,
            now: Timestamp(0),
            canvas: Canvas::new(true),
            scene: Scene::new(themes, SymbolSet::Unicode),
            area: Rect::new(0, 0, columns, rows),
        })
    }

    /// Shows these tasks and no others, as of `now`.
    pub fn show(&mut self, tasks: Vec<TaskStatus>, now: Timestamp) {
        self.now = now;
        self.app.update(Message::Reset(tasks), now);
    }

    /// Takes a newer copy of one task, as of `now`.
    pub fn change(&mut self, task: TaskStatus, now: Timestamp) {
        self.now = now;
        self.app.update(Message::Task(Box::new(task)), now);
    }

    /// Lets time pass.
    pub fn wait_until(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Presses a key by its name, such as `down`, `pgdn`, `C-f` or `?`. What it asks for beyond the
    /// screen is not done. Returns whether there is a key of that name.
    pub fn press(&mut self, key: &str) -> bool {
        let Some(key) = Key::parse(key) else {
            return false;
        };
        self.app.update(Message::Key(key), self.now);
        true
    }

    /// Draws a frame. Returns what a terminal would be sent for it: the difference to the frame
    /// before.
    pub fn draw(&mut self) -> String {
        self.app.update(Message::Tick, self.now);
        let (app, scene) = (&mut self.app, &mut self.scene);
        self.canvas.draw(self.area, |buf| scene.draw(buf, app))
    }
}
