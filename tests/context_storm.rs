//! All promises at once: random trees of tasks, closures, callbacks, Scopes, panics and aborts on
//! all kinds of runtimes, against a simple model of what each hop must see.
//!
//! `KAMON_STORM_SEED` runs one program, the one whose seed a failure has printed (many times, since
//! threads go their own ways); `KAMON_STORM_ROUNDS` says how many programs there are.

mod storm;
mod witness;

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::Arc;

use futures_lite::FutureExt as _;
use kamon::time::{sleep, Duration};
use kamon::with_context;
use storm::{claim, claim_panic, program, walk, Book, Seen, Walk};
use witness::workers;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Runs one program on the runtime that its seed chooses, and returns what was wrong and how many
/// hops there were.
fn run(seed: u64) -> (Vec<String>, usize) {
    let mut random = fastrand::Rng::with_seed(!seed);
    let runtime = workers(random.usize(0..5));
    let (orderly, twice) = (random.bool(), random.bool());
    let (book, steps) = (Arc::new(Book::default()), program(seed));
    // Numbers that no step uses.
    let (first, second) = (u32::MAX, u32::MAX - 1);

    let inherited = Seen::of(first).inherited();
    let spawned = with_context(book.context(first), || {
        let walker = Walk::new(&book, inherited);
        runtime.spawn(walk(walker, steps.clone()))
    });
    let future = async {
        if twice {
            // Here, and not in a task: a panic would come through.
            let walker = Walk::new(&book, Seen::of(second)).bound();
            let walked = AssertUnwindSafe(walk(walker, steps)).catch_unwind();
            match walked.await {
                Ok(parcel) => parcel.claim(),
                Err(payload) => claim_panic(payload),
            }
        }
        if orderly {
            claim(spawned.await);
            while book.things_alive() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
    };
    with_context(book.context(second), || runtime.block_on(future));
    runtime.shut_down();
    (book.faults(), book.hops())
}

#[test]
fn every_hop_sees_what_the_model_says() {
    let given = number("KAMON_STORM_SEED");
    let rounds = number("KAMON_STORM_ROUNDS").unwrap_or(150);
    let mut hops = 0;
    for round in 0..rounds {
        // Some that are always the same, and some that are not.
        let seed = given.unwrap_or(match round % 2 {
            0 => round,
            _ => fastrand::u64(..),
        });
        let (faults, some) = match catch_unwind(|| run(seed)) {
            Ok(run) => run,
            Err(panic) => {
                eprintln!("KAMON_STORM_SEED={seed}");
                resume_unwind(panic);
            }
        };
        assert!(
            faults.is_empty(),
            "KAMON_STORM_SEED={seed}\n{}",
            faults.join("\n")
        );
        hops += some;
    }
    assert!(hops as u64 > rounds * 20, "only {hops} hops");
}
