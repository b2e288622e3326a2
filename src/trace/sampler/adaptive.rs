//! The sampler that shares a number of traces per minute among operations.

use std::collections::HashMap;
use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::statics::{AtomicU64, Ordering};
use crate::sync::Arc;
use crate::trace::sampler::random::throw;
use crate::trace::{Sampler, SamplingDecision, SamplingRequest, Timestamp};

/// How often shares are reckoned anew.
const PERIOD: Duration = Duration::from_secs(1);
/// How much of what was known of an operation's traffic counts one period later.
const MEMORY: f64 = 0.7;
/// How many operations have a share of their own. The rest have one together.
const MOST_OPERATIONS: usize = 512;

/// Reports a given number of traces per minute, shared among the operations with which traces
/// begin: seldom ones are reported whole, and what they leave goes to the frequent ones in equal
/// parts.
///
/// Adapts once a second to the traffic of the last few seconds. A new operation begins with the
/// probability of being seen soon: its first trace is always reported.
///
/// # Examples
///
/// ```
/// use kamon::trace::{AdaptiveSampler, Settings};
///
/// Settings::new().sampler(AdaptiveSampler::new(600.0)).apply();
/// ```
pub struct AdaptiveSampler {
    /// Traces per period.
    budget: f64,
    operations: std::sync::RwLock<HashMap<Box<str>, Arc<Operation>>>,
    rest: Operation,
    /// When shares were reckoned last, and by how many periods: guards against two at a time.
    reckoned: std::sync::Mutex<Timestamp>,
    /// The periods since the sampler was made: cheap to look at.
    due: AtomicU64,
    made: Timestamp,
}

/// What is known of the traces that begin with an operation.
struct Operation {
    /// How many there were since shares were reckoned last.
    seen: AtomicU64,
    /// The probability of being reported, as the bits of an `f64`.
    probability: AtomicU64,
    /// How many there are in a period, as the bits of an `f64`. Touched by who reckons only.
    traffic: AtomicU64,
}

impl AdaptiveSampler {
    /// Returns a sampler that aims at so many traces per minute.
    pub fn new(traces_per_minute: f64) -> Self {
        let per_minute = if traces_per_minute.is_nan() {
            0.0
        } else {
            traces_per_minute
        };
        let now = Timestamp::now();
        AdaptiveSampler {
            budget: per_minute.max(0.0) * PERIOD.as_secs_f64() / 60.0,
            operations: std::sync::RwLock::new(HashMap::new()),
            rest: Operation::new(),
            reckoned: std::sync::Mutex::new(now),
            due: AtomicU64::new(1),
            made: now,
        }
    }

    /// Returns the probability with which a trace that begins with this operation is reported now.
    pub fn probability(&self, operation: &str) -> f64 {
        let operations = self
            .operations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let known = operations.get(operation).map_or(&self.rest, |known| known);
        known.probability()
    }

    fn find(&self, name: &str) -> Option<Arc<Operation>> {
        let operations = self
            .operations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        operations.get(name).cloned()
    }

    /// `None` if there is no room for another one.
    #[cold]
    fn add(&self, name: &str) -> Option<Arc<Operation>> {
        let mut operations = self
            .operations
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if operations.len() >= MOST_OPERATIONS && !operations.contains_key(name) {
            return None;
        }
        let fresh = || Arc::new(Operation::new());
        Some(operations.entry(name.into()).or_insert_with(fresh).clone())
    }

    /// Reckons shares anew, if a period has passed and nobody else is at it.
    #[inline]
    fn adapt(&self) {
        let now = Timestamp::now();
        let passed = now.duration_since(self.made).as_nanos() / PERIOD.as_nanos();
        if passed as u64 >= self.due.load(Ordering::Relaxed) {
            self.reckon(now, passed as u64);
        }
    }

    #[cold]
    fn reckon(&self, now: Timestamp, passed: u64) {
        let Ok(mut reckoned) = self.reckoned.try_lock() else {
            return;
        };
        let periods = now.duration_since(*reckoned).as_secs_f64() / PERIOD.as_secs_f64();
        if periods <= 0.0 {
            return;
        }
        *reckoned = now;
        self.due.store(passed + 1, Ordering::Relaxed);

        let operations = self
            .operations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let all = || {
            operations
                .values()
                .map(|known| &**known)
                .chain([&self.rest])
        };
        let mut traffic: Vec<f64> = all().map(|operation| operation.observe(periods)).collect();
        traffic.sort_by(f64::total_cmp);
        let share = share(self.budget, &traffic);
        for operation in all() {
            operation.grant(share);
        }
    }
}

/// What each of those is given that want more than their share, when `budget` is shared so that
/// nobody gets more than it wants and what is left is split evenly. `wanted` is sorted.
fn share(budget: f64, wanted: &[f64]) -> f64 {
    let mut left = budget;
    let mut share = budget;
    for (index, want) in wanted.iter().enumerate() {
        share = left / (wanted.len() - index) as f64;
        if *want > share {
            return share;
        }
        left -= want;
    }
    share.max(left)
}

