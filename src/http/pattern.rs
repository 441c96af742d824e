//! What an address is called where requests are counted: never by an id or a title, of which there is
//! no end.

use super::routes::{Look, Order};
use crate::service::{Action, TaskAction};

/// Where nothing is.
pub(super) const NOWHERE: &str = "none";

impl Look {
    pub(super) fn pattern(&self) -> &'static str {
        match self {
            Self::Page(_) => "/",
            Self::Info => "/v1/info",
            Self::Tasks => "/v1/tasks",
            Self::Task(_) => "/v1/tasks/{id}",
            Self::Clip(..) => "/v1/tasks/{id}/clips/{n}",
            Self::Audio(_) => "/v1/tasks/{id}/audio",
            Self::Group(_) => "/v1/groups/{id}",
            Self::Segments(_) => "/v1/tasks/{id}/segments",
            Self::Stats => "/v1/stats",
            Self::State => "/v1/health",
            Self::Defaults => "/v1/defaults",
            Self::Voice => "/v1/voice",
            Self::History => "/v1/history",
            Self::Voices => "/v1/voices",
            Self::Schedules => "/v1/schedules",
            Self::Log => "/v1/log",
            Self::Queue => "/v1/queue",
            Self::Events => "/v1/events",
            Self::Status => "/storycore.task.status",
            Self::Health => "/health",
            Self::Alive => "/livez",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Models => "/v1/models",
            Self::AudioModels => "/v1/audio/models",
            Self::AudioVoices => "/v1/audio/voices",
            Self::Document => "/v1/openapi.json",
        }
    }
}

impl Order {
    pub(super) fn pattern(&self) -> &'static str {
        match self {
            Self::Submit => "/v1/tasks",
            Self::Retry(_) => "/v1/tasks/{id}/retry",
            Self::Correct(_) => "/v1/tasks/{id}/correct",
            Self::First => "/v1/queue/first",
            Self::Act(action) => of_action(action),
            Self::ShutDown => "/v1/shutdown",
            Self::Cancel => "/storycore.task.cancel",
            Self::Speech => "/v1/audio/speech",
            Self::RemoveSchedule(_) => "/v1/schedules/{name}/remove",
        }
    }
}

fn of_action(action: &Action) -> &'static str {
    match action {
        Action::Task { what, .. } => match what {
            TaskAction::Cancel => "/v1/tasks/{id}/cancel",
            TaskAction::Pause => "/v1/tasks/{id}/pause",
            TaskAction::Resume => "/v1/tasks/{id}/resume",
            TaskAction::Retry(_) | TaskAction::Render(..) => "/v1/tasks/{id}/retry",
            TaskAction::Sooner => "/v1/tasks/{id}/sooner",
            TaskAction::Later => "/v1/tasks/{id}/later",
        },
        Action::CancelAll => "/v1/cancel-all",
        Action::RetryAll => "/v1/retry-all",
        Action::ResumeAll => "/v1/resume-all",
        Action::PauseQueue => "/v1/queue/pause",
        Action::ResumeQueue => "/v1/queue/resume",
        Action::First { .. } => "/v1/queue/first",
    }
}
