//! Each span knows how long its tasks ran, waited for a worker and waited to be woken.
#![cfg(feature = "test-util")]

use std::cell::RefCell;
use std::time::Duration;

use kamon::runtime::{Builder, Runtime};
use kamon::trace::{FrozenClock, SpanRecord, Work};
use kamon::{ContextFutureExt as _, Span, TraceId};
use tokio::sync::oneshot;

thread_local! {
    /// Tasks of a current-thread runtime run on the test's own thread, and find its clock here.
    static CLOCK: RefCell<Option<FrozenClock>> = const { RefCell::new(None) };
}

/// Runs a test at standing time, with the root of a trace.
fn frozen(root: &'static str, test: impl FnOnce(Runtime, Span, TraceId)) {
    let clock = FrozenClock::new();
    CLOCK.with_borrow_mut(|current| *current = Some(clock));
    let root = self::root(root);
    let trace = root.trace_id();
    test(runtime(true), root, trace);
    CLOCK.take();
}

fn pass(millis: u64) {
    CLOCK.with_borrow(|clock| {
        let clock = clock.as_ref().expect("time stands still");
        clock.advance(Duration::from_millis(millis));
    });
}

fn runtime(attribute: bool) -> Runtime {
    Builder::new_current_thread()
        .attribute_latency(attribute)
        .build()
        .unwrap()
}

fn root(name: &'static str) -> Span {
    kamon::build_span(name).ignore_parent_from_context().start()
}

/// The span of a trace with this name, once it is reported.
fn reported(trace: TraceId, name: &str) -> SpanRecord {
    kamon::flush();
    let spans = kamon::recent_spans();
    let found = spans
        .into_iter()
        .find(|span| span.trace_id == trace && span.operation == name);
    found.unwrap_or_else(|| panic!("{name} was not reported"))
}

/// Polls, and milliseconds on the processor, in the queue, and waiting.
fn work(span: &SpanRecord) -> (u32, u128, u128, u128) {
    let Work {
        polls,
        cpu,
        queued,
        awaiting,
        ..
    } = span.work;
    // The clock's ticks are finer than this.
    let millis = |time: Duration| (time + Duration::from_micros(10)).as_millis();
    (polls, millis(cpu), millis(queued), millis(awaiting))
}

#[test]
fn a_task_runs_and_is_queued_and_waits() {
    frozen("request", |runtime, request, trace| {
        runtime.block_on(async {
            let (sender, receiver) = oneshot::channel::<()>();
            let task = kamon::spawn(
                async {
                    pass(10);
                    receiver.await.unwrap();
                    pass(3);
                }
                .in_span(request),
            );
            // Spawned and not yet polled.
            pass(2);
            kamon::task::yield_now().await;
            // Polled, and waiting for us.
            pass(20);
            sender.send(()).unwrap();
            // Woken and not yet polled.
            pass(5);
            task.await.unwrap();
        });
        assert_eq!(work(&reported(trace, "request")), (2, 13, 7, 20));
    });
}

#[test]
fn the_time_of_a_nested_span_is_its_own() {
    frozen("request", |runtime, request, trace| {
        runtime.block_on(async {
            let (sender, receiver) = oneshot::channel::<()>();
            let task = kamon::spawn(
                async {
                    pass(1);
                    let query = kamon::build_span("query").start();
                    let asked = async {
                        pass(2);
                        receiver.await.unwrap();
                        pass(4);
                    };
                    asked.in_span(query).await;
                    pass(8);
                    kamon::with_span_finishing(kamon::build_span("render").start(), || pass(16));
                    pass(32);
                }
                .in_span(request),
            );
            kamon::task::yield_now().await;
            pass(64);
            sender.send(()).unwrap();
            pass(128);
            task.await.unwrap();
        });
        // Both were polled twice; it is the inner one that waited.
        assert_eq!(work(&reported(trace, "request")), (2, 41, 0, 0));
        assert_eq!(work(&reported(trace, "query")), (2, 6, 128, 64));
        assert_eq!(work(&reported(trace, "render")), (0, 16, 0, 0));
    });
}

