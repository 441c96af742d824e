//! The registry beside a naive model of it, through random lives: submissions, pick-ups, progress,
//! cancels, time-outs, clean-ups, pauses of what waits and what runs, retries, crashes and
//! reopenings, clocks that jump.

#![expect(
    clippy::too_many_lines,
    clippy::cast_precision_loss,
    reason = "one match over all steps; sums of small whole seconds"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::Value;

use super::*;
use crate::model::CompletedSegment;
use crate::model::{PlannedSegment, Priority};
use crate::model::{TaskKind, Timestamp};

const SEGMENTS: u32 = 3;

/// What the model knows of a task.
#[derive(Clone, Debug)]
struct Known {
    state: TaskState,
    priority: Priority,
    after: Vec<usize>,
    due: Option<u64>,
    paused: bool,
    timeout: Option<u64>,
    deadline: Option<u64>,
    cancelled: bool,
    done: BTreeMap<u32, u64>,
    ended_at: Option<u64>,
    runs: u32,
    /// Left the registry.
    gone: bool,
}

#[derive(Clone, Debug, Default)]
struct Model {
    tasks: Vec<Known>,
    paused: bool,
    now: u64,
    wall: i64,
}

#[derive(Clone, Debug)]
enum Step {
    Submit {
        priority: Priority,
        delay: Option<u64>,
        after: Vec<usize>,
        paused: bool,
        timeout: Option<u64>,
    },
    Take,
    Segment(usize, u32, u64),
    Cancel(usize),
    End(usize, bool),
    Requeue(usize, Option<u64>),
    Expire,
    Cleanup(u64),
    Pause(usize, bool),
    PauseQueue(bool),
    Pass(u64),
    WallJump(i64),
    CrashAndReopen,
}

impl Model {
    fn is_ready(&self, task: &Known) -> bool {
        task.state == TaskState::Pending
            && !task.paused
            && task.due.is_none_or(|due| due <= self.now)
            && task.after.iter().all(|&index| {
                let dependency = &self.tasks[index];
                dependency.state == TaskState::Completed || dependency.gone
            })
    }

    /// The next task to run: the most urgent, the oldest of them.
    fn next(&self) -> Option<usize> {
        if self.paused {
            return None;
        }
        let ready = (0..self.tasks.len()).filter(|&index| self.is_ready(&self.tasks[index]));
        ready.min_by_key(|&index| (std::cmp::Reverse(self.tasks[index].priority), index))
    }

