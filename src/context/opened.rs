//! Open Scopes: the chain of them that each frame has.
//!
//! An entry stands in the chain of the frame in which its Scope was opened. The
//! [`Scope`](super::Scope) that the user has knows the entry and its generation, which changes when
//! the entry leaves the chain: from then on the Scope is an empty shell, wherever it may be.

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};
use std::ptr;

use crate::context::contain::quietly;
use crate::context::context::Context;
use crate::context::node::Header;
use crate::context::slot::{Slot, SLOT};
use crate::context::word::Word;
use crate::context::{credits, spares, stats};
use crate::sync::statics::{AtomicUsize, Ordering};

/// One open Scope, or a spare entry. Never freed, and touched only by the thread whose it is,
/// `generation` and `home` apart.
pub(super) struct Opened {
    /// Counts the Scopes that this entry has stood for.
    generation: AtomicUsize,
    /// The Context of the Scope, owned; null when it is empty or was given up.
    context: Cell<*const Header>,
    /// What is current in the frame without any Scope.
    base: Cell<Word>,
    /// The newest Scope that was open around the frame.
    under: Cell<*const Opened>,
    /// The Scope opened before this one in the same frame; the next spare entry.
    pub(super) prev: Cell<*const Opened>,
    /// The Scope opened after this one in the same frame.
    next: Cell<*const Opened>,
    /// Closed while its frame was suspended: still on top of its chain, until the frame goes on.
    closed: Cell<bool>,
    /// Counted as held across an await.
    crossed: Cell<bool>,
    /// The thread: the address of its slot.
    home: Cell<*const Slot>,
}

/// What a Scope has of its entry.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    pub(super) opened: *const Opened,
    pub(super) generation: usize,
}

impl Opened {
    /// A spare entry.
    pub(super) const fn new() -> Self {
        Opened {
            generation: AtomicUsize::new(0),
            context: Cell::new(ptr::null()),
            base: Cell::new(Word::EMPTY),
            under: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            closed: Cell::new(false),
            crossed: Cell::new(false),
            home: Cell::new(ptr::null()),
        }
    }

    /// Opens a Scope in the present frame.
    pub(super) fn push(slot: &Slot, context: Context) -> Ticket {
        let (top, current) = (slot.top.get(), slot.current.get());
        let opened = spares::take(slot);
        let context = context.into_raw();
        opened.context.set(context);
        opened.next.set(ptr::null());
        opened.closed.set(false);
        opened.crossed.set(false);
        opened.home.set(slot);
        if current.is_scoped() {
            // SAFETY: entries are never freed.
            let below = unsafe { &*top };
            opened.prev.set(below);
            opened.lie_on(below.base.get(), below.under.get());
            below.next.set(opened);
        } else {
            opened.prev.set(ptr::null());
            opened.lie_on(current, top);
        }
        slot.top.set(opened);
        slot.current.set(Word::of_scope(context));
        // Ordering: only compared, see `Opened::of`.
        Ticket {
            opened,
            generation: opened.generation.load(Ordering::Relaxed),
        }
    }

    /// Closes a Scope. Returns its Context, for the caller to drop when the slot is in order.
    pub(super) fn close(slot: &Slot, ticket: Ticket) -> Context {
        let Some(opened) = Opened::of(ticket) else {
            return Context::empty();
        };
        let context = opened.take_context(slot);
        if slot.current.get().is_scoped() && ptr::eq(slot.top.get(), opened) {
            let (top, current) = opened.below();
            slot.top.set(top);
            slot.current.set(current);
            opened.retire(slot);
            return context;
        }
        stats::out_of_order();
        if opened.next.get().is_null() {
            // The top of a suspended frame, whose word says that it is open: it looks when it goes on.
            opened.closed.set(true);
        } else {
            opened.unlink();
            opened.retire(slot);
        }
        context
    }

    /// The Context of a Scope; the empty one if its frame ended.
    pub(super) fn context(ticket: Ticket) -> Context {
        Opened::of(ticket).map_or(Context::empty(), |opened| {
            // SAFETY: a clone of what the entry owns, and the original stays there.
            let owned = ManuallyDrop::new(unsafe { Context::from_raw(opened.context.get()) });
            Context::clone(&owned)
        })
    }

    /// Whether the Scope is in a chain.
    pub(super) fn is_open(ticket: Ticket) -> bool {
        Opened::of(ticket).is_some()
    }

    /// Looks at the chain of a suspended frame that goes on: what the slot says in it of Scopes, and what is
    /// current. `top` is not null.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread, which has no other top from now on.
    pub(super) unsafe fn settle(slot: &Slot, top: *const Opened) -> (*const Opened, Word) {
        // SAFETY: entries are never freed.
        let opened: &'static Opened = unsafe { &*top };
        if !opened.closed.get() {
            return (top, Word::of_scope(opened.context.get()));
        }
        let below = opened.below();
        opened.retire(slot);
        below
    }

