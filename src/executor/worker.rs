//! A worker: takes a task, gives it a turn, and sleeps when there is none.

use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::time::Instant;

use crate::context::contain::drop_contained;
use crate::context::hand::OpenHand;
use crate::context::slot::end_scopes;
use crate::executor::census::bump;
use crate::executor::core::{Core, OwnedCore};
use crate::executor::guest;
use crate::executor::shared::Shared;
use crate::sync::{give_way, tls, Arc};
use crate::task::Notified;

/// The thread's end of a worker, as the code that runs on this thread sees it.
pub(crate) struct Worker {
    pub(super) shared: Arc<Shared>,
    /// The core, until `block_in_place` hands it to another thread.
    owned: UnsafeCell<Option<OwnedCore>>,
    /// Points to the core while it is here.
    core: Cell<*const Core>,
    /// Whether this thread is inside the driver, where wakes have to end the waiting.
    pub(super) driving: Cell<bool>,
    /// Whether it gives a task its turn. Everywhere else it is about to use the core.
    in_turn: Cell<bool>,
    /// Since when it has been busy.
    busy_since: Cell<Option<Instant>>,
}

tls! {
    /// The worker that this thread is.
    static CURRENT: Cell<*const Worker> = Cell::new(ptr::null());
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, core: OwnedCore) -> Worker {
        Worker {
            shared,
            core: Cell::new(core.as_ptr()),
            owned: UnsafeCell::new(Some(core)),
            driving: Cell::new(false),
            in_turn: Cell::new(false),
            busy_since: Cell::new(None),
        }
    }

    /// Makes this the thread's worker until the guard is dropped.
    pub(crate) fn enter(&self) -> Sitting<'_> {
        let previous = CURRENT.with(|current| current.replace(self));
        Sitting {
            worker: self,
            previous,
        }
    }

    /// This thread's worker and core, if it is a worker of `shared`.
    #[inline(always)]
    pub(crate) fn current_of<'a>(shared: &Shared) -> Option<(&'a Worker, &'a Core)> {
        let worker = CURRENT.with(Cell::get);
        if worker.is_null() {
            return None;
        }
        // SAFETY: `Sitting` takes the pointer back before the worker goes. The references that
        // callers get do not outlive the turn they are in, at the end of which the worker is here.
        let worker = unsafe { &*worker };
        if !ptr::eq(&*worker.shared, shared) {
            return None;
        }
        worker.core().map(|core| (worker, core))
    }

    /// Whether this thread is a worker, whichever runtime's, that still has its core.
    pub(crate) fn with_current<R>(f: impl FnOnce(&Worker) -> R) -> Option<R> {
        let worker = CURRENT.with(Cell::get);
        // SAFETY: as in `current_of`.
        unsafe { worker.as_ref() }.map(f)
    }

    #[inline(always)]
    pub(crate) fn core(&self) -> Option<&Core> {
        // SAFETY: the pointer is null or points to the core that `owned` holds: it is set to null
        // before the core goes. A caller that gives the core away holds no reference to it.
        unsafe { self.core.get().as_ref() }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes the core away from a task's turn, so that another thread can go on as this worker.
    /// Only in a turn: everywhere else, this thread is about to use the core, whatever code of whichever
    /// task it runs, as the destructor of an output that was dropped in the driver.
    pub(crate) fn give_up_core(&self) -> Option<OwnedCore> {
        let core = self.core()?;
        if self.shared.is_guest(core.index) {
            crate::task::try_id()?;
            // What makes a guest stays with its thread; it is enough that nothing waits for it.
            guest::leave_to_workers(&self.shared, core);
            return None;
        }
        if !self.in_turn.get() {
            return None;
        }
        self.end_work();
        self.take_core()
    }

    /// Takes the core back that [`give_up_core`](Self::give_up_core) gave.
    pub(crate) fn take_back(&self, core: OwnedCore) {
        self.core.set(core.as_ptr());
        // SAFETY: only this thread touches the cell, and no reference into it is kept.
        unsafe { *self.owned.get() = Some(core) };
        self.begin_work();
    }

    /// Takes the core away from this thread.
    pub(crate) fn take_core(&self) -> Option<OwnedCore> {
        self.core.set(ptr::null());
        // SAFETY: only this thread touches the cell, and no reference into it is kept.
        unsafe { (*self.owned.get()).take() }
    }

    /// Queues a task that was spawned or woken on this thread.
    #[inline]
    pub(crate) fn schedule(&self, core: &Core, task: Notified, yielded: bool) {
        if self.shared.is_guest(core.index) {
            return guest::schedule(&self.shared, core, task, yielded);
        }
        core.looks.queued(yielded);
        let lifo_slot = &self.shared.remotes[core.index].lifo_slot;
        // Who yields with nobody else here comes next anyhow, and nobody need be called for it.
        let to_the_back = yielded && self.has_work(core);
        // A current-thread runtime is first in, first out.
        let to_the_back = to_the_back || self.shared.config.workers == 0;
        let push = if to_the_back {
            Some(task)
        } else {
            lifo_slot.replace(task)
        };
        if let Some(task) = push {
            core.queue.push(task);
            // Now there is more than this worker will do next.
            if self.shared.config.workers > 1 {
                self.shared.notify_one_unless(|| self.keeps_tasks(core));
            }
        }
        if self.driving.get() {
            // The driver woke a task of ours: that is what we were waiting for.
            self.shared.driver.unpark(None);
        }
    }

    /// Whether this worker is done with what is in its queue before somebody could come for it, so that
    /// nobody need be called. In case it is not, there is one who watches.
    fn keeps_tasks(&self, core: &Core) -> bool {
        if !core.looks.are_soon_done(core.queue.len()) {
            return false;
        }
        self.shared.begins_to_keep(core);
        self.shared.watch.is_watched()
    }

    /// Takes turns until the runtime is closed or the core is gone.
    pub(crate) fn run(&self) {
        self.begin_work();
        let hand = OpenHand::new();
        while let Some(core) = self.core() {
            if self.shared.is_closed() {
                break;
            }
            let Some(task) = self.next_task(core) else {
                drop_contained(hand.empty());
                match core.injected.replace(false) {
                    // Who has just queued from afar is likely to go on with it, and may be waiting
                    // for this very processor.
                    // To a model it is one more turn of the same loop.
                    true if cfg!(kamon_loom) => {}
                    true => give_way(),
                    false => self.rest(core),
                }
                continue;
            };
            // SAFETY: whoever holds the `Notified` has the right to poll it.
            let context = unsafe { task.metadata().context() };
            if !hand.is_for(context) {
                drop_contained(hand.empty_before(context));
            }
            let look = self.begin_turn(core);
            // The core may move to another thread in here, so it is not used afterwards.
            self.in_turn.set(true);
            give_turn(task);
            self.in_turn.set(false);
            if look {
                drop_contained(hand.empty());
                self.look_outside();
            }
        }
        drop_contained(hand.empty());
        self.end_work();
    }

    /// What comes before a task's turn. Returns whether the outside world is due for a look
    /// after it.
    #[inline(always)]
    pub(crate) fn begin_turn(&self, core: &Core) -> bool {
        if core.searching.replace(false) && self.shared.idle.found_work() {
            self.shared.notify_one();
        }
        bump(&self.shared.remotes[core.index].stats.polls);
        crate::renew_budget();
        self.tick(core)
    }

    /// Counts a turn, be it a task's or that of a future that is blocked on. Returns whether the
    /// outside world is due for a look after it.
    #[inline]
    pub(crate) fn tick(&self, core: &Core) -> bool {
        core.turns_to_injector
            .set(core.turns_to_injector.get().saturating_sub(1));
        core.looks.due(self.shared.config.event_interval)
    }

    /// Looks at timers and the outside world without waiting.
    pub(crate) fn look_outside(&self) {
        let look = self.core().map(|core| core.looks.begin());
        self.shared.timers.turn();
        if let Some(_seat) = self.shared.seat.take_to_look() {
            self.shared.driver.poll();
            self.shared.end_if_broken();
        }
        end_scopes();
        if let (Some(core), Some(look)) = (self.core(), look) {
            core.looks.end(look);
        }
    }

    pub(crate) fn begin_work(&self) {
        self.busy_since.set(Some(Instant::now()));
    }

    pub(crate) fn end_work(&self) {
        if let (Some(core), Some(since)) = (self.core(), self.busy_since.take()) {
            self.shared.remotes[core.index]
                .stats
                .add_busy(since.elapsed());
        }
    }

    /// Ends the worker's existence, if it still has its core. The runtime is closed, and from
    /// here on what is woken on this thread takes the foreign path, which buries it. Returns whether it had.
    pub(crate) fn retire(&self) -> bool {
        let core = self.take_core();
        let had_core = core.is_some();
        if let Some(core) = core {
            self.shared.retire(core);
        }
        end_scopes();
        had_core
    }
}

