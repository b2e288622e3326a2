//! A thread in `block_on` of a multi-thread runtime: a guest among the workers.
//!
//! It has a queue of its own, which the workers steal from, so that spawning from `block_on` is as
//! cheap as from a task. It runs no tasks but those that its future waits for: one whose handle
//! the future awaits, or one that is half way and that the future has just woken (a server that
//! got a request). A question to such a task and its answer then need no other thread. Any other
//! task goes to the workers, because a task that blocks its thread must not block this one. Only
//! while the future awaits a task, and no worker is left that could be called instead, does the
//! guest lend its thread to whatever is queued; and where no processor is left over either, only
//! while the workers are held up (`executor::pace`).
//!
//! Where the builder was told how large the workers' stacks are, or what their threads run first, tasks
//! may count on it: there a guest runs none.

use std::task::Poll;
use std::time::{Duration, Instant};

use crate::executor::block_on::{ReturnCore, Root, Step};
use crate::executor::core::{Core, OwnedCore};
use crate::executor::habit::Place;
use crate::executor::pace::SAMPLE;
use crate::executor::rest::nap;
use crate::executor::shared::Shared;
use crate::executor::worker::{give_turn, Worker};
use crate::sync::statics::Ordering;
use crate::sync::{scaled, spin, Arc};
use crate::task::{take_awaiting, Helping, Notified};

/// How often a guest looks for work in vain before it sleeps.
const MISSES: usize = scaled(32);

/// How many turns in a row a guest gives to tasks that wake one another. What goes on for longer goes on
/// without it.
const HELPS: u32 = 1024;

/// For how long a guest looks whether the workers get on, if nothing else tells it.
const GLANCE: Duration = Duration::from_micros(3);

/// How often a guest that handed something out looks for an answer before it sleeps.
const PATIENCE: u32 = if cfg!(kamon_loom) { 1 } else { 500 };

/// The right to be a guest.
pub(crate) struct Guest<'a> {
    shared: &'a Arc<Shared>,
    core: OwnedCore,
}

