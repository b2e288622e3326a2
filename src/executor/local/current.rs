//! Which local set this thread is at, for `spawn_local`.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::executor::enter::with_entered;
use crate::executor::local::implicit::ImplicitLocal;
use crate::executor::local::queue::Shared;
use crate::sync::{tls, Arc};

struct Current {
    /// The set that was entered last, or null. The pointer owns a count.
    home: Cell<*const Shared>,
    /// What `spawn_local` falls back to directly inside a `block_on`, or null.
    implicit: Cell<*const ImplicitLocal>,
    /// Whether a set is running, so that this thread can hand nothing over to another.
    running: Cell<bool>,
}

tls! {
    static CURRENT: Current = Current {
        home: Cell::new(ptr::null()),
        implicit: Cell::new(ptr::null()),
        running: Cell::new(false),
    };
}

/// Whether this thread is polling or dropping a local set, its tasks or a future of its
/// `run_until`: nothing of that can move to another thread.
pub(crate) fn is_running_local() -> bool {
    CURRENT.with(|current| current.running.get())
}

/// The set that `spawn_local` spawns on: the one that was entered last, else that of the runtime
/// this thread is in, else what goes along with a `block_on`.
pub(super) fn home() -> Result<Arc<Shared>, Homeless> {
    let home = CURRENT.with(|current| current.home.get());
    if !home.is_null() {
        // SAFETY: the pointer owns a count, which stays where it is; the result gets another.
        return Ok(unsafe {
            Arc::increment_strong_count(home);
            Arc::from_raw(home)
        });
    }
    let of_runtime = with_entered(|runtime| runtime?.local.get().map(|home| home.0.clone()));
    if let Some(home) = of_runtime.as_ref().filter(|home| home.is_owner()) {
        return Ok(home.clone());
    }
    let implicit = CURRENT.with(|current| current.implicit.get());
    // SAFETY: the guard that set the pointer borrows what it points to.
    match (unsafe { implicit.as_ref() }, of_runtime) {
        (Some(implicit), _) => Ok(implicit.shared().clone()),
        (None, Some(_)) => Err(Homeless::OtherThread),
        (None, None) => Err(Homeless::NoSet),
    }
}

/// Why there is no set to spawn on.
pub(super) enum Homeless {
    NoSet,
    /// The runtime that this thread is in has one, but it belongs to another thread.
    OtherThread,
}

/// The set of a [`LocalRuntime`](crate::runtime::LocalRuntime), as its runtime knows it.
pub(crate) struct LocalHome(Arc<Shared>);

impl LocalHome {
    pub(super) fn new(shared: Arc<Shared>) -> LocalHome {
        LocalHome(shared)
    }
}

/// Makes a set the one that `spawn_local` spawns on, until dropped.
///
/// Users get such guards and may drop them in any order. Each holds what was there before it and
/// puts it back, and whatever it finds in its place goes: every pointer owns its count, wherever
/// it ends up.
pub(super) struct Entered {
    previous: *const Shared,
}

impl Entered {
    pub(super) fn enter(shared: Arc<Shared>) -> Entered {
        let shared = Arc::into_raw(shared);
        Entered {
            previous: CURRENT.with(|current| current.home.replace(shared)),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let home = CURRENT.with(|current| current.home.replace(self.previous));
        if !home.is_null() {
            // SAFETY: the pointer owned a count, and it is in no other place now.
            drop(unsafe { Arc::from_raw(home) });
        }
    }
}

/// [`Entered`], by a set that is running.
pub(super) struct AtHome {
    _entered: Entered,
    was_running: bool,
}

impl AtHome {
    pub(super) fn enter(shared: Arc<Shared>) -> AtHome {
        let was_running = CURRENT.with(|current| current.running.replace(true));
        AtHome {
            _entered: Entered::enter(shared),
            was_running,
        }
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        CURRENT.with(|current| current.running.set(self.was_running));
    }
}

/// Makes an [`ImplicitLocal`] the fallback of `spawn_local` until dropped.
pub(crate) struct ImplicitGuard<'a> {
    previous: *const ImplicitLocal,
    implicit: PhantomData<&'a ImplicitLocal>,
}

impl<'a> ImplicitGuard<'a> {
    pub(super) fn enter(implicit: &'a ImplicitLocal) -> ImplicitGuard<'a> {
        let previous = CURRENT.with(|current| current.implicit.replace(implicit));
        ImplicitGuard {
            previous,
            implicit: PhantomData,
        }
    }
}

impl Drop for ImplicitGuard<'_> {
    fn drop(&mut self) {
        CURRENT.with(|current| current.implicit.set(self.previous));
    }
}
