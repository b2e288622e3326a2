//! Values in a Context that are counted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use kamon::{Context, Key};

use super::request;

static VALUE: Key<Option<Value>> = Key::local("counted value", || None);

/// Counts the values that are alive. Clones share the count.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<AtomicUsize>);

/// Alive until it is dropped.
pub(crate) struct Value(Arc<AtomicUsize>);

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally::default()
    }

    /// One more value.
    pub(crate) fn value(&self) -> Value {
        self.0.fetch_add(1, Ordering::SeqCst);
        Value(self.0.clone())
    }

    /// A Context of a request, with a value in it.
    pub(crate) fn request(&self, number: u32) -> Context {
        request(number).with_key(&VALUE, Some(self.value()))
    }

    pub(crate) fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
