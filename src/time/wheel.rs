//! `Wheel`: a hierarchical timing wheel over the whole range of `u64`.
//!
//! Time is a count of ticks. An entry lies on the level of the highest base-64 digit in which its
//! deadline differs from the wheel's present (`elapsed`), in the slot that this digit of the
//! deadline names. Eleven levels cover every `u64`, so there is no entry beyond the wheel and no
//! slot that is passed twice. Three facts follow, and everything here rests on them:
//!
//! 1. On every level only slots *ahead* of the present's digit are occupied.
//! 2. All entries of a level come before all entries of the levels above it.
//! 3. As long as the present does not pass the start of an occupied slot, no entry changes place.
//!
//! When the present reaches the start of a slot, the slot is *drained*: what is due is handed out
//! and what is not moves down at least one level. An entry moves ten times at most, so inserting,
//! removing and firing take constant time however many entries there are.
//!
//! The wheel is only data: it never runs anything of the values it holds.

use slab::Slab;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;

/// No entry: the end of a list.
const NONE: u32 = u32::MAX;

/// More memory than for this many entries is given back when the last entry has gone.
const KEPT_CAPACITY: usize = 4096;

/// A hierarchical timing wheel.
pub(super) struct Wheel<T> {
    elapsed: u64,
    next_id: u64,
    /// Bit `n`: level `n` has an occupied slot.
    levels: u16,
    /// Bit `n` of a level: its slot `n` is occupied.
    occupied: [u64; LEVELS],
    slots: Box<[Slot]>,
    /// The slot that was reached and may still hold entries.
    draining: Option<usize>,
    nodes: Slab<Node<T>>,
}

/// Names one entry, for as long as it is in the wheel and never another one after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    index: u32,
    id: u64,
}

/// What became of an entry that was to be moved to another deadline.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved<T> {
    /// It waits for the new deadline.
    Waits,
    /// The new deadline is not ahead of the present: the entry left the wheel.
    Due(T),
    /// It had already left the wheel.
    Gone,
}

/// One step of the work that is due.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<T> {
    /// An entry was due and left the wheel.
    Due(T),
    /// An entry moved to a lower level.
    Lowered,
    /// There is nothing left to do.
    Done,
}

/// A circular list of entries.
#[derive(Clone, Copy)]
struct Slot {
    head: u32,
    /// No entry of this slot is due before (exact until an entry is removed).
    earliest: u64,
}

struct Node<T> {
    when: u64,
    id: u64,
    slot: u32,
    next: u32,
    previous: u32,
    value: T,
}

impl<T> Wheel<T> {
    pub(super) fn new() -> Self {
        Wheel {
            elapsed: 0,
            next_id: 0,
            levels: 0,
            occupied: [0; LEVELS],
            slots: vec![
                Slot {
                    head: NONE,
                    earliest: 0
                };
                LEVELS * SLOTS
            ]
            .into_boxed_slice(),
            draining: None,
            nodes: Slab::new(),
        }
    }

    /// Adds an entry, or gives the value back if `when` is not ahead of the present.
    pub(super) fn insert(&mut self, when: u64, value: T) -> Result<Key, T> {
        if when <= self.elapsed {
            return Err(value);
        }
        let id = self.next_id;
        self.next_id += 1;
        let node = Node {
            when,
            id,
            slot: 0,
            next: NONE,
            previous: NONE,
            value,
        };
        let index = u32::try_from(self.nodes.insert(node)).expect("too many timers");
        self.link(index);
        Ok(Key { index, id })
    }

