//! Whether the models could fail at all: races that loom must find, outcomes that it must see or
//! must not, and an `explore` that does not take silence for success.
//!
//! The atomics are those of the library's `sync` room, so these tests also hold its shadow
//! accesses to their promise: more interleavings, no ordering added.
//!
//! Models called `planted_..` are meant to fail, and their tests to notice.

#[path = "../../src/sync/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod sync;

mod model;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::Mutex as StdMutex;

use crate::model::{explore, PREEMPTIONS};
use crate::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::sync::atomic::{fence, AtomicUsize, Ordering};
use crate::sync::{Mutex, UnsafeCell};
use loom::sync::Arc;
use loom::thread;

/// What loom says of two accesses that nothing orders.
const RACE: &str = "Causality violation";

/// A cell that the test shares between threads on its own responsibility.
struct Shared(UnsafeCell<usize>);

// SAFETY: not safe at all, and that is the point: loom reports every access that races.
unsafe impl Sync for Shared {}

impl Shared {
    fn write(&self, value: usize) {
        self.0.with_mut(|cell| {
            // SAFETY: loom has panicked by now if another access is concurrent.
            unsafe { *cell = value }
        });
    }

    fn read(&self) -> usize {
        self.0.with(|cell| {
            // SAFETY: loom has panicked by now if a write is concurrent.
            unsafe { *cell }
        })
    }
}

/// Runs a model that must fail, and holds it to the reason it must fail for.
///
/// loom drops what is left of an execution that panicked without a model around it, and what is
/// left may be made of loom's own types: often the end is an abort. So the model runs in a process
/// of its own: the test `name`, started once more.
fn must_fail(name: &str, reason: &str, model: impl FnOnce()) {
    const INSIDE: &str = "KAMON_CANARY_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        model();
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{name}: nothing was found");
    assert!(
        said.contains(reason),
        "{name}: failed, but not of {reason:?}: {said}"
    );
}

#[test]
fn a_plain_race_is_found() {
    must_fail("a_plain_race_is_found", RACE, || {
        explore("planted_race", PREEMPTIONS, || {
            let cell = Arc::new(Shared(UnsafeCell::new(0)));
            let other = cell.clone();
            let thread = thread::spawn(move || other.write(1));
            cell.read();
            thread.join().unwrap();
        });
    });
}

/// As in the poll of a task, which contains what an oracle throws there.
#[test]
fn a_panic_that_is_contained_is_found() {
    must_fail("a_panic_that_is_contained_is_found", "an oracle", || {
        explore("planted_contained_panic", PREEMPTIONS, || {
            let count = Arc::new(AtomicUsize::new(0));
            let other = count.clone();
            let thread = thread::spawn(move || {
                other.fetch_add(1, Relaxed);
                drop(catch_unwind(|| panic!("an oracle")));
            });
            count.fetch_add(1, Relaxed);
            thread.join().unwrap();
        });
    });
}

#[test]
fn the_same_under_a_mutex_is_fine() {
    explore("mutex", PREEMPTIONS, || {
        let cell = Arc::new((Mutex::new(()), Shared(UnsafeCell::new(0))));
        let other = cell.clone();
        let thread = thread::spawn(move || {
            let _guard = other.0.lock();
            other.1.write(1);
        });
        {
            let _guard = cell.0.lock();
            assert!(cell.1.read() <= 1);
        }
        thread.join().unwrap();
    });
}

/// Each of two threads looks at a flag, and one of them raises it after its look. loom alone
/// compares the store with the last access only, which is that look, and tries no other order.
#[test]
fn a_look_before_a_store_hides_nothing() {
    let seen = outcomes("look_before_store", || {
        let flag = Arc::new(AtomicUsize::new(0));
        let other = flag.clone();
        let thread = thread::spawn(move || {
            other.load(Relaxed);
            other.store(1, Relaxed);
        });
        let mine = flag.load(Relaxed);
        thread.join().unwrap();
        (mine, 0)
    });
    assert_eq!(seen, BTreeSet::from([(0, 0), (1, 0)]));
}

/// A value published through a flag with the given orders.
fn publish(name: &str, store: Ordering, load: Ordering) {
    explore(name, PREEMPTIONS, move || {
        let shared = Arc::new((Shared(UnsafeCell::new(0)), AtomicUsize::new(0)));
        let other = shared.clone();
        let thread = thread::spawn(move || {
            other.0.write(42);
            other.1.store(1, store);
        });
        if shared.1.load(load) == 1 {
            assert_eq!(shared.0.read(), 42);
        }
        thread.join().unwrap();
    });
}

#[test]
fn publishing_with_release_and_acquire_is_fine() {
    publish("publish", Release, Acquire);
}

#[test]
fn publishing_with_a_relaxed_store_is_found() {
    must_fail("publishing_with_a_relaxed_store_is_found", RACE, || {
        publish("planted_relaxed_store", Relaxed, Acquire);
    });
}

