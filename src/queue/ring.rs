//! A bounded ring from one thread to whoever empties it.

use std::cell::Cell;
use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, UnsafeCell};

/// A bounded ring that one [`Producer`] at a time fills and anybody empties.
///
/// A push is a few loads and stores: it waits for nobody, allocates nothing, and hands the item
/// back when there is no room. Whoever empties the ring takes a lock against others who would,
/// which no producer ever touches.
///
/// A ring outlives its producers. One that goes leaves its items inside, and the next continues
/// behind them.
pub(crate) struct Ring<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// Items pushed since the beginning; the producer's to write.
    pushed: CachePadded<AtomicUsize>,
    /// Items taken since the beginning; to be written under the lock.
    taken: CachePadded<AtomicUsize>,
    /// Whether there is a producer.
    claimed: AtomicBool,
    taking: Mutex<()>,
}

// SAFETY: items move from the producer's thread to the one that takes them, and are never shared.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above. One producer writes to slots, one at a time reads from them, and the two
// counts say whose a slot is.
unsafe impl<T: Send> Sync for Ring<T> {}

/// The end of a [`Ring`] where items go in.
pub(crate) struct Producer<T> {
    ring: Arc<Ring<T>>,
    /// What the ring's `pushed` says.
    pushed: Cell<usize>,
    /// What its `taken` said when it was last asked: never more than it says now.
    taken: Cell<usize>,
}

/// What became of an item.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an item that did not fit is handed back"]
pub(crate) enum Push<T> {
    /// It is in.
    Done,
    /// It is in, and it is time to empty the ring: said once in every half turn.
    HalfFull,
    /// There was no room for it.
    Full(T),
}

/// How soon an item comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ahead {
    Far,
    Near,
}

const FAR: usize = 6;
const NEAR: usize = 3;

