//! The spans' clock: the processor's time stamp counter, tied to the time of day when a span is read.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use fastant::Instant as Ticks;

use crate::sync::statics::Mutex;

/// A point in time as spans keep it.
///
/// Reads the processor's time stamp counter where it is stable, which costs half of
/// [`Instant::now`] or less, and the system's monotonic clock elsewhere. Whatever names a time
/// converts into it: std's [`Instant`] and [`SystemTime`], and
/// [`kamon::time::Instant`](crate::time::Instant).
///
/// # Examples
///
/// ```
/// use std::time::Instant;
///
/// let enqueued = Instant::now();
/// let span = kamon::build_span("handle-message").with_from(enqueued).start();
/// span.mark("dequeued");
/// span.finish();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// When the counter stands at zero, about the start of the process: there must be room for what was
/// before.
const ORIGIN: u64 = 1 << 62;

impl Timestamp {
    /// Before every other.
    pub(crate) const ZERO: Timestamp = Timestamp(0);

    /// Returns the present.
    #[inline(always)]
    pub fn now() -> Self {
        #[cfg(any(test, feature = "test-util"))]
        if let Some(frozen) = frozen::now() {
            return frozen;
        }
        if fastant::is_tsc_available() {
            Timestamp(ORIGIN + count(Ticks::now()))
        } else {
            Timestamp::without_counter()
        }
    }

    #[cold]
    fn without_counter() -> Self {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        Timestamp(ORIGIN + START.elapsed().as_nanos() as u64)
    }

    /// Returns the time from `earlier` to this one; zero if that is later than this.
    #[inline]
    pub fn duration_since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Returns the time from `earlier` to this one in nanoseconds; zero if that is later than this.
    #[inline]
    pub(crate) fn nanos_since(self, earlier: Timestamp) -> u64 {
        let ticks = u128::from(self.0.saturating_sub(earlier.0));
        ((ticks * u128::from(RATE.fixed)) >> FIXED_BITS) as u64
    }

    /// A number for it. Those of the present are below 2^63.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Timestamp(bits)
    }

    /// The timestamp `duration` later; the last there is if it is too far away.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_add(ticks(duration)))
    }

    /// The timestamp `duration` earlier; the first there is if it is too far away.
    pub(crate) fn before(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_sub(ticks(duration)))
    }
}

/// How long a tick takes, in nanoseconds.
struct Rate {
    exact: f64,
    /// The same in units of 2^-[`FIXED_BITS`]: multiplied with that, a time is known some
    /// nanoseconds sooner than with a floating point number.
    fixed: u64,
}

const FIXED_BITS: u32 = 40;

/// The rate is measured by `fastant`, before `main`.
static RATE: LazyLock<Rate> = LazyLock::new(|| {
    const MANY: u64 = 1_000_000_000;
    let ticks = Ticks::ZERO
        .checked_add(Duration::from_nanos(MANY))
        .map_or(0, count);
    let exact = match fastant::is_tsc_available() && ticks != 0 {
        true => MANY as f64 / ticks as f64,
        false => 1.0,
    };
    let fixed = (exact * (1_u64 << FIXED_BITS) as f64).round() as u64;
    Rate { exact, fixed }
});

fn ticks(duration: Duration) -> u64 {
    (duration.as_nanos() as f64 / RATE.exact) as u64
}

/// The counter's reading. `fastant` shows it to hashers alone, and this one is compiled to nothing.
#[inline(always)]
fn count(ticks: Ticks) -> u64 {
    struct Reading(u64);

    impl Hasher for Reading {
        #[inline(always)]
        fn write_u64(&mut self, count: u64) {
            self.0 = count;
        }

        fn write(&mut self, _: &[u8]) {
            unreachable!("a reading is one number");
        }

        #[inline(always)]
        fn finish(&self) -> u64 {
            self.0
        }
    }

    let mut reading = Reading(0);
    ticks.hash(&mut reading);
    reading.finish()
}

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        let (now, present) = (Instant::now(), Timestamp::now());
        match instant.checked_duration_since(now) {
            Some(ahead) => present.after(ahead),
            None => present.before(now.duration_since(instant)),
        }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let (now, present) = (SystemTime::now(), Timestamp::now());
        match time.duration_since(now) {
            Ok(ahead) => present.after(ahead),
            Err(behind) => present.before(behind.duration()),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = Timestamp(ORIGIN);
        if *self < origin {
            write!(f, "Timestamp(-{:?})", origin.duration_since(*self))
        } else {
            write!(f, "Timestamp({:?})", self.duration_since(origin))
        }
    }
}

/// How long one reading of the time of day is good for. The counter's rate is off by some
/// millionths: in this time, by less than what separates two spans.
const TIED_FOR: Duration = Duration::from_secs(1);

