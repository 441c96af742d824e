//! The service of another process, followed: how every task stands there is kept at hand here, and what
//! happens there is told here. Of a task's segments only windows are read, and only where something is
//! known of them or a person looks.
//!
//! One thread follows. When the other process is lost, it looks for whoever comes after it; when nobody
//! does, the streams of events end, and [`Mirror::end`] says why.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use smol::LocalExecutor;

use super::follow::{Snapshot, Told};

use super::remote::Remote;
use crate::model::{
    CompletedSegments, Event, HistoryEntry, Plan, SegmentErrors, SegmentId, TaskId, TaskState,
    TaskStatus,
};
use crate::narrate::NewNarration;
use crate::service::{
    Action, Corrected, Correction, Done, Health, Info, ListedVoice, Listener, Live, LogLine,
    NarrationDefaults, PAGE, Refusal, Schedule, SegmentView, Service, Stats, Submitted,
    Subscription, TaskSummary, channel, socket_of,
};

/// How long a newcomer waits for the first snapshot; what comes later is told as an event.
const FIRST: Duration = Duration::from_secs(2);
/// How long someone else may take to come when the other process has died.
const AFTER_A_DEATH: Duration = Duration::from_secs(1);
/// How long it may take when the other one has said that its work goes on.
const AFTER_A_FAREWELL: Duration = Duration::from_secs(10);
/// Between two looks for whoever comes.
const STEP: Duration = Duration::from_millis(50);
/// The least time between two fresh copies that are told while segments are read.
const TOLD: Duration = Duration::from_millis(250);
/// Segments that are read at once.
const WINDOW: usize = Plan::WINDOW as usize;

/// Why nobody is followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other one was told to end, and its work waits.
    Stopped,
    /// The other one is gone, and nobody has come in its place.
    Gone,
}

/// The service of another process, followed. Dropped, it follows no more.
pub(crate) struct Mirror {
    shared: Arc<Shared>,
    stop: async_channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who ask have in common.
struct Shared {
    library: PathBuf,
    remote: Mutex<Arc<Remote>>,
    seen: Mutex<Seen>,
    /// There is a first snapshot, or no hope of one.
    filled: Condvar,
    /// Rung when segments are wanted.
    bell: async_channel::Sender<()>,
}

/// What is known here.
#[derive(Default)]
struct Seen {
    is_filled: bool,
    tasks: HashMap<TaskId, (u64, TaskStatus)>,
    /// In the order in which they were submitted.
    order: BTreeMap<u64, TaskId>,
    last_place: u64,
    queue_paused: bool,
    /// Tasks whose segments are to be read, in this order.
    wanted: VecDeque<TaskId>,
    /// The one that is being read.
    in_reading: Option<TaskId>,
    /// Those of them that are to be read from the beginning.
    stale: HashSet<TaskId>,
    listeners: Vec<Listener>,
    end: Option<End>,
}

impl Seen {
    fn tell(&mut self, event: &Event) {
        self.listeners.retain(|listener| listener.tell(event));
    }

    /// A fresh copy of everything.
    fn reset(&mut self, tasks: Vec<TaskSummary>) {
        let mut before = std::mem::take(&mut self.tasks);
        self.order.clear();
        for task in tasks {
            let before = before.remove(&task.id).map(|(_, status)| status);
            self.put(task, before, true);
        }
    }

    /// A fresh copy of one task. `is_exact` says that it tells of nothing that is still to be told.
    fn put(&mut self, task: TaskSummary, before: Option<TaskStatus>, is_exact: bool) {
        let is_new = before.is_none();
        let counts = (task.completed_segments, task.failed_segments);
        let id = task.id.clone();
        let status = task.into_status(before);
        let known = (status.completed_segments.len(), status.errors.segments());
        let has_fewer = counts.0 < known.0 || counts.1 < known.1;
        let is_stale = has_fewer || ((is_new || is_exact) && counts != known);
        let is_read = status.state == TaskState::Processing && is_partial(&status);
        let known = self.tasks.get(&id).map(|(place, _)| *place);
        let place = known.unwrap_or_else(|| {
            self.last_place += 1;
            self.last_place
        });
        self.order.insert(place, id.clone());
        self.tasks.insert(id.clone(), (place, status));
        if is_stale {
            self.stale.insert(id.clone());
        }
        // What is being read is still partial, which is no reason to read it again.
        if is_stale || (is_read && self.in_reading.as_ref() != Some(&id)) {
            self.want(id);
        }
    }

