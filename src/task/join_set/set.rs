//! `JoinSet`: the tasks, and what their owner does with them.

use std::fmt;
use std::future::{poll_fn, Future};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{ready, Context as TaskContext, Poll, Wake, Waker};

use slab::Slab;

use crate::context::slot;
use crate::sync::Arc;
use crate::task::join_set::reports::{Report, Reporter, Reports};
use crate::task::output::{Failure, Output};
use crate::task::{coop, AbortHandle, Id, JoinError, JoinHandle};

/// Collects tasks and hands out their results in the order in which the tasks end.
///
/// All tasks of a set have the same output type `T`. Dropping the set aborts all that are still
/// in it; a result that nobody took is dropped in its own task's Context.
///
/// # Examples
///
/// ```
/// use kamon::task::JoinSet;
///
/// kamon::block_on(async {
///     let mut set = JoinSet::new();
///     for number in 0..10 {
///         set.spawn(async move { number * number });
///     }
///     let mut squares = Vec::new();
///     while let Some(square) = set.join_next().await {
///         squares.push(square.unwrap());
///     }
///     squares.sort();
///     assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
/// });
/// ```
pub struct JoinSet<T> {
    entries: Slab<Entry<T>>,
    /// Where the tasks report. Whoever empties the set by force replaces it, so that no task
    /// that has left can report to those that come.
    reports: Arc<Reports>,
    /// The number of the next entry.
    next: u64,
}

// SAFETY: a shared set shows how many entries it has and nothing of what is in them.
unsafe impl<T: Send> Sync for JoinSet<T> {}

impl<T> Unpin for JoinSet<T> {}

impl<T> JoinSet<T> {
    /// Creates an empty set.
    pub fn new() -> Self {
        JoinSet {
            entries: Slab::new(),
            reports: Arc::new(Reports::new()),
            next: 0,
        }
    }

