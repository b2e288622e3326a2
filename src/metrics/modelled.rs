//! What models see of this room besides its public face.
#![allow(missing_docs)] // The models call what they see by its own name.

use crate::sync::seat::Seats;
use crate::sync::sums::Sum;

/// A sum whose threads take and leave seats that have one writer.
#[derive(Debug)]
pub struct SeatedSum {
    seats: Seats,
    sum: Sum,
}

impl SeatedSum {
    #[allow(clippy::new_without_default)]
    pub fn new() -> SeatedSum {
        SeatedSum {
            seats: Seats::new(),
            sum: Sum::default(),
        }
    }

    /// Adds so often, as a thread does that comes, records and ends.
    pub fn visit(&self, times: u64) {
        if let Some(seat) = self.seats.take() {
            for _ in 0..times {
                self.sum.add(seat, 1);
            }
            self.seats.leave(seat);
        }
    }

    pub fn read(&self) -> u64 {
        self.sum.read()
    }
}