    fn want(&mut self, id: TaskId) {
        if !self.wanted.contains(&id) {
            self.wanted.push_back(id);
        }
    }

    fn remove(&mut self, id: &TaskId) {
        if let Some((place, _)) = self.tasks.remove(id) {
            self.order.remove(&place);
        }
    }

    /// What happened, with the task as it is since.
    fn take(&mut self, event: &Event, task: Option<TaskSummary>) {
        if let Some(task) = task {
            let before = self.tasks.get(&task.id).map(|(_, status)| status.clone());
            self.put(task, before, false);
        }
        let known = |seen: &mut Self, id: &TaskId, change: &dyn Fn(&mut TaskStatus)| {
            if let Some((_, status)) = seen.tasks.get_mut(id) {
                change(status);
            }
        };
        match event {
            Event::SegmentCompleted { task, segment } => known(self, task, &|status| {
                status.completed_segments.insert(segment.clone());
            }),
            Event::SegmentFailed {
                task,
                segment_id,
                error,
            } => known(self, task, &|status| {
                // It may have been read in a window already.
                if !status.errors.of(*segment_id).any(|known| known == error) {
                    status.errors.push(*segment_id, error.clone());
                }
            }),
            Event::QueuePaused { paused } => self.queue_paused = *paused,
            Event::Removed { task } => self.remove(task),
            _ => {}
        }
        // The end of that process is not the end here: another may come.
        if !matches!(event, Event::ShuttingDown) {
            self.tell(event);
        }
    }

