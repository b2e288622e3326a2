//! What the rooms get where no other runtime's library is built in.

pub(crate) use crate::executor::driver::make_thread_driver as make_driver;

/// Does nothing: there is no budget but kamon's own.
#[inline(always)]
pub(crate) fn renew_budget() {}

/// Does nothing: there is no budget but kamon's own.
#[inline(always)]
pub(crate) fn fill_budget() {}

/// Calls `f`: there is no budget but kamon's own.
#[inline(always)]
pub(crate) fn lift_budget<R>(f: impl FnOnce() -> R) -> R {
    f()
}
