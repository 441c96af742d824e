//! `aloud status --watch`: how things stand as they change. On a terminal the lines are drawn again in
//! their place; elsewhere each change is a line more.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::status::{NOTHING, line};
use super::{HEIR, find};
use crate::cli::report::shorten;
use crate::cli::signals::Signals;
use crate::cli::site::{Next, Site, There};
use crate::model::{Event, TaskId, TaskState};
use crate::service::{Refusal, Service, TaskSummary};
use crate::settings::Settings;

/// The least time between two looks that are shown.
const PACE: Duration = Duration::from_millis(500);
/// How long another process is waited for that was to go on with the work.
const HANDED: Duration = Duration::from_secs(20);

/// Shows how the tasks stand, or this one, until it has ended, a signal comes, or nobody works.
pub(super) fn run(
    named: Option<&str>,
    settings: &Settings,
    signals: &Signals,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let Some(there) = There::reach(settings)? else {
        anyhow::bail!("nothing runs, so nothing changes; `aloud status` says how things stand");
    };
    let named = named.map(|named| find(&there.service, named)).transpose()?;
    let mut watch = Watch {
        only: named.map(|task| task.id),
        tasks: BTreeMap::new(),
        order: HashMap::new(),
        screen: Screen::fitting(),
    };
    let heard = signals.listen();
    let mut site = Site::There(Box::new(there));
    loop {
        match watch.follow(&mut site, &heard, out)? {
            Stop::Done => return Ok(ExitCode::SUCCESS),
            Stop::Signal => return Ok(signals.exit_code().unwrap_or(ExitCode::SUCCESS)),
            Stop::Gone { patience } => match There::await_heir(settings, patience, signals)? {
                Some(there) => site = Site::There(Box::new(there)),
                None if signals.raised() => {
                    return Ok(signals.exit_code().unwrap_or(ExitCode::SUCCESS));
                }
                None => {
                    writeln!(
                        out,
                        "Whoever worked the queue has ended; `aloud` or `aloud serve` goes on with it."
                    )?;
                    return Ok(ExitCode::SUCCESS);
                }
            },
        }
    }
}

enum Stop {
    /// The task that was asked for has ended.
    Done,
    Signal,
    /// Whoever worked; someone else may come within this time.
    Gone {
        patience: Duration,
    },
}

struct Watch {
    only: Option<TaskId>,
    /// By the number under which each was first seen.
    tasks: BTreeMap<usize, TaskSummary>,
    order: HashMap<TaskId, usize>,
    screen: Screen,
}

impl Watch {
    fn follow(
        &mut self,
        site: &mut Site,
        signals: &async_channel::Receiver<i32>,
        out: &mut dyn Write,
    ) -> anyhow::Result<Stop> {
        if self.read(site.service()).is_err() {
            return Ok(Stop::Gone { patience: HEIR });
        }
        self.screen.show(&chosen(&self.tasks), out)?;
        let mut due: Option<Instant> = None;
        while !self.is_done() {
            match site.next(signals, due) {
                Next::Happened(event, task) => self.take(&event, task),
                Next::Afresh => {
                    if self.read(site.service()).is_err() {
                        return Ok(Stop::Gone { patience: HEIR });
                    }
                }
                Next::Late => {
                    due = None;
                    self.screen.show(&chosen(&self.tasks), out)?;
                    continue;
                }
                Next::Signal(_) => return Ok(Stop::Signal),
                Next::Lost | Next::Ended { handed_over: false } => {
                    self.screen.show(&chosen(&self.tasks), out)?;
                    return Ok(Stop::Gone { patience: HEIR });
                }
                Next::Ended { handed_over: true } => {
                    self.screen.show(&chosen(&self.tasks), out)?;
                    return Ok(Stop::Gone { patience: HANDED });
                }
            }
            due.get_or_insert_with(|| Instant::now() + PACE);
        }
        self.screen.show(&chosen(&self.tasks), out)?;
        Ok(Stop::Done)
    }

    fn is_done(&self) -> bool {
        let task = |id| self.order.get(id).and_then(|at| self.tasks.get(at));
        let only = self.only.as_ref().map(task);
        // One that is no longer known has ended before.
        only.is_some_and(|task| task.is_none_or(|task| task.state.is_terminal()))
    }

