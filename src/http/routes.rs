//! What an address and a method mean: one table, read by nobody else.

use std::rc::Rc;
use std::time::Instant;

use hyper::Method;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;

use super::answer::{Answer, Fault};
use super::gate::Visitor;
use super::query::{Query, parts};
use super::server::Shared;
use super::{
    act, health, look, metrics, openapi, page, pattern, sound, speech, storycore, submit, trace,
};
use crate::model::{GroupId, SegmentId, TaskId};
use crate::service::{Action, TaskAction, Traced};

/// Something that can be looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Look {
    Page(page::File),
    Info,
    Tasks,
    Task(TaskId),
    Segments(TaskId),
    Clip(TaskId, SegmentId),
    Audio(TaskId),
    Group(GroupId),
    Stats,
    State,
    Defaults,
    Voice,
    History,
    Voices,
    Schedules,
    Log,
    Queue,
    Events,
    Status,
    Health,
    Alive,
    Ready,
    Metrics,
    Models,
    AudioModels,
    AudioVoices,
    Document,
}

/// Something that can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Submit,
    Retry(TaskId),
    Correct(TaskId),
    First,
    Act(Action),
    ShutDown,
    Cancel,
    Speech,
    RemoveSchedule(String),
}

/// A request without its body.
pub(super) struct Head {
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) visitor: Visitor,
}

/// What can be done at an address.
#[derive(Debug, Default, PartialEq)]
struct Route {
    look: Option<Look>,
    order: Option<Order>,
}

impl Route {
    fn allowed(&self) -> &'static str {
        match (&self.look, &self.order) {
            (Some(_), Some(_)) => "GET, HEAD, POST",
            (Some(_), None) => "GET, HEAD",
            (None, _) => "POST",
        }
    }
}

/// Answers a request, well or with what is wrong with it.
pub(super) async fn answer(
    shared: &Rc<Shared>,
    visitor: Visitor,
    head: Parts,
    body: Incoming,
) -> Answer {
    let begun = Instant::now();
    let mut pattern = pattern::NOWHERE;
    let trace = trace::of(&head.headers);
    let responding = Traced::new(trace, respond(shared, visitor, head, body, &mut pattern));
    let answer = responding.await.unwrap_or_else(Answer::from);
    let (status, took) = (answer.status().as_u16(), begun.elapsed());
    shared.metrics.note_request(pattern, status, took);
    answer
}

/// `pattern` is set to what the address is called among those that are counted.
async fn respond(
    shared: &Rc<Shared>,
    visitor: Visitor,
    head: Parts,
    body: Incoming,
    pattern: &mut &'static str,
) -> Result<Answer, Fault> {
    let path = head.uri.path();
    let parts = parts(path)?;
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let route = find(&parts).ok_or_else(|| Fault::no_route(path))?;
    let allowed = route.allowed();
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    let request = Head {
        query,
        headers: head.headers,
        visitor,
    };
    match head.method {
        Method::GET | Method::HEAD => {
            let look = route.look.ok_or_else(|| Fault::wrong_method(allowed))?;
            *pattern = look.pattern();
            see(shared, look, request).await
        }
        Method::POST => {
            let order = route.order.ok_or_else(|| Fault::wrong_method(allowed))?;
            *pattern = order.pattern();
            obey(shared, order, request, body).await
        }
        _ => Err(Fault::wrong_method(allowed)),
    }
}

async fn see(shared: &Rc<Shared>, look: Look, head: Head) -> Result<Answer, Fault> {
    let Head { query, headers, .. } = &head;
    match look {
        Look::Page(file) => Ok(file.answer()),
        Look::Info => look::info(shared),
        Look::Tasks => look::tasks(shared, query).await,
        Look::Task(id) => look::task(shared, &id),
        Look::Segments(id) => look::segments(shared, &id, query),
        Look::Clip(id, segment) => sound::clip(shared, id, segment, headers).await,
        Look::Audio(id) => sound::audio(shared, id, query, headers).await,
        Look::Group(id) => look::group(shared, &id),
        Look::Stats => look::stats(shared),
        Look::State => look::health(shared),
        Look::Defaults => look::defaults(shared),
        Look::Voice => look::voice(shared).await,
        Look::History => look::history(shared, query).await,
        Look::Voices => look::voices(shared).await,
        Look::Schedules => look::schedules(shared).await,
        Look::Log => look::log(shared, query).await,
        Look::Queue => look::queue(shared),
        Look::Events => Ok(shared.hub.answer(shared, headers)),
        Look::Status => Ok(storycore::status(shared, query)),
        Look::Health => health::health(shared).await,
        Look::Alive => health::alive(shared).await,
        Look::Ready => health::ready(shared).await,
        Look::Metrics => metrics::metrics(shared).await,
        Look::Models => speech::models(),
        Look::AudioModels => speech::audio_models(),
        Look::AudioVoices => speech::voices(shared, query).await,
        Look::Document => Ok(openapi::document()),
    }
}

