//! Whose work a task's time is: each turn of a task, and each wait between two, is charged to the span
//! that was innermost.
//!
//! The executor says when a task was spawned or woken and when its turns begin and end
//! ([`timed_turn`]); what makes a span current for a part of a turn says so too ([`Stretch`]). None of
//! this happens in runtimes that were built without
//! [`attribute_latency`](crate::runtime::Builder::attribute_latency).

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr;
use std::sync::LazyLock;
use std::time::Duration;

use crate::context::slot;
use crate::metrics::{counter, timer, Counter, Timer};
use crate::sync::tls;
use crate::trace::state::Flags;
use crate::trace::waits::{self, Wait};
use crate::trace::work_counts::{Turns, WorkCounts};
use crate::trace::{Span, Timestamp};

/// Polls that lasted longer than the runtime allows, by operation and by where the task was spawned.
static LONG_POLLS: LazyLock<Counter> = LazyLock::new(|| {
    counter("executor.long-polls")
        .with_description("polls that kept a worker for longer than the threshold")
});

/// How long woken tasks, and the futures of `block_on`, waited for their thread, whichever span they
/// belong to.
static TIME_IN_QUEUE: LazyLock<Timer> = LazyLock::new(|| {
    timer("executor.time-in-queue").with_description("how long woken tasks waited for a worker")
});

/// The turn that this thread gives to a task.
struct Meter {
    /// What is charged for the present stretch; null when nothing is.
    span: Cell<*const Span>,
    /// Whether there is a turn to account for.
    on: Cell<bool>,
    /// When the present stretch began.
    since: Cell<Timestamp>,
    /// When the turn turns into a long one; none if that was said already, or is not asked for.
    long_at: Cell<Option<Timestamp>>,
    spawned_at: Cell<Option<&'static Location<'static>>>,
    /// Who will be charged for the wait that comes next.
    waits: Cell<Option<Span>>,
    /// Who was charged for the wait before: most often the same one, whose handle is used again.
    waited: Cell<Option<Span>>,
    /// How long a task waited for its first turn, until a span is there to be charged: most often the
    /// one that the whole task is in, which nobody has entered before.
    first_wait: Cell<u64>,
}

tls! {
    // Without a destructor, so that spans can be finished in those of other thread-locals. Between
    // turns there is nothing to drop.
    static METER: ManuallyDrop<Meter> = ManuallyDrop::new(Meter {
        span: Cell::new(ptr::null()),
        on: Cell::new(false),
        since: Cell::new(Timestamp::ZERO),
        long_at: Cell::new(None),
        spawned_at: Cell::new(None),
        waits: Cell::new(None),
        waited: Cell::new(None),
        first_wait: Cell::new(0),
    });
}

/// A task was spawned, which counts as its first wake.
pub(crate) fn task_spawned(task: u64) {
    waits::begin(task, Timestamp::now());
}

/// A task was woken, so that it waits for a worker from now on.
pub(crate) fn task_woken(task: u64) {
    waits::woken(task, Timestamp::now());
}

/// A task was woken in its turn, which is over: it waits from the turn's end on.
pub(crate) fn task_yielded(task: u64) {
    waits::woken(task, Timestamp::ZERO);
}

/// A task's future is gone.
pub(crate) fn task_ended(task: u64) {
    // It may be the last handle of a span.
    drop(waits::end(task));
}

/// Calls `poll` as a turn of a task, in the task's Context.
pub(crate) fn timed_turn<R>(
    task: u64,
    spawned_at: &'static Location<'static>,
    longest: Option<Duration>,
    poll: impl FnOnce() -> R,
) -> R {
    slot::with_value(Span::key(), |base| {
        let _turn = Turn::begin(task, base, spawned_at, longest);
        poll()
    })
}

/// Charges a wait that is over, and says for whom it was. What could be charged to nobody yet is
/// returned.
fn charge_wait(wait: Wait, now: Timestamp) -> (u64, Option<Span>) {
    let queued = now.nanos_since(wait.woken.unwrap_or(now));
    TIME_IN_QUEUE.record_nanos(queued);
    let Some(span) = wait.span else {
        return (queued, None);
    };
    if let Some((turns, work)) = account(&span) {
        let awaiting = wait.woken.unwrap_or(now).nanos_since(wait.since);
        work.add_awaiting(turns, awaiting);
        work.add_queued(turns, queued);
    }
    (0, Some(span))
}

/// A turn of a task, from `begin` to its drop.
#[must_use = "the turn ends when this is dropped"]
struct Turn<'a> {
    task: u64,
    /// The span in the task's own Context.
    base: &'a Span,
    outer: Outer,
}

/// What the thread was accounting for around the turn: a `block_on` inside of another task.
struct Outer {
    span: *const Span,
    on: bool,
    long_at: Option<Timestamp>,
    spawned_at: Option<&'static Location<'static>>,
    waits: Option<Span>,
    waited: Option<Span>,
    first_wait: u64,
}

