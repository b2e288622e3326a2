//! `check`: explores a model with loom, says what was explored, and does not take less for an
//! answer than all of it.

#[allow(dead_code)] // The canary needs little of it.
pub(crate) mod house;
#[allow(dead_code)]
pub(crate) mod witness;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Preemptions explored when `LOOM_MAX_PREEMPTIONS` does not say otherwise.
pub(crate) const PREEMPTIONS: usize = 2;

/// At the second level, where each step of `async-task` is one of loom's too, a preemption costs
/// far more: each model is explored with one less.
const LESS: usize = if cfg!(kamon_visible) { 1 } else { 0 };

/// With this variable set, each model is explored with so many preemptions more.
const DEPTH: &str = "KAMON_MODEL_DEPTH";

/// Longest exploration of one model when `LOOM_MAX_DURATION` does not say otherwise.
const PATIENCE: Duration = Duration::from_secs(480);
/// The same for one preemption more, which costs about thirty times the executions.
const DEEP_PATIENCE: Duration = Duration::from_secs(4 * 60 * 60);

/// Explores `model` with up to [`PREEMPTIONS`] preemptions and returns how many executions that
/// took.
///
/// Prints `MODEL name bound iterations time complete`, or `FAILED`, or `TIMEOUT` in the last place.
///
/// # Panics
///
/// If the model panics in one of its executions; if time runs out before all are explored (loom
/// itself calls that a success); if there was one execution only, which means that loom saw no
/// concurrency at all.
pub(crate) fn check(name: &str, model: impl Fn() + Send + Sync + 'static) -> usize {
    check_bounded(name, PREEMPTIONS, model)
}

/// [`check`] with its own bound on preemptions.
pub(crate) fn check_bounded(
    name: &str,
    preemptions: usize,
    model: impl Fn() + Send + Sync + 'static,
) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = builder.max_branches.max(20_000);
    builder.max_permutations = None;
    // loom looks at the clock once in so many executions.
    builder.checkpoint_interval = builder.checkpoint_interval.min(100);
    let depth = depth();
    let bound = *builder
        .preemption_bound
        .get_or_insert(preemptions - LESS + depth);
    let patience = if depth == 0 { PATIENCE } else { DEEP_PATIENCE };
    let patience = *builder.max_duration.get_or_insert(patience);

    let executions = Arc::new(AtomicUsize::new(0));
    let counter = executions.clone();
    witness::prepare();
    let start = Instant::now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            witness::begin();
            model();
            witness::end();
        });
    }));
    let took = start.elapsed();
    let executions = executions.load(Ordering::Relaxed);

    let verdict = match &outcome {
        Err(_) => "FAILED",
        Ok(()) if took >= patience => "TIMEOUT",
        Ok(()) => "complete",
    };
    println!(
        "MODEL {name} bound {bound} iters {executions} time {:.2}s {verdict}",
        took.as_secs_f64()
    );
    if let Err(payload) = outcome {
        panic::resume_unwind(payload);
    }
    assert_eq!(
        verdict, "complete",
        "model {name}: stopped after {executions} executions, before all were explored"
    );
    assert!(
        executions > 1,
        "model {name}: a single execution: nothing in it is concurrent to loom"
    );
    executions
}

/// How many preemptions more than usual are asked for.
fn depth() -> usize {
    match std::env::var(DEPTH) {
        Err(_) => 0,
        Ok(depth) => match depth.parse() {
            Ok(depth) => depth,
            Err(_) => panic!("{DEPTH} is no number: {depth:?}"),
        },
    }
}
