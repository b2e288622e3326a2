//! A future that keeps its open Scopes from one poll to the next.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::slot::{self, Frame, SavedScopes};

pin_project! {
    /// Wraps a future that stays on one thread and may therefore hold a Scope across `.await`.
    ///
    /// A Scope that is open when a poll ends is open again in the next one, and nothing that runs
    /// in between sees it. While the future is dropped its Scopes are open too; those it does not
    /// close itself are disposed of after it.
    pub(crate) struct Scoped<F> {
        saved: SavedScopes,
        // Gone only while the whole is being dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let saved = this.saved;
            slot::with_current(|context| {
                let _frame = Frame::resume(context, saved);
                this.future.set(None);
            });
        }
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(future: F) -> Self {
        Scoped {
            saved: SavedScopes::new(),
            future: Some(future),
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let saved = this.saved;
        let future = this
            .future
            .as_pin_mut()
            .expect("dropped futures are not polled");
        slot::with_current(|context| {
            let _frame = Frame::resume(context, saved);
            future.poll(cx)
        })
    }
}
