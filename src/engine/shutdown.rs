//! The shutdown as its caller sees it: the core decides, this joins every thread and frees the library.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_channel::Receiver;

use super::Inner;
use super::core::{Command, Reply};
use super::guard::guarded;
use super::runtime;
use crate::model::{ShutdownReport, ShutdownWait, TaskState};

/// Shuts the engine down; see [`super::Engine::shutdown`].
pub(super) fn shut_down(inner: &Inner, wait: ShutdownWait) -> ShutdownReport {
    let runtime = &inner.runtime;
    let begun = Instant::now();
    let replies = begin(inner, wait);
    let refuse = begun.elapsed().as_secs_f64();
    let Ok(Reply::Down(report)) = replies.recv_blocking() else {
        // The core answers every shutdown.
        return ShutdownReport::default();
    };
    let mut last = inner.report.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(report) = &*last {
        return report.clone();
    }
    let mut report = *report;
    report.steps.refuse = refuse;
    let joining = Instant::now();
    join(inner, &mut report);
    report.steps.join = joining.elapsed().as_secs_f64();
    report.seconds = begun.elapsed().as_secs_f64();
    *last = Some(report.clone());
    drop(last);
    write_log(&report);
    runtime.options.hooks.stopped(&report);
    report
}

/// Has the core refuse work from now on; what it did is replied when the engine is down.
pub(super) fn begin(inner: &Inner, wait: ShutdownWait) -> Receiver<Reply> {
    let runtime = &inner.runtime;
    if !inner.is_stop_told.swap(true, Ordering::AcqRel) {
        runtime.options.hooks.stopping();
    }
    runtime.call(|call| Command::Shutdown { wait, call }).1
}

/// Joins every thread, the database's included, and frees the library.
fn join(inner: &Inner, report: &mut ShutdownReport) {
    let runtime = &inner.runtime;
    runtime.close();
    let left = runtime.threads.join_workers();
    report.abandoned = report.abandoned.max(left);
    runtime.threads.join_ours();
    if !runtime.threads.join_journal() {
        tracing::warn!("a narration's folder does not answer; its journal is left as it is");
    }
    runtime.close_events();
    let foreign = runtime.threads.join_foreign();
    if foreign > 0 {
        tracing::warn!("{foreign} threads that run the embedding program's code do not return");
    }
    inner.free_library();
}

fn write_log(report: &ShutdownReport) {
    tracing::info!(
        finished = report.finished,
        interrupted = report.interrupted,
        abandoned = report.abandoned,
        cancelled = report.cancelled,
        seconds = report.seconds,
        steps = ?report.steps,
        "the engine has shut down"
    );
    if report.abandoned > 0 {
        tracing::warn!("{} threads still alive after shutdown", report.abandoned);
    } else {
        tracing::info!("all worker threads terminated");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let is_down = self
            .report
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        if !is_down {
            // One that was begun continues as it was asked for: this neither shortens nor lengthens it.
            // Unless it would wait for the very work that drops it.
            let goes_on = *self.is_stop_told.get_mut() && !runtime::is_worker();
            let wait = if goes_on {
                ShutdownWait::Drain(Duration::MAX)
            } else {
                ShutdownWait::Now
            };
            let report = guarded("the shutdown", || shut_down(self, wait));
            let continues = self.runtime.lock().core.count(TaskState::Pending);
            if let Some(report) = report
                && report.cancelled + continues > 0
            {
                tracing::warn!(
                    "the last handle was dropped while work waited: {} closures will not run, {} \
                     tasks continue when the library is opened again",
                    report.cancelled,
                    continues
                );
            }
        }
    }
}