impl<'a> Guest<'a> {
    /// Borrows one of the guests' cores, if one is left and the runtime is open.
    pub(crate) fn borrow(shared: &'a Arc<Shared>) -> Option<Guest<'a>> {
        let mut spare = shared.spare.lock();
        if shared.is_closed() {
            return None;
        }
        let core = spare.cores.pop()?;
        shared.use_core(core.index);
        Some(Guest { shared, core })
    }

    /// Runs the future, and what it waits for, until it is done.
    pub(crate) fn work<T>(self, root: &mut Root<'_>, step: &mut Step<'_, T>) -> T {
        root.sleep_at(self.shared.remotes[self.core.index].parker.clone());
        let worker = Worker::new(self.shared.clone(), self.core);
        let _return = ReturnCore::new(&worker);
        let _sitting = worker.enter();
        let _leave = LeaveNothing { worker: &worker };
        let Some(core) = worker.core() else {
            return root.wait_beside_workers(step);
        };
        let mut leaves_it = false;
        loop {
            if leaves_it {
                // They may be held up by now.
                leaves_it = lend(&worker, core, root) == Lent::LeftIt;
            }
            while root.is_woken() {
                core.habit.begin();
                let polled = {
                    let _helping = Helping::set(true);
                    root.poll(step)
                };
                let slot = &self.shared.remotes[core.index].lifo_slot;
                core.habit.end(|| slot.is_empty(), || core.queue.is_empty());
                if let Poll::Ready(output) = polled {
                    return output;
                }
                let awaits = take_awaiting();
                help(&worker, core, root);
                core.naps.set(0);
                leaves_it = awaits && lend(&worker, core, root) == Lent::LeftIt;
            }
            if self.shared.may_keep(core) {
                // What was handed out may be answered in a moment, and then the question after it
                // needs nobody else.
                let mut patience = PATIENCE;
                while patience > 0 && !root.is_woken() {
                    patience -= 1;
                    spin();
                }
                if root.is_woken() {
                    continue;
                }
            }
            self.shared.keeps_nothing(core);
            if self.shared.is_closed() {
                // No worker comes for what is left here. Only the future goes on.
                worker.retire();
                self.shared.fail_broken();
                return root.wait_beside_workers(step);
            }
            root.parker.park_for(leaves_it.then(|| nap(core)));
        }
    }
}

/// Queues a task that was spawned or woken on a guest's thread.
///
/// The first one since the future was polled waits in the slot, for it may be the one that is
/// awaited next. With a second one this looks like somebody who spawns many, and all of them go
/// to the workers. So does the first one where the thread blocks in its polls (`executor::habit`).
pub(crate) fn schedule(shared: &Shared, core: &Core, task: Notified, yielded: bool) {
    if shared.is_closed() {
        // The end of a task, and not its turn.
        return shared.inject(task);
    }
    let slot = &shared.remotes[core.index].lifo_slot;
    if !yielded && shared.config.guests_help && core.habit.place() == Place::Slot {
        // The user may block this thread before it comes to what is in the slot. Where nobody
        // watches over that yet, somebody is called, who takes the task if he is there first.
        let unwatched = shared.begins_to_keep(core) && !shared.watch.is_watched();
        if unwatched {
            core.habit.disregard();
        }
        match slot.replace(task) {
            Some(previous) => core.queue.push(previous),
            None if unwatched => {}
            None => return,
        }
        return shared.notify_one();
    }
    leave_to_workers(shared, core);
    if !core.queue.is_empty() {
        core.habit.disregard();
    }
    core.queue.push(task);
    shared.notify_one();
}

/// Puts what waits in a guest's slot where the workers are called to find it.
#[inline(always)]
pub(crate) fn leave_to_workers(shared: &Shared, core: &Core) {
    if let Some(task) = shared.remotes[core.index].lifo_slot.take() {
        // That the slot is empty is nobody else's doing.
        core.habit.disregard();
        core.queue.push(task);
        shared.notify_one();
    }
}

/// Runs the tasks that the future waits for, as long as there are any and it is not woken.
fn help(worker: &Worker, core: &Core, root: &Root<'_>) {
    let remote = &worker.shared().remotes[core.index];
    let mut turns = 0;
    while let Some(task) = remote.lifo_slot.take() {
        if turns == HELPS || worker.shared().is_closed() || !is_awaited(&task) {
            core.queue.push(task);
            worker.shared().notify_one();
            continue;
        }
        turn(worker, core, task);
        if root.is_woken() {
            return;
        }
        turns += 1;
    }
}

/// How it came that a guest lends its thread no longer.
#[derive(PartialEq, Eq)]
enum Lent {
    /// There is nothing to do, or something better.
    Enough,
    /// The workers are left to do it, who get on with it.
    LeftIt,
}

/// Takes part in the work while the future waits for a task and every worker is busy; where no processor
/// is left over, only while they are held up.
fn lend(worker: &Worker, core: &Core, root: &Root<'_>) -> Lent {
    let shared = worker.shared();
    if !shared.config.guests_help {
        return Lent::Enough;
    }
    let mut misses = 0;
    while !root.is_woken() && !shared.is_closed() && shared.idle.all_awake() {
        if shared.config.crowded && !is_worth_a_turn(shared, core, root) {
            return Lent::LeftIt;
        }
        let own = worker.next_queued(core);
        match own.or_else(|| worker.next_for_guest(core)) {
            Some(task) => {
                misses = 0;
                turn(worker, core, task);
                help(worker, core, root);
            }
            None if misses < MISSES => {
                misses += 1;
                spin();
            }
            None => return Lent::Enough,
        }
    }
    Lent::Enough
}

/// Whether the workers are held up, so that a turn of ours is worth one processor less for them.
fn is_worth_a_turn(shared: &Shared, core: &Core, root: &Root<'_>) -> bool {
    let workers = &shared.remotes[..shared.config.workers.min(SAMPLE)];
    core.pace.is_worth_a_turn(
        workers.len() as u64,
        || {
            workers
                .iter()
                .map(|worker| worker.stats.polls.load(Ordering::Relaxed))
                .sum()
        },
        || {
            let end = Instant::now() + GLANCE;
            while !root.is_woken() && Instant::now() < end {
                spin();
            }
        },
    )
}

fn turn(worker: &Worker, core: &Core, task: Notified) {
    worker.begin_turn(core);
    core.habit.begin();
    let _helping = Helping::set(true);
    give_turn(task);
}

/// Whether the future of this thread waits for a task, as far as one can see.
fn is_awaited(task: &Notified) -> bool {
    let header = task.metadata();
    // SAFETY: whoever holds the `Notified` has the right to poll it.
    header.flags().awaited() || unsafe { header.is_bound() }
}

/// Hands everything over to the workers when the guest goes.
struct LeaveNothing<'a> {
    worker: &'a Worker,
}

