//! The blocks of which the injector is a chain, and the positions in it.

use std::array;
use std::ptr;

use crate::sync::atomic::{AtomicPtr, Ordering};

/// How many items a block has room for.
pub(super) const SLOTS: usize = if cfg!(kamon_loom) { 2 } else { 63 };
/// How many positions belong to a block. The last has no slot: while the tail is there, the next block
/// is about to be put in.
pub(super) const LAP: usize = SLOTS + 1;
/// The bit of the tail that says that the queue is closed. Positions count in steps of two.
pub(super) const CLOSED: usize = 1;
pub(super) const STEP: usize = 2;

/// Room for some items, and the way to the next block.
pub(super) struct Block {
    pub(super) items: [AtomicPtr<()>; SLOTS],
    pub(super) next: AtomicPtr<Block>,
}

impl Block {
    pub(super) fn new() -> Box<Block> {
        Box::new(Block {
            items: array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            next: AtomicPtr::new(ptr::null_mut()),
        })
    }

    /// Takes note that the items are gone.
    pub(super) fn clear(&self) {
        for item in &self.items {
            item.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }
}

/// Which slot of its block a position is; [`SLOTS`] if it has none.
pub(super) fn slot(position: usize) -> usize {
    position / STEP % LAP
}

/// The same position, or the one after it if this one has no slot: as many items come before either.
pub(super) fn past_the_end(position: usize) -> usize {
    match slot(position) {
        SLOTS => position.wrapping_add(STEP),
        _ => position,
    }
}

/// How many slots there are from one position to a later one.
pub(super) fn slots_between(from: usize, to: usize) -> usize {
    let positions = to.wrapping_sub(from) / STEP;
    positions - (slot(from) + positions) / LAP
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn positions_go_round() {
        for from in 0..LAP {
            // Soon it is more than a word can hold.
            let from = (from * STEP).wrapping_sub(3 * LAP * STEP);
            let (mut to, mut slots) = (from, 0);
            for _ in 0..6 * LAP {
                assert_eq!(slots_between(from, to), slots);
                slots += usize::from(slot(to) != SLOTS);
                to = to.wrapping_add(STEP);
            }
        }
    }
}
