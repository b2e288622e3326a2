//! The cooperative budget: a task that is always ready yields nevertheless.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::runtime::{Builder, Runtime};
use kamon::task::coop::{cooperative, has_budget_remaining, poll_proceed};
use kamon::task::{consume_budget, unconstrained, yield_now, JoinSet};

/// The operations that a poll may have.
const BUDGET: usize = 128;

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn on_each(test: impl Fn(Runtime)) {
    test(current_thread());
    test(
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap(),
    );
}

/// Polls a future once, in the task that runs.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// How often `operation` is ready, one after the other in one poll; at most 1,000 times.
fn ready_times<F: Future>(mut operation: impl FnMut() -> F) -> usize {
    (0..1000)
        .take_while(|_| poll_once(operation()).is_ready())
        .count()
}

#[test]
fn each_poll_has_its_budget() {
    on_each(|runtime| {
        let task = runtime.spawn(async {
            for _ in 0..3 {
                assert!(has_budget_remaining());
                assert_eq!(ready_times(consume_budget), BUDGET);
                assert!(!has_budget_remaining());
                yield_now().await;
            }
        });
        runtime.block_on(async {
            assert_eq!(ready_times(consume_budget), BUDGET);
            task.await.unwrap();
            assert_eq!(ready_times(consume_budget), BUDGET - 1, "one for the task");
        });
    });
}

#[test]
fn outside_of_tasks_there_is_no_limit() {
    assert_eq!(ready_times(consume_budget), 1000);
    on_each(|runtime| {
        runtime.block_on(async { assert_eq!(ready_times(consume_budget), BUDGET) });
        assert_eq!(ready_times(consume_budget), 1000);
        let blocking = runtime.spawn_blocking(|| ready_times(consume_budget));
        assert_eq!(runtime.block_on(blocking).unwrap(), 1000);
    });
}

#[test]
fn it_is_lifted_for_a_future_and_comes_back() {
    current_thread().block_on(async {
        let lifted = unconstrained(async { ready_times(consume_budget) });
        assert_eq!(lifted.await, 1000);
        assert_eq!(ready_times(consume_budget), BUDGET);
        assert_eq!(
            unconstrained(async { ready_times(consume_budget) }).await,
            1000
        );
        assert!(!has_budget_remaining());
    });
}

#[test]
fn a_unit_goes_back_unless_there_was_progress() {
    current_thread().block_on(async {
        let mut cx = TaskContext::from_waker(Waker::noop());
        for _ in 0..2 * BUDGET {
            assert!(poll_proceed(&mut cx).is_ready());
        }
        assert_eq!(ready_times(|| cooperative(std::future::pending::<()>())), 0);
        assert_eq!(ready_times(|| cooperative(std::future::ready(()))), BUDGET);
        assert!(poll_proceed(&mut cx).is_pending());
    });
}

#[test]
fn joining_spends_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut tasks: Vec<_> = (0..2 * BUDGET).map(|_| kamon::spawn(async {})).collect();
            let mut set: JoinSet<()> = (0..2 * BUDGET).map(|_| async {}).collect();
            while !tasks.iter().all(|task| task.is_finished()) {
                yield_now().await;
            }
            let joined = ready_times(|| {
                let task = tasks.pop().unwrap();
                async { task.await.unwrap() }
            });
            assert_eq!(joined, BUDGET);
            // The task that was in the way when the budget ended is detached.
            yield_now().await;
            let mut joined = 0;
            while poll_once(set.join_next()).is_ready() {
                joined += 1;
            }
            assert!(joined <= BUDGET);
            while set.join_next().await.is_some() {}
        });
    });
}

/// What is ready all the time and awaits in a loop leaves the thread to others now and then.
#[test]
fn nobody_is_kept_waiting_for_ever() {
    on_each(|runtime| {
        let greedy = runtime.spawn(async {
            loop {
                consume_budget().await;
            }
        });
        let modest = runtime.spawn(async { yield_now().await });
        runtime.block_on(modest).unwrap();
        greedy.abort();
        assert!(runtime.block_on(greedy).unwrap_err().is_cancelled());
    });
}

#[cfg(feature = "tokio")]
mod tokios {
    //! tokio's resources count against a budget of tokio's, which kamon's runtimes see to.

    use std::future::poll_fn;

    use tokio::sync::{mpsc, Semaphore};

    use super::*;
    use kamon::task::{block_in_place, LocalSet};

    /// The least that a turn may have when it shares a budget with others.
    const ALMOST: usize = BUDGET - 1;

    fn acquired() -> usize {
        let semaphore = Semaphore::new(10_000);
        ready_times(|| {
            let acquire = semaphore.acquire();
            async { acquire.await.unwrap().forget() }
        })
    }

    #[test]
    fn the_future_that_is_blocked_on_has_all_of_it_in_each_poll() {
        on_each(|runtime| {
            runtime.block_on(async {
                for _ in 0..100 {
                    assert_eq!(acquired(), BUDGET);
                    yield_now().await;
                }
            });
        });
    }