impl<T> Ring<T> {
    /// A ring for at least so many items, rounded up to a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        let slots = (0..capacity.max(1).next_power_of_two())
            .map(|_| UnsafeCell::new(MaybeUninit::uninit()));
        Ring {
            slots: slots.collect(),
            pushed: CachePadded::new(AtomicUsize::new(0)),
            taken: CachePadded::new(AtomicUsize::new(0)),
            claimed: AtomicBool::new(false),
            taking: Mutex::new(()),
        }
    }

    /// The end where items go in, if nobody has it.
    pub(crate) fn claim(self: &Arc<Self>) -> Option<Producer<T>> {
        // Ordering: acquire; pairs with the release in the last producer's `drop`, behind whose
        // items the new one continues.
        if self.claimed.swap(true, Ordering::Acquire) {
            return None;
        }
        Some(Producer {
            ring: self.clone(),
            pushed: Cell::new(self.pushed.load(Ordering::Relaxed)),
            taken: Cell::new(self.taken.load(Ordering::Relaxed)),
        })
    }

    /// Takes the items that are inside now, the oldest first. Returns how many.
    ///
    /// When `take` panics, the item that it was given is gone and the others stay.
    pub(crate) fn drain(&self, take: impl FnMut(T)) -> usize {
        self.drain_ahead(|_, _| {}, take)
    }

    /// As [`Ring::drain`], with looks ahead: at items that come soon, and how soon.
    pub(crate) fn drain_ahead(&self, look: impl Fn(&T, Ahead), mut take: impl FnMut(T)) -> usize {
        let _taking = self.taking.lock();
        // Ordering: acquire; pairs with the release in `push`, which publishes the items.
        let pushed = self.pushed.load(Ordering::Acquire);
        let first = self.taken.load(Ordering::Relaxed);
        let mut next = first;
        while next != pushed {
            for (distance, ahead) in [(FAR, Ahead::Far), (NEAR, Ahead::Near)] {
                if pushed.wrapping_sub(next) > distance {
                    // SAFETY: as below, and an item stays until it is taken.
                    self.slot(next.wrapping_add(distance))
                        .with(|slot| look(unsafe { (*slot).assume_init_ref() }, ahead));
                }
            }
            // SAFETY: the slots from `taken` to `pushed` hold items, and the lock makes this
            // thread the only one to take them.
            let item = self
                .slot(next)
                .with(|slot| unsafe { slot.read().assume_init() });
            next = next.wrapping_add(1);
            // Ordering: release; pairs with the acquire in `push`, which writes to the slot again.
            self.taken.store(next, Ordering::Release);
            take(item);
        }
        pushed.wrapping_sub(first)
    }

    /// How many items are inside. Exact while nobody takes any; then it counts every item whose
    /// push has returned.
    pub(crate) fn len(&self) -> usize {
        let _taking = self.taking.lock();
        // Ordering: acquire, so that whoever learned of a push by the count sees its effects.
        let pushed = self.pushed.load(Ordering::Acquire);
        pushed.wrapping_sub(self.taken.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn slot(&self, at: usize) -> &UnsafeCell<MaybeUninit<T>> {
        // The number of slots is a power of two.
        &self.slots[at & (self.slots.len() - 1)]
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        self.drain(drop);
    }
}

impl<T> Producer<T> {
    /// Appends an item, or hands it back if there is no room.
    #[inline]
    pub(crate) fn push(&self, item: T) -> Push<T> {
        let pushed = self.pushed.get();
        let capacity = self.ring.slots.len();
        let mut inside = pushed.wrapping_sub(self.taken.get());
        let asks = inside == capacity || inside == capacity / 2;
        if asks {
            // Ordering: acquire; pairs with the release in `drain`: the slot was read from before
            // it is written to.
            self.taken.set(self.ring.taken.load(Ordering::Acquire));
            inside = pushed.wrapping_sub(self.taken.get());
            if inside == capacity {
                return Push::Full(item);
            }
        }
        // SAFETY: the slots from `pushed` to `taken + capacity` hold nothing, and there is one
        // producer.
        let write = |slot: *mut MaybeUninit<T>| unsafe { slot.write(MaybeUninit::new(item)) };
        self.ring.slot(pushed).with_mut(write);
        let pushed = pushed.wrapping_add(1);
        self.pushed.set(pushed);
        // Ordering: release; pairs with the acquire in `drain`, which reads the item.
        self.ring.pushed.store(pushed, Ordering::Release);
        if asks && inside >= capacity / 2 {
            Push::HalfFull
        } else {
            Push::Done
        }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // Ordering: release; pairs with the acquire in `claim`.
        self.ring.claimed.store(false, Ordering::Release);
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    fn taken<T>(ring: &Ring<T>) -> Vec<T> {
        let mut items = Vec::new();
        ring.drain(|item| items.push(item));
        items
    }

    #[test]
    fn items_come_out_as_they_went_in_and_what_does_not_fit_comes_back() {
        let ring = Arc::new(Ring::new(4));
        let producer = ring.claim().unwrap();
        for turn in 0..5 {
            let items: Vec<u32> = (0..4).map(|item| turn * 10 + item).collect();
            for item in &items {
                assert!(!matches!(producer.push(*item), Push::Full(_)));
            }
            assert_eq!(producer.push(99), Push::Full(99));
            assert_eq!(ring.len(), 4);
            assert_eq!(taken(&ring), items);
            assert_eq!(ring.len(), 0);
        }
    }

    #[test]
    fn half_full_is_said_once_in_a_half_turn() {
        let ring = Arc::new(Ring::new(8));
        let producer = ring.claim().unwrap();
        let says = |times: usize| -> Vec<Push<u8>> {
            (0..times)
                .map(|_| producer.push(0))
                .filter(|push| *push != Push::Done)
                .collect()
        };
        assert_eq!(says(4), []);
        assert_eq!(says(4), [Push::HalfFull]);
        assert_eq!(says(2), [Push::Full(0), Push::Full(0)]);
        ring.drain(drop);
        assert_eq!(says(4), []);
        // Emptied before it was half full: there is nothing to say.
        ring.drain(drop);
        assert_eq!(says(4), []);
        assert_eq!(says(1), [Push::HalfFull]);
    }

    #[test]
    fn one_producer_at_a_time_and_the_next_continues() {
        let ring = Arc::new(Ring::new(4));
        let first = ring.claim().unwrap();
        assert!(ring.claim().is_none());
        let _ = first.push(1);
        drop(first);
        let second = ring.claim().unwrap();
        let _ = second.push(2);
        assert_eq!(taken(&ring), [1, 2]);
    }

    #[test]
    fn a_panic_of_who_takes_loses_one_item_and_drops_none_twice() {
        let ring = Arc::new(Ring::new(4));
        let producer = ring.claim().unwrap();
        let item = Arc::new(());
        for _ in 0..3 {
            let _ = producer.push(item.clone());
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ring.drain(|_item| panic!("no more"));
        }));
        assert!(outcome.is_err());
        assert_eq!((ring.len(), Arc::strong_count(&item)), (2, 3));
        drop((producer, ring));
        assert_eq!(Arc::strong_count(&item), 1);
    }

    #[test]
    fn nothing_is_lost_or_reordered_between_two_threads() {
        const ITEMS: usize = 20_000;
        let ring = Arc::new(Ring::new(64));
        let producer = ring.claim().unwrap();
        let thread = std::thread::spawn(move || {
            for item in 0..ITEMS {
                let mut item = item;
                while let Push::Full(back) = producer.push(item) {
                    item = back;
                    std::thread::yield_now();
                }
            }
        });
        let mut expected = 0;
        while expected < ITEMS {
            ring.drain(|item| {
                assert_eq!(item, expected);
                expected += 1;
            });
            std::thread::yield_now();
        }
        thread.join().unwrap();
        assert_eq!(ring.len(), 0);
    }
}
