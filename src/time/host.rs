//! `Host`: what the timers need from the runtime that drives them.

use std::panic::Location;

use crate::context::Context;

/// What the timers need from the runtime that drives them.
///
/// The executor implements it, so that this room knows neither workers nor tasks.
pub(crate) trait Host: Send + Sync {
    /// A deadline was armed that comes before the one the parked thread promised to wake up at:
    /// whoever parks until a deadline must look again.
    ///
    /// The call may come from any thread, and between that thread's `park_for` and its park: like
    /// any other unpark it has to be remembered until the next park.
    fn unpark(&self);

    /// Runs a timer callback as a task of the runtime, in `context`.
    fn launch(
        &self,
        context: Context,
        location: &'static Location<'static>,
        callback: Box<dyn FnOnce() + Send>,
    );
}
