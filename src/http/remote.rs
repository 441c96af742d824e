//! The service of another process, over its socket.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{Answer, Client, ClientError};
use super::follow::{Follow, Told};
use crate::model::{ErrorObject, HistoryEntry, SegmentId, TaskId};
use crate::narrate::{NewNarration, NewText};
use crate::service::{
    API, Action, Corrected, Correction, Done, Health, Info, ListedVoice, LogLine,
    NarrationDefaults, PAGE, Refusal, RefusalKind, Schedule, SegmentView, Service, Stats,
    Submitted, Taken, TaskAction, TaskBrief, TaskSummary, WrittenSchedule, typed,
};

/// How long a change may take that is more than a look: a long book is cut.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many ids go into one request.
const IDS: usize = 500;

/// The service of the process that listens on a socket.
pub(crate) struct Remote {
    client: Client,
    info: Info,
}

/// Why it can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Nobody listens there.
    #[error("nobody answers at {}", .0.display())]
    Absent(PathBuf),
    /// It does not understand this program.
    #[error(
        "aloud {} has the library open and speaks version {} of the interface; this is aloud {}, which \
         speaks {API}: end that one (process {}), or use it",
        .0.version, .0.api, env!("CARGO_PKG_VERSION"), .0.pid
    )]
    Version(Box<Info>),
    /// Something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ConnectError {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

impl Remote {
    /// Asks who answers there.
    pub(crate) fn connect(socket: &Path) -> Result<Self, ConnectError> {
        let client = Client::new(socket);
        let answer = match client.get("/v1/info") {
            Err(ClientError::Connect { .. }) => {
                return Err(ConnectError::Absent(socket.to_owned()));
            }
            answer => answer.map_err(unreachable)?,
        };
        let info: Info = parse(&answer.body)?;
        if info.api < API || info.api_min > API {
            return Err(ConnectError::Version(Box::new(info)));
        }
        Ok(Self { client, info })
    }

    /// What happens from now on.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    pub(crate) fn listen(&self) -> Result<Follow, Refusal> {
        smol::block_on(self.follow(None)).map_err(unreachable)
    }

    /// What happens after the event of this id, or else from now on, for async callers.
    pub(super) async fn follow(&self, last_id: Option<String>) -> Result<Follow, ClientError> {
        let events = self.client.follow(last_id.as_deref()).await?;
        Ok(Follow::new(events, last_id))
    }

    /// The lines of the log after the one of this number.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    pub(crate) fn log_after(&self, number: u64) -> Result<Vec<LogLine>, Refusal> {
        let Log { lines } = self.get(&format!("/v1/log?after={number}"))?;
        Ok(lines)
    }

    /// Waits until a task has ended.
    pub(crate) fn wait(&self, id: &TaskId) -> Result<TaskSummary, Refusal> {
        loop {
            let mut follow = self.listen()?;
            // It begins with a snapshot, so that an end before it is seen by the look.
            while let Some(told) = smol::block_on(follow.recv()) {
                match told.map_err(unreachable)? {
                    Told::Happened(event, _) if event.task().is_some_and(|task| task != id) => {}
                    Told::Bye { .. } => break,
                    Told::Happened(..) | Told::Snapshot(_) => {
                        let task = self.task(id)?;
                        if task.state.is_terminal() {
                            return Ok(task);
                        }
                    }
                }
            }
        }
    }

    /// As [`Service::tasks`], for async callers.
    pub(super) async fn read_tasks(
        &self,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskSummary>, Refusal> {
        let answer = self.client.read(&tasks_path(after, limit)).await;
        let answer = answer.map_err(unreachable)?;
        let TaskPage { tasks } = told(answer.status, &answer.body)?;
        Ok(tasks)
    }

    /// As [`Service::segments`], for async callers.
    pub(super) async fn read_segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal> {
        let answer = self.client.read(&segments_path(id, from, limit)).await;
        let answer = answer.map_err(unreachable)?;
        let SegmentPage { segments } = told(answer.status, &answer.body)?;
        Ok(segments)
    }

    /// As [`Service::add`], at another time or again and again.
    pub(crate) fn add_when(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
        schedule: Option<&WrittenSchedule>,
    ) -> Result<Taken, Refusal> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Added {
            Task {
                task_id: TaskId,
                continued: bool,
                #[serde(default)]
                notes: Vec<String>,
            },
            Schedule {
                schedule: Box<Schedule>,
            },
        }
        let mut said = json!({
            "as": new.written_as,
            "voice": new.voice,
            "speed": new.speed,
            "speaker": new.speaker,
            "dialogue_voice": new.others.dialogue_voice,
            "chapter_voices": new.others.chapter_voices,
            "priority": new.priority,
            "limits": new.limits,
            "out": out,
        });
        let answer = match &new.text {
            NewText::File(path) => {
                // The other one has another folder before it.
                let path = typed::path(path);
                let path = std::path::absolute(&path).unwrap_or(path);
                said["file"] = json!(path);
                said["schedule"] = json!(schedule);
                self.post("/v1/tasks", &said)
            }
            NewText::Typed(text) => {
                said["text"] = json!(text);
                said["schedule"] = json!(schedule);
                self.post("/v1/tasks", &said)
            }
            NewText::Bytes { name, bytes } => {
                said["at"] = json!(schedule.and_then(|schedule| schedule.at.as_ref()));
                let path = format!("/v1/tasks?{}", query(&said));
                let name = percent(name);
                let named = [("x-aloud-name", &*name)];
                self.send(&path, "application/octet-stream", &named, bytes.clone())
            }
        };
        Ok(match answer? {
            Added::Task {
                task_id,
                continued,
                notes,
            } => Taken::Task(Submitted {
                id: task_id,
                continued,
                notes,
            }),
            Added::Schedule { schedule } => Taken::Schedule(schedule),
        })
    }

    /// How it is, as `/health` tells everyone.
    pub(crate) fn report(&self) -> Result<serde_json::Value, Refusal> {
        self.get("/health")
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        let answer = self.client.get(path).map_err(unreachable)?;
        told(answer.status, &answer.body)
    }

    /// Everything that is on these pages of tasks. One is read while the next one comes.
    fn pages<T: DeserializeOwned>(&self, first: &str) -> Result<Vec<T>, Refusal> {
        let (sender, pages) = mpsc::sync_channel(1);
        std::thread::scope(|scope| {
            let fetching = std::thread::Builder::new().name("aloud-pages".into());
            fetching
                .spawn_scoped(scope, move || self.client.pages(first, &sender))
                .map_err(|error| Refusal::failed(format!("a thread can't be started: {error}")))?;
            let mut all = Vec::new();
            for answer in pages {
                let Answer { status, body } = answer.map_err(unreachable)?;
                let TaskPage { tasks } = told(status, &body)?;
                all.extend(tasks);
            }
            Ok(all)
        })
    }

    fn post<T: DeserializeOwned>(&self, path: &str, said: &impl Serialize) -> Result<T, Refusal> {
        let body = serde_json::to_vec(said).map_err(|error| Refusal::invalid(error.to_string()))?;
        self.send(path, "application/json", &[], body)
    }

    fn send<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<T, Refusal> {
        let client = self.client.clone().with_patience(PATIENCE);
        let answer = client.post(path, kind, headers, body);
        let answer = answer.map_err(unreachable)?;
        told(answer.status, &answer.body)
    }
}

