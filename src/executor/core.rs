//! What makes a thread a worker: its queue and its counters, which can be handed over.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::ptr::NonNull;

use crate::executor::habit::Habit;
use crate::executor::looks::Looks;
use crate::executor::pace::Pace;
use crate::queue::LocalQueue;
use crate::task::Notified;

/// The state of one worker that only the thread which is that worker touches.
pub(crate) struct Core {
    pub(crate) index: usize,
    pub(crate) queue: LocalQueue<Notified>,
    /// When the worker looks at the outside world.
    pub(crate) looks: Looks,
    /// How many turns are left until it looks at the injector before its own queue.
    pub(crate) turns_to_injector: Cell<u32>,
    /// Whether the guests come before the injector in that look: there may always be something in both.
    pub(crate) guests_first: Cell<bool>,
    /// How many turns in a row went to the LIFO slot.
    pub(crate) lifo_turns: Cell<u32>,
    /// Whether the worker has found something in the injector since it last came to rest.
    pub(crate) injected: Cell<bool>,
    /// Whether it counts as searching in the idle word.
    pub(crate) searching: Cell<bool>,
    /// Where the tasks of a guest are better off.
    pub(crate) habit: Habit,
    /// Whether a guest does better than the workers.
    pub(crate) pace: Pace,
    /// How many naps in a row this worker has watched over others, or this guest over workers.
    pub(crate) naps: Cell<u32>,
    /// Draws the victim that a search starts with.
    pub(crate) random: RefCell<fastrand::Rng>,
}

impl Core {
    pub(crate) fn new(index: usize, looks: Looks) -> Core {
        Core {
            index,
            queue: LocalQueue::new(),
            looks,
            turns_to_injector: Cell::new(0),
            guests_first: Cell::new(false),
            lifo_turns: Cell::new(0),
            injected: Cell::new(false),
            searching: Cell::new(false),
            habit: Habit::new(),
            pace: Pace::new(),
            naps: Cell::new(0),
            random: RefCell::new(fastrand::Rng::with_seed(index as u64 + 1)),
        }
    }
}

/// Owns a [`Core`] at a fixed address, so that the thread can reach it through a plain pointer
/// while the ownership moves about.
pub(crate) struct OwnedCore(NonNull<Core>);

// SAFETY: it owns the core, all of whose parts are `Send`; whoever holds it is the one thread that
// uses it.
unsafe impl Send for OwnedCore {}

impl OwnedCore {
    pub(crate) fn new(core: Core) -> OwnedCore {
        OwnedCore(NonNull::from(Box::leak(Box::new(core))))
    }

    /// The core's address, valid for as long as it is owned.
    pub(crate) fn as_ptr(&self) -> *const Core {
        self.0.as_ptr()
    }
}

impl Deref for OwnedCore {
    type Target = Core;

    fn deref(&self) -> &Core {
        // SAFETY: owned, and never borrowed mutably.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for OwnedCore {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak` in `new`, and dropped once.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
