//! The queue into a runtime from outside its workers.

use std::marker::PhantomData;
use std::ptr::NonNull;

#[cfg(not(kamon_loom))]
use concurrent_queue::ConcurrentQueue;
use crossbeam_utils::CachePadded;

use crate::queue::block::{past_the_end, slot, slots_between, Block, CLOSED, SLOTS, STEP};
use crate::queue::lifo::Pointer;
#[cfg(kamon_loom)]
use crate::queue::modelled::Spare as ConcurrentQueue;
use crate::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::sync::{give_way, Mutex};

/// A queue that any thread pushes to and any worker takes from, first in first out.
///
/// It is a chain of blocks. A push reserves a slot with one exchange, which it repeats only where another
/// push went first, and fills it with a plain store. Who takes holds a lock, which no push touches, and
/// takes many at once. So the two ends meet at one word, and not once for each item.
pub(crate) struct Injector<T: Pointer> {
    tail: CachePadded<Tail>,
    front: CachePadded<Front>,
    /// The block of the first item that has not been taken.
    head: Mutex<*mut Block>,
    /// A block that was emptied, for who needs one next.
    spare: ConcurrentQueue<Box<Block>>,
    owns: PhantomData<T>,
}

/// What is written by those who take, under the lock.
struct Front {
    /// The position of the first item that has not been taken.
    taken: AtomicUsize,
    /// The tail as one of them saw it: up to there nobody need look at the real one, which takes its line away
    /// from those who push.
    known: AtomicUsize,
}

struct Tail {
    /// The position of the next item, and [`CLOSED`].
    position: AtomicUsize,
    /// The block of that position. Who has not reserved a slot in it must not look inside.
    block: AtomicPtr<Block>,
}

// SAFETY: items move from the thread that pushes to the one that takes, and are never shared.
unsafe impl<T: Pointer + Send> Send for Injector<T> {}
// SAFETY: as above. A slot is filled by the one thread that has reserved it, and emptied by the one that
// holds the lock, which also takes away a block whose slots have all been filled and emptied.
unsafe impl<T: Pointer + Send> Sync for Injector<T> {}

impl<T: Pointer> Injector<T> {
    pub(crate) fn new() -> Self {
        let first = Box::into_raw(Block::new());
        Injector {
            tail: CachePadded::new(Tail {
                position: AtomicUsize::new(0),
                block: AtomicPtr::new(first),
            }),
            front: CachePadded::new(Front {
                taken: AtomicUsize::new(0),
                known: AtomicUsize::new(0),
            }),
            head: Mutex::new(first),
            spare: ConcurrentQueue::bounded(1),
            owns: PhantomData,
        }
    }

