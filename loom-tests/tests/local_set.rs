//! A local set against threads that wake and abort its tasks: no wake is lost, and no future
//! outlives the set or leaves its thread.

#[allow(dead_code)] // This file needs one of its functions.
mod model;

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon_loomed::task::{AbortHandle, LocalSet};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::Arc;
use loom::thread;

use crate::model::check;

/// Spawns a task that is never ready and polls it once. Returns its waker, how to abort it, and
/// whether its future is gone.
fn pending_task(local: &LocalSet) -> (Waker, AbortHandle, Rc<Cell<bool>>) {
    struct Gone(Rc<Cell<bool>>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let gone = Rc::new(Cell::new(false));
    let waker = Rc::new(Cell::new(None));
    let (guard, of_task) = (Gone(gone.clone()), waker.clone());
    let handle = local.spawn_local(async move {
        let _guard = guard;
        poll_fn(move |cx| {
            of_task.set(Some(cx.waker().clone()));
            Poll::<()>::Pending
        })
        .await
    });
    let mut once = pin!(local.run_until(std::future::pending::<()>()));
    assert!(once
        .as_mut()
        .poll(&mut TaskContext::from_waker(Waker::noop()))
        .is_pending());
    (
        waker.take().expect("the task was polled"),
        handle.abort_handle(),
        gone,
    )
}

/// A step that loom sees. `async-task`'s state is not one of loom's atomics: without such steps on
/// both sides loom would take a wake that found nothing to do for one that touches nothing, and
/// would not try the other order.
#[derive(Clone, Default)]
struct Step(Arc<AtomicUsize>);

impl Step {
    fn take(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn dropping_the_set_waits_for_a_wake_under_way() {
    check("local_set_drop_against_wake", || {
        let local = LocalSet::new();
        let (waker, _, gone) = pending_task(&local);
        let step = Step::default();
        let of_other = step.clone();
        let other = thread::spawn(move || {
            of_other.take();
            waker.wake();
        });
        step.take();
        drop(local);
        assert!(gone.get());
        other.join().unwrap();
    });
}

#[test]
fn dropping_the_set_waits_for_an_abort_and_a_wake_under_way() {
    check("local_set_drop_against_abort", || {
        let local = LocalSet::new();
        let (waker, abort, gone) = pending_task(&local);
        let step = Step::default();
        let (of_wakes, of_aborts) = (step.clone(), step.clone());
        let wakes = thread::spawn(move || {
            of_wakes.take();
            waker.wake();
        });
        let aborts = thread::spawn(move || {
            of_aborts.take();
            abort.abort();
        });
        step.take();
        drop(local);
        assert!(gone.get());
        wakes.join().unwrap();
        aborts.join().unwrap();
    });
}

#[test]
fn a_wake_from_elsewhere_is_not_lost() {
    check("local_set_wake", || {
        let ready = Arc::new(AtomicBool::new(false));
        let local = LocalSet::new();
        let waker = Rc::new(Cell::new(None));
        let (of_task, is_ready) = (waker.clone(), ready.clone());
        let task = local.spawn_local(poll_fn(move |cx| {
            of_task.set(Some(cx.waker().clone()));
            match is_ready.load(Ordering::Relaxed) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        let mut once = pin!(local.run_until(std::future::pending::<()>()));
        assert!(once
            .as_mut()
            .poll(&mut TaskContext::from_waker(Waker::noop()))
            .is_pending());
        let waker: Waker = waker.take().expect("the task was polled");
        let other = thread::spawn(move || {
            ready.store(true, Ordering::Relaxed);
            waker.wake();
        });
        loom::future::block_on(local.run_until(task)).unwrap();
        other.join().unwrap();
    });
}

#[test]
fn an_abort_from_elsewhere_is_not_lost() {
    check("local_set_abort", || {
        let local = LocalSet::new();
        let task = local.spawn_local(std::future::pending::<()>());
        let abort = task.abort_handle();
        let other = thread::spawn(move || abort.abort());
        assert!(loom::future::block_on(local.run_until(task))
            .unwrap_err()
            .is_cancelled());
        other.join().unwrap();
    });
}
