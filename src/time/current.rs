//! `Current`: which timers a thread's sleeps are armed with.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::shard::Shard;
use super::timers::Timers;
use crate::sync::{thread, tls, Arc};

tls! {
    static CURRENT: RefCell<Option<Current>> = RefCell::new(None);
}

/// The timers that a thread has entered.
#[derive(Debug)]
struct Current {
    #[cfg(feature = "test-util")]
    timers: Arc<Timers>,
    /// The part of them that this thread uses. A sleep keeps this one and not the timers, so that
    /// threads do not fight over one reference count whenever a sleep is made.
    shard: Arc<Shard>,
}

/// Makes `timers` the thread's current ones until the guard is dropped. Nests.
pub(crate) fn enter(timers: &Arc<Timers>) -> CurrentTimers {
    let current = Current {
        #[cfg(feature = "test-util")]
        timers: timers.clone(),
        shard: timers.shard(thread::number()).clone(),
    };
    CurrentTimers {
        previous: replace(Some(current)),
        _not_send: PhantomData,
    }
}

/// The time for which some timers are a thread's current ones.
#[must_use = "the timers are current until this is dropped"]
#[derive(Debug)]
pub(crate) struct CurrentTimers {
    previous: Option<Current>,
    _not_send: PhantomData<*mut ()>,
}

impl Drop for CurrentTimers {
    fn drop(&mut self) {
        // What was current may be the last of its timers, and drops after the slot was written.
        drop(replace(self.previous.take()));
    }
}

/// The shard that a new timer of this thread belongs to.
#[track_caller]
pub(super) fn shard() -> Arc<Shard> {
    if let Some(shard) = entered(|current| current.shard.clone()) {
        return shard;
    }
    // Whoever puts the rooms together says which timers are for those who have entered none.
    crate::default_timers().shard(thread::number()).clone()
}

/// The timers that this thread has entered.
#[cfg(feature = "test-util")]
pub(super) fn timers() -> Option<Arc<Timers>> {
    entered(|current| current.timers.clone())
}

/// What the clock shows of the timers that this thread has entered.
#[cfg(feature = "test-util")]
pub(super) fn now() -> Option<std::time::Instant> {
    entered(|current| current.shard.clock().now())
}

fn entered<R>(read: impl FnOnce(&Current) -> R) -> Option<R> {
    // While the thread's locals are being destroyed there is nothing entered any more.
    CURRENT
        .try_with(|current| current.borrow().as_ref().map(read))
        .ok()
        .flatten()
}

fn replace(current: Option<Current>) -> Option<Current> {
    CURRENT
        .try_with(|slot| slot.replace(current))
        .ok()
        .flatten()
}