/// Gives a task its turn.
#[inline(always)]
pub(super) fn give_turn(task: Notified) {
    #[cfg(kamon_loom)]
    let before = crate::executor::modelled::Before::turn();
    task.run();
    // The waker of whoever joins it is the user's code too, called when the frame has ended.
    end_scopes();
    #[cfg(kamon_loom)]
    before.assert_same();
}

/// Returns which of its runtime's workers this thread is, as the numbers in
/// [`RuntimeMetrics`](crate::runtime::RuntimeMetrics) count them, or `None` if it is none of them.
///
/// A thread that blocks on a current-thread runtime is its worker number 0 while it runs the
/// tasks; one that blocks on a multi-thread runtime is no worker, also while it runs a task that it
/// waits for.
///
/// # Examples
///
/// ```
/// use kamon::runtime::{worker_index, Builder};
///
/// let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
/// assert_eq!(runtime.block_on(async { worker_index() }), None);
/// let (sender, receiver) = std::sync::mpsc::channel();
/// runtime.spawn(async move { sender.send(worker_index()).unwrap() });
/// assert_eq!(receiver.recv().unwrap(), Some(0));
/// # std::io::Result::Ok(())
/// ```
pub fn worker_index() -> Option<usize> {
    let index = |worker: &Worker| {
        let index = worker.core()?.index;
        (!worker.shared.is_guest(index)).then_some(index)
    };
    Worker::with_current(index).flatten()
}

