//! What was repaired, counted: the numbers behind `kamon.context.*`.

use crate::context::tally;
use crate::sync::statics::{AtomicU64, Ordering};

static FORGOTTEN: AtomicU64 = AtomicU64::new(0);
static OUT_OF_ORDER: AtomicU64 = AtomicU64::new(0);
static CROSSED_AWAIT: AtomicU64 = AtomicU64::new(0);

/// A snapshot of how Contexts and Scopes fared in this process.
///
/// The `scopes_*` fields count misuse that was repaired; a program that uses
/// [`with_context`](super::with_context) and [`in_context`](super::ContextFutureExt::in_context)
/// keeps them at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextStats {
    /// Scopes that were still open when their poll, closure or task ended
    /// (`kamon.context.scopes.forgotten`).
    pub scopes_forgotten: u64,
    /// Scopes that were closed before a newer one was (`kamon.context.scopes.out-of-order`).
    pub scopes_out_of_order: u64,
    /// Scopes held across an `.await` in a task bound to its thread
    /// (`kamon.context.scopes.crossed-await`).
    pub scopes_crossed_await: u64,
    /// Contexts in memory, the empty one not counted; clones of one Context are one
    /// (`kamon.context.alive`). Exact while no Context is being made or dropped.
    pub contexts_alive: usize,
}

/// Returns the counts since the process began.
///
/// # Examples
///
/// ```
/// # static KEY: kamon::Key<u8> = kamon::Key::local("stats example", || 0);
/// let before = kamon::context::stats();
/// let first = kamon::store_context(kamon::Context::empty().with_key(&KEY, 1));
/// let second = kamon::store_context(kamon::Context::empty().with_key(&KEY, 2));
/// drop(first);
/// drop(second);
/// let after = kamon::context::stats();
/// assert_eq!(after.scopes_out_of_order, before.scopes_out_of_order + 1);
/// ```
pub fn stats() -> ContextStats {
    ContextStats {
        scopes_forgotten: FORGOTTEN.load(Ordering::Relaxed),
        scopes_out_of_order: OUT_OF_ORDER.load(Ordering::Relaxed),
        scopes_crossed_await: CROSSED_AWAIT.load(Ordering::Relaxed),
        contexts_alive: tally::alive(),
    }
}

pub(crate) fn forgotten(scopes: u64) {
    FORGOTTEN.fetch_add(scopes, Ordering::Relaxed);
}

pub(crate) fn out_of_order() {
    OUT_OF_ORDER.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn crossed_await(scopes: u64) {
    CROSSED_AWAIT.fetch_add(scopes, Ordering::Relaxed);
}
