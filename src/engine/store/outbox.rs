//! What others are owed: notices of changes. Each is put on disk in the transaction of the change
//! itself, so that whatever dies, none is lost and none is invented; it holds all that is to be told, for
//! its task may be gone when it is. Nothing here knows how notices travel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_channel::{Receiver, Sender};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{from_json, to_json};
use super::payload::payload;
use super::{Answer, Store};
use crate::engine::outbox::{NextNotice, Notice, NoticeCounts, Outbox as Handle};
use crate::model::{StateChange, TaskId, Timestamp, Trace};

/// A time further away than this, in milliseconds, comes of a clock that was set back.
const FARTHEST: i64 = 24 * 3600 * 1000;

/// What is to be noted for whom, and what is known of it without asking the disk.
#[derive(Debug)]
pub(crate) struct Outbox {
    wanted: BTreeMap<Arc<str>, Vec<StateChange>>,
    owed: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    /// Whether the transaction in work has changed what is owed.
    is_touched: AtomicBool,
    news: (Sender<()>, Receiver<()>),
}

impl Outbox {
    pub(super) fn new(wanted: BTreeMap<Arc<str>, Vec<StateChange>>) -> Self {
        Self {
            wanted,
            owed: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            is_touched: AtomicBool::new(false),
            // One is enough: whoever hears it looks at everything.
            news: async_channel::bounded(1),
        }
    }

