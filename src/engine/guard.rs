//! Foreign code may panic, even while its panic's payload is dropped. None of that goes further than
//! the call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code that is not ours; `None` if it panicked, which is logged.
pub(super) fn guarded<T>(what: &str, run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) => {
            let message = message(&*panic);
            tracing::error!("{what} panicked: {message}");
            discard(panic);
            None
        }
    }
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Drops a panic's payload, whatever its destructor does.
pub(super) fn discard(panic: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // Its destructor has just panicked; that of the new payload may as well.
        std::mem::forget(second);
    }
}
