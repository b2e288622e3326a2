//! Timer callbacks: a closure that runs later, in the Context of today.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::current;
use super::far::capped;
use super::host::Host;
use super::instant::Instant;
use super::shard::{Action, Armed, Shard};
use super::wheel::Key;
use crate::context::contain::quietly;
use crate::context::{slot, Context};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::Arc;

/// Runs `callback` after `delay`, in the Context that is current now.
///
/// Until then it costs an entry in the timers and no task. It then runs as a task of the runtime
/// that is current now (of the global one if there is none): it may spawn and block as little as a
/// task may, and its panic is contained. Dropping the handle lets it run; [`TimerHandle::cancel`]
/// does not. What the callback owns is dropped in its Context in any case, at shutdown too.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
/// use kamon::time::{call_later, Duration};
///
/// let (sender, receiver) = mpsc::channel();
/// call_later(Duration::from_millis(1), move || sender.send("now").unwrap());
/// assert_eq!(receiver.recv(), Ok("now"));
///
/// let handle = call_later(Duration::from_secs(3600), || unreachable!());
/// assert!(handle.cancel());
/// ```
#[track_caller]
pub fn call_later<F>(delay: Duration, callback: F) -> TimerHandle
where
    F: FnOnce() + Send + 'static,
{
    let location = Location::caller();
    let shard = current::shard();
    let finished = Arc::new(AtomicBool::new(false));
    let job = Job {
        callback,
        finished: Finished(finished.clone()),
    };
    let parts = (slot::capture(), Box::new(move || job.run()) as Box<_>);
    let callback = Box::new(Callback {
        location,
        parts: Some(parts),
    });

    let deadline = Instant::now() + capped(delay);
    let key = match shard.arm(deadline.into_std(), Action::Call(callback)) {
        Armed::Waits(key) => Some(key),
        Armed::Due(action) => {
            shard.fire(action);
            None
        }
        Armed::Refused(action) => {
            drop(action);
            None
        }
    };
    TimerHandle {
        shard,
        key,
        finished,
    }
}

/// A handle to a callback that [`call_later`] arranged. Dropping it lets the callback run.
pub struct TimerHandle {
    shard: Arc<Shard>,
    /// `None` if the callback never waited.
    key: Option<Key>,
    finished: Arc<AtomicBool>,
}

impl TimerHandle {
    /// Keeps the callback from running and drops it, in its Context, before this returns.
    ///
    /// Returns whether this call prevented it: `false` if it runs, has run, or was cancelled or
    /// dropped before.
    pub fn cancel(&self) -> bool {
        // The lock of the shard decides: who takes the entry out of the wheel has it.
        let action = self.key.and_then(|key| self.shard.disarm(key));
        action.is_some()
    }

    /// Returns whether the callback is over: it ran to its end, panicked, was cancelled, or was
    /// dropped because its runtime shut down.
    pub fn is_finished(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `Finished::drop`, so that who reads `true`
        // also sees what the callback did.
        self.finished.load(Ordering::Acquire)
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// A callback that waits in a wheel. Wherever it is dropped, that happens in its Context.
pub(super) struct Callback {
    location: &'static Location<'static>,
    parts: Option<(Context, Box<dyn FnOnce() + Send>)>,
}

impl Callback {
    /// Hands the callback to the runtime; without one it is dropped.
    pub(super) fn launch(mut self, host: Option<Arc<dyn Host>>) {
        let Some(host) = host else { return };
        if let Some((context, callback)) = self.parts.take() {
            host.launch(context, self.location, callback);
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some((context, callback)) = self.parts.take() {
            let frame = slot::Frame::enter(&context);
            quietly(|| drop(callback));
            drop(frame);
            quietly(|| drop(context));
        }
    }
}

/// The user's callback, and the word that it is over. The fields drop in this order.
struct Job<F> {
    callback: F,
    finished: Finished,
}

impl<F: FnOnce()> Job<F> {
    fn run(self) {
        let Job { callback, finished } = self;
        callback();
        // Last, also when the callback panics: it was moved into its call and is gone by then.
        drop(finished);
    }
}

/// Notes that a callback is over when it drops.
struct Finished(Arc<AtomicBool>);

impl Drop for Finished {
    fn drop(&mut self) {
        // Ordering: Release, see `TimerHandle::is_finished`.
        self.0.store(true, Ordering::Release);
    }
}
