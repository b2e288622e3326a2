//! Allocating a task.

use std::future::Future;
use std::panic::Location;
use std::ptr::NonNull;

use async_task::{Builder, WithInfo};

use crate::context::Context;
use crate::task::future::TaskFuture;
use crate::task::header::{self, Header, Link, Notified};
use crate::task::{Id, JoinHandle};

/// Allocates a task: its first [`Notified`], and the handle that joins it.
///
/// # Safety
///
/// - The scheduler must stay valid until it was [released](crate::task::Scheduler::release) for this
///   task, and the link is a part of it.
/// - If `future` is not `Send`, the scheduler must run and drop the task on this thread alone.
/// - If `F::Output` is not `Send`, the handle must stay on this thread.
/// - What `future` borrows must outlive it.
#[inline]
pub(crate) unsafe fn allocate<F: Future>(
    future: F,
    context: Context,
    scheduler: &Link,
    location: &'static Location<'static>,
    hooked: bool,
) -> (Notified, JoinHandle<F::Output>) {
    let scheduler = NonNull::from(scheduler);
    let header = Header::new(context, scheduler, Id::next(), location, hooked);
    // SAFETY: the schedule function is `Send + Sync + 'static`; for the future it is the caller
    // who promises.
    let (runnable, task) = unsafe {
        Builder::new().metadata(header).spawn_unchecked(
            |header: &Header| TaskFuture::new(header, future),
            WithInfo(header::schedule),
        )
    };
    let raw = runnable.into_raw();
    // SAFETY: `raw` was made by `into_raw` in the line above and is turned back once.
    let runnable = unsafe { Notified::from_raw(raw) };
    (runnable, JoinHandle::new(task.fallible(), raw))
}
