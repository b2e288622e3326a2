//! Local tasks stay on their thread, from the first poll to the drop, whoever wakes, aborts or
//! forgets them; and each has its own Context and its own Scopes.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, Future};
use std::panic::catch_unwind;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use kamon::runtime::{Builder, Runtime};
use kamon::task::{spawn_local, JoinHandle, LocalSet};
use kamon::{Context, Key};
use tokio::sync::oneshot;

static USER: Key<&'static str> = Key::local("local user", || "nobody");

fn user() -> &'static str {
    *kamon::current_context().get(&USER)
}

fn as_user<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    kamon::with_context_key(&USER, name, f)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn settle() {
    for _ in 0..10 {
        kamon::task::yield_now().await;
    }
}

/// Notes on which thread and in whose Context it is dropped.
struct Dropped(Arc<Mutex<Vec<(ThreadId, &'static str)>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0
            .lock()
            .unwrap()
            .push((thread::current().id(), user()));
    }
}

fn users(drops: &Mutex<Vec<(ThreadId, &'static str)>>) -> Vec<&'static str> {
    let mut users: Vec<_> = drops
        .lock()
        .unwrap()
        .iter()
        .map(|(_, user)| *user)
        .collect();
    users.sort_unstable();
    users
}

#[test]
fn tasks_share_their_thread_and_inherit_their_context() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let task = as_user("ada", || {
            let seen = seen.clone();
            local.spawn_local(async move {
                seen.borrow_mut().push(user());
                let nested = as_user("bob", || {
                    let seen = seen.clone();
                    spawn_local(async move {
                        kamon::task::yield_now().await;
                        seen.borrow_mut().push(user());
                        kamon::spawn(async { user() }).await.unwrap()
                    })
                });
                let of_runtime = nested.await.unwrap();
                seen.borrow_mut().push(user());
                of_runtime
            })
        });
        assert_eq!(local.run_until(task).await.unwrap(), "bob");
        assert_eq!(*seen.borrow(), ["ada", "bob", "ada"]);
        assert_eq!(user(), "nobody");
    });
}

#[test]
fn the_set_is_ready_when_all_its_tasks_are() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let ended = Rc::new(Cell::new(0));
        let (sender, receiver) = oneshot::channel::<()>();
        for _ in 0..200 {
            let ended = ended.clone();
            local.spawn_local(async move {
                kamon::task::yield_now().await;
                let inner = ended.clone();
                spawn_local(async move { inner.set(inner.get() + 1) });
                ended.set(ended.get() + 1);
            });
        }
        local.spawn_local(async move { receiver.await.unwrap() });
        kamon::spawn(async move {
            settle().await;
            sender.send(()).unwrap();
        });
        local.await;
        assert_eq!(ended.get(), 400);
        LocalSet::default().await;
    });
}

#[test]
fn directly_inside_block_on_no_set_is_needed() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let this_thread = thread::current().id();
    for runtime in [
        runtime(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap(),
    ] {
        runtime.block_on(async {
            let shared = Rc::new(Cell::new(0));
            let task = as_user("ada", || {
                let shared = shared.clone();
                kamon::spawn_local(async move {
                    shared.set(1);
                    let nested = spawn_local(async move { (thread::current().id(), user()) });
                    // Woken from elsewhere, too.
                    kamon::spawn_blocking(|| ()).await.unwrap();
                    nested.await.unwrap()
                })
            });
            assert_eq!(task.await.unwrap(), (this_thread, "ada"));
            assert_eq!(shared.get(), 1);

            let guard = Dropped(drops.clone());
            as_user("left over", || {
                kamon::spawn_local(async move {
                    let _guard = guard;
                    pending::<()>().await;
                })
            });
        });
        assert_eq!(*drops.lock().unwrap(), [(this_thread, "left over")]);
        drops.lock().unwrap().clear();
    }
}

#[test]
fn outside_of_a_set_spawn_local_panics() {
    let message = |result: thread::Result<()>| *result.unwrap_err().downcast::<&str>().unwrap();
    let expected =
        "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`";
    assert_eq!(
        message(catch_unwind(|| drop(spawn_local(async {})))),
        expected
    );

    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let error = runtime
        .block_on(runtime.spawn(async { drop(spawn_local(async {})) }))
        .unwrap_err();
    assert_eq!(message(Err(error.into_panic())), expected);
}

