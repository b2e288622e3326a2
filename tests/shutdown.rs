//! When a runtime ends, every future is dropped, in its Context, wherever and whenever that is.

mod witness;

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{mpsc, Arc};
use std::task::{Context as TaskContext, Poll};

use kamon::runtime::{Builder, Handle, Runtime};
use kamon::task::JoinHandle;
use kamon::time::{sleep, Duration};
use kamon::with_context;
use witness::locks::Mutex;
use witness::{after, request, workers, Log, Steps, Tally, Watched};

/// Runs a test on each kind of runtime.
fn on_each(test: impl Fn(Watched)) {
    for number in [0, 1, 2, 4] {
        test(workers(number));
    }
}

/// Waits on this thread, which enters no runtime.
fn wait_for<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}

#[test]
fn with_100_000_tasks_pending() {
    on_each(|runtime| {
        let (tally, futures) = (Tally::new(), Tally::new());
        let (count, all) = (100_000, Log::new());
        for number in 0..count {
            let context = tally.request(number);
            let future = Pending {
                polled: (number + 1 == count).then(|| all.clone()),
                _alive: futures.value(),
            };
            drop(with_context(context, || runtime.spawn(future)));
        }
        runtime.block_on(all.seen("polled", 1));
        assert_eq!((tally.alive(), futures.alive()), (100_000, 100_000));
        runtime.shut_down();
        assert_eq!((tally.alive(), futures.alive()), (0, 0));
    });
}

struct Pending {
    polled: Option<Log>,
    _alive: witness::Value,
}

impl Future for Pending {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        if let Some(log) = &self.polled {
            log.note("polled");
        }
        Poll::Pending
    }
}

#[test]
fn of_100_000_tasks_that_wake_each_other_as_they_are_dropped() {
    on_each(|runtime| {
        let (log, futures) = (Log::new(), Tally::new());
        let mut next: Option<tokio::sync::oneshot::Sender<()>> = None;
        let count = 100_000;
        for number in 0..count {
            let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
            let (value, next) = (futures.value(), next.replace(sender));
            let told = (number + 1 == count).then(|| log.clone());
            drop(runtime.spawn(async move {
                let _value = value;
                if let Some(told) = told {
                    told.note("polled");
                }
                // Dropped in the middle, or woken: either way it drops `next`, which wakes one.
                let _ = receiver.await;
                drop(next);
            }));
        }
        runtime.block_on(log.seen("polled", 1));
        // A thread of little stack does it all.
        let thread = std::thread::Builder::new().stack_size(128 * 1024);
        let end = thread.spawn(move || {
            drop(next);
            runtime.shut_down();
        });
        end.unwrap().join().unwrap();
        assert_eq!(futures.alive(), 0);
    });
}

#[test]
fn of_tasks_that_spawn_as_they_are_dropped() {
    on_each(|runtime| {
        let (log, futures) = (Log::new(), Tally::new());
        let handle = runtime.handle().clone();
        spawn_again(&handle, &log, &futures, 1000);
        runtime.block_on(log.seen("poll", 1));
        runtime.shut_down();
        assert_eq!(futures.alive(), 0);
        assert_eq!(log.requests("future"), [1; 1000]);
    });
}

/// Spawns a task that spawns another one in its drop, so many times.
fn spawn_again(handle: &Handle, log: &Log, futures: &Tally, times: usize) {
    if times == 0 {
        return;
    }
    let (of_drop, logged, tally) = (handle.clone(), log.clone(), futures.clone());
    let next = log
        .on_drop("future")
        .then(move || spawn_again(&of_drop, &logged, &tally, times - 1));
    let future = after((futures.value(), next), Steps::never(log));
    drop(with_context(request(1), || handle.spawn(future)));
}

