//! What was seen: hops by kind and what they found in the Context, threads, Contexts alive.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use kamon::time::Instant;

use crate::journal::Journal;
use crate::request::{Ticket, REQUEST_ID, USER_ID};

/// A way from one piece of code to another, on which a request's identity tends to be lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hop {
    /// Not a hop but its control: the handler itself, before the others and after each of them.
    Handler,
    Spawn,
    JoinSet,
    Blocking,
    Timer,
    Local,
    Channel,
    Http,
}

impl Hop {
    pub(crate) const ALL: [(Hop, &'static str); 8] = [
        (Hop::Handler, "handler"),
        (Hop::Spawn, "spawn"),
        (Hop::JoinSet, "join_set"),
        (Hop::Blocking, "blocking"),
        (Hop::Timer, "timer"),
        (Hop::Local, "local"),
        (Hop::Channel, "channel"),
        (Hop::Http, "http"),
    ];
}

/// Counts everything that the table tells; all of it may be called from anywhere.
#[derive(Default)]
pub(crate) struct Ledger {
    hops: [AtomicU64; Hop::ALL.len()],
    foreign: AtomicU64,
    lost: AtomicU64,
    dropped_half_way: AtomicU64,
    contexts_made: AtomicU64,
    contexts_gone: AtomicU64,
    pub(crate) journal: Journal,
    threads: Mutex<HashMap<ThreadId, Thread>>,
}

impl Ledger {
    /// Records that a hop arrived, and holds what it finds in the Context against its ticket.
    pub(crate) fn arrive(&self, hop: Hop, ticket: &Ticket) {
        self.hops[hop as usize].fetch_add(1, Ordering::Relaxed);
        self.note_thread();
        let context = kamon::current_context();
        if !ticket.in_context {
            if !context.is_empty() {
                self.foreign.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        match context.get(&REQUEST_ID) {
            None => self.lost.fetch_add(1, Ordering::Relaxed),
            Some(id) if **id != *ticket.request_id || **context.get(&USER_ID) != *ticket.user => {
                self.foreign.fetch_add(1, Ordering::Relaxed)
            }
            Some(_) => return,
        };
    }

    /// Records what a task sees that serves no request at the moment: it must be nothing.
    pub(crate) fn idle(&self) {
        if !kamon::current_context().is_empty() {
            self.foreign.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that a handler was dropped before it had an answer.
    pub(crate) fn drop_half_way(&self) {
        self.dropped_half_way.fetch_add(1, Ordering::Relaxed);
    }

    /// Looks whether this thread, which has nothing to do right now, was left with a Context.
    pub(crate) fn look_at_thread(&self) {
        if !kamon::current_context().is_empty() {
            self.threads()
                .entry(thread::current().id())
                .or_default()
                .with_context = true;
        }
    }

    /// Looks at this thread for the last time: it ends, or never again runs a task.
    pub(crate) fn look_at_ending_thread(&self) {
        self.look_at_thread();
        self.threads()
            .entry(thread::current().id())
            .or_default()
            .ended = true;
    }

    /// Waits until no Context is alive, but not longer than `patience`.
    pub(crate) async fn settle(&self, patience: Duration) {
        let end = Instant::now() + patience;
        while self.contexts_alive() > 0 && Instant::now() < end {
            kamon::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn hops(&self, hop: Hop) -> u64 {
        self.hops[hop as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn all_hops(&self) -> u64 {
        Hop::ALL.iter().map(|(hop, _)| self.hops(*hop)).sum()
    }

    pub(crate) fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Relaxed)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped_half_way(&self) -> u64 {
        self.dropped_half_way.load(Ordering::Relaxed)
    }

    pub(crate) fn contexts_made(&self) -> u64 {
        self.contexts_made.load(Ordering::Relaxed)
    }

    pub(crate) fn contexts_alive(&self) -> u64 {
        // Gone first: made is never behind it then.
        let gone = self.contexts_gone.load(Ordering::Acquire);
        self.contexts_made.load(Ordering::Acquire) - gone
    }

    /// Counts the threads that were seen, those found with a Context, and those that ran hops but
    /// were not looked at when they ended.
    pub(crate) fn thread_counts(&self) -> (u64, u64, u64) {
        let threads = self.threads();
        let count = |test: fn(&Thread) -> bool| threads.values().filter(|t| test(t)).count() as u64;
        (
            threads.len() as u64,
            count(|t| t.with_context),
            count(|t| !t.ended),
        )
    }

    /// Makes the thread known, so that one that nobody looks at in the end is missed.
    fn note_thread(&self) {
        thread_local!(static NOTED: Cell<bool> = const { Cell::new(false) });
        if !NOTED.replace(true) {
            self.threads().entry(thread::current().id()).or_default();
        }
    }

    fn threads(&self) -> MutexGuard<'_, HashMap<ThreadId, Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of one thread.
#[derive(Default)]
struct Thread {
    with_context: bool,
    ended: bool,
}

/// A value to store in a Context: the Context is alive for as long as this is.
pub(crate) struct Alive(Arc<Ledger>);

impl Alive {
    pub(crate) fn new(ledger: &Arc<Ledger>) -> Self {
        ledger.contexts_made.fetch_add(1, Ordering::AcqRel);
        Self(ledger.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.contexts_gone.fetch_add(1, Ordering::AcqRel);
    }
}