#[test]
fn a_task_that_can_move_has_no_home_on_the_thread_that_blocks() {
    // On a current-thread runtime, tasks run on the thread of `block_on`, but not inside of the
    // future that it blocks on.
    runtime().block_on(async {
        kamon::spawn_local(async {}).await.unwrap();
        let error = kamon::spawn(async { drop(spawn_local(async {})) })
            .await
            .unwrap_err();
        assert!(error.is_panic());
    });
}

#[test]
fn dropping_the_set_drops_each_future_in_its_own_context() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let mut handles: Vec<JoinHandle<()>> = Vec::new();
    let runtime = runtime();
    {
        let local = LocalSet::new();
        let mut spawn = |name, woken: bool| {
            let guard = Dropped(drops.clone());
            handles.push(as_user(name, || {
                local.spawn_local(async move {
                    let _guard = guard;
                    poll_fn(|cx| {
                        if woken {
                            cx.waker().wake_by_ref();
                        }
                        Poll::<()>::Pending
                    })
                    .await
                })
            }));
        };
        spawn("idle", false);
        spawn("woken", true);
        runtime.block_on(local.run_until(settle()));
        let spawn = |name| {
            let guard = Dropped(drops.clone());
            as_user(name, || {
                local.spawn_local(async move {
                    let _guard = guard;
                })
            })
        };
        handles.push(spawn("never polled"));
        as_user("somebody else", || drop(local));
    }
    assert_eq!(users(&drops), ["idle", "never polled", "woken"]);
    for handle in handles {
        assert!(handle.is_finished());
        assert!(runtime.block_on(handle).unwrap_err().is_cancelled());
    }
}

#[test]
fn dropping_the_set_contains_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let drops = Arc::new(Mutex::new(Vec::new()));
    let local = LocalSet::new();
    let mut handles = Vec::new();
    for _ in 0..3 {
        let guard = Dropped(drops.clone());
        handles.push(local.spawn_local(async move {
            let _guard = guard;
            let _bomb = Bomb;
            pending::<()>().await;
        }));
    }
    let runtime = runtime();
    runtime.block_on(local.run_until(settle()));
    drop(local);
    assert_eq!(drops.lock().unwrap().len(), 3);
    for handle in handles {
        assert!(runtime.block_on(handle).unwrap_err().is_panic());
    }
}

#[test]
fn a_long_chain_of_drops_needs_no_stack() {
    const LENGTH: usize = 100_000;
    let ended = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    let mut next: Option<oneshot::Sender<()>> = None;
    for _ in 0..LENGTH {
        let (sender, receiver) = oneshot::channel();
        let wakes = next.replace(sender);
        let ended = ended.clone();
        local.spawn_local(async move {
            struct Count(Rc<Cell<usize>>);
            impl Drop for Count {
                fn drop(&mut self) {
                    self.0.set(self.0.get() + 1);
                }
            }
            // Dropping the sender wakes the task that was spawned before.
            let _wakes = wakes;
            let _count = Count(ended);
            let _ = receiver.await;
        });
    }
    runtime().block_on(local.run_until(async {
        for _ in 0..LENGTH / 61 + 2 {
            kamon::task::yield_now().await;
        }
    }));
    assert_eq!(ended.get(), 0, "all wait for one another");
    drop(local);
    assert_eq!(ended.get(), LENGTH);
}

