//! Which local set this thread is at, for `spawn_local`.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::rc::Rc;
use std::task::Context as TaskContext;

use crate::executor::enter::with_entered;
use crate::executor::local::implicit::ImplicitLocal;
use crate::executor::local::queue::Shared;
use crate::sync::{tls, Arc};

struct Current {
    /// The set that was entered last and not left, on top of those before it; null when there is
    /// none. Each pointer in this chain owns a count of the entry it points to.
    home: Cell<*const Entry>,
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
/// this thread is in.
pub(super) fn home() -> Result<Arc<Shared>, Homeless> {
    let home = CURRENT.with(|current| current.home.get());
    // SAFETY: the chain keeps its entries, and nothing runs here that changes it.
    if let Some(home) = unsafe { home.as_ref() } {
        return Ok(home.shared.clone());
    }
    let of_runtime = with_entered(|runtime| runtime?.local.get().map(|home| home.0.clone()));
    if let Some(home) = of_runtime.as_ref().filter(|home| home.is_owner()) {
        return Ok(home.clone());
    }
    match of_runtime {
        Some(_) => Err(Homeless::OtherThread),
        None => Err(Homeless::NoSet),
    }
}

/// [`home`], or else what goes along with the `block_on` whose future this thread polls.
pub(super) fn home_or_implicit() -> Result<Arc<Shared>, Homeless> {
    home().or_else(|homeless| {
        let implicit = CURRENT.with(|current| current.implicit.get());
        // SAFETY: the guard that set the pointer borrows what it points to.
        let implicit = unsafe { implicit.as_ref() }.ok_or(homeless)?;
        Ok(implicit.shared().clone())
    })
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

    /// Gives tasks that are ready a turn, if the set is there and this thread's, and sees to it that `cx` is
    /// woken for the others.
    pub(crate) fn poll(&self, cx: &mut TaskContext<'_>) {
        if self.0.is_owner() && !self.0.is_closed() {
            self.0.poll_tasks(cx);
        }
    }
}

/// A set that was entered.
struct Entry {
    shared: Arc<Shared>,
    /// Whether its guard is there.
    open: Cell<bool>,
    below: *const Entry,
}

impl Entry {
    fn push(shared: Arc<Shared>) -> Rc<Entry> {
        CURRENT.with(|current| {
            let entry = Rc::new(Entry {
                shared,
                open: Cell::new(true),
                below: current.home.get(),
            });
            current.home.set(Rc::into_raw(entry.clone()));
            entry
        })
    }

    /// Takes entries off the chain as long as `wanted` says so.
    fn pop_while(mut wanted: impl FnMut(&Entry) -> bool) {
        loop {
            let home = CURRENT.with(|current| current.home.get());
            // SAFETY: the chain keeps its entries, and `wanted` does not change it.
            let Some(entry) = (unsafe { home.as_ref() }) else {
                return;
            };
            if !wanted(entry) {
                return;
            }
            CURRENT.with(|current| current.home.set(entry.below));
            // SAFETY: the pointer that owned this count is gone from the chain.
            drop(unsafe { Rc::from_raw(home) });
        }
    }
}

/// Makes a set the one that `spawn_local` spawns on, until dropped.
///
/// Users get such guards and may drop them in any order: one that is not on top is only marked,
/// and goes together with what lies on it, so that no set is current which everybody has left.
pub(super) struct Entered(Rc<Entry>);

impl Entered {
    pub(super) fn enter(shared: Arc<Shared>) -> Entered {
        Entered(Entry::push(shared))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.open.set(false);
        Entry::pop_while(|entry| !entry.open.get());
    }
}

/// Makes a set that is running the one that `spawn_local` spawns on, until dropped.
pub(super) struct AtHome {
    entry: Rc<Entry>,
    was_running: bool,
}

impl AtHome {
    pub(super) fn enter(shared: Arc<Shared>) -> AtHome {
        let was_running = CURRENT.with(|current| current.running.replace(true));
        AtHome {
            entry: Entry::push(shared),
            was_running,
        }
    }
}

impl AtHome {
    /// Leaves what was entered since, whoever holds the guard.
    #[inline]
    pub(super) fn leave_others(&self) {
        // What runs a set nests as calls do, so the entry is in the chain.
        Entry::pop_while(|entry| !ptr::eq(entry, &*self.entry));
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        CURRENT.with(|current| current.running.set(self.was_running));
        self.leave_others();
        self.entry.open.set(false);
        Entry::pop_while(|entry| !entry.open.get());
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
