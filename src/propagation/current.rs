//! The codecs that the process was given.

use std::ptr;
use std::sync::LazyLock;

use crate::propagation::Codecs;
use crate::sync::statics::{AtomicPtr, Mutex, Ordering};

static GIVEN: AtomicPtr<Codecs> = AtomicPtr::new(ptr::null_mut());
/// All that were given. Those that were replaced may be in use on other threads, and stay.
static KEPT: Mutex<Vec<&'static Codecs>> = Mutex::new(Vec::new());
static DEFAULT: LazyLock<Codecs> = LazyLock::new(Codecs::default);

#[inline]
pub(super) fn get() -> &'static Codecs {
    // Ordering: Acquire pairs with the Release in `set`.
    let given = GIVEN.load(Ordering::Acquire);
    // SAFETY: null, or what `set` put there, which stays.
    unsafe { given.as_ref() }.unwrap_or_else(|| &DEFAULT)
}

pub(super) fn set(codecs: Codecs) {
    let codecs: &'static Codecs = Box::leak(Box::new(codecs));
    KEPT.lock().push(codecs);
    // Ordering: Release pairs with the Acquire in `get`.
    GIVEN.store(ptr::from_ref(codecs).cast_mut(), Ordering::Release);
}
