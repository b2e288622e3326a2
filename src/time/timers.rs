//! `Timers`: the timers of one runtime, driven by its parked workers.

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use super::clock::Clock;
use super::host::Host;
use super::schedule::{Schedule, NEVER};
use super::shard::Shard;
use crate::sync::Arc;

/// The timers of one runtime.
///
/// They have no thread: the runtime's workers ask [`park_for`](Self::park_for) before they park,
/// and call [`turn`](Self::turn) after it and every now and then while they are busy.
pub(crate) struct Timers {
    shards: Box<[Arc<Shard>]>,
    schedule: Arc<Schedule>,
}

/// For how long a thread that has nothing else to do may park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParkFor {
    /// Until something else unparks it: nothing is armed (or time stands still, and something holds it).
    Forever,
    /// For this long.
    Timeout(Duration),
    /// Not at all: something is due (or the clock may jump to where it is).
    Now,
}

impl Timers {
    /// Timers whose entries are spread over `shards` locks: one for each worker, and some more for
    /// the other threads.
    pub(crate) fn new(shards: usize, clock: Clock) -> Arc<Timers> {
        let shards = shards.max(1);
        let schedule = Arc::new(Schedule::new(shards, clock));
        let shard = |index| Arc::new(Shard::new(index, schedule.clone()));
        Arc::new(Timers {
            shards: (0..shards).map(shard).collect(),
            schedule,
        })
    }

    /// Says whom to unpark and who runs callbacks. The first call counts; without one, nobody is
    /// unparked and callbacks are dropped when they are due.
    pub(crate) fn set_host(&self, host: Weak<dyn Host>) {
        self.schedule.set_host(host);
    }

    /// The clock that these timers go by.
    pub(crate) fn clock(&self) -> &Clock {
        self.schedule.clock()
    }

    /// Says for how long the calling thread may park.
    ///
    /// It is a promise: deadlines that are armed from now on have the host unparked only if they
    /// come before the answer. So a thread that asks parks for no longer than this, can be reached
    /// by [`Host::unpark`] already, and either parks or asks again later.
    pub(crate) fn park_for(&self) -> ParkFor {
        let tick = self.schedule.promise();
        if tick == NEVER {
            return ParkFor::Forever;
        }
        if self.clock().is_paused() {
            // What held the clock may have let go of it since the thread was about to have it jump; from here
            // on it has the host unparked.
            let look_again = tick <= self.schedule.now() || self.may_jump();
            return match look_again {
                true => ParkFor::Now,
                false => ParkFor::Forever,
            };
        }
        let Some(deadline) = self.schedule.instant_of(tick) else {
            return ParkFor::Forever;
        };
        match deadline.saturating_duration_since(self.clock().now()) {
            Duration::ZERO => ParkFor::Now,
            timeout => ParkFor::Timeout(timeout),
        }
    }

    /// Fires everything that is due: wakes wakers, launches callbacks. Returns how many.
    ///
    /// With nothing armed it reads one word per shard, and with nothing due the clock as well.
    pub(crate) fn turn(&self) -> usize {
        let earliest = self.schedule.earliest();
        if earliest == NEVER {
            return 0;
        }
        let now = self.schedule.now();
        if now < earliest {
            return 0;
        }
        let due = |index: &usize| self.schedule.is_due(*index, now);
        (0..self.shards.len())
            .filter(due)
            .map(|index| self.shards[index].turn(now))
            .sum()
    }

    /// Drops the callbacks that have not fired, each in its Context, and wakes everything else.
    /// From now on nothing is armed: callbacks are dropped at once, and a sleep panics unless it is
    /// polled after its deadline.
    pub(crate) fn shutdown(&self) {
        for shard in &self.shards {
            shard.close();
        }
    }

    /// Has whoever parks look at the clock again.
    #[cfg(feature = "test-util")]
    pub(super) fn unpark(&self) {
        self.schedule.unpark();
    }

    /// Says whether time jumps when nothing else is left to be done.
    pub(crate) fn may_jump(&self) -> bool {
        self.clock().may_jump()
    }

    /// The shard for the thread of this number.
    pub(super) fn shard(&self, thread: usize) -> &Arc<Shard> {
        &self.shards[thread % self.shards.len()]
    }
}

/// Tests move the clock.
#[cfg(feature = "test-util")]
impl Timers {
    /// Jumps to the next deadline and fires it, if the clock is paused and nothing
    /// [holds](Self::hold) it. To be called when nothing else can run; returns whether something
    /// fired.
    pub(crate) fn auto_advance(&self) -> bool {
        loop {
            if !self.may_jump() {
                return false;
            }
            // Exact deadlines: the clock must not stop at the time of a timer that was cancelled.
            self.shards.iter().for_each(|shard| shard.refresh());
            let tick = self.schedule.earliest();
            if tick == NEVER {
                return false;
            }
            let target = self.schedule.instant_of(tick);
            let now = self.clock().now();
            let ahead = target.map_or(Duration::MAX, |at| at.saturating_duration_since(now));
            if self.clock().advance(ahead).is_err() {
                return false;
            }
            if self.turn() > 0 {
                return true;
            }
        }
    }

    /// Keeps [`auto_advance`](Self::auto_advance) from jumping until [`release`](Self::release),
    /// because something runs that the clock does not see, such as a blocking task.
    pub(crate) fn hold(&self) {
        self.clock().hold();
    }

    /// Takes back one [`hold`](Self::hold).
    pub(crate) fn release(&self) {
        self.clock().release();
        if self.clock().is_paused() {
            self.schedule.unpark();
        }
    }
}

/// A clock that tests cannot move.
#[cfg(not(feature = "test-util"))]
impl Timers {
    /// Does nothing: only a paused clock jumps.
    pub(crate) fn auto_advance(&self) -> bool {
        false
    }

    /// Does nothing: only a paused clock jumps.
    pub(crate) fn hold(&self) {}

    /// Does nothing: only a paused clock jumps.
    pub(crate) fn release(&self) {}
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}