#[derive(Deserialize)]
struct Log {
    lines: Vec<LogLine>,
}

/// Fields as a query: those within others by their own names.
fn query(said: &serde_json::Value) -> String {
    let fields = said.as_object().into_iter().flatten();
    let all = fields.filter_map(|(name, value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::Object(_) => Some(query(value)).filter(|inner| !inner.is_empty()),
        serde_json::Value::String(text) => Some(format!("{name}={}", percent(text))),
        other => Some(format!("{name}={other}")),
    });
    all.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[derive(Deserialize)]
struct TaskPage<T> {
    tasks: Vec<T>,
}

#[derive(Deserialize)]
struct SegmentPage {
    segments: Vec<SegmentView>,
}

fn tasks_path(after: Option<&TaskId>, limit: usize) -> String {
    let after = after.map(|id| format!("&after={}", encoded(id)));
    format!("/v1/tasks?limit={limit}{}", after.unwrap_or_default())
}

fn segments_path(id: &TaskId, from: SegmentId, limit: usize) -> String {
    format!("{}/segments?from={from}&limit={limit}", at(id))
}

/// A task's address.
fn at(id: &TaskId) -> String {
    format!("/v1/tasks/{}", encoded(id))
}

fn encoded(id: &TaskId) -> String {
    percent(id.as_str())
}

fn unreachable(error: ClientError) -> Refusal {
    Refusal::failed(format!(
        "whoever has the library open does not answer: {error}"
    ))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::failed(format!("an answer can't be understood: {error}")))
}

/// What an answer says.
fn told<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Refusal> {
    #[derive(Deserialize)]
    struct Failure {
        error: ErrorObject,
    }
    let kind = match status {
        200..300 => return parse(body),
        404 => RefusalKind::NotFound,
        409 => RefusalKind::Conflict,
        429 => RefusalKind::Full,
        503 => RefusalKind::ShuttingDown,
        400..500 => RefusalKind::Invalid,
        _ => RefusalKind::Failed,
    };
    let Failure { error } = parse(body)?;
    Err(Refusal { kind, error })
}