    /// Returns how many tasks are in the set, finished ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Waits until a task of the set ends, and returns its result.
    ///
    /// Returns `None` when the set is empty.
    ///
    /// # Cancel safety
    ///
    /// The result leaves the set in the poll that returns it, so nothing is lost when this
    /// future is dropped before.
    ///
    /// # Errors
    ///
    /// The inner result is an error if the task panicked or was cancelled.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// Waits until a task of the set ends, and returns its id with its output.
    ///
    /// Returns `None` when the set is empty. It is as cancel safe as [`join_next`](Self::join_next).
    ///
    /// # Errors
    ///
    /// The inner result is an error if the task panicked or was cancelled; the error knows the id.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Returns the result of a task that has ended, or `None` if there is none at the moment.
    ///
    /// # Errors
    ///
    /// The inner result is an error if the task panicked or was cancelled.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(without_id)
    }

    /// Returns the id and the output of a task that has ended, or `None` if there is none at the
    /// moment.
    ///
    /// # Errors
    ///
    /// The inner result is an error if the task panicked or was cancelled; the error knows the id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        loop {
            let report = self.reports.pop()?;
            if let Some(result) = self.take_finished(report) {
                return Some(result);
            }
        }
    }

    /// Polls for a task of the set that has ended.
    ///
    /// Returns `Ready(None)` when the set is empty. On `Pending` the waker of the most recent
    /// call is woken when a task ends.
    pub fn poll_join_next(
        &mut self,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx)
            .map(|next| next.map(without_id))
    }

    /// Polls for a task of the set that has ended, and returns its id with its output.
    ///
    /// Returns `Ready(None)` when the set is empty. On `Pending` the waker of the most recent
    /// call is woken when a task ends.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        let progress = ready!(coop::poll_proceed(cx));
        loop {
            let report = ready!(self.reports.poll_pop(cx));
            if let Some(result) = self.take_finished(report) {
                progress.made_progress();
                return Poll::Ready(Some(result));
            }
        }
    }

    /// Aborts all tasks and waits until they have ended, throwing their results away.
    ///
    /// A panic of a task is thrown away too.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks and returns their outputs in the order in which they ended.
    ///
    /// # Panics
    ///
    /// If a task panicked, with its payload, or if one was cancelled. The rest of the set is
    /// aborted then.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result.map_err(JoinError::try_into_panic) {
                Ok(output) => outputs.push(output),
                Err(Ok(payload)) => resume_unwind(payload),
                Err(Err(error)) => panic!("{error}"),
            }
        }
        outputs
    }

    /// Aborts all tasks of the set.
    ///
    /// They stay in the set: [`join_next`](Self::join_next) returns them as cancelled, unless
    /// they ended before the abort reached them.
    pub fn abort_all(&mut self) {
        for (_, entry) in &self.entries {
            entry.abort();
        }
    }

    /// Empties the set without aborting anything: the tasks go on running by themselves.
    pub fn detach_all(&mut self) {
        self.clear();
    }

    /// Takes a task into the set that was spawned a moment ago, in the Context that is current.
    pub(crate) fn insert(&mut self, mut handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let id = handle.id();
        let slot = self.entries.vacant_entry();
        let report = Report {
            key: slot.key(),
            number: self.next,
        };
        self.next += 1;
        let reporter = Arc::new(Reporter {
            report,
            reports: self.reports.clone(),
        });
        let waker = Waker::from(reporter.clone());
        let polled = poll_without_budget(&mut handle, &mut TaskContext::from_waker(&waker));
        let state = match polled {
            Poll::Pending => State::Running(handle),
            // The task has ended already. Its result is wrapped up again with the Context that
            // the task inherited, so that a set that is dropped now drops the result in it.
            Poll::Ready(result) => {
                reporter.wake();
                State::Finished(Output::new(id, slot::capture(), result.map_err(failure)))
            }
        };
        slot.insert(Entry {
            number: report.number,
            id,
            state,
        });
        abort
    }

    /// Takes the task that a report speaks of out of the set, if it is there and has ended.
    fn take_finished(&mut self, report: Report) -> Option<Result<(Id, T), JoinError>> {
        let entry = self.entries.get_mut(report.key)?;
        if entry.number != report.number {
            // A late word about a task that has been taken.
            return None;
        }
        let id = entry.id;
        let result = match &mut entry.state {
            State::Finished(_) => match self.entries.remove(report.key).state {
                State::Finished(output) => output.claim(),
                State::Running(_) => unreachable!("matched as finished"),
            },
            State::Running(handle) => {
                let mut no_one = TaskContext::from_waker(Waker::noop());
                if let Poll::Ready(result) = poll_without_budget(handle, &mut no_one) {
                    self.entries.remove(report.key);
                    result
                } else {
                    // It has not ended after all, and its reporter is used up.
                    let reporter = Reporter {
                        report,
                        reports: self.reports.clone(),
                    };
                    let waker = Waker::from(Arc::new(reporter));
                    match poll_without_budget(handle, &mut TaskContext::from_waker(&waker)) {
                        Poll::Pending => return None,
                        Poll::Ready(result) => {
                            self.entries.remove(report.key);
                            result
                        }
                    }
                }
            }
        };
        Some(result.map(|output| (id, output)))
    }
}

impl<T> JoinSet<T> {
    fn clear(&mut self) {
        let reports = std::mem::replace(&mut self.reports, Arc::new(Reports::new()));
        reports.close();
        // Handles detach; results go in their own Contexts and contain their panics.
        self.entries.clear();
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.reports.close();
        for entry in self.entries.drain() {
            entry.abort();
        }
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// A task of the set.
struct Entry<T> {
    /// Tells the entry apart from others that have the same place, before and after it.
    number: u64,
    id: Id,
    state: State<T>,
}

enum State<T> {
    Running(JoinHandle<T>),
    Finished(Output<T>),
}

impl<T> Entry<T> {
    fn abort(&self) {
        if let State::Running(handle) = &self.state {
            handle.abort();
        }
    }
}

/// Polls a handle without using up the budget of whoever runs: the set pays once per result.
fn poll_without_budget<T>(
    handle: &mut JoinHandle<T>,
    cx: &mut TaskContext<'_>,
) -> Poll<Result<T, JoinError>> {
    Pin::new(&mut coop::unconstrained(handle)).poll(cx)
}

fn failure(error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(payload) => Failure::panicked(payload),
        Err(_) => Failure::cancelled(),
    }
}

fn without_id<T>(result: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    result.map(|(_, output)| output)
}
