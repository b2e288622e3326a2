//! A worker's own queue, and the end of it that others steal from.

use crossbeam_deque::{Steal, Worker};

/// The queue that one worker pushes to and pops from, first in first out.
///
/// It may move to another thread with its worker, but only one thread uses it at a time.
pub(crate) struct LocalQueue<T> {
    deque: Worker<T>,
}

impl<T> LocalQueue<T> {
    pub(crate) fn new() -> Self {
        LocalQueue {
            deque: Worker::new_fifo(),
        }
    }

    #[inline]
    pub(crate) fn push(&self, item: T) {
        self.deque.push(item);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        self.deque.pop()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.deque.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.deque.len()
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer {
            deque: self.deque.stealer(),
        }
    }
}

/// The other end of a [`LocalQueue`].
pub(crate) struct Stealer<T> {
    deque: crossbeam_deque::Stealer<T>,
}

impl<T> Stealer<T> {
    /// Moves about half of the items to `into` and returns one more of them.
    pub(crate) fn steal_into(&self, into: &LocalQueue<T>) -> Option<T> {
        if self.deque.is_empty() {
            // Cheaper to see than to try: a theft announces itself to the memory's reclamation.
            return None;
        }
        loop {
            match self.deque.steal_batch_and_pop(&into.deque) {
                Steal::Success(item) => return Some(item),
                Steal::Empty => return None,
                // Another thief was faster: there is progress, and perhaps something left.
                Steal::Retry => crate::sync::spin(),
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.deque.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deque.is_empty()
    }
}
