//! How the log tells which trace a line belongs to.

use tracing::Span;

use crate::model::Trace;

/// A span whose lines in the log have the id of this trace. Without a trace it costs nothing.
pub(crate) fn trace_span(trace: Option<&Trace>) -> Span {
    trace.map_or_else(
        Span::none,
        |trace| tracing::info_span!("trace", trace_id = %trace),
    )
}