    /// Ends a chain. Returns the Contexts of the Scopes that nobody closed, to be dropped when
    /// the slot is in order; they are counted as forgotten.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread that is no frame's any more, or null.
    #[cold]
    pub(super) unsafe fn dispose(slot: &Slot, top: *const Opened) -> Forgotten {
        let mut contexts = Vec::new();
        let mut cursor = top;
        // No user code runs in this loop, so nobody changes the chain under our feet.
        // SAFETY: entries are never freed.
        while let Some(opened) = unsafe { cursor.as_ref::<'static>() } {
            cursor = opened.prev.get();
            if !opened.closed.get() {
                contexts.push(opened.take_context(slot));
            }
            opened.retire(slot);
        }
        stats::forgotten(contexts.len() as u64);
        Forgotten(contexts)
    }

    /// Makes a chain ready to wait for the next poll of its task, and counts the Scopes that wait
    /// for the first time.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread.
    pub(super) unsafe fn cross_await(top: *const Opened) {
        let mut crossed = 0;
        // SAFETY: as the caller promises.
        unsafe {
            each(top, |opened| {
                crossed += u64::from(!opened.crossed.replace(true))
            })
        };
        stats::crossed_await(crossed);
    }

    /// Takes the open Scopes out of the present frame, in which its base is current then: their chain, or
    /// null.
    pub(super) fn take_chain(slot: &Slot) -> *const Opened {
        if !slot.current.get().is_scoped() {
            return ptr::null();
        }
        let top = slot.top.get();
        // SAFETY: entries are never freed.
        let opened = unsafe { &*top };
        slot.top.set(opened.under.get());
        slot.current.set(opened.base.get());
        top
    }

    /// Tells a chain that waited what lies beneath it from now on.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread.
    pub(super) unsafe fn rebase(top: *const Opened, base: Word, under: *const Opened) {
        // SAFETY: as the caller promises.
        unsafe { each(top, |opened| opened.lie_on(base, under)) };
    }

    fn lie_on(&self, base: Word, under: *const Opened) {
        self.base.set(base);
        self.under.set(under);
    }

    /// Whether the chain belongs to this thread.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain.
    pub(super) unsafe fn is_home(top: *const Opened) -> bool {
        // SAFETY: a top stays in its chain until its own thread takes it off, and while an entry
        // is in a chain nobody writes its `home`.
        let home = unsafe { (*top).home.get() };
        SLOT.with(|slot| ptr::eq(slot, home))
    }

    /// The entry of a Scope, if it still stands for it.
    fn of(ticket: Ticket) -> Option<&'static Opened> {
        // SAFETY: entries are never freed. Until the generations are known to be equal, nothing
        // but the atomic is touched: the entry may be another thread's by now.
        let opened = unsafe { &*ticket.opened };
        // Ordering: equal generations mean that the entry is in a chain of this thread, which
        // wrote the number itself. Unequal ones mean nothing but that.
        let same = opened.generation.load(Ordering::Relaxed) == ticket.generation;
        same.then_some(opened)
    }

    /// Makes a spare entry of one that has left its chain. Its Scope becomes an empty shell.
    fn retire(&'static self, slot: &Slot) {
        debug_assert!(self.context.get().is_null());
        // Ordering: the thread that has the entry is the only writer; see `Opened::of`.
        let next = self.generation.load(Ordering::Relaxed).wrapping_add(1);
        self.generation.store(next, Ordering::Relaxed);
        spares::put(slot, self);
    }

    /// Takes the top off its chain: what the slot says of Scopes and what is current then. A closed entry is
    /// only ever the top of a chain, so what lies below is open.
    fn below(&self) -> (*const Opened, Word) {
        let prev = self.prev.get();
        // SAFETY: entries are never freed.
        match unsafe { prev.as_ref() } {
            Some(below) => {
                below.next.set(ptr::null());
                (prev, Word::of_scope(below.context.get()))
            }
            None => (self.under.get(), self.base.get()),
        }
    }

    /// Takes an entry out of the middle of its chain.
    fn unlink(&self) {
        let (prev, next) = (self.prev.get(), self.next.get());
        // SAFETY: entries are never freed.
        unsafe {
            if let Some(above) = next.as_ref() {
                above.prev.set(prev);
            }
            if let Some(below) = prev.as_ref() {
                below.next.set(next);
            }
        }
    }

    fn take_context(&self, slot: &Slot) -> Context {
        let raw = self.context.replace(ptr::null());
        credits::settle(slot, raw);
        // SAFETY: the entry owned it and gives it up here.
        unsafe { Context::from_raw(raw) }
    }
}

/// The Contexts of forgotten Scopes. Dropping them runs user code, and never panics: the end of a
/// frame may come in the middle of an unwinding, or outside of what contains a task's panics.
pub(super) struct Forgotten(Vec<Context>);

impl Drop for Forgotten {
    fn drop(&mut self) {
        for context in mem::take(&mut self.0) {
            quietly(|| drop(context));
        }
    }
}

/// # Safety
///
/// `top` must be the top of a chain of this thread, and `f` must not change the chain.
unsafe fn each(top: *const Opened, mut f: impl FnMut(&Opened)) {
    let mut cursor = top;
    // SAFETY: entries are never freed.
    while let Some(opened) = unsafe { cursor.as_ref() } {
        f(opened);
        cursor = opened.prev.get();
    }
}
