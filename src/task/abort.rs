//! Stopping a task from elsewhere.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::task::Waker;

use crate::task::header::{self, Header};
use crate::task::Id;

/// Owns the permission to abort a task, without joining it.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     let task = kamon::spawn(std::future::pending::<()>());
///     let abort = task.abort_handle();
///     abort.abort();
///     assert!(task.await.unwrap_err().is_cancelled());
///     assert!(abort.is_finished());
/// });
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    raw: RawTask,
    /// Keeps the task at that address.
    _waker: Waker,
}

#[derive(Clone, Copy)]
struct RawTask(NonNull<()>);

// SAFETY: only the header's atomics are reached through the address.
unsafe impl Send for RawTask {}
// SAFETY: as above.
unsafe impl Sync for RawTask {}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl AbortHandle {
    /// # Safety
    ///
    /// `raw` must be the address of a task that is alive.
    pub(crate) unsafe fn new(raw: NonNull<()>) -> AbortHandle {
        AbortHandle {
            raw: RawTask(raw),
            // SAFETY: the caller promises it.
            _waker: unsafe { header::waker(raw) },
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: the waker keeps the task alive.
        unsafe { Header::of(self.raw.0) }
    }

    /// Asks the task to end, as [`JoinHandle::abort`](crate::task::JoinHandle::abort) does.
    pub fn abort(&self) {
        // SAFETY: the waker keeps the task alive.
        unsafe { header::abort(self.raw.0) }
    }

    /// Returns whether the task has finished: its future is gone and its result is decided.
    pub fn is_finished(&self) -> bool {
        self.header().is_finished()
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        self.header().id()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id())
            .finish()
    }
}
