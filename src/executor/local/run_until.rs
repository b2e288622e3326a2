//! One future and, whenever it is polled, the tasks of a set.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::executor::local::queue::TURNS;
use crate::executor::local::LocalSet;

pin_project! {
    /// The future of [`LocalSet::run_until`].
    pub(super) struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
    }
}

impl<'a, F> RunUntil<'a, F> {
    pub(super) fn new(set: &'a LocalSet, future: F) -> Self {
        RunUntil { set, future }
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let shared = this.set.shared();
        let nested = shared.is_polling();
        let polling = shared.begin_poll();
        if nested {
            // Inside one of the set's own tasks: whoever is running the set goes on doing so, and
            // it is his waker that the set has to know.
            return this.future.poll(cx);
        }
        shared.register(cx.waker());
        let polled = this.future.poll(cx);
        if polled.is_pending() {
            polling.run(TURNS);
        }
        if shared.has_ready() {
            cx.waker().wake_by_ref();
        }
        polled
    }
}
