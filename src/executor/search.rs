//! Where a worker looks for its next task, and in which order.

use crate::executor::census::bump;
use crate::executor::core::Core;
use crate::executor::worker::Worker;
use crate::task::Notified;

/// How often a task that was just woken may run next, ahead of the queue.
const MAX_LIFO_TURNS: u32 = 3;
/// The most tasks that a worker takes out of the injector at once.
const INJECTOR_BATCH: usize = 32;
/// With so many tasks of its own a worker takes no more than one out of the injector: it would only
/// move them from queue to queue, and meet those who push there.
const ENOUGH: usize = 256;

impl Worker {
    /// The next task, in this order: the injector and the guests now and then, by turns, so that they never
    /// starve; the task that was woken last, but not for ever; our own queue; the injector; other
    /// workers.
    #[inline]
    pub(crate) fn next_task(&self, core: &Core) -> Option<Notified> {
        if core.turns_to_injector.get() == 0 {
            let interval = self.shared.config.global_queue_interval;
            core.turns_to_injector.set(interval);
            let guests_first = core.guests_first.get();
            core.guests_first.set(!guests_first);
            let task = if guests_first {
                self.next_of_guests(core)
                    .or_else(|| self.next_injected(core))
            } else {
                self.next_injected(core)
                    .or_else(|| self.next_of_guests(core))
            };
            if task.is_some() {
                if !self.shared.remotes[core.index].lifo_slot.is_empty() {
                    // That was to come next, and nobody was called for it.
                    self.announce(core);
                }
                return task;
            }
        }
        self.next_lifo(core)
            .or_else(|| self.next_queued(core))
            .or_else(|| self.next_injected(core))
            .or_else(|| self.shared.remotes[core.index].lifo_slot.take())
            .or_else(|| self.steal(core))
    }

    /// The next task for a guest that lends its thread, and has none itself.
    pub(crate) fn next_for_guest(&self, core: &Core) -> Option<Notified> {
        self.next_injected(core).or_else(|| {
            let stolen = self.steal_from_others(core)?;
            self.announce(core);
            Some(stolen)
        })
    }

    #[inline]
    fn next_lifo(&self, core: &Core) -> Option<Notified> {
        let turns = core.lifo_turns.get();
        if turns >= MAX_LIFO_TURNS {
            return None;
        }
        let task = self.shared.remotes[core.index].lifo_slot.take()?;
        core.lifo_turns.set(turns + 1);
        Some(task)
    }

    #[inline]
    pub(crate) fn next_queued(&self, core: &Core) -> Option<Notified> {
        core.lifo_turns.set(0);
        core.queue.pop()
    }

    /// Takes a fair share of the injector.
    fn next_injected(&self, core: &Core) -> Option<Notified> {
        let mut came_along = false;
        let room = ENOUGH.saturating_sub(core.queue.len());
        let workers = self.shared.config.workers.max(1);
        let first = self.shared.injector.take(
            workers * INJECTOR_BATCH,
            |len| (len / workers + 1).min(INJECTOR_BATCH).min(room.max(1)),
            |task| {
                core.queue.push(task);
                came_along = true;
            },
        )?;
        core.injected.set(true);
        if came_along {
            self.announce(core);
        }
        Some(first)
    }

    /// Says that there is more than the task that was taken. What came along with it must not wait for
    /// that one's turn to end: a worker that lies down may have looked while it was in our hands. Of
    /// what a searching worker has found, the end of its search tells.
    fn announce(&self, core: &Core) {
        let shared = &self.shared;
        let others = shared.config.workers > 1 || shared.is_guest(core.index);
        if others && !core.searching.get() && self.has_work(core) {
            shared.notify_one();
        }
    }

    /// Takes what guests have left behind, who may have gone to sleep or be busy with something
    /// else. Nobody looks there but who steals, and a worker that never runs out of work does not.
    fn next_of_guests(&self, core: &Core) -> Option<Notified> {
        let guests = &self.shared.used()[self.shared.workers().len()..];
        in_any_order(guests.len(), core).find_map(|index| {
            let guest = &guests[index];
            match guest.stealer.steal_into(&core.queue) {
                Some(stolen) => {
                    self.announce(core);
                    Some(stolen)
                }
                None => guest.lifo_slot.take(),
            }
        })
    }

    fn steal(&self, core: &Core) -> Option<Notified> {
        if self.shared.used().len() < 2 {
            return None;
        }
        if !core.searching.get() {
            if !self.shared.idle.start_searching() {
                return None;
            }
            core.searching.set(true);
        }
        self.steal_from_others(core)
            .or_else(|| self.next_injected(core))
    }

    fn steal_from_others(&self, core: &Core) -> Option<Notified> {
        let stats = &self.shared.remotes[core.index].stats;
        let remotes = self.shared.used();
        let victims = in_any_order(remotes.len(), core);
        for victim in victims.filter(|&victim| victim != core.index) {
            if let Some(task) = remotes[victim].stealer.steal_into(&core.queue) {
                bump(&stats.steals);
                return Some(task);
            }
            if let Some(task) = remotes[victim].lifo_slot.take() {
                bump(&stats.steals);
                return Some(task);
            }
        }
        None
    }
}

/// All of so many, beginning with any of them, so that none is always the last.
fn in_any_order(number: usize, core: &Core) -> impl Iterator<Item = usize> {
    let start = match number {
        0 => 0,
        _ => core.random.borrow_mut().usize(..number),
    };
    (start..number).chain(0..start)
}
