//! The oracle of the models: which blocks of Contexts are alive, so that a stale pointer is a message.
//!
//! loom runs all threads of a model on one thread of the system, so a plain thread-local sees
//! them all, and models that run side by side do not see each other.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::context::node::Node;

std::thread_local! {
    /// By address: `true` while somebody shows the block, `false` while only its value is kept.
    static BLOCKS: RefCell<BTreeMap<usize, bool>> = const { RefCell::new(BTreeMap::new()) };
}

/// The number of blocks alive.
#[allow(dead_code)] // Models ask, at their end.
pub(crate) fn count() -> usize {
    BLOCKS.with(|blocks| blocks.borrow().len())
}

/// Forgets everything: called where a model starts anew.
#[allow(dead_code)] // Models call it.
pub(crate) fn reset() {
    BLOCKS.with(|blocks| blocks.borrow_mut().clear());
}

pub(crate) fn born(node: Node) {
    let known = BLOCKS.with(|blocks| blocks.borrow_mut().insert(address(node), true));
    assert_eq!(known, None, "a block at the place of one that is alive");
}

pub(crate) fn hidden(node: Node) {
    let shown = BLOCKS.with(|blocks| blocks.borrow_mut().insert(address(node), false));
    assert_eq!(shown, Some(true), "a block let go twice");
}

pub(crate) fn died(node: Node) {
    let shown = BLOCKS.with(|blocks| blocks.borrow_mut().remove(&address(node)));
    assert_eq!(
        shown,
        Some(false),
        "a block freed twice, or while it is shown"
    );
}

/// # Panics
///
/// When nobody shows the block any more.
pub(crate) fn assert_shown(node: Node) {
    let shown = BLOCKS.with(|blocks| blocks.borrow().get(&address(node)).copied());
    assert_eq!(shown, Some(true), "STALE: slot points at a freed context");
}

fn address(node: Node) -> usize {
    node.as_ptr() as usize
}