    fn end(&mut self, index: usize, state: TaskState) {
        let now = self.now;
        let task = &mut self.tasks[index];
        if task.state.is_terminal() {
            return;
        }
        task.state = state;
        task.ended_at = Some(now);
        task.deadline = None;
        task.paused = false;
        if state != TaskState::Completed {
            for later in index + 1..self.tasks.len() {
                if self.tasks[later].after.contains(&index) {
                    self.end(later, TaskState::Failed);
                }
            }
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Submit {
                priority,
                delay,
                after,
                paused,
                timeout,
            } => {
                let in_vain = after.iter().any(|&index| {
                    let dependency = &self.tasks[index];
                    !dependency.gone
                        && matches!(dependency.state, TaskState::Failed | TaskState::Cancelled)
                });
                self.tasks.push(Known {
                    state: TaskState::Pending,
                    priority: *priority,
                    after: after.clone(),
                    due: delay.map(|delay| self.now + delay),
                    paused: *paused,
                    timeout: *timeout,
                    deadline: None,
                    cancelled: false,
                    done: BTreeMap::new(),
                    ended_at: None,
                    runs: 0,
                    gone: false,
                });
                if in_vain {
                    self.end(self.tasks.len() - 1, TaskState::Failed);
                }
            }
            Step::Take => {
                if let Some(index) = self.next() {
                    let now = self.now;
                    let task = &mut self.tasks[index];
                    task.state = TaskState::Processing;
                    task.deadline = task.timeout.map(|timeout| now + timeout);
                    task.runs += 1;
                }
            }
            Step::Segment(index, segment, length) => {
                let task = &mut self.tasks[*index];
                if !task.state.is_terminal() {
                    task.done.insert(*segment, *length);
                }
            }
            Step::Cancel(index) => match self.tasks[*index].state {
                TaskState::Pending => {
                    self.tasks[*index].cancelled = true;
                    self.end(*index, TaskState::Cancelled);
                }
                TaskState::Processing => self.tasks[*index].cancelled = true,
                _ => {}
            },
            Step::End(index, well) => {
                let state = if *well {
                    TaskState::Completed
                } else {
                    TaskState::Failed
                };
                self.end(*index, state);
            }
            Step::Requeue(index, delay) => {
                let now = self.now;
                let task = &mut self.tasks[*index];
                if task.state == TaskState::Processing {
                    task.state = TaskState::Pending;
                    task.deadline = None;
                    task.due = delay.map(|delay| now + delay);
                    // A pause or a shutdown is no attempt.
                    task.runs -= u32::from(delay.is_none());
                    // What had to end before has ended.
                    task.after.clear();
                }
            }
            Step::Expire => {
                for index in 0..self.tasks.len() {
                    if self.tasks[index]
                        .deadline
                        .is_some_and(|deadline| deadline <= self.now)
                    {
                        self.end(index, TaskState::Failed);
                    }
                }
            }
            Step::Cleanup(age) => {
                for task in &mut self.tasks {
                    task.gone |= task.ended_at.is_some_and(|at| self.now - at > *age);
                }
            }
            Step::Pause(index, paused) => {
                // A running one is held as soon as it is back.
                let task = &mut self.tasks[*index];
                if !task.state.is_terminal() {
                    task.paused = *paused;
                }
            }
            Step::PauseQueue(paused) => self.paused = *paused,
            Step::Pass(time) => self.now += time,
            Step::WallJump(time) => self.wall += time,
            Step::CrashAndReopen => {
                self.paused = false;
                for task in &mut self.tasks {
                    task.gone |= task.state.is_terminal();
                    if task.state == TaskState::Processing {
                        task.state = TaskState::Pending;
                    }
                    task.deadline = None;
                    task.due = task.due.filter(|&due| due > self.now);
                    task.runs = 0;
                }
            }
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let count = state.tasks.len();
        let submit = (
            prop::sample::select(&Priority::ALL[..]),
            prop::option::weighted(0.2, 0..50u64),
            prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            prop::bool::weighted(0.1),
            prop::option::weighted(0.3, 1..80u64),
        )
            .prop_map(move |(priority, delay, after, paused, timeout)| {
                let after = if count == 0 { Vec::new() } else { after };
                let mut after: Vec<_> = after.iter().map(|index| index.index(count)).collect();
                after.sort_unstable();
                after.dedup();
                Step::Submit {
                    priority,
                    delay,
                    after,
                    paused,
                    timeout,
                }
            });
        if count == 0 {
            return submit.boxed();
        }
        let task = 0..count;
        prop_oneof![
            4 => submit,
            6 => Just(Step::Take),
            5 => (task.clone(), 1..=SEGMENTS, 1..9u64).prop_map(|(t, s, n)| Step::Segment(t, s, n)),
            2 => task.clone().prop_map(Step::Cancel),
            4 => (task.clone(), any::<bool>()).prop_map(|(t, well)| Step::End(t, well)),
            2 => (task.clone(), prop::option::of(0..40u64)).prop_map(|(t, d)| Step::Requeue(t, d)),
            2 => Just(Step::Expire),
            1 => (0..60u64).prop_map(Step::Cleanup),
            2 => (task, any::<bool>()).prop_map(|(t, paused)| Step::Pause(t, paused)),
            1 => any::<bool>().prop_map(Step::PauseQueue),
            3 => (1..60u64).prop_map(Step::Pass),
            1 => (-100_000..100_000i64).prop_map(Step::WallJump),
            1 => Just(Step::CrashAndReopen),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        Model::apply(&mut state, step);
        state
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        let known = |index: &usize| *index < state.tasks.len();
        match step {
            Step::Submit { after, .. } => after.iter().all(known),
            Step::Segment(index, ..)
            | Step::Cancel(index)
            | Step::Pause(index, _)
            | Step::Requeue(index, _) => known(index),
            // Work ends only when a worker has it.
            Step::End(index, _) => {
                known(index) && state.tasks[*index].state == TaskState::Processing
            }
            _ => true,
        }
    }
}

/// The real one, and what is on disk: what it takes to open it again.
struct Real {
    registry: Registry,
    now: u64,
    wall: i64,
    count: usize,
    progress: BTreeMap<usize, (u32, u64)>,
}

impl Real {
    fn now(&self) -> Now {
        Now {
            wall: Timestamp(self.wall),
            mono: Duration::from_millis(self.now),
        }
    }

    fn new_task(index: usize, schedule: Schedule, timeout: Option<u64>) -> NewTask {
        let segment = |number: u32| PlannedSegment {
            start: number.into(),
            end: u64::from(number) + 1,
            text: "text".into(),
            pause_ms: 0,
            heading: false,
        };
        NewTask {
            id: id(index),
            seq: index as u64,
            title: "task".into(),
            kind: TaskKind::Narration,
            timeout: timeout.map(Duration::from_millis),
            schedule,
            narration: Some(NewNarration {
                plan: Arc::new(Plan::new((1..=SEGMENTS).map(segment).collect())),
                folder: Path::new("folder").into(),
                voice: "voice".into(),
                completed: Vec::new(),
                errors: Vec::new(),
            }),
            created_at: None,
        }
    }

    /// Opens anew from what the store would have: all that has not ended, in its old order.
    fn reopen(&mut self, model: &Model) {
        let now = self.now();
        let mut registry = Registry::default();
        for status in self.registry.all() {
            if status.state.is_terminal() {
                continue;
            }
            let index: usize = status.id.as_str().parse().unwrap();
            let known = &model.tasks[index];
            let schedule = Schedule {
                priority: status.priority,
                delay: known.due.map(|due| Duration::from_millis(due - self.now)),
                after: known.after.iter().map(|&index| id(index)).collect(),
                paused: status.paused,
                group: status.group.clone(),
                rank: None,
            };
            let mut new = Self::new_task(index, schedule, known.timeout);
            if let Some(narration) = &mut new.narration {
                narration.completed = status.completed_segments.iter().cloned().collect();
            }
            registry.submit(new, now).unwrap();
        }
        self.registry = registry;
        self.progress.clear();
    }
}

fn group_of(index: usize) -> &'static str {
    if index.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    }
}