#[test]
fn publishing_with_a_relaxed_load_is_found() {
    must_fail("publishing_with_a_relaxed_load_is_found", RACE, || {
        publish("planted_relaxed_load", Release, Relaxed);
    });
}

/// Every outcome that some execution of `litmus` had.
fn outcomes(
    name: &str,
    litmus: impl Fn() -> (usize, usize) + Send + Sync + 'static,
) -> BTreeSet<(usize, usize)> {
    let seen = std::sync::Arc::new(StdMutex::new(BTreeSet::new()));
    let sink = seen.clone();
    explore(name, PREEMPTIONS, move || {
        let outcome = litmus();
        sink.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap().clone();
    println!("LITMUS {name} {seen:?}");
    seen
}

/// Message passing: (flag, data) as the reader sees them.
fn message_passing(store: Ordering, load: Ordering) -> (usize, usize) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        other.1.store(1, Relaxed);
        other.0.store(1, store);
    });
    let flag = shared.0.load(load);
    let data = shared.1.load(Relaxed);
    thread.join().unwrap();
    (flag, data)
}

#[test]
fn message_passing_is_as_weak_as_it_is_written() {
    let relaxed = outcomes("mp_relaxed", || message_passing(Relaxed, Relaxed));
    assert_eq!(relaxed, BTreeSet::from([(0, 0), (0, 1), (1, 0), (1, 1)]));

    let ordered = outcomes("mp_release_acquire", || message_passing(Release, Acquire));
    assert_eq!(ordered, BTreeSet::from([(0, 0), (0, 1), (1, 1)]));
}

/// Store buffering: each side raises its flag and looks at the other's.
fn store_buffering(order: Option<Ordering>) -> (usize, usize) {
    let flags = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let other = flags.clone();
    let thread = thread::spawn(move || {
        other.0.store(1, Relaxed);
        if let Some(order) = order {
            fence(order);
        }
        other.1.load(Relaxed)
    });
    flags.1.store(1, Relaxed);
    if let Some(order) = order {
        fence(order);
    }
    let mine = flags.0.load(Relaxed);
    (mine, thread.join().unwrap())
}

/// What every "announce, then look again" of a sleep protocol stands on.
#[test]
fn only_a_sequentially_consistent_fence_forbids_store_buffering() {
    let both_missed = (0, 0);
    assert!(outcomes("sb", || store_buffering(None)).contains(&both_missed));
    assert!(outcomes("sb_acqrel", || store_buffering(Some(AcqRel))).contains(&both_missed));
    let fenced = outcomes("sb_seqcst", || store_buffering(Some(SeqCst)));
    assert_eq!(fenced, BTreeSet::from([(0, 1), (1, 0), (1, 1)]));
}

/// Two threads add one by a load and a store: one addition may be lost. Where a thread loads and
/// then stores the same atomic, loom alone skips interleavings (tokio-rs/loom issues 166 and 392).
#[test]
fn a_lost_update_is_found() {
    let seen = outcomes("lost_update", || {
        let number = Arc::new(AtomicUsize::new(0));
        let other = number.clone();
        let thread = thread::spawn(move || {
            let before = other.load(Relaxed);
            other.store(before + 1, Relaxed);
        });
        let before = number.load(Relaxed);
        number.store(before + 1, Relaxed);
        thread.join().unwrap();
        (number.load(Relaxed), 0)
    });
    assert_eq!(seen, BTreeSet::from([(1, 0), (2, 0)]));
}

#[test]
fn a_deadlock_is_found() {
    must_fail("a_deadlock_is_found", "deadlock", deadlock);
}

fn deadlock() {
    explore("planted_deadlock", PREEMPTIONS, || {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let other = locks.clone();
        let thread = thread::spawn(move || {
            let _first = other.0.lock();
            let _second = other.1.lock();
        });
        {
            let _second = locks.1.lock();
            let _first = locks.0.lock();
        }
        thread.join().unwrap();
    });
}

sync::tls! {
    static SLOT: std::cell::Cell<usize> = std::cell::Cell::new(0);
}

#[test]
fn thread_locals_belong_to_model_threads() {
    explore("tls", PREEMPTIONS, || {
        SLOT.with(|slot| slot.set(1));
        let turn = Arc::new(AtomicUsize::new(0));
        let other = turn.clone();
        let thread = thread::spawn(move || {
            other.store(1, Relaxed);
            SLOT.with(|slot| slot.replace(2))
        });
        turn.load(Relaxed);
        assert_eq!(thread.join().unwrap(), 0);
        SLOT.with(|slot| assert_eq!(slot.get(), 1));
    });
}

#[test]
fn a_model_without_concurrency_is_refused() {
    let name = "a_model_without_concurrency_is_refused";
    must_fail(name, "a single execution", || {
        explore("planted_single", PREEMPTIONS, || {
            AtomicUsize::new(0).store(1, Relaxed);
        });
    });
}
