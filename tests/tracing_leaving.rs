//! However a tracing span is left, what is current is what was before it, or what was opened since.
#![cfg(feature = "tracing")]

mod subscribed;
mod witness;

use std::panic::{catch_unwind, AssertUnwindSafe};

use kamon::task::LocalSet;
use kamon::{store_context, with_context};
use subscribed::{span, subscribe};
use tracing::dispatcher::{get_default, with_default, Dispatch};
use tracing::info_span;
use tracing::span::Id;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use witness::{current, on_each, pause, quiet_panic, request, workers};

#[test]
fn leaving_in_any_order_never_brings_back_what_was_left() {
    let spans = [span(1), span(2), span(3)];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        with_context(request(9), || {
            let mut guards = spans.each_ref().map(|span| Some(span.enter()));
            let mut open = vec![1, 2, 3];
            for at in order {
                guards[at] = None;
                open.retain(|number| *number != at as u32 + 1);
                assert_eq!(current(), *open.last().unwrap_or(&9), "{order:?}");
            }
        });
    }
    assert_eq!(current(), 0);
}

#[test]
fn it_may_be_entered_again_and_again() {
    let (one, two) = (span(1), span(2));
    with_context(request(9), || {
        let outer = one.enter();
        let middle = two.enter();
        let inner = one.enter();
        assert_eq!(current(), 1);
        drop(inner);
        assert_eq!(current(), 2);
        drop(middle);
        assert_eq!(current(), 1);
        drop(outer);
        assert_eq!(current(), 9);
    });
}

#[test]
fn entered_within_itself_it_is_left_when_the_outermost_is() {
    let span = span(1);
    let nested = || {
        span.in_scope(|| {
            assert_eq!(current(), 1);
            span.in_scope(|| span.in_scope(|| assert_eq!(current(), 1)));
            assert_eq!(current(), 1, "still in it");
        });
    };
    nested();
    assert_eq!(current(), 0);
    with_context(request(9), || {
        nested();
        assert_eq!(current(), 9);
    });
    // Entered without a change, it has nothing of what was opened since.
    with_context(request(9), || {
        let outer = span.enter();
        let inner = span.enter();
        let scope = store_context(request(2));
        drop(inner);
        assert_eq!(current(), 2);
        drop(scope);
        assert_eq!(current(), 1);
        drop(outer);
        assert_eq!(current(), 9);
    });
}

/// `fut.in_current_span()` within an instrumented future.
#[test]
fn a_future_in_the_current_span_within_one_leaves_the_outer_ones() {
    let instrumented = |span: tracing::Span| {
        async {
            let before = current();
            async { pause().await }.in_current_span().await;
            (before, current())
        }
        .instrument(span)
    };
    on_each(|runtime| {
        let task = kamon::spawn_in(request(2), instrumented(span(1)));
        assert_eq!(runtime.block_on(task).unwrap(), (1, 1));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let yields = async {
        let before = current();
        tokio::task::yield_now().in_current_span().await;
        (before, current())
    };
    let seen = runtime.unwrap().block_on(yields.instrument(span(1)));
    assert_eq!(seen, (1, 1));
    assert_eq!(current(), 0);
}

#[test]
fn leaving_from_within_counts_outside() {
    let span = span(1);
    with_context(request(9), || {
        let guard = span.enter();
        with_context(request(2), || {
            drop(guard);
            assert_eq!(current(), 2);
        });
        assert_eq!(current(), 9);
        let scope = store_context(request(3));
        let guard = span.enter();
        drop(scope);
        assert_eq!(current(), 1);
        drop(guard);
        assert_eq!(current(), 9);
    });
}

#[test]
fn leaving_on_another_thread_changes_nothing_there() {
    let span = span(1);
    let id = span.id().unwrap();
    with_context(request(9), || {
        with_context(request(8), || {
            enter(&id);
            assert_eq!(current(), 1);
        });
        assert_eq!(current(), 9, "it ended with what it was entered in");
        std::thread::scope(|threads| {
            let other = || {
                let _scope = store_context(request(2));
                exit(&id);
                current()
            };
            assert_eq!(threads.spawn(other).join().unwrap(), 2);
        });
        exit(&id);
        assert_eq!(current(), 9);
        assert_eq!(span.in_scope(current), 1);
        assert_eq!(current(), 9);
    });
}

fn enter(id: &Id) {
    get_default(|dispatch| dispatch.enter(id));
}

fn exit(id: &Id) {
    get_default(|dispatch| dispatch.exit(id));
}

#[test]
fn a_guard_that_is_forgotten_ends_with_its_surroundings() {
    let span = span(1);
    with_context(request(9), || {
        for _ in 0..100 {
            with_context(request(2), || {
                std::mem::forget(span.enter());
                assert_eq!(current(), 1);
            });
            assert_eq!(current(), 9);
        }
        assert_eq!(span.in_scope(current), 1);
        assert_eq!(current(), 9);
    });
}

#[test]
fn a_panic_leaves_it() {
    let span = span(1);
    with_context(request(9), || {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            span.in_scope(|| quiet_panic("planned"))
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"planned"));
        assert_eq!(current(), 9);
    });
}

