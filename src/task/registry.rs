//! The tasks of a runtime that are waiting for something, so that a shutdown finds them.
//!
//! A task that was never polled, or is being polled, sits in a queue or in a worker's hands and
//! is found there. Only one that has returned `Pending` can be out of sight, so that is when it
//! is bound here; tasks that finish in their first poll never are.
//!
//! A bound task is kept by its registry. Nobody else need do so: the handle may be gone and the
//! future may have put its waker nowhere, and `async-task` frees such a task at the end of its turn
//! without dropping the future.
//!
//! The registry also says when its owner's memory may go. A bound task calls its scheduler for as
//! long as its future is there, also after the shutdown, when some other thread is just about to
//! wake it; so the bound tasks, together, own one reference to the scheduler. No count is kept for
//! that while the registry is open. When it is closed those that are bound are counted, none
//! follows them, and who is the last to leave gives the reference back. A task that is not bound
//! is in the hands of somebody who holds the scheduler.

use std::ptr::NonNull;
use std::task::Waker;

use crossbeam_utils::CachePadded;
use slab::Slab;

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{thread, Mutex};
use crate::task::header::{self, Header};

/// Where a task is bound, if it is. Small, because each task has one.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed)]
pub(crate) struct RegistryKey {
    index: u32,
    shard: u8,
}

impl RegistryKey {
    /// Bound nowhere.
    pub(crate) const NONE: RegistryKey = RegistryKey {
        index: 0,
        shard: u8::MAX,
    };

    #[inline(always)]
    pub(crate) fn is_some(self) -> bool {
        self.shard != u8::MAX
    }
}

/// The most shards that a registry has.
const MOST_SHARDS: usize = 64;
const _: () = assert!(MOST_SHARDS < u8::MAX as usize, "a key has one byte for it");

/// The bound tasks, in shards so that workers do not meet at one lock.
pub(crate) struct Registry {
    shards: Box<[CachePadded<Mutex<Shard>>]>,
    left: Left,
    /// Whether somebody has begun to close it.
    closing: AtomicBool,
}

struct Shard {
    closed: bool,
    /// Wakers of the tasks, each of which keeps its task.
    tasks: Slab<Waker>,
}

impl Registry {
    /// Makes a registry with room for `threads` threads without contention.
    pub(crate) fn new(threads: usize) -> Registry {
        let shards = threads.clamp(1, MOST_SHARDS).next_power_of_two();
        Registry {
            shards: (0..shards)
                .map(|_| {
                    CachePadded::new(Mutex::new(Shard {
                        closed: false,
                        tasks: Slab::new(),
                    }))
                })
                .collect(),
            left: Left::new(),
            closing: AtomicBool::new(false),
        }
    }

    /// Binds a task, or returns `None` when the registry is closed.
    ///
    /// # Safety
    ///
    /// `raw` must be the address of a task that is alive.
    pub(crate) unsafe fn bind(&self, raw: NonNull<()>) -> Option<RegistryKey> {
        let shard = thread::number() & (self.shards.len() - 1);
        let mut guard = self.shards[shard].lock();
        if guard.closed {
            return None;
        }
        // SAFETY: as this function's contract says.
        let index = guard.tasks.insert(unsafe { header::waker(raw) });
        Some(RegistryKey {
            // More tasks than that would need a terabyte.
            index: u32::try_from(index).expect("fewer than 2^32 tasks in a shard"),
            shard: shard as u8,
        })
    }

    /// Removes a task that was bound.
    pub(crate) fn unbind(&self, key: RegistryKey) -> Leaving {
        let (waker, closed) = {
            let mut guard = self.shards[key.shard as usize].lock();
            (guard.tasks.remove(key.index as usize), guard.closed)
        };
        // Never the last one: the task is in its turn, or being dropped in a queue.
        drop(waker);
        match closed {
            true => self.left.leave(),
            false => Leaving::Others,
        }
    }

    /// Refuses further tasks, marks all bound ones as aborted and wakes them. May be called again,
    /// also by several at once.
    pub(crate) fn close(&self) -> Leaving {
        // Relaxed: it only chooses one of those who close.
        let first = !self.closing.swap(true, Ordering::Relaxed);
        for shard in self.shards.iter() {
            let wakers: Vec<Waker> = {
                let mut guard = shard.lock();
                if !guard.closed {
                    guard.closed = true;
                    // Under the lock, so before any of them can leave.
                    self.left.join(guard.tasks.len());
                }
                guard
                    .tasks
                    .iter()
                    .map(|(_, waker)| abort_bound(waker))
                    .collect()
            };
            // Waking runs the schedule function, which may drop the task, which unbinds it.
            wakers.into_iter().for_each(Waker::wake);
        }
        // All shards are closed by now, whoever closed them.
        match first {
            true => self.left.leave(),
            false => Leaving::Others,
        }
    }
}

/// Whether somebody was the last to need the memory of the registry's owner.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Others are still there.
    Others,
    /// It was the last: the tasks' reference goes with it. Said once.
    Last,
}

/// How many tasks are bound to the closed shards, and one more until all shards are.
pub(crate) struct Left(AtomicUsize);

impl Left {
    pub(crate) fn new() -> Left {
        Left(AtomicUsize::new(1))
    }

    /// Counts some in, before any of them leaves.
    pub(crate) fn join(&self, tasks: usize) {
        // Relaxed: who joins is still there.
        self.0.fetch_add(tasks, Ordering::Relaxed);
    }

    /// Counts one out.
    pub(crate) fn leave(&self) -> Leaving {
        // Ordering: release what this one did to the memory, acquire what the others did, before
        // the last one frees it. Pairs with itself.
        match self.0.fetch_sub(1, Ordering::AcqRel) {
            1 => Leaving::Last,
            _ => Leaving::Others,
        }
    }
}

/// Marks a bound task as aborted and returns a waker for it.
fn abort_bound(waker: &Waker) -> Waker {
    let raw = waker.data() as *mut ();
    // SAFETY: `bind` made the waker, and `async-task`'s wakers have the task's address as their
    // data, which is not null. The waker keeps the task.
    unsafe { Header::of(NonNull::new_unchecked(raw)) }.mark_aborted();
    waker.clone()
}