#[test]
fn of_a_runtime_that_is_dropped_inside_of_a_task() {
    for number in [1, 2] {
        let (outer, inner, log) = (workers(number), workers(number), Log::new());
        drop(with_context(request(1), || {
            inner.spawn(after(log.on_drop("future"), Steps::never(&log)))
        }));
        log.wait("poll", 1);
        let inner = inner.into_runtime();
        assert_dropped_loudly(outer.block_on(outer.spawn(async move { drop(inner) })));
        log.wait("future", 1);
        assert_eq!(log.once("future").request, 1);
    }
}

#[test]
fn of_a_runtime_that_is_dropped_in_block_on() {
    for number in [0, 1, 2] {
        let (outer, inner, log) = (workers(number), workers(1), Log::new());
        drop(with_context(request(1), || {
            inner.spawn(after(log.on_drop("future"), Steps::never(&log)))
        }));
        log.wait("poll", 1);
        let inner = inner.into_runtime();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            outer.block_on(async move { drop(inner) });
        }));
        let message = panic.unwrap_err();
        assert!(message.downcast_ref::<&str>().unwrap().contains(MESSAGE));
        log.wait("future", 1);
        assert_eq!(log.once("future").request, 1);
    }
}

const MESSAGE: &str = "Cannot drop a runtime in a context where blocking is not allowed.";

#[track_caller]
fn assert_dropped_loudly(result: Result<(), kamon::task::JoinError>) {
    let panic = result.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<&str>().unwrap().contains(MESSAGE));
}

#[test]
fn of_its_own_runtime_in_a_task() {
    let log = Log::new();
    let runtime = Arc::new(Mutex::new(None));
    let of_task = runtime.clone();
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    drop(built.spawn(after(log.on_drop("future"), async move {
        wait.await.unwrap();
        let own: Option<Runtime> = of_task.lock().unwrap().take();
        own.unwrap().shutdown_background();
        std::future::pending::<()>().await;
    })));
    *runtime.lock().unwrap() = Some(built);
    go.send(()).unwrap();
    log.wait("future", 1);
}

#[test]
fn in_the_background_from_a_task() {
    let (outer, inner, log) = (workers(1), workers(1), Log::new());
    drop(inner.spawn(after(log.on_drop("future"), Steps::never(&log))));
    log.wait("poll", 1);
    let inner = inner.into_runtime();
    let end = outer.spawn(async move { inner.shutdown_background() });
    outer.block_on(end).unwrap();
    log.wait("future", 1);
}

#[test]
fn waits_for_a_task_to_reach_its_next_await() {
    for number in [1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let (go_on, wait) = mpsc::channel::<()>();
        let told = log.clone();
        drop(runtime.spawn(after(log.on_drop("future"), async move {
            told.note("running");
            wait.recv().unwrap();
            told.note("still running");
            std::future::pending::<()>().await;
        })));
        log.wait("running", 1);
        let told = log.clone();
        let end = std::thread::spawn(move || {
            runtime.shut_down();
            told.note("down");
        });
        go_on.send(()).unwrap();
        end.join().unwrap();
        let expected = ["running", "still running", "future", "down"];
        assert_eq!(log.order(), expected);
    }
}

#[test]
fn waits_for_blocking_closures_or_not() {
    for number in [0, 1, 2] {
        let begin = |log: &Log| {
            let runtime = workers(number);
            let (go_on, wait) = mpsc::channel::<()>();
            let told = log.clone();
            let closure = with_context(request(1), || {
                runtime.spawn_blocking(move || {
                    told.note("running");
                    wait.recv().unwrap();
                    told.note("ends");
                    7
                })
            });
            log.wait("running", 1);
            (runtime, closure, go_on)
        };

        let log = Log::new();
        let (runtime, closure, go_on) = begin(&log);
        let told = log.clone();
        let end = std::thread::spawn(move || {
            runtime.shut_down();
            told.note("down");
        });
        go_on.send(()).unwrap();
        end.join().unwrap();
        assert_eq!(log.order(), ["running", "ends", "down"]);
        assert_eq!(log.requests("ends"), [1]);
        assert_eq!(wait_for(closure).unwrap(), 7);

        for background in [true, false] {
            let log = Log::new();
            let (runtime, closure, go_on) = begin(&log);
            let runtime = runtime.into_runtime();
            match background {
                true => runtime.shutdown_background(),
                false => runtime.shutdown_timeout(Duration::from_millis(1)),
            }
            assert_eq!(log.order(), ["running"]);
            go_on.send(()).unwrap();
            assert_eq!(wait_for(closure).unwrap(), 7, "it is not lost");
        }
    }
}

