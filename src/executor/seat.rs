//! The one place inside the driver, and who sits there.

use std::time::{Duration, Instant};

use crate::executor::parker::Parker;
use crate::sync::{Arc, Condvar, Mutex};

/// Lets one thread at a time into the driver.
pub(crate) struct Seat {
    state: Mutex<State>,
    /// Says to whoever closes the seat that it is free.
    free: Condvar,
}

#[derive(Default)]
struct State {
    taken: bool,
    closed: bool,
    /// Whoever waits there, to be told of an earlier deadline.
    waiting: Option<Arc<Parker>>,
}

impl Seat {
    pub(crate) fn new() -> Seat {
        Seat {
            state: Mutex::new(State::default()),
            free: Condvar::new(),
        }
    }

    /// Takes the seat to wait in it.
    pub(crate) fn take_to_wait(&self, parker: &Arc<Parker>) -> Option<Taken<'_>> {
        self.take(Some(parker.clone()))
    }

    /// Takes the seat for a moment.
    pub(crate) fn take_to_look(&self) -> Option<Taken<'_>> {
        self.take(None)
    }

    fn take(&self, waiting: Option<Arc<Parker>>) -> Option<Taken<'_>> {
        let mut state = self.state.lock();
        if state.taken || state.closed {
            return None;
        }
        state.taken = true;
        state.waiting = waiting;
        Some(Taken { seat: self })
    }

    /// The one who waits in the driver, if anybody does.
    pub(crate) fn waiting(&self) -> Option<Arc<Parker>> {
        self.state.lock().waiting.clone()
    }

    /// Lets nobody in any more, and waits until nobody is inside: for ever, or for a time. Returns
    /// whether nobody is. Whoever is inside has to be called by other means.
    pub(crate) fn close(&self, timeout: Option<Duration>) -> bool {
        let start = Instant::now();
        let mut state = self.state.lock();
        state.closed = true;
        while state.taken {
            state = match timeout {
                None => self.free.wait(state),
                Some(timeout) => match timeout.checked_sub(start.elapsed()) {
                    Some(left) if !left.is_zero() => self.free.wait_timeout(state, left),
                    _ => return false,
                },
            };
        }
        true
    }
}

/// Gives the seat back when dropped.
pub(crate) struct Taken<'a> {
    seat: &'a Seat,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.seat.state.lock();
        state.taken = false;
        state.waiting = None;
        if state.closed {
            self.seat.free.notify_all();
        }
    }
}