    /// A window of a task's segments, which begins here.
    fn add(&mut self, id: &TaskId, from: SegmentId, views: &[SegmentView]) {
        let Some((_, status)) = self.tasks.get_mut(id) else {
            return;
        };
        for view in views {
            if let Some(segment) = view.completed() {
                status.completed_segments.insert(segment);
            }
            if !view.errors.is_empty() {
                status.errors.clear(view.segment_id);
            }
            for error in &view.errors {
                status.errors.push(view.segment_id, error.clone());
            }
        }
        if let Some(plan) = &mut status.plan {
            let planned = views
                .iter()
                .filter(|view| view.segment_id != SegmentId::TASK)
                .map(SegmentView::planned);
            let first = from.max(SegmentId::new(1));
            Arc::make_mut(plan).add_window(first, planned.collect());
        }
    }
}

fn is_partial(status: &TaskStatus) -> bool {
    let plan = status.plan.as_ref();
    plan.is_some_and(|plan| plan.first_unknown().is_some())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How following one process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    Died,
    Farewell { goes_on: bool },
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    fn remote(&self) -> Arc<Remote> {
        Arc::clone(&lock(&self.remote))
    }

    fn ring(&self) {
        // Rung twice it is heard once.
        let _ = self.bell.try_send(());
    }

    async fn follow(&self) {
        let mut last_id = None;
        loop {
            let parting = self.watch(&mut last_id).await;
            let patience = match parting {
                Parting::Farewell { goes_on: false } => return self.finish(End::Stopped),
                Parting::Farewell { goes_on: true } => AFTER_A_FAREWELL,
                Parting::Died => AFTER_A_DEATH,
            };
            tracing::info!(?parting, "whoever worked the queue is gone");
            match self.successor(patience).await {
                Some(remote) => *lock(&self.remote) = Arc::new(remote),
                None => return self.finish(End::Gone),
            }
        }
    }

    fn finish(&self, end: End) {
        let mut seen = self.seen();
        seen.end = Some(end);
        seen.listeners.clear();
        self.filled.notify_all();
    }

    /// Follows the present process as long as it is there.
    async fn watch(&self, last_id: &mut Option<String>) -> Parting {
        let remote = self.remote();
        let mut follow = match remote.follow(last_id.take()).await {
            Ok(follow) => follow,
            Err(error) => {
                tracing::info!(%error, "nothing can be followed");
                return Parting::Died;
            }
        };
        let parting = loop {
            match follow.recv().await {
                None => break Parting::Died,
                Some(Ok(Told::Bye { goes_on })) => break Parting::Farewell { goes_on },
                Some(Ok(told)) => {
                    if let Err(why) = self.take(&remote, told).await {
                        tracing::warn!(%why, "what happened can't be taken in");
                        // Whatever it was, a snapshot will tell.
                        return Parting::Died;
                    }
                }
                Some(Err(error)) => {
                    tracing::info!(%error, "what happens can't be followed any more");
                    break Parting::Died;
                }
            }
        };
        *last_id = follow.last_id().map(ToOwned::to_owned);
        parting
    }

    async fn take(&self, remote: &Remote, told: Told) -> Result<(), Refusal> {
        match told {
            Told::Snapshot(snapshot) => {
                let Snapshot {
                    queue_paused,
                    mut tasks,
                    more,
                } = *snapshot;
                if more {
                    self.read_rest(remote, &mut tasks).await?;
                }
                let mut seen = self.seen();
                seen.queue_paused = queue_paused;
                seen.reset(tasks);
                if seen.is_filled {
                    seen.tell(&Event::Missed { count: 1 });
                }
                seen.is_filled = true;
                drop(seen);
                self.filled.notify_all();
            }
            Told::Happened(event, summary) => {
                if let Event::Breaker { .. } = event {
                    // It speaks of many.
                    let mut tasks = Vec::new();
                    self.read_rest(remote, &mut tasks).await?;
                    self.seen().reset(tasks);
                }
                self.seen().take(&event, summary.map(|summary| *summary));
            }
            // Whoever watches has seen to it.
            Told::Bye { .. } => {}
        }
        self.ring();
        Ok(())
    }

    /// The tasks after those that are known, page by page.
    async fn read_rest(
        &self,
        remote: &Remote,
        tasks: &mut Vec<TaskSummary>,
    ) -> Result<(), Refusal> {
        loop {
            let after = tasks.last().map(|task| task.id.clone());
            let page = remote.read_tasks(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            tasks.extend(page);
            if is_last {
                return Ok(());
            }
        }
    }

    /// Whoever has the library now.
    async fn successor(&self, patience: Duration) -> Option<Remote> {
        let until = Instant::now() + patience;
        loop {
            let library = self.library.clone();
            let found = smol::unblock(move || {
                let socket = socket_of(&library)?;
                Remote::connect(&socket).ok()
            });
            if let Some(remote) = found.await {
                return Some(remote);
            }
            if Instant::now() >= until {
                return None;
            }
            smol::Timer::after(STEP).await;
        }
    }

    /// Reads the segments that are wanted, one task after the other. What is read is told at once where
    /// nothing was told just before, and else a little later: whoever is told reads everything afresh.
    async fn read(&self, rung: async_channel::Receiver<()>) {
        let mut news = News::default();
        loop {
            let next = {
                let mut seen = self.seen();
                seen.in_reading = seen.wanted.pop_front();
                let next = seen.in_reading.clone();
                next.map(|id| (seen.stale.remove(&id), id))
            };
            let Some((is_stale, id)) = next else {
                if rung.recv().await.is_err() {
                    return;
                }
                continue;
            };
            if let Err(why) = self.read_task(&id, is_stale, &mut news).await {
                // It may be gone; or its process is, and with the next one it is wanted again.
                tracing::debug!(%why, %id, "its segments can't be read");
            }
            let mut seen = self.seen();
            if seen.wanted.is_empty() {
                seen.in_reading = None;
                news.tell(&mut seen);
            }
        }
    }

    async fn read_task(&self, id: &TaskId, is_stale: bool, news: &mut News) -> Result<(), Refusal> {
        let remote = self.remote();
        if is_stale && let Some((_, status)) = self.seen().tasks.get_mut(id) {
            status.completed_segments = CompletedSegments::default();
            status.errors = SegmentErrors::default();
        }
        let mut from = SegmentId::TASK;
        loop {
            let views = remote.read_segments(id, from, WINDOW).await?;
            let mut seen = self.seen();
            seen.add(id, from, &views);
            news.is_due = true;
            if news.told.is_none_or(|told| told.elapsed() >= TOLD) {
                news.tell(&mut seen);
            }
            drop(seen);
            let Some(last) = views.last().filter(|_| views.len() >= WINDOW) else {
                return Ok(());
            };
            from = last.segment_id.next();
        }
    }
}

/// That something was read, which is told now and then.
#[derive(Default)]
struct News {
    is_due: bool,
    told: Option<Instant>,
}

impl News {
    /// Tells it, if there is anything: what could not be read is no news, or it would be wanted again.
    fn tell(&mut self, seen: &mut Seen) {
        if std::mem::take(&mut self.is_due) {
            seen.tell(&Event::Missed { count: 1 });
            self.told = Some(Instant::now());
        }
    }
}

impl Mirror {
    /// Follows this process, which has the library in this folder open, and whoever comes after it.
    /// Waits two seconds at most for the first snapshot.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn follow(library: &Path, remote: Remote) -> io::Result<Self> {
        let (bell, rung) = async_channel::bounded(1);
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let shared = Arc::new(Shared {
            library: library.to_owned(),
            remote: Mutex::new(Arc::new(remote)),
            seen: Mutex::default(),
            filled: Condvar::new(),
            bell,
        });
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("aloud-mirror".into())
            .spawn(move || {
                let executor = LocalExecutor::new();
                let following = executor.spawn(its.follow());
                let reading = executor.spawn(its.read(rung));
                smol::block_on(executor.run(async {
                    // Closed, never sent to.
                    let _ = stopped.recv().await;
                }));
                drop((following, reading));
            })?;
        let mirror = Self {
            shared,
            stop,
            thread: Some(thread),
        };
        let waiting = |seen: &mut Seen| !seen.is_filled && seen.end.is_none();
        let filled = mirror
            .shared
            .filled
            .wait_timeout_while(mirror.shared.seen(), FIRST, waiting);
        drop(filled);
        Ok(mirror)
    }

    /// Why the streams of events have ended, once they have.
    pub(crate) fn end(&self) -> Option<End> {
        self.shared.seen().end
    }

    /// Ends the streams of events: whoever followed leaves.
    pub(crate) fn leave(&self) {
        self.shared.seen().listeners.clear();
    }

    fn remote(&self) -> Arc<Remote> {
        self.shared.remote()
    }

    /// Has this task at hand, before its events have come.
    fn learn(&self, id: &TaskId) {
        if let Ok(task) = self.remote().task(id) {
            let mut seen = self.shared.seen();
            let before = seen.tasks.get(id).map(|(_, status)| status.clone());
            seen.put(task, before, false);
            drop(seen);
            self.shared.ring();
        }
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that follows another process has panicked");
        }
    }
}

