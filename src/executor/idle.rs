//! Who sleeps, who searches, and whom to wake.
//!
//! The protocol and its races are told in this room's README.

use crate::sync::atomic::{fence, AtomicUsize, Ordering};
use crate::sync::Mutex;

/// The sleeping workers, and one word that says whether anybody has to look at them.
pub(crate) struct Idle {
    state: AtomicUsize,
    sleepers: Mutex<Vec<usize>>,
    workers: usize,
}

/// What a worker learns as it lies down.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parking {
    /// It may sleep.
    Sleep,
    /// Nobody searches now: it must look at all the queues once more, because who pushed in the
    /// meantime relied on those who were awake.
    LookAgain,
}

/// The packed word: how many workers are awake, and how many of them search.
#[derive(Clone, Copy)]
struct State(usize);

const SEARCHING: usize = 1;
const SEARCHING_MASK: usize = (1 << 16) - 1;
const AWAKE: usize = 1 << 16;

impl State {
    fn searching(self) -> usize {
        self.0 & SEARCHING_MASK
    }

    fn awake(self) -> usize {
        self.0 >> 16
    }
}

impl Idle {
    /// Starts with all workers awake. There can be at most 65,535 of them.
    pub(crate) fn new(workers: usize) -> Idle {
        debug_assert!(workers <= SEARCHING_MASK);
        Idle {
            state: AtomicUsize::new(workers * AWAKE),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            workers,
        }
    }

    /// Chooses a worker to wake after a push, if nobody else will find what was pushed. That
    /// worker counts as searching from now on; the caller unparks it.
    ///
    /// `spare` says whether the caller can do without. It is asked only if nobody else will look, and
    /// after the fence: whoever leaves the watch passes one, too, before it looks at the queues.
    #[inline]
    pub(crate) fn worker_to_wake(&self, spare: impl FnOnce() -> bool) -> Option<usize> {
        // Ordering: SeqCst fence between the caller's push and this look at the word. It pairs
        // with the fence in `park`, between a worker's leaving the word and its last look at the
        // queues: at least one of the two sees what the other did.
        fence(Ordering::SeqCst);
        if !self.somebody_should_wake() || spare() {
            return None;
        }
        self.pop_sleeper()
    }

    /// As [`worker_to_wake`](Self::worker_to_wake), after a push into the injector. That needs no fence: the
    /// push and [`Injector::is_empty_to_pushers`](crate::queue::Injector::is_empty_to_pushers), which a worker
    /// asks at its last look, are both exchanges at one word. If the push comes second, it receives what the
    /// worker has done before, and if it comes first, it is seen.
    #[inline]
    pub(crate) fn worker_to_wake_for_injected(&self) -> Option<usize> {
        match self.somebody_should_wake() {
            true => self.pop_sleeper(),
            false => None,
        }
    }

    #[cold]
    fn pop_sleeper(&self) -> Option<usize> {
        let mut sleepers = self.sleepers.lock();
        if !self.somebody_should_wake() {
            return None;
        }
        let worker = sleepers.pop()?;
        // Relaxed: the lock orders it among those who wake and lie down; a stale reading by
        // others costs a spurious wake at most.
        self.state.fetch_add(AWAKE + SEARCHING, Ordering::Relaxed);
        Some(worker)
    }

    /// Lets a worker search other workers' queues, unless half of them already do.
    pub(crate) fn start_searching(&self) -> bool {
        let state = State(self.state.load(Ordering::Relaxed));
        if 2 * state.searching() >= self.workers {
            return false;
        }
        self.state.fetch_add(SEARCHING, Ordering::Relaxed);
        true
    }

    /// A worker that searched has found work. Returns whether it was the last one that searched,
    /// and so has to wake another in case there is more.
    pub(crate) fn found_work(&self) -> bool {
        // Ordering: SeqCst, so that a push that saw this worker searching is seen by the look
        // that follows, which begins with the fence in `worker_to_wake`.
        let before = State(self.state.fetch_sub(SEARCHING, Ordering::SeqCst));
        before.searching() == 1
    }

    /// A worker lies down.
    pub(crate) fn park(&self, worker: usize, searching: bool) -> Parking {
        let mut sleepers = self.sleepers.lock();
        let own = usize::from(searching);
        let leaving = AWAKE + own * SEARCHING;
        // Relaxed: ordered by the lock and by the fence below.
        let before = State(self.state.fetch_sub(leaving, Ordering::Relaxed));
        sleepers.push(worker);
        drop(sleepers);
        // Ordering: SeqCst fence between leaving the word and the last look at the queues. Pairs
        // with the fence in `worker_to_wake`.
        fence(Ordering::SeqCst);
        if before.searching() == own {
            Parking::LookAgain
        } else {
            Parking::Sleep
        }
    }

    /// A worker that woke up by itself gets up. Returns false if it was chosen by
    /// [`worker_to_wake`](Self::worker_to_wake), which makes it a searching one.
    pub(crate) fn get_up(&self, worker: usize) -> bool {
        let mut sleepers = self.sleepers.lock();
        match sleepers.iter().position(|&sleeper| sleeper == worker) {
            Some(position) => {
                sleepers.swap_remove(position);
                // Relaxed: as in `pop_sleeper`.
                self.state.fetch_add(AWAKE, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// Whether a worker is still among the sleepers.
    pub(crate) fn is_asleep(&self, worker: usize) -> bool {
        self.sleepers.lock().contains(&worker)
    }

    /// Whether no worker sleeps.
    #[inline]
    pub(crate) fn all_awake(&self) -> bool {
        State(self.state.load(Ordering::Relaxed)).awake() >= self.workers
    }

    fn somebody_should_wake(&self) -> bool {
        let state = State(self.state.load(Ordering::Relaxed));
        state.searching() == 0 && state.awake() < self.workers
    }
}
