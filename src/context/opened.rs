//! Open Scopes: the chain of them that each frame has.
//!
//! An entry is known to two sides: to the chain of the frame in which the Scope was opened, and
//! to the [`Scope`](super::Scope) that the user has. Whoever leaves last frees it.

use std::cell::Cell;
use std::mem;
use std::ptr;

use crate::context::context::Context;
use crate::context::node::Header;
use crate::context::slot::{Slot, SLOT};
use crate::context::stats;

/// One open Scope. Only ever touched by the thread that opened it, `home` and `prev` apart.
pub(super) struct Opened {
    /// The Context of the Scope, owned; null when it is empty or was given up.
    context: Cell<*const Header>,
    /// What is current in the frame without any Scope.
    base: Cell<*const Header>,
    /// The Scope opened before this one in the same frame.
    prev: Cell<*const Opened>,
    /// The Scope opened after this one in the same frame.
    next: Cell<*const Opened>,
    state: Cell<State>,
    crossed: Cell<bool>,
    /// The thread: the address of its slot.
    home: *const Slot,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a chain, and the user has the Scope (or has forgotten it).
    Open,
    /// The user closed it while its frame was suspended. In the chain, on top, until the frame
    /// goes on.
    Closed,
    /// Its frame ended. The user has the Scope (or has forgotten it).
    Disposed,
}

impl Opened {
    /// Opens a Scope in the present frame.
    pub(super) fn push(slot: &Slot, context: Context) -> *const Opened {
        let below = slot.top.get();
        let current = context.into_raw();
        // SAFETY: the top of the present frame is in its chain, hence allocated.
        let base = match unsafe { below.as_ref() } {
            Some(below) => below.base.get(),
            None => slot.current.get(),
        };
        let opened: *const Opened = Box::into_raw(Box::new(Opened {
            context: Cell::new(current),
            base: Cell::new(base),
            prev: Cell::new(below),
            next: Cell::new(ptr::null()),
            state: Cell::new(State::Open),
            crossed: Cell::new(false),
            home: slot,
        }));
        // SAFETY: as above.
        if let Some(below) = unsafe { below.as_ref() } {
            below.next.set(opened);
        }
        slot.top.set(opened);
        slot.current.set(current);
        opened
    }

    /// Closes a Scope. Returns its Context, for the caller to drop when the slot is in order.
    ///
    /// # Safety
    ///
    /// `this` must come from [`Opened::push`] on this thread, and is not used again.
    pub(super) unsafe fn close(slot: &Slot, this: *const Opened) -> Context {
        // SAFETY: the user's side has not left yet, so it is allocated.
        let opened = unsafe { &*this };
        let context = opened.take_context();
        if slot.top.get() == this {
            let (top, current) = opened.below();
            slot.top.set(top);
            slot.current.set(current);
        } else if opened.state.get() == State::Open {
            stats::out_of_order();
            if opened.next.get().is_null() {
                // The top of a suspended frame, which has its address: it looks when it goes on.
                opened.state.set(State::Closed);
                return context;
            }
            opened.unlink();
        }
        // SAFETY: no chain has it (it was popped, unlinked or disposed of), and the user's side
        // leaves now.
        drop(unsafe { Box::from_raw(this.cast_mut()) });
        context
    }

    /// The Context of a Scope; the empty one if its frame ended.
    ///
    /// # Safety
    ///
    /// `this` must come from [`Opened::push`] on this thread and not be closed.
    pub(super) unsafe fn context(this: *const Opened) -> Context {
        // SAFETY: as for `close`; a clone of what the entry owns, and the original stays there.
        unsafe {
            let owned = mem::ManuallyDrop::new(Context::from_raw((*this).context.get()));
            Context::clone(&owned)
        }
    }

    /// Looks at the chain of a suspended frame that goes on: its newest open Scope, and what is
    /// current in it. `top` is not null.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread, which has no other top from now on.
    pub(super) unsafe fn settle(top: *const Opened) -> (*const Opened, *const Header) {
        // SAFETY: it is in a chain, hence allocated.
        let opened = unsafe { &*top };
        if opened.state.get() == State::Open {
            return (top, opened.context.get());
        }
        let below = opened.below();
        // SAFETY: the user's side left when it closed, and the chain leaves now.
        drop(unsafe { Box::from_raw(top.cast_mut()) });
        below
    }

