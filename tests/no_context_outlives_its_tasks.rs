//! The values of a Context go when the last task of its request has gone and been joined: nothing
//! that is pooled, cached, queued or idle keeps them.

#![allow(clippy::async_yields_async)] // The output of a task may well be a handle or a future.

mod witness;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::task::{JoinHandle, JoinSet, LocalSet};
use kamon::time::{call_later, sleep, Duration};
use kamon::{store_context, with_context, ContextFutureExt as _};
use witness::locks::Mutex;
use witness::{current, on_each, pause, quiet_panic, workers, Tally};

/// Waits until a task has finished without taking its result.
async fn finished<T>(task: &JoinHandle<T>) {
    while !task.is_finished() {
        kamon::task::yield_now().await;
    }
}

/// Waits until the values have gone that nobody here can see going.
async fn gone(tally: &Tally) {
    while tally.alive() > 0 {
        kamon::task::yield_now().await;
    }
}

#[test]
fn as_soon_as_the_handle_was_awaited() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let task = kamon::spawn_in(tally.request(1), async {
                pause().await;
                current()
            });
            assert_eq!(tally.alive(), 1);
            assert_eq!(task.await.unwrap(), 1);
            assert_eq!(tally.alive(), 0, "an output");

            let task = kamon::spawn_in(tally.request(1), async { quiet_panic("planned") });
            let error = task.await.unwrap_err();
            assert_eq!(tally.alive(), 0, "a panic");
            drop(error);

            let task = kamon::spawn_in(tally.request(1), sleep(Duration::from_secs(3600)));
            pause().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            assert_eq!(tally.alive(), 0, "an abort");

            let task = with_context(tally.request(1), || kamon::spawn_blocking(current));
            assert_eq!(task.await.unwrap(), 1);
            assert_eq!(tally.alive(), 0, "a closure that blocks");
        });
    });
}

#[test]
fn as_soon_as_the_last_of_many_was_awaited() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let tasks: Vec<_> = with_context(tally.request(1), || {
                (0..100)
                    .map(|_| {
                        kamon::spawn(async {
                            let deeper = kamon::spawn(pause());
                            let blocking = kamon::spawn_blocking(current);
                            deeper.await.unwrap();
                            blocking.await.unwrap()
                        })
                    })
                    .collect()
            });
            let last = tasks.len() - 1;
            for (number, task) in tasks.into_iter().enumerate() {
                assert_eq!(tally.alive(), 1);
                assert_eq!(task.await.unwrap(), 1);
                assert!(number == last || tally.alive() == 1);
            }
            assert_eq!(tally.alive(), 0);
        });
    });
}

#[test]
fn with_its_last_task_where_nobody_joins() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            for number in 1..100 {
                drop(kamon::spawn_in(tally.request(number), async {
                    pause().await;
                    drop(kamon::spawn(pause()));
                }));
            }
            gone(&tally).await;
        });
    });
}

#[test]
fn with_the_result_that_nobody_has_claimed() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let task = kamon::spawn_in(tally.request(1), async { vec![1, 2, 3] });
            finished(&task).await;
            // The output may still have to be dropped in there.
            assert_eq!(tally.alive(), 1);
            drop(task);
            assert_eq!(tally.alive(), 0);

            let mut set = JoinSet::new();
            for number in 1..=10 {
                with_context(tally.request(number), || set.spawn(async { current() }));
            }
            while set.join_next().await.is_some() {}
            assert_eq!(tally.alive(), 0);
        });
    });
}

/// Lends its waker to others, for ever.
struct Lends(Arc<Mutex<Option<Waker>>>);

impl Future for Lends {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let known = self.0.lock().unwrap().replace(cx.waker().clone());
        match known {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        }
    }
}

#[test]
fn whoever_remembers_the_task() {
    on_each(|runtime| {
        let (tally, waker) = (Tally::new(), Arc::new(Mutex::new(None)));
        runtime.block_on(async {
            let task = kamon::spawn_in(tally.request(1), Lends(waker.clone()));
            let (abort, id) = (task.abort_handle(), task.id());
            while waker.lock().unwrap().is_none() {
                kamon::task::yield_now().await;
            }
            let wake = waker.lock().unwrap().clone();
            wake.unwrap().wake();
            task.await.unwrap();
            assert_eq!(tally.alive(), 0);
            drop((abort, id));
        });
        drop(waker);
    });
}

#[test]
fn whatever_timer_was_armed() {
    on_each(|runtime| {
        let tally = Tally::new();
        let hour = Duration::from_secs(3600);
        runtime.block_on(async {
            let fired = with_context(tally.request(1), || call_later(Duration::ZERO, || ()));
            gone(&tally).await;
            drop(fired);

            let cancelled = with_context(tally.request(1), || call_later(hour, || ()));
            assert_eq!(tally.alive(), 1);
            assert!(cancelled.cancel());
            assert_eq!(tally.alive(), 0, "the handle keeps nothing");

            let armed = kamon::spawn_in(tally.request(1), async move {
                let mut armed = Box::pin(sleep(hour));
                assert!(witness::poll_by_hand(&mut armed).is_pending());
                Some(armed)
            });
            let armed = armed.await.unwrap();
            assert_eq!(tally.alive(), 0, "a sleep that goes on without its task");
            drop(armed);
        });
    });
}