/// The thread is a worker as long as this is there.
pub(crate) struct Sitting<'a> {
    worker: &'a Worker,
    previous: *const Worker,
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        debug_assert!(CURRENT.with(|current| ptr::eq(current.get(), self.worker)));
        CURRENT.with(|current| current.set(self.previous));
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use std::sync::mpsc;

    use crate::context::{current_context, slot, with_context, Context, Key};
    use crate::executor::runtime::Builder;
    use crate::executor::spawn::spawn;
    use crate::task::yield_now;

    static NUMBER: Key<u32> = Key::local("worker number", || 0);

    /// Far more rounds than it takes, most often one.
    const ROUNDS: usize = 10_000;

    /// What three children of one task, who run one after the other and are joined by nobody, see of holds
    /// on their Context.
    fn holds_seen() -> Vec<usize> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let context = Context::empty().with_key(&NUMBER, 1);
        let (seen, all) = mpsc::channel();
        let parent = async move {
            for _ in 0..3 {
                let seen = seen.clone();
                let see = |context: &Context| context.holds().expect("it is not empty");
                drop(spawn(
                    async move { seen.send(slot::with_current(see)).unwrap() },
                ));
            }
        };
        with_context(context, || drop(runtime.spawn(parent)));
        all.iter().collect()
    }

    #[test]
    fn a_thread_in_block_on_keeps_its_hand_from_poll_to_poll() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let context = Context::empty().with_key(&NUMBER, 1);
        let holds = || slot::with_current(|context| context.holds());
        let ask = async {
            drop((current_context(), current_context()));
            let before = holds();
            yield_now().await;
            (before, holds())
        };
        let (before, after) = with_context(context.clone(), || runtime.block_on(ask));
        assert_eq!(before, after);
        assert_eq!(context.holds(), Some(1), "all are given back at its end");
    }

    #[test]
    fn a_worker_keeps_its_hand_at_the_end_of_tasks_that_nobody_joins() {
        let changes_nothing = |_| {
            let seen = holds_seen();
            seen.windows(2).all(|pair| pair[0] == pair[1])
        };
        // A look at the outside world may come between them.
        assert!((0..ROUNDS).any(changes_nothing));
    }
}
