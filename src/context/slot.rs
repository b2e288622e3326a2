//! The slot: which Context is current on this thread, and which Scopes are open in the present frame.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;

use crate::context::context::Context;
use crate::context::credits::{self, Account};
use crate::context::key::Key;
use crate::context::node::Node;
use crate::context::opened::Opened;
use crate::context::overlay;
use crate::context::word::Word;
use crate::sync::tls;

#[allow(unused_imports)] // Callers name the frame, seldom its type.
pub(crate) use crate::context::frame::{end_scopes, Base, Frame, ResumedFrame};
pub(crate) use crate::context::overlay::Overlay;
#[allow(unused_imports)] // For tasks that are bound to their thread.
pub(crate) use crate::context::saved::SavedScopes;

/// What a thread knows of Contexts. Nothing in it has a destructor, so it can be used at any time
/// in the thread's life, and nothing in it is ever borrowed while user code runs.
pub(super) struct Slot {
    /// The current Context, borrowed. It belongs to the newest open Scope of the
    /// present frame or, without one, to the frame's owner, who may have an [`Overlay`] instead: then
    /// [`overlay::resolve`] says which Context it is.
    pub(super) current: Cell<Word>,
    /// The newest Scope that is open in the present frame or, if that has none, in the nearest one around it
    /// that had some when the frame inside it began; null when there is none.
    pub(super) top: Cell<*const Opened>,
    /// Holds that are not in use on something that is, or was, current: see [`credits`].
    pub(super) credits: Account,
    /// The same of the Context of the turn that this thread gives, if it is a worker: see
    /// [`hand`](crate::context::hand).
    pub(super) hand: Account,
    /// Whether somebody holds that Context for as long as the hand is open.
    pub(super) hand_is_kept: Cell<bool>,
    /// Whether the innermost task is bound to this thread, so that its Scopes may wait for its
    /// next poll.
    pub(super) bound: Cell<bool>,
    /// Entries for the next Scopes.
    pub(super) spare: Cell<*const Opened>,
    /// Whether the thread has left its spare entries to others.
    pub(super) leaving: Cell<bool>,
}

impl Slot {
    const fn new() -> Self {
        Slot {
            current: Cell::new(Word::EMPTY),
            top: Cell::new(ptr::null()),
            credits: Account::new(),
            hand: Account::new(),
            hand_is_kept: Cell::new(false),
            bound: Cell::new(false),
            spare: Cell::new(ptr::null()),
            leaving: Cell::new(false),
        }
    }
}

tls! {
    pub(super) static SLOT: Slot = Slot::new();
}

/// Returns the Context that is current on this thread: the empty one if nobody made one current.
///
/// Never fails: it may be called from a `Drop`, from the destructor of a thread-local, and while
/// a value of the Context is being read.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// assert!(kamon::current_context().is_empty());
/// let context = Context::empty().with_key(&USER_ID, "1234".into());
/// kamon::with_context(context.clone(), || assert_eq!(kamon::current_context(), context));
/// ```
#[inline]
pub fn current_context() -> Context {
    SLOT.with(hold)
}

/// [`current_context`], under the name that the executor's rooms use.
#[allow(dead_code)] // Which of these are in use depends on the features.
#[inline]
pub(crate) fn current() -> Context {
    current_context()
}

/// What a task that is spawned now gets: the current Context without the values that stay in
/// their task.
#[inline]
pub(crate) fn capture() -> Context {
    if cfg!(kamon_without_context) {
        return Context::empty();
    }
    SLOT.with(|slot| {
        let current = borrow(slot);
        match current.is_inherited() {
            true => hold(slot),
            false => current.inherited(),
        }
    })
}

/// Takes back what a task had captured, if it is what is current; otherwise the caller has it again, to
/// be dropped.
#[inline]
pub(crate) fn take_back(context: Context) -> Option<Context> {
    SLOT.with(|slot| credits::take_back(slot, context))
}

/// Keeps what a Context that ends here has held, where this thread holds that one ahead; otherwise the caller
/// has it again, to be dropped. Dropping it does the same, but may run destructors.
#[inline]
pub(crate) fn keep(context: Context) -> Option<Context> {
    match Node::from_ptr(context.as_raw()) {
        Some(node) if credits::keep(node) => {
            std::mem::forget(context);
            None
        }
        _ => Some(context),
    }
}

/// Whether the current Context is the empty one.
#[allow(dead_code)] // The executor asks.
#[inline]
pub(crate) fn is_empty() -> bool {
    SLOT.with(|slot| slot.current.get().raw().is_null())
}

/// Calls `f` with the current Context, without the price of a clone where that is safe.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Context) -> R) -> R {
    SLOT.with(|slot| {
        let current = borrow(slot);
        // Without a Scope the frame's owner keeps the Context until the frame ends, which is after
        // `f` returns. A Scope owns what it made current, and `f` may close it.
        let held = slot.current.get().is_scoped().then(|| hold(slot));
        // Called in one place, so that it can be inlined.
        f(held.as_ref().unwrap_or(&current))
    })
}

/// Calls `f` with the value of a key in the current Context, which is not made for that where it
/// need not be.
#[inline(always)]
pub(crate) fn with_value<T: Send + Sync + 'static, R>(key: &Key<T>, f: impl FnOnce(&T) -> R) -> R {
    SLOT.with(|slot| {
        // As in `with_current`.
        let held = slot.current.get().is_scoped().then(|| hold(slot));
        let value = overlay::find(slot, key).unwrap_or_else(|| key.default_value());
        let result = f(value);
        drop(held);
        result
    })
}

/// The pointer in the slot, to be compared with [`raw_of`].
#[cfg(any(test, kamon_loom))]
#[allow(dead_code)]
pub(crate) fn raw() -> usize {
    SLOT.with(|slot| slot.current.get().raw() as usize)
}

/// What [`raw`] is while `context` is current.
#[cfg(any(test, kamon_loom))]
#[allow(dead_code)]
pub(crate) fn raw_of(context: &Context) -> usize {
    context.as_raw() as usize
}

/// Whether no Scope is open, neither in the present frame nor in one around it.
#[cfg(kamon_loom)]
pub(crate) fn is_settled() -> bool {
    SLOT.with(|slot| slot.top.get().is_null() && !slot.current.get().is_scoped())
}

/// Makes `context` current on this thread with nothing to restore what was before: the sentinel
/// of a worker under test.
///
/// # Safety
///
/// `context` must live, unmoved or not, until something else is installed, and no Scope may be
/// open on this thread.
#[cfg(any(test, kamon_loom))]
#[allow(dead_code)]
pub(crate) unsafe fn install(context: &Context) {
    SLOT.with(|slot| {
        assert!(slot.top.get().is_null(), "a Scope is open");
        credits::settle_all(slot);
        slot.current.set(Word::of_context(context.as_raw()));
    });
}

/// The current Context, held.
#[inline]
pub(super) fn hold(slot: &Slot) -> Context {
    match Node::from_ptr(borrow(slot).as_raw()) {
        // SAFETY: it is what is current.
        Some(node) => unsafe { credits::hand_out(slot, node) },
        None => Context::empty(),
    }
}

/// The current Context, borrowed from whoever owns it. Good until user code runs.
#[inline(always)]
fn borrow(slot: &Slot) -> ManuallyDrop<Context> {
    overlay::borrow(overlay::resolve(slot))
}