#[test]
fn a_future_that_spawns_as_it_is_dropped_is_the_end_of_it() {
    struct Respawn(Arc<AtomicUsize>);
    impl Drop for Respawn {
        fn drop(&mut self) {
            if self.0.fetch_add(1, Ordering::SeqCst) < 1000 {
                let next = Respawn(self.0.clone());
                let handle = spawn_local(async move { drop(next) });
                assert!(!handle.is_finished(), "it waits in line");
            }
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let local = LocalSet::new();
    let first = Respawn(count.clone());
    local.spawn_local(async move {
        let _first = first;
        pending::<()>().await;
    });
    drop(local);
    assert_eq!(count.load(Ordering::SeqCst), 1001);
}

#[test]
fn wakes_and_aborts_come_from_any_thread_and_at_any_time() {
    let this_thread = thread::current().id();
    let runtime = runtime();
    for _ in 0..50 {
        let drops = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let local = LocalSet::new();
        let mut wakers: Vec<Arc<Mutex<Option<Waker>>>> = Vec::new();
        let mut aborts = Vec::new();
        for _ in 0..8 {
            let guard = Dropped(drops.clone());
            let cell = Arc::new(Mutex::new(None));
            wakers.push(cell.clone());
            let not_send = Rc::new(());
            let handle = local.spawn_local(async move {
                let _guard = guard;
                let _not_send = not_send;
                poll_fn(move |cx| {
                    assert_eq!(thread::current().id(), this_thread);
                    *cell.lock().unwrap() = Some(cx.waker().clone());
                    Poll::<()>::Pending
                })
                .await
            });
            aborts.push(handle.abort_handle());
        }
        let others: Vec<_> = (0..2)
            .map(|number| {
                let (wakers, aborts, stop) = (wakers.clone(), aborts.clone(), stop.clone());
                thread::spawn(move || {
                    let mut turn = 0;
                    while !stop.load(Ordering::Relaxed) {
                        for cell in &wakers {
                            let waker = cell.lock().unwrap().clone();
                            waker.inspect(Waker::wake_by_ref);
                        }
                        turn += 1;
                        if turn % 7 == number {
                            aborts[turn % aborts.len()].abort();
                        }
                        thread::yield_now();
                    }
                })
            })
            .collect();
        runtime.block_on(local.run_until(settle()));
        drop(local);
        {
            let drops = drops.lock().unwrap();
            assert_eq!(drops.len(), 8, "no future outlives the set");
            assert!(drops.iter().all(|(thread, _)| *thread == this_thread));
        }
        stop.store(true, Ordering::Relaxed);
        for other in others {
            other.join().unwrap();
        }
        for (cell, abort) in wakers.iter().zip(&aborts) {
            assert!(abort.is_finished());
            abort.abort();
            if let Some(waker) = cell.lock().unwrap().take() {
                waker.wake();
            }
        }
    }
}

#[test]
fn a_set_waits_for_tasks_that_are_on_their_way() {
    // At any moment some of these threads have taken a task and have not queued it yet.
    const TASKS: usize = 16;
    let runtime = runtime();
    for _ in 0..2000 {
        let dropped = Rc::new(Cell::new(0));
        let wakers = Arc::new(Mutex::new(Vec::new()));
        let local = LocalSet::new();
        for _ in 0..TASKS {
            struct Count(Rc<Cell<usize>>);
            impl Drop for Count {
                fn drop(&mut self) {
                    self.0.set(self.0.get() + 1);
                }
            }
            let guard = Count(dropped.clone());
            let (wakers, mut first) = (wakers.clone(), true);
            local.spawn_local(async move {
                let _guard = guard;
                poll_fn(move |cx| {
                    if std::mem::replace(&mut first, false) {
                        wakers.lock().unwrap().push(cx.waker().clone());
                    }
                    Poll::<()>::Pending
                })
                .await
            });
        }
        runtime.block_on(local.run_until(settle()));
        let wakers = Arc::new(std::mem::take(&mut *wakers.lock().unwrap()));
        assert_eq!(wakers.len(), TASKS);
        let begun = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..3)
            .map(|_| {
                let (wakers, begun) = (wakers.clone(), begun.clone());
                thread::spawn(move || {
                    begun.fetch_add(1, Ordering::SeqCst);
                    wakers.iter().for_each(Waker::wake_by_ref);
                })
            })
            .collect();
        while begun.load(Ordering::SeqCst) == 0 {
            std::hint::spin_loop();
        }
        drop(local);
        assert_eq!(dropped.get(), TASKS);
        for other in others {
            other.join().unwrap();
        }
    }
}

#[test]
fn the_last_waker_may_go_on_another_thread() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let this_thread = thread::current().id();
    let runtime = runtime();
    let local = LocalSet::new();
    let guard = Dropped(drops.clone());
    let slot = Arc::new(Mutex::new(None));
    let of_task = slot.clone();
    drop(local.spawn_local(async move {
        let _guard = guard;
        poll_fn(|cx| {
            *of_task.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await
    }));
    runtime.block_on(local.run_until(settle()));
    let waker = slot.lock().unwrap().take().unwrap();
    // Nobody can wake or join the task any more, but it does not end over there.
    thread::spawn(move || drop(waker)).join().unwrap();
    runtime.block_on(local.run_until(settle()));
    assert!(drops.lock().unwrap().is_empty());
    drop(local);
    assert_eq!(*drops.lock().unwrap(), [(this_thread, "nobody")]);
}

#[test]
fn a_wake_from_another_thread_wakes_the_set() {
    for runtime in [
        runtime(),
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap(),
    ] {
        let local = LocalSet::new();
        let (sender, receiver) = oneshot::channel::<u32>();
        let (ready, is_ready) = std::sync::mpsc::channel::<()>();
        let other = thread::spawn(move || {
            is_ready.recv().unwrap();
            sender.send(1).unwrap();
        });
        let task = local.spawn_local(async move {
            ready.send(()).unwrap();
            receiver.await.unwrap()
        });
        assert_eq!(local.block_on(&runtime, task).unwrap(), 1);
        other.join().unwrap();
    }
}

#[test]
fn spawning_and_waking_from_outside_of_the_set_wakes_it_too() {
    // Both halves are polled by the same `block_on`; the set only when it is woken.
    runtime().block_on(async {
        let local = LocalSet::new();
        let mut polled = 0;
        let mut running = pin!(local.run_until(pending::<()>()));
        let mut other = pin!(async {
            settle().await;
            local.spawn_local(async { 5 }).await.unwrap()
        });
        let output = poll_fn(|cx| {
            polled += 1;
            assert!(running.as_mut().poll(cx).is_pending());
            other.as_mut().poll(cx)
        })
        .await;
        assert_eq!(output, 5);
        assert!(polled < 50, "but not all the time");
    });
}

#[test]
fn a_busy_task_does_not_starve_the_others() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let turns = Rc::new(Cell::new(0_usize));
        let of_task = turns.clone();
        local.spawn_local(async move {
            loop {
                of_task.set(of_task.get() + 1);
                kamon::task::yield_now().await;
            }
        });
        let mut polls = 0;
        let mut future = pin!(local.run_until(async {
            // A task of the runtime gets its turn, and so does this future.
            kamon::spawn(async {}).await.unwrap();
            settle().await;
        }));
        poll_fn(|cx| {
            let before = turns.get();
            let polled = future.as_mut().poll(cx);
            assert!(turns.get() - before <= 61);
            polls += 1;
            polled
        })
        .await;
        assert!(polls > 10);
        assert!(turns.get() > 61, "the task ran as well");
    });
}

