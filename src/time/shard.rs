//! `Shard`: one wheel behind one lock, and the earliest deadline it made known.

use std::fmt;
use std::task::Waker;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::callback::Callback;
#[cfg(feature = "test-util")]
use super::clock::Clock;
use super::schedule::Schedule;
use super::wheel::{Key, Moved, Step, Wheel};
use crate::context::contain::quietly;
use crate::sync::{Arc, Mutex};

/// How many entries are taken out under one hold of the lock.
const BATCH: usize = 32;

/// How many steps of the wheel are done under one hold of the lock.
const STEPS: usize = 256;

/// A part of a runtime's timers, most of the time used by one thread only.
pub(super) struct Shard {
    index: usize,
    schedule: Arc<Schedule>,
    /// On lines of its own: the `Arc`'s counts are written by each sleep that is made.
    state: CachePadded<Mutex<State>>,
}

struct State {
    wheel: Wheel<Action>,
    /// The runtime is gone: nothing is armed any more.
    closed: bool,
}

/// What happens at a deadline.
pub(super) enum Action {
    Wake(Waker),
    Call(Box<Callback>),
}

/// What became of an action that was to be armed.
#[must_use]
pub(super) enum Armed {
    /// It waits for its deadline.
    Waits(Key),
    /// Its deadline has been reached.
    Due(Action),
    /// The timers are shut down.
    Refused(Action),
}

/// What became of a waker that was armed before.
#[must_use]
pub(super) enum Renewed {
    /// It waits, and is the given one now.
    Waits,
    /// It waits, but is another one than the given one.
    Differs,
    /// It was woken.
    Fired,
    /// It was woken because the timers were shut down.
    Closed,
}

impl Shard {
    pub(super) fn new(index: usize, schedule: Arc<Schedule>) -> Self {
        let state = State {
            wheel: Wheel::new(),
            closed: false,
        };
        Shard {
            index,
            schedule,
            state: CachePadded::new(Mutex::new(state)),
        }
    }

    #[cfg(feature = "test-util")]
    pub(super) fn clock(&self) -> &Clock {
        self.schedule.clock()
    }

    /// Says whether `deadline` has been reached, by the clock and at the timers' resolution.
    pub(super) fn is_due(&self, deadline: Instant) -> bool {
        self.schedule.tick_of_deadline(deadline) <= self.schedule.now()
    }

    /// Arms an action.
    pub(super) fn arm(&self, deadline: Instant, action: Action) -> Armed {
        let when = self.schedule.tick_of_deadline(deadline);
        let now = self.schedule.now();
        if when <= now {
            return Armed::Due(action);
        }
        let mut state = self.state.lock();
        if state.closed {
            return Armed::Refused(action);
        }
        state.wheel.catch_up(now);
        match state.wheel.insert(when, action) {
            Ok(key) => {
                let earlier = self.schedule.lower(self.index, when);
                drop(state);
                if earlier {
                    self.schedule.announce(when);
                }
                Armed::Waits(key)
            }
            Err(action) => Armed::Due(action),
        }
    }

    /// Disarms an action, unless it has fired.
    pub(super) fn disarm(&self, key: Key) -> Option<Action> {
        self.state.lock().wheel.remove(key)
    }

    /// Moves an armed action to another deadline.
    pub(super) fn rearm(&self, key: Key, deadline: Instant) -> Moved<Action> {
        let when = self.schedule.tick_of_deadline(deadline);
        let mut state = self.state.lock();
        let moved = state.wheel.reset(key, when);
        if matches!(moved, Moved::Waits) && self.schedule.lower(self.index, when) {
            drop(state);
            self.schedule.announce(when);
        }
        moved
    }

    /// Says whether an armed waker still waits, and is `waker`.
    pub(super) fn check(&self, key: Key, waker: &Waker) -> Renewed {
        let State { wheel, closed } = &mut *self.state.lock();
        match wheel.get_mut(key) {
            Some(Action::Wake(old)) if old.will_wake(waker) => Renewed::Waits,
            Some(_) => Renewed::Differs,
            None if *closed => Renewed::Closed,
            None => Renewed::Fired,
        }
    }

    /// Exchanges an armed waker.
    pub(super) fn renew(&self, key: Key, mut waker: Waker) -> Renewed {
        // What is left in `waker`, the old one or the given one, drops after the guard has.
        let State { wheel, closed } = &mut *self.state.lock();
        match wheel.get_mut(key) {
            Some(Action::Wake(old)) => {
                std::mem::swap(old, &mut waker);
                Renewed::Waits
            }
            Some(Action::Call(_)) => Renewed::Differs,
            None if *closed => Renewed::Closed,
            None => Renewed::Fired,
        }
    }

    /// Says whether an action has left the wheel.
    pub(super) fn has_fired(&self, key: Key) -> bool {
        self.state.lock().wheel.get_mut(key).is_none()
    }

    /// Fires all that is due at `now` and returns how much that was.
    pub(super) fn turn(&self, now: u64) -> usize {
        let mut fired = 0;
        let mut batch = [const { None }; BATCH];
        loop {
            let (taken, done) = self.take_due(now, &mut batch);
            // The lock is free: what runs now is user code and may come back to this shard.
            for action in batch[..taken].iter_mut().filter_map(Option::take) {
                self.fire(action);
            }
            fired += taken;
            if done {
                return fired;
            }
        }
    }

    /// Does what is to be done at a deadline. Nothing that panics in it gets out.
    pub(super) fn fire(&self, action: Action) {
        quietly(|| match action {
            Action::Wake(waker) => waker.wake(),
            Action::Call(callback) => callback.launch(self.schedule.host()),
        });
    }

    /// Wakes all wakers, drops all callbacks, and refuses to arm anything from now on.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let wheel = std::mem::replace(&mut state.wheel, Wheel::new());
        self.schedule.publish(self.index, None);
        drop(state);
        for action in wheel.into_values() {
            quietly(|| match action {
                Action::Wake(waker) => waker.wake(),
                Action::Call(callback) => drop(callback),
            });
        }
    }

    /// Makes the published deadline exact, which removals leave too early.
    #[cfg(feature = "test-util")]
    pub(super) fn refresh(&self) {
        let mut state = self.state.lock();
        state.wheel.refresh();
        self.schedule
            .publish(self.index, state.wheel.next_deadline());
    }

    /// Moves due actions into `batch`; returns how many, and whether that was all.
    fn take_due(&self, now: u64, batch: &mut [Option<Action>; BATCH]) -> (usize, bool) {
        let mut taken = 0;
        let mut state = self.state.lock();
        for _ in 0..STEPS {
            match state.wheel.step(now) {
                Step::Due(action) => {
                    batch[taken] = Some(action);
                    taken += 1;
                    if taken == BATCH {
                        break;
                    }
                }
                Step::Lowered => {}
                Step::Done => {
                    self.schedule
                        .publish(self.index, state.wheel.next_deadline());
                    return (taken, true);
                }
            }
        }
        (taken, false)
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