fn id(index: usize) -> TaskId {
    TaskId::from(index.to_string())
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        Self {
            registry: Registry::default(),
            now: 0,
            wall: 0,
            count: 0,
            progress: BTreeMap::new(),
        }
    }

    fn apply(mut real: Self, model: &Model, step: Step) -> Self {
        let now = real.now();
        match step {
            Step::Submit {
                priority,
                delay,
                after,
                paused,
                timeout,
            } => {
                let index = real.count;
                real.count += 1;
                let schedule = Schedule {
                    priority,
                    delay: delay.map(Duration::from_millis),
                    after: after.into_iter().map(id).collect(),
                    paused,
                    group: Some(GroupId::from(group_of(index))),
                    rank: None,
                };
                let task = Real::new_task(index, schedule, timeout);
                real.registry.submit(task.clone(), now).unwrap();
                assert!(
                    real.registry.submit(task, now).is_none(),
                    "a live id is refused"
                );
            }
            Step::Take => {
                let ready = real.registry.has_ready(now);
                let taken = real.registry.take_next(now);
                assert_eq!(ready, taken.is_some());
                // That it is the right one shows in the states, which are compared below.
            }
            Step::Segment(index, segment_id, seconds) => {
                let segment = CompletedSegment {
                    segment_id,
                    clip: "clip".into(),
                    duration: Duration::from_secs(seconds),
                    work: Duration::from_millis(1),
                };
                real.registry
                    .complete_segment(&id(index), segment, true, now);
            }
            Step::Cancel(index) => {
                real.registry.cancel(&id(index), now);
            }
            Step::End(index, well) => {
                let outcome = if well {
                    Outcome::Completed(Value::Null)
                } else {
                    Outcome::Failed(ErrorObject::new("X", "x"))
                };
                real.registry.end(&id(index), outcome, now);
            }
            Step::Requeue(index, delay) => {
                let before = real.registry.status(&id(index));
                let delay = delay.map(|delay| {
                    let error = ErrorObject::new("X", "x");
                    (Duration::from_millis(delay), error)
                });
                let retries = delay.is_some();
                if real.registry.requeue(&id(index), delay, now).is_some() {
                    let (before, after) =
                        (before.unwrap(), real.registry.status(&id(index)).unwrap());
                    let worked = now.wall.since(before.started_at.unwrap()).as_secs_f64();
                    assert_eq!((after.started_at, after.error.is_some()), (None, retries));
                    let off = after.earlier_seconds - before.earlier_seconds - worked;
                    assert!(off.abs() < 1e-6);
                }
            }
            Step::Expire => {
                for overdue in real.registry.expire(now) {
                    assert!(overdue.segment.is_none());
                    real.registry.end(&overdue.id, Outcome::TimedOut, now);
                }
                assert!(real.registry.expire(now).is_empty(), "each is named once");
            }
            Step::Cleanup(age) => {
                real.registry.cleanup(Duration::from_millis(age), now);
            }
            Step::Pause(index, paused) => {
                real.registry.set_paused(&id(index), paused, now);
            }
            Step::PauseQueue(paused) => {
                real.registry.set_queue_paused(paused);
            }
            Step::Pass(time) => real.now += time,
            Step::WallJump(time) => real.wall += time,
            Step::CrashAndReopen => real.reopen(model),
        }
        real
    }

    fn check_invariants(real: &Self, model: &Model) {
        let mut counts = [0; TaskState::ALL.len()];
        let mut groups: BTreeMap<&str, (usize, u64, f64)> = BTreeMap::new();
        for (index, known) in model.tasks.iter().enumerate() {
            let status = real.registry.status(&id(index));
            if known.gone {
                assert!(status.is_none(), "task {index} was cleaned");
                continue;
            }
            let status = status.unwrap_or_else(|| panic!("task {index} is lost"));
            counts[known.state as usize] += 1;
            assert_eq!(status.state, known.state, "task {index}: {known:?}");
            assert_eq!(status.completed_at.is_some(), known.state.is_terminal());
            assert_eq!(status.attempt, known.runs);
            assert_eq!(status.paused, known.paused, "task {index}");
            let done: BTreeMap<_, _> = status
                .completed_segments
                .iter()
                .map(|segment| (segment.segment_id, segment.duration.as_secs()))
                .collect();
            assert_eq!(done, known.done, "completed segments of task {index}");
            assert_eq!(status.progress.current, known.done.len() as u64);
            let audio: u64 = known.done.values().sum();
            assert!((status.audio_seconds - audio as f64).abs() < 1e-6);
            let group = groups.entry(group_of(index)).or_default();
            group.0 += 1;
            group.1 += status.progress.current;
            group.2 += audio as f64;
        }
        for state in TaskState::ALL {
            assert_eq!(
                real.registry.count(state),
                counts[state as usize],
                "{state}"
            );
        }
        for name in ["even", "odd"] {
            let status = real.registry.group(&GroupId::from(name));
            assert_eq!(status.is_some(), groups.contains_key(name));
            if let (Some(status), Some((tasks, current, audio))) = (status, groups.get(name)) {
                assert_eq!((status.tasks(), status.current), (*tasks, *current));
                assert!((status.audio_seconds - audio).abs() < 1e-6);
            }
        }
        assert_eq!(real.registry.all().len(), counts.iter().sum::<usize>());
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_registry_agrees_with_its_model(sequential 1..60 => Real);
}
