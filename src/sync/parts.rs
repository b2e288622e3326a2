//! What an instrument is made of: one part for each seat, made when its thread first comes.

use std::ptr;

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::seat::{Seat, SEATS};

/// Places for values that are made when they are first asked for, and stay until all go.
#[derive(Debug)]
pub(crate) struct Lazy<T, const N: usize> {
    places: [AtomicPtr<T>; N],
}

/// A value for each seat.
pub(crate) type Parts<T> = Lazy<T, SEATS>;

// SAFETY: a value is shared through `&Lazy` (hence `Sync`) and dropped with it, possibly on another
// thread than the one that made it (hence `Send`).
unsafe impl<T: Send + Sync, const N: usize> Sync for Lazy<T, N> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, const N: usize> Send for Lazy<T, N> {}

impl<T, const N: usize> Default for Lazy<T, N> {
    fn default() -> Self {
        Lazy {
            places: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }
}

impl<T, const N: usize> Lazy<T, N> {
    /// The value at a place, if somebody has made it.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        // Ordering: Acquire pairs with the Release in `make`: whoever sees the value sees it whole.
        let value = self.places[place].load(Ordering::Acquire);
        // SAFETY: what stands in a place came from a box, and goes when `self` does.
        unsafe { value.as_ref() }
    }

    /// All that were made.
    pub(crate) fn made(&self) -> impl Iterator<Item = &T> {
        (0..N).filter_map(|place| self.get(place))
    }
}

impl<T: Default, const N: usize> Lazy<T, N> {
    /// The value at a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> &T {
        match self.get(place) {
            Some(value) => value,
            None => self.make(place),
        }
    }

    #[cold]
    fn make(&self, place: usize) -> &T {
        let made = Box::into_raw(Box::<T>::default());
        // Ordering: Release pairs with the Acquire in `get`. Acquire, if another thread was first,
        // pairs with the Release of its making.
        let value = match self.places[place].compare_exchange(
            ptr::null_mut(),
            made,
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                first
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*value }
    }
}

impl<T: Default> Parts<T> {
    /// The part of a seat.
    #[inline]
    pub(crate) fn of(&self, seat: Seat) -> &T {
        self.at(seat.index())
    }
}

impl<T, const N: usize> Drop for Lazy<T, N> {
    fn drop(&mut self) {
        for place in &self.places {
            // Ordering: whoever drops has exclusive access, and thereby comes after all others.
            let value = place.load(Ordering::Relaxed);
            if !value.is_null() {
                // SAFETY: it came from a box, and nobody can ask for it any more.
                drop(unsafe { Box::from_raw(value) });
            }
        }
    }
}
