//! `abort` takes effect at the task's next yield: the future is dropped on a worker, in its
//! Context, before the handle resolves.

mod witness;

use std::future::{poll_fn, Future};
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Barrier};
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::task::AbortHandle;
use kamon::time::{call_later, sleep, Duration};
use kamon::{with_context, ContextFutureExt as _};
use witness::locks::Mutex;
use witness::{after, current, on_each, pause, request, workers, Log, Steps};

#[test]
fn a_running_task_goes_on_to_its_next_await() {
    for number in [1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let (go_on, wait) = mpsc::channel::<()>();
        let told = log.clone();
        let task = runtime.spawn(after(log.on_drop("future"), async move {
            told.note("running");
            wait.recv().unwrap();
            told.note("still running");
            pause().await;
            told.note("too far");
        }));
        log.wait("running", 1);
        task.abort();
        assert!(!task.is_finished());
        go_on.send(()).unwrap();
        assert!(runtime.block_on(task).unwrap_err().is_cancelled());
        assert_eq!(log.order(), ["running", "still running", "future"]);
    }
}

#[test]
fn a_task_that_ends_without_an_await_is_not_cancelled() {
    for number in [1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let (go_on, wait) = mpsc::channel::<()>();
        let told = log.clone();
        let task = runtime.spawn(async move {
            told.note("running");
            wait.recv().unwrap();
            7
        });
        log.wait("running", 1);
        task.abort();
        go_on.send(()).unwrap();
        assert_eq!(runtime.block_on(task).unwrap(), 7);
    }
}

#[test]
fn the_future_is_dropped_on_a_worker() {
    for number in [1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let task = runtime.spawn(after(log.on_drop("future"), Steps::never(&log)));
        log.wait("poll", 1);
        let of_workers: Vec<_> = {
            let blocked = Arc::new(Barrier::new(number));
            let tasks: Vec<_> = (0..number)
                .map(|_| {
                    let blocked = blocked.clone();
                    runtime.spawn(async move {
                        // Each worker has one of them.
                        blocked.wait();
                        std::thread::current().id()
                    })
                })
                .collect();
            let ids = tasks.into_iter().map(|task| wait_for(task).unwrap());
            ids.collect()
        };
        task.abort();
        assert!(wait_for(task).unwrap_err().is_cancelled());
        assert!(of_workers.contains(&log.once("future").thread));
    }
}

/// Waits on this thread, which runs no task of the runtime meanwhile.
fn wait_for<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}

#[test]
fn a_finished_task_is_not_affected() {
    on_each(|runtime| {
        let task = runtime.spawn(async { 7 });
        let abort = task.abort_handle();
        let output = runtime.block_on(async {
            while !task.is_finished() {
                kamon::task::yield_now().await;
            }
            task.abort();
            abort.abort();
            task.await
        });
        assert_eq!(output.unwrap(), 7);
        abort.abort();
        assert!(abort.is_finished());
    });
}

#[test]
fn a_joined_handle_still_knows_its_task_and_cannot_be_awaited_again() {
    on_each(|runtime| {
        let ended = runtime.spawn(async { 7 });
        let aborted = runtime.spawn(std::future::pending::<i32>());
        aborted.abort();
        for (mut task, output) in [(ended, Some(7)), (aborted, None)] {
            let id = task.id();
            assert_eq!(runtime.block_on(&mut task).ok(), output);
            assert!(task.is_finished());
            task.abort();
            let abort = task.abort_handle();
            abort.abort();
            assert!(abort.is_finished());
            assert_eq!((task.id(), abort.id()), (id, id));
            let again =
                panic::catch_unwind(panic::AssertUnwindSafe(|| runtime.block_on(&mut task).ok()));
            let payload = again.expect_err("there is no second result");
            let message = payload.downcast_ref::<&str>();
            assert_eq!(message, Some(&"JoinHandle polled after completion"));
        }
    });
}

#[test]
fn handles_are_as_good_as_each_other() {
    on_each(|runtime| {
        let log = Log::new();
        let task = runtime.spawn(after(log.on_drop("future"), Steps::never(&log)));
        let (one, two) = (task.abort_handle(), task.abort_handle());
        let three = two.clone();
        assert_eq!((one.id(), three.id()), (task.id(), task.id()));
        assert!(!one.is_finished() && !three.is_finished());
        runtime.block_on(log.seen("poll", 1));
        three.abort();
        one.abort();
        let id = task.id();
        let error = runtime.block_on(task).unwrap_err();
        assert!(error.is_cancelled() && !error.is_panic());
        assert_eq!(error.id(), id);
        assert_eq!(error.to_string(), format!("task {id} was cancelled"));
        assert!(error.try_into_panic().is_err());
        assert!(one.is_finished() && two.is_finished() && three.is_finished());
        assert_eq!(log.count("future"), 1);
    });
}

#[test]
fn a_detached_task_can_be_aborted() {
    on_each(|runtime| {
        let log = Log::new();
        let abort = {
            let future = after(log.on_drop("future"), Steps::never(&log));
            let _guard = runtime.enter();
            kamon::spawn_in(request(1), future).abort_handle()
        };
        runtime.block_on(async {
            log.seen("poll", 1).await;
            with_context(request(2), || abort.abort());
            log.seen("future", 1).await;
        });
        assert_eq!(log.once("future").request, 1);
        runtime.block_on(async {
            while !abort.is_finished() {
                kamon::task::yield_now().await;
            }
        });
    });
}

