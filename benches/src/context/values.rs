//! What it costs to put a value in, to read one, and to make a Context current for a call.

use std::hint::black_box;

use fastrace::local::LocalParentGuard;

use crate::context::carried::{self, Typed, MOST};
use crate::context::{on_one_thread, ours, peer};
use crate::workload::Workload;

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    vec![
        with_key("with_key_beside_1", 1),
        with_key("with_key_beside_4", 4),
        with_key("with_key_beside_8", 8),
        with_key("with_key_beside_32", 32),
        get::<0>("get_among_1", 1),
        get::<2>("get_among_4", 4),
        get::<4>("get_among_8", 8),
        get::<16>("get_among_32", 32),
        get_from_current(),
        current_context(),
        with_context(),
    ]
}

/// One more value than there are.
fn with_key(name: &'static str, values: usize) -> Workload {
    on_one_thread(
        name,
        vec![
            ours(move |meter, _| {
                let (key, context) = (&carried::keys()[MOST], carried::kamon(values));
                meter.iter(|| drop(black_box(black_box(&context).with_key(key, 8))));
            }),
            peer("opentelemetry", move |meter, _| {
                let context = carried::opentelemetry(values);
                meter.iter(|| drop(black_box(black_box(&context).with_value(Typed::<MOST>(8)))));
            }),
        ],
    )
}

/// A value in the middle of those there are.
fn get<const KEY: usize>(name: &'static str, values: usize) -> Workload {
    on_one_thread(
        name,
        vec![
            ours(move |meter, _| {
                let (key, context) = (&carried::keys()[KEY], carried::kamon(values));
                meter.iter(|| {
                    black_box(*black_box(&context).get(key));
                });
            }),
            peer("opentelemetry", move |meter, _| {
                let context = carried::opentelemetry(values);
                meter.iter(|| {
                    black_box(
                        black_box(&context)
                            .get::<Typed<KEY>>()
                            .map_or(0, |value| value.0),
                    );
                });
            }),
        ],
    )
}

/// The only value that is carried, from whatever is current.
fn get_from_current() -> Workload {
    on_one_thread(
        "get_from_current",
        vec![
            ours(|meter, _| {
                let key = &carried::keys()[0];
                kamon::with_context(carried::kamon(1), || {
                    meter.iter(|| {
                        black_box(key.with(|value| *value));
                    });
                });
            }),
            peer("tokio task_local", |meter, _| {
                carried::TASK_LOCAL.sync_scope(carried::task_local(1), || {
                    meter.iter(|| {
                        black_box(carried::TASK_LOCAL.with(|values| values[0]));
                    });
                });
            }),
            peer("opentelemetry", |meter, _| {
                let _guard = carried::opentelemetry(1).attach();
                meter.iter(|| {
                    black_box(opentelemetry::Context::map_current(|context| {
                        context.get::<Typed<0>>().map_or(0, |value| value.0)
                    }));
                });
            }),
        ],
    )
}

/// The whole of what is current, to be kept.
fn current_context() -> Workload {
    on_one_thread(
        "current_context",
        vec![
            ours(|meter, _| {
                kamon::with_context(carried::kamon(1), || {
                    meter.iter(|| {
                        black_box(kamon::current_context());
                    });
                });
            }),
            peer("opentelemetry", |meter, _| {
                let _guard = carried::opentelemetry(1).attach();
                meter.iter(|| {
                    black_box(opentelemetry::Context::current());
                });
            }),
        ],
    )
}

/// A call during which two values are current.
fn with_context() -> Workload {
    on_one_thread(
        "with_context",
        vec![
            ours(|meter, _| {
                let context = carried::kamon(2);
                meter.iter(|| kamon::with_context(context.clone(), || black_box(())));
            }),
            peer("tokio task_local", |meter, _| {
                let values = carried::task_local(2);
                meter.iter(|| {
                    carried::TASK_LOCAL.sync_scope(values.clone(), || black_box(()));
                });
            }),
            peer("tracing", |meter, _| {
                let span = carried::tracing();
                meter.iter(|| span.in_scope(|| black_box(())));
            }),
            peer("opentelemetry", |meter, _| {
                let context = carried::opentelemetry(2);
                meter.iter(|| {
                    let _guard = context.clone().attach();
                    black_box(());
                });
            }),
            peer("fastrace", |meter, _| {
                let span = carried::fastrace();
                meter.iter(|| {
                    let _guard: LocalParentGuard = span.set_local_parent();
                    black_box(());
                });
            }),
        ],
    )
}