impl Live for Mirror {
    fn events(&self) -> Subscription {
        let (listener, subscription) = channel();
        let mut seen = self.shared.seen();
        // Where all has ended, so has this.
        if seen.end.is_none() {
            seen.listeners.push(listener);
        }
        subscription
    }

    fn statuses(&self) -> Vec<TaskStatus> {
        let seen = self.shared.seen();
        let ids = seen.order.values();
        ids.filter_map(|id| Some(seen.tasks.get(id)?.1.clone()))
            .collect()
    }

    fn status(&self, id: &TaskId) -> Option<TaskStatus> {
        Some(self.shared.seen().tasks.get(id)?.1.clone())
    }

    fn look_at(&self, id: &TaskId) {
        let mut seen = self.shared.seen();
        let status = seen.tasks.get(id);
        let is_wanted = status.is_some_and(|(_, status)| is_partial(status));
        if is_wanted && seen.in_reading.as_ref() != Some(id) {
            seen.want(id.clone());
            drop(seen);
            self.shared.ring();
        }
    }
}

impl Service for Mirror {
    fn info(&self) -> Info {
        self.remote().info()
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskSummary>, Refusal> {
        self.remote().tasks(after, limit)
    }

    fn task(&self, id: &TaskId) -> Result<TaskSummary, Refusal> {
        self.remote().task(id)
    }

    fn segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal> {
        self.remote().segments(id, from, limit)
    }

    fn stats(&self) -> Result<Stats, Refusal> {
        self.remote().stats()
    }

    fn health(&self) -> Result<Health, Refusal> {
        self.remote().health()
    }

    fn is_queue_paused(&self) -> Result<bool, Refusal> {
        Ok(self.shared.seen().queue_paused)
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Refusal> {
        self.remote().history(limit)
    }

    fn voices(&self) -> Result<Vec<ListedVoice>, Refusal> {
        self.remote().voices()
    }

    fn narration_defaults(&self) -> Result<NarrationDefaults, Refusal> {
        self.remote().narration_defaults()
    }

    fn check_voice(&self) -> Result<(), Refusal> {
        self.remote().check_voice()
    }

    fn log(&self) -> Result<Vec<LogLine>, Refusal> {
        self.remote().log()
    }

    fn add(&self, new: &NewNarration, out: Option<&Path>) -> Result<Submitted, Refusal> {
        let submitted = self.remote().add(new, out)?;
        self.learn(&submitted.id);
        Ok(submitted)
    }

    fn act(&self, action: &Action) -> Result<Done, Refusal> {
        let done = self.remote().act(action)?;
        if let Action::Task { .. } = action {
            done.tasks.iter().for_each(|id| self.learn(id));
        }
        Ok(done)
    }

    fn correct(&self, id: &TaskId, correction: &Correction) -> Result<Corrected, Refusal> {
        let corrected = self.remote().correct(id, correction)?;
        if let Some(again) = &corrected.task {
            self.learn(again);
        }
        Ok(corrected)
    }

    fn schedules(&self) -> Result<Vec<Schedule>, Refusal> {
        self.remote().schedules()
    }

    fn remove_schedule(&self, name: &str) -> Result<(), Refusal> {
        self.remote().remove_schedule(name)
    }

    fn shut_down(&self) -> Result<(), Refusal> {
        self.remote().shut_down()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CompletedSegment, ErrorObject, TaskKind, Timestamp};

    fn status(clips: u32) -> TaskStatus {
        let mut status = TaskStatus::new(
            "story".into(),
            "A story".into(),
            TaskKind::Narration,
            Timestamp(1),
        );
        status.plan = Some(Arc::new(Plan::outline(300, 9000)));
        (1..=clips).for_each(|id| status.completed_segments.insert(clip(id)));
        status
    }

    fn clip(id: u32) -> CompletedSegment {
        CompletedSegment {
            segment_id: SegmentId::new(id),
            clip: format!("{id:04}.wav").into(),
            duration: Duration::from_secs(1),
            work: Duration::ZERO,
        }
    }

    fn done(id: u32) -> Event {
        Event::SegmentCompleted {
            task: "story".into(),
            segment: clip(id),
        }
    }

    fn clips(seen: &Seen) -> usize {
        seen.tasks[&TaskId::from("story")]
            .1
            .completed_segments
            .len()
    }

    #[test]
    fn what_happens_is_kept_and_only_what_is_missing_is_read() {
        let mut seen = Seen::default();
        seen.reset(vec![(&status(0)).into()]);
        assert!(seen.wanted.is_empty(), "nothing is known of its segments");
        // In a burst the summary knows more than the event that comes with it.
        seen.take(&done(1), Some((&status(2)).into()));
        seen.take(&done(2), Some((&status(2)).into()));
        assert_eq!((clips(&seen), seen.wanted.len()), (2, 0));
        // Another process has taken up the work meanwhile, and went further.
        seen.reset(vec![(&status(5)).into()]);
        assert_eq!((clips(&seen), seen.wanted.len()), (2, 1));
        assert!(seen.stale.contains(&TaskId::from("story")));
    }

    #[test]
    fn a_task_that_has_clips_from_before_is_read() {
        let mut seen = Seen::default();
        let submitted = Event::Submitted {
            task: "story".into(),
        };
        seen.take(&submitted, Some((&status(3)).into()));
        assert_eq!(seen.wanted, [TaskId::from("story")]);
        seen.wanted.clear();
        // One that has fewer than before was begun again.
        seen.take(&done(4), Some((&status(4)).into()));
        assert!(seen.wanted.is_empty());
        seen.take(&submitted, Some((&status(0)).into()));
        assert_eq!(seen.wanted, [TaskId::from("story")]);
    }

    #[test]
    fn an_error_that_was_read_and_is_told_is_one() {
        let mut seen = Seen::default();
        let mut failed = status(0);
        let error = ErrorObject::new("SILENT", "nothing to hear");
        failed.errors.push(SegmentId::new(7), error.clone());
        seen.reset(vec![(&status(0)).into()]);
        let views = [SegmentView {
            segment_id: SegmentId::new(7),
            state: crate::service::SegmentState::Failed,
            text: String::new(),
            start: 0,
            end: 0,
            heading: false,
            reading: crate::model::Reading::default(),
            voice: 0,
            pause_ms: 0,
            clip: None,
            seconds: None,
            work_seconds: None,
            errors: vec![error.clone()],
        }];
        let id = TaskId::from("story");
        seen.add(&id, SegmentId::new(7), &views);
        seen.add(&id, SegmentId::new(7), &views);
        let told = Event::SegmentFailed {
            task: id.clone(),
            segment_id: SegmentId::new(7),
            error,
        };
        seen.take(&told, Some((&failed).into()));
        assert_eq!(seen.tasks[&id].1.errors.len(), 1);
        seen.take(&Event::Removed { task: id }, None);
        assert!(seen.tasks.is_empty() && seen.order.is_empty());
    }

    #[test]
    fn the_end_of_the_other_is_told_as_no_end_of_ours() {
        let mut seen = Seen::default();
        let (listener, events) = channel();
        seen.listeners.push(listener);
        seen.take(&Event::ShuttingDown, None);
        seen.take(&Event::QueuePaused { paused: true }, None);
        assert_eq!(
            events.try_recv(),
            Ok(Some(Event::QueuePaused { paused: true }))
        );
        seen.listeners.clear();
        assert!(events.try_recv().is_err());
    }
}
