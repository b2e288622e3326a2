//! The slot for the task that runs next, because the running one has just woken it.

use std::ptr::{self, NonNull};

use crate::sync::atomic::{AtomicPtr, Ordering};

/// What a [`LifoSlot`] can hold: an owned value that is one non-null pointer.
pub(crate) trait Pointer: Sized {
    fn into_pointer(self) -> NonNull<()>;

    /// # Safety
    ///
    /// The pointer must come from [`into_pointer`](Self::into_pointer) and be turned back once.
    unsafe fn from_pointer(pointer: NonNull<()>) -> Self;
}

impl<M> Pointer for async_task::Runnable<M> {
    #[inline(always)]
    fn into_pointer(self) -> NonNull<()> {
        self.into_raw()
    }

    #[inline(always)]
    unsafe fn from_pointer(pointer: NonNull<()>) -> Self {
        // SAFETY: the contract is the same.
        unsafe { Self::from_raw(pointer) }
    }
}

/// Room for one item, which its owner fills and anybody may empty.
///
/// A task that wakes another and then computes for long must not keep the other from running
/// while there are idle workers: the slot can be stolen from.
pub(crate) struct LifoSlot<T: Pointer> {
    item: AtomicPtr<()>,
    owns: std::marker::PhantomData<T>,
}

impl<T: Pointer> LifoSlot<T> {
    pub(crate) fn new() -> Self {
        LifoSlot {
            item: AtomicPtr::new(ptr::null_mut()),
            owns: std::marker::PhantomData,
        }
    }

    /// Puts an item in and returns the one that was there.
    #[inline]
    pub(crate) fn replace(&self, item: T) -> Option<T> {
        let item = item.into_pointer().as_ptr();
        if self.is_empty() {
            // Ordering: as below. What is empty stays so, since only the owner fills it.
            self.item.store(item, Ordering::Release);
            return None;
        }
        // Ordering: release publishes the item to whoever takes it; acquire receives the one
        // that comes back. Pairs with `take`.
        let previous = self.item.swap(item, Ordering::AcqRel);
        // SAFETY: what leaves the slot went in by `replace`, and leaves once.
        NonNull::new(previous).map(|pointer| unsafe { T::from_pointer(pointer) })
    }

    /// Takes the item out, whoever asks.
    ///
    /// By comparing, so that who comes too late writes nothing: the owner relies on an empty slot's
    /// staying as it is.
    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        let mut item = self.item.load(Ordering::Relaxed);
        while !item.is_null() {
            // Ordering: acquire; pairs with the release in `replace`.
            match self.item.compare_exchange(
                item,
                ptr::null_mut(),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                // SAFETY: as in `replace`.
                Ok(item) => return NonNull::new(item).map(|item| unsafe { T::from_pointer(item) }),
                Err(other) => item = other,
            }
        }
        None
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.item.load(Ordering::Relaxed).is_null()
    }
}

impl<T: Pointer> Drop for LifoSlot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
