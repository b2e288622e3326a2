//! `check`: runs a scenario under many schedules, by chance and by priorities that change by chance.

#[allow(dead_code)] // The models of loom-tests use the rest.
#[path = "../../../tests/model/house.rs"]
pub(crate) mod house;
#[allow(dead_code)]
#[path = "../../../tests/model/witness.rs"]
pub(crate) mod witness;

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// How many schedules of each kind, unless `KAMON_SHUTTLE_ROUNDS` says otherwise.
const ROUNDS: usize = 2000;
/// How many times PCT changes priorities: it finds what needs so many switches at the right places.
const CHANGES: usize = 3;
/// A scenario that takes longer has somebody in it who waits for ever.
const MOST_STEPS: usize = 2_000_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Runs `scenario` under schedules that follow from the seed.
///
/// # Panics
///
/// If the scenario panics under one of them, or ends in a deadlock, or does not end. The seed is
/// printed, and shuttle prints the schedule.
pub(crate) fn check(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let seed = number("KAMON_SHUTTLE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = number("KAMON_SHUTTLE_ROUNDS").map_or(ROUNDS, |rounds| rounds as usize);
    let scenario = Arc::new(scenario);
    println!("SCENARIO {name} seed {seed} rounds {rounds}");
    let by_chance = RandomScheduler::new_from_seed(seed, rounds);
    run(by_chance, seed, scenario.clone());
    let by_priority = PctScheduler::new_from_seed(seed, CHANGES, rounds);
    run(by_priority, seed, scenario);
}

fn run(
    scheduler: impl Scheduler + 'static,
    seed: u64,
    scenario: Arc<impl Fn() + Send + Sync + 'static>,
) {
    let mut config = Config::new();
    config.stack_size = 0x4_0000;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    config.silence_warnings = true;
    witness::prepare();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        Runner::new(scheduler, config).run(move || {
            witness::begin();
            scenario();
            witness::end();
        });
    }));
    if let Err(payload) = outcome {
        eprintln!("KAMON_SHUTTLE_SEED={seed}");
        resume_unwind(payload);
    }
}
