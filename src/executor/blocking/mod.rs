//! The threads on which closures may block.
//!
//! Why a pool of our own and not the `blocking` crate: that one is a single pool for the whole
//! process, and what a runtime promises belongs to one runtime. A limit of threads, their names,
//! stacks, callbacks and keep-alive; each thread being inside of its runtime; an abort that
//! reaches a closure which has not begun; queued closures that are cancelled, and threads that
//! are joined, when the runtime shuts down: none of it can be had from a pool that is shared with
//! everybody and never ends.
//!
//! A closure is a task like any other, whose future runs it in its first poll. So its Context, its
//! id, its panics and its join handle are the business of the `task` room, and what is left here
//! is a queue under a lock ([`pool`]) and the life of a thread ([`thread`]).
//!
//! Threads come on demand. A job is given to an idle thread if there is one; the count of idle
//! threads is taken down by whoever calls one, under the lock, so that two jobs never count on
//! the same thread. Otherwise a thread is started, up to the limit, and beyond it the job waits.
//! *Long* jobs (a worker that moves here because its own thread blocks) must start at once and do
//! not count against the limit.

mod config;
mod job;
mod pool;
mod thread;

pub(crate) use config::{Around, BlockingConfig};
pub(crate) use pool::BlockingPool;
