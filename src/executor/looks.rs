//! When a worker looks at the outside world between two turns, and how long these take.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// After how many tasks in a row that only yielded a worker looks early: the fewest, as long as such
/// looks find something. Each that finds nothing doubles the number.
const SHORTEST_PATIENCE: u32 = 4;
/// The most, with which a worker hardly ever looks earlier than it would anyhow.
const LONGEST_PATIENCE: u32 = 64;

/// How often a worker looks by the number of turns, at most. Where turns are short, a look after so
/// many of them would cost more than they do; and nobody waits for long if one is left out.
pub(crate) const PERIOD: Duration = Duration::from_micros(if cfg!(kamon_loom) { 0 } else { 50 });

/// What it takes to call a worker that sleeps, about: system calls and switches on both sides.
pub(crate) const CALL: Duration = Duration::from_micros(10);

/// Counts one worker's turns, and the tasks in a row that only yielded.
///
/// A look costs system calls, so there is one every so many turns; but where all that goes on seems to
/// wait for the outside world by yielding, the turns until then are lost.
pub(crate) struct Looks {
    /// How many turns are left, one a task, until a look is due anyhow.
    turns: Cell<u32>,
    /// How many tasks in a row have yielded, while no other was spawned or woken here.
    yields: Cell<u32>,
    /// After how many of those a look is due early.
    patience: Cell<u32>,
    /// When a look was last due by the number of turns.
    last: Cell<Option<Instant>>,
    /// How much later the next one is, at least.
    period: Duration,
    /// When the turns were last timed.
    timed: Cell<Option<Instant>>,
    /// How many turns there are in a [`CALL`], by their average; none before it is known.
    turns_in_a_call: Cell<usize>,
}

impl Looks {
    pub(crate) fn new(period: Duration) -> Looks {
        Looks {
            last: Cell::new(None),
            period,
            timed: Cell::new(None),
            turns_in_a_call: Cell::new(0),
            turns: Cell::new(0),
            yields: Cell::new(0),
            patience: Cell::new(SHORTEST_PATIENCE),
        }
    }

    /// A task was queued here, because it yielded or because it was spawned or woken.
    #[inline(always)]
    pub(crate) fn queued(&self, yielded: bool) {
        self.yields.set(match yielded {
            true => self.yields.get().saturating_add(1),
            false => 0,
        });
    }

    /// Whether the last so many turns did nothing but yield.
    pub(crate) fn only_yields(&self, turns: usize) -> bool {
        turns > 0 && self.yields.get() as usize >= turns
    }

    /// Counts a turn. Returns whether a look is due after it, which is so every `interval` turns at
    /// the latest, unless they took less than the period.
    #[inline(always)]
    pub(crate) fn due(&self, interval: u32) -> bool {
        if self.yields.get() == self.patience.get() {
            // Not again for the same ones.
            self.yields.set(self.yields.get() + 1);
            return true;
        }
        let turns = self.turns.get();
        let due = turns <= 1;
        self.turns.set(if due { interval } else { turns - 1 });
        due && self.is_time(interval)
    }

    fn is_time(&self, interval: u32) -> bool {
        let now = Instant::now();
        self.time(now, interval);
        if self.period.is_zero() {
            return true;
        }
        let is_time = match self.last.get() {
            Some(last) => now.saturating_duration_since(last) >= self.period,
            None => true,
        };
        if is_time {
            self.last.set(Some(now));
        }
        is_time
    }

    /// So many turns have been taken since this was last called.
    fn time(&self, now: Instant, turns: u32) {
        let Some(last) = self.timed.replace(Some(now)) else {
            return;
        };
        let took = match cfg!(kamon_loom) {
            // The clock of a model stands still.
            true => Duration::ZERO,
            false => now.saturating_duration_since(last),
        };
        let in_a_call = CALL.as_nanos() as u64 * u64::from(turns) / (took.as_nanos() as u64).max(1);
        self.turns_in_a_call
            .set(in_a_call.try_into().unwrap_or(usize::MAX));
    }

    /// Whether so many tasks are done here before a worker that is called now could come for them, if
    /// their turns take as long as the last ones did.
    #[inline]
    pub(crate) fn are_soon_done(&self, tasks: usize) -> bool {
        tasks <= self.turns_in_a_call.get()
    }

    /// The worker has come to rest. What comes next may be quite different.
    pub(crate) fn rest(&self) {
        self.timed.set(None);
        self.turns_in_a_call.set(0);
    }

    /// A look begins. What it wakes will be noticed here.
    pub(crate) fn begin(&self) -> Look {
        Look {
            yields: self.yields.replace(1),
        }
    }

    /// The look is over.
    pub(crate) fn end(&self, look: Look) {
        if self.yields.get() == 0 {
            self.patience.set(SHORTEST_PATIENCE);
        } else {
            let longer = self.patience.get() * 2;
            self.patience.set(longer.min(LONGEST_PATIENCE));
            self.yields.set(look.yields);
        }
    }
}

