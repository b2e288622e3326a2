//! What the models see of this room.
#![allow(missing_docs)] // The models call what they see by its own name.

use std::panic::Location;

use super::clock::Clock;
use super::host::Host;
use super::schedule::{Schedule, NEVER};
use crate::context::Context;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::Arc;

/// The promise of a thread that parks, and the deadlines that others arm meanwhile, with nothing
/// around them that would order their accesses.
pub struct Promise {
    schedule: Schedule,
    host: Arc<Called>,
}

struct Called(AtomicBool);

impl Host for Called {
    fn unpark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn launch(&self, _: Context, _: &'static Location<'static>, _: Box<dyn FnOnce() + Send>) {}
}

impl Promise {
    /// There was a deadline once, and it was promised to wake up for it.
    pub fn made_once(tick: u64) -> Promise {
        let schedule = Schedule::new(1, Clock::new(false, false));
        let host = Arc::new(Called(AtomicBool::new(false)));
        let known: Arc<dyn Host> = host.clone();
        schedule.set_host(Arc::downgrade(&known));
        let promise = Promise { schedule, host };
        promise.arm(tick);
        promise.promise();
        promise.schedule.publish(0, None);
        promise.host.0.store(false, Ordering::Relaxed);
        promise
    }

    pub fn arm(&self, tick: u64) {
        if self.schedule.lower(0, tick) {
            self.schedule.announce(tick);
        }
    }

    /// Returns whether it is promised to wake up at some time.
    pub fn promise(&self) -> bool {
        self.schedule.promise() != NEVER
    }

    /// Whether whoever parks was told to look again.
    pub fn was_called(&self) -> bool {
        self.host.0.load(Ordering::Relaxed)
    }
}
