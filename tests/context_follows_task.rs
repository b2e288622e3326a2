//! Rules 1, 2, 4 and 7 of the Context, for tasks: each poll sees the task's own Context, and leaves
//! the thread as it was.

mod witness;

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{mpsc, Arc};
use std::task::{Context as TaskContext, Wake, Waker};
use std::thread::ThreadId;

use kamon::time::{call_later, sleep, Duration};
use kamon::{current_context, store_context, with_context, Context, ContextFutureExt as _, Key};
use witness::{current, on_each, pause, quiet_panic, request, workers, Log, Steps};

// Rule 1: every poll.

#[test]
fn rule_1_every_poll_sees_the_tasks_context() {
    on_each(|runtime| {
        let logs: Vec<Log> = (0..64).map(|_| Log::new()).collect();
        runtime.block_on(async {
            let tasks: Vec<_> = (1..)
                .zip(&logs)
                .map(|(number, log)| kamon::spawn_in(request(number), Steps::ready_after(log, 20)))
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        for (number, log) in (1..).zip(&logs) {
            assert_eq!(log.requests("poll"), [number; 21]);
        }
    });
}

#[test]
fn rule_1_the_context_comes_along_to_another_worker() {
    /// Keeps the worker that it lands on until told, and says which one that is.
    fn block(log: &Log) -> (ThreadId, mpsc::Sender<()>) {
        let (sender, receiver) = mpsc::channel();
        let before = log.count("blocked");
        let told = log.clone();
        drop(kamon::spawn_root(async move {
            told.note("blocked");
            let _ = receiver.recv();
        }));
        log.wait("blocked", before + 1);
        (log.entries().last().unwrap().thread, sender)
    }

    let runtime = workers(2);
    let _guard = runtime.enter();
    let log = Log::new();
    let (wake, mut wakes) = tokio::sync::mpsc::unbounded_channel();
    let task = kamon::spawn_in(request(1), {
        let log = log.clone();
        async move {
            while let Some(()) = wakes.recv().await {
                log.note("poll");
            }
        }
    });
    wake.send(()).unwrap();
    log.wait("poll", 1);
    let first = log.once("poll").thread;
    // With both workers kept busy, the one that is let go is the one that polls next.
    let blocked = [block(&log), block(&log)];
    for (thread, release) in &blocked {
        if *thread != first {
            release.send(()).unwrap();
        }
    }
    wake.send(()).unwrap();
    log.wait("poll", 2);
    drop((wake, blocked));
    runtime.block_on(task).unwrap();
    let polls: Vec<_> = log
        .entries()
        .into_iter()
        .filter(|e| e.what == "poll")
        .collect();
    assert_ne!(polls[0].thread, polls[1].thread);
    assert_eq!((polls[0].request, polls[1].request), (1, 1));
}

#[test]
fn rule_1_whoever_wakes_a_task_does_not_lend_it_a_context() {
    on_each(|runtime| {
        let seen = runtime.block_on(async {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let woken = kamon::spawn_in(request(1), async {
                receiver.await.unwrap();
                current()
            });
            pause().await;
            kamon::spawn_in(request(2), async { sender.send(()).unwrap() })
                .await
                .unwrap();
            let timed = kamon::spawn_in(request(3), async {
                sleep(Duration::from_millis(2)).await;
                current()
            });
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let from_thread = kamon::spawn_in(request(4), async {
                receiver.await.unwrap();
                current()
            });
            std::thread::spawn(|| with_context(request(5), || sender.send(()).unwrap()));
            (
                woken.await.unwrap(),
                timed.await.unwrap(),
                from_thread.await.unwrap(),
            )
        });
        assert_eq!(seen, (1, 3, 4));
    });
}

// Rule 2: what is current when control leaves a task.

/// Notes when it is woken.
struct Waking(Log);

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.0.note("woken");
    }
}

#[test]
fn rule_2_the_joiner_is_woken_outside_of_the_tasks_context() {
    let (runtime, log) = (workers(1), Log::new());
    let waker = Waker::from(Arc::new(Waking(log.clone())));
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let mut task = pin!(with_context(request(1), || {
        runtime.spawn(async {
            released.await.unwrap();
            current()
        })
    }));
    let mut by_hand = TaskContext::from_waker(&waker);
    assert!(task.as_mut().poll(&mut by_hand).is_pending());
    release.send(()).unwrap();
    log.wait("woken", 1);
    let woken = log.once("woken");
    assert_eq!((woken.request, woken.task), (0, None));
    assert_eq!(runtime.block_on(task).unwrap(), 1);
}

