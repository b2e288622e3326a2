//! A `JoinSet` hands out results in the order in which tasks end, and looks at no others.

mod locks;

use std::future::{pending, poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use kamon::runtime::{Builder, Runtime};
use kamon::task::{JoinSet, LocalSet};
use kamon::{Context, Key};
use locks::Mutex;
use tokio::sync::oneshot;

static USER: Key<&'static str> = Key::local("join_set user", || "nobody");

fn user() -> &'static str {
    kamon::current_context().get::<&'static str>(&USER)
}

fn as_user<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    kamon::with_context_key(&USER, name, f)
}

/// A runtime whose tasks run only while somebody blocks on it, so that tests decide when.
fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// Lets every task that can run do so.
async fn settle() {
    for _ in 0..10 {
        kamon::task::yield_now().await;
    }
}

/// Counts its drops, and the user in whose Context they happen.
struct Dropped(Arc<Mutex<Vec<&'static str>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(user());
    }
}

#[derive(Default)]
struct CountingWaker(AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is ready when polled for the second time, with its waker woken in between.
struct Twice(bool);

impl Future for Twice {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn results_come_in_the_order_in_which_tasks_end() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let mut senders = Vec::new();
        for _ in 0..5 {
            let (sender, receiver) = oneshot::channel::<u32>();
            senders.push(Some(sender));
            set.spawn(async move { receiver.await.unwrap() });
        }
        settle().await;
        // Nobody has polled the set so far, and still it knows who ended when.
        for index in [3, 0, 4, 2] {
            senders[index].take().unwrap().send(index as u32).unwrap();
            settle().await;
        }
        for expected in [3, 0, 4, 2] {
            assert_eq!(set.join_next().await.unwrap().unwrap(), expected);
        }
        assert!(set.try_join_next().is_none());
        assert_eq!(set.len(), 1);
        senders[1].take().unwrap().send(1).unwrap();
        assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
        assert!(set.join_next().await.is_none());
        assert!(set.is_empty());
    });
}

#[test]
fn ids_are_those_of_the_abort_handles() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let good = set.spawn(async { kamon::task::id() });
        let (id, inner) = set.join_next_with_id().await.unwrap().unwrap();
        assert_eq!((id, inner), (good.id(), good.id()));

        let bad = set.spawn(async { panic!("on purpose") });
        let error = set.join_next_with_id().await.unwrap().unwrap_err();
        assert!(error.is_panic());
        assert_eq!(error.id(), bad.id());

        let aborted = set.spawn(pending());
        aborted.abort();
        settle().await;
        let error = set.try_join_next_with_id().unwrap().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.id(), aborted.id());
        assert!(aborted.is_finished());
    });
}

#[test]
fn every_way_to_spawn_inherits_the_context() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    runtime.block_on(async move {
        let local = LocalSet::new();
        let mut set = JoinSet::new();
        as_user("ada", || {
            set.spawn(async { user() });
            set.spawn_on(async { user() }, &handle);
            set.spawn_blocking(user);
            set.spawn_blocking_on(user, &handle);
            set.spawn_local_on(async { user() }, &local);
            let _guard = local.enter();
            set.spawn_local(async { user() });
        });
        assert_eq!(set.len(), 6);
        let users = local.run_until(set.join_all()).await;
        assert_eq!(users, ["ada"; 6]);
        assert_eq!(user(), "nobody");
    });
}

#[test]
fn join_next_may_be_dropped_at_any_time() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let (sender, receiver) = oneshot::channel::<u32>();
        set.spawn(async move { receiver.await.unwrap() });
        {
            let mut next = pin!(set.join_next());
            poll_fn(|cx| {
                assert!(next.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        sender.send(7).unwrap();
        settle().await;
        {
            let _never_polled = set.join_next();
        }
        assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
    });
}

#[test]
fn the_waker_of_the_last_poll_is_woken_once() {
    let wakers = [
        Arc::new(CountingWaker::default()),
        Arc::new(CountingWaker::default()),
    ];
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let (sender, receiver) = oneshot::channel::<u32>();
        set.spawn(async move { receiver.await.unwrap() });
        for counting in &wakers {
            let waker = Waker::from(counting.clone());
            let mut cx = TaskContext::from_waker(&waker);
            assert!(set.poll_join_next(&mut cx).is_pending());
        }
        sender.send(1).unwrap();
        settle().await;
        assert_eq!(wakers[0].0.load(Ordering::SeqCst), 0);
        assert_eq!(wakers[1].0.load(Ordering::SeqCst), 1);
        let waker = Waker::from(wakers[0].clone());
        let mut cx = TaskContext::from_waker(&waker);
        let Poll::Ready(Some(Ok((_, 1)))) = set.poll_join_next_with_id(&mut cx) else {
            panic!("the task has ended");
        };
        assert!(matches!(set.poll_join_next(&mut cx), Poll::Ready(None)));
    });
    assert_eq!(Arc::strong_count(&wakers[0]), 1, "no waker is kept");
    assert_eq!(Arc::strong_count(&wakers[1]), 1, "no waker is kept");
}