#[test]
fn whichever_thread_has_worked_for_it() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let tasks: Vec<_> = (1..=32)
                .map(|number| {
                    with_context(tally.request(number), || {
                        kamon::spawn_blocking(|| {
                            let seen = current();
                            std::mem::forget(store_context(kamon::current_context()));
                            seen
                        })
                    })
                })
                .collect();
            for (number, task) in (1..).zip(tasks) {
                assert_eq!(task.await.unwrap(), number);
            }
        });
        // The threads are there still, idle.
        assert!(runtime.metrics().num_blocking_threads() > 0);
        assert_eq!(tally.alive(), 0);
    });
}

#[test]
fn whatever_a_request_has_started_for_all() {
    on_each(|runtime| {
        let (connections, requests) = (Tally::new(), Tally::new());
        runtime.block_on(async {
            // A pooled connection: a task for ever, which answers in its asker's Context.
            type Question = (kamon::Context, tokio::sync::oneshot::Sender<u32>);
            let (pool, mut questions) = tokio::sync::mpsc::unbounded_channel::<Question>();
            let connect = kamon::spawn_in(requests.request(1), {
                let connection = connections.value();
                async {
                    drop(kamon::spawn_root(async move {
                        let _connection = connection;
                        while let Some((context, answer)) = questions.recv().await {
                            async { answer.send(current()).unwrap() }
                                .in_context(context)
                                .await;
                        }
                    }));
                }
            });
            connect.await.unwrap();
            assert_eq!((requests.alive(), connections.alive()), (0, 1));
            for number in 2..100 {
                let (answer, answered) = tokio::sync::oneshot::channel();
                let pool = &pool;
                let ask = async move {
                    pool.send((kamon::current_context(), answer)).ok().unwrap();
                    answered.await.unwrap()
                };
                assert_eq!(ask.in_context(requests.request(number)).await, number);
                gone(&requests).await;
            }
            drop(pool);
            gone(&connections).await;
        });
    });
}

#[test]
fn whichever_local_task_it_was() {
    on_each(|runtime| {
        let tally = Tally::new();
        let local = LocalSet::new();
        let tasks: Vec<_> = (1..=10)
            .map(|number| {
                with_context(tally.request(number), || {
                    local.spawn_local(async {
                        let _scope = store_context(kamon::current_context());
                        pause().await;
                        current()
                    })
                })
            })
            .collect();
        local.block_on(runtime, async {
            for (number, task) in (1..).zip(tasks) {
                assert_eq!(task.await.unwrap(), number);
            }
        });
        assert_eq!(tally.alive(), 0, "the set is there still");
    });
}

#[test]
fn when_its_runtime_has_ended() {
    for number in [0, 1, 2, 4] {
        let (runtime, tally) = (workers(number), Tally::new());
        let mut kept = Vec::new();
        for number in 0..50 {
            let _scope = store_context(tally.request(number));
            let waiting = runtime.spawn(std::future::pending::<()>());
            kept.push(waiting.abort_handle());
            drop(runtime.spawn(async { pause().await }));
            drop(runtime.spawn_blocking(current));
            let _guard = runtime.enter();
            drop(call_later(Duration::from_secs(3600), || ()));
        }
        assert_eq!(tally.alive(), 50);
        runtime.shut_down();
        assert_eq!(tally.alive(), 0);
        assert!(kept.iter().all(|handle| handle.is_finished()));
    }
}

/// One worker and no guest, so that it is known who runs when.
#[test]
fn before_a_turn_in_another_context() {
    let (runtime, tally) = (workers(1), Tally::new());
    let (tell, told) = std::sync::mpsc::channel();
    let inside = tally.clone();
    drop(runtime.spawn(async move {
        let request = inside.request(1);
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let ran = ran.clone();
            drop(kamon::spawn_in(request.clone(), async move {
                ran.fetch_add(1, Ordering::Relaxed);
            }));
        }
        drop(request);
        while ran.load(Ordering::Relaxed) < 3 {
            kamon::task::yield_now().await;
        }
        tell.send(inside.alive()).unwrap();
    }));
    assert_eq!(told.recv(), Ok(0));
}

/// The worker has nothing else to do, and nobody wakes it again.
#[test]
fn before_a_worker_rests() {
    let (runtime, tally) = (workers(1), Tally::new());
    let request = tally.request(1);
    for _ in 0..3 {
        with_context(request.clone(), || drop(runtime.spawn(async {})));
    }
    drop(request);
    futures_lite::future::block_on(tally.gone());
}
