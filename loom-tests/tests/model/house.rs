//! What models are built from: runtimes on model threads, threads besides them, an event to wait for.

use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon_loomed::__model as inside;
use kamon_loomed::runtime::{Builder, Runtime};
use kamon_loomed::{spawn, with_context};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};

use crate::model::witness::{expect_here, request};

/// A runtime whose every thread stands on a Context of its own: `check` sees to that.
pub(crate) fn workers(number: usize) -> Runtime {
    build(Builder::new_multi_thread().worker_threads(number))
}

/// A runtime whose only worker is whoever blocks on it.
pub(crate) fn current_thread() -> Runtime {
    build(&mut Builder::new_current_thread())
}

/// Builds a runtime that needs more words.
pub(crate) fn build(builder: &mut Builder) -> Runtime {
    builder.build().expect("model threads can always be had")
}

/// Starts a thread that is none of a runtime's, standing on the Context of `number`.
pub(crate) fn beside(number: u32, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || {
        inside::stand_on(request(number));
        run();
        inside::leave_base();
    })
}

/// Spawns two tasks, of requests 2 and 3, that open the gate once each.
pub(crate) fn spawn_two(gate: &Gate) {
    for number in [2, 3] {
        let gate = gate.clone();
        let task = async move {
            expect_here(number, "a poll");
            gate.open();
        };
        drop(with_context(request(number), || spawn(task)));
    }
}

/// Something that happens once. Under a lock, so that it needs nothing of the executor but a wake.
#[derive(Clone, Default)]
pub(crate) struct Event(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    happened: bool,
    waker: Option<Waker>,
}

impl Event {
    pub(crate) fn new() -> Event {
        Event::default()
    }

    /// Lets it happen.
    pub(crate) fn set(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.happened = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn has_happened(&self) -> bool {
        self.0.lock().unwrap().happened
    }

    pub(crate) fn poll(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.happened {
            return Poll::Ready(());
        }
        let old = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    pub(crate) async fn wait(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// Takes the waker of whoever waits.
    pub(crate) fn take_waker(&self) -> Option<Waker> {
        self.0.lock().unwrap().waker.take()
    }
}

/// Something that a thread waits for without being of any use meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<usize>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate::default()
    }

    /// Lets one more through.
    pub(crate) fn open(&self) {
        *self.0 .0.lock().unwrap() += 1;
        self.0 .1.notify_all();
    }

    /// Waits until it was opened so many times.
    pub(crate) fn pass(&self, times: usize) {
        let mut opened = self.0 .0.lock().unwrap();
        while *opened < times {
            opened = self.0 .1.wait(opened).unwrap();
        }
    }
}
