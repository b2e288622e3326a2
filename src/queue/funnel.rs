//! A bounded ring from many threads to whoever empties it.

use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use crate::queue::ring::Push;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{Mutex, UnsafeCell};

/// A bounded ring that any thread fills and anybody empties.
///
/// For those who have no [`Ring`](crate::queue::Ring) of their own. A push reserves a slot with
/// one exchange, which it repeats only where another push went first; it waits for nobody,
/// allocates nothing, and hands the item back when there is no room.
pub(crate) struct Funnel<T> {
    slots: Box<[Slot<T>]>,
    /// Slots reserved since the beginning.
    reserved: CachePadded<AtomicUsize>,
    /// Items taken since the beginning; to be written under the lock.
    taken: CachePadded<AtomicUsize>,
    taking: Mutex<()>,
}

struct Slot<T> {
    /// Whether the item is there: a reserved slot is still empty for a moment.
    filled: AtomicBool,
    item: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: items move from the thread that pushes to the one that takes, and are never shared.
unsafe impl<T: Send> Send for Funnel<T> {}
// SAFETY: as above. A slot is written to by the one thread that has reserved it, and read from
// by the one that holds the lock, once `filled` says that the first is done.
unsafe impl<T: Send> Sync for Funnel<T> {}

impl<T> Funnel<T> {
    /// A ring for at least so many items, rounded up to a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        let slots = (0..capacity.max(1).next_power_of_two()).map(|_| Slot {
            filled: AtomicBool::new(false),
            item: UnsafeCell::new(MaybeUninit::uninit()),
        });
        Funnel {
            slots: slots.collect(),
            reserved: CachePadded::new(AtomicUsize::new(0)),
            taken: CachePadded::new(AtomicUsize::new(0)),
            taking: Mutex::new(()),
        }
    }

    /// Appends an item, or hands it back if there is no room.
    pub(crate) fn push(&self, item: T) -> Push<T> {
        let capacity = self.slots.len();
        let mut place = self.reserved.load(Ordering::Relaxed);
        let inside = loop {
            // Ordering: acquire; pairs with the release in `drain`: the slot was read from, and
            // marked as empty, before it is reserved again.
            let taken = self.taken.load(Ordering::Acquire);
            let inside = place.wrapping_sub(taken);
            // More than all are inside only if `place` is of the past; the exchange would fail.
            if inside == capacity {
                return Push::Full(item);
            }
            let next = place.wrapping_add(1);
            // Ordering: the reservation gives no access to what others wrote; `filled` does.
            match self.reserved.compare_exchange_weak(
                place,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break inside,
                Err(now) => place = now,
            }
        };
        let slot = self.slot(place);
        // SAFETY: the slot was reserved by this thread, and it is empty.
        let write = |slot: *mut MaybeUninit<T>| unsafe { slot.write(MaybeUninit::new(item)) };
        slot.item.with_mut(write);
        // Ordering: release; pairs with the acquire in `drain`, which reads the item.
        slot.filled.store(true, Ordering::Release);
        if inside == capacity / 2 {
            Push::HalfFull
        } else {
            Push::Done
        }
    }

    /// Takes the items that are inside now, the oldest first. Returns how many.
    ///
    /// Stops at the first one whose push has not returned. When `take` panics, the item that it
    /// was given is gone and the others stay.
    pub(crate) fn drain(&self, mut take: impl FnMut(T)) -> usize {
        let _taking = self.taking.lock();
        let reserved = self.reserved.load(Ordering::Relaxed);
        let first = self.taken.load(Ordering::Relaxed);
        let mut next = first;
        while next != reserved {
            let slot = self.slot(next);
            // Ordering: acquire; pairs with the release in `push`, which publishes the item.
            if !slot.filled.load(Ordering::Acquire) {
                break;
            }
            // SAFETY: the slot is filled, and the lock makes this thread the only one to empty it.
            let item = slot.item.with(|item| unsafe { item.read().assume_init() });
            slot.filled.store(false, Ordering::Relaxed);
            next = next.wrapping_add(1);
            // Ordering: release; pairs with the acquire in `push`, which reserves the slot again.
            self.taken.store(next, Ordering::Release);
            take(item);
        }
        next.wrapping_sub(first)
    }

    /// How many items are inside, those included that are just being pushed.
    pub(crate) fn len(&self) -> usize {
        let _taking = self.taking.lock();
        let reserved = self.reserved.load(Ordering::Relaxed);
        reserved.wrapping_sub(self.taken.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn slot(&self, at: usize) -> &Slot<T> {
        // The number of slots is a power of two.
        &self.slots[at & (self.slots.len() - 1)]
    }
}

impl<T> Drop for Funnel<T> {
    fn drop(&mut self) {
        self.drain(drop);
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::sync::Arc;

    #[test]
    fn items_come_out_as_they_went_in_and_what_does_not_fit_comes_back() {
        let funnel = Funnel::new(4);
        for turn in 0..5 {
            let items: Vec<u32> = (0..4).map(|item| turn * 10 + item).collect();
            for item in &items {
                let half = *item % 10 == 2;
                let expected = if half { Push::HalfFull } else { Push::Done };
                assert_eq!(funnel.push(*item), expected);
            }
            assert_eq!(funnel.push(99), Push::Full(99));
            assert_eq!(funnel.len(), 4);
            let mut taken = Vec::new();
            assert_eq!(funnel.drain(|item| taken.push(item)), 4);
            assert_eq!(taken, items);
        }
    }

    #[test]
    fn what_is_left_inside_is_dropped_with_it() {
        let funnel = Funnel::new(4);
        let item = Arc::new(());
        let _ = funnel.push(item.clone());
        let _ = funnel.push(item.clone());
        drop(funnel);
        assert_eq!(Arc::strong_count(&item), 1);
    }

    #[test]
    fn many_threads_lose_nothing_and_keep_their_own_order() {
        const THREADS: usize = 4;
        const ITEMS: usize = 2_000;
        let funnel = Funnel::new(16);
        let mut next = [0; THREADS];
        std::thread::scope(|scope| {
            let spawn = |thread| {
                let funnel = &funnel;
                scope.spawn(move || {
                    for item in 0..ITEMS {
                        let mut item = (thread, item);
                        while let Push::Full(back) = funnel.push(item) {
                            item = back;
                            std::thread::yield_now();
                        }
                    }
                })
            };
            let threads: Vec<_> = (0..THREADS).map(spawn).collect();
            while next.iter().any(|next| *next < ITEMS) {
                funnel.drain(|(thread, item)| {
                    assert_eq!(item, next[thread]);
                    next[thread] += 1;
                });
                std::thread::yield_now();
            }
            for thread in threads {
                thread.join().unwrap();
            }
        });
        assert_eq!(funnel.len(), 0);
    }
}
