//! What is around the service at this terminal: sound and folders are this machine's, whoever does the
//! work.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::logging;
use super::player::{Played, Player, System};
use super::queue::Owner;
use crate::engine::Engine;
use crate::narrate::Voices;
use crate::service::{Live, Local};
use crate::settings::Settings;

/// The service, with what plays and shows at this terminal.
pub(crate) struct Desk {
    // First: what plays must end before its file goes, which may be a preview of the service's.
    player: Player,
    service: Arc<Local>,
    /// Others reach the service as long as this is there.
    _owner: Option<Owner>,
}

impl Deref for Desk {
    type Target = Local;
    fn deref(&self) -> &Local {
        &self.service
    }
}

impl Desk {
    /// A desk before this engine and its voices, and the service for others.
    pub(crate) fn new(engine: Engine, voices: Arc<Voices>, settings: &Settings) -> Self {
        let log = logging::last_lines;
        let service = Local::new(engine.clone(), voices, settings.clone(), log);
        let service = Arc::new(service);
        Self {
            player: Player::new(settings, System::here()),
            _owner: Owner::start_or_log(&engine, Arc::clone(&service) as Arc<dyn Live>),
            service,
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