    fn read(&mut self, service: &dyn Service) -> Result<(), Refusal> {
        let tasks = match &self.only {
            Some(id) => service.task(id).into_iter().collect(),
            None => service.all_tasks()?,
        };
        self.tasks.clear();
        self.order.clear();
        for task in tasks {
            self.put(task);
        }
        Ok(())
    }

    fn put(&mut self, task: TaskSummary) {
        let next = self.tasks.last_key_value().map_or(0, |(last, _)| last + 1);
        let at = *self.order.entry(task.id.clone()).or_insert(next);
        self.tasks.insert(at, task);
    }

    fn take(&mut self, event: &Event, task: Option<Box<TaskSummary>>) {
        if let Event::Removed { task } = event {
            if let Some(at) = self.order.remove(task) {
                self.tasks.remove(&at);
            }
        } else if let Some(task) = task
            && self.only.as_ref().is_none_or(|only| *only == task.id)
        {
            self.put(*task);
        }
    }
}

/// Those that are shown: what runs, what waits in the order of its turn, what has ended last.
fn chosen(tasks: &BTreeMap<usize, TaskSummary>) -> Vec<&TaskSummary> {
    let mut tasks: Vec<_> = tasks.values().collect();
    let key = |task: &&TaskSummary| match task.state {
        TaskState::Processing => (0, task.rank),
        TaskState::Pending => (1, task.rank),
        _ => (2, task.completed_at.map_or(0, |at| -at.0)),
    };
    tasks.sort_by_key(key);
    tasks
}

/// What is shown already.
enum Screen {
    /// So many lines above the cursor, drawn again in their place.
    Terminal(usize),
    /// What was said of each task last.
    Lines(Option<HashMap<TaskId, String>>),
}

impl Screen {
    fn fitting() -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_dumb {
            Self::Terminal(0)
        } else {
            Self::Lines(None)
        }
    }

    fn show(&mut self, tasks: &[&TaskSummary], out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Terminal(above) => {
                let (columns, rows) = size();
                let lines = fitting(tasks, columns, rows.saturating_sub(1));
                let mut frame = String::new();
                if *above > 0 {
                    frame = format!("\x1b[{above}A\r\x1b[J");
                }
                *above = lines.len();
                for line in lines {
                    frame += &line;
                    frame += "\n";
                }
                out.write_all(frame.as_bytes())?;
            }
            Self::Lines(shown) => {
                let is_first = shown.is_none();
                let before = shown.take().unwrap_or_default();
                let mut now = HashMap::new();
                if is_first && tasks.is_empty() {
                    writeln!(out, "{NOTHING}")?;
                }
                for task in tasks {
                    // How long it will take is another guess each time: no change of its own.
                    let standing = standing(task);
                    if before.get(&task.id) != Some(&standing) {
                        writeln!(out, "{}", line(&(*task).into()))?;
                    }
                    now.insert(task.id.clone(), standing);
                }
                *shown = Some(now);
            }
        }
        out.flush()
    }
}

/// What makes another line of it.
fn standing(task: &TaskSummary) -> String {
    let TaskSummary {
        state,
        percentage,
        paused,
        cancel_requested,
        hold,
        ..
    } = task;
    format!("{state} {percentage} {paused} {cancel_requested} {hold:?}")
}

/// As many lines as there is room for; the last one says how many are left out.
fn fitting(tasks: &[&TaskSummary], columns: usize, rows: usize) -> Vec<String> {
    let rows = rows.max(2);
    let shown = if tasks.len() > rows {
        rows - 1
    } else {
        tasks.len()
    };
    let mut lines: Vec<_> = tasks[..shown]
        .iter()
        .map(|task| shorten(&line(&(*task).into()), columns))
        .collect();
    if tasks.is_empty() {
        lines.push(NOTHING.to_owned());
    } else if shown < tasks.len() {
        lines.push(format!("… and {} more", tasks.len() - shown));
    }
    lines
}

/// The columns and rows of the terminal; a usual one where it does not say.
fn size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| {
        (usize::from(size.ws_col), usize::from(size.ws_row))
    })
}