#[test]
fn what_was_done_before_the_finish_is_in_the_record() {
    frozen("request", |runtime, request, trace| {
        let handle = kamon::with_span(&request, || {
            runtime.spawn(async {
                pass(4);
                kamon::current_span().finish();
                pass(8);
            })
        });
        runtime.block_on(handle).unwrap();
        assert_eq!(work(&reported(trace, "request")), (1, 4, 0, 0));
    });
}

#[test]
fn a_child_task_works_for_the_span_that_it_inherits() {
    frozen("request", |runtime, request, trace| {
        runtime.block_on(async {
            let handle = kamon::with_span(&request, || {
                kamon::spawn(async {
                    let own = async { pass(100) }.in_span(kamon::build_span("own").start());
                    let (child, own) = (kamon::spawn(async { pass(3) }), kamon::spawn(own));
                    pass(4);
                    child.await.unwrap();
                    own.await.unwrap();
                })
            });
            handle.await.unwrap();
        });
        request.finish();
        let request = reported(trace, "request");
        // The parent's 4 and the child's 3; the child waited for the parent's 4 to be over. When
        // the parent is woken by the child, the other child runs first.
        assert_eq!(work(&request).1, 7);
        assert_eq!(work(&reported(trace, "own")).1, 100);
    });
}

#[test]
fn blocking_closures_count_too() {
    frozen("request", |runtime, request, trace| {
        runtime.block_on(async {
            let closure = kamon::with_span(&request, || kamon::spawn_blocking(|| ()));
            closure.await.unwrap();
        });
        request.finish();
        assert_eq!(reported(trace, "request").work.polls, 1);
    });
}

#[test]
fn the_future_of_a_block_on_counts_too() {
    frozen("blocked on", |runtime, request, trace| {
        let blocked_on = async {
            let (sender, receiver) = oneshot::channel::<()>();
            kamon::spawn_root(async {
                pass(7);
                sender.send(()).unwrap();
                pass(2);
            });
            receiver.await.unwrap();
            pass(4);
        };
        runtime.block_on(blocked_on.in_span(request));
        assert_eq!(work(&reported(trace, "blocked on")), (2, 4, 2, 7));
    });
}

#[test]
fn local_tasks_count_too() {
    frozen("local", |runtime, request, trace| {
        runtime.block_on(async {
            let (sender, receiver) = oneshot::channel::<()>();
            let local = async {
                receiver.await.unwrap();
                pass(4);
            };
            let task = kamon::spawn_local(local.in_span(request));
            pass(2);
            kamon::task::yield_now().await;
            pass(20);
            sender.send(()).unwrap();
            pass(5);
            task.await.unwrap();
        });
        assert_eq!(work(&reported(trace, "local")), (2, 4, 7, 20));
    });
}

#[test]
fn a_long_poll_is_marked_once_and_counted() {
    frozen("long poll", |_, request, trace| {
        let runtime = Builder::new_current_thread()
            .long_poll_threshold(Duration::from_millis(5))
            .build()
            .unwrap();
        let mut polls = kamon::metrics::subscribe("executor.long-polls", Duration::from_secs(3600));
        let handle = kamon::with_span(&request, || {
            runtime.spawn(async {
                pass(5); // As long as it may be.
                kamon::task::yield_now().await;
                pass(6);
                async { pass(6) }
                    .in_span(kamon::build_span("later").start())
                    .await;
            })
        });
        runtime.block_on(handle).unwrap();
        request.finish();
        let marks = |span: &SpanRecord| {
            let marks = span.marks.iter();
            marks.map(|mark| mark.key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(marks(&reported(trace, "long poll")), ["long-poll"]);
        assert_eq!(marks(&reported(trace, "later")), [""; 0]);

        let period = polls.snapshot();
        let counted: Vec<String> = period
            .instruments()
            .iter()
            .map(|counter| format!("{:?} {:?}", counter.tags(), counter.value()))
            .filter(|counter| counter.contains("long poll"))
            .collect();
        assert_eq!(counted.len(), 1, "{counted:?}");
        assert!(counted[0].contains("latency_attribution.rs"), "{counted:?}");
    });
}

#[test]
fn who_does_not_ask_pays_nothing() {
    let request = root("request");
    let trace = request.trace_id();
    runtime(false)
        .block_on(async { kamon::spawn(kamon::task::yield_now().in_span(request)).await })
        .unwrap();
    assert_eq!(reported(trace, "request").work, Work::default());
}
