//! `kamon::tracing::layer`: a tracing span's Context is current where it is entered, and there only.
#![cfg(feature = "tracing")]

mod subscribed;
mod witness;

use std::future::Future;
use std::pin::Pin;

use kamon::{current_context, with_context, with_context_key, Key};
use subscribed::{span, subscribe};
use tracing::{info_span, Instrument as _};
use witness::{current, on_each, pause, request, workers, Log, Tally};

#[test]
fn its_context_is_current_while_it_is_entered() {
    let span = span(1);
    with_context(request(2), || {
        let guard = span.enter();
        assert_eq!(current(), 1);
        with_context(request(3), || assert_eq!(current(), 3));
        assert_eq!(current(), 1);
        drop(guard);
        assert_eq!(current(), 2);
        assert_eq!(span.in_scope(current), 1);
        assert_eq!(current(), 2);
    });
    assert_eq!(
        std::thread::spawn(move || span.in_scope(current))
            .join()
            .unwrap(),
        1
    );
    assert_eq!(current(), 0);
}

#[test]
fn in_each_poll_of_an_instrumented_future() {
    on_each(|runtime| {
        let inner = async {
            for _ in 0..3 {
                assert_eq!(current(), 1);
                pause().await;
            }
            // A child is of the span's request too.
            kamon::spawn(async { current() }).await.unwrap()
        };
        let instrumented = inner.instrument(span(1));
        let task = kamon::spawn_in(request(2), async {
            let seen = instrumented.await;
            (seen, current())
        });
        assert_eq!(runtime.block_on(task).unwrap(), (1, 2));
    });
}

#[test]
fn on_tokios_own_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let seen = runtime.block_on(async {
        let inner = async {
            tokio::task::yield_now().await;
            current()
        };
        let seen = tokio::spawn(inner.instrument(span(1))).await.unwrap();
        (seen, tokio::spawn(async { current() }).await.unwrap())
    });
    assert_eq!(seen, (1, 0));
}

#[test]
fn what_a_future_leaves_is_dropped_in_it() {
    let log = Log::new();
    let owned = log.on_drop("future");
    let never = async move {
        let _owned = owned;
        std::future::pending::<()>().await;
    };
    with_context(request(2), || drop(never.instrument(span(1))));
    assert_eq!(log.requests("future"), [1]);
}

#[test]
fn what_was_added_since_it_was_made_stays() {
    static USER: Key<u32> = Key::local("user", || 0);
    static TX: Key<Option<u32>> = Key::local("transaction", || None).not_inherited();
    let see = || {
        (
            current(),
            *current_context().get(&USER),
            *current_context().get(&TX),
        )
    };
    subscribe();
    let span = with_context(request(1).with_key(&TX, Some(7)), || {
        let span = info_span!("request");
        assert_eq!(
            span.in_scope(see),
            (1, 0, Some(7)),
            "in its own task it loses nothing"
        );
        with_context_key(&USER, 5, || {
            assert_eq!(span.in_scope(see), (1, 5, Some(7)));
        });
        with_context_key(&TX, Some(8), || assert_eq!(span.in_scope(see).2, Some(8)));
        span
    });
    // And elsewhere it brings no transaction along.
    assert_eq!(span.in_scope(see), (1, 0, None));
    with_context(request(2).with_key(&USER, 6), || {
        assert_eq!(span.in_scope(see), (1, 0, None));
        assert_eq!(see(), (2, 6, None));
    });
}

#[test]
fn a_span_of_nobodys_changes_nothing() {
    subscribe();
    let server = info_span!("server");
    let work = kamon::build_span("work").start();
    with_context(request(1), || {
        kamon::with_span(&work, || {
            let before = current_context();
            assert_eq!(server.in_scope(current_context), before);
        });
    });
    work.finish();
}

#[test]
fn its_kamon_span_is_current_too() {
    static USER: Key<u32> = Key::local("user of a span", || 0);
    subscribe();
    let outer = kamon::build_span("outer").start();
    let inner = kamon::build_span("inner").start();
    let span = with_context(request(1), || {
        kamon::with_span(&outer, || info_span!("request"))
    });
    let see = || {
        (
            current(),
            kamon::current_span(),
            *current_context().get(&USER),
        )
    };
    assert_eq!(span.in_scope(see), (1, outer.clone(), 0));
    // In its own request that is all that changes.
    let context = with_context(request(1), || span.in_scope(current_context));
    with_context(context.with_key(&USER, 5), || {
        kamon::with_span(&inner, || {
            assert_eq!(span.in_scope(see), (1, outer.clone(), 5));
            assert_eq!(see(), (1, inner.clone(), 5));
        });
    });
    [outer, inner].iter().for_each(kamon::Span::finish);
}

#[test]
fn one_that_is_made_in_a_span_by_name_is_of_its_request() {
    let parent = span(1);
    let (child, other) = with_context(request(2), || {
        let child = info_span!(parent: &parent, "child");
        (child, info_span!(parent: None, "other"))
    });
    assert_eq!(child.in_scope(current), 1);
    assert_eq!(other.in_scope(current), 2);
}

#[test]
fn a_span_keeps_its_context_until_it_is_closed() {
    subscribe();
    let values = Tally::new();
    let span = with_context(values.request(1), || info_span!("request"));
    let child = span.in_scope(|| info_span!("child"));
    assert_eq!(values.alive(), 1);
    assert_eq!(child.in_scope(current), 1);
    drop((span, child));
    assert_eq!(values.alive(), 0);
}

#[test]
fn values_may_use_tracing_when_they_are_dropped() {
    static HELD: Key<Option<witness::OnDrop>> = Key::local("held by a span", || None);
    subscribe();
    let log = Log::new();
    let again = log.clone();
    let value = log.on_drop("value").then(move || {
        info_span!("in a destructor").in_scope(|| again.note("inside"));
    });
    let context = request(1).with_key(&HELD, Some(value));
    let span = with_context(context, || info_span!("request"));
    // The Scope has the value's last Context but the span's.
    span.in_scope(|| assert_eq!(current(), 1));
    with_context(request(2), || drop(span));
    assert_eq!(log.order(), ["value", "inside"]);
    assert_eq!(log.requests("inside"), [2]);
}

/// A task in the spans of its request and of strangers, which checks at each step whose it is. Returns
/// how many tasks it had below it.
fn walk(number: u32, depth: u32) -> Pin<Box<dyn Future<Output = usize> + Send>> {
    Box::pin(async move {
        let mut tasks = 0;
        for step in 0..3 {
            assert_eq!(current(), number);
            let inner = info_span!("step", step);
            let deeper = async move {
                pause().await;
                assert_eq!(current(), number);
                match depth {
                    0 => 1,
                    _ => walk(number, depth - 1).await,
                }
            };
            let visit = async {
                pause().await;
                assert_eq!(current(), number + 1000);
            };
            visit.instrument(span(number + 1000)).await;
            tasks += match step {
                0 => kamon::spawn(deeper.instrument(inner)).await.unwrap(),
                1 => kamon::spawn_root(deeper.instrument(inner)).await.unwrap(),
                _ => deeper.instrument(inner).await,
            };
            assert_eq!(current(), number);
        }
        tasks
    })
}

#[test]
fn storm() {
    let runtime = workers(4);
    runtime.block_on(async {
        let spawn = |number| {
            let walk = walk(number, 3).instrument(span(number));
            kamon::spawn_in(request(900), walk)
        };
        for task in (1..=40).map(spawn).collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap(), 81);
        }
    });
}
