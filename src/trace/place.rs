//! Where a span lives: a place in memory that stays when the span goes, and the holds on it.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use crate::sync::statics::{AtomicPtr, AtomicU32, Ordering};
use crate::sync::UnsafeCell;
use crate::trace::body::Body;
use crate::trace::details::Locked;
use crate::trace::memory;
use crate::trace::names::{self, Name};
use crate::trace::state::{Flags, Released, State};
use crate::trace::{finish, TagKey};

/// A place for a span.
///
/// Places are used again and never given back to the system, so that a [`Watch`] may look at one
/// at any time; there are as many as there were open and unreported spans at once.
pub(crate) struct Place {
    pub(super) state: State,
    /// Which span it is that lives here, counted.
    generation: AtomicU32,
    /// The name that the span was given later; null if there is none. Names that are here stay.
    renamed: AtomicPtr<Name>,
    /// The next free place, where this one is free.
    pub(super) next: Cell<*mut Place>,
    body: UnsafeCell<MaybeUninit<Body>>,
}

impl Place {
    /// A place in which nobody lives.
    pub(super) fn new() -> Self {
        Place {
            state: State::new(Flags::FINISHED),
            generation: AtomicU32::new(0),
            renamed: AtomicPtr::new(ptr::null_mut()),
            next: Cell::new(ptr::null_mut()),
            body: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

/// A counted hold on a span.
#[repr(transparent)]
pub(crate) struct Hold(NonNull<Place>);

// SAFETY: a `Body` may be shared and dropped on any thread, and the rest of a place is atomic, but
// for `next`, which only the owner of a free place touches.
unsafe impl Send for Hold {}
// SAFETY: as above.
unsafe impl Sync for Hold {}

impl Hold {
    /// How much memory a span takes besides what is said of it.
    pub(crate) const SIZE: usize = size_of::<Place>();

    /// Lets a span live in a free place. `body` writes it there and nowhere else before.
    #[inline(always)]
    pub(super) fn new(flags: Flags, body: impl FnOnce() -> Body) -> Hold {
        let free = memory::allocate();
        // SAFETY: the place is free and ours; those who watch it look at its atomics only.
        let place = unsafe { free.as_ref() };
        // SAFETY: as above.
        place
            .body
            .with_mut(|place| unsafe { (*place).write(body()) });
        place.renamed.store(ptr::null_mut(), Ordering::Relaxed);
        place.state.begin(flags);
        Hold(free)
    }

    #[inline(always)]
    fn place(&self) -> &Place {
        // SAFETY: places stay.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(super) fn state(&self) -> &State {
        &self.place().state
    }

    #[inline(always)]
    pub(super) fn flags(&self) -> Flags {
        self.state().flags()
    }

    /// A second hold, of which the count knows already.
    ///
    /// # Safety
    ///
    /// The count must have been raised for it.
    #[inline]
    pub(super) unsafe fn counted(&self) -> Hold {
        Hold(self.0)
    }

    /// Begins to write. `None` if the span is finished.
    #[inline]
    pub(super) fn lock(&self) -> Option<Locked<'_>> {
        self.state().lock().then(|| Locked::new(self))
    }

    /// Gives the span another name, if it is not finished. Tells whether it did.
    pub(super) fn rename(&self, name: TagKey) -> bool {
        // What stays is looked up before, not while the span is locked.
        let kept = names::kept(&name);
        let Some(_locked) = self.lock() else {
            return false;
        };
        // SAFETY: we have the lock.
        let renamed = unsafe { self.names.add(name) };
        if renamed {
            // Ordering: Release pairs with the Acquire in `Watch::name`: who finds the name finds
            // the generation that it belongs to, or a later one.
            let kept = ptr::from_ref(kept).cast_mut();
            self.place().renamed.store(kept, Ordering::Release);
        }
        renamed
    }

    /// Lets somebody see from afar what the span is called.
    #[inline]
    pub(super) fn watch(&self) -> Watch {
        let name = names::staying(self.name());
        Watch {
            name,
            place: self.0,
            generation: self.place().generation.load(Ordering::Relaxed),
        }
    }
}

impl Deref for Hold {
    type Target = Body;

    #[inline(always)]
    fn deref(&self) -> &Body {
        // SAFETY: this hold is counted, so somebody lives here; nobody has a `&mut Body`.
        self.place()
            .body
            .with(|body| unsafe { (*body).assume_init_ref() })
    }
}

impl Clone for Hold {
    #[inline]
    fn clone(&self) -> Self {
        self.state().retain();
        Hold(self.0)
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        match self.state().release() {
            Released::Others => {}
            // SAFETY: nobody holds the span.
            Released::Last => unsafe { vacate(self.0) },
            Released::Unfinished(flags) => finish::abandoned(Hold(self.0), flags),
        }
    }
}

/// Drops the span that lives here and gives the place to the next one.
///
/// # Safety
///
/// Nobody may hold the span.
#[inline]
unsafe fn vacate(used: NonNull<Place>) {
    // SAFETY: places stay.
    let place = unsafe { used.as_ref() };
    // SAFETY: the span is there, and nobody else is to touch it.
    place
        .body
        .with_mut(|body| unsafe { (*body).assume_init_drop() });
    // Ordering: nobody else writes. What the next span publishes here is found with this number by
    // those who pair with its Release.
    let generation = place.generation.load(Ordering::Relaxed);
    place
        .generation
        .store(generation.wrapping_add(1), Ordering::Relaxed);
    // SAFETY: the place is free, and we give it away.
    unsafe { memory::free(used) };
}

/// Sees what a span is called without holding it.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    /// The name when the watch began.
    name: &'static str,
    place: NonNull<Place>,
    generation: u32,
}

// SAFETY: what is looked at is atomic, and stays.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Watch {
    /// What the span is called, or was when it went.
    #[inline]
    pub(super) fn name(&self) -> &'static str {
        // SAFETY: places stay. In a model they do not, and nothing is measured there.
        let place = unsafe { self.place.as_ref() };
        // Ordering: Acquire pairs with the Release in `Hold::rename`.
        let renamed = place.renamed.load(Ordering::Acquire);
        // SAFETY: names that were put here stay.
        match unsafe { renamed.as_ref() } {
            // A later span's name comes with that span's generation.
            Some(renamed) if place.generation.load(Ordering::Relaxed) == self.generation => {
                renamed.0
            }
            _ => self.name,
        }
    }
}