#[test]
fn scopes_wait_for_the_next_poll_of_their_task() {
    let context = |name| Context::empty().with_key(&USER, name);
    let crossed = || kamon::context::stats().scopes_crossed_await;
    let before = crossed();
    runtime().block_on(async {
        let local = LocalSet::new();
        let _outer = kamon::store_context(context("outer"));
        let tasks: Vec<_> = ["ada", "bob", "eve"]
            .into_iter()
            .map(|name| {
                local.spawn_local(async move {
                    assert_eq!(user(), "outer");
                    let first = kamon::store_context(context(name));
                    for _ in 0..5 {
                        kamon::task::yield_now().await;
                        assert_eq!(user(), name);
                    }
                    let second = kamon::store_context(context("inner"));
                    kamon::task::yield_now().await;
                    assert_eq!(user(), "inner");
                    drop(second);
                    assert_eq!(user(), name);
                    kamon::task::yield_now().await;
                    drop(first);
                    assert_eq!(user(), "outer");
                })
            })
            .collect();
        local
            .run_until(async {
                for task in tasks {
                    task.await.unwrap();
                    assert_eq!(user(), "outer", "the Scope of this future");
                }
            })
            .await;
    });
    assert_eq!(user(), "nobody");
    assert!(crossed() > before, "and it is counted");
}

#[test]
fn a_scope_ends_with_its_task() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    runtime().block_on(async {
        let local = LocalSet::new();
        let guard = Dropped(drops.clone());
        as_user("ada", || {
            local.spawn_local(async move {
                let _scope =
                    kamon::store_context(kamon::current_context().with_key(&USER, "in scope"));
                // Dropped before the Scope closes.
                let _guard = guard;
                pending::<()>().await;
            })
        });
        let forgetful = local.spawn_local(async {
            let scope = kamon::store_context(Context::empty().with_key(&USER, "forgotten"));
            std::mem::forget(scope);
            kamon::task::yield_now().await;
            user()
        });
        let seen = local.run_until(async {
            let seen = forgetful.await.unwrap();
            (seen, user())
        });
        assert_eq!(seen.await, ("forgotten", "nobody"));
        drop(local);
        assert_eq!(user(), "nobody");
    });
    assert_eq!(users(&drops), ["in scope"]);
    assert_eq!(user(), "nobody");
}

#[test]
fn panics_stay_in_their_task() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let bad = as_user("ada", || local.spawn_local(async { panic!("on purpose") }));
        let good = local.spawn_local(async {
            kamon::task::yield_now().await;
            user()
        });
        local
            .run_until(async {
                assert!(bad.await.unwrap_err().is_panic());
                assert_eq!(good.await.unwrap(), "nobody");
            })
            .await;
    });
}

