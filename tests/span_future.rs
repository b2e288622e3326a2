//! `in_span`: a future is the work of a span, which ends with it, however it ends.

mod locks;

mod traced;

use std::future::{pending, Future};
use std::panic::AssertUnwindSafe;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_lite::future::{poll_once, yield_now, FutureExt as _};
use kamon::runtime::{Builder, Runtime};
use kamon::trace::Outcome;
use kamon::{ContextFutureExt as _, Key, Span};

use crate::traced::{assert_trace, record_of, trace_of};
use locks::Mutex;

fn start(name: &'static str) -> Span {
    kamon::build_span(name).start()
}

/// A test runs on each of these.
fn runtimes() -> [Runtime; 2] {
    let many = Builder::new_multi_thread().worker_threads(2).build();
    let one = Builder::new_current_thread().build();
    [many.expect("a runtime"), one.expect("a runtime")]
}

/// For each that was dropped: whether the span was finished then, and whether it was current.
type Notes = Arc<Mutex<Vec<(bool, bool)>>>;

/// Notes whether the span was finished, and current, when this is dropped.
struct Witness {
    span: Span,
    notes: Notes,
}

impl Drop for Witness {
    fn drop(&mut self) {
        let note = (self.span.is_finished(), kamon::current_span() == self.span);
        self.notes.lock().unwrap().push(note);
    }
}

fn witness(span: &Span) -> (Witness, Notes) {
    let notes = Notes::default();
    let witness = Witness {
        span: span.clone(),
        notes: notes.clone(),
    };
    (witness, notes)
}

#[test]
fn the_span_is_current_in_each_poll_and_nowhere_else() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (outer, inner) = (start("outer"), start("inner"));
            let future = async {
                for _ in 0..3 {
                    assert_eq!(kamon::current_span(), inner);
                    yield_now().await;
                }
            };
            let mut future = pin!(future.in_span(inner.clone()));
            let rounds = async {
                while poll_once(future.as_mut()).await.is_none() {
                    assert_eq!(kamon::current_span(), outer);
                    assert!(!inner.is_finished());
                    yield_now().await;
                }
            };
            rounds.in_span(outer.clone()).await;
            assert!(kamon::current_span().is_empty());
            assert!(inner.is_finished() && outer.is_finished());
        });
    }
}

#[test]
fn the_span_ends_after_the_futures_fields_and_before_the_handle() {
    for runtime in runtimes() {
        let span = start("ends");
        let (held, notes) = witness(&span);
        let seen = span.clone();
        runtime.block_on(async {
            let future = async move {
                yield_now().await;
                drop(held);
            };
            kamon::spawn(future.in_span(span)).await.unwrap();
            assert!(seen.is_finished());
        });
        // Also what the future holds to its end, and not only what it drops itself.
        let span = start("holds");
        let (held, more) = witness(&span);
        let future = Holds(Some(held)).in_span(span.clone());
        runtime.block_on(async { kamon::spawn(future).await.unwrap() });
        assert!(span.is_finished());
        assert_eq!(*notes.lock().unwrap(), [(false, true)]);
        assert_eq!(*more.lock().unwrap(), [(false, true)]);
        assert_eq!(record_of(&span).outcome, Outcome::Finished);
    }
}

