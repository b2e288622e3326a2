//! An async executor that carries the request's Context everywhere.
#![doc = ""]
// The rooms' own prose links to what is private, for those who read it in the sources.
#![allow(rustdoc::private_intra_doc_links)]
// Its programs are tests, and need what they show.
#![cfg_attr(
    all(feature = "kameo", feature = "tracing"),
    doc = include_str!("../README.md")
)]
// What only models use is no public face, and what only users use is unused there.
#![cfg_attr(
    kamon_loom,
    allow(
        dead_code,
        missing_docs,
        unused_imports,
        unused_macros,
        clippy::len_without_is_empty,
        clippy::new_without_default,
        clippy::type_complexity
    )
)]

pub mod channel;
pub mod context;
mod executor;
mod integrations;
pub mod metrics;
pub mod propagation;
mod queue;
pub mod report;
mod sync;
pub mod task;
pub mod time;
pub mod trace;

pub use context::{
    current_context, store_context, with_context, with_context_key, wrap, Context,
    ContextFutureExt, Key, Scope,
};
pub use executor::runtime;
pub use executor::{block_on, spawn, spawn_blocking, spawn_in, spawn_local, spawn_root};
#[cfg(feature = "macros")]
pub use kamon_macros::{main, span, test};
pub use report::{
    add_metric_reporter, add_span_reporter, flush, init, recent_spans, shutdown, Config,
    ConfigError, Kamon,
};
pub use trace::{
    build_span, current_span, with_span, with_span_finishing, SamplingDecision, Span, SpanBuilder,
    SpanContext, SpanId, SpanKind, TraceId,
};

#[cfg(feature = "config")]
pub use integrations::config;
#[cfg(feature = "http")]
pub use integrations::http;
#[cfg(feature = "kameo")]
pub use integrations::kameo;
#[cfg(feature = "log")]
pub use integrations::log;
#[cfg(feature = "ractor")]
pub use integrations::ractor;
#[cfg(feature = "reqwest")]
pub use integrations::reqwest;
#[cfg(feature = "tokio")]
pub use integrations::tokio;
#[cfg(feature = "tracing")]
pub use integrations::tracing;

// What lower rooms need from higher ones, put together here.
use executor::default_timers;
use integrations::{fill_budget, lift_budget, make_driver, observe_runtime, renew_budget};
use report::default_sink;
use time::sleep as tick_after;
use trace::{fail_current_span, task_ended, task_spawned, task_woken, task_yielded, timed_turn};

/// What the models of `loom-tests` see besides the public face.
#[cfg(kamon_loom)]
#[doc(hidden)]
pub mod __model {
    pub use crate::context::modelled::{
        assert_on_base, contexts_alive, forget_contexts, is_on_base, leave_base, stand_on,
    };
    pub use crate::executor::modelled::{alive, forget_alive, Idle, Left, Parker, Watch, Watching};
    pub use crate::metrics::SeatedSum;
    pub use crate::queue::{
        make_weak_queues, ParcelFunnel, ParcelInjector, ParcelProducer, ParcelRing, Parcels,
    };
    pub use crate::report::modelled::Outbox;
    pub use crate::sync::thread::{around_threads, begin_threads, end_threads};
    pub use crate::time::modelled::Promise;
    pub use crate::trace::modelled::{ModelSpan, ModelState};
}
