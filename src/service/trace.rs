//! The trace that a request belongs to, as long as it is worked on: whatever is asked of the service
//! meanwhile, on the same thread, belongs to it too.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::span::EnteredSpan;

use crate::engine::trace_span;
use crate::model::Trace;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Trace>>> = const { RefCell::new(None) };
}

/// The trace of the request that this thread works on.
pub(crate) fn current_trace() -> Option<Arc<Trace>> {
    CURRENT.with_borrow(Clone::clone)
}

/// This thread works on a request of a trace until this is dropped.
pub(crate) struct InTrace {
    before: Option<Arc<Trace>>,
    // Neither may leave the thread.
    _span: EnteredSpan,
}

impl InTrace {
    pub(crate) fn enter(trace: Option<Arc<Trace>>) -> Self {
        let span = trace_span(trace.as_deref()).entered();
        Self {
            before: CURRENT.replace(trace),
            _span: span,
        }
    }
}

impl Drop for InTrace {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// Work on a request of a trace, which waits now and then while its thread does something else.
pub(crate) struct Traced<F> {
    trace: Option<Arc<Trace>>,
    work: Pin<Box<F>>,
}

impl<F> Traced<F> {
    pub(crate) fn new(trace: Option<Arc<Trace>>, work: F) -> Self {
        let work = Box::pin(work);
        Self { trace, work }
    }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = InTrace::enter(self.trace.clone());
        self.work.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_waits_leaves_its_trace_behind_for_no_other() {
        let trace = |digit: char| {
            let id: String = std::iter::repeat_n(digit, 32).collect();
            Trace::parse(&format!("00-{id}-00f067aa0ba902b7-01"), None).map(Arc::new)
        };
        let work = async |digit| {
            let before = current_trace();
            smol::future::yield_now().await;
            assert_eq!(current_trace(), before);
            assert_eq!(before, trace(digit));
        };
        let one = Traced::new(trace('1'), work('1'));
        let two = Traced::new(trace('2'), work('2'));
        smol::block_on(smol::future::zip(one, two));
        assert_eq!(current_trace(), None);
        let outer = InTrace::enter(trace('3'));
        drop(InTrace::enter(None));
        assert_eq!(current_trace(), trace('3'));
        drop(outer);
    }
}
