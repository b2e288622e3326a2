//! Rule 1 of the Context for what a task leaves when its future is gone: an output or a panic
//! payload that nobody claims, and what closures and callbacks own.

mod witness;

use std::sync::mpsc;

use kamon::runtime::Runtime;
use kamon::task::{JoinHandle, JoinSet};
use kamon::time::{call_later, Duration};
use kamon::{store_context, with_context};
use witness::{after, current, on_each, pause, quiet_panic, request, workers, Log, OnDrop};

const TASK: u32 = 1;
const OTHER: u32 = 2;

/// A task whose output notes its drop.
fn with_output(runtime: &Runtime, log: &Log) -> JoinHandle<OnDrop> {
    let _guard = runtime.enter();
    let output = log.on_drop("output");
    kamon::spawn_in(request(TASK), async move {
        pause().await;
        output
    })
}

/// A task whose panic payload notes its drop.
fn with_payload(runtime: &Runtime, log: &Log) -> JoinHandle<()> {
    let _guard = runtime.enter();
    let payload = log.on_drop("payload");
    kamon::spawn_in(request(TASK), async move {
        pause().await;
        quiet_panic(payload)
    })
}

/// Runs `block_on` as somebody else.
fn elsewhere<F: std::future::Future>(runtime: &Runtime, future: F) -> F::Output {
    with_context(request(OTHER), || runtime.block_on(future))
}

/// Waits until a task has finished without taking its result.
async fn finished<T>(task: &JoinHandle<T>) {
    while !task.is_finished() {
        kamon::task::yield_now().await;
    }
}

#[test]
fn rule_1_an_output_that_was_never_wanted() {
    on_each(|runtime| {
        let log = Log::new();
        let task = with_output(runtime, &log);
        let id = task.id();
        drop(task);
        elsewhere(runtime, log.seen("output", 1));
        let dropped = log.once("output");
        assert_eq!((dropped.request, dropped.task), (TASK, Some(id)));
    });
}

#[test]
fn rule_1_an_output_that_is_not_wanted_any_more() {
    on_each(|runtime| {
        let log = Log::new();
        let task = with_output(runtime, &log);
        elsewhere(runtime, async {
            finished(&task).await;
            assert_eq!(log.count("output"), 0);
            drop(task);
            assert_eq!(log.once("output").request, TASK, "here, but not as us");
            assert_eq!(current(), OTHER);
        });
    });
}

#[test]
fn rule_1_an_output_that_waits_in_a_set() {
    on_each(|runtime| {
        let log = Log::new();
        elsewhere(runtime, async {
            let mut set = JoinSet::new();
            let done = log.clone();
            let output = log.on_drop("output");
            with_context(request(TASK), || {
                set.spawn(async move {
                    done.note("done");
                    output
                });
            });
            log.seen("done", 1).await;
            drop(set);
            log.seen("output", 1).await;
        });
        assert_eq!(log.once("output").request, TASK);
    });
}

#[test]
fn rule_1_an_output_on_a_runtime_that_ends() {
    for number in [0, 1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let task = with_output(&runtime, &log);
        elsewhere(&runtime, finished(&task));
        runtime.shut_down();
        assert_eq!(log.count("output"), 0, "still there for whoever asks");
        with_context(request(OTHER), || drop(task));
        assert_eq!(log.once("output").request, TASK);
    }
}

#[test]
fn rule_1_an_output_that_is_claimed_belongs_to_who_claimed_it() {
    on_each(|runtime| {
        let log = Log::new();
        let task = with_output(runtime, &log);
        elsewhere(runtime, async { drop(task.await.unwrap()) });
        assert_eq!(log.once("output").request, OTHER);
    });
}

#[test]
fn rule_1_a_panic_payload() {
    on_each(|runtime| {
        let log = Log::new();
        let task = with_payload(runtime, &log);
        let id = task.id();
        drop(task);
        elsewhere(runtime, log.seen("payload", 1));
        let dropped = log.once("payload");
        assert_eq!(
            (dropped.request, dropped.task),
            (TASK, Some(id)),
            "never wanted"
        );

        let log = Log::new();
        let task = with_payload(runtime, &log);
        elsewhere(runtime, async {
            finished(&task).await;
            assert_eq!(log.count("payload"), 0);
            drop(task);
        });
        assert_eq!(log.once("payload").request, TASK, "not wanted any more");

        let log = Log::new();
        let task = with_payload(runtime, &log);
        elsewhere(runtime, async { drop(task.await.unwrap_err()) });
        assert_eq!(log.once("payload").request, OTHER, "claimed");
    });
}