    /// The value of an entry that is still in the wheel.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let node = self.nodes.get_mut(key.index as usize)?;
        (node.id == key.id).then_some(&mut node.value)
    }

    /// Takes an entry out before it is due.
    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.get_mut(key)?;
        Some(self.take(key.index))
    }

    /// Moves an entry to another deadline.
    pub(super) fn reset(&mut self, key: Key, when: u64) -> Moved<T> {
        if self.get_mut(key).is_none() {
            return Moved::Gone;
        }
        if when <= self.elapsed {
            return Moved::Due(self.take(key.index));
        }
        self.unlink(key.index);
        self.nodes[key.index as usize].when = when;
        self.link(key.index);
        Moved::Waits
    }

    /// Does one step of the work that is due at `now`. The present is `now` when it is all done.
    ///
    /// Steps are small, so that whoever guards the wheel can let others in between them.
    pub(super) fn step(&mut self, now: u64) -> Step<T> {
        loop {
            let Some(slot) = self.draining.or_else(|| self.reach(now)) else {
                self.elapsed = self.elapsed.max(now);
                return Step::Done;
            };
            match self.slots[slot].head {
                NONE => self.draining = None,
                index if self.nodes[index as usize].when <= self.elapsed => {
                    return Step::Due(self.take(index));
                }
                index => {
                    self.unlink(index);
                    self.link(index);
                    return Step::Lowered;
                }
            }
        }
    }

    /// Moves the present to `now`, unless there is something to drain before.
    ///
    /// A wheel that is behind works, but it puts new entries on higher levels than they need.
    pub(super) fn catch_up(&mut self, now: u64) {
        let ahead = self.first().is_none_or(|(start, _)| start > now);
        if self.draining.is_none() && ahead {
            self.elapsed = self.elapsed.max(now);
        }
    }

    /// A time before which nothing is due, `None` when empty. Never late; early only if the entry
    /// it was set for has been removed.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        if self.draining.is_some() {
            return Some(self.elapsed);
        }
        self.first().map(|(_, slot)| self.slots[slot].earliest)
    }

    /// Makes [`next_deadline`](Self::next_deadline) exact, by walking through one slot.
    #[cfg(feature = "test-util")]
    pub(super) fn refresh(&mut self) {
        if let (None, Some((_, slot))) = (self.draining, self.first()) {
            let head = self.slots[slot].head;
            let (mut index, mut earliest) = (head, u64::MAX);
            loop {
                let node = &self.nodes[index as usize];
                earliest = earliest.min(node.when);
                index = node.next;
                if index == head {
                    break;
                }
            }
            self.slots[slot].earliest = earliest;
        }
    }

    /// The values of all entries, in no order.
    pub(super) fn into_values(self) -> impl Iterator<Item = T> {
        self.nodes.into_iter().map(|(_, node)| node.value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.nodes.capacity()
    }

    /// Moves the present to the start of the first occupied slot, if that is not after `now`.
    fn reach(&mut self, now: u64) -> Option<usize> {
        let (start, slot) = self.first().filter(|(start, _)| *start <= now)?;
        self.elapsed = start;
        self.draining = Some(slot);
        Some(slot)
    }

    /// The first occupied slot and the time at which it starts.
    fn first(&self) -> Option<(u64, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros();
        let digit = self.occupied[level as usize].trailing_zeros();
        let shift = level * DIGIT_BITS;
        // The digits above this level are the present's (fact 1), those below are zero. On the
        // highest level there are none above.
        let above = u64::MAX.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        let start = (self.elapsed & above) | (u64::from(digit) << shift);
        Some((start, level as usize * SLOTS + digit as usize))
    }

    /// Where an entry for `when` belongs, which lies ahead of the present.
    fn slot_of(&self, when: u64) -> usize {
        let level = (self.elapsed ^ when).ilog2() / DIGIT_BITS;
        let digit = (when >> (level * DIGIT_BITS)) as usize % SLOTS;
        level as usize * SLOTS + digit
    }

    /// Appends a node to the list of the slot where it belongs: equal deadlines fire in order.
    fn link(&mut self, index: u32) {
        let when = self.nodes[index as usize].when;
        let slot = self.slot_of(when);
        let (level, digit) = (slot / SLOTS, slot % SLOTS);
        self.levels |= 1 << level;
        self.occupied[level] |= 1 << digit;

        let head = self.slots[slot].head;
        let (next, previous) = if head == NONE {
            self.slots[slot] = Slot {
                head: index,
                earliest: when,
            };
            (index, index)
        } else {
            self.slots[slot].earliest = self.slots[slot].earliest.min(when);
            let last = self.nodes[head as usize].previous;
            self.nodes[last as usize].next = index;
            self.nodes[head as usize].previous = index;
            (head, last)
        };
        let node = &mut self.nodes[index as usize];
        node.slot = slot as u32;
        node.next = next;
        node.previous = previous;
    }

    fn unlink(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        let (slot, next, previous) = (node.slot as usize, node.next, node.previous);
        if next == index {
            self.slots[slot].head = NONE;
            let (level, digit) = (slot / SLOTS, slot % SLOTS);
            self.occupied[level] &= !(1 << digit);
            if self.occupied[level] == 0 {
                self.levels &= !(1 << level);
            }
        } else {
            self.nodes[next as usize].previous = previous;
            self.nodes[previous as usize].next = next;
            if self.slots[slot].head == index {
                self.slots[slot].head = next;
            }
        }
    }

    fn take(&mut self, index: u32) -> T {
        self.unlink(index);
        let value = self.nodes.remove(index as usize).value;
        if self.nodes.is_empty() && self.nodes.capacity() > KEPT_CAPACITY {
            // Keys stay unique: their ids are counted by the wheel, not by the slab.
            self.nodes = Slab::new();
        }
        value
    }
}
