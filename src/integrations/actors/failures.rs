//! The Contexts in which actors failed, until somebody has dealt with the failures.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::context::Context;
use crate::sync::statics::Mutex;

/// How long a failure's Context is kept for a supervisor that has not dealt with it yet, or that
/// there is not. No library says whether somebody watches an actor.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// In how many pieces that time goes by. While a process is stopped, perhaps with its machine, one of them
/// does, and not all: whoever deals with failures was stopped too.
const PIECES: u32 = 10;

/// By actor, the Contexts of the messages with which it failed.
pub(crate) struct Failures<I> {
    table: Mutex<Table<I>>,
    kept_for: Duration,
}

struct Table<I> {
    /// Oldest first. There is more than one if an actor fails again before the one that it
    /// succeeded has run its last method.
    failures: HashMap<I, Vec<Failure>>,
    /// Failures until now, to tell one of an actor from its next.
    noted: u64,
}

struct Failure {
    context: Context,
    number: u64,
    /// The actor has come to its last method.
    stopped: bool,
    /// Its successor has run its first one.
    restarted: bool,
}

impl<I: Copy + Eq + Hash + Send + 'static> Failures<I> {
    pub(crate) fn new() -> Self {
        Failures::keeping(KEPT_FOR)
    }

    /// For Contexts that are kept that long.
    pub(crate) fn keeping(kept_for: Duration) -> Self {
        Failures {
            kept_for,
            table: Mutex::new(Table {
                failures: HashMap::new(),
                noted: 0,
            }),
        }
    }

    /// Notes that an actor failed in this Context.
    pub(crate) fn note(&'static self, actor: I, context: Context) {
        self.add(actor, context, false);
    }

    /// As [`note`](Self::note), of an actor that did not start: it has no last method.
    #[allow(dead_code)] // Not every library tells of that.
    pub(crate) fn note_unstarted(&'static self, actor: I, context: Context) {
        self.add(actor, context, true);
    }

    fn add(&'static self, actor: I, context: Context, stopped: bool) {
        let mut table = self.table.lock();
        table.noted += 1;
        let number = table.noted;
        table.failures.entry(actor).or_default().push(Failure {
            context,
            number,
            stopped,
            restarted: false,
        });
        drop(table);
        self.expire(actor, number);
    }

    /// The Context in which the actor failed last, if nobody has dealt with that.
    #[allow(dead_code)] // Not every library has more than one who asks.
    pub(crate) fn last(&self, actor: I) -> Option<Context> {
        let table = self.table.lock();
        let last = table.failures.get(&actor)?.last()?;
        Some(last.context.clone())
    }

    /// As [`last`](Self::last), by the one who deals with it.
    pub(crate) fn take(&self, actor: I) -> Option<Context> {
        let mut table = self.table.lock();
        let failures = table.failures.get_mut(&actor)?;
        let last = failures.pop()?;
        if failures.is_empty() {
            table.failures.remove(&actor);
        }
        Some(last.context)
    }

    /// The Context of the failure for which the actor comes to its last method now.
    #[allow(dead_code)] // Not every library restarts actors under their old identity.
    pub(crate) fn stop(&self, actor: I) -> Option<Context> {
        let mut stops = None;
        self.change(actor, |failures| {
            if let Some(failure) = failures.iter_mut().find(|failure| !failure.stopped) {
                failure.stopped = true;
                stops = Some(failure.context.clone());
            }
        });
        stops
    }

    /// The actor's successor under the same identity has run its first method.
    #[allow(dead_code)]
    pub(crate) fn restarted(&self, actor: I) {
        self.change(actor, |failures| {
            failures
                .iter_mut()
                .for_each(|failure| failure.restarted = true);
        });
    }

    /// Changes the actor's failures, and lets go of those that all have dealt with.
    fn change(&self, actor: I, change: impl FnOnce(&mut Vec<Failure>)) {
        let mut table = self.table.lock();
        let Some(failures) = table.failures.get_mut(&actor) else {
            return;
        };
        change(failures);
        let settled = |failure: &Failure| failure.stopped && failure.restarted;
        let (gone, left): (Vec<_>, Vec<_>) =
            std::mem::take(failures).into_iter().partition(settled);
        match left.is_empty() {
            true => drop(table.failures.remove(&actor)),
            false => *failures = left,
        }
        // Values are dropped without the lock: their destructors may come here.
        drop(table);
        drop(gone);
    }

    /// Lets go of the failure when its time is over.
    fn expire(&'static self, actor: I, number: u64) {
        let expiry = Expiry {
            failures: self,
            actor,
            number,
        };
        // Actors live in tokio's time; where that is gone, or ends, so are they.
        if let Ok(tokio) = ::tokio::runtime::Handle::try_current() {
            tokio.spawn(async move {
                for _ in 0..PIECES {
                    ::tokio::time::sleep(self.kept_for / PIECES).await;
                }
                drop(expiry);
            });
        }
    }
}