impl<'a> Turn<'a> {
    /// Charges the wait that is over and begins to charge for the turn.
    fn begin(
        task: u64,
        base: &'a Span,
        spawned_at: &'static Location<'static>,
        longest: Option<Duration>,
    ) -> Turn<'a> {
        let now = Timestamp::now();
        let (first_wait, waited) = match waits::interrupt(task) {
            Some(wait) => charge_wait(wait, now),
            None => (0, None),
        };
        count_poll(base);
        let outer = METER.with(|meter| {
            if meter.on.get() {
                meter.charge(now);
            }
            meter.since.set(now);
            Outer {
                span: meter.span.replace(base),
                on: meter.on.replace(true),
                long_at: meter.long_at.replace(longest.map(|long| now.after(long))),
                spawned_at: meter.spawned_at.replace(Some(spawned_at)),
                waits: meter.waits.take(),
                waited: meter.waited.replace(waited),
                first_wait: meter.first_wait.replace(first_wait),
            }
        });
        Turn { task, base, outer }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now = Timestamp::now();
        let waits = METER.with(|meter| {
            meter.charge(now);
            meter.charge_first_wait(self.base);
            meter.since.set(now);
            meter.first_wait.set(self.outer.first_wait);
            meter.span.set(self.outer.span);
            meter.on.set(self.outer.on);
            meter.long_at.set(self.outer.long_at);
            meter.spawned_at.set(self.outer.spawned_at);
            let waits = match meter.waits.replace(self.outer.waits.take()) {
                Some(waits) => waits,
                None => meter.innermost(self.base),
            };
            (waits, meter.waited.replace(self.outer.waited.take()))
        });
        let (waits, waited) = waits;
        drop(waited);
        waits::go_on(self.task, now, waits);
    }
}

/// A part of a turn in which another span is innermost, until dropped. Nothing outside of a turn.
#[must_use = "the stretch ends when this is dropped"]
pub(crate) struct Stretch<'a> {
    /// The span to go back to, if there is a turn.
    outer: Option<*const Span>,
    inner: PhantomData<&'a Span>,
}

impl<'a> Stretch<'a> {
    #[inline]
    pub(crate) fn enter(span: &'a Span) -> Stretch<'a> {
        let outer = METER.with(|meter| meter.on.get().then(|| meter.turn_to(span)));
        Stretch {
            outer,
            inner: PhantomData,
        }
    }

    /// The same for a future of the span that is polled.
    #[inline]
    pub(crate) fn enter_poll(span: &'a Span) -> Stretch<'a> {
        let stretch = Stretch::enter(span);
        if stretch.outer.is_some() {
            METER.with(|meter| meter.charge_first_wait(span));
            count_poll(span);
        }
        stretch
    }

    /// The future of `span` has returned `Pending`. The first one to say so is innermost.
    #[inline]
    pub(crate) fn pending(&self, span: &Span) {
        if self.outer.is_none() {
            return;
        }
        METER.with(|meter| {
            let waits = match meter.waits.take() {
                Some(waits) => waits,
                None => meter.innermost(span),
            };
            meter.waits.set(Some(waits));
        });
    }
}

impl Drop for Stretch<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(outer) = self.outer {
            METER.with(|meter| meter.turn_to(outer));
        }
    }
}

/// Charges the present stretch, because a span is about to be finished in it.
#[inline]
pub(super) fn settle() {
    METER.with(|meter| {
        if meter.on.get() {
            let now = Timestamp::now();
            meter.charge(now);
            meter.since.set(now);
        }
    });
}

impl Meter {
    /// Ends the present stretch and begins one of another span. Returns the span before.
    #[cold]
    fn turn_to(&self, span: *const Span) -> *const Span {
        let now = Timestamp::now();
        self.charge(now);
        self.since.set(now);
        self.span.replace(span)
    }

    /// A handle of the span that will wait.
    fn innermost(&self, span: &Span) -> Span {
        match self.waited.take() {
            Some(waited) if waited.is_same(span) => waited,
            other => {
                self.waited.set(other);
                span.clone()
            }
        }
    }

    fn charge_first_wait(&self, span: &Span) {
        let nanos = self.first_wait.take();
        if nanos == 0 {
            return;
        }
        if let Some((turns, work)) = account(span) {
            work.add_queued(turns, nanos);
        }
    }

    fn charge(&self, now: Timestamp) {
        // SAFETY: whoever set the pointer, a `Turn` or a `Stretch`, borrows the span, and
        // takes the pointer back as it ends. They end on this thread, in the order of the calls.
        let Some(span) = (unsafe { self.span.get().as_ref() }) else {
            return;
        };
        if let Some((turns, work)) = account(span) {
            let nanos = now.nanos_since(self.since.get());
            work.add_cpu(turns, nanos);
        }
        if self.long_at.get().is_some_and(|long_at| now > long_at) {
            self.long_at.set(None);
            note_long_poll(span, self.spawned_at.get());
        }
    }
}

/// What a span is charged in, if it lives here and is not finished: its record is closed then.
fn account(span: &Span) -> Option<(&Turns, &WorkCounts)> {
    let body = span.local()?;
    (!body.flags().any(Flags::FINISHED)).then(|| body.work())
}

fn count_poll(span: &Span) {
    if let Some((turns, _)) = account(span) {
        turns.poll();
    }
}

#[cold]
fn note_long_poll(span: &Span, spawned_at: Option<&'static Location<'static>>) {
    if !span.is_finished() {
        span.mark("long-poll");
    }
    let mut polls = LONG_POLLS.clone();
    if !span.is_empty() {
        polls = polls.with_tag("operation", span.operation_name().to_owned());
    }
    if let Some(place) = spawned_at {
        polls = polls.with_tag("spawned-at", place.to_string());
    }
    polls.increment();
}
