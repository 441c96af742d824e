//! What has been narrated: a line for each narration that has ended, kept after clean-up has taken
//! the task out of the registry. It only reads; what is not in the database is not history.

use super::Engine;
use super::error::StoreError;
use crate::model::Past;

impl Engine {
    /// The narrations that have ended, newest first, at most `limit` of them: also those that
    /// clean-up has taken out of the registry. Closures leave none. It waits for the database's
    /// thread; its cost grows with `limit`, not with the history.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct Silent;
    /// # impl Narrator for Silent {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         for (segment_id, _) in narration.plan.iter() {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #         }
    /// #         Ok("spoken".into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(Silent)));
    /// # let engine = Engine::open(options)?;
    /// # let events = engine.subscribe();
    /// # let segment = |start, text: &str| PlannedSegment {
    /// #     start,
    /// #     end: start + 4,
    /// #     text: text.into(),
    /// #     pause_ms: 0,
    /// #     heading: false,
    /// # };
    /// # let narration = Narration {
    /// #     title: "A story".into(),
    /// #     source: "One. Two.".into(),
    /// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
    /// #     folder: folder.path().to_owned(),
    /// #     voice: "silence".into(),
    /// #     voice_version: "".into(),
    /// #     settings: NarrationSettings::default(),
    /// #     fingerprint: "One. Two. in silence".into(),
    /// # };
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// engine.cleanup_old_tasks(Duration::ZERO);
    /// assert_eq!(engine.task_status(&id), None);
    /// let history = engine.history(20)?;
    /// assert_eq!((&history[0].id, history[0].state), (&id, TaskState::Completed));
    /// assert_eq!(history[0].tally.unwrap().audio_seconds, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn history(&self, limit: usize) -> Result<Vec<Past>, StoreError> {
        self.runtime().store.history(limit).wait()
    }
}