/// A look that goes on: what was counted before it.
#[must_use]
pub(crate) struct Look {
    yields: u32,
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    /// Longer than any of the patiences.
    const INTERVAL: u32 = 1000;

    /// How many turns of tasks that only yield it takes until a look is due.
    fn turns_to_look(looks: &Looks) -> u32 {
        let mut turns = 0;
        loop {
            looks.queued(true);
            turns += 1;
            if looks.due(INTERVAL) {
                return turns;
            }
        }
    }

    /// A worker whose first turn is over, after which a look is always due.
    fn begun(interval: u32) -> Looks {
        let looks = Looks::new(Duration::ZERO);
        assert!(looks.due(interval));
        looks
    }

    fn look(looks: &Looks, finds_something: bool) {
        let look = looks.begin();
        if finds_something {
            looks.queued(false);
        }
        looks.end(look);
    }

    #[test]
    fn a_look_is_due_every_interval() {
        let looks = begun(61);
        let due = (1..=2 * 61).filter(|_| looks.due(61)).count();
        assert_eq!(due, 2);
    }

    #[test]
    fn no_look_is_due_before_the_period_is_over() {
        let looks = Looks::new(Duration::MAX);
        let due = (0..1 + 2 * 61).filter(|_| looks.due(61)).count();
        assert_eq!(due, 1, "the first, and none within the period");
        looks.last.set(None);
        let due = (0..61).filter(|_| looks.due(61)).count();
        assert_eq!(due, 1, "the period is over");
        // What only yields is not waited for.
        assert_eq!(turns_to_look(&looks), SHORTEST_PATIENCE);
    }

    #[test]
    fn a_look_is_due_early_when_all_only_yield() {
        let looks = begun(INTERVAL);
        assert_eq!(turns_to_look(&looks), SHORTEST_PATIENCE);
        assert!(looks.only_yields(SHORTEST_PATIENCE as usize));
        assert!(!looks.only_yields(0), "nobody had a turn");
    }

    #[test]
    fn early_looks_that_find_nothing_come_later_and_later() {
        let looks = begun(INTERVAL);
        for patience in [4, 8, 16, 32, 64] {
            turns_to_look(&looks);
            assert_eq!(looks.yields.get(), patience + 1);
            look(&looks, false);
        }
        // From here on only the interval counts.
        turns_to_look(&looks);
        assert_eq!(looks.turns.get(), INTERVAL);
    }

    #[test]
    fn who_wakes_another_does_not_only_yield() {
        let looks = begun(INTERVAL);
        for _ in 0..100 {
            for _ in 1..SHORTEST_PATIENCE {
                looks.queued(true);
                assert!(!looks.due(INTERVAL));
            }
            looks.queued(false);
        }
        assert!(!looks.only_yields(1));
    }

    #[test]
    fn patience_grows_while_looks_find_nothing() {
        let looks = begun(INTERVAL);
        for patience in [4, 8, 16, 32, 64, 64] {
            looks.queued(false);
            assert_eq!(turns_to_look(&looks), patience);
            look(&looks, false);
        }
        look(&looks, true);
        assert_eq!(turns_to_look(&looks), SHORTEST_PATIENCE);
    }

    #[test]
    fn as_many_tasks_are_soon_done_as_there_are_turns_in_a_call() {
        let (looks, start) = (Looks::new(PERIOD), Instant::now());
        let most = |looks: &Looks| {
            (0..100)
                .take_while(|&tasks| looks.are_soon_done(tasks))
                .last()
        };
        looks.time(start, 61);
        assert_eq!(most(&looks), Some(0), "nothing is known yet");
        looks.time(start + 61 * CALL / 10, 61);
        assert_eq!(most(&looks), Some(10));
        looks.time(start + 61 * CALL / 10 + 61 * 2 * CALL, 61);
        assert_eq!(most(&looks), Some(0), "a turn takes longer than a call");
        // No longer than the clock can tell.
        looks.time(start + 61 * CALL / 10 + 61 * 2 * CALL, 61);
        assert_eq!(most(&looks), Some(99));
        looks.rest();
        assert_eq!(most(&looks), Some(0));
        // What was before the rest is not timed.
        looks.time(start + 2 * 61 * CALL, 61);
        assert_eq!(most(&looks), Some(0));
    }

    #[test]
    fn turns_are_timed_every_interval() {
        let looks = Looks::new(Duration::MAX);
        for _ in 0..61 {
            looks.due(61);
            assert!(!looks.are_soon_done(1), "so many turns are not over yet");
        }
        // Turns that do nothing are short, unless somebody else has the processor.
        let are_short = |_| {
            looks.due(61);
            looks.are_soon_done(1)
        };
        assert!((0..1_000_000).any(are_short));
    }

    #[test]
    fn yields_are_counted_without_an_end() {
        let looks = begun(INTERVAL);
        looks.yields.set(u32::MAX);
        looks.queued(true);
        assert!(looks.only_yields(1));
    }
}