/// Ties timestamps to the time of day: by one reading of both clocks, renewed each second, so that
/// neither the counter's drift nor a correction of the system's clock adds up.
///
/// One span's times are converted by one tie, so a duration is what the counter measured.
#[derive(Clone, Copy)]
pub(crate) struct Tie {
    time: SystemTime,
    made: Timestamp,
}

impl Tie {
    /// The tie of the present second.
    pub(crate) fn current() -> Tie {
        static CURRENT: Mutex<Option<Tie>> = Mutex::new(None);
        let made = Timestamp::now();
        let mut current = CURRENT.lock();
        match *current {
            // A frozen clock may stand before the time at which it was tied.
            Some(tie) if made >= tie.made && made.duration_since(tie.made) < TIED_FOR => tie,
            _ => *current.insert(Tie {
                time: SystemTime::now(),
                made,
            }),
        }
    }

    /// The time of day at `timestamp`; the epoch, if that is too long ago.
    pub(crate) fn time_of(&self, timestamp: Timestamp) -> SystemTime {
        let time = match timestamp > self.made {
            true => self.time.checked_add(timestamp.duration_since(self.made)),
            false => self.time.checked_sub(self.made.duration_since(timestamp)),
        };
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// A clock that stands still, for tests.
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod frozen {
    use std::sync::{MutexGuard, PoisonError};
    use std::time::Duration;

    use super::Timestamp;
    use crate::sync::statics::{AtomicU64, Ordering};
    use crate::trace::clock::ticks;

    /// Where the clock stands; zero if it goes.
    static FROZEN: AtomicU64 = AtomicU64::new(0);
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// What the clock says, if it stands still.
    #[inline]
    pub(super) fn now() -> Option<Timestamp> {
        match FROZEN.load(Ordering::Relaxed) {
            0 => None,
            frozen => Some(Timestamp(frozen)),
        }
    }

    /// Keeps others from stopping the clock.
    #[cfg(all(test, not(kamon_loom)))]
    pub(super) fn keep_going() -> MutexGuard<'static, ()> {
        ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The spans' clock, standing still until this is dropped: for tests whose spans have to last
    /// exactly so long. There is one clock in a process, so a second one waits until the first is
    /// dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let clock = kamon::trace::FrozenClock::new();
    /// let span = kamon::build_span("find-users").start();
    /// clock.advance(Duration::from_millis(20));
    /// span.finish();
    /// ```
    #[derive(Debug)]
    pub struct FrozenClock {
        _turn: MutexGuard<'static, ()>,
    }

    impl FrozenClock {
        /// Stops the clock at the present.
        #[allow(clippy::new_without_default)] // It stops a clock, which no default should do.
        pub fn new() -> Self {
            let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            FROZEN.store(Timestamp::now().0, Ordering::Relaxed);
            FrozenClock { _turn: turn }
        }

        /// Moves the clock forward.
        pub fn advance(&self, duration: Duration) {
            FROZEN.fetch_add(ticks(duration), Ordering::Relaxed);
        }
    }

    impl Drop for FrozenClock {
        fn drop(&mut self) {
            FROZEN.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn assert_near(a: Duration, b: Duration) {
        assert!(a.abs_diff(b) < HOUR / 60, "{a:?} is not {b:?}");
    }

    #[test]
    fn there_was_a_time_before_the_process() {
        let _going = frozen::keep_going();
        let now = Timestamp::now();
        let then = now.before(1000 * HOUR);
        assert_near(now.duration_since(then), 1000 * HOUR);
        assert_near(
            then.after(1000 * HOUR).duration_since(now.before(HOUR)),
            HOUR,
        );
        assert_eq!(then.duration_since(now), Duration::ZERO);
        assert_eq!(now.before(Duration::MAX), Timestamp::ZERO);
        assert!(now.after(Duration::MAX) > now);
    }

    #[test]
    fn it_goes_as_fast_as_other_clocks() {
        let _going = frozen::keep_going();
        let (instant, timestamp) = (Instant::now(), Timestamp::now());
        while instant.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        // Read in between, so that a thread that is put aside counts on the right side.
        let least = instant.elapsed();
        let counted = Timestamp::now().duration_since(timestamp);
        let most = instant.elapsed();
        let slack = least / 100;
        assert!(counted + slack >= least && counted <= most + slack);
    }

    #[test]
    fn times_of_day_go_there_and_back() {
        let _going = frozen::keep_going();
        let tie = Tie::current();
        let now = SystemTime::now();
        for then in [now, now - 30 * HOUR, now + 30 * HOUR] {
            let back = tie.time_of(then.into());
            let off = back.max(then).duration_since(back.min(then));
            assert_near(off.unwrap_or_default(), Duration::ZERO);
        }
        assert_eq!(tie.time_of(Timestamp::ZERO).max(now), now);
    }
}
