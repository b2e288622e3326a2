//! Values in a Context that are counted.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use kamon::{Context, Key};

use super::locks::Mutex;
use super::request;

static VALUE: Key<Option<Value>> = Key::local("counted value", || None);

/// Counts the values that are alive. Clones share the count.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Count>>);

#[derive(Default)]
struct Count {
    alive: usize,
    /// Who waits until so few are left.
    waiting: Vec<(usize, Waker)>,
}

/// Alive until it is dropped.
pub(crate) struct Value(Arc<Mutex<Count>>);

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally::default()
    }

    /// One more value.
    pub(crate) fn value(&self) -> Value {
        self.0.lock().unwrap().alive += 1;
        Value(self.0.clone())
    }

    /// A Context of a request, with a value in it.
    pub(crate) fn request(&self, number: u32) -> Context {
        request(number).with_key(&VALUE, Some(self.value()))
    }

    pub(crate) fn alive(&self) -> usize {
        self.0.lock().unwrap().alive
    }

    /// Waits until no more than so many are alive.
    pub(crate) async fn at_most(&self, number: usize) {
        poll_fn(|cx| {
            let mut count = self.0.lock().unwrap();
            if count.alive <= number {
                return Poll::Ready(());
            }
            count.waiting.push((number, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Waits until none is alive: nothing is left of any request.
    pub(crate) async fn gone(&self) {
        self.at_most(0).await;
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let woken: Vec<(usize, Waker)> = {
            let mut count = self.0.lock().unwrap();
            count.alive -= 1;
            let alive = count.alive;
            let (woken, waiting) = std::mem::take(&mut count.waiting)
                .into_iter()
                .partition(|(few, _)| alive <= *few);
            count.waiting = waiting;
            woken
        };
        woken.into_iter().for_each(|(_, waker)| waker.wake());
    }
}