    /// Ends a chain. Returns the Contexts of the Scopes that nobody closed, to be dropped when
    /// the slot is in order; they are counted as forgotten.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread that is no frame's any more, or null.
    #[cold]
    pub(super) unsafe fn dispose(top: *const Opened) -> Forgotten {
        let mut contexts = Vec::new();
        let mut cursor = top;
        // No user code runs in this loop, so nobody changes the chain under our feet.
        // SAFETY: entries of a chain are allocated.
        while let Some(opened) = unsafe { cursor.as_ref() } {
            let this = mem::replace(&mut cursor, opened.prev.get());
            match opened.state.replace(State::Disposed) {
                State::Open => {
                    contexts.push(opened.take_context());
                    opened.prev.set(ptr::null());
                    opened.next.set(ptr::null());
                }
                // SAFETY: the user's side left when it closed, and the chain leaves now.
                _ => drop(unsafe { Box::from_raw(this.cast_mut()) }),
            }
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
        // SAFETY: entries of a chain are allocated.
        unsafe {
            each(top, |opened| {
                crossed += u64::from(!opened.crossed.replace(true))
            });
        }
        stats::crossed_await(crossed);
    }

    /// Tells a chain that waited what is current beneath it from now on.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain of this thread.
    pub(super) unsafe fn rebase(top: *const Opened, base: *const Header) {
        // SAFETY: entries of a chain are allocated.
        unsafe { each(top, |opened| opened.base.set(base)) };
    }

    /// Whether the chain belongs to this thread.
    ///
    /// # Safety
    ///
    /// `top` must be the top of a chain.
    pub(super) unsafe fn is_home(top: *const Opened) -> bool {
        // SAFETY: a top stays allocated until its own thread takes it off the chain, and `home`
        // is never written after `push`.
        let home = unsafe { (*top).home };
        SLOT.with(|slot| ptr::eq(slot, home))
    }

    /// Takes the top off its chain: what is on top and what is current then. A `Closed` entry is
    /// only ever the top of a chain, so what lies below is open.
    fn below(&self) -> (*const Opened, *const Header) {
        let prev = self.prev.get();
        // SAFETY: neighbours in a chain are allocated.
        match unsafe { prev.as_ref() } {
            Some(below) => {
                below.next.set(ptr::null());
                (prev, below.context.get())
            }
            None => (prev, self.base.get()),
        }
    }

    /// Takes an entry out of the middle of its chain.
    fn unlink(&self) {
        let (prev, next) = (self.prev.get(), self.next.get());
        // SAFETY: neighbours in a chain are allocated.
        unsafe {
            if let Some(above) = next.as_ref() {
                above.prev.set(prev);
            }
            if let Some(below) = prev.as_ref() {
                below.next.set(next);
            }
        }
    }

    fn take_context(&self) -> Context {
        // SAFETY: the entry owned it and gives it up here.
        unsafe { Context::from_raw(self.context.replace(ptr::null())) }
    }
}

/// The Contexts of forgotten Scopes. Dropping them runs user code, and never panics: the end of a
/// frame may come in the middle of an unwinding, or outside of what contains a task's panics.
pub(super) struct Forgotten(Vec<Context>);

impl Drop for Forgotten {
    fn drop(&mut self) {
        let contexts = mem::take(&mut self.0);
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(contexts)));
        // The payload's own destructor might panic again.
        mem::forget(dropped);
    }
}

/// # Safety
///
/// `top` must be the top of a chain of this thread, and `f` must not change the chain.
unsafe fn each(top: *const Opened, mut f: impl FnMut(&Opened)) {
    let mut cursor = top;
    // SAFETY: entries of a chain are allocated.
    while let Some(opened) = unsafe { cursor.as_ref() } {
        f(opened);
        cursor = opened.prev.get();
    }
}
