//! When snapshots are due: at multiples of the interval, by the clock on the wall.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long it is from `now` until the next multiple of `interval`; never zero.
///
/// The first tick of a subscription.
pub(crate) fn until_first(now: SystemTime, interval: Duration) -> Duration {
    interval - past_multiple(now, interval)
}

/// How long it is from `now`, shortly before or after a tick, until the next one.
///
/// The clocks that wake a sleeper and that hangs on the wall do not quite agree: a tick that came a
/// little early must not come a second time.
pub(crate) fn until_next(now: SystemTime, interval: Duration) -> Duration {
    let past = past_multiple(now, interval);
    if past >= interval / 2 {
        interval - past + interval
    } else {
        interval - past
    }
}

/// How many ticks went by, if one was due so long ago.
pub(crate) fn skipped(late: Duration, interval: Duration) -> u64 {
    u64::try_from(late.as_nanos() / interval.as_nanos()).unwrap_or(u64::MAX)
}

fn past_multiple(now: SystemTime, interval: Duration) -> Duration {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let past = since.as_nanos() % interval.as_nanos();
    // Less than the interval, which is a duration.
    let seconds = u64::try_from(past / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, (past % 1_000_000_000) as u32)
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

    #[test]
    fn a_tick_that_came_early_does_not_come_again() {
        for (now, wait) in [(60_000, 60_000), (59_998, 60_002), (60_700, 59_300)] {
            let expected = Duration::from_millis(wait);
            assert_eq!(until_next(at(now), MINUTE), expected, "{now}");
        }
    }

    #[test]
    fn ticks_that_nobody_saw_are_counted() {
        for (late, count) in [(0, 0), (59_999, 0), (60_000, 1), (200_000, 3)] {
            assert_eq!(skipped(Duration::from_millis(late), MINUTE), count);
        }
    }

    #[test]
    fn a_clock_before_its_epoch_does_no_harm() {
        let now = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(until_first(now, MINUTE), MINUTE);
        let long = Duration::MAX;
        assert!(until_first(at(7), long) > MINUTE);
    }
}