    /// Appends an item, or hands it back if the queue is [closed](Self::close).
    #[inline]
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut next = None;
        // Ordering: acquire; pairs with the release in `fill`: the block is this position's or a later one's.
        let mut position = self.tail.position.load(Ordering::Acquire);
        loop {
            if position & CLOSED != 0 {
                return Err(item);
            }
            if slot(position) == SLOTS {
                give_way();
                // Ordering: as above.
                position = self.tail.position.load(Ordering::Acquire);
                continue;
            }
            let is_last = slot(position) == SLOTS - 1;
            if is_last && next.is_none() {
                next = Some(self.spare.pop().unwrap_or_else(|_| Block::new()));
            }
            let block = self.tail.block.load(Ordering::Relaxed);
            let reserved = self.tail.position.compare_exchange_weak(
                position,
                position.wrapping_add(STEP),
                // Ordering: release, and acquire by those who reserve later slots: whoever puts a later
                // block in does so after our look, which has found the position's own if this succeeds.
                Ordering::AcqRel,
                // Ordering: as above, for the next attempt.
                Ordering::Acquire,
            );
            match reserved {
                Ok(_) => {
                    let next = next.filter(|_| is_last);
                    // SAFETY: the block has a slot that is not filled before this is done, so nobody
                    // takes it away.
                    self.fill(unsafe { &*block }, slot(position), next, item);
                    return Ok(());
                }
                Err(now) => position = now,
            }
        }
    }

    /// Fills a slot that was reserved. With the last of a block comes the next block.
    #[inline]
    fn fill(&self, block: &Block, slot: usize, next: Option<Box<Block>>, item: T) {
        if let Some(next) = next {
            let next = Box::into_raw(next);
            block.next.store(next, Ordering::Relaxed);
            self.tail.block.store(next, Ordering::Relaxed);
            // Ordering: release; pairs with the acquire in `push`, which looks for the block.
            self.tail.position.fetch_add(STEP, Ordering::Release);
        }
        // Ordering: release; pairs with the acquire in `take`. Who takes the last item of a block sees
        // the next block too.
        block.items[slot].store(item.into_pointer().as_ptr(), Ordering::Release);
    }

    /// Takes the first item, and gives those after it to `more`. `share` says how many they may be in all,
    /// when it is told how many there are, or that there are `enough` and perhaps more; it is not asked if there
    /// are none.
    ///
    /// Waits for the push of the first one, if that has reserved a slot and not filled it yet; of those that
    /// come after it there may be fewer.
    pub(crate) fn take(
        &self,
        enough: usize,
        share: impl FnOnce(usize) -> usize,
        mut more: impl FnMut(T),
    ) -> Option<T> {
        if self.looks_empty() {
            return None;
        }
        let mut head = self.head.lock();
        let Front { taken, known } = &*self.front;
        let mut position = taken.load(Ordering::Relaxed);
        let mut len = slots_between(position, known.load(Ordering::Relaxed));
        if len < enough {
            let tail = past_the_end(self.tail.position.load(Ordering::Relaxed));
            known.store(tail, Ordering::Relaxed);
            len = slots_between(position, tail);
        }
        if len == 0 {
            return None;
        }
        let mut first = None;
        for _ in 0..share(len).clamp(1, len) {
            // SAFETY: a block stays until its last item is taken, which takes the lock.
            let block = unsafe { &**head };
            let item = &block.items[slot(position)];
            // Ordering: acquire; pairs with the release in `fill`, which publishes the item.
            let mut pointer = NonNull::new(item.load(Ordering::Acquire));
            while pointer.is_none() && first.is_none() {
                give_way();
                // Ordering: as above.
                pointer = NonNull::new(item.load(Ordering::Acquire));
            }
            let Some(pointer) = pointer else {
                break;
            };
            position = position.wrapping_add(STEP);
            if slot(position) == SLOTS {
                position = position.wrapping_add(STEP);
                *head = self.leave(*head);
            }
            // Ordering: release; pairs with the acquire in `len`.
            taken.store(position, Ordering::Release);
            // SAFETY: what is in a slot went in by `push`, and the position says that it was not taken yet.
            let item = unsafe { T::from_pointer(pointer) };
            match first {
                None => first = Some(item),
                Some(_) => more(item),
            }
        }
        first
    }

    /// Takes a block away whose last item is being taken. Returns the one after it.
    fn leave(&self, block: *mut Block) -> *mut Block {
        // SAFETY: from `Box::into_raw`. All its slots were filled, after which nobody who pushes touches it,
        // and who takes does so under the lock that the caller holds.
        let empty = unsafe { Box::from_raw(block) };
        let next = empty.next.load(Ordering::Relaxed);
        assert!(!next.is_null(), "the last item comes with the next block");
        empty.clear();
        // One is enough; if there is one already, this goes.
        drop(self.spare.push(empty));
        next
    }

    /// Takes the first item.
    pub(crate) fn pop(&self) -> Option<T> {
        self.take(1, |_| 1, drop)
    }

    /// How many items are inside, those included that are just being pushed.
    pub(crate) fn len(&self) -> usize {
        // Ordering: acquire; pairs with the release in `take`: the tail is not before it.
        let taken = self.front.taken.load(Ordering::Acquire);
        slots_between(taken, self.tail.position.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is empty, without a look at the tail where that is not needed. It may seem not to be.
    #[inline]
    fn looks_empty(&self) -> bool {
        let Front { taken, known } = &*self.front;
        let is_known =
            slots_between(taken.load(Ordering::Relaxed), known.load(Ordering::Relaxed)) > 0;
        !is_known && self.is_empty()
    }

    /// Whether it is empty, asked by somebody who is about to sleep. A push that is not seen here sees, with
    /// no fence of its own, whatever the caller has done before.
    pub(crate) fn is_empty_to_pushers(&self) -> bool {
        // Ordering: as in `len`.
        let taken = self.front.taken.load(Ordering::Acquire);
        // Ordering: release; pairs with the acquire in `push`.
        let position = self.tail.position.fetch_or(0, Ordering::Release);
        slots_between(taken, position) == 0
    }

    /// Refuses further items; those inside can still be taken.
    pub(crate) fn close(&self) {
        self.tail.position.fetch_or(CLOSED, Ordering::Relaxed);
    }
}

impl<T: Pointer> Drop for Injector<T> {
    fn drop(&mut self) {
        while let Some(item) = self.pop() {
            drop(item);
        }
        // SAFETY: from `Box::into_raw`, and the last of the chain.
        drop(unsafe { Box::from_raw(*self.head.lock()) });
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::queue::block::LAP;

    /// An item that says who pushed it, and when.
    #[derive(Debug, PartialEq, Eq)]
    struct Item(Box<(usize, usize)>);

    impl Pointer for Item {
        fn into_pointer(self) -> NonNull<()> {
            NonNull::from(Box::leak(self.0)).cast()
        }

        unsafe fn from_pointer(pointer: NonNull<()>) -> Self {
            // SAFETY: from `into_pointer`, once.
            Item(unsafe { Box::from_raw(pointer.cast().as_ptr()) })
        }
    }

    fn item(number: usize) -> Item {
        Item(Box::new((0, number)))
    }

    fn take(injector: &Injector<Item>, most: usize) -> Vec<usize> {
        let mut more = Vec::new();
        let first = injector.take(most, |_| most, |item| more.push(item.0 .1));
        first
            .map(|item| item.0 .1)
            .into_iter()
            .chain(more)
            .collect()
    }

    #[test]
    fn items_come_out_as_they_went_in_across_blocks() {
        let injector = Injector::new();
        let mut pushed = 0..;
        let mut taken = 0..;
        // So many that the ends of blocks are met by pushes and takes of every size.
        for most in (1..2 * LAP).chain((1..2 * LAP).rev()) {
            for number in pushed.by_ref().take(most + 1) {
                injector.push(item(number)).unwrap();
            }
            let len = injector.len();
            let expected: Vec<_> = taken.by_ref().take(most).collect();
            assert_eq!(take(&injector, most), expected);
            assert_eq!(injector.len(), len - most);
        }
        let rest = injector.len();
        assert_eq!(take(&injector, usize::MAX).len(), rest);
        assert!(injector.is_empty());
        assert_eq!(injector.pop(), None);
    }

    #[test]
    fn a_share_is_asked_with_the_length_and_is_one_at_least() {
        let injector = Injector::new();
        assert_eq!(injector.take(1, |_| panic!("there is none"), drop), None);
        let push = |number| injector.push(item(number)).unwrap();
        (0..100).for_each(push);
        // With what is known, if that is enough.
        for (first, enough, len) in [(0, 1, 100), (1, 99, 99), (2, 99, 108)] {
            let ask = |told| {
                assert_eq!(told, len);
                0
            };
            let taken = injector.take(enough, ask, |_| panic!("no more"));
            assert_eq!(taken, Some(item(first)));
            if first == 0 {
                (100..110).for_each(push);
            }
        }
        // What is left goes with the queue, as a leak checker sees.
    }

    #[test]
    fn a_closed_queue_hands_back_and_gives_out() {
        let injector = Injector::new();
        injector.push(item(1)).unwrap();
        injector.close();
        assert_eq!(injector.push(item(2)), Err(item(2)));
        assert_eq!(injector.len(), 1);
        assert_eq!(injector.pop(), Some(item(1)));
        assert_eq!(injector.pop(), None);
    }

    #[test]
    fn a_panic_of_who_takes_loses_no_item_but_the_ones_in_its_hands() {
        let injector = Injector::new();
        for number in 0..5 {
            injector.push(item(number)).unwrap();
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            injector.take(usize::MAX, |len| len, |_| panic!("no more"))
        }));
        assert!(outcome.is_err());
        assert_eq!(take(&injector, usize::MAX), [2, 3, 4]);
    }

    #[test]
    fn nothing_is_lost_or_reordered_among_many_threads() {
        const PUSHERS: usize = 4;
        const ITEMS: usize = 50_000;
        let injector = Injector::new();
        let left = AtomicUsize::new(PUSHERS * ITEMS);
        let push = |pusher| {
            for number in 1..=ITEMS {
                injector.push(Item(Box::new((pusher, number)))).unwrap();
            }
        };
        let take = || {
            let mut last = [0; PUSHERS];
            while left.load(Ordering::Relaxed) > 0 {
                let mut more = Vec::new();
                let first = injector.take(usize::MAX, |len| len / 2 + 1, |item| more.push(item));
                if first.is_none() {
                    thread::yield_now();
                }
                for Item(item) in first.into_iter().chain(more) {
                    let (pusher, number) = *item;
                    assert!(last[pusher] < number, "each one's items in order");
                    last[pusher] = number;
                    left.fetch_sub(1, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..PUSHERS)
                .map(|pusher| scope.spawn(move || push(pusher)))
                .collect();
            let takers = [scope.spawn(take), scope.spawn(take)];
            threads
                .into_iter()
                .chain(takers)
                .for_each(|thread| thread.join().unwrap());
        });
        assert!(injector.is_empty());
    }
}
