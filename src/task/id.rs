//! Task identifiers.

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;

use crate::sync::statics::{AtomicU64, Ordering};
use crate::sync::tls;

/// Identifies a task for as long as the process runs.
///
/// Two tasks never share an id, those of different runtimes included. Ids are handed to threads
/// in blocks, so their order says nothing about the order of spawning.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     let handle = kamon::spawn(async { kamon::task::id() });
///     let id = handle.id();
///     assert_eq!(handle.await.unwrap(), id);
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(NonZeroU64);

impl Id {
    /// Takes the next id of this thread's block.
    #[inline]
    pub(crate) fn next() -> Id {
        let value = BLOCK.with(|block| {
            let (next, end) = block.get();
            if next == end {
                return refill(block);
            }
            block.set((next + 1, end));
            next
        });
        // The shared counter starts at one, and 2^64 tasks are out of reach.
        Id(NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN))
    }

    /// The number itself, for thread-locals that cannot hold an `Option<Id>` cheaply.
    #[inline]
    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(crate) fn from_raw(value: u64) -> Option<Id> {
        NonZeroU64::new(value).map(Id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Id").field(&self.0).finish()
    }
}

/// How many ids a thread takes at once from the shared counter.
const BLOCK_SIZE: u64 = 1024;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);

tls! {
    /// The ids that this thread has left: the next one, and the first of somebody else's.
    static BLOCK: Cell<(u64, u64)> = Cell::new((0, 0));
}

#[cold]
fn refill(block: &Cell<(u64, u64)>) -> u64 {
    let first = NEXT_BLOCK.fetch_add(BLOCK_SIZE, Ordering::Relaxed);
    block.set((first + 1, first + BLOCK_SIZE));
    first
}
