//! Faults planted on purpose, to see that the table can show them.

use std::mem;
use std::sync::{Mutex, PoisonError};

use kamon::{Context, Scope};

use crate::request::REQUEST_ID;

/// A fault to plant once in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// A request is served in the Context of another.
    Foreign,
    /// A request is served in the empty Context.
    Lost,
    /// A request's Context is never let go.
    Leak,
    /// The main thread ends with a Context.
    Thread,
}

impl Plant {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "foreign" => Some(Plant::Foreign),
            "lost" => Some(Plant::Lost),
            "leak" => Some(Plant::Leak),
            "thread" => Some(Plant::Thread),
            _ => None,
        }
    }
}

/// Plants the fault in the requests that pass by.
pub(crate) struct Planter(Mutex<State>);

enum State {
    Done,
    Wanted(Plant),
    /// Another request's Context, to give to the next one.
    Foreign(Context),
}

impl Planter {
    pub(crate) fn new(plant: Option<Plant>) -> Self {
        Self(Mutex::new(plant.map_or(State::Done, State::Wanted)))
    }

    /// Returns the Context to serve a request in: its own, but for the one planted fault.
    pub(crate) fn tamper(&self, own: Context) -> Context {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mem::replace(&mut *state, State::Done) {
            State::Done | State::Wanted(Plant::Thread) => own,
            State::Wanted(Plant::Foreign) => {
                *state = State::Foreign(own.clone());
                own
            }
            State::Foreign(other) => other,
            State::Wanted(Plant::Lost) => Context::empty(),
            State::Wanted(Plant::Leak) => {
                mem::forget(own.clone());
                own
            }
        }
    }
}

/// Leaves this thread with a Context until the Scope closes.
pub(crate) fn context_on_this_thread() -> Scope {
    kamon::store_context(Context::empty().with_key(&REQUEST_ID, Some("planted".into())))
}
