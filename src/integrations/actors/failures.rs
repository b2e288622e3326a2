//! The Contexts in which actors failed, until somebody has dealt with the failures.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::context::Context;
use crate::sync::statics::{Mutex, MutexGuard};

/// How long a failure's Context is kept for a supervisor that has not dealt with it yet, or that
/// there is not. No library says whether somebody watches an actor.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(5);

/// By actor, the Context of the message with which it failed last.
pub(crate) struct Failures<I> {
    table: Mutex<Table<I>>,
}

struct Table<I> {
    failures: HashMap<I, Failure>,
    /// Failures until now, to tell one of an actor from its next.
    noted: u64,
}

struct Failure {
    context: Context,
    number: u64,
    /// The actor has run its last method.
    stopped: bool,
    /// Its successor has run its first one.
    restarted: bool,
}

impl<I: Copy + Eq + Hash + Send + 'static> Failures<I> {
    pub(crate) fn new() -> Self {
        Failures {
            table: Mutex::new(Table {
                failures: HashMap::new(),
                noted: 0,
            }),
        }
    }

    /// Notes that an actor failed in this Context. An empty one need not be remembered.
    pub(crate) fn note(&'static self, actor: I, context: Context) {
        let mut table = self.table();
        let previous = match context.is_empty() {
            true => table.failures.remove(&actor),
            false => {
                table.noted += 1;
                let failure = Failure {
                    context,
                    number: table.noted,
                    stopped: false,
                    restarted: false,
                };
                self.expire(actor, table.noted);
                table.failures.insert(actor, failure)
            }
        };
        // Values are dropped without the lock: their destructors may come here.
        drop(table);
        drop(previous);
    }

    /// The Context in which the actor failed, if it did and nobody has dealt with that.
    #[allow(dead_code)] // Not every library has more than one who asks.
    pub(crate) fn context_of(&self, actor: I) -> Option<Context> {
        let table = self.table();
        table
            .failures
            .get(&actor)
            .map(|failure| failure.context.clone())
    }

    /// As [`context_of`](Self::context_of), for the only one who asks.
    pub(crate) fn take(&self, actor: I) -> Option<Context> {
        let failure = self.table().failures.remove(&actor);
        failure.map(|failure| failure.context)
    }

    /// The actor has run its last method.
    #[allow(dead_code)] // Not every library restarts actors under their old identity.
    pub(crate) fn stopped(&self, actor: I) {
        self.settle(actor, |failure| failure.stopped = true);
    }

    /// The actor's successor under the same identity has run its first method.
    #[allow(dead_code)]
    pub(crate) fn restarted(&self, actor: I) {
        self.settle(actor, |failure| failure.restarted = true);
    }

    fn settle(&self, actor: I, mark: impl FnOnce(&mut Failure)) {
        let mut table = self.table();
        let settled = table.failures.get_mut(&actor).is_some_and(|failure| {
            mark(failure);
            failure.stopped && failure.restarted
        });
        let failure = settled.then(|| table.failures.remove(&actor));
        drop(table);
        drop(failure);
    }

    fn expire(&'static self, actor: I, number: u64) {
        // Actors live in tokio's time; where that is gone, so are they.
        if let Ok(tokio) = ::tokio::runtime::Handle::try_current() {
            tokio.spawn(async move {
                ::tokio::time::sleep(KEPT_FOR).await;
                let mut table = self.table();
                let is_it = |failure: &Failure| failure.number == number;
                let expired = table.failures.get(&actor).is_some_and(is_it);
                let failure = expired.then(|| table.failures.remove(&actor));
                drop(table);
                drop(failure);
            });
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<I>> {
        self.table.lock()
    }
}
