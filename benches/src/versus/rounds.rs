//! Warming up, finding the length of a round, and the rounds.

use std::time::{Duration, Instant};

use crate::measure::{Meter, Run};
use crate::versus::Spec;
use crate::workload::{Candidate, Rounds};

/// How long it runs before anything counts.
const WARM_UP: Duration = Duration::from_millis(100);
/// How many rounds it runs at least before anything counts.
const WARM_UP_ROUNDS: usize = 3;
/// How long a round is at least, so that reading the clock does not matter.
const ROUND: Duration = Duration::from_millis(2);

/// Measures the candidate in this process: one sample a round.
pub(crate) fn samples(candidate: &Candidate, rounds: Rounds, spec: &Spec) -> Vec<f64> {
    let mut samples = Vec::with_capacity(spec.rounds);
    let mut measure = |run: Run<'_>| {
        let (rounds, iterations) = match rounds {
            Rounds::AsTold => (spec.rounds, warm_up(run)),
            Rounds::AtMost(most) => (most.min(spec.rounds), 1),
        };
        for _ in 0..rounds {
            samples.push(run(iterations));
        }
    };
    (candidate.body)(&mut Meter::new(&mut measure), spec.workers);
    samples
}

/// Runs until everything is warm, and returns how many iterations make a round.
fn warm_up(run: Run<'_>) -> u64 {
    let begin = Instant::now();
    let mut iterations = 1;
    let mut rounds = 0;
    loop {
        let round = Instant::now();
        run(iterations);
        rounds += 1;
        if round.elapsed() < ROUND {
            // A slow first round must not decide, so that the number only grows.
            iterations *= 2;
        } else if begin.elapsed() >= WARM_UP && rounds >= WARM_UP_ROUNDS {
            return iterations;
        }
    }
}
