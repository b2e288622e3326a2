//! What a [`RingReporter`](crate::report::RingReporter) keeps, and what it lets go of.

use std::collections::VecDeque;
use std::time::Duration;

use crate::report::batch::Batch;
use crate::sync::Arc;
use crate::trace::SpanRecord;

/// The slowest and the failed spans are kept until so many times as many others have come.
const LONGER: u64 = 8;

/// How many of the slowest, and how many of the failed spans are kept longer: so many times fewer
/// than of all.
const FEWER: usize = 16;

/// The last spans, and the slowest and the failed ones of those before.
pub(crate) struct Shelf {
    capacity: usize,
    recent: VecDeque<Batch>,
    /// Spans of the oldest batch that are no longer counted among the recent ones.
    skipped: usize,
    /// Spans in `recent`, those that are skipped included.
    held: usize,
    /// Spans that have come since the beginning.
    come: u64,
    failed: VecDeque<Kept>,
    /// The slowest last.
    slowest: Vec<Kept>,
}

/// A span that is kept longer.
#[derive(Clone)]
struct Kept {
    /// How many spans had come when it ceased to be a recent one.
    at: u64,
    duration: Duration,
    span: Arc<SpanRecord>,
}

/// A look at a shelf, taken in passing.
pub(crate) struct Look {
    recent: Vec<Batch>,
    skipped: usize,
    failed: Vec<Arc<SpanRecord>>,
    slowest: Vec<Arc<SpanRecord>>,
}

impl Shelf {
    pub(crate) fn new(capacity: usize) -> Self {
        Shelf {
            capacity,
            recent: VecDeque::new(),
            skipped: 0,
            held: 0,
            come: 0,
            failed: VecDeque::new(),
            slowest: Vec::new(),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
        drop(self.make_room());
    }

    /// Puts a batch with the others. Returns those that are not among them any more.
    pub(crate) fn put(&mut self, batch: &Batch) -> Vec<Batch> {
        self.come += batch.len() as u64;
        self.held += batch.len();
        self.recent.push_back(batch.clone());
        self.make_room()
    }

    pub(crate) fn clear(&mut self) {
        *self = Shelf::new(self.capacity);
    }

    /// What is there now.
    pub(crate) fn look(&self) -> Look {
        Look {
            recent: self.recent.iter().cloned().collect(),
            skipped: self.skipped,
            failed: self.failed.iter().map(|kept| kept.span.clone()).collect(),
            slowest: self.slowest.iter().map(|kept| kept.span.clone()).collect(),
        }
    }

    /// Lets go of what there is no room for. Returns the batches that went.
    fn make_room(&mut self) -> Vec<Batch> {
        let mut gone = Vec::new();
        while self.held - self.skipped > self.capacity {
            let Some(oldest) = self.recent.pop_front() else {
                break;
            };
            let excess = self.held - self.skipped - self.capacity;
            let end = oldest.len().min(self.skipped + excess);
            for span in &oldest[self.skipped..end] {
                self.let_go(span);
            }
            if end == oldest.len() {
                self.held -= end;
                self.skipped = 0;
                gone.push(oldest);
            } else {
                self.skipped = end;
                self.recent.push_front(oldest);
            }
        }
        self.forget();
        gone
    }

    /// A span is no longer a recent one.
    fn let_go(&mut self, span: &SpanRecord) {
        let most = self.capacity / FEWER;
        let duration = span.duration();
        let kept = || Kept {
            at: self.come,
            duration,
            span: Arc::new(span.clone()),
        };
        if span.failed && most > 0 {
            self.failed.push_back(kept());
        }
        let is_slower = self.slowest.first().map(|than| duration > than.duration);
        if self.slowest.len() < most || is_slower == Some(true) {
            let faster = |other: &Kept| other.duration <= duration;
            let place = self.slowest.partition_point(faster);
            self.slowest.insert(place, kept());
        }
        if self.failed.len() > most {
            self.failed.pop_front();
        }
        if self.slowest.len() > most {
            self.slowest.remove(0);
        }
    }

    /// Forgets what has been kept for long enough.
    fn forget(&mut self) {
        let long = LONGER.saturating_mul(self.capacity as u64);
        let since = self.come.saturating_sub(long);
        self.failed.retain(|kept| kept.at >= since);
        self.slowest.retain(|kept| kept.at >= since);
    }
}

impl Look {
    /// The recent spans, in the order in which they came.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &SpanRecord> + '_ {
        let all = self.recent.iter().flat_map(|batch| batch.iter());
        all.skip(self.skipped)
    }

