//! The seat of a thread: which part of every instrument it writes, and whether it writes it alone.
//!
//! A thread that has a seat of its own is the only writer of one part of every instrument: there an
//! addition is a load and a store, with no lock of the bus. There are [`OWNED`] such seats. Threads
//! beyond that, and threads past the destructors of their thread-locals, spread over [`SHARED`]
//! seats that have any number of writers, who use atomic read-modify-writes.
//!
//! A seat is given up when its thread ends and taken by another one, which goes on counting where
//! the first left off. Parts only grow; so nothing has to be moved or cleared then.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::thread;

/// Seats with one writer.
pub(crate) const OWNED: usize = if cfg!(kamon_loom) { 2 } else { 32 };
/// Seats with many.
pub(crate) const SHARED: usize = if cfg!(kamon_loom) { 1 } else { 8 };
/// All seats.
pub(crate) const SEATS: usize = OWNED + SHARED;

/// A part of each instrument. It stays with its thread, which may be the only one to write there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seat(u8, PhantomData<*const ()>);

impl Seat {
    /// The seat of this thread.
    #[inline]
    pub(crate) fn here() -> Seat {
        MINE.try_with(Mine::seat).unwrap_or_else(|_| Seat::shared())
    }

    /// A seat for those who have none of their own.
    #[cfg_attr(kamon_loom, allow(clippy::modulo_one))]
    pub(crate) fn shared() -> Seat {
        Seat::at((OWNED + thread::number() % SHARED) as u8)
    }

    const fn at(index: u8) -> Seat {
        Seat(index, PhantomData)
    }

    /// Which part.
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Adds to a number of this seat's part. Wraps around.
    ///
    /// The seat must be this thread's: [`Seat::here`], or one that it holds of a [`Seats`].
    #[inline]
    pub(crate) fn add(self, number: &AtomicU64, amount: u64) {
        if self.index() < OWNED {
            // Ordering: a plain counter with one writer, which this thread is; `Seats` says how a
            // seat changes hands.
            let sum = number.load(Ordering::Relaxed).wrapping_add(amount);
            number.store(sum, Ordering::Relaxed);
        } else {
            number.fetch_add(amount, Ordering::Relaxed);
        }
    }
}

/// Which of the owned seats are taken: a bit for each.
#[derive(Debug)]
pub(crate) struct Seats(AtomicU32);

impl Seats {
    /// All are free.
    #[cfg(not(kamon_loom))]
    pub(crate) const fn new() -> Seats {
        Seats(AtomicU32::new(0))
    }

    /// All are free.
    #[cfg(kamon_loom)]
    pub(crate) fn new() -> Seats {
        Seats(AtomicU32::new(0))
    }

    /// Takes a free seat, if there is one.
    pub(crate) fn take(&self) -> Option<Seat> {
        let mut taken = self.0.load(Ordering::Relaxed);
        loop {
            let free = taken.trailing_ones();
            if free as usize >= OWNED {
                return None;
            }
            // Ordering: Acquire pairs with the Release in `leave`, so that what the last owner
            // wrote comes before what this thread reads and writes.
            match self.0.compare_exchange(
                taken,
                taken | (1 << free),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Seat::at(free as u8)),
                Err(now) => taken = now,
            }
        }
    }

    /// Gives a seat up. Whoever held it writes there no more.
    pub(crate) fn leave(&self, seat: Seat) {
        if seat.index() < OWNED {
            // Ordering: Release pairs with the Acquire in `take`.
            self.0.fetch_and(!(1 << seat.0), Ordering::Release);
        }
    }
}

/// The seats of the process. In a model nobody takes one of these, because they would outlive it.
#[cfg(not(kamon_loom))]
static ALL: Seats = Seats::new();

thread_local! {
    static MINE: Mine = const { Mine(Cell::new(UNDECIDED)) };
}

const UNDECIDED: Seat = Seat::at(u8::MAX);

struct Mine(Cell<Seat>);

impl Mine {
    #[inline]
    fn seat(&self) -> Seat {
        match self.0.get() {
            UNDECIDED => self.decide(),
            seat => seat,
        }
    }

    #[cold]
    #[cfg(not(kamon_loom))]
    fn decide(&self) -> Seat {
        let seat = ALL.take().unwrap_or_else(Seat::shared);
        self.0.set(seat);
        seat
    }

    /// All threads of a model are one thread of the system.
    #[cfg(kamon_loom)]
    fn decide(&self) -> Seat {
        Seat::shared()
    }
}

#[cfg(not(kamon_loom))]
impl Drop for Mine {
    fn drop(&mut self) {
        ALL.leave(self.0.replace(Seat::shared()));
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn no_seat_has_two_owners() {
        let seats = Seats::new();
        let taken: Vec<Seat> = std::iter::from_fn(|| seats.take()).collect();
        assert_eq!(taken.len(), OWNED);
        for (index, seat) in taken.iter().enumerate() {
            assert_eq!(seat.index(), index);
        }
        seats.leave(Seat::shared());
        assert_eq!(seats.take(), None);
        seats.leave(taken[7]);
        assert_eq!(seats.take(), Some(taken[7]));
        assert_eq!(seats.take(), None);
    }
}
