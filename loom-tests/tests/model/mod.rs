//! `check`: explores a model with loom, says what was explored, and does not take less for an
//! answer than all of it.

#[allow(dead_code)] // The canary needs little of it.
pub(crate) mod house;
#[allow(dead_code)]
pub(crate) mod witness;

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
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

/// Says that this process is there for one model.
const INSIDE: &str = "KAMON_MODEL_INSIDE";

/// Explores `model` with up to so many preemptions in a process of its own.
///
/// loom maps the stacks of a model's threads anew in each execution, and the threads of one process wait
/// for each other where that is done: two models side by side take more than twice as long in one process
/// as in two. And a deadlock, after which loom aborts, does not take the other models along.
///
/// # Panics
///
/// As [`explore`].
#[allow(dead_code)] // The canary asks for none.
pub(crate) fn check_bounded(
    name: &str,
    preemptions: usize,
    model: impl Fn() + Send + Sync + 'static,
) {
    let this = thread::current();
    // A harness with one thread runs the tests on its own, which has no test's name.
    let test = this.name().filter(|&name| name != "main");
    let (Some(test), None) = (test, env::var_os(INSIDE)) else {
        explore(name, preemptions, model);
        return;
    };
    let output = Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("this program can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.lines().find_map(|line| line.split_once("MODEL "));
    if let Some((_, summary)) = summary {
        println!("MODEL {summary}");
    }
    if !output.status.success() || summary.is_none() {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("model {name}: {}\n{errors}", output.status);
    }
}

/// [`check_bounded`] with up to [`PREEMPTIONS`] preemptions.
#[allow(dead_code)] // The canary looks at what its models have done here.
pub(crate) fn check(name: &str, model: impl Fn() + Send + Sync + 'static) {
    check_bounded(name, PREEMPTIONS, model);
}

/// Explores `model` with up to so many preemptions and returns how many executions that took.
///
/// Prints `MODEL name bound iterations time complete`, or `FAILED`, or `TIMEOUT` in the last place.
///
/// # Panics
///
/// If the model panics in one of its executions; if time runs out before all are explored (loom
/// itself calls that a success); if there was one execution only, which means that loom saw no
/// concurrency at all.
pub(crate) fn explore(
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
        .get_or_insert(preemptions.saturating_sub(LESS) + depth);
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
    match env::var(DEPTH) {
        Err(_) => 0,
        Ok(depth) => match depth.parse() {
            Ok(depth) => depth,
            Err(_) => panic!("{DEPTH} is no number: {depth:?}"),
        },
    }
}