async fn obey(
    shared: &Rc<Shared>,
    order: Order,
    head: Head,
    body: Incoming,
) -> Result<Answer, Fault> {
    match order {
        Order::Submit => submit::submit(shared, head, body).await,
        Order::Retry(task) => act::retry(shared, task, &head.headers, body).await,
        Order::Correct(task) => act::correct(shared, task, &head.headers, body).await,
        Order::First => act::first(shared, &head.headers, body).await,
        Order::Act(action) => act::act(shared, action, &head.headers, body).await,
        Order::ShutDown => act::shut_down(shared, &head.headers, body).await,
        Order::Cancel => Ok(storycore::cancel(shared, head, body).await),
        Order::RemoveSchedule(name) => {
            act::remove_schedule(shared, name, &head.headers, body).await
        }
        Order::Speech => Ok(speech::speech(shared, head, body).await),
    }
}

fn find(parts: &[&str]) -> Option<Route> {
    let look = |look| Route {
        look: Some(look),
        order: None,
    };
    let order = |order| Route {
        look: None,
        order: Some(order),
    };
    let act = |action| order(Order::Act(action));
    Some(match *parts {
        [name] if page::File::at(name).is_some() => look(Look::Page(page::File::at(name)?)),
        ["v1", "info"] => look(Look::Info),
        ["v1", "tasks"] => Route {
            look: Some(Look::Tasks),
            order: Some(Order::Submit),
        },
        ["v1", "tasks", id] if !id.is_empty() => look(Look::Task(id.into())),
        ["v1", "tasks", id, "segments"] => look(Look::Segments(id.into())),
        ["v1", "tasks", id, "retry"] => order(Order::Retry(id.into())),
        ["v1", "tasks", id, "correct"] => order(Order::Correct(id.into())),
        ["v1", "tasks", id, "clips", number] => {
            look(Look::Clip(id.into(), SegmentId::new(number.parse().ok()?)))
        }
        ["v1", "tasks", id, "audio"] => look(Look::Audio(id.into())),
        ["v1", "groups", id] if !id.is_empty() => look(Look::Group(id.into())),
        ["v1", "tasks", id, word] => {
            let task = TaskId::from(id);
            let what = task_action(word)?;
            act(Action::Task { task, what })
        }
        ["v1", "openapi.json"] => look(Look::Document),
        ["v1", "stats"] => look(Look::Stats),
        ["v1", "health"] => look(Look::State),
        ["v1", "defaults"] => look(Look::Defaults),
        ["v1", "voice"] => look(Look::Voice),
        ["v1", "history"] => look(Look::History),
        ["v1", "voices"] => look(Look::Voices),
        ["v1", "schedules"] => look(Look::Schedules),
        ["v1", "schedules", name, "remove"] if !name.is_empty() => {
            order(Order::RemoveSchedule(name.into()))
        }
        ["v1", "log"] => look(Look::Log),
        ["v1", "events"] => look(Look::Events),
        ["v1", "queue"] => look(Look::Queue),
        ["v1", "queue", "pause"] => act(Action::PauseQueue),
        ["v1", "queue", "resume"] => act(Action::ResumeQueue),
        ["v1", "queue", "first"] => order(Order::First),
        ["v1", "cancel-all"] => act(Action::CancelAll),
        ["v1", "retry-all"] => act(Action::RetryAll),
        ["v1", "resume-all"] => act(Action::ResumeAll),
        ["v1", "shutdown"] => order(Order::ShutDown),
        ["v1", "models"] => look(Look::Models),
        ["v1", "audio", "models"] => look(Look::AudioModels),
        ["v1", "audio", "voices"] => look(Look::AudioVoices),
        ["v1", "audio", "speech"] => order(Order::Speech),
        ["storycore.task.status"] => look(Look::Status),
        ["storycore.task.cancel"] => order(Order::Cancel),
        ["health"] => look(Look::Health),
        ["livez"] => look(Look::Alive),
        ["readyz"] => look(Look::Ready),
        ["metrics"] => look(Look::Metrics),
        _ => return None,
    })
}

fn task_action(word: &str) -> Option<TaskAction> {
    Some(match word {
        "cancel" => TaskAction::Cancel,
        "pause" => TaskAction::Pause,
        "resume" => TaskAction::Resume,
        "sooner" => TaskAction::Sooner,
        "later" => TaskAction::Later,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_means_one_thing() {
        let of = |path: &str| {
            let parts = parts(path).unwrap();
            find(&parts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let tasks = of("/v1/tasks").unwrap();
        assert_eq!(tasks.allowed(), "GET, HEAD, POST");
        assert_eq!(
            of("/v1/tasks/a%2Fb").unwrap().look,
            Some(Look::Task("a/b".into()))
        );
        assert_eq!(of("/v1/info").unwrap().allowed(), "GET, HEAD");
        assert_eq!(
            of("/").unwrap().look,
            Some(Look::Page(page::File::Page)),
            "what a browser asks for first"
        );
        let later = Action::Task {
            task: "a".into(),
            what: TaskAction::Later,
        };
        let route = of("/v1/tasks/a/later").unwrap();
        assert_eq!(
            (route.allowed(), route.order),
            ("POST", Some(Order::Act(later)))
        );
        for nothing in [
            "/v1",
            "/v1/",
            "/v1/tasks/",
            "/v1/tasks/a/jump",
            "/v2/info",
            "/v1/info/",
        ] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
    }
}