    /// Notes a change, in the transaction that makes it.
    pub(super) fn note(
        &self,
        db: &Connection,
        task: &TaskId,
        change: StateChange,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let wanted = self.wanted.iter();
        let mut targets = wanted
            .filter(|(_, changes)| changes.contains(&change))
            .peekable();
        if targets.peek().is_none() {
            return Ok(());
        }
        let (payload, trace) = payload(db, task, change, at)?;
        // Receivers know by it what they have had before.
        let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
        let mut insert = db.prepare_cached(
            "INSERT INTO outbox (target, id, task, at, payload, trace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (target, _) in targets {
            insert.execute(params![&**target, id, task.as_str(), at.0, payload, trace])?;
        }
        self.is_touched.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// After a commit: counts what is owed, and tells whoever waits for news.
    pub(super) fn settle(&self, db: &Connection) {
        if !self.is_touched.swap(false, Ordering::Relaxed) {
            return;
        }
        match self.count(db) {
            Ok(owed) => self.owed.store(owed, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "it can't be counted what others are owed"),
        }
        // One that waits there already says the same.
        let _ = self.news.0.try_send(());
    }

    /// What is owed to those that are named. What others were owed waits for a start that names them.
    fn count(&self, db: &Connection) -> rusqlite::Result<u64> {
        let mut owed = 0;
        for target in self.wanted.keys() {
            let mut query = db.prepare_cached("SELECT COUNT(*) FROM outbox WHERE target = ?1")?;
            owed += query.query_row([&**target], |row| row.get::<_, i64>(0))?;
        }
        Ok(owed.cast_unsigned())
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &Arc<str>> {
        self.wanted.keys()
    }

    pub(crate) fn counts(&self) -> NoticeCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        NoticeCounts {
            owed: read(&self.owed),
            delivered: read(&self.delivered),
            failed: read(&self.failed),
            given_up: read(&self.given_up),
        }
    }

    pub(crate) fn note_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// So many were taken. Counted once that is on disk: a commit that failed would count them again.
    pub(crate) fn note_delivered(&self, count: u64) {
        self.delivered.fetch_add(count, Ordering::Relaxed);
    }

    /// So many were given up; as [`Self::note_delivered`].
    pub(crate) fn note_given_up(&self, count: u64) {
        self.given_up.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn news(&self) -> Receiver<()> {
        self.news.1.clone()
    }

    pub(super) fn close(&self) {
        self.news.0.close();
    }
}

impl Store {
    /// Counts what an earlier run has left.
    pub(crate) fn count_owed(&self) -> Answer<()> {
        let outbox = Arc::clone(&self.outbox);
        self.ask(move |db| {
            outbox.is_touched.store(true, Ordering::Relaxed);
            outbox.settle(db);
            Ok(())
        })
    }

    /// What is to be sent next to this target, or when something is.
    pub(crate) fn next_notice(&self, target: &str, now: Timestamp) -> Answer<NextNotice> {
        let target = target.to_owned();
        self.ask(move |db| next_notice(db, &target, now))
    }

    pub(crate) fn notice_refused(&self, number: i64, again: Timestamp) -> Answer<()> {
        self.change_outbox(move |db| {
            db.prepare_cached(
                "UPDATE outbox SET attempts = attempts + 1, due = ?2 WHERE number = ?1",
            )?
            .execute([number, again.0])
            .map(drop)
        })
    }

    /// Nothing is owed of it any more. Says how much that was.
    pub(crate) fn forget_notice(&self, number: i64) -> Answer<u64> {
        self.change_outbox(move |db| {
            db.prepare_cached("DELETE FROM outbox WHERE number = ?1")?
                .execute([number])
                .map(|gone| gone as u64)
        })
    }

    /// The same of all that this target was owed from before this time.
    pub(crate) fn forget_notices(&self, target: &str, before: Timestamp) -> Answer<u64> {
        let target = target.to_owned();
        self.change_outbox(move |db| {
            db.prepare_cached("DELETE FROM outbox WHERE target = ?1 AND at < ?2")?
                .execute(params![target, before.0])
                .map(|gone| gone as u64)
        })
    }

    /// Forgets what is older than this and owed to someone whom this opening does not name.
    pub(crate) fn forget_unnamed_notices(&self, before: Timestamp) -> Answer<u64> {
        let outbox = Arc::clone(&self.outbox);
        self.change_outbox(move |db| {
            let named: Vec<&Arc<str>> = outbox.targets().collect();
            db.execute(
                "DELETE FROM outbox
                 WHERE at < ?1 AND target NOT IN (SELECT value FROM json_each(?2))",
                params![before.0, to_json(&named)],
            )
            .map(|gone| gone as u64)
        })
    }

    fn change_outbox<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let outbox = Arc::clone(&self.outbox);
        self.change(move |db| {
            outbox.is_touched.store(true, Ordering::Relaxed);
            change(db)
        })
    }
}

/// The first that is not to wait: one that was refused holds back those behind it for its first tries,
/// so that they come in order; then it is passed over.
fn next_notice(db: &Connection, target: &str, now: Timestamp) -> rusqlite::Result<NextNotice> {
    let far = now.0.saturating_add(FARTHEST);
    let first = db
        .prepare_cached(
            "SELECT number, id, task, at, payload, trace, attempts, due FROM outbox
             WHERE target = ?1 AND (attempts < ?2 OR due <= ?3 OR due > ?4)
             ORDER BY number LIMIT 1",
        )?
        .query_row(params![target, Handle::TRIES_IN_ORDER, now.0, far], |row| {
            Ok((notice(row)?, row.get::<_, i64>(7)?))
        })
        .optional()?;
    let due = match first {
        Some((notice, due)) if due <= now.0 || due > far => return Ok(NextNotice::Now(notice)),
        Some((_, due)) => Some(due),
        None => None,
    };
    let passed_over: Option<i64> = db
        .prepare_cached("SELECT MIN(due) FROM outbox WHERE target = ?1 AND attempts >= ?2")?
        .query_row(params![target, Handle::TRIES_IN_ORDER], |row| row.get(0))?;
    let due = due.into_iter().chain(passed_over).min();
    Ok(due.map_or(NextNotice::Nothing, |due| NextNotice::At(Timestamp(due))))
}

fn notice(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let trace: Option<String> = row.get(5)?;
    Ok(Notice {
        number: row.get(0)?,
        id: row.get(1)?,
        task: TaskId::from(row.get::<_, String>(2)?),
        at: Timestamp(row.get(3)?),
        payload: row.get(4)?,
        // Without it the notice is as good.
        trace: trace.and_then(|trace| from_json::<Trace>(&trace).ok()),
        attempts: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::engine::testing::Library;
    use crate::engine::{
        Engine, Operation, Options, ShutdownWait, Submission, SubmitError, TaskContext, Work,
        WorkResult,
    };

    struct Echo;

    impl Operation for Echo {
        fn run(&mut self, _: &Value, _: &Value, _: &TaskContext) -> WorkResult {
            Ok("done".into())
        }
    }

    /// A library that notes these changes for these.
    fn open(folder: &Path, outbox: &[(&str, &[StateChange])]) -> Engine {
        let mut options = Options::new(folder);
        let echo = || Box::new(Echo) as Box<dyn Operation>;
        options.operations.insert("echo".into(), Arc::new(echo));
        let outbox = outbox
            .iter()
            .map(|(name, on)| ((*name).into(), on.to_vec()));
        options.outbox = outbox.collect();
        Engine::open(options).unwrap()
    }

    fn echo(parameters: Value) -> Submission {
        Submission::new(Work::Operation {
            name: "echo".into(),
            parameters,
            context: json!({ "user": 7 }),
        })
    }

    fn done(engine: &Engine, submission: Submission) -> TaskId {
        let id = engine.submit(submission).unwrap();
        engine.wait(&id).unwrap();
        id
    }

    #[track_caller]
    fn first(engine: &Engine, target: &str) -> Notice {
        match engine.outbox().next(target).unwrap() {
            NextNotice::Now(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_comes_with_its_notices_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), &[("all", &StateChange::ALL)]);
        let database = rusqlite::Connection::open(folder.path().join("aloud.db")).unwrap();
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON outbox
                      BEGIN SELECT RAISE(ABORT, 'no'); END";
        database.execute_batch(refuse).unwrap();
        let refused = engine.submit(echo(Value::Null)).unwrap_err();
        assert!(matches!(refused, SubmitError::Store(_)), "{refused}");
        let count = |table: &str| -> i64 {
            let query = format!("SELECT COUNT(*) FROM {table}");
            database.query_row(&query, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("tasks"), count("outbox")), (0, 0));
        database.execute_batch("DROP TRIGGER refuse").unwrap();
        done(&engine, echo(Value::Null));
        assert_eq!((count("tasks"), count("outbox")), (1, 3));
        assert_eq!(engine.outbox().counts().owed, 3);
        let told: Value = serde_json::from_str(&first(&engine, "all").payload).unwrap();
        assert_eq!(told["type"], "task.submitted");
        assert_eq!(told["data"]["status"], "PENDING");
    }

    #[test]
    fn what_is_told_is_bounded_and_whole_when_its_task_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), &[("shelf", &StateChange::ENDS)]);
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = Trace::parse(parent, None).map(Arc::new);
        let much = json!({ "much": "x".repeat(10_000) });
        done(&engine, echo(much).group("book").trace(trace));
        assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 1);
        let notice = first(&engine, "shelf");
        assert!(notice.payload.len() < 2000, "{}", notice.payload);
        assert_eq!(notice.trace.unwrap().traceparent(), parent);
        let told: Value = serde_json::from_str(&notice.payload).unwrap();
        assert_eq!(told["type"], "task.completed");
        let data = &told["data"];
        assert_eq!(
            (&data["operation"], &data["group"]),
            (&"echo".into(), &"book".into())
        );
        assert_eq!(data["user_context"], json!({ "user": 7 }));
        assert_eq!(
            (&data["result"], &data["parameters"]),
            (&"done".into(), &Value::Null)
        );
        assert_eq!(data["left_out"], json!(["parameters"]));
        assert!(data.get("progress").is_none(), "it is of segments: {data}");

