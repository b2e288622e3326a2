//! The codecs that the process was given.

use std::ptr;
use std::sync::LazyLock;

use crate::propagation::Codecs;
use crate::sync::statics::{AtomicPtr, Ordering};

static GIVEN: AtomicPtr<Codecs> = AtomicPtr::new(ptr::null_mut());
static DEFAULT: LazyLock<Codecs> = LazyLock::new(Codecs::default);

#[inline]
pub(super) fn get() -> &'static Codecs {
    // Ordering: Acquire pairs with the Release in `set`.
    let given = GIVEN.load(Ordering::Acquire);
    // SAFETY: null, or what `set` put there, which stays.
    unsafe { given.as_ref() }.unwrap_or_else(|| &DEFAULT)
}

pub(super) fn set(codecs: Codecs) {
    let codecs = Box::leak(Box::new(codecs));
    // Ordering: Release pairs with the Acquire in `get`.
    GIVEN.store(codecs, Ordering::Release);
}
