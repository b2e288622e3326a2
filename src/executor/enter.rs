//! Which runtime is current on a thread, and whether the thread may block.

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;

use crate::executor::driver::Token;
use crate::executor::shared::Shared;
use crate::sync::{tls, Arc};
use crate::time::{self, CurrentTimers};

tls! {
    /// What this thread has entered.
    static ENTERED: Entered = Entered { shared: Cell::new(ptr::null()), depth: Cell::new(0) };
}

tls! {
    /// Whether this thread polls tasks, so that it must not be blocked.
    static POLLING: Cell<Polling> = Cell::new(Polling::No);
}

struct Entered {
    /// The runtime that was entered last, or null outside of all. The pointer owns a count.
    shared: Cell<*const Shared>,
    depth: Cell<usize>,
}

/// Runtime context guard.
///
/// Returned by [`Runtime::enter`](crate::runtime::Runtime::enter) and
/// [`Handle::enter`](crate::runtime::Handle::enter): as long as it is there, `kamon::spawn` and its
/// siblings on this thread go to that runtime.
#[must_use = "Creating and dropping a guard does nothing"]
#[derive(Debug)]
pub struct EnterGuard<'a> {
    _entrance: Entrance,
    _lifetime: PhantomData<&'a ()>,
}

impl EnterGuard<'_> {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        EnterGuard {
            _entrance: Entrance::new(shared),
            _lifetime: PhantomData,
        }
    }
}

// SAFETY: a shared guard shows how deep it is nested and nothing else.
unsafe impl Sync for EnterGuard<'_> {}

/// Makes a runtime the current one of this thread until dropped: for spawning, for timers, and
/// for the outside world that its driver speaks for.
///
/// Users get such guards and may drop them in any order, or never. Each holds what was there
/// before it and puts it back, and whatever it finds in its place goes: every pointer owns its
/// count, wherever it ends up.
pub(crate) struct Entrance {
    previous: *const Shared,
    depth: usize,
    _token: EnteredDriver,
    _timers: CurrentTimers,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance")
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

impl Entrance {
    pub(crate) fn new(shared: &Arc<Shared>) -> Entrance {
        let token = EnteredDriver::new(shared);
        let timers = time::enter(&shared.timers);
        ENTERED.with(|entered| {
            let depth = entered.depth.get() + 1;
            entered.depth.set(depth);
            Entrance {
                previous: entered.shared.replace(Arc::into_raw(shared.clone())),
                depth,
                _token: token,
                _timers: timers,
            }
        })
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        let (depth, leaving) = ENTERED.with(|entered| {
            let depth = entered.depth.get();
            if depth != self.depth {
                return (depth, self.previous);
            }
            entered.depth.set(depth - 1);
            (depth, entered.shared.replace(self.previous))
        });
        if !leaving.is_null() {
            // SAFETY: the pointer owned a count, and it is in no other place now.
            drop(unsafe { Arc::from_raw(leaving) });
        }
        if depth != self.depth && !std::thread::panicking() {
            panic!(
                "`EnterGuard` values dropped out of order. Guards returned by \
                 `kamon::runtime::Handle::enter()` must be dropped in the reverse \
                 order as they were acquired."
            );
        }
    }
}

/// The driver of a runtime as the current one of this thread.
struct EnteredDriver {
    /// Borrows from `_shared`; dropped before it.
    _token: Box<dyn Token>,
    _shared: Arc<Shared>,
}

impl EnteredDriver {
    fn new(shared: &Arc<Shared>) -> EnteredDriver {
        let shared = shared.clone();
        let token: Box<dyn Token + '_> = shared.driver.enter();
        // SAFETY: what the token borrows is the driver, which stays where it is for as long as
        // `shared` is kept, and that is longer than the token.
        let token = unsafe { std::mem::transmute::<Box<dyn Token + '_>, Box<dyn Token>>(token) };
        EnteredDriver {
            _token: token,
            _shared: shared,
        }
    }
}

/// Gives `f` the runtime that is current on this thread, if one is.
#[inline]
pub(crate) fn with_entered<R>(f: impl FnOnce(Option<&Arc<Shared>>) -> R) -> R {
    let shared = ENTERED.with(|entered| entered.shared.get());
    if shared.is_null() {
        return f(None);
    }
    // SAFETY: the pointer owns a count, which stays where it is. It also stays for as long as `f`
    // runs: who calls this does not give `f` a way to drop the guards further up the stack.
    let shared = ManuallyDrop::new(unsafe { Arc::from_raw(shared) });
    f(Some(&shared))
}

/// Whether this thread polls tasks now, so that it must not be blocked.
pub(crate) fn is_polling() -> bool {
    POLLING.with(Cell::get) != Polling::No
}

/// Whether the future that runs now is one that may block its thread, also where there is no other
/// thread to go on with the tasks.
pub(crate) fn may_block() -> bool {
    POLLING.with(Cell::get) == Polling::ThroughHandle && crate::task::try_id().is_none()
}

/// What a thread does that polls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polling {
    /// It polls nothing.
    No,
    /// It is there for the tasks.
    Yes,
    /// It blocks on a future by way of a handle: the runtime is there for somebody else.
    ThroughHandle,
}

/// Says that this thread polls tasks, or does not for a while, until dropped.
pub(crate) struct PollingGuard {
    previous: Polling,
}

impl PollingGuard {
    pub(crate) fn set(polling: Polling) -> PollingGuard {
        PollingGuard {
            previous: POLLING.with(|cell| cell.replace(polling)),
        }
    }
}

impl Drop for PollingGuard {
    fn drop(&mut self) {
        POLLING.with(|cell| cell.set(self.previous));
    }
}