#[test]
fn who_awaits_is_aborted_and_not_what_it_awaits() {
    on_each(|runtime| {
        let log = Log::new();
        runtime.block_on(async {
            let (finish, finished) = tokio::sync::oneshot::channel::<()>();
            let told = log.clone();
            let parent = kamon::spawn_in(request(1), async move {
                let child = kamon::spawn(async move {
                    told.note("child");
                    finished.await.unwrap();
                    told.note("child ends");
                });
                child.await.unwrap();
            });
            log.seen("child", 1).await;
            parent.abort();
            assert!(parent.await.unwrap_err().is_cancelled());
            finish.send(()).unwrap();
            log.seen("child ends", 1).await;
        });
        assert_eq!(log.once("child ends").request, 1);
    });
}

#[test]
fn an_abort_races_with_completion() {
    for number in [1, 2, 4] {
        let runtime = workers(number);
        let (mut completed, mut cancelled) = (0, 0);
        for round in 0..2000_usize {
            let log = Log::new();
            let output = log.on_drop("output");
            let future = after(log.on_drop("future"), Steps::ready_after(&log, round % 4));
            let task = with_context(request(1), || {
                runtime.spawn(async {
                    future.await;
                    output
                })
            });
            let abort = task.abort_handle();
            let aborting = (round % 2 == 0).then(|| std::thread::spawn(move || abort.abort()));
            if aborting.is_none() {
                (0..round % 128).for_each(|_| std::hint::spin_loop());
                task.abort();
            }
            match wait_for(task) {
                Ok(output) => {
                    drop(output);
                    assert_eq!(log.once("output").request, 0);
                    completed += 1;
                }
                Err(error) => {
                    assert!(error.is_cancelled());
                    assert_eq!(log.once("output").request, 1);
                    cancelled += 1;
                }
            }
            assert_eq!(log.once("future").request, 1);
            assert!(log.requests("poll").iter().all(|&seen| seen == 1));
            let order = log.order();
            let last_poll = order.iter().rposition(|what| *what == "poll");
            assert!(last_poll < order.iter().position(|what| *what == "future"));
            if let Some(thread) = aborting {
                thread.join().unwrap();
            }
        }
        assert_eq!(completed + cancelled, 2000);
    }
}

/// Pending for ever; lets everybody wake it.
struct Wakeable {
    log: Log,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Future for Wakeable {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        if current() != 1 {
            self.log.note("wrong");
        }
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn an_abort_races_with_wakes_from_other_threads() {
    for number in [0, 1, 2, 4] {
        let runtime = workers(number);
        for _ in 0..100 {
            let log = Log::new();
            let waker = Arc::new(Mutex::new(None));
            let future = Wakeable {
                log: log.clone(),
                waker: waker.clone(),
            };
            let future = after(log.on_drop("future"), future);
            let task = with_context(request(1), || runtime.spawn(future));
            let stop = Arc::new(AtomicBool::new(false));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (stop, waker) = (stop.clone(), waker.clone());
                    std::thread::spawn(move || {
                        with_context(request(2), || {
                            while !stop.load(Ordering::SeqCst) {
                                let waker = waker.lock().unwrap().clone();
                                if let Some(waker) = waker {
                                    waker.wake();
                                }
                            }
                        });
                    })
                })
                .collect();
            runtime.block_on(poll_fn(|cx| match &*waker.lock().unwrap() {
                Some(_) => Poll::Ready(()),
                None => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }));
            task.abort();
            assert!(runtime.block_on(task).unwrap_err().is_cancelled());
            assert_eq!(log.once("future").request, 1);
            stop.store(true, Ordering::SeqCst);
            for thread in threads {
                thread.join().unwrap();
            }
            // Wakes that came too late woke nothing.
            waker.lock().unwrap().take().unwrap().wake();
            assert_eq!(log.order(), ["future"]);
        }
    }
}

#[test]
fn an_abort_ends_a_wait_for_the_clock() {
    on_each(|runtime| {
        let log = Log::new();
        let hour = Duration::from_secs(3600);
        let told = log.clone();
        let future = async move {
            told.note("sleeps");
            sleep(hour).await
        };
        let future = after(log.on_drop("future"), future.in_context(request(2)));
        let task = with_context(request(1), || runtime.spawn(future));
        runtime.block_on(async {
            log.seen("sleeps", 1).await;
            let abort = task.abort_handle();
            drop(call_later(Duration::from_millis(1), move || abort.abort()));
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(log.once("future").request, 1);
    });
}

#[test]
fn a_blocking_closure_that_has_begun_goes_on() {
    on_each(|runtime| {
        let log = Log::new();
        let (go_on, wait) = mpsc::channel::<()>();
        let told = log.clone();
        let task = runtime.spawn_blocking(move || {
            told.note("running");
            wait.recv().unwrap();
            7
        });
        log.wait("running", 1);
        task.abort();
        go_on.send(()).unwrap();
        assert_eq!(runtime.block_on(task).unwrap(), 7);
    });
}

#[test]
fn aborts_come_from_anywhere() {
    on_each(|runtime| {
        // Each task aborts the one before it as it goes; the last is aborted from a thread.
        struct Aborts(Option<AbortHandle>);
        impl Drop for Aborts {
            fn drop(&mut self) {
                if let Some(before) = &self.0 {
                    before.abort();
                }
            }
        }
        let log = Log::new();
        let mut before = None;
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let owned = (log.on_drop("future"), Aborts(before.take()));
                let task = with_context(request(1), || {
                    runtime.spawn(after(owned, std::future::pending::<()>()))
                });
                before = Some(task.abort_handle());
                task
            })
            .collect();
        let last = before.unwrap();
        let aborts = std::thread::spawn(move || last.abort());
        runtime.block_on(async {
            for task in tasks {
                assert!(task.await.unwrap_err().is_cancelled());
            }
        });
        aborts.join().unwrap();
        assert_eq!(log.requests("future"), [1; 1000]);
    });
}
