//! `contain`: user code whose panic must not go further.

use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `f` and ends a panic of it here. The panic hook has told about it already.
pub(super) fn contain(f: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        return;
    };
    // The payload's Drop is user code as well. What a second panic carries is let go of unseen:
    // nothing says that its Drop would behave better.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}
