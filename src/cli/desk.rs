//! What is around the service at this terminal: sound, folders and the voices at hand are this machine's,
//! whoever does the work.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::logging;
use super::player::{Played, Player, System};
use super::queue::{Owner, has_work};
use crate::engine::Engine;
use crate::http::{End, Mirror};
use crate::model::{ShutdownReport, ShutdownWait};
use crate::narrate::{NewNarration, NewText, Voices};
use crate::service::{Hearing, Host, Live, Local, NarrationDefaults};
use crate::settings::Settings;

/// The service, with what plays, shows and speaks at this terminal.
pub(crate) struct Desk {
    // First: what plays must end before its file goes, which may be a preview.
    player: Player,
    hearing: Hearing,
    settings: Settings,
    work: Work,
}

/// Who does the work.
enum Work {
    /// This process.
    Own {
        engine: Engine,
        service: Arc<Local>,
        /// Others reach the service as long as this is there.
        owner: Option<Owner>,
        handed_over: AtomicBool,
    },
    /// Another one, which is followed.
    Followed(Mirror),
}

impl Desk {
    /// A desk before this engine and its voices, and the service for others.
    pub(crate) fn new(engine: Engine, voices: Arc<Voices>, settings: &Settings) -> Self {
        let log = logging::last_lines;
        let service = Local::new(engine.clone(), voices, settings.clone(), log);
        let service = Arc::new(service);
        let owner = Owner::start_or_log(
            &engine,
            Arc::clone(&service) as Arc<dyn Host>,
            &settings.http,
        );
        let work = Work::Own {
            engine,
            service,
            owner,
            handed_over: AtomicBool::new(false),
        };
        Self::before(work, settings)
    }

    /// A desk before the work of another process.
    pub(crate) fn attached(mirror: Mirror, settings: &Settings) -> Self {
        Self::before(Work::Followed(mirror), settings)
    }

    fn before(work: Work, settings: &Settings) -> Self {
        Self {
            player: Player::new(settings, System::here()),
            hearing: Hearing::new(settings.clone()),
            settings: settings.clone(),
            work,
        }
    }

    /// Whoever does the work.
    pub(crate) fn service(&self) -> &dyn Live {
        match &self.work {
            Work::Own { service, .. } => &**service,
            Work::Followed(mirror) => mirror,
        }
    }

    /// The voices at hand.
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// This text, with the voice and pace of the settings.
    pub(crate) fn defaults(&self, text: NewText) -> NewNarration {
        NarrationDefaults::of(&self.settings).narrate(text)
    }

    /// Whether another process does the work.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.work, Work::Followed(_))
    }

    /// Why another process is not followed any more.
    pub(crate) fn end(&self) -> Option<End> {
        match &self.work {
            Work::Own { .. } => None,
            Work::Followed(mirror) => mirror.end(),
        }
    }

    /// Another process is to go on with the work of this one, where there is some that goes on by itself:
    /// whoever looks on is told so. It can begin once the work was ended here and the desk is gone.
    pub(crate) fn hand_over(&self) {
        let Work::Own {
            engine,
            owner,
            handed_over,
            ..
        } = &self.work
        else {
            return;
        };
        // A pause of the queue ends with this process: the work would not stay where it was put.
        let is_held = engine.is_queue_paused() || engine.health().shutting_down;
        if is_held || !has_work(engine) {
            return;
        }
        handed_over.store(true, Ordering::Release);
        if let Some(owner) = owner {
            owner.hand_over();
        }
    }

    /// Whether another process is to go on.
    pub(crate) fn is_handed_over(&self) -> bool {
        match &self.work {
            Work::Own { handed_over, .. } => handed_over.load(Ordering::Acquire),
            Work::Followed(_) => false,
        }
    }

    /// Ends the work of this process, and returns when it has ended. Another one's goes on, and is no
    /// longer followed.
    pub(crate) fn stop(&self, wait: ShutdownWait) -> ShutdownReport {
        match &self.work {
            Work::Own { engine, .. } => engine.shutdown(wait),
            Work::Followed(mirror) => {
                mirror.leave();
                ShutdownReport::default()
            }
        }
    }

    /// Plays a WAV file, and ends what still plays. It returns as soon as the player has started.
    ///
    /// # Errors
    /// If there is no such file or no player; the message says which would do.
    pub(crate) fn play(&self, file: &Path) -> anyhow::Result<()> {
        self.player.play(file)
    }

    /// Plays a WAV file, or only ends it if it is this one that plays.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub(crate) fn play_or_stop(&self, file: &Path) -> anyhow::Result<Played> {
        self.player.play_or_stop(file)
    }

    /// Shows a folder in the system's file manager.
    ///
    /// # Errors
    /// If it can't be shown; the message has the folder, so that it can be copied.
    pub(crate) fn open_folder(&self, folder: &Path) -> anyhow::Result<()> {
        System::here().open_folder(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::submit::open_engine;
    use crate::settings::{Overrides, Paths, load_from};

    #[test]
    fn clips_and_folders_that_are_gone_are_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
        let voices = Voices::new(&settings);
        let engine = open_engine(&settings, &voices).unwrap();
        let desk = Desk::new(engine, voices, &settings);
        let gone = folder.path().join("gone");
        let error = desk.play(&gone).unwrap_err().to_string();
        assert!(error.contains("moved or removed"), "{error}");
        let error = desk.open_folder(&gone).unwrap_err().to_string();
        assert!(error.contains("moved or removed"), "{error}");
    }
}
