//! The memory of spans: places that are free, on each thread and between threads.
//!
//! A span is mostly made on one thread and dropped on the one that reports it. Free places go back
//! in bundles, so a thread that only makes spans takes a lock once in as many as are in a bundle.

use std::alloc::{alloc, handle_alloc_error, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::sync::statics::Mutex;
use crate::sync::tls;
use crate::trace::place::Place;

/// How many places are in a bundle.
const BUNDLE: usize = 64;

/// What a thread has at hand: fewer than two bundles.
struct Stock {
    top: Cell<*mut Place>,
    count: Cell<usize>,
    /// Whether the thread has left its stock to others.
    leaving: Cell<bool>,
}

tls! {
    static STOCK: Stock = Stock {
        top: Cell::new(ptr::null_mut()),
        count: Cell::new(0),
        leaving: Cell::new(false),
    };
}

/// Free places, linked.
struct Bundle {
    top: *mut Place,
    count: usize,
}

// SAFETY: whoever has the bundle is the only one to touch the places in it, but for their atomics.
unsafe impl Send for Bundle {}

/// The bundles that belong to no thread.
static DEPOT: Mutex<Vec<Bundle>> = Mutex::new(Vec::new());

/// A free place. Whoever watches it may look at its atomics.
#[inline]
pub(super) fn allocate() -> NonNull<Place> {
    // A model must not find in one execution what another has left.
    if cfg!(kamon_loom) {
        return make();
    }
    STOCK.with(|stock| loop {
        if let Some(place) = NonNull::new(stock.top.get()) {
            // SAFETY: places stay, and the free ones of this thread are its own.
            stock.top.set(unsafe { place.as_ref() }.next.get());
            stock.count.set(stock.count.get() - 1);
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
        // SAFETY: places stay, and this one is ours.
        unsafe { place.as_ref() }.next.set(stock.top.get());
        stock.top.set(place.as_ptr());
        stock.count.set(stock.count.get() + 1);
        if stock.count.get() >= 2 * BUNDLE || stock.leaving.get() {
            stock.give_away();
        }
    });
}

fn make() -> NonNull<Place> {
    const LAYOUT: Layout = Layout::new::<Place>();
    // SAFETY: a place has a size.
    let memory = NonNull::new(unsafe { alloc(LAYOUT) }.cast::<Place>());
    let memory = memory.unwrap_or_else(|| handle_alloc_error(LAYOUT));
    // SAFETY: memory for a place, ours alone.
    unsafe { memory.write(Place::new()) };
    memory
}

impl Stock {
    /// Finds a bundle, or makes a place.
    #[cold]
    fn replenish(&self) {
        // Registers the destructor.
        let _ = LEAVE.try_with(|_| ());
        let found = DEPOT.lock().pop();
        let bundle = found.unwrap_or_else(|| Bundle {
            top: make().as_ptr(),
            count: 1,
        });
        self.top.set(bundle.top);
        self.count.set(bundle.count);
    }

    /// Leaves a bundle to others; all there is, if the thread is about to end.
    #[cold]
    fn give_away(&self) {
        let count = if self.leaving.get() {
            self.count.get()
        } else {
            BUNDLE
        };
        let top = self.top.get();
        if count == 0 {
            return;
        }
        let mut last = top;
        for _ in 1..count {
            // SAFETY: there are at least `count` places in the stock, and they are ours.
            last = unsafe { (*last).next.get() };
        }
        // SAFETY: as above.
        self.top
            .set(unsafe { (*last).next.replace(ptr::null_mut()) });
        self.count.set(self.count.get() - count);
        DEPOT.lock().push(Bundle { top, count });
    }
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
