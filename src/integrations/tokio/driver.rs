//! tokio's event loop as the place where idle workers wait.

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::io;
use std::panic::resume_unwind;
use std::pin::{pin, Pin};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, Sleep};

use crate::context::contain::{contain, discard};
use crate::context::slot::{self, Frame};
use crate::context::Context;
use crate::executor::driver::{Driver, DriverOptions, Token};
use crate::integrations::tokio::budget::{leave_alone, limit};
use crate::sync::statics::{AtomicBool, Ordering};
use crate::sync::thread::Thread;
use crate::sync::Mutex;

/// Makes the driver of a runtime.
///
/// # Errors
///
/// When the system refuses an event queue.
pub(crate) fn make_driver(options: &DriverOptions) -> io::Result<Box<dyn Driver>> {
    let thread_name = options.thread_name.clone();
    let mut builder = Builder::new_current_thread();
    builder
        .enable_all()
        .max_blocking_threads(options.max_blocking_threads)
        .max_io_events_per_tick(options.max_io_events)
        .thread_name_fn(move || thread_name())
        // A Scope that one task forgets must not be current in the others for as long as a worker waits here.
        // tokio tells of no smaller piece than all that ran before it sleeps.
        .on_thread_park(slot::end_scopes);
    if let Some(events) = options.max_io_events_busy {
        builder.max_io_events_per_busy_tick(events);
    }
    let runtime = builder.build()?;
    let handle = runtime.handle().clone();
    // A current-thread runtime has one waker for whatever it blocks on, for all its life.
    let ask = || runtime.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    let waker = if inside_tokio() {
        // A thread that polls tokio tasks must not block, but it may wait this moment.
        std::thread::scope(|scope| scope.spawn(ask).join())
            .map_err(|_| io::Error::other("tokio's event loop failed"))?
    } else {
        ask()
    };
    let seat = Mutex::new(Some(Seat {
        runtime,
        alarm: None,
    }));
    Ok(Box::new(TokioDriver {
        handle,
        waker,
        seat,
        broken: AtomicBool::new(false),
    }))
}

/// What is current for tokio's own tasks.
static EMPTY: Context = Context::empty();

/// A current-thread tokio runtime without a thread.
struct TokioDriver {
    handle: Handle,
    /// Makes the runtime look at the future that it blocks on. From the thread that is inside,
    /// this is a flag; from another one it is a write to the event queue.
    waker: Waker,
    /// Never contended: the executor lets one thread at a time in.
    seat: Mutex<Option<Seat>>,
    /// Whether a panic has come out of the event loop.
    broken: AtomicBool,
}

struct Seat {
    runtime: Runtime,
    /// Rings at the deadline of the last timed wait, and stays armed between waits that have the
    /// same one.
    alarm: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Driver for TokioDriver {
    fn enter(&self) -> Box<dyn Token + '_> {
        match Handle::try_current() {
            // A runtime that is dropped by a thread-local's destructor, after tokio's own.
            Err(error) if error.is_thread_local_destroyed() => Box::new(()),
            _ => Box::new((limit(&self.handle), self.handle.enter())),
        }
    }

    fn park(&self, timeout: Option<Duration>, interrupted: &dyn Fn() -> bool) {
        let mut seat = self.seat.lock();
        let Some(Seat { runtime, alarm }) = seat.as_mut() else {
            return;
        };
        let mut alarm = timeout.map(|timeout| set_alarm(alarm, timeout));
        self.run(
            runtime,
            poll_fn(|cx| {
                if interrupted() {
                    return Poll::Ready(());
                }
                match &mut alarm {
                    Some(alarm) => alarm.as_mut().poll(cx),
                    None => Poll::Pending,
                }
            }),
        );
    }

    fn poll(&self) {
        let seat = self.seat.lock();
        let Some(Seat { runtime, .. }) = seat.as_ref() else {
            return;
        };
        let mut looked = false;
        self.run(
            runtime,
            poll_fn(|cx| {
                if std::mem::replace(&mut looked, true) {
                    return Poll::Ready(());
                }
                // Woken before it sleeps, the runtime asks for events without waiting for them.
                cx.waker().wake_by_ref();
                Poll::Pending
            }),
        );
    }

    fn is_broken(&self) -> bool {
        // Ordering: none of its own. Whoever asks has been inside, which the lock around the seat puts in
        // order, or has seen that the runtime is closed, which it is afterwards.
        self.broken.load(Ordering::Relaxed)
    }

    fn unpark(&self, _thread: Option<&Thread>) {
        self.waker.wake_by_ref();
    }

    fn shutdown(&self, timeout: Option<Duration>) {
        let seat = self.seat.lock().take();
        let Some(Seat { runtime, alarm }) = seat else {
            return;
        };
        let _outside = Frame::enter(&EMPTY);
        drop(alarm);
        match timeout {
            // tokio does not allow to wait inside of one of its runtimes.
            _ if inside_tokio() => runtime.shutdown_background(),
            Some(timeout) if timeout.is_zero() => runtime.shutdown_background(),
            Some(timeout) => runtime.shutdown_timeout(timeout),
            None => drop(runtime),
        }
    }
}

impl TokioDriver {
    /// Has the event loop go round until the future is done.
    ///
    /// It calls wakers, and not all of them are ours: a timer that is polled by hand has whatever
    /// waker it is given. If one of them panics, tokio loses its event queue, and nothing that waits
    /// for a timer or a socket of tokio's will ever be woken. So this driver is done with then.
    fn run(&self, runtime: &Runtime, until: impl Future<Output = ()>) {
        if self.is_broken() {
            return;
        }
        // tokio's tasks find no Context, and what they leave open ends here.
        let _outside = Frame::enter(&EMPTY);
        let _theirs = leave_alone();
        let begun = Cell::new(false);
        let mut until = pin!(until);
        let watched = poll_fn(|cx| {
            begun.set(true);
            until.as_mut().poll(cx)
        });
        if let Err(payload) = contain(|| runtime.block_on(watched)) {
            if !begun.get() {
                // tokio lets no current-thread runtime block a thread that polls its tasks. What it says of that
                // is what is to be said, and nothing has come to harm.
                resume_unwind(payload);
            }
            // Ordering: as in `is_broken`.
            self.broken.store(true, Ordering::Relaxed);
            discard(payload);
        }
    }
}

impl Drop for TokioDriver {
    fn drop(&mut self) {
        // Whoever lets go of the last reference may be in the middle of anything.
        self.shutdown(Some(Duration::ZERO));
    }
}

/// Whether this thread has entered a tokio runtime.
fn inside_tokio() -> bool {
    Handle::try_current().is_ok()
}

/// Sets the alarm to ring after `timeout`. The caller has entered the runtime.
fn set_alarm(alarm: &mut Option<(Instant, Pin<Box<Sleep>>)>, timeout: Duration) -> Pin<&mut Sleep> {
    // tokio's timers count milliseconds: an alarm within one of what is wanted is as good.
    const CLOSE: Duration = Duration::from_millis(1);
    let wanted = Instant::now() + timeout;
    let (at, sleep) =
        alarm.get_or_insert_with(|| (wanted, Box::pin(tokio::time::sleep_until(wanted))));
    let off = at.saturating_duration_since(wanted) + wanted.saturating_duration_since(*at);
    if off > CLOSE || sleep.is_elapsed() {
        *at = wanted;
        sleep.as_mut().reset(wanted);
    }
    sleep.as_mut()
}