/// What `tracing` warns of, and what compiles all the same: a guard that is held across an await.
#[test]
fn a_guard_across_an_await_shows_no_other_task_its_context() {
    subscribe();
    on_each(|runtime| {
        let wrong = |number: u32| async move {
            // What this thread's stack has on top may be a span whose guard was dropped on another
            // thread, and which is closed: tracing's registry refuses to make a child of that.
            let root = || info_span!(parent: None, "request", number);
            let span = with_context(request(number), root);
            let before = {
                let _guard = span.enter();
                let before = current();
                for _ in 0..5 {
                    pause().await;
                }
                before
            };
            (before, current())
        };
        let right = |number: u32| async move {
            for _ in 0..10 {
                assert_eq!(current(), number);
                pause().await;
            }
        };
        runtime.block_on(async {
            let mut tasks = Vec::new();
            for number in 1..=20 {
                tasks.push((
                    number,
                    kamon::spawn_in(request(100 + number), wrong(number)),
                ));
                let others = kamon::spawn_in(request(200 + number), right(200 + number));
                tasks.push((
                    0,
                    kamon::spawn(async { others.await.map(|()| (0, 0)).unwrap() }),
                ));
            }
            for (number, task) in tasks {
                let expected = (number, if number == 0 { 0 } else { 100 + number });
                assert_eq!(task.await.unwrap(), expected);
            }
        });
    });
}

#[test]
fn tasks_of_one_thread_do_not_leave_each_others() {
    let shared = span(1);
    let local = LocalSet::new();
    let runtime = workers(0);
    local.block_on(&runtime, async {
        let (first_in, mut first) = tokio::sync::mpsc::channel::<()>(1);
        let (second_in, mut second) = tokio::sync::mpsc::channel::<()>(1);
        let one = with_context(request(11), || {
            let shared = shared.clone();
            local.spawn_local(async move {
                let guard = shared.enter();
                first_in.send(()).await.unwrap();
                second.recv().await.unwrap();
                // The other one is in the same span, and was so last.
                drop(guard);
                assert_eq!(current(), 11);
                first_in.send(()).await.unwrap();
                assert_eq!(current(), 11);
            })
        });
        let other = with_context(request(12), || {
            let shared = shared.clone();
            local.spawn_local(async move {
                first.recv().await.unwrap();
                let guard = shared.enter();
                second_in.send(()).await.unwrap();
                first.recv().await.unwrap();
                assert_eq!(current(), 1, "still in it");
                drop(guard);
                assert_eq!(current(), 12);
            })
        });
        one.await.unwrap();
        other.await.unwrap();
    });
}

#[test]
fn two_registries_that_count_alike_are_told_apart() {
    let make = || {
        let subscriber = tracing_subscriber::registry().with(kamon::tracing::layer());
        Dispatch::new(subscriber)
    };
    let (first, second) = (make(), make());
    let make = |dispatch, number| {
        with_default(dispatch, || {
            with_context(request(number), || info_span!("span"))
        })
    };
    let spans = (make(&first, 1), make(&second, 2));
    assert_eq!(spans.0.id().unwrap(), spans.1.id().unwrap());
    with_context(request(9), || {
        let one = spans.0.enter();
        let two = spans.1.enter();
        assert_eq!(current(), 2);
        drop(one);
        assert_eq!(current(), 2);
        drop(two);
        assert_eq!(current(), 9);
    });
}