#[test]
fn join_all_returns_outputs_or_passes_the_panic_on() {
    runtime().block_on(async {
        let set: JoinSet<u32> = (0..5).map(|number| async move { number }).collect();
        let mut outputs = set.join_all().await;
        outputs.sort_unstable();
        assert_eq!(outputs, [0, 1, 2, 3, 4]);
    });

    let dropped = Arc::new(Mutex::new(Vec::new()));
    let guard = Dropped(dropped.clone());
    let runtime = runtime();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            set.spawn(async { panic!("on purpose") });
            set.join_all().await;
        })
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "on purpose");
    runtime.block_on(settle());
    assert_eq!(dropped.lock().unwrap().len(), 1, "the rest was aborted");
}

#[test]
fn join_next_costs_budget_and_try_join_next_does_not() {
    const TASKS: usize = 1000;
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let ended = Arc::new(AtomicUsize::new(0));
        set.extend((0..TASKS).map(|_| {
            let ended = ended.clone();
            async move { count(&ended) }
        }));
        while ended.load(Ordering::SeqCst) < TASKS {
            kamon::task::yield_now().await;
        }
        let mut joined = 0;
        let mut refused = 0;
        let finished = poll_fn(|_| {
            let mut cx = TaskContext::from_waker(Waker::noop());
            for _ in 0..TASKS {
                match set.poll_join_next(&mut cx) {
                    Poll::Ready(Some(result)) => result.unwrap(),
                    Poll::Ready(None) => unreachable!("there are more"),
                    Poll::Pending => {
                        refused += 1;
                        break;
                    }
                }
                joined += 1;
            }
            Poll::Ready(set.len())
        });
        let left = finished.await;
        assert_eq!(refused, 1, "the budget runs out in one poll");
        assert_eq!(joined + left, TASKS);
        while let Some(result) = set.try_join_next() {
            result.unwrap();
            joined += 1;
        }
        assert_eq!(joined, TASKS);
    });
}

#[test]
fn a_hundred_thousand_tasks_are_no_problem() {
    const TASKS: usize = 100_000;
    runtime().block_on(async {
        let mut set: JoinSet<usize> = (0..TASKS).map(|index| async move { index }).collect();
        let idle = set.spawn(pending());
        let mut seen = vec![false; TASKS];
        for _ in 0..TASKS {
            let index = set.join_next().await.unwrap().unwrap();
            assert!(!std::mem::replace(&mut seen[index], true));
        }
        idle.abort();
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn a_set_knows_little_about_itself() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut set = JoinSet::default();
    assert_eq!(format!("{set:?}"), "JoinSet { len: 0 }");
    set.spawn(async {});
    assert_eq!(format!("{set:?}"), "JoinSet { len: 1 }");

    fn send_sync_unpin<T: Send + Sync + Unpin>(_: &T) {}
    // `Cell` is not `Sync`, a self-referential future's output need not be `Unpin`.
    send_sync_unpin(&JoinSet::<std::cell::Cell<u32>>::new());
    send_sync_unpin(&JoinSet::<std::marker::PhantomPinned>::new());
}

#[test]
fn the_joiner_keeps_its_context() {
    runtime().block_on(async {
        let context = Context::empty().with_key(&USER, "joiner");
        use kamon::ContextFutureExt as _;
        async {
            let mut set = JoinSet::new();
            as_user("task", || set.spawn(async { user() }));
            assert_eq!(set.join_next().await.unwrap().unwrap(), "task");
            assert_eq!(user(), "joiner");
        }
        .in_context(context)
        .await;
    });
}

#[test]
fn polls_of_tasks_are_not_taken_for_their_end() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(Twice(false));
        assert!(set.try_join_next().is_none());
        assert!(set.join_next().await.unwrap().is_ok());
    });
}