#[test]
fn enter_guards_may_go_in_any_order() {
    let homeless = || catch_unwind(|| drop(spawn_local(async {}))).is_err();
    let runtime = runtime();
    let (a, b) = (LocalSet::new(), LocalSet::new());
    let in_a = a.enter();
    let in_b = b.enter();
    drop(in_a);
    let of_b = spawn_local(async { "b" });
    assert_eq!(b.block_on(&runtime, of_b).unwrap(), "b");
    assert!(!homeless());
    drop(in_b);
    assert!(
        homeless(),
        "not even the set whose guard went first is left"
    );
}

#[test]
fn a_guard_is_left_at_the_end_of_its_tasks_turn() {
    let runtime = runtime();
    let other = Rc::new(LocalSet::new());
    let local = LocalSet::new();
    let task = {
        let other = other.clone();
        local.spawn_local(async move {
            let guard = other.enter();
            let of_other = spawn_local(async { "other" });
            kamon::task::yield_now().await;
            let of_local = spawn_local(async { "local" });
            drop(guard);
            (of_other, of_local)
        })
    };
    let (of_other, of_local) = runtime.block_on(local.run_until(async {
        let handles = task.await.unwrap();
        settle().await;
        handles
    }));
    assert!(of_local.is_finished());
    assert!(!of_other.is_finished());
    assert!(catch_unwind(|| drop(spawn_local(async {}))).is_err());
    assert_eq!(other.block_on(&runtime, of_other).unwrap(), "other");
}

#[test]
fn a_guard_that_outlives_its_set_spawns_cancelled_tasks() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let local = LocalSet::new();
    let guard = local.enter();
    drop(local);
    let inner = Dropped(drops.clone());
    let task = as_user("late", || {
        spawn_local(async move {
            let _inner = inner;
        })
    });
    assert_eq!(users(&drops), ["late"]);
    drop(guard);
    assert!(runtime().block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_guard_holds_across_await() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let guard = local.enter();
        settle().await;
        let task = spawn_local(async { 3 });
        drop(guard);
        settle().await;
        assert!(!task.is_finished(), "it is on the set that was entered");
        assert_eq!(local.run_until(task).await.unwrap(), 3);
    });
}

#[test]
fn run_until_works_inside_the_sets_own_tasks() {
    let local = Rc::new(LocalSet::new());
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let task = {
        let inner = local.clone();
        local.spawn_local(async move {
            let other = spawn_local(async { kamon::spawn_blocking(|| 1).await.unwrap() });
            let one = inner.run_until(other).await.unwrap();
            drop(inner);
            one + kamon::spawn_blocking(|| 1).await.unwrap()
        })
    };
    assert_eq!(runtime.block_on(local.run_until(task)).unwrap(), 2);
}

#[test]
fn sets_nest() {
    runtime().block_on(async {
        let outer = LocalSet::new();
        let task = outer.spawn_local(async {
            let inner = LocalSet::new();
            let of_inner = as_user("inner", || inner.spawn_local(async { user() }));
            let seen = inner.run_until(of_inner).await.unwrap();
            // Back home.
            let of_outer = spawn_local(async { 1 });
            drop(inner);
            (seen, of_outer.await.unwrap())
        });
        assert_eq!(outer.run_until(task).await.unwrap(), ("inner", 1));
    });
}

#[test]
fn a_set_may_live_in_a_thread_local() {
    thread_local! {
        static SET: LocalSet = LocalSet::new();
    }
    let drops = Arc::new(Mutex::new(Vec::new()));
    let guard = Dropped(drops.clone());
    let other = thread::spawn(move || {
        SET.with(|set| {
            as_user("ada", || {
                set.spawn_local(async move {
                    let _guard = guard;
                    pending::<()>().await;
                })
            });
            runtime().block_on(set.run_until(settle()));
        });
        thread::current().id()
    });
    let other = other.join().unwrap();
    assert_eq!(*drops.lock().unwrap(), [(other, "ada")]);
}

#[test]
fn any_executor_can_run_a_set() {
    let local = LocalSet::new();
    let task = as_user("ada", || {
        local.spawn_local(async {
            kamon::task::yield_now().await;
            user()
        })
    });
    let seen = futures_lite::future::block_on(local.run_until(task));
    assert_eq!(seen.unwrap(), "ada");
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    tokio.block_on(async {
        let local = LocalSet::new();
        let (sender, receiver) = oneshot::channel();
        local.spawn_local(async move { sender.send(Rc::new(1)).unwrap() });
        assert_eq!(*local.run_until(receiver).await.unwrap(), 1);
    });
}
