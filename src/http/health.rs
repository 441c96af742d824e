//! Whether the program is alive, well and ready, for those who watch over it: a person's script, an
//! image's health check, an orchestrator's probes.

use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use smol::future::FutureExt;

use super::answer::{Answer, Fault, json, ok};
use super::server::Shared;
use crate::model::ErrorObject;
use crate::service::{Health, Host, Refusal};

/// With less than this on the disk no narration begins.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// How long the service may take to say how it is before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
struct Report {
    health: Health,
    waiting: Value,
    voice: Result<(), Refusal>,
    /// Free bytes where the library is; `None` if the system does not tell.
    free: Option<u64>,
}

impl Report {
    fn of(service: &dyn Host) -> Result<Self, Refusal> {
        let health = service.health()?;
        let stats = service.stats()?;
        Ok(Self {
            waiting: json!({
                "pending": stats.pending,
                "processing": stats.processing,
                "paused": service.is_queue_paused()?,
            }),
            voice: service.check_voice(),
            free: free_bytes(&health.library),
            health,
        })
    }

    fn has_room(&self) -> bool {
        self.free.is_none_or(|free| free >= ROOM_BYTES)
    }

    fn is_ending(&self) -> bool {
        self.health.shutting_down || self.health.is_shutdown
    }

    fn word(&self) -> &'static str {
        if self.is_ending() {
            "shutting_down"
        } else if self.voice.is_err() || !self.has_room() || self.health.abandoned_threads > 0 {
            "degraded"
        } else {
            "ok"
        }
    }

    /// What keeps it from taking work.
    fn obstacle(&self) -> Option<ErrorObject> {
        if self.is_ending() {
            return Some(Refusal::shutting_down().error);
        }
        if let Err(refusal) = &self.voice {
            return Some(refusal.error.clone());
        }
        (!self.has_room()).then(|| {
            ErrorObject::new("DISK_FULL", "the disk of the library is full")
                .with_details(json!({ "free_bytes": self.free }))
                .with_remediation("Make room on it")
        })
    }
}

/// Always 200 while it can answer.
pub(super) async fn health(shared: &Shared) -> Result<Answer, Fault> {
    let report = asked(shared, Report::of).await??;
    let health = &report.health;
    ok(&json!({
        "status": report.word(),
        "thread_pool": {
            "active_threads": health.active_threads,
            "max_threads": health.max_threads,
            "abandoned_threads": health.abandoned_threads,
            "active_tasks": health.active_tasks,
            "is_shutdown": health.is_shutdown,
            "shutting_down": health.shutting_down,
        },
        "queue": report.waiting,
        "voice": {
            "ready": report.voice.is_ok(),
            "error": report.voice.as_ref().err().map(|refusal| &refusal.error),
        },
        "disk": { "free_bytes": report.free, "has_room": report.has_room() },
        "uptime_seconds": health.uptime_seconds,
    }))
}

/// 200 as long as the service answers at all. The voice is not asked: no restart mends it.
pub(super) async fn alive(shared: &Shared) -> Result<Answer, Fault> {
    asked(shared, |service| service.health()).await??;
    ok(&json!({ "status": "ok" }))
}

/// 200 if a new text would be narrated now.
pub(super) async fn ready(shared: &Shared) -> Result<Answer, Fault> {
    let report = asked(shared, Report::of).await??;
    match report.obstacle() {
        None => ok(&json!({ "status": "ok" })),
        Some(error) => Ok(json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "status": report.word(), "error": error }),
        )),
    }
}

async fn asked<T: Send + 'static>(
    shared: &Shared,
    question: impl FnOnce(&dyn Host) -> T + Send + 'static,
) -> Result<T, Fault> {
    let stuck = async {
        smol::Timer::after(PATIENCE).await;
        let error = ErrorObject::new("STUCK", "the service does not answer")
            .with_remediation("See the log; a restart loses at most the segments in work");
        Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, error))
    };
    async { Ok(shared.ask(question).await) }.or(stuck).await
}

pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