#[test]
fn rule_2_nothing_that_a_task_does_stays_behind() {
    on_each(|runtime| {
        runtime.block_on(async {
            kamon::spawn_in(request(1), async {
                std::mem::forget(store_context(request(2)));
                assert_eq!(current(), 2);
            })
            .await
            .unwrap();
            assert_eq!(probe().await, 0, "a forgotten Scope");

            let panicked = kamon::spawn_in(request(1), async {
                std::mem::forget(store_context(request(2)));
                let _open = store_context(request(3));
                quiet_panic("planned");
            });
            assert!(panicked.await.is_err());
            assert_eq!(probe().await, 0, "a panic");

            kamon::spawn_in(request(1), async {
                let one = store_context(request(2));
                let two = store_context(request(3));
                drop(one);
                assert_eq!(current(), 3);
                drop(two);
                assert_eq!(current(), 1);
            })
            .await
            .unwrap();
            assert_eq!(probe().await, 0, "Scopes out of order");

            kamon::spawn_in(request(1), async {
                let nested = catch_unwind(|| kamon::block_on(std::future::ready(())));
                assert!(nested.is_err() && current() == 1);
                let inner = async { current() }.in_context(request(2));
                assert_eq!(futures_lite::future::block_on(inner), 2);
                assert_eq!(current(), 1);
            })
            .await
            .unwrap();
            assert_eq!(probe().await, 0, "a nested `block_on`");

            let aborted = kamon::spawn_in(request(1), std::future::pending::<()>());
            pause().await;
            aborted.abort();
            assert!(aborted.await.unwrap_err().is_cancelled());
            assert_eq!(probe().await, 0, "an abort");

            kamon::spawn_in(request(1), async {
                for _ in 0..10 {
                    std::mem::forget(store_context(request(2)));
                    pause().await;
                    assert_eq!(current(), 1);
                    assert_eq!(probe().await, 0, "from within");
                }
            })
            .await
            .unwrap();
            assert_eq!(current(), 0, "waking itself");
        });
        assert!(current_context().is_empty());
    });
}

/// What a task sees that comes next and brings nothing.
async fn probe() -> u32 {
    kamon::spawn_root(async { current() }).await.unwrap()
}

#[test]
fn rule_2_block_on_gives_back_what_it_found() {
    on_each(|runtime| {
        with_context(request(1), || {
            let other = runtime.block_on(async {
                std::mem::forget(store_context(request(2)));
                kamon::spawn_in(request(3), async { current() })
                    .await
                    .unwrap()
            });
            assert_eq!((other, current()), (3, 1));
            let panic = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    std::mem::forget(store_context(request(2)));
                    quiet_panic("planned")
                })
            }));
            assert!(panic.is_err());
            assert_eq!(current(), 1);
        });
    });
}

// Rule 4: Empty is a Context.

#[test]
fn rule_4_from_empty_comes_empty() {
    on_each(|runtime| {
        runtime.block_on(async {
            let from_within = kamon::spawn_in(request(1), async {
                let root = kamon::spawn_root(async { current_context().is_empty() });
                let given =
                    kamon::spawn_in(Context::empty(), async { current_context().is_empty() });
                let inherited = with_context(Context::empty(), || {
                    kamon::spawn(async { current_context().is_empty() })
                });
                let blocking = with_context(Context::empty(), || {
                    kamon::spawn_blocking(|| current_context().is_empty())
                });
                let awaited = async { current_context().is_empty() }.in_context(Context::empty());
                [
                    root.await.unwrap(),
                    given.await.unwrap(),
                    inherited.await.unwrap(),
                    blocking.await.unwrap(),
                    awaited.await,
                ]
            });
            assert_eq!(from_within.await.unwrap(), [true; 5]);
        });
    });
}

#[test]
fn rule_4_block_on_does_not_lend_its_context_to_others() {
    // On a current-thread runtime they all run on the thread that blocks.
    on_each(|runtime| {
        let early = runtime.spawn(async {
            pause().await;
            current()
        });
        let (sender, called) = tokio::sync::oneshot::channel();
        {
            let _guard = runtime.enter();
            drop(call_later(Duration::from_millis(1), || {
                sender.send(current()).unwrap()
            }));
        }
        let seen = with_context(request(1), || {
            runtime.block_on(async { (early.await.unwrap(), called.await.unwrap(), current()) })
        });
        assert_eq!(seen, (0, 0, 1));
    });
}

// Rule 7: nobody changes what is current for his caller.

#[test]
fn rule_7_what_is_awaited_does_not_change_who_awaits() {
    on_each(|runtime| {
        runtime.block_on(async {
            let task = kamon::spawn_in(request(1), async {
                let child = kamon::spawn_in(request(2), async {
                    std::mem::forget(store_context(request(3)));
                    pause().await;
                    current()
                });
                assert_eq!((child.await.unwrap(), current()), (2, 1));
                let inner = async {
                    std::mem::forget(store_context(request(5)));
                    pause().await;
                    current()
                };
                assert_eq!((inner.in_context(request(4)).await, current()), (4, 1));
                let slow = kamon::time::timeout(
                    Duration::from_millis(1),
                    std::future::pending::<()>().in_context(request(6)),
                );
                assert!(slow.await.is_err());
                assert_eq!(current(), 1);
                let blocking = kamon::spawn_blocking(|| {
                    std::mem::forget(store_context(request(7)));
                    current()
                });
                assert_eq!((blocking.await.unwrap(), current()), (7, 1));
            });
            task.await.unwrap();
        });
    });
}

#[test]
fn rule_7_the_context_can_be_read_at_any_time() {
    static READER: Key<Option<Reader>> = Key::local("reads when it is dropped", || None);
    struct Reader(Log);
    impl Drop for Reader {
        fn drop(&mut self) {
            self.0.note("value");
            let copy = current_context();
            with_context(request(9), || assert_eq!(current(), 9));
            assert_eq!(copy, current_context());
        }
    }

    on_each(|runtime| {
        let log = Log::new();
        let context = request(1).with_key(&READER, Some(Reader(log.clone())));
        runtime.block_on(async {
            let task = kamon::spawn_in(context, pause());
            drop(task);
            log.seen("value", 1).await;
        });
        assert_eq!(log.requests("value"), [0], "after the swap");
    });
}
