//! Random numbers for ids and samplers: one generator per thread, no lock, no system call after the first.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use fastrand::Rng;

use crate::sync::tls;

/// One thread's generator.
///
/// All generators of the kind walk on one circle of 2^64 numbers, each from its own place. `salt`
/// keeps two that meet there, in this process or another, from making the same trace ids.
struct Generator {
    /// Zero until it is seeded.
    salt: Cell<u64>,
    numbers: Cell<Rng>,
}

tls! {
    static GENERATOR: Generator = Generator {
        salt: Cell::new(0),
        numbers: Cell::new(Rng::with_seed(0)),
    };
}

/// A number that is not zero.
#[inline]
pub(crate) fn narrow() -> u64 {
    GENERATOR.with(|generator| loop {
        let number = generator.next();
        if number != 0 {
            return number;
        }
    })
}

/// A number of 16 bytes whose halves are not zero.
#[inline]
pub(crate) fn wide() -> u128 {
    GENERATOR.with(|generator| loop {
        let low = generator.next();
        let high = generator.next() ^ generator.salt.get();
        if low != 0 && high != 0 {
            return u128::from(high) << 64 | u128::from(low);
        }
    })
}

impl Generator {
    #[inline]
    fn next(&self) -> u64 {
        if self.salt.get() == 0 {
            self.seed();
        }
        let mut numbers = self.numbers.replace(Rng::with_seed(0));
        let number = numbers.u64(..);
        self.numbers.set(numbers);
        number
    }

    /// std's hash keys come from the operating system, once per thread, and differ at each call.
    #[cold]
    fn seed(&self) {
        let fresh = || RandomState::new().build_hasher().finish();
        self.numbers.set(Rng::with_seed(fresh()));
        self.salt.set(fresh() | 1);
    }
}
