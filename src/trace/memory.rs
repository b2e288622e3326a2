//! The memory of spans: places that are free, on each thread and between threads.
//!
//! A span is mostly made on one thread and dropped on the one that reports it. Free places go back
//! in bundles, so a thread that only makes spans takes a lock once in as many as are in a bundle.

use std::alloc::{alloc, handle_alloc_error, Layout};
use std::array;
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::sync::statics::Mutex;
use crate::sync::tls;
use crate::trace::place::Place;

/// How many places are in a bundle.
const BUNDLE: usize = 64;

/// How many places are made at once, side by side.
const CHUNK: usize = 16;

/// How many spans ahead a place is fetched into the cache: it was last used on another core, most
/// often.
const AHEAD: usize = 2;

/// What a thread has at hand: fewer than two bundles. The place that was free last is the next one.
struct Stock {
    places: [Cell<*mut Place>; 2 * BUNDLE],
    count: Cell<usize>,
    /// Whether the thread has left its stock to others.
    leaving: Cell<bool>,
}

tls! {
    static STOCK: Stock = Stock {
        places: [const { Cell::new(ptr::null_mut()) }; 2 * BUNDLE],
        count: Cell::new(0),
        leaving: Cell::new(false),
    };
}

/// The places that belong to no thread. They come and go in bundles.
struct Depot(Vec<*mut Place>);

// SAFETY: whoever has the lock is the only one to touch the places in it, but for their atomics.
unsafe impl Send for Depot {}

static DEPOT: Mutex<Depot> = Mutex::new(Depot(Vec::new()));

/// A free place. Whoever watches it may look at its atomics.
#[inline]
pub(super) fn allocate() -> NonNull<Place> {
    // A model must not find in one execution what another has left.
    if cfg!(kamon_loom) {
        let [place] = make();
        return place;
    }
    STOCK.with(|stock| loop {
        let rest = stock.count.get().wrapping_sub(1);
        // None if there were none.
        let place = stock.places.get(rest);
        if let Some(place) = place.and_then(|place| NonNull::new(place.get())) {
            stock.count.set(rest);
            if let Some(next) = stock.places.get(rest.wrapping_sub(AHEAD)) {
                // All that a span needs of which nothing is said.
                fetch(next.get(), 128);
            }
            return place;
        }
        stock.replenish();
    })
}

/// Takes a place for which there is no use any more.
///
/// # Safety
///
/// It must come from [`allocate`], be free, and be the caller's to give away.
#[inline]
pub(super) unsafe fn free(place: NonNull<Place>) {
    if cfg!(kamon_loom) {
        // SAFETY: as the caller promises; in a model nobody watches places.
        drop(unsafe { Box::from_raw(place.as_ptr()) });
        return;
    }
    STOCK.with(|stock| {
        let count = stock.count.get();
        if count == 0 {
            // A thread may never allocate, or have given all away.
            leave_at_the_end();
        }
        stock.places[count].set(place.as_ptr());
        stock.count.set(count + 1);
        if count + 1 == 2 * BUNDLE || stock.leaving.get() {
            stock.give_away();
        }
    });
}

/// New places.
fn make<const N: usize>() -> [NonNull<Place>; N] {
    let layout = Layout::new::<[Place; N]>();
    // SAFETY: places have a size.
    let memory = NonNull::new(unsafe { alloc(layout) }.cast::<Place>());
    let memory = memory.unwrap_or_else(|| handle_alloc_error(layout));
    array::from_fn(|index| {
        // SAFETY: memory for so many places, ours alone.
        unsafe {
            let place = memory.add(index);
            place.write(Place::new());
            place
        }
    })
}

/// Has the processor fetch so many bytes that will be used.
#[inline(always)]
pub(super) fn fetch<T>(place: *const T, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        for line in 0..bytes.div_ceil(64) {
            // SAFETY: a hint, whatever is there.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>().wrapping_add(64 * line)) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (place, bytes);
}

impl Stock {
    /// Finds a bundle, or makes places.
    #[cold]
    fn replenish(&self) {
        leave_at_the_end();
        let mut depot = DEPOT.lock();
        let left = depot.0.len().saturating_sub(BUNDLE);
        let found = depot.0.drain(left..);
        self.count.set(found.len());
        for (place, found) in self.places.iter().zip(found) {
            place.set(found);
        }
        drop(depot);
        if self.count.get() == 0 {
            // The first one last, so that it is the next.
            let made = make::<CHUNK>().into_iter().rev();
            for (place, made) in self.places.iter().zip(made) {
                place.set(made.as_ptr());
            }
            self.count.set(CHUNK);
        }
    }

    /// Leaves the bundle that was free first to others; all there is, if the thread is about to end.
    #[cold]
    fn give_away(&self) {
        let count = self.count.get();
        let given = match self.leaving.get() {
            true => count,
            false => BUNDLE.min(count),
        };
        let (first, rest) = self.places[..count].split_at(given);
        DEPOT.lock().0.extend(first.iter().map(Cell::get));
        for (to, from) in self.places.iter().zip(rest) {
            to.set(from.get());
        }
        self.count.set(rest.len());
    }
}

/// Has the thread's stock left to others when the thread ends; nothing if that is long said, or done.
#[cold]
fn leave_at_the_end() {
    let _ = LEAVE.try_with(|_| ());
}

thread_local! {
    static LEAVE: Leave = const { Leave };
}

/// Leaves a thread's stock to others when the thread ends.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        STOCK.with(|stock| {
            // Destructors that run after this one may still drop spans.
            stock.leaving.set(true);
            stock.give_away();
        });
    }
}