        let library = Library::with(|options| {
            options
                .outbox
                .insert("shelf".into(), vec![StateChange::Submitted]);
        });
        let story = library.narration("A story");
        let story = Submission::new(story)
            .context(json!({ "order": 7 }))
            .paused();
        library.submit(story).unwrap();
        let told: Value = serde_json::from_str(&first(&library, "shelf").payload).unwrap();
        assert_eq!(told["data"]["user_context"], json!({ "order": 7 }));
        assert_eq!(told["data"]["progress"]["percentage"], 0);
    }

    #[test]
    fn order_is_kept_until_one_was_refused_often() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path(), &[("shelf", &StateChange::ENDS)]);
        let tasks = [
            done(&engine, echo(Value::Null)),
            done(&engine, echo(Value::Null)),
        ];
        let (outbox, refused) = (engine.outbox(), first(&engine, "shelf"));
        assert_eq!(refused.task, tasks[0]);
        let later = Timestamp(refused.at.0 + 3_600_000);
        for _ in 1..Handle::TRIES_IN_ORDER {
            outbox.refused(&refused, later).unwrap();
            assert_eq!(outbox.next("shelf").unwrap(), NextNotice::At(later));
        }
        outbox.refused(&refused, later).unwrap();
        let second = first(&engine, "shelf");
        assert_eq!(second.task, tasks[1]);
        outbox.delivered(&second).unwrap();
        assert_eq!(outbox.next("shelf").unwrap(), NextNotice::At(later));
        // A time that never comes is that of a clock that was wrong.
        outbox.refused(&refused, Timestamp(i64::MAX)).unwrap();
        assert_eq!(first(&engine, "shelf").attempts, 6);
        assert_eq!(outbox.give_up_all("shelf", None).unwrap(), 1);
        let counts = outbox.counts();
        assert_eq!((counts.owed, counts.delivered), (0, 1));
        assert_eq!((counts.failed, counts.given_up), (6, 1));
    }

    #[test]
    fn what_is_owed_to_someone_who_is_not_named_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let targets: [(&str, &[StateChange]); 2] =
            [("all", &StateChange::ALL), ("ends", &StateChange::ENDS)];
        let engine = open(folder.path(), &targets);
        done(&engine, echo(Value::Null));
        engine.shutdown(ShutdownWait::Now);
        let engine = open(folder.path(), &[]);
        assert_eq!(engine.outbox().counts().owed, 0);
        assert_eq!(engine.outbox().forget_unnamed(Timestamp(0)).unwrap(), 0);
        engine.shutdown(ShutdownWait::Now);
        let engine = open(folder.path(), &targets[1..]);
        assert_eq!(engine.outbox().counts().owed, 1);
        let forgotten = engine.outbox().forget_unnamed(Timestamp(i64::MAX));
        assert_eq!(forgotten.unwrap(), 3);
        assert_eq!(engine.outbox().counts().owed, 1);
    }
}
