//! `Timer`: one deadline that a task waits for, armed when it is first polled.

use std::fmt;
use std::task::{ready, Context as TaskContext, Poll};

use super::current;
use super::instant::Instant;
use super::shard::{Action, Armed, Renewed, Shard};
use super::wheel::{Key, Moved};
use crate::sync::Arc;
use crate::task::coop;

/// A place in the timers that were current when it was made. It is free to move: what the wheel
/// holds is the waker, and nothing points here. The owner knows the deadline and names it in each
/// call.
pub(super) struct Timer {
    shard: Arc<Shard>,
    state: State,
}

enum State {
    /// Was not polled since it was made.
    New,
    /// Was given another deadline while no waker was armed.
    Moved,
    /// A waker is in the wheel, or was and has fired.
    Armed(Key),
    /// Was seen to have elapsed.
    Elapsed,
}

impl Timer {
    #[track_caller]
    pub(super) fn new() -> Self {
        Timer {
            shard: current::shard(),
            state: State::New,
        }
    }

    /// Arms the waker of `cx` for `deadline`, unless that has been reached.
    pub(super) fn poll(&mut self, deadline: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        let progress = ready!(coop::poll_proceed(cx));
        let polled = self.poll_deadline(deadline, cx);
        if polled.is_ready() {
            progress.made_progress();
        }
        polled
    }

    fn poll_deadline(&mut self, deadline: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        let seen = match self.state {
            State::Elapsed => return Poll::Ready(()),
            State::New | State::Moved => return self.arm(deadline, cx),
            State::Armed(key) => match self.shard.check(key, cx.waker()) {
                // Cloning a waker is user code: it happens between two holds of the lock.
                Renewed::Differs => self.shard.renew(key, cx.waker().clone()),
                seen => seen,
            },
        };
        match seen {
            Renewed::Waits | Renewed::Differs => Poll::Pending,
            Renewed::Closed if !self.shard.is_due(deadline.into_std()) => shut_down(),
            Renewed::Fired | Renewed::Closed => self.elapse(),
        }
    }

    /// Takes note that the deadline has changed from `old` to `new`. An armed waker moves along.
    pub(super) fn reset(&mut self, old: Instant, new: Instant) {
        let State::Armed(key) = self.state else {
            self.state = State::Moved;
            return;
        };
        // Later than before is not yet due. Earlier may be, and the wheel may be behind.
        if new < old && self.shard.is_due(new.into_std()) {
            if let Some(action) = self.shard.disarm(key) {
                self.state = State::Elapsed;
                self.shard.fire(action);
            } else {
                self.state = State::Moved;
            }
            return;
        }
        match self.shard.rearm(key, new.into_std()) {
            Moved::Waits => {}
            Moved::Gone => self.state = State::Moved,
            Moved::Due(action) => {
                self.state = State::Elapsed;
                self.shard.fire(action);
            }
        }
    }

    /// Goes back to how it was made.
    pub(super) fn disarm(&mut self) {
        if let State::Armed(key) = std::mem::replace(&mut self.state, State::New) {
            drop(self.shard.disarm(key));
        }
    }

    pub(super) fn is_elapsed(&self, deadline: Instant) -> bool {
        match self.state {
            State::New => false,
            State::Moved => self.shard.is_due(deadline.into_std()),
            // It also leaves the wheel at shutdown.
            State::Armed(key) => {
                self.shard.has_fired(key) && self.shard.is_due(deadline.into_std())
            }
            State::Elapsed => true,
        }
    }

    fn arm(&mut self, deadline: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        match self
            .shard
            .arm(deadline.into_std(), Action::Wake(cx.waker().clone()))
        {
            Armed::Waits(key) => {
                self.state = State::Armed(key);
                Poll::Pending
            }
            Armed::Due(_) => self.elapse(),
            Armed::Refused(_) => shut_down(),
        }
    }

    fn elapse(&mut self) -> Poll<()> {
        self.state = State::Elapsed;
        Poll::Ready(())
    }
}

/// Refuses to wait for a deadline that nobody looks after any more: it would be for ever.
fn shut_down() -> ! {
    // tokio's words, which programs know.
    panic!("A Tokio 1.x context was found, but it is being shutdown.");
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::New => "new",
            State::Moved => "moved",
            State::Armed(_) => "armed",
            State::Elapsed => "elapsed",
        };
        f.debug_tuple("Timer")
            .field(&format_args!("{state}"))
            .finish()
    }
}
