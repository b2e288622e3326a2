//! What the tests of actors share: a diary in which actors note whose Context they see, and the
//! runtimes that they run on.
#![allow(dead_code)] // Each test uses some.

use std::future::Future;

use kamon::ContextFutureExt as _;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

use crate::witness::{current, on_each, request};

/// Notes what happens, and which request was current there.
#[derive(Clone)]
pub(crate) struct Pen(UnboundedSender<(String, u32)>);

/// Reads what was noted, in that order.
pub(crate) struct Diary(UnboundedReceiver<(String, u32)>);

pub(crate) fn diary() -> (Pen, Diary) {
    let (sender, receiver) = unbounded_channel();
    (Pen(sender), Diary(receiver))
}

impl Pen {
    pub(crate) fn note(&self, what: impl Into<String>) {
        // A test that has seen enough does not read on.
        let _ = self.0.send((what.into(), current()));
    }
}

impl Diary {
    /// Waits for the next note.
    pub(crate) async fn next(&mut self) -> (String, u32) {
        self.0.recv().await.expect("something is noted")
    }

    /// Waits for a note and asserts what it is.
    #[track_caller]
    pub(crate) fn expect<'a>(
        &'a mut self,
        what: &'a str,
        request: u32,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            assert_eq!(self.next().await, (what.to_owned(), request), "at {place}");
        }
    }

    /// Waits for as many notes and asserts which they are, in any order.
    pub(crate) async fn expect_all(&mut self, expected: &[(&str, u32)]) {
        let mut notes = Vec::new();
        while notes.len() < expected.len() {
            notes.push(self.next().await);
        }
        notes.sort();
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(what, request)| ((*what).to_owned(), *request))
            .collect();
        expected.sort();
        assert_eq!(notes, expected);
    }
}

/// Calls `f` as this request.
pub(crate) fn as_request<R>(number: u32, f: impl FnOnce() -> R) -> R {
    kamon::with_context(request(number), f)
}

/// Awaits a future as this request.
pub(crate) async fn in_request<F: Future>(number: u32, future: F) -> F::Output {
    future.in_context(request(number)).await
}

/// Runs a test on kamon's runtimes, whose threads must be left with nothing, and on tokio's.
pub(crate) fn everywhere<F: Future<Output = ()>>(test: impl Fn() -> F) {
    on_each(|runtime| runtime.block_on(test()));
    for workers in [1, 4] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(test());
    }
}
