//! The tasks whose time is attributed, between two of their turns.
//!
//! A task's header has no room for this: a task that nobody asks about should not pay for one that
//! somebody does. So each has a record, found by the task's number: in a table, under a lock, the first
//! time that a thread has to do with it, and after that, most often, in what the thread remembers.

use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::sync::statics::{AtomicU64, Mutex, Ordering};
use crate::sync::tls;
use crate::trace::{Span, Timestamp};

/// A wait between two turns.
pub(super) struct Wait {
    /// When the last turn ended, or the task was spawned.
    pub(super) since: Timestamp,
    /// When it was woken; not before `since`.
    pub(super) woken: Option<Timestamp>,
    /// The innermost span whose future returned `Pending`; none before the first turn.
    pub(super) span: Option<Span>,
}

/// What is known of one task. Records are used again and never freed, so that whoever remembers one
/// may ask at any time whose it is.
struct Record {
    /// The task; zero if there is none. Numbers of tasks are not used again.
    task: AtomicU64,
    /// When the task was woken, or [`asleep`].
    woken: AtomicU64,
    waiting: UnsafeCell<Waiting>,
}

/// What belongs to whoever has the right to poll the task or to end it: one at a time, and each after
/// the other, as the executor sees to.
struct Waiting {
    since: Timestamp,
    span: Option<Span>,
}

// SAFETY: `waiting` is used by one at a time, see there, and all else is atomic.
unsafe impl Sync for Record {}

/// What stands for a task that was not woken: so that nobody wakes another one that has its record now.
/// Times are smaller.
fn asleep(task: u64) -> u64 {
    1 << 63 | task
}

/// How many locks the records are spread over.
const SHARDS: usize = 64;

#[derive(Default)]
struct Shard {
    records: HashMap<u64, &'static Record, BuildHasherDefault<Number>>,
    spare: Vec<&'static Record>,
}

static SHARDS_OF_ALL: LazyLock<Vec<Mutex<Shard>>> =
    LazyLock::new(|| (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect());

/// Numbers of tasks are handed out in blocks, one after the other, so that hardly two meet.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn write_u64(&mut self, number: u64) {
        // All numbers of a shard end alike, and so would their products.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a number is one number");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How many records a thread remembers.
const KNOWN: usize = 256;

tls! {
    static RECORDS: [Cell<Option<&'static Record>>; KNOWN] = [const { Cell::new(None) }; KNOWN];
}

fn shard(task: u64) -> &'static Mutex<Shard> {
    &SHARDS_OF_ALL[task as usize % SHARDS]
}

/// The record of a task, if it has one.
#[inline]
fn find(task: u64) -> Option<&'static Record> {
    RECORDS.with(|records| {
        let known = &records[task as usize % KNOWN];
        match known.get() {
            // Ordering: who has to do with a task comes after its spawn, by the executor's order; and
            // the number of another task says nothing but that.
            Some(record) if record.task.load(Ordering::Relaxed) == task => Some(record),
            _ => {
                let found = shard(task).lock().records.get(&task).copied()?;
                known.set(Some(found));
                Some(found)
            }
        }
    })
}

/// A task begins to wait for its first turn: it counts as woken.
pub(super) fn begin(task: u64, now: Timestamp) {
    let mut shard = shard(task).lock();
    let spare = shard.spare.pop();
    let record = spare.unwrap_or_else(|| {
        Box::leak(Box::new(Record {
            task: AtomicU64::new(0),
            woken: AtomicU64::new(0),
            waiting: UnsafeCell::new(Waiting {
                since: now,
                span: None,
            }),
        }))
    });
    // SAFETY: a spare record is nobody's, and we have the lock of those that are spare.
    unsafe { (*record.waiting.get()).since = now };
    // Ordering: whoever finds the record does so under the lock, or has the task from us.
    record.woken.store(now.bits(), Ordering::Relaxed);
    record.task.store(task, Ordering::Relaxed);
    shard.records.insert(task, record);
    drop(shard);
    RECORDS.with(|records| records[task as usize % KNOWN].set(Some(record)));
}

/// A task was woken, unless it was already. Before the end of its turn counts as at the end.
#[inline]
pub(super) fn woken(task: u64, now: Timestamp) {
    if let Some(record) = find(task) {
        record.wake(task, now);
    }
}

