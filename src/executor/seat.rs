//! The one place inside the driver, and who sits there.

use crate::executor::parker::Parker;
use crate::sync::{Arc, Mutex};

/// Lets one thread at a time into the driver.
pub(crate) struct Seat {
    state: Mutex<State>,
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

    /// Lets nobody in any more. Returns false if somebody is inside.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state.lock();
        state.closed = true;
        !state.taken
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
    }
}
