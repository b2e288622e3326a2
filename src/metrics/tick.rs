//! When snapshots are due: at multiples of the interval, by the clock on the wall.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long it is from `now` until the next multiple of `interval`; never zero.
///
/// The first tick of a subscription.
pub(crate) fn until_first(now: SystemTime, interval: Duration) -> Duration {
    interval - past_multiple(now, interval)
}

/// At a tick that came so `late`: how many went by since, and how long it is from `now` until the
/// next one; never zero.
///
/// The clocks that wake a sleeper and that hangs on the wall do not quite agree: a tick that came a
/// little early by the latter must not come a second time. How late it came is by the former, and
/// so tells the multiple of `interval` that was due from the one that is near by now.
pub(crate) fn next(now: SystemTime, late: Duration, interval: Duration) -> (u64, Duration) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (since, interval) = (since.as_nanos(), interval.as_nanos());
    let due = (since.saturating_sub(late.as_nanos()) + interval / 2) / interval;
    let passed = due.max(since / interval);
    let skipped = u64::try_from(passed - due).unwrap_or(u64::MAX);
    (skipped, duration((passed + 1) * interval - since))
}

fn past_multiple(now: SystemTime, interval: Duration) -> Duration {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    duration(since.as_nanos() % interval.as_nanos())
}

fn duration(nanoseconds: u128) -> Duration {
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, (nanoseconds % 1_000_000_000) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_first_tick_is_aligned() {
        for (now, wait) in [(0, 60_000), (1, 59_999), (59_999, 1), (60_000, 60_000)] {
            let expected = Duration::from_millis(wait);
            assert_eq!(until_first(at(now), MINUTE), expected, "{now}");
        }
    }

    /// What is said of a tick at `now`, which is `late`.
    fn assert_next(now: u64, late: u64, skipped: u64, wait: u64) {
        let said = next(at(now), Duration::from_millis(late), MINUTE);
        let expected = (skipped, Duration::from_millis(wait));
        assert_eq!(said, expected, "at {now}, late by {late}");
    }

    #[test]
    fn a_tick_that_came_early_does_not_come_again() {
        for (now, wait) in [(60_000, 60_000), (59_998, 60_002), (30_000, 90_000)] {
            assert_next(now, 0, 0, wait);
        }
    }

    #[test]
    fn ticks_that_nobody_saw_are_counted() {
        for late in [700, 29_999, 30_000, 45_000, 59_999] {
            assert_next(60_000 + late, late, 0, 60_000 - late);
        }
        for late in [60_000, 75_000, 90_000, 119_999] {
            assert_next(60_000 + late, late, 1, 120_000 - late);
        }
        assert_next(260_000, 200_000, 3, 40_000);
    }

    #[test]
    fn a_tick_that_came_late_is_told_by_both_clocks() {
        // The one on the wall is two milliseconds behind, or ahead.
        assert_next(104_998, 45_000, 0, 15_002);
        assert_next(105_002, 45_000, 0, 14_998);
        // Whether one more went by is as that clock says: it is the one that the next comes by.
        assert_next(119_998, 60_000, 0, 2);
        assert_next(120_001, 59_999, 1, 59_999);
        // It was put forward by an hour meanwhile, or back: no tick went by for that.
        assert_next(3_705_000, 45_000, 0, 15_000);
        assert_next(705_000, 45_000, 0, 15_000);
    }

    #[test]
    fn a_clock_before_its_epoch_does_no_harm() {
        let now = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(until_first(now, MINUTE), MINUTE);
        assert_eq!(next(now, MINUTE, MINUTE), (0, MINUTE));
        let long = Duration::MAX;
        assert!(until_first(at(7), long) > MINUTE);
        assert!(next(at(7), MINUTE, long).1 > MINUTE);
    }
}