/// Lets go of a failure when it is dropped.
struct Expiry<I: Copy + Eq + Hash + Send + 'static> {
    failures: &'static Failures<I>,
    actor: I,
    number: u64,
}

impl<I: Copy + Eq + Hash + Send + 'static> Drop for Expiry<I> {
    fn drop(&mut self) {
        self.failures.change(self.actor, |failures| {
            let expired = failures
                .iter_mut()
                .filter(|failure| failure.number == self.number);
            expired.for_each(|failure| (failure.stopped, failure.restarted) = (true, true));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Key;
    use std::sync::LazyLock;
    use tokio::sync::mpsc::{channel, Sender};

    static NUMBER: Key<u32> = Key::local("number of a failure", || 0);

    fn context(number: u32) -> Context {
        Context::empty().with_key(&NUMBER, number)
    }

    fn number(context: Option<Context>) -> Option<u32> {
        context.map(|context| *context.get(&NUMBER))
    }

    /// A runtime with nothing but time.
    fn runtime() -> ::tokio::runtime::Runtime {
        let mut runtime = ::tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().unwrap()
    }

    #[test]
    fn whoever_asks_gets_the_failure_it_is_about() {
        static FAILURES: LazyLock<Failures<u8>> = LazyLock::new(Failures::new);
        let runtime = runtime();
        let _entered = runtime.enter();
        FAILURES.note(1, context(1));
        FAILURES.note(2, context(9));
        assert_eq!(number(FAILURES.last(1)), Some(1));
        FAILURES.restarted(1);
        // The successor fails before the first one has stopped.
        FAILURES.note(1, context(2));
        assert_eq!(number(FAILURES.last(1)), Some(2));
        assert_eq!(number(FAILURES.stop(1)), Some(1));
        assert_eq!(number(FAILURES.stop(1)), Some(2));
        assert_eq!(number(FAILURES.stop(1)), None);
        assert_eq!(
            number(FAILURES.last(1)),
            Some(2),
            "it is not started again yet"
        );
        FAILURES.restarted(1);
        assert_eq!(number(FAILURES.last(1)), None);
        assert_eq!(number(FAILURES.take(2)), Some(9));
        assert!(FAILURES.table.lock().failures.is_empty());
    }

    #[test]
    fn a_failure_that_nobody_deals_with_is_let_go_of() {
        static HELD: Key<Option<Sender<()>>> = Key::local("held by a failure", || None);
        static FAILURES: LazyLock<Failures<u8>> =
            LazyLock::new(|| Failures::keeping(Duration::from_millis(2)));
        runtime().block_on(async {
            let (held, mut let_go) = channel(1);
            FAILURES.note(1, context(1).with_key(&HELD, Some(held.clone())));
            FAILURES.note(1, context(2).with_key(&HELD, Some(held)));
            assert_eq!(let_go.recv().await, None);
            assert!(FAILURES.table.lock().failures.is_empty());
        });
    }

    #[test]
    fn a_failure_is_kept_while_the_process_is_stopped() {
        static FAILURES: LazyLock<Failures<u8>> =
            LazyLock::new(|| Failures::keeping(Duration::from_millis(10)));
        runtime().block_on(async {
            FAILURES.note(1, context(1));
            ::tokio::task::yield_now().await;
            // Nobody runs meanwhile.
            std::thread::sleep(Duration::from_millis(20));
            for _ in 0..PIECES / 2 {
                ::tokio::task::yield_now().await;
            }
            assert_eq!(number(FAILURES.last(1)), Some(1));
        });
    }

    #[test]
    fn a_failure_does_not_outlive_the_runtime_of_its_actor() {
        static FAILURES: LazyLock<Failures<u8>> = LazyLock::new(Failures::new);
        let runtime = runtime();
        runtime.block_on(async { FAILURES.note(1, context(1)) });
        assert_eq!(number(FAILURES.last(1)), Some(1));
        drop(runtime);
        assert!(FAILURES.table.lock().failures.is_empty());
    }
}
