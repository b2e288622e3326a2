//! The queue into a runtime from outside its workers.

use concurrent_queue::{ConcurrentQueue, PushError};

/// A queue that any thread pushes to and any worker takes from, first in first out.
pub(crate) struct Injector<T> {
    queue: ConcurrentQueue<T>,
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Injector {
            queue: ConcurrentQueue::unbounded(),
        }
    }

    /// Appends an item, or hands it back if the queue is [closed](Self::close).
    #[inline]
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        self.queue.push(item).map_err(PushError::into_inner)
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        self.queue.pop().ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Refuses further items; those inside can still be taken.
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}