    /// The spans that were kept longer, each once.
    pub(crate) fn older(&self) -> impl Iterator<Item = &SpanRecord> + '_ {
        let of_both = |span: &Arc<SpanRecord>| {
            let is_it =
                |other: &Arc<SpanRecord>| (other.trace_id, other.id) == (span.trace_id, span.id);
            span.failed && self.failed.iter().any(is_it)
        };
        let slowest = self.slowest.iter().filter(move |span| !of_both(span));
        self.failed.iter().chain(slowest).map(|span| &**span)
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    use crate::trace::{SpanId, TraceId};

    fn span(number: u64, millis: u64, failed: bool) -> SpanRecord {
        let mut span = SpanRecord::new(TraceId::new(1), SpanId::new(number), "work");
        span.started_at = UNIX_EPOCH;
        span.finished_at = UNIX_EPOCH + Duration::from_millis(millis);
        span.failed = failed;
        span
    }

    fn numbers<'a>(spans: impl Iterator<Item = &'a SpanRecord>) -> Vec<u64> {
        spans.map(|span| span.id.get()).collect()
    }

    #[test]
    fn exactly_the_last_ones_are_recent_whatever_the_batches() {
        let mut shelf = Shelf::new(5);
        let mut next = 1;
        for size in [1, 3, 2, 7, 1, 1, 20, 0, 4] {
            let spans: Vec<SpanRecord> = (next..next + size).map(|n| span(n, 1, false)).collect();
            next += size;
            shelf.put(&Batch::from(spans));
            let last: Vec<u64> = (next.saturating_sub(5).max(1)..next).collect();
            assert_eq!(numbers(shelf.look().recent()), last);
        }
    }

    #[test]
    fn the_slowest_and_the_failed_stay_longer() {
        // Room for 32 spans, and for two of each kind.
        let mut shelf = Shelf::new(32);
        let first = [
            span(1, 5, false),
            span(2, 900, false),
            span(3, 5, true),
            span(4, 700, true),
            span(5, 800, false),
        ];
        shelf.put(&Batch::from(first.to_vec()));
        let fill = |shelf: &mut Shelf, number: u64| {
            for n in 0..number {
                shelf.put(&Batch::from(vec![span(100 + n, 1, false)]));
            }
        };
        fill(&mut shelf, 32);
        assert_eq!(numbers(shelf.look().older()), [3, 4, 5, 2]);
        // Eight times as many spans later they are gone.
        fill(&mut shelf, 8 * 32 - 5);
        assert_eq!(numbers(shelf.look().older())[..2], [3, 4]);
        fill(&mut shelf, 6);
        assert!(numbers(shelf.look().older())
            .iter()
            .all(|number| *number >= 100));
    }

    #[test]
    fn there_may_be_room_for_everything() {
        for capacity in [usize::MAX / 2, usize::MAX] {
            let mut shelf = Shelf::new(1);
            shelf.set_capacity(capacity);
            shelf.put(&Batch::from(vec![span(1, 900, true), span(2, 1, false)]));
            assert_eq!(numbers(shelf.look().recent()), [1, 2]);
        }
    }

    #[test]
    fn without_room_nothing_stays() {
        let mut shelf = Shelf::new(0);
        shelf.put(&Batch::from(vec![span(1, 900, true)]));
        let look = shelf.look();
        assert_eq!((look.recent().count(), look.older().count()), (0, 0));
    }
}
