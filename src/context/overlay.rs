//! Overlays: one value on top of what is current, which becomes a Context only if somebody asks for it.
//!
//! Most spans are current for a moment in which nobody captures the Context: what is asked for is
//! the span itself. So the base of a frame may be an [`Overlay`], which lies on the native stack and
//! costs neither memory nor a count; the slot points at it with the lowest bit set. Whoever needs a
//! Context, to clone it or to capture it, has it [made](resolve), once, and the
//! slot points at that one from then on.

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;

use crate::context::context::Context;
use crate::context::key::Key;
#[cfg(kamon_loom)]
use crate::context::live;
use crate::context::node::Header;
use crate::context::registry::KeyId;
use crate::context::slot::{Slot, SLOT};
use crate::context::word::Word;

/// The current Context with one more value, borrowed, to be the base of a frame.
pub(crate) struct Overlay<'a> {
    id: KeyId,
    /// A `Key<T>` and its `T`, of which `make` knows the type.
    key: *const (),
    value: *const (),
    /// What it lies on, borrowed from a frame's owner or for as long as the value, and no overlay; null
    /// when empty, and [`NOTHING`] where there was no owner to borrow from.
    below: *const Header,
    /// The Context, owned, once it was made.
    made: Cell<*const Header>,
    make: unsafe fn(&Overlay<'_>) -> Context,
    value_of: PhantomData<&'a ()>,
}

/// The address of no Context.
const NOTHING: *const Header = ptr::without_provenance(1);

impl<'a> Overlay<'a> {
    /// `value` under `key`, on top of what is current now. To be the base of a frame inside of the
    /// present one.
    #[inline(always)]
    pub(crate) fn new<T>(key: &'static Key<T>, value: &'a T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        let mut overlay = Overlay::lying_on(ptr::null(), key, value);
        let id = overlay.id;
        SLOT.with(|slot| {
            let current = slot.current.get();
            if !current.is_scoped() {
                overlay.below = match of(current) {
                    // The same value lies there, which nobody will see.
                    Some(outer) if outer.id == id && outer.made.get().is_null() => outer.below,
                    _ => resolve(slot),
                };
            } else {
                overlay.make_at_once(slot);
            }
        });
        overlay
    }

    /// `value` under `key`, on top of this Context, whatever is current.
    #[allow(dead_code)] // Requests use it.
    #[inline(always)]
    pub(crate) fn on<T>(below: &'a Context, key: &'static Key<T>, value: &'a T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        Overlay::lying_on(below.as_raw(), key, value)
    }

    #[inline(always)]
    fn lying_on<T>(below: *const Header, key: &'static Key<T>, value: &'a T) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        Overlay {
            id: key.id(),
            key: ptr::from_ref(key).cast(),
            value: ptr::from_ref(value).cast(),
            below,
            made: Cell::new(ptr::null()),
            make: make::<T>,
            value_of: PhantomData,
        }
    }

    /// Whether this is the Context that it lies on.
    #[inline(always)]
    pub(crate) fn lies_on(&self, context: &Context) -> bool {
        self.below == context.as_raw()
    }

    /// The Contexts below and with the value, if they were asked for.
    pub(crate) fn made(&self) -> Option<(Context, Context)> {
        // SAFETY: both are shown for as long as the overlay is there, by their owners.
        let clone = |raw| unsafe { Context::clone(&ManuallyDrop::new(Context::from_raw(raw))) };
        let made = self.made.get();
        (!made.is_null() && self.below != NOTHING).then(|| (clone(self.below), clone(made)))
    }

    /// What the slot holds while the overlay is current.
    #[inline(always)]
    pub(super) fn word(&self) -> Word {
        match self.made.get() {
            made if !made.is_null() => Word::of_context(made),
            _ => Word::of_overlay(self),
        }
    }

    /// An open Scope owns what is current and may be closed at any time: the Context is made while it
    /// is there.
    #[cold]
    fn make_at_once(&mut self, slot: &Slot) {
        let current = resolve(slot);
        self.below = current;
        self.made.set(self.to_context().into_raw());
        self.below = NOTHING;
    }

    fn to_context(&self) -> Context {
        // SAFETY: the key and the value are those that `make` was chosen for.
        unsafe { (self.make)(self) }
    }

    /// The Context, made if it was not.
    #[cold]
    fn resolve(&self) -> *const Header {
        if self.made.get().is_null() {
            self.made.set(self.to_context().into_raw());
        }
        self.made.get()
    }

    #[cold]
    fn let_go(&self) {
        // SAFETY: the overlay owned it.
        drop(unsafe { Context::from_raw(self.made.replace(ptr::null())) });
    }
}

impl Drop for Overlay<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // The frame has ended, so the slot is in order.
        if !self.made.get().is_null() {
            self.let_go();
        }
    }
}

/// # Safety
///
/// The overlay must be one of a `Key<T>` and a `T`, and what it lies on must be shown.
unsafe fn make<T: Clone + Send + Sync + 'static>(overlay: &Overlay<'_>) -> Context {
    // SAFETY: as the caller promises; both are borrowed for as long as the overlay.
    let (key, value) = unsafe { (&*overlay.key.cast::<Key<T>>(), &*overlay.value.cast::<T>()) };
    borrow(overlay.below).with_key(key, value.clone())
}

/// What is current as a Context: what the slot points at from now on, if it was an overlay.
#[inline(always)]
pub(super) fn resolve(slot: &Slot) -> *const Header {
    let current = slot.current.get();
    match of(current) {
        None => current.raw(),
        Some(overlay) => {
            let made = overlay.resolve();
            slot.current.set(Word::of_context(made));
            made
        }
    }
}

/// The value of a key on what is current, which its owner keeps for as long as the present frame lasts
/// or its newest Scope is open; `None` where it is not there.
#[inline(always)]
pub(super) fn find<'a, T: Send + Sync + 'static>(slot: &Slot, key: &Key<T>) -> Option<&'a T> {
    let current = slot.current.get();
    let below = match of(current) {
        // SAFETY: the registry gives the number to keys of type `T` only.
        Some(overlay) if overlay.id == key.id() => return Some(unsafe { &*overlay.value.cast() }),
        Some(overlay) => overlay.below,
        None => current.raw(),
    };
    // SAFETY: the borrow ends with the call, but not that of the value; see above.
    borrow(below)
        .find(key)
        .map(|value| unsafe { &*ptr::from_ref(value) })
}

/// A Context that somebody else owns. Never dropped; good for as long as the owner has it.
#[inline(always)]
pub(super) fn borrow(raw: *const Header) -> ManuallyDrop<Context> {
    #[cfg(kamon_loom)]
    if let Some(node) = crate::context::node::Node::from_ptr(raw) {
        live::assert_shown(node);
    }
    // SAFETY: what the slot points at, and what an overlay lies on, is shown by its owner. Whoever
    // calls ends the use before the owner can go.
    ManuallyDrop::new(unsafe { Context::from_raw(raw) })
}

/// The overlay that the slot points at, if it is one.
#[inline(always)]
fn of<'a>(current: Word) -> Option<&'a Overlay<'a>> {
    if !current.is_overlay() {
        return None;
    }
    // SAFETY: the slot holds it for as long as a frame has borrowed it, and the use ends before.
    Some(unsafe { &*current.raw().cast::<Overlay<'_>>() })
}