impl Record {
    /// Notes when the task was woken, if the record is still its own and nobody was first.
    #[inline]
    fn wake(&self, task: u64, now: Timestamp) {
        let asleep = asleep(task);
        // A look first: what is not to be changed is not to be taken from another core.
        if self.woken.load(Ordering::Relaxed) == asleep {
            // Ordering: the time is all there is to read.
            let _ = self.woken.compare_exchange(
                asleep,
                now.bits(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }
}

/// A task has a turn: its wait is over.
#[inline]
pub(super) fn interrupt(task: u64) -> Option<Wait> {
    let record = find(task)?;
    let asleep = asleep(task);
    // SAFETY: whoever gives the turn has the right to.
    let waiting = unsafe { &mut *record.waiting.get() };
    let woken = record.woken.load(Ordering::Relaxed);
    if woken != asleep {
        // Ordering: as in `woken`. A wake that comes now is one of the turn.
        record.woken.store(asleep, Ordering::Relaxed);
    }
    let since = waiting.since;
    Some(Wait {
        since,
        woken: (woken != asleep).then(|| Timestamp::from_bits(woken).max(since)),
        span: waiting.span.take(),
    })
}

/// A task waits again.
#[inline]
pub(super) fn go_on(task: u64, since: Timestamp, span: Span) {
    match find(task) {
        Some(record) => {
            // SAFETY: whoever gives the turn has the right to.
            let waiting = unsafe { &mut *record.waiting.get() };
            waiting.since = since;
            let none = waiting.span.replace(span);
            debug_assert!(none.is_none());
        }
        // It has ended in its turn.
        None => drop(span),
    }
}

/// A task has ended. Returns what its record held.
pub(super) fn end(task: u64) -> Option<Span> {
    let mut shard = shard(task).lock();
    let record = shard.records.remove(&task)?;
    // SAFETY: whoever ends the task has the right to.
    let span = unsafe { (*record.waiting.get()).span.take() };
    record.task.store(0, Ordering::Relaxed);
    shard.spare.push(record);
    span
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    /// No task has such a number.
    const FIRST: u64 = 1 << 50;

    fn at(number: u64) -> Timestamp {
        Timestamp::from_bits(number)
    }

    /// Since when a task waits and when it was woken, at the end of its wait.
    fn waited(task: u64) -> Option<(u64, Option<u64>)> {
        let wait = interrupt(task)?;
        Some((wait.since.bits(), wait.woken.map(Timestamp::bits)))
    }

    #[test]
    fn the_first_wake_of_a_wait_counts() {
        let task = FIRST + 1;
        begin(task, at(10));
        woken(task, at(20));
        assert_eq!(waited(task), Some((10, Some(10))));
        // Before the wait begins: in the turn, by whoever is quick.
        woken(task, at(25));
        go_on(task, at(30), Span::empty());
        assert_eq!(waited(task), Some((30, Some(30))));
        go_on(task, at(40), Span::empty());
        assert_eq!(waited(task), Some((40, None)));
        go_on(task, at(50), Span::empty());
        woken(task, at(60));
        woken(task, at(70));
        std::thread::scope(|scope| {
            // Where nobody remembers it.
            let thread = scope.spawn(|| assert_eq!(waited(task), Some((50, Some(60)))));
            thread.join().unwrap();
        });
        assert!(end(task).is_none() && end(task).is_none());
        assert_eq!(waited(task), None);
        go_on(task, at(80), Span::empty());
        assert_eq!(waited(task), None);
    }

    #[test]
    fn a_record_that_is_used_again_is_another_ones() {
        let old = FIRST + 2;
        begin(old, at(10));
        let record = find(old).unwrap();
        end(old);
        // Others have tasks in the shard as well.
        let mut more = (1..).map(|turn| old + turn * SHARDS as u64);
        let new = more.find(|task| {
            begin(*task, at(20));
            std::ptr::eq(find(*task).unwrap(), record)
        });
        let new = new.unwrap();
        assert_eq!(waited(new), Some((20, Some(20))));
        go_on(new, at(30), Span::empty());
        assert!(find(old).is_none());
        // Somebody who had found it before.
        record.wake(old, at(40));
        assert_eq!(waited(new), Some((30, None)));
    }
}
