//! `Schedule`: what all shards of a runtime's timers share, and the parked thread reads.
//!
//! Each shard publishes its earliest deadline. A thread that parks *promises* to wake up at the
//! earliest of them; a thread that arms an earlier one than was promised has it unparked. The two
//! meet like this, where each side writes, fences and then reads what the other wrote:
//!
//! ```text
//! parks:  promised = earliest of all        arms:  earliest of its shard = when
//!         fence                                    fence
//!         look at all earliest again               promised > when?  unpark
//! ```
//!
//! So either the parking thread sees the new deadline, or the arming one sees the promise.
//! Published deadlines are never late. They are early after the entry they were made for has been
//! removed, which costs one turn of the wheel when that time comes and saves the work for the many
//! timeouts that are removed before.

use std::sync::{OnceLock, Weak};
use std::time::{Duration, Instant};

use crate::sync::atomic::{fence, AtomicU64, Ordering};
use crate::sync::Arc;

use super::clock::Clock;
use super::host::Host;

/// The tick of a deadline that never comes.
pub(super) const NEVER: u64 = u64::MAX;

/// A sixteenth of a millisecond: what waits for a tick (the driver, the system) has a resolution of a
/// millisecond at best, and two roundings of that kind would add up.
const TICKS_PER_SECOND: u64 = 16_000;
const NANOS_PER_TICK: u32 = 62_500;

/// The time and the deadlines of a runtime. Ticks are counted since the timers were made.
pub(super) struct Schedule {
    clock: Clock,
    start: Instant,
    host: OnceLock<Weak<dyn Host>>,
    /// For each shard the tick before which nothing in it is due.
    earliest: Box<[AtomicU64]>,
    /// The tick at which the thread that parked last wakes up by itself.
    promised: AtomicU64,
}

impl Schedule {
    pub(super) fn new(shards: usize, clock: Clock) -> Self {
        Schedule {
            start: clock.now(),
            clock,
            host: OnceLock::new(),
            earliest: (0..shards).map(|_| AtomicU64::new(NEVER)).collect(),
            promised: AtomicU64::new(NEVER),
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn set_host(&self, host: Weak<dyn Host>) {
        let _ = self.host.set(host);
    }

    pub(super) fn host(&self) -> Option<Arc<dyn Host>> {
        self.host.get()?.upgrade()
    }

    pub(super) fn unpark(&self) {
        if let Some(host) = self.host() {
            host.unpark();
        }
    }

    /// The last tick that has been reached.
    pub(super) fn now(&self) -> u64 {
        let since = self.clock.now().saturating_duration_since(self.start);
        whole_ticks(since).saturating_add(u64::from(since.subsec_nanos() / NANOS_PER_TICK))
    }

    /// The first tick that is not before `deadline`.
    pub(super) fn tick_of_deadline(&self, deadline: Instant) -> u64 {
        let until = deadline.saturating_duration_since(self.start);
        let rest = u64::from(until.subsec_nanos().div_ceil(NANOS_PER_TICK));
        // One below the tick that means "never".
        whole_ticks(until).saturating_add(rest).min(NEVER - 1)
    }

    /// The instant of a tick, `None` if it lies beyond what the clock can show.
    pub(super) fn instant_of(&self, tick: u64) -> Option<Instant> {
        let nanos = (tick % TICKS_PER_SECOND) as u32 * NANOS_PER_TICK;
        self.start
            .checked_add(Duration::new(tick / TICKS_PER_SECOND, nanos))
    }

    /// The tick before which nothing is due in any shard.
    pub(super) fn earliest(&self) -> u64 {
        // Ordering: Relaxed. What is due is read under the shards' locks; that no deadline is
        // missed by a thread that parks is for the fence in `promise`.
        self.earliest
            .iter()
            .map(|tick| tick.load(Ordering::Relaxed))
            .min()
            .unwrap_or(NEVER)
    }

    /// Says whether something is due in one shard at `now`.
    pub(super) fn is_due(&self, shard: usize, now: u64) -> bool {
        // Ordering: Relaxed, as in `earliest`.
        self.earliest[shard].load(Ordering::Relaxed) <= now
    }

    /// Makes a shard's earliest deadline known. The caller holds the shard's lock.
    pub(super) fn publish(&self, shard: usize, tick: Option<u64>) {
        // Ordering: Relaxed. It is only raised here, or lowered to what is not new.
        self.earliest[shard].store(tick.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Publishes a new deadline of a shard if it is the shard's earliest, and says whether it is:
    /// then [`announce`](Self::announce) must follow. The caller holds the shard's lock.
    #[must_use]
    pub(super) fn lower(&self, shard: usize, tick: u64) -> bool {
        // Ordering: Relaxed. The lock orders the writers; for readers the fence in `announce` does.
        let earlier = tick < self.earliest[shard].load(Ordering::Relaxed);
        if earlier {
            self.earliest[shard].store(tick, Ordering::Relaxed);
        }
        earlier
    }

    /// Unparks the host if no thread promised to wake up in time for `tick`.
    pub(super) fn announce(&self, tick: u64) {
        // Ordering: between the store in `lower` and the load here, pairs with the fence in
        // `promise` (see the head of this file).
        fence(Ordering::SeqCst);
        if tick < self.promised.load(Ordering::Relaxed) {
            self.unpark();
        }
    }

    /// Promises that the calling thread wakes up at the tick that is returned.
    pub(super) fn promise(&self) -> u64 {
        let mut tick = self.earliest();
        loop {
            self.promised.store(tick, Ordering::Relaxed);
            // Ordering: between the store and the loads, pairs with the fence in `announce`.
            fence(Ordering::SeqCst);
            let earliest = self.earliest();
            if earliest >= tick {
                return tick;
            }
            tick = earliest;
        }
    }
}

fn whole_ticks(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(TICKS_PER_SECOND)
}
