//! Whether the thread of a guest is one that blocks while its tasks wait.

use std::cell::Cell;

/// What was learnt from a guest's polls: where the first task that one of them queues is better off.
///
/// In the slot it waits for the end of the poll without anybody being called, which is right for a
/// question whose answer is awaited next. A thread that blocks within its poll does not come to
/// that: others take the task, but they look there seldom. So the next first task goes to the queue,
/// and a worker is called at once; until a poll ends before anybody has come for it.
pub(crate) struct Habit {
    blocks: Cell<bool>,
    first: Cell<First>,
}

/// Where the first task is that was queued in the present poll.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// There is none yet.
    None,
    /// It waits in the slot, if nobody has taken it.
    InSlot,
    /// It is alone in the queue, if nobody has taken it.
    InQueue,
    /// Among others, or gone.
    Else,
}

/// Where a task of a guest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Place {
    Slot,
    Queue,
}

impl Habit {
    pub(crate) fn new() -> Habit {
        Habit {
            blocks: Cell::new(false),
            first: Cell::new(First::None),
        }
    }

    /// Whether the thread is taken for one that blocks.
    #[cfg(all(test, not(kamon_loom)))]
    pub(super) fn blocks(&self) -> bool {
        self.blocks.get()
    }

    /// A turn begins: the future's, or that of a task that it waits for.
    pub(crate) fn begin(&self) {
        self.first.set(First::None);
    }

    /// A task is about to be queued that has not just yielded. Only the first of a turn goes to the
    /// slot.
    pub(crate) fn place(&self) -> Place {
        let (first, place) = match (self.first.get(), self.blocks.get()) {
            (First::None, false) => (First::InSlot, Place::Slot),
            (First::None, true) => (First::InQueue, Place::Queue),
            _ => (First::Else, Place::Queue),
        };
        self.first.set(first);
        place
    }

    /// A task was put where nothing can be learnt from it: it, or the first one, is not alone there.
    pub(crate) fn disregard(&self) {
        self.first.set(First::Else);
    }

    /// The future's poll is over. Where that says something, the habit asks what others have left.
    pub(crate) fn end(
        &self,
        slot_is_empty: impl FnOnce() -> bool,
        queue_is_empty: impl FnOnce() -> bool,
    ) {
        match self.first.get() {
            First::InSlot if slot_is_empty() => self.blocks.set(true),
            First::InQueue if !queue_is_empty() => self.blocks.set(false),
            _ => {}
        }
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    /// The place of the first task of a poll, after which this is left.
    fn poll(habit: &Habit, slot_is_empty: bool, queue_is_empty: bool) -> Place {
        habit.begin();
        let place = habit.place();
        habit.end(|| slot_is_empty, || queue_is_empty);
        place
    }

    #[test]
    fn who_blocks_has_workers_called_until_it_does_not() {
        let habit = Habit::new();
        // It comes to its task itself.
        assert_eq!(poll(&habit, false, true), Place::Slot);
        // Somebody else does.
        assert_eq!(poll(&habit, true, true), Place::Slot);
        assert_eq!(poll(&habit, true, true), Place::Queue);
        // The poll is over before somebody does.
        assert_eq!(poll(&habit, true, false), Place::Queue);
        assert_eq!(poll(&habit, false, true), Place::Slot);
    }

    #[test]
    fn only_the_first_task_goes_to_the_slot_and_counts_alone() {
        let habit = Habit::new();
        habit.begin();
        assert_eq!(habit.place(), Place::Slot);
        assert_eq!(habit.place(), Place::Queue);
        // The second one has taken the first one out of the slot.
        habit.end(|| true, || false);
        assert_eq!(poll(&habit, true, true), Place::Slot);
        habit.begin();
        assert_eq!([habit.place(), habit.place()], [Place::Queue, Place::Queue]);
        // Of many that are left, the first may be gone.
        habit.end(|| true, || false);
        assert_eq!(poll(&habit, true, true), Place::Queue);
    }

    #[test]
    fn what_is_disregarded_teaches_nothing() {
        let habit = Habit::new();
        habit.begin();
        assert_eq!(habit.place(), Place::Slot);
        habit.disregard();
        habit.end(|| true, || true);
        assert_eq!(poll(&habit, false, true), Place::Slot);
        // Nor does a poll that queues nothing.
        habit.begin();
        habit.end(|| true, || true);
        assert_eq!(poll(&habit, false, true), Place::Slot);
    }
}
