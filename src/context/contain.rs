//! Containing panics: of a future, of a destructor, and of a panic payload's own destructor.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::context::{slot, Context};

/// What a panic was raised with.
pub(crate) type Payload = Box<dyn Any + Send + 'static>;

/// Runs `f` and hands back the payload if it panics.
#[inline]
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Runs what is the user's, of whose panics nobody is to hear. The panic hook has told about them already.
pub(crate) fn quietly(f: impl FnOnce()) {
    if let Err(payload) = contain(f) {
        discard(payload);
    }
}

/// Drops a panic payload whose destructor may panic in turn.
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = contain(move || drop(payload)) {
        // A payload whose destructor panics with a payload whose destructor panics: give up on
        // its memory rather than on the worker.
        std::mem::forget(second);
    }
}

/// Drops a Context. Destructors that panic end here.
#[inline]
pub(crate) fn drop_contained(context: Context) {
    if context.is_empty() {
        return;
    }
    if let Some(context) = slot::keep(context) {
        quietly(move || drop(context));
    }
}
