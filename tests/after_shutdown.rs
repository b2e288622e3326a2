//! What is left of a runtime that has ended (wakers, handles, whoever blocks on it) does no harm.

mod witness;

use std::future::{poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{mpsc, Arc};
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::runtime::{Builder, Handle};
use kamon::time::{call_later, sleep, Duration};
use kamon::with_context;
use witness::locks::Mutex;
use witness::{after, current, poll_by_hand, request, workers, Log, Steps, Watched};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs a test on each kind of runtime.
fn on_each(test: impl Fn(Watched)) {
    for number in [0, 1, 2, 4] {
        test(workers(number));
    }
}

/// Sleeps, and says so once it does.
async fn asleep(log: Log) {
    let mut hour = Box::pin(sleep(HOUR));
    poll_fn(|cx| {
        let polled = hour.as_mut().poll(cx);
        log.note("asleep");
        polled
    })
    .await;
}

/// Waits on this thread, which enters no runtime.
fn wait_for<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}

/// Puts its waker where others find it.
struct Lends(Arc<Mutex<Vec<Waker>>>);

impl Future for Lends {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.0.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn wakers_may_fire() {
    on_each(|runtime| {
        let (log, wakers) = (Log::new(), Arc::new(Mutex::new(Vec::new())));
        for _ in 0..100 {
            let told = log.clone();
            let lends = Lends(wakers.clone());
            drop(runtime.spawn(after(log.on_drop("future"), async move {
                told.note("poll");
                lends.await;
            })));
        }
        runtime.block_on(log.seen("poll", 100));
        // Some of them fire all the time, until long after the end.
        let (stop, stopped) = mpsc::channel::<()>();
        let some: Vec<Waker> = wakers.lock().unwrap().iter().step_by(2).cloned().collect();
        let thread = std::thread::spawn(move || {
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                some.iter().for_each(Waker::wake_by_ref);
            }
        });
        runtime.shut_down();
        // Whom that thread was just waking, it drops itself.
        log.wait("future", 100);
        for waker in std::mem::take(&mut *wakers.lock().unwrap()) {
            let another = waker.clone();
            waker.wake_by_ref();
            waker.wake();
            another.wake();
        }
        drop(stop);
        thread.join().unwrap();
        assert_eq!(log.count("future"), 100);
    });
}

#[test]
fn handles_cancel() {
    on_each(|runtime| {
        let log = Log::new();
        let handle = runtime.handle().clone();
        let waiting = runtime.spawn(std::future::pending::<()>());
        let abort = waiting.abort_handle();
        runtime.shut_down();

        assert!(wait_for(waiting).unwrap_err().is_cancelled());
        abort.abort();
        assert!(abort.is_finished());
        for _ in 0..3 {
            let late = handle.spawn(after(log.on_drop("future"), Steps::ready_after(&log, 0)));
            assert!(wait_for(late).unwrap_err().is_cancelled());
            let owned = log.on_drop("closure");
            let late = handle.spawn_blocking(move || drop(owned));
            assert!(wait_for(late).unwrap_err().is_cancelled());
            let _guard = handle.enter();
            let owned = log.on_drop("callback");
            let late = call_later(Duration::ZERO, move || drop(owned));
            assert!(late.is_finished() && !late.cancel());
        }
        let order = ["future", "closure", "callback"];
        assert_eq!(log.order(), [order, order, order].concat());
        assert_eq!(handle.block_on(async { 7 }), 7);
        assert_eq!(handle.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn whoever_blocks_on_it_goes_on() {
    for number in [0, 1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let handle = runtime.handle().clone();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let told = log.clone();
        let thread = std::thread::spawn(move || {
            with_context(request(1), || {
                handle.block_on(async {
                    let task = kamon::spawn(after(told.on_drop("future"), asleep(told.clone())));
                    told.note("blocks");
                    let cancelled = task.await.unwrap_err().is_cancelled();
                    told.note("joined");
                    finished.await.unwrap();
                    (cancelled, current())
                })
            })
        });
        log.wait("blocks", 1);
        // Whoever begins to sleep while the runtime ends is told so by a panic.
        log.wait("asleep", 1);
        runtime.shut_down();
        log.wait("joined", 1);
        finish.send(()).unwrap();
        assert_eq!(thread.join().unwrap(), (true, 1));
        assert_eq!(log.once("future").request, 1);
    }
}

#[test]
fn whoever_sleeps_is_told() {
    /// Polls a sleep that must not go on for ever.
    fn refused(sleep: &mut Pin<Box<kamon::time::Sleep>>) -> bool {
        let polled = catch_unwind(AssertUnwindSafe(|| poll_by_hand(sleep)));
        let message = polled.map(|_| ()).unwrap_err();
        let message = message.downcast_ref::<&str>().unwrap();
        message.contains("being shutdown") && !sleep.is_elapsed()
    }

    on_each(|runtime| {
        let enter = runtime.handle().clone();
        let mut sleeping = {
            let _guard = enter.enter();
            Box::pin(sleep(HOUR))
        };
        assert!(poll_by_hand(&mut sleeping).is_pending());
        runtime.shut_down();
        assert!(refused(&mut sleeping));
        let _guard = enter.enter();
        assert!(refused(&mut Box::pin(sleep(HOUR))));
    });
}

/// Spawns through the last handle of a runtime, and lets the handle go, when it is dropped.
struct SpawnsInTheEnd(Option<Handle>);

impl Drop for SpawnsInTheEnd {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            drop(handle.spawn(async {}));
        }
    }
}

#[test]
fn a_task_that_ends_within_the_end_of_another_runtime_keeps_its_own() {
    let log = Log::new();
    let ended = {
        // Noted when nobody has the ended runtime's settings any more.
        let (told, gone) = (log.clone(), log.on_drop("gone"));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .on_task_terminate(move |_| {
                let _ = &gone;
                told.note("terminated");
            })
            .build()
            .expect("the runtime starts");
        runtime.handle().clone()
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("the runtime starts");
    let (waits, waiting) = mpsc::channel();
    runtime.spawn(async move {
        let _spawns = SpawnsInTheEnd(Some(ended));
        waits.send(()).expect("the test waits");
        std::future::pending::<()>().await;
    });
    waiting.recv().expect("the task gets its first poll");
    drop(runtime);
    assert_eq!(log.order(), ["terminated", "gone"]);
}
