//! The library's own numbers about Contexts, by Kamon's names.

use std::sync::Once;

use crate::context::{self, ContextStats};
use crate::metrics::registry::{counter, gauge};

/// Has `kamon.context.*` observed, from the first call on.
pub(crate) fn observe() {
    static OBSERVED: Once = Once::new();
    // In a model they would outlive the execution in which they were made.
    if cfg!(not(kamon_loom)) {
        OBSERVED.call_once(|| {
            for (name, description, read) in COUNTERS {
                counter(*name)
                    .with_description(*description)
                    .observe(|| read(context::stats()))
                    .forever();
            }
            gauge("kamon.context.alive")
                .with_description("Contexts in memory, without the empty one")
                .observe(|| context::stats().contexts_alive as f64)
                .forever();
        });
    }
}

type Counter = (&'static str, &'static str, fn(ContextStats) -> u64);

const COUNTERS: &[Counter] = &[
    (
        "kamon.context.scopes.forgotten",
        "Scopes that were still open when their poll, closure or task ended",
        |stats| stats.scopes_forgotten,
    ),
    (
        "kamon.context.scopes.out-of-order",
        "Scopes that were closed before a newer one was",
        |stats| stats.scopes_out_of_order,
    ),
    (
        "kamon.context.scopes.crossed-await",
        "Scopes held across an await in a task bound to its thread",
        |stats| stats.scopes_crossed_await,
    ),
];