    #[test]
    fn a_turn_never_begins_without_it() {
        on_each(|runtime| {
            let tasks = [(); 3].map(|()| {
                runtime.spawn(async {
                    for _ in 0..100 {
                        let acquired = acquired();
                        assert!((1..=BUDGET).contains(&acquired), "{acquired}");
                        yield_now().await;
                    }
                })
            });
            runtime.block_on(async {
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    }

    #[test]
    fn tokio_tasks_may_enter_the_runtime() {
        on_each(|runtime| {
            let handle = runtime.handle().clone();
            runtime.block_on(async move {
                // Far more than a thread has units in stock.
                for _ in 0..200 {
                    let handle = handle.clone();
                    let entered = tokio::spawn(async move { drop(handle.enter()) });
                    entered.await.unwrap();
                }
            });
        });
    }

    #[test]
    fn tokio_tasks_may_block_on_the_runtime_in_place() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        runtime.block_on(async move {
            for _ in 0..200 {
                let handle = handle.clone();
                let task =
                    tokio::spawn(async move { block_in_place(|| handle.block_on(async {})) });
                task.await.unwrap();
            }
        });
    }

    #[test]
    fn a_future_that_tokio_blocks_on_may_enter_the_runtime() {
        on_each(|runtime| {
            let _guard = runtime.enter();
            let inner = tokio::runtime::Handle::current();
            for _ in 0..200 {
                // Each takes a unit.
                runtime.block_on(async {});
                inner.block_on(async { drop(runtime.enter()) });
            }
        });
    }

    #[test]
    fn local_tasks_have_it_too() {
        current_thread().block_on(async {
            let local = LocalSet::new();
            let task = local.spawn_local(async {
                for _ in 0..100 {
                    assert!((1..=BUDGET).contains(&acquired()));
                    yield_now().await;
                }
            });
            local.run_until(task).await.unwrap();
        });
    }

    /// The channel never runs dry: who receives gives way because of the budget, or not at all.
    #[test]
    fn a_channel_that_is_always_full_keeps_nobody_waiting() {
        on_each(|runtime| {
            let (sender, mut receiver) = mpsc::channel(1000);
            let greedy = runtime.spawn(async move {
                loop {
                    if sender.try_send(()).is_err() {
                        receiver.recv().await.unwrap();
                    }
                }
            });
            let modest = runtime.spawn(async { yield_now().await });
            runtime.block_on(modest).unwrap();
            greedy.abort();
            assert!(runtime.block_on(greedy).unwrap_err().is_cancelled());
        });
    }

    #[test]
    fn it_is_lifted_where_nobody_would_poll_again() {
        on_each(|runtime| {
            runtime.block_on(async {
                assert_eq!(acquired(), BUDGET);
                let lifted = unconstrained(async { acquired() });
                assert_eq!(lifted.await, 1000);
                assert_eq!(kamon::spawn_blocking(acquired).await.unwrap(), 1000);
            });
            assert_eq!(acquired(), 1000, "the thread is as it was before");
        });
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn(async {
            assert!((1..=BUDGET).contains(&acquired()));
            assert_eq!(block_in_place(acquired), 1000);
            assert_eq!(acquired(), 0, "and then it is as it was");
        });
        runtime.block_on(task).unwrap();
    }

    /// The budget of a tokio task is used up, and nobody renews it while that task blocks.
    #[test]
    fn a_kamon_runtime_goes_on_inside_of_a_tokio_task() {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        tokio.block_on(async {
            assert_eq!(acquired(), BUDGET);
            let runtime = Builder::new_multi_thread().worker_threads(1).build();
            let sum = runtime.unwrap().block_on(async {
                let (sender, mut receiver) = mpsc::channel(1);
                let task = kamon::spawn(async move {
                    for number in 0..1000 {
                        sender.send(number).await.unwrap();
                    }
                });
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                task.await.unwrap();
                sum
            });
            assert_eq!(sum, 499_500);
            assert_eq!(acquired(), 0, "and then it is as it was");
        });
    }

    #[test]
    fn runtimes_inside_of_runtimes_keep_to_themselves() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn(async {
            let inner = block_in_place(|| {
                current_thread().block_on(async {
                    let task = kamon::spawn(async { acquired() });
                    (acquired(), task.await.unwrap())
                })
            });
            assert_eq!(inner, (BUDGET, ALMOST));
            // tokio's own runtime, on a thread of ours.
            let tokio = tokio::runtime::Builder::new_current_thread().build();
            let within = block_in_place(|| {
                tokio
                    .unwrap()
                    .block_on(async { current_thread().block_on(async { acquired() }) })
            });
            assert_eq!(within, 1000);
        });
        runtime.block_on(task).unwrap();
    }

    /// A waker that comes with an exhausted budget wakes the task, and nobody else.
    #[test]
    fn whoever_runs_out_of_it_is_woken() {
        current_thread().block_on(async {
            assert_eq!(acquired(), BUDGET);
            let semaphore = Semaphore::new(1);
            let mut acquire = pin!(semaphore.acquire());
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                acquire
                    .as_mut()
                    .poll(cx)
                    .map(|permit| drop(permit.unwrap()))
            })
            .await;
            assert_eq!(polls, 2);
        });
    }
}
