//! Which runtime is current on a thread, and whether the thread may block.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::executor::driver::Token;
use crate::executor::shared::Shared;
use crate::sync::{tls, Arc};
use crate::time::{self, CurrentTimers};

tls! {
    /// The runtime that was entered last; null outside of all. What it points to is kept by the
    /// guard that set it.
    static ENTERED: Entered = Entered { shared: Cell::new(None), depth: Cell::new(0) };
}

tls! {
    /// Whether this thread polls tasks, so that it must not be blocked.
    static POLLING: Cell<bool> = Cell::new(false);
}

struct Entered {
    shared: Cell<Option<*const Arc<Shared>>>,
    depth: Cell<usize>,
}

/// Runtime context guard.
///
/// Returned by [`Runtime::enter`](crate::runtime::Runtime::enter) and
/// [`Handle::enter`](crate::runtime::Handle::enter): as long as it is there, `kamon::spawn` and its siblings on this thread go
/// to that runtime.
#[must_use = "Creating and dropping a guard does nothing"]
#[derive(Debug)]
pub struct EnterGuard<'a> {
    _entrance: Entrance<'a>,
}

impl<'a> EnterGuard<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>) -> EnterGuard<'a> {
        EnterGuard { _entrance: Entrance::new(shared) }
    }
}

/// Makes a runtime the current one of this thread until dropped: for spawning, for timers, and
/// for the outside world that its driver speaks for.
pub(crate) struct Entrance<'a> {
    previous: Option<*const Arc<Shared>>,
    depth: usize,
    _token: Box<dyn Token + 'a>,
    _timers: CurrentTimers,
    /// Belongs to this thread.
    _not_send: PhantomData<*mut ()>,
}

impl std::fmt::Debug for Entrance<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("depth", &self.depth).finish()
    }
}

impl<'a> Entrance<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>) -> Entrance<'a> {
        let token = shared.driver.enter();
        let timers = time::enter(&shared.timers);
        ENTERED.with(|entered| {
            let depth = entered.depth.get() + 1;
            entered.depth.set(depth);
            Entrance {
                previous: entered.shared.replace(Some(shared)),
                depth,
                _token: token,
                _timers: timers,
                _not_send: PhantomData,
            }
        })
    }
}

impl Drop for Entrance<'_> {
    fn drop(&mut self) {
        ENTERED.with(|entered| {
            if entered.depth.get() != self.depth {
                if !std::thread::panicking() {
                    panic!(
                        "`EnterGuard` values dropped out of order. Guards returned by \
                         `kamon::runtime::Handle::enter()` must be dropped in the reverse \
                         order as they were acquired."
                    );
                }
                return;
            }
            entered.depth.set(self.depth - 1);
            entered.shared.set(self.previous);
        });
    }
}

/// Gives `f` the runtime that is current on this thread, if one is.
#[inline]
pub(crate) fn with_entered<R>(f: impl FnOnce(Option<&Arc<Shared>>) -> R) -> R {
    let shared = ENTERED.with(|entered| entered.shared.get());
    // SAFETY: the guard that set the pointer borrows what it points to and takes it back when it
    // is dropped; a guard that is forgotten leaves a borrow that lasts for ever.
    f(shared.map(|shared| unsafe { &*shared }))
}

/// Whether this thread polls tasks now, so that it must not be blocked.
pub(crate) fn is_polling() -> bool {
    POLLING.with(Cell::get)
}

/// Says that this thread polls tasks, or does not for a while, until dropped.
pub(crate) struct PollingGuard {
    previous: bool,
}

impl PollingGuard {
    pub(crate) fn set(polling: bool) -> PollingGuard {
        PollingGuard { previous: POLLING.with(|cell| cell.replace(polling)) }
    }
}

impl Drop for PollingGuard {
    fn drop(&mut self) {
        POLLING.with(|cell| cell.set(self.previous));
    }
}