#[test]
fn ends_the_waiting_of_blocking_closures() {
    fn begin(runtime: &Watched, wait: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        let log = Log::new();
        let told = log.clone();
        let closure = runtime.spawn_blocking(move || {
            told.note("running");
            wait();
        });
        log.wait("running", 1);
        closure
    }

    on_each(|runtime| {
        let sleeps = begin(&runtime, || Handle::current().block_on(sleep(HOUR)));
        let joins = begin(&runtime, || {
            let task = kamon::spawn(std::future::pending::<()>());
            let joined = Handle::current().block_on(task);
            assert!(joined.unwrap_err().is_cancelled());
        });
        #[cfg(feature = "tokio")]
        let accepts = begin(&runtime, || {
            Handle::current().block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
                assert!(listener.unwrap().accept().await.is_err());
            });
        });
        runtime.shut_down();
        assert!(wait_for(sleeps).unwrap_err().is_panic());
        // Too late to begin, or begun and then told.
        let joined = wait_for(joins);
        assert!(joined.is_ok(), "{joined:?}");
        #[cfg(feature = "tokio")]
        drop(wait_for(accepts));
    });
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn inside_of_a_blocking_closure_of_its_own() {
    let log = Log::new();
    let runtime = workers(1).into_runtime();
    drop(runtime.spawn(after(log.on_drop("future"), Steps::never(&log))));
    log.wait("poll", 1);
    let handle = runtime.handle().clone();
    let closure = handle.spawn_blocking(move || drop(runtime));
    wait_for(closure).unwrap();
    assert_eq!(log.count("future"), 1);
}

#[test]
fn while_others_spawn() {
    for number in [0, 1, 2, 4] {
        for _ in 0..20 {
            let (runtime, futures, log) = (workers(number), Tally::new(), Log::new());
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let handle = runtime.handle().clone();
                    let (futures, log) = (futures.clone(), log.clone());
                    std::thread::spawn(move || {
                        log.note("spawning");
                        for number in 0..300 {
                            let context = futures.request(number);
                            let value = futures.value();
                            let steps = Steps::ready_after(&Log::new(), 2);
                            drop(with_context(context, || handle.spawn(after(value, steps))));
                        }
                    })
                })
                .collect();
            log.wait("spawning", 1);
            runtime.shut_down();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(futures.alive(), 0);
        }
    }
}

#[test]
fn of_two_runtimes_that_wake_each_other() {
    let (one, two, log) = (workers(1), workers(2), Log::new());
    let mut next: Option<tokio::sync::oneshot::Sender<()>> = None;
    for number in 0..1000 {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let owned = (log.on_drop("future"), next.replace(sender));
        let runtime = if number % 2 == 0 { &one } else { &two };
        drop(with_context(request(1), || {
            runtime.spawn(after(owned, async { drop(receiver.await) }))
        }));
    }
    let first = std::thread::spawn(|| one.shut_down());
    two.shut_down();
    first.join().unwrap();
    assert_eq!(log.requests("future"), [1; 1000]);
    drop(next);
}

#[test]
fn ends_all_threads() {
    let log = Log::new();
    let note = |what| {
        let log = log.clone();
        move || log.note(what)
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(note("start"))
        .on_thread_stop(note("stop"))
        .build()
        .unwrap();
    let blocking = runtime.spawn_blocking(|| ());
    runtime.block_on(blocking).unwrap();
    drop(runtime);
    assert_eq!((log.count("start"), log.count("stop")), (4, 4));
    assert_eq!(log.requests("stop"), [0; 4]);
}
