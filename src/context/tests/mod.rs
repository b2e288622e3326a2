//! Tests of what the public face does not show: memory, frames, and random programs of both.

mod costs;
mod frames;
mod memory;
mod overlays;
mod property;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::context::key::Key;

/// A value that counts how many of its kind are alive.
#[derive(Debug)]
struct Tracked {
    number: usize,
    alive: Arc<AtomicUsize>,
}

static TRACKED: Key<Option<Tracked>> = Key::local("tests tracked", || None);

impl Tracked {
    fn new(number: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Tracked {
            number,
            alive: alive.clone(),
        }
    }
}

impl Clone for Tracked {
    fn clone(&self) -> Self {
        Tracked::new(self.number, &self.alive)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // Rule 7: this neither panics nor finds the slot in disorder.
        let _ = crate::context::current_context()
            .get(&TRACKED)
            .as_ref()
            .map(|seen| seen.number);
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
