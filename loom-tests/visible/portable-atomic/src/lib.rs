//! What `async-task` takes from `portable-atomic`, made of loom's atomics.
//!
//! As in kamon's own `sync` room, each access touches a shadow atomic first, because loom skips
//! interleavings where a thread loads and then stores or swaps the same atomic.

use loom::sync::atomic::Ordering::{self, Relaxed};

/// A word that loom sees.
#[derive(Debug)]
pub struct AtomicUsize {
    value: loom::sync::atomic::AtomicUsize,
    shadow: loom::sync::atomic::AtomicUsize,
}

macro_rules! shadowed {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {
        impl AtomicUsize {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&self, $($arg: $ty),*) -> $result {
                    self.shadow.fetch_add(1, Relaxed);
                    self.value.$name($($arg),*)
                }
            )*
        }
    };
}

shadowed! {
    /// As the method of `core`'s atomics of that name; and so all that follow.
    fn load(order: Ordering) -> usize;
    /// See `core`.
    fn store(value: usize, order: Ordering) -> ();
    /// See `core`.
    fn swap(value: usize, order: Ordering) -> usize;
    /// See `core`.
    fn fetch_add(value: usize, order: Ordering) -> usize;
    /// See `core`.
    fn fetch_sub(value: usize, order: Ordering) -> usize;
    /// See `core`.
    fn fetch_or(value: usize, order: Ordering) -> usize;
    /// See `core`.
    fn fetch_and(value: usize, order: Ordering) -> usize;
    /// See `core`.
    fn compare_exchange(now: usize, new: usize, success: Ordering, failure: Ordering) -> Result<usize, usize>;
    /// See `core`.
    fn compare_exchange_weak(now: usize, new: usize, success: Ordering, failure: Ordering) -> Result<usize, usize>;
}

impl AtomicUsize {
    /// A word with this value.
    #[track_caller]
    pub fn new(value: usize) -> AtomicUsize {
        AtomicUsize {
            value: loom::sync::atomic::AtomicUsize::new(value),
            shadow: loom::sync::atomic::AtomicUsize::new(0),
        }
    }
}
