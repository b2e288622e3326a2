//! What the models see of this room.

use std::cell::RefCell;

use crate::context::slot;
use crate::context::{live, Context};
use crate::sync::tls;

tls! {
    /// What is current on this thread outside of all frames.
    static BASE: RefCell<Context> = RefCell::new(Context::empty());
}

/// Makes `context` what this thread stands on: current outside of all frames, for the rest of its
/// life. Every thread of a model has another one, so that what one thread saved cannot pass for
/// what another has to restore.
pub fn stand_on(context: Context) {
    BASE.with(|base| {
        let before = base.replace(context);
        // SAFETY: the thread's own cell keeps it.
        unsafe { slot::install(&base.borrow()) };
        drop(before);
    });
}

/// Gives up what this thread stands on, at the thread's end.
///
/// # Panics
///
/// As [`assert_on_base`] does.
pub fn leave_base() {
    assert_on_base();
    stand_on(Context::empty());
}

/// Whether this thread has its base and nothing else.
pub fn is_on_base() -> bool {
    let base = BASE.with(|base| slot::raw_of(&base.borrow()));
    slot::raw() == base && slot::is_settled()
}

/// # Panics
///
/// When this thread has anything else than its base: a task, a closure or a timer that has ended
/// left something behind.
pub fn assert_on_base() {
    assert!(
        is_on_base(),
        "STALE: a thread was left with a Context or a Scope that is not its own"
    );
}

/// The number of Contexts alive in this model, the values that outlive theirs included.
pub fn contexts_alive() -> usize {
    live::count()
}

/// Forgets the Contexts of an execution that is over.
pub fn forget_contexts() {
    live::reset();
}
