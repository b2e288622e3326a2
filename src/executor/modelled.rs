//! What the models see of this room.
#![allow(missing_docs)] // The models call what they see by its own name.

use std::time::Duration;

use crate::context::slot;
use crate::executor::driver::{Driver, ThreadDriver};
use crate::executor::idle::{self, Parking};
use crate::executor::parker;
use crate::executor::watch;
use crate::sync::Living;
use crate::task::{self, Leaving};

/// What a thread had before it gave a task its turn.
pub(crate) struct Before {
    context: usize,
    task: Option<task::Id>,
}

impl Before {
    pub(crate) fn turn() -> Before {
        Before {
            context: slot::raw(),
            task: task::try_id(),
        }
    }

    /// # Panics
    ///
    /// When the turn has left something of its task on this thread.
    pub(crate) fn assert_same(self) {
        assert_eq!(
            slot::raw(),
            self.context,
            "STALE: a turn has left its Context behind"
        );
        assert!(
            slot::is_settled(),
            "STALE: a turn has left an open Scope behind"
        );
        assert_eq!(
            task::try_id(),
            self.task,
            "STALE: a turn has left its task's id behind"
        );
    }
}

/// Tasks and runtimes that are alive, with their number.
pub fn alive() -> Vec<(&'static str, usize)> {
    Living::census()
}

/// Forgets the tasks and runtimes of an execution that is over.
pub fn forget_alive() {
    Living::forget();
}

/// Who sleeps and who searches.
pub struct Idle(idle::Idle);

impl Idle {
    pub fn new(workers: usize) -> Idle {
        Idle(idle::Idle::new(workers))
    }

    pub fn worker_to_wake(&self) -> Option<usize> {
        self.0.worker_to_wake(|| false)
    }

    pub fn worker_to_wake_unless(&self, spare: impl FnOnce() -> bool) -> Option<usize> {
        self.0.worker_to_wake(spare)
    }

    pub fn start_searching(&self) -> bool {
        self.0.start_searching()
    }

    pub fn found_work(&self) -> bool {
        self.0.found_work()
    }

    /// Returns whether the worker must look once more.
    pub fn park(&self, worker: usize, searching: bool) -> bool {
        self.0.park(worker, searching) == Parking::LookAgain
    }

    pub fn get_up(&self, worker: usize) -> bool {
        self.0.get_up(worker)
    }

    pub fn is_asleep(&self, worker: usize) -> bool {
        self.0.is_asleep(worker)
    }
}

/// Who watches over workers that keep tasks to themselves.
pub struct Watch(watch::Watch);

impl Watch {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Watch {
        Watch(watch::Watch::new())
    }

    /// A worker keeps tasks from now on.
    pub fn join(&self) {
        self.0.join(watch::WORKER);
    }

    /// So does a guest.
    pub fn join_as_guest(&self) {
        self.0.join(watch::GUEST);
    }

    pub fn is_watched(&self) -> bool {
        self.0.is_watched()
    }

    /// It keeps none any more.
    pub fn leave(&self) {
        self.0.leave(watch::WORKER);
    }

    pub fn begin(&self) -> Option<Watching<'_>> {
        self.0.begin().map(Watching)
    }

    pub fn lie_down(&self, park: impl FnOnce(bool)) -> Option<Watching<'_>> {
        self.0.lie_down(park).map(Watching)
    }

    pub fn go_on<'a>(
        &'a self,
        watching: Watching<'a>,
        is_quiet: bool,
        kept: impl FnOnce() -> bool,
    ) -> Option<Watching<'a>> {
        let watching = self.0.go_on(watching.0, is_quiet, kept);
        watching.map(Watching)
    }
}

/// Somebody watches.
pub struct Watching<'a>(watch::Watching<'a>);

impl Watching<'_> {
    pub fn leave(self, left: impl FnOnce() -> bool) -> bool {
        self.0.leave(left)
    }
}

/// A place to sleep.
pub struct Parker(parker::Parker);

impl Parker {
    pub fn new() -> Parker {
        Parker(parker::Parker::new())
    }

    pub fn attach(&self) {
        self.0.attach();
    }

    pub fn park(&self) {
        self.0.park();
    }

    pub fn park_driving(&self, timeout: Option<Duration>, interrupted: &dyn Fn() -> bool) {
        let driver: &dyn Driver = &ThreadDriver;
        self.0.park_driving(driver, timeout, interrupted);
    }

    pub fn unpark(&self) {
        self.0.unpark(&ThreadDriver);
    }
}

/// How many tasks still need the runtime's memory.
pub struct Left(task::Left);

impl Left {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Left {
        Left(task::Left::new())
    }

    pub fn join(&self, tasks: usize) {
        self.0.join(tasks);
    }

    /// Returns whether it was the last.
    pub fn leave(&self) -> bool {
        self.0.leave() == Leaving::Last
    }
}