impl Service for Remote {
    fn info(&self) -> Info {
        self.info.clone()
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskSummary>, Refusal> {
        let TaskPage { tasks } = self.get(&tasks_path(after, limit))?;
        Ok(tasks)
    }

    fn all_tasks(&self) -> Result<Vec<TaskSummary>, Refusal> {
        self.pages(&tasks_path(None, PAGE))
    }

    fn briefs(&self) -> Result<Vec<TaskBrief>, Refusal> {
        self.pages(&format!("{}&brief=true", tasks_path(None, PAGE)))
    }

    fn task(&self, id: &TaskId) -> Result<TaskSummary, Refusal> {
        self.get(&at(id))
    }

    fn segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal> {
        let SegmentPage { segments } = self.get(&segments_path(id, from, limit))?;
        Ok(segments)
    }

    fn stats(&self) -> Result<Stats, Refusal> {
        self.get("/v1/stats")
    }

    fn health(&self) -> Result<Health, Refusal> {
        self.get("/v1/health")
    }

    fn is_queue_paused(&self) -> Result<bool, Refusal> {
        #[derive(Deserialize)]
        struct Queue {
            paused: bool,
        }
        let Queue { paused } = self.get("/v1/queue")?;
        Ok(paused)
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Refusal> {
        #[derive(Deserialize)]
        struct Past {
            history: Vec<HistoryEntry>,
        }
        let Past { history } = self.get(&format!("/v1/history?limit={limit}"))?;
        Ok(history)
    }

    fn voices(&self) -> Result<Vec<ListedVoice>, Refusal> {
        #[derive(Deserialize)]
        struct Known {
            voices: Vec<ListedVoice>,
        }
        let Known { voices } = self.get("/v1/voices")?;
        Ok(voices)
    }

    fn narration_defaults(&self) -> Result<NarrationDefaults, Refusal> {
        self.get("/v1/defaults")
    }

    fn check_voice(&self) -> Result<(), Refusal> {
        self.get("/v1/voice").map(|_: serde_json::Value| ())
    }

    fn log(&self) -> Result<Vec<LogLine>, Refusal> {
        let Log { lines } = self.get("/v1/log")?;
        Ok(lines)
    }

    fn add(&self, new: &NewNarration, out: Option<&Path>) -> Result<Submitted, Refusal> {
        match self.add_when(new, out, None)? {
            Taken::Task(submitted) => Ok(submitted),
            Taken::Schedule(_) => Err(Refusal::failed("it recurs, which nobody asked for")),
        }
    }

    fn act(&self, action: &Action) -> Result<Done, Refusal> {
        let none = json!({});
        match action {
            Action::Task { task, what } => {
                let word = match what {
                    TaskAction::Cancel => "cancel",
                    TaskAction::Pause => "pause",
                    TaskAction::Resume => "resume",
                    TaskAction::Sooner => "sooner",
                    TaskAction::Later => "later",
                    TaskAction::Retry(segments) => {
                        let said = json!({ "segments": segments });
                        return self.post(&format!("{}/retry", at(task)), &said);
                    }
                    TaskAction::Render(voice, speaker) => {
                        let mut said = json!({ "voice": voice });
                        if let Some(speaker) = speaker {
                            said["speaker"] = json!(speaker);
                        }
                        return self.post(&format!("{}/retry", at(task)), &said);
                    }
                };
                self.post(&format!("{}/{word}", at(task)), &none)
            }
            Action::First { tasks } => {
                let mut done = Done::default();
                // The last ones first, for each piece goes before the piece that was sent before it.
                for tasks in tasks.rchunks(IDS) {
                    done = self.post("/v1/queue/first", &json!({ "tasks": tasks }))?;
                }
                Ok(done)
            }
            Action::CancelAll => self.post("/v1/cancel-all", &none),
            Action::RetryAll => self.post("/v1/retry-all", &none),
            Action::ResumeAll => self.post("/v1/resume-all", &none),
            Action::PauseQueue => self.post("/v1/queue/pause", &none),
            Action::ResumeQueue => self.post("/v1/queue/resume", &none),
        }
    }

    fn correct(&self, id: &TaskId, correction: &Correction) -> Result<Corrected, Refusal> {
        self.post(&format!("{}/correct", at(id)), correction)
    }

    fn schedules(&self) -> Result<Vec<Schedule>, Refusal> {
        #[derive(Deserialize)]
        struct All {
            schedules: Vec<Schedule>,
        }
        let All { schedules } = self.get("/v1/schedules")?;
        Ok(schedules)
    }

    fn remove_schedule(&self, name: &str) -> Result<(), Refusal> {
        let path = format!("/v1/schedules/{}/remove", percent(name));
        self.post(&path, &json!({})).map(|_: serde_json::Value| ())
    }

    fn shut_down(&self) -> Result<(), Refusal> {
        self.post("/v1/shutdown", &json!({}))
            .map(|_: serde_json::Value| ())
    }
}