#[test]
fn rule_1_the_output_when_the_futures_drop_panics() {
    on_each(|runtime| {
        let log = Log::new();
        let output = log.on_drop("output");
        let rest = log.on_drop("future").then(|| quiet_panic("planned"));
        let task = {
            let _guard = runtime.enter();
            kamon::spawn_in(
                request(TASK),
                Leaves {
                    output: Some(output),
                    _rest: rest,
                },
            )
        };
        assert!(elsewhere(runtime, task).unwrap_err().is_panic());
        assert_eq!(log.once("future").request, TASK);
        assert_eq!(log.once("output").request, TASK);
    });
}

/// A future that still owns something when it is ready.
struct Leaves {
    output: Option<OnDrop>,
    _rest: OnDrop,
}

impl std::future::Future for Leaves {
    type Output = OnDrop;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<OnDrop> {
        std::task::Poll::Ready(self.output.take().expect("polled once"))
    }
}

#[test]
fn rule_1_a_blocking_closure() {
    on_each(|runtime| {
        let log = Log::new();
        let owned = log.on_drop("closure");
        let task = {
            let _scope = store_context(request(TASK));
            runtime.spawn_blocking(move || drop(owned))
        };
        elsewhere(runtime, task).unwrap();
        assert_eq!(log.once("closure").request, TASK, "run");

        let log = Log::new();
        let (output, told) = (log.on_drop("output"), log.clone());
        let task = {
            let _scope = store_context(request(TASK));
            runtime.spawn_blocking(move || {
                told.note("run");
                output
            })
        };
        drop(task);
        log.wait("output", 1);
        assert_eq!(log.once("output").request, TASK, "unclaimed");
    });
}

#[test]
fn rule_1_a_blocking_closure_that_never_runs() {
    let log = Log::new();
    let runtime = kamon::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    // Keeps the only thread until the returned end is dropped.
    let block = || {
        let (release, released) = mpsc::channel::<()>();
        drop(runtime.spawn_blocking(move || released.recv().is_err()));
        release
    };
    let closure = |name| {
        let owned = log.on_drop(name);
        let told = log.clone();
        let run = move || {
            told.note("run");
            drop(owned)
        };
        with_context(request(TASK), || runtime.spawn_blocking(run))
    };

    let release = block();
    let aborted = closure("aborted");
    aborted.abort();
    drop(release);
    assert!(elsewhere(&runtime, aborted).unwrap_err().is_cancelled());
    assert_eq!(log.once("aborted").request, TASK);

    let release = block();
    let queued = closure("queued");
    let closing = std::thread::spawn(move || with_context(request(OTHER), || drop(runtime)));
    log.wait("queued", 1);
    assert_eq!(log.once("queued").request, TASK);
    assert!(futures_lite::future::block_on(queued)
        .unwrap_err()
        .is_cancelled());
    drop(release);
    closing.join().unwrap();
    assert_eq!(log.count("run"), 0);
}

#[test]
fn rule_1_a_timer_callback() {
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let arm = |name, delay| {
            let owned = log.on_drop(name);
            with_context(request(TASK), || call_later(delay, move || drop(owned)))
        };
        drop(arm("run", Duration::from_millis(1)));
        elsewhere(runtime, log.seen("run", 1));
        assert_eq!(log.once("run").request, TASK);

        let cancelled = arm("cancelled", Duration::from_secs(3600));
        with_context(request(OTHER), || assert!(cancelled.cancel()));
        assert_eq!(log.once("cancelled").request, TASK);
    });

    for number in [0, 1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let timer = {
            let _guard = runtime.enter();
            let owned = log.on_drop("pending");
            let _scope = store_context(request(TASK));
            call_later(Duration::from_secs(3600), move || drop(owned))
        };
        with_context(request(OTHER), || runtime.shut_down());
        assert_eq!(log.once("pending").request, TASK);
        assert!(timer.is_finished() && !timer.cancel());
    }
}

#[test]
fn rule_1_a_future_inside_of_another() {
    on_each(|runtime| {
        let log = Log::new();
        elsewhere(runtime, async {
            use kamon::ContextFutureExt as _;
            let inner = after(log.on_drop("inner"), std::future::pending::<()>());
            let outer = inner.in_context(request(3));
            let task = kamon::spawn_in(request(TASK), after(log.on_drop("outer"), outer));
            pause().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(log.once("outer").request, TASK);
        assert_eq!(log.once("inner").request, 3);
    });
}
