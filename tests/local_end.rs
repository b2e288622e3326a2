//! Local futures are dropped on their own thread and in their own Context, no later than their
//! set, whoever wakes, aborts or forgets them.

mod at_home;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;

use crate::at_home::{as_user, runtime, settle, users, Dropped};
use at_home::locks::Mutex;
use kamon::task::{spawn_local, JoinHandle, LocalSet};
use tokio::sync::oneshot;

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
    for _ in 0..300 {
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