/// Is ready at once and drops what it holds when it is dropped.
struct Holds(#[allow(dead_code)] Option<Witness>);

impl Future for Holds {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn a_future_that_is_dropped_cancels_its_span() {
    type Way = fn(&Runtime, Span, Witness);
    let ways: &[(&str, Way)] = &[
        ("never polled", |_, span, held| {
            drop(Holds(Some(held)).in_span(span));
        }),
        ("polled once", |runtime, span, held| {
            runtime.block_on(async {
                let future = async move {
                    let _held = held;
                    pending::<()>().await;
                };
                assert!(poll_once(future.in_span(span).boxed()).await.is_none());
            });
        }),
        ("aborted", |runtime, span, held| {
            runtime.block_on(async {
                let future = async move {
                    let _held = held;
                    pending::<()>().await;
                };
                let task = kamon::spawn(future.in_span(span));
                yield_now().await;
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            });
        }),
    ];
    for runtime in runtimes() {
        for (way, act) in ways {
            let span = start("cancelled");
            let (held, notes) = witness(&span);
            act(&runtime, span.clone(), held);
            assert!(span.is_finished(), "{way}");
            assert_eq!(*notes.lock().unwrap(), [(false, true)], "{way}");
            let record = record_of(&span);
            assert_eq!(record.outcome, Outcome::Cancelled, "{way}");
            assert!(record.tag("cancelled").is_some() && !record.failed, "{way}");
        }
    }
}

#[test]
fn a_shutdown_cancels_the_spans_of_its_tasks() {
    for runtime in runtimes() {
        let span = start("shut down");
        let task = pending::<()>().in_span(span.clone());
        runtime.block_on(async {
            kamon::spawn(task);
            yield_now().await;
        });
        drop(runtime);
        assert_eq!(record_of(&span).outcome, Outcome::Cancelled);
    }
}

#[test]
fn a_panic_fails_the_span() {
    for runtime in runtimes() {
        let span = start("panics");
        let (held, notes) = witness(&span);
        runtime.block_on(async {
            let future = async move {
                let _held = held;
                yield_now().await;
                panic!("on purpose");
            };
            let task = kamon::spawn(future.in_span(span.clone()));
            assert!(task.await.unwrap_err().is_panic());
            assert!(span.is_finished() && span.is_failed());
        });
        assert_eq!(*notes.lock().unwrap(), [(false, true)]);
        let record = record_of(&span);
        assert_eq!((record.outcome, record.failed), (Outcome::Panicked, true));
    }
}

#[test]
fn a_panic_that_is_caught_around_the_future_fails_the_span_too() {
    let span = start("caught");
    let future = AssertUnwindSafe(async { panic!("on purpose") }.in_span(span.clone()));
    assert!(kamon::block_on(future.catch_unwind()).is_err());
    assert_eq!(record_of(&span).outcome, Outcome::Panicked);
}

#[test]
fn a_destructor_that_panics_leaves_no_span_open() {
    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    impl Future for Panics {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    for runtime in runtimes() {
        let span = start("ready");
        let task = || kamon::spawn(Panics.in_span(span.clone()));
        assert!(runtime.block_on(async { task().await }).is_err());
        assert_eq!(record_of(&span).outcome, Outcome::Panicked);
        for aborted in [false, true] {
            let span = start("destructor");
            runtime.block_on(async {
                let future = async move {
                    let _panics = Panics;
                    yield_now().await;
                    if aborted {
                        pending::<()>().await;
                    }
                };
                let task = kamon::spawn(future.in_span(span.clone()));
                if aborted {
                    task.abort();
                }
                let _ = task.await;
                assert!(span.is_finished(), "aborted: {aborted}");
            });
            assert_eq!(trace_of(&span).len(), 1);
        }
    }
}

#[test]
fn a_task_that_panics_fails_its_current_span() {
    for runtime in runtimes() {
        let span = start("request");
        runtime.block_on(async {
            let task = kamon::with_span(&span, || kamon::spawn(async { panic!("on purpose") }));
            assert!(task.await.unwrap_err().is_panic());
            assert!(span.is_failed(), "before the handle says so");
            assert!(!span.is_finished(), "it is not the task's alone");
            let blocking = start("blocking");
            let task =
                kamon::with_span(&blocking, || kamon::spawn_blocking(|| panic!("on purpose")));
            assert!(task.await.unwrap_err().is_panic());
            assert!(blocking.is_failed());
            blocking.finish();
        });
        span.finish();
        let record = record_of(&span);
        assert_eq!((record.outcome, record.failed), (Outcome::Panicked, true));
    }
}

#[test]
fn child_tasks_are_children() {
    for runtime in runtimes() {
        let request = start("GET /users");
        let work = async {
            let calls = ["profiles", "permissions", "projects"].map(|name| {
                let span = start(name);
                kamon::spawn(async { yield_now().await }.in_span(span))
            });
            for call in calls {
                call.await.unwrap();
            }
            let store = async {
                kamon::spawn_blocking(|| start("write").finish())
                    .await
                    .unwrap();
            };
            store.in_span(start("store-token")).await;
        };
        runtime.block_on(work.in_span(request.clone()));
        assert_trace(
            &request,
            "GET /users
             ├─ profiles
             ├─ permissions
             ├─ projects
             └─ store-token
                └─ write",
        );
    }
}

#[test]
fn branches_of_a_join_have_their_own_spans() {
    let request = start("request");
    let branch = |name| {
        async move {
            for _ in 0..3 {
                assert_eq!(kamon::current_span().operation_name(), name);
                start("step").finish();
                yield_now().await;
            }
        }
        .in_span(kamon::build_span(name).as_child_of(&request).start())
    };
    let both = futures_lite::future::zip(branch("left"), branch("right"));
    kamon::block_on(both.in_span(request.clone()));
    assert_trace(
        &request,
        "request
         ├─ left
         │  ├─ step
         │  ├─ step
         │  └─ step
         └─ right
            ├─ step
            ├─ step
            └─ step",
    );
}

#[test]
fn a_branch_that_is_ready_first_ends_its_span_first() {
    let (quick, slow) = (start("quick"), start("slow"));
    let both = futures_lite::future::zip(
        async {}.in_span(quick.clone()),
        async {
            yield_now().await;
            assert!(quick.is_finished());
        }
        .in_span(slow.clone()),
    );
    kamon::block_on(both);
    assert!(slow.is_finished());
}

#[test]
fn the_rest_of_the_context_is_that_of_the_poll() {
    static USER: Key<u32> = Key::local("span future user", || 0);
    static OPEN: Key<u32> = Key::local("span future transaction", || 0).not_inherited();

    let see = || async {
        let context = kamon::current_context();
        (*context.get(&USER), *context.get(&OPEN))
    };
    kamon::block_on(async {
        let context = kamon::current_context()
            .with_key(&USER, 7)
            .with_key(&OPEN, 8);
        let awaited = see().in_span(start("awaited"));
        let seen = async {
            // Awaited here it is part of this task, spawned it is another's.
            let spawned = kamon::spawn(see().in_span(start("spawned")));
            (awaited.await, spawned.await.unwrap())
        };
        assert_eq!(seen.in_context(context).await, ((7, 8), (7, 0)));
    });
}

#[test]
fn a_span_finished_inside_is_not_finished_twice() {
    let before = kamon::trace::stats().finished_twice;
    let span = start("early");
    kamon::block_on(async { kamon::current_span().finish() }.in_span(span.clone()));
    drop(pending::<()>().in_span(span));
    assert_eq!(kamon::trace::stats().finished_twice, before);
}

#[test]
fn the_empty_span_goes_around_futures_too() {
    let parent = start("parent");
    let child = async { start("child") }.in_span(Span::empty());
    let child = kamon::block_on(child.in_span(parent));
    assert_eq!(child.parent_id(), None);
    child.finish();
}

#[test]
#[should_panic = "`InSpan` polled after completion"]
fn a_future_that_is_ready_is_not_polled_again() {
    let mut future = Box::pin(async {}.in_span(start("once")));
    kamon::block_on(future.as_mut());
    kamon::block_on(future.as_mut());
}
