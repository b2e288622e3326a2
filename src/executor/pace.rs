//! Whether workers get on with what is queued, or leave it lying.

use std::cell::Cell;

/// How many turns a guest takes on trust before it compares itself with the workers again.
const TRUST: u64 = 32;
/// How many times as fast as a worker a guest must be to go on without looking whether they are held up.
const FASTER: u64 = 4;
/// How many workers' counts are looked at, at most: each look takes a cache line away from a worker.
pub(crate) const SAMPLE: usize = 4;

/// What a guest has seen of the workers' pace.
///
/// Where no processor is left over, a guest that runs tasks takes one from a worker, and what it holds
/// waits whenever it is preempted. So there it lends its thread only while the workers are held up in
/// long turns, or sit in them without using their processors.
pub(crate) struct Pace {
    /// Whether they were found to be held up.
    held_up: Cell<bool>,
    /// How many turns are left on trust.
    trust: Cell<u64>,
    /// What the workers' counts were when the trust began.
    since: Cell<u64>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            held_up: Cell::new(false),
            trust: Cell::new(0),
            since: Cell::new(0),
        }
    }

    /// Whether a turn of the guest's is worth more than that of a worker. `turns` says how many turns
    /// the `workers` that are looked at have taken in all, and `wait` lets each take one that is not long.
    pub(crate) fn is_worth_a_turn(
        &self,
        workers: u64,
        turns: impl Fn() -> u64,
        wait: impl FnOnce(),
    ) -> bool {
        if self.held_up.get() && self.trust.get() > 0 {
            self.trust.set(self.trust.get() - 1);
            return true;
        }
        let now = turns();
        let theirs = now.wrapping_sub(self.since.get());
        if self.held_up.get() && theirs < workers * TRUST / FASTER {
            self.begin(now);
            return true;
        }
        wait();
        let later = turns();
        self.held_up.set(later.wrapping_sub(now) < workers);
        self.begin(later);
        self.held_up.get()
    }

    fn begin(&self, turns: u64) {
        self.trust.set(TRUST - 1);
        self.since.set(turns);
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    const WORKERS: u64 = 2;

    /// How many turns a guest gives, one after the other, if each worker takes `per_wait` turns while
    /// it waits and `per_turn` during each turn of its own. At most so many as there are in `limit`.
    fn given(pace: &Pace, per_wait: u64, per_turn: u64, limit: u64) -> u64 {
        let turns = Cell::new(0);
        (0..limit)
            .take_while(|_| {
                let worth = pace.is_worth_a_turn(
                    WORKERS,
                    || turns.get(),
                    || turns.set(turns.get() + per_wait * WORKERS),
                );
                turns.set(turns.get() + per_turn * WORKERS);
                worth
            })
            .count() as u64
    }

    #[test]
    fn workers_that_get_on_are_left_alone() {
        assert_eq!(given(&Pace::new(), 1, 0, 100), 0);
        assert_eq!(given(&Pace::new(), 30, 1, 100), 0);
    }

    #[test]
    fn workers_that_are_held_up_are_helped_for_as_long_as_they_are() {
        let pace = Pace::new();
        assert_eq!(given(&pace, 0, 0, 1000), 1000);
        // One turn of one worker's is none of each.
        let turns = Cell::new(0);
        let wait = || turns.set(1);
        assert!(Pace::new().is_worth_a_turn(WORKERS, || turns.get(), wait));
    }

    #[test]
    fn who_is_no_faster_than_the_workers_stops_when_its_trust_is_used_up() {
        let pace = Pace::new();
        assert_eq!(given(&pace, 0, 0, 1), 1);
        assert_eq!(given(&pace, 1, 1, 1000), TRUST - 1);
        assert_eq!(given(&pace, 1, 1, 1000), 0, "and so it stays");
        // A quarter of its pace is fast enough for a worker, and less is not.
        let slower = |theirs| {
            let pace = Pace::new();
            assert_eq!(given(&pace, 0, 0, TRUST), TRUST);
            pace.is_worth_a_turn(WORKERS, || theirs, || panic!("it waits"))
        };
        assert!(slower(WORKERS * TRUST / FASTER - 1));
        assert!(std::panic::catch_unwind(|| slower(WORKERS * TRUST / FASTER)).is_err());
    }

    #[test]
    fn what_happened_between_two_calls_counts() {
        let pace = Pace::new();
        assert_eq!(given(&pace, 0, 0, TRUST), TRUST);
        let worth = pace.is_worth_a_turn(WORKERS, || 1000, || {});
        assert!(worth, "held up, as the wait says");
        assert_eq!(pace.since.get(), 1000);
    }
}