impl Operation {
    fn new() -> Self {
        Operation {
            seen: AtomicU64::new(0),
            probability: AtomicU64::new(1_f64.to_bits()),
            traffic: AtomicU64::new(0_f64.to_bits()),
        }
    }

    fn probability(&self) -> f64 {
        f64::from_bits(self.probability.load(Ordering::Relaxed))
    }

    /// How many traces per period there are to be expected, given those since the last look.
    fn observe(&self, periods: f64) -> f64 {
        let seen = self.seen.swap(0, Ordering::Relaxed) as f64 / periods;
        let known = f64::from_bits(self.traffic.load(Ordering::Relaxed));
        let memory = MEMORY.powf(periods);
        // The first traffic is taken as it is: averaging it with nothing would let through more.
        let traffic = if known == 0.0 {
            seen
        } else {
            known * memory + seen * (1.0 - memory)
        };
        self.traffic.store(traffic.to_bits(), Ordering::Relaxed);
        traffic
    }

    fn grant(&self, share: f64) {
        let traffic = f64::from_bits(self.traffic.load(Ordering::Relaxed));
        let probability = if traffic <= share {
            1.0
        } else {
            share / traffic
        };
        self.probability
            .store(probability.to_bits(), Ordering::Relaxed);
    }
}

impl Sampler for AdaptiveSampler {
    fn name(&self) -> &'static str {
        "adaptive"
    }

    fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
        self.adapt();
        let known = self
            .find(request.operation)
            .or_else(|| self.add(request.operation));
        let operation = known.as_deref().unwrap_or(&self.rest);
        let before = operation.seen.fetch_add(1, Ordering::Relaxed);
        // Before anything is known of an operation's traffic, a burst must not pass whole.
        let traffic = operation.traffic.load(Ordering::Relaxed);
        if traffic == 0 && before as f64 >= self.budget.max(1.0) {
            return SamplingDecision::DoNotSample;
        }
        throw(operation.probability())
    }
}

impl fmt::Debug for AdaptiveSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self
            .operations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let probabilities = operations
            .iter()
            .map(|(name, operation)| (name, operation.probability()));
        f.debug_struct("AdaptiveSampler")
            .field("traces_per_period", &self.budget)
            .field("probabilities", &probabilities.collect::<HashMap<_, _>>())
            .finish()
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::{FrozenClock, SpanKind, TraceId};

    #[test]
    fn shares_are_even_among_those_who_want_more() {
        let cases: &[(f64, &[f64], f64)] = &[
            (10.0, &[], 10.0),
            (10.0, &[4.0], 10.0),
            (10.0, &[40.0], 10.0),
            (10.0, &[20.0, 20.0], 5.0),
            (10.0, &[1.0, 2.0, 20.0], 7.0),
            (10.0, &[1.0, 20.0, 30.0], 4.5),
            (0.0, &[1.0], 0.0),
        ];
        for (budget, wanted, expected) in cases {
            assert_eq!(share(*budget, wanted), *expected, "{budget} {wanted:?}");
        }
    }

    #[test]
    fn the_budget_is_met_and_seldom_operations_pass_whole() {
        let clock = FrozenClock::new();
        let sampler = AdaptiveSampler::new(600.0);
        let traces = [("seldom", 1), ("often", 200), ("hot", 2_000)];
        let mut sampled: HashMap<&str, usize> = HashMap::new();
        let decide = |operation| {
            sampler.decide(&SamplingRequest {
                trace_id: TraceId::random(),
                operation,
                kind: SpanKind::Unknown,
                parent: None,
            })
        };
        for second in 0..120 {
            for (operation, count) in traces {
                for _ in 0..count {
                    if decide(operation) == SamplingDecision::Sample && second >= 20 {
                        *sampled.entry(operation).or_default() += 1;
                    }
                }
            }
            clock.advance(PERIOD);
        }
        // 100 seconds of 10 traces: all of the seldom one's, the rest in two equal parts.
        assert_eq!(sampled["seldom"], 100);
        assert!((300..600).contains(&sampled["often"]), "{sampled:?}");
        assert!((300..600).contains(&sampled["hot"]), "{sampled:?}");
    }

    #[test]
    fn names_without_number_share_one_place() {
        let sampler = AdaptiveSampler::new(60.0);
        for number in 0..2 * MOST_OPERATIONS {
            let operation = number.to_string();
            sampler.decide(&SamplingRequest {
                trace_id: TraceId::random(),
                operation: &operation,
                kind: SpanKind::Unknown,
                parent: None,
            });
        }
        assert_eq!(sampler.operations.read().unwrap().len(), MOST_OPERATIONS);
    }
}
