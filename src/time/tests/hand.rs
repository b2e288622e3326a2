//! What a test needs in place of a runtime: a host, wakers that count, polling by hand.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use crate::context::{slot, Context};
use crate::sync::{Arc, Mutex};
use crate::time::{Clock, Host, Timers};

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Timers of one shard with a host.
pub(super) fn timers(clock: Clock) -> (Arc<Timers>, Arc<HandHost>) {
    let timers = Timers::new(1, clock);
    let host = Arc::new(HandHost::default());
    let weak: std::sync::Weak<HandHost> = Arc::downgrade(&host);
    timers.set_host(weak);
    (timers, host)
}

/// Counts what is asked of it, and runs callbacks when told to.
#[derive(Default)]
pub(super) struct HandHost {
    unparks: AtomicUsize,
    launched: Mutex<Vec<Launched>>,
}

type Launched = (
    Context,
    &'static Location<'static>,
    Box<dyn FnOnce() + Send>,
);

impl HandHost {
    pub(super) fn unparks(&self) -> usize {
        self.unparks.load(Ordering::SeqCst)
    }

    #[cfg(feature = "test-util")]
    pub(super) fn launched(&self) -> usize {
        self.launched.lock().len()
    }

    /// Runs what was launched, each in its Context, and returns where each was arranged.
    pub(super) fn run(&self) -> Vec<&'static Location<'static>> {
        let launched = std::mem::take(&mut *self.launched.lock());
        let run = |(context, location, callback): Launched| {
            let _frame = slot::Frame::enter(&context);
            callback();
            location
        };
        launched.into_iter().map(run).collect()
    }
}

impl Host for HandHost {
    fn unpark(&self) {
        self.unparks.fetch_add(1, Ordering::SeqCst);
    }

    fn launch(
        &self,
        context: Context,
        location: &'static Location<'static>,
        callback: Box<dyn FnOnce() + Send>,
    ) {
        self.launched.lock().push((context, location, callback));
    }
}

/// A waker that counts.
#[derive(Default)]
pub(super) struct Woken(AtomicUsize);

impl Woken {
    pub(super) fn new() -> (Arc<Woken>, Waker) {
        let woken = Arc::new(Woken::default());
        (woken.clone(), Waker::from(woken))
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(waker))
}
