//! Tasks that stay on the thread that spawned them, so that they need not be `Send`.
//!
//! A [`LocalSet`] is a future that runs a set of such tasks whenever it is polled. Its tasks are
//! made by the same [`allocate`](crate::task) as all others; what this module adds is a scheduler
//! whose queue belongs to one thread, with a second queue, under a lock, for wakes that come from
//! elsewhere.
//!
//! # Where the futures are dropped
//!
//! A local future may be neither polled nor dropped on another thread, yet wakers, abort handles
//! and join handles go wherever they like and outlive everything. The argument why that is safe:
//!
//! 1. `async-task` touches a future only in `Runnable::run` and in `Runnable`'s destructor.
//!    Whatever happens on a foreign thread (wake, abort, the last waker or the handle dropped)
//!    ends in the schedule function at most, which gets the `Runnable` and puts it into one of
//!    the two queues. Only the owner takes it out again. So a future is only touched by the owner.
//! 2. The set counts the tasks that have a future (`live`), on the owner's thread alone: one more
//!    when it is spawned, one less in [`release`](crate::task::Scheduler::release), which runs where
//!    the future was dropped.
//! 3. Dropping the set closes it, aborts what is bound, and gives queued tasks their last turn
//!    until `live` is zero. A task that still has its future then is either in a queue, or idle
//!    and therefore bound and just woken by the abort, or in the hands of a foreign thread that is
//!    *inside* of the schedule function and a few instructions from putting it into the queue. For
//!    the last kind the owner waits, on the lock's condition variable. It cannot be running: who
//!    runs tasks borrows the set.
//! 4. So once the set is gone no task has a future, and a task without one is never scheduled
//!    again. The shared part is also what the schedule function works with after it has put the
//!    task into the queue; for that it takes a count of its own first, while the task in its hands
//!    still keeps the set from going.
//!
//! Tasks that wake or drop one another while the set goes only ever push to a queue, so a chain
//! of any length needs no stack.

mod current;
mod implicit;
mod queue;
mod run_until;
mod scoped;
mod set;
mod spawn;

pub(crate) use current::{is_running_local, LocalHome};
pub(crate) use implicit::ImplicitLocal;
pub(crate) use scoped::Scoped;
pub use set::{LocalEnterGuard, LocalSet};
pub use spawn::{spawn_local, spawn_on_set};
