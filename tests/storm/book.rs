//! `Book`: what was seen and should not have been, and what is still alive.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use kamon::{current_context, Context, Key};

use crate::witness::locks::Mutex;
use crate::witness::{request, Tally, Value, REQUEST};

/// Stays in its task, unlike the request.
static OWN: Key<u32> = Key::local("storm own", || 0).not_inherited();

static VALUE: Key<Option<Value>> = Key::local("storm value", || None);

/// What a hop sees: the number of the request, and that of the task if the Context was made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    request: u32,
    own: u32,
}

impl Seen {
    /// What is seen in Empty.
    pub(crate) const EMPTY: Seen = Seen { request: 0, own: 0 };

    /// What is seen in the Context that [`Book::context`] makes.
    pub(crate) const fn of(number: u32) -> Seen {
        Seen {
            request: number,
            own: number,
        }
    }

    /// What is seen by somebody else who inherits.
    pub(crate) fn inherited(self) -> Seen {
        Seen { own: 0, ..self }
    }

    fn now() -> Seen {
        let context = current_context();
        Seen {
            request: *context.get(&REQUEST),
            own: *context.get(&OWN),
        }
    }
}

/// Shared by all hops of a program.
#[derive(Default)]
pub(crate) struct Book {
    contexts: Tally,
    /// Parcels and probes.
    things: Tally,
    hops: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Book {
    /// A Context of this number.
    pub(crate) fn context(&self, number: u32) -> Context {
        let context = request(number).with_key(&OWN, number);
        context.with_key(&VALUE, Some(self.contexts.value()))
    }

    /// Compares what should be seen here with what is.
    pub(crate) fn check(&self, expected: Seen, place: &str) {
        self.hops.fetch_add(1, Ordering::Relaxed);
        let seen = Seen::now();
        if seen != expected {
            let task = kamon::task::try_id();
            let text = format!("{place} (task {task:?}): {seen:?} instead of {expected:?}");
            self.wrong.lock().unwrap().push(text);
        }
    }

    /// Something that has to be dropped in a certain Context.
    pub(crate) fn probe(self: &Arc<Self>, expected: Seen, what: &'static str) -> Probe {
        Probe {
            book: self.clone(),
            expected: Mutex::new(Some(expected)),
            what,
            _alive: self.things.value(),
        }
    }

    pub(crate) fn hops(&self) -> usize {
        self.hops.load(Ordering::Relaxed)
    }

    pub(crate) fn things_alive(&self) -> usize {
        self.things.alive()
    }

    /// What is wrong when it is all over: nothing may be left.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = std::mem::take(&mut *self.wrong.lock().unwrap());
        if self.things.alive() > 0 {
            faults.push(format!("{} things were not dropped", self.things.alive()));
        }
        if self.contexts.alive() > 0 {
            faults.push(format!(
                "{} Contexts are still alive",
                self.contexts.alive()
            ));
        }
        faults
    }
}

/// Compares when it is dropped, unless it was claimed.
pub(crate) struct Probe {
    book: Arc<Book>,
    expected: Mutex<Option<Seen>>,
    what: &'static str,
    _alive: Value,
}

impl Probe {
    /// Expects something else from now on.
    pub(crate) fn expect(&self, seen: Seen) {
        *self.expected.lock().unwrap() = Some(seen);
    }

    /// It has arrived, and may be dropped anywhere.
    pub(crate) fn claim(self) {
        *self.expected.lock().unwrap() = None;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(expected) = *self.expected.get_mut().unwrap() {
            self.book.check(expected, self.what);
        }
    }
}