impl Drop for LeaveNothing<'_> {
    fn drop(&mut self) {
        let Some(core) = self.worker.core() else {
            return;
        };
        let shared = self.worker.shared();
        let left = shared.remotes[core.index].lifo_slot.take();
        for task in left
            .into_iter()
            .chain(std::iter::from_fn(|| core.queue.pop()))
        {
            shared.inject(task);
        }
        shared.keeps_nothing(core);
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use std::sync::{mpsc, Arc, Barrier};
    use std::time::Duration;

    use crate::executor::global::processors;
    use crate::executor::runtime::{Builder, Runtime};
    use crate::executor::spawn::spawn;
    use crate::task::yield_now;

    /// Far longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    /// Far more rounds than it takes, most often one or two.
    const ROUNDS: usize = 10_000;

    fn blocks(runtime: &Runtime) -> bool {
        let spare = runtime.handle().shared().spare.lock();
        spare.cores.iter().any(|core| core.habit.blocks())
    }

    #[test]
    fn guests_count_from_the_first_one_on() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let used = || runtime.handle().shared().used().len();
        assert_eq!(used(), 2, "nobody has looked for guests yet");
        for _ in 0..2 {
            runtime.block_on(async { assert_eq!(used(), 3) });
        }
    }

    #[test]
    fn a_thread_that_blocks_is_remembered_until_it_does_not() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let block = |_| {
            runtime.block_on(async {
                let (done, finished) = mpsc::channel();
                drop(spawn(async move { done.send(()).unwrap() }));
                finished.recv().unwrap();
            });
            blocks(&runtime)
        };
        assert!((0..ROUNDS).any(block), "it never learns");
        let ask = |_| {
            runtime.block_on(async { spawn(async {}).await.unwrap() });
            !blocks(&runtime)
        };
        assert!((0..ROUNDS).any(ask), "it never forgets");
    }

    /// Lets a future await a task that no worker comes for: they all take so many turns at tasks of
    /// their own, and are then held up until the awaited one is done. Returns whether the
    /// guest has left it to them meanwhile.
    fn await_beside_workers(turns: usize) -> bool {
        let workers = processors();
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .global_queue_interval(u32::MAX)
            .build()
            .unwrap();
        // The last one to begin is this thread, so none is in the injector any more.
        let begun = Arc::new(Barrier::new(workers + 1));
        let (release, released): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel()).unzip();
        for released in released {
            let begun = begun.clone();
            runtime.spawn(async move {
                begun.wait();
                for _ in 0..turns {
                    yield_now().await;
                }
                released.recv_timeout(LONG).expect("somebody helps");
            });
        }
        begun.wait();
        let awaited = runtime.spawn(async move {
            for worker in release {
                worker.send(()).unwrap();
            }
        });
        runtime.block_on(awaited).unwrap();
        let spare = runtime.handle().shared().spare.lock();
        spare.cores.iter().any(|core| core.naps.get() > 0)
    }

    #[test]
    fn a_guest_helps_workers_that_are_held_up() {
        await_beside_workers(0);
    }

    // ThreadSanitizer's turns are so long that workers are always held up in them.
    #[cfg(not(kamon_tsan))]
    #[test]
    fn a_guest_leaves_the_work_to_workers_until_they_are_held_up() {
        // It may find them held up at once, where somebody else has their processors: hence more than
        // one round.
        let leaves_it = |_| await_beside_workers(100_000);
        assert!((0..ROUNDS).any(leaves_it), "it takes part all the same");
    }
}
