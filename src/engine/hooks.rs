//! What an embedding program hears of the engine's own life. Its code runs on the thread that opens or
//! stops the engine; a panic in it is logged and changes nothing.

use std::path::Path;
use std::sync::Arc;

use super::guard::guarded;
use crate::model::{ErrorObject, ShutdownReport};

type BeforeStart = Arc<dyn Fn(&Path) -> Result<(), ErrorObject> + Send + Sync>;
type BeforeStop = Arc<dyn Fn() + Send + Sync>;
type AfterStop = Arc<dyn Fn(&ShutdownReport) + Send + Sync>;

/// What to call at moments in the engine's life.
///
/// ```
/// use std::sync::mpsc;
///
/// use aloud::engine::{Engine, Hooks, Options, ShutdownWait};
///
/// let folder = tempfile::tempdir()?;
/// let (said, heard) = mpsc::channel();
/// let (start, stop, stopped) = (said.clone(), said.clone(), said);
/// let mut options = Options::new(folder.path());
/// options.hooks = Hooks::default()
///     .before_start(move |library| {
///         assert!(library.is_dir());
///         start.send("start").unwrap();
///         Ok(())
///     })
///     .before_stop(move || stop.send("stop").unwrap())
///     .after_stop(move |report| {
///         assert_eq!(report.abandoned, 0);
///         stopped.send("stopped").unwrap();
///     });
/// Engine::open(options)?.shutdown(ShutdownWait::Now);
/// assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["start", "stop", "stopped"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    before_start: Option<BeforeStart>,
    before_stop: Option<BeforeStop>,
    after_stop: Option<AfterStop>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("before_start", &self.before_start.is_some())
            .field("before_stop", &self.before_stop.is_some())
            .field("after_stop", &self.after_stop.is_some())
            .finish()
    }
}

impl Hooks {
    /// Called with the library's folder, which is locked, before the database is opened and before
    /// any thread runs. An error refuses the opening.
    #[must_use]
    pub fn before_start(
        mut self,
        hook: impl Fn(&Path) -> Result<(), ErrorObject> + Send + Sync + 'static,
    ) -> Self {
        self.before_start = Some(Arc::new(hook));
        self
    }

    /// Called once, when the engine is about to shut down and before it refuses work. The shutdown
    /// waits for it.
    #[must_use]
    pub fn before_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.before_stop = Some(Arc::new(hook));
        self
    }

    /// Called once, when every thread has ended, the database is closed and the library free.
    #[must_use]
    pub fn after_stop(mut self, hook: impl Fn(&ShutdownReport) + Send + Sync + 'static) -> Self {
        self.after_stop = Some(Arc::new(hook));
        self
    }

    pub(crate) fn starting(&self, folder: &Path) -> Result<(), ErrorObject> {
        let hook = self.before_start.as_ref();
        hook.map_or(Ok(()), |hook| {
            guarded("before_start of the embedding program", || hook(folder)).unwrap_or(Ok(()))
        })
    }

    pub(crate) fn stopping(&self) {
        if let Some(hook) = &self.before_stop {
            guarded("before_stop of the embedding program", || hook());
        }
    }

    pub(crate) fn stopped(&self, report: &ShutdownReport) {
        if let Some(hook) = &self.after_stop {
            guarded("after_stop of the embedding program", || hook(report));
        }
    }
}
