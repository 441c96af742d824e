//! What has been narrated: a line for each narration that has ended, kept after clean-up has taken
//! the task out of the registry. It only reads; what is not in the database is not history.

use super::Engine;
use super::error::StoreError;
use crate::model::HistoryEntry;

impl Engine {
    /// The narrations that have ended, newest first, at most `limit` of them: also those that
    /// clean-up has taken out of the registry. Closures leave none. It waits for the database's
    /// thread; its cost grows with `limit`, not with the history.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{TaskState, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(engine.narration("A story"))?;
    /// engine.wait(&id)?;
    /// engine.cleanup_old_tasks(Duration::ZERO);
    /// assert_eq!(engine.task_status(&id), None);
    /// let history = engine.history(20)?;
    /// assert_eq!((&history[0].id, history[0].state), (&id, TaskState::Completed));
    /// assert_eq!(history[0].summary.unwrap().audio_seconds, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        self.runtime().store.history(limit).wait()
    }
}
