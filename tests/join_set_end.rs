//! A `JoinSet` leaves nothing behind: tasks are aborted or detached, and what nobody has claimed is
//! dropped in its own Context.

mod locks;

use std::future::pending;
use std::sync::Arc;

use kamon::runtime::{Builder, Runtime};
use kamon::task::JoinSet;
use kamon::Key;
use locks::Mutex;
use tokio::sync::oneshot;

static USER: Key<&'static str> = Key::local("join_set_end user", || "nobody");

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

#[test]
fn dropping_the_set_aborts_the_tasks_in_their_contexts() {
    let dropped = Arc::new(Mutex::new(Vec::new()));
    runtime().block_on(async {
        let mut set = JoinSet::new();
        for name in ["ada", "bob"] {
            let guard = Dropped(dropped.clone());
            as_user(name, || {
                set.spawn(async move {
                    let _guard = guard;
                    pending::<()>().await;
                })
            });
        }
        settle().await;
        as_user("somebody else", || drop(set));
        assert!(
            dropped.lock().unwrap().is_empty(),
            "a task ends on its executor"
        );
        settle().await;
    });
    let mut users = dropped.lock().unwrap().clone();
    users.sort_unstable();
    assert_eq!(users, ["ada", "bob"]);
}

#[test]
fn unclaimed_results_are_dropped_in_their_contexts() {
    let dropped = Arc::new(Mutex::new(Vec::new()));
    runtime().block_on(async {
        let mut set = JoinSet::new();
        for name in ["ada", "bob"] {
            let output = Dropped(dropped.clone());
            as_user(name, || set.spawn(async move { output }));
        }
        settle().await;
        as_user("somebody else", || drop(set));
    });
    let mut users = dropped.lock().unwrap().clone();
    users.sort_unstable();
    assert_eq!(users, ["ada", "bob"]);
}

#[test]
fn a_task_that_ends_before_it_is_in_the_set_is_like_the_others() {
    // Workers race with `spawn` here: some tasks end before the set has taken them in.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let dropped = Arc::new(Mutex::new(Vec::new()));
    let mut joined = 0;
    runtime.block_on(async {
        for _ in 0..50 {
            let mut set = JoinSet::new();
            for _ in 0..50 {
                let output = Dropped(dropped.clone());
                as_user("ada", || set.spawn(async move { output }));
            }
            for _ in 0..25 {
                let output = set.join_next().await.unwrap().unwrap();
                joined += 1;
                as_user("claimed", || drop(output));
            }
            as_user("somebody else", || drop(set));
        }
    });
    drop(runtime);
    let users = dropped.lock().unwrap();
    assert_eq!(users.len(), 50 * 50);
    assert_eq!(
        users.iter().filter(|name| **name == "claimed").count(),
        joined
    );
    assert_eq!(
        users.iter().filter(|name| **name == "ada").count(),
        50 * 50 - joined
    );
}

#[test]
fn detached_tasks_go_on_and_report_to_nobody() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        let (sender, receiver) = oneshot::channel();
        let (go, wait) = oneshot::channel::<()>();
        set.spawn(async move {
            wait.await.unwrap();
            sender.send("done").unwrap();
        });
        settle().await;
        set.detach_all();
        assert!(set.is_empty());
        assert!(set.join_next().await.is_none());

        // The newcomer gets the same place in the set, and must not hear what was not for it.
        let newcomer = set.spawn(pending());
        settle().await;
        go.send(()).unwrap();
        assert_eq!(receiver.await.unwrap(), "done");
        settle().await;
        assert!(set.try_join_next().is_none());
        newcomer.abort();
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    });
}

#[test]
fn shutdown_waits_for_the_last() {
    let dropped = Arc::new(Mutex::new(Vec::new()));
    runtime().block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..10 {
            let guard = Dropped(dropped.clone());
            set.spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
        }
        set.spawn(async { panic!("on purpose") });
        set.shutdown().await;
        assert!(set.is_empty());
        assert_eq!(dropped.lock().unwrap().len(), 10);
    });
}

#[test]
fn abort_all_keeps_what_had_ended() {
    runtime().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        settle().await;
        set.spawn(async {
            pending::<()>().await;
            2
        });
        set.abort_all();
        assert_eq!(set.len(), 2);
        assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(set.join_next().await.is_none());
    });
}
