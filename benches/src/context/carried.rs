//! What is carried, each library's way: a number of values under a key each.

use std::sync::{Arc, OnceLock};

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::prelude::SpanContext;
use kamon::{Context, Key};
use tracing_subscriber::Registry;

/// A value.
pub(crate) type Value = u64;

/// The most values that are carried.
pub(crate) const MOST: usize = 32;

/// Returns kamon's keys, [`MOST`] of them and one more.
pub(crate) fn keys() -> &'static [Key<Value>] {
    static KEYS: OnceLock<Vec<Key<Value>>> = OnceLock::new();
    KEYS.get_or_init(|| {
        (0..=MOST)
            .map(|number| {
                let name: &'static str = format!("key{number}").leak();
                Key::local(name, || 0)
            })
            .collect()
    })
}

/// Returns a Context with that many values.
pub(crate) fn kamon(values: usize) -> Context {
    keys()[..values]
        .iter()
        .fold(Context::empty(), |context, key| context.with_key(key, 7))
}

/// A value of OpenTelemetry's context, where the type is the key.
#[derive(Clone)]
pub(crate) struct Typed<const KEY: usize>(pub(crate) Value);

/// Returns a context of OpenTelemetry's with that many values.
pub(crate) fn opentelemetry(values: usize) -> opentelemetry::Context {
    let mut context = opentelemetry::Context::new();
    macro_rules! with {
        ($($key:literal)*) => {
            $(if $key < values {
                context = context.with_value(Typed::<$key>(7));
            })*
        };
    }
    with!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    context
}

tokio::task_local! {
    /// Values under one task-local, which is all that tokio has.
    pub(crate) static TASK_LOCAL: Arc<[Value]>;
}

/// Returns what the task-local holds.
pub(crate) fn task_local(values: usize) -> Arc<[Value]> {
    vec![7; values].into()
}

/// Returns a span of `tracing`'s, with a registry that keeps its data and nobody who reads it.
pub(crate) fn tracing() -> tracing::Span {
    // Fails when it is there already.
    let _ = tracing::subscriber::set_global_default(Registry::default());
    tracing::info_span!("request", user = 7)
}

/// Returns a root span of fastrace's, with a reporter that throws spans away.
pub(crate) fn fastrace() -> fastrace::Span {
    struct Nowhere;
    impl Reporter for Nowhere {
        fn report(&mut self, _: Vec<SpanRecord>) {}
    }
    fastrace::set_reporter(Nowhere, Config::default());
    fastrace::Span::root("request", SpanContext::random())
}
