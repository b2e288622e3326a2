//! Spans: units of traced work, their identity, their life and what is measured of them.
#![doc = ""]
#![doc = include_str!("README.md")]

mod access;
mod body;
mod builder;
mod clock;
mod counts;
mod current;
mod decision;
mod delayed;
mod details;
mod finish;
mod future;
mod id;
mod kind;
mod known_timers;
mod later_names;
mod measure;
mod memory;
#[cfg(kamon_loom)]
pub(crate) mod modelled;
mod names;
mod place;
mod random;
mod record;
mod sampler;
mod saying;
mod settings;
mod sink;
mod span;
mod span_context;
mod state;
mod tag;
mod tail;
mod waits;
mod work;
mod work_counts;

pub use builder::{build_span, SpanBuilder};
#[cfg(any(test, feature = "test-util"))]
pub use clock::frozen::FrozenClock;
pub use clock::Timestamp;
pub use counts::{stats, TraceStats};
pub use current::{current_span, with_span, with_span_finishing};
pub use decision::SamplingDecision;
pub use delayed::DelayedSpan;
pub use future::InSpan;
pub use id::{ParseIdError, SpanId, TraceId};
pub use kind::SpanKind;
pub use record::{Link, LinkKind, Mark, Outcome, SpanRecord, Work};
pub use sampler::{
    AdaptiveSampler, AlwaysSampler, NeverSampler, RandomSampler, RatioSampler, Sampler,
    SamplingRequest,
};
pub(crate) use settings::set_silent;
pub use settings::{IdScheme, Settings};
pub use span::Span;
pub use span_context::SpanContext;
pub use tag::{TagKey, TagValue};
pub use tail::{HELD_FOR, HELD_SPANS, HELD_TRACES};

pub(crate) use clock::Tie;
#[allow(unused_imports)] // For the root, and for the rooms above.
pub(crate) use current::{fail_current_span, panicked, without_tracing};
pub(crate) use decision::BEFOREHAND;
#[allow(unused_imports)] // Toolkits keep names of theirs.
pub(crate) use names::Names;
#[allow(unused_imports)] // For toolkits.
pub(crate) use saying::Saying;
#[allow(unused_imports)] // The drain calls it.
pub(crate) use sink::{FinishedSpan, Sink};
pub(crate) use tail::{expire, let_go};
#[allow(unused_imports)] // For integrations, whose work comes in parts that are no future.
pub(crate) use work::Stretch;
pub(crate) use work::{task_ended, task_spawned, task_woken, task_yielded, timed_turn};
