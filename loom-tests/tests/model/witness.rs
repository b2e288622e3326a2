//! What a model sees happen, and says when it is over: a panic inside a poll would be contained by
//! the task, so violations are recorded and asserted where the execution ends. So are panics: those of
//! kamon's oracles, and loom's own, may come inside a poll as well.

use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, OnceLock};

use kamon_loomed::__model as inside;
use kamon_loomed::{Context, Key, Span};

use crate::model::house::Gate;

/// Whose Context it is.
static REQUEST: Key<u32> = Key::local("request", || 0);

/// The number of the Context that the model's first thread stands on. Other threads have higher ones.
pub(crate) const MAIN: u32 = 1000;

thread_local! {
    // loom runs all threads of a model on one thread of the system.
    static VIOLATIONS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static NEXT_BASE: Cell<u32> = const { Cell::new(MAIN) };
}

/// What the panics say that a model is about.
static REFUSALS: OnceLock<&str> = OnceLock::new();

/// From now on nobody hears of panics with these words, and they are no violations. Panics that are part of a
/// model are otherwise thrown by `resume_unwind`, of which no hook hears.
pub(crate) fn expect_panics_of(words: &'static str) {
    REFUSALS.get_or_init(|| words);
}

fn record_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !is_refusal(panic) {
                usual(panic);
                let _ = VIOLATIONS.try_with(|all| all.borrow_mut().push(panic.to_string()));
            }
        }));
    });
}

fn is_refusal(panic: &PanicHookInfo<'_>) -> bool {
    let words = REFUSALS.get();
    words.is_some_and(|words| panic.to_string().contains(words))
}

/// The Context of a request.
pub(crate) fn request(number: u32) -> Context {
    Context::empty().with_key(&REQUEST, number)
}

/// The request whose Context is current.
pub(crate) fn here() -> u32 {
    *kamon_loomed::current_context().get(&REQUEST)
}

/// Records a violation unless `holds`.
#[track_caller]
pub(crate) fn expect(holds: bool, what: &str) {
    if !holds {
        let place = std::panic::Location::caller();
        let violation = format!("{place}: {what}");
        // The execution may not come to its end.
        eprintln!("{violation}");
        VIOLATIONS.with(|all| all.borrow_mut().push(violation));
    }
}

/// Records a violation unless the Context of `number` is current.
#[track_caller]
pub(crate) fn expect_here(number: u32, what: &str) {
    let seen = here();
    expect(
        seen == number,
        &format!("STALE: {what} of {number} saw the Context of {seen}"),
    );
}

/// Says that it is dropped, and in which Context. Part of a future, an output or a value.
#[derive(Debug)]
pub(crate) struct Probe {
    number: u32,
    what: &'static str,
    drops: Drops,
}

/// Counts the drops of [`Probe`]s. Plain counts, which loom does not see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn probe(&self, number: u32, what: &'static str) -> Probe {
        Probe {
            number,
            what,
            drops: self.clone(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        expect_here(self.number, &format!("the drop of {}", self.what));
        self.drops.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What every thread of a runtime does first.
fn stand_on_next() {
    let number = NEXT_BASE.with(|next| next.replace(next.get() + 1));
    inside::stand_on(request(number));
}

loom::lazy_static! {
    static ref ENDED: Gate = Gate::new();
}

/// From now on threads of runtimes are counted when they end, for [`await_threads`].
pub(crate) fn count_threads() {
    inside::around_threads(stand_on_next, || {
        inside::leave_base();
        ENDED.open();
    });
}

/// Waits for threads that nobody joins.
pub(crate) fn await_threads(number: usize) {
    ENDED.pass(number);
}

/// An execution begins on the model's first thread.
pub(crate) fn begin() {
    VIOLATIONS.with(|all| all.borrow_mut().clear());
    inside::forget_contexts();
    inside::forget_alive();
    inside::make_weak_queues(false);
    inside::stand_on(request(MAIN));
    NEXT_BASE.with(|next| next.set(MAIN + 1));
    inside::begin_threads();
    inside::around_threads(stand_on_next, inside::leave_base);
}

/// Before the first execution: what is kept in statics is there from the start, or the first
/// execution would go another way than the others.
pub(crate) fn prepare() {
    record_panics();
    know(&REQUEST);
    // A task that panics fails its current span.
    know(Span::key());
}

/// Files a key, outside of all executions. For each static one that a model uses.
pub(crate) fn know<T: Send + Sync>(key: &Key<T>) {
    Context::empty().contains(key);
}

/// An execution has ended: nothing may be left of it.
pub(crate) fn end() {
    inside::leave_base();
    let violations = VIOLATIONS.with(RefCell::take);
    assert!(violations.is_empty(), "{}", violations.join("; "));
    let alive = inside::alive();
    assert!(alive.is_empty(), "LEAK: still alive at the end: {alive:?}");
    let contexts = inside::contexts_alive();
    assert_eq!(contexts, 0, "LEAK: Contexts still alive at the end");
    inside::end_threads();
}
