//! The buckets of a histogram: which value falls into which, and what a bucket stands for.
//!
//! Values from 0 to 2^42 - 1 are kept with two significant digits: in nanoseconds, 73 minutes. Below
//! 256 each value has its own bucket; above, each power of two is cut into 128 equal ones, so that no
//! bucket is wider than a 128th of the values in it. The division is that of HdrHistogram at two
//! digits, to which snapshots can therefore be handed without loss.
//!
//! 128 buckets, one power of two, make an *octave*. An instrument has memory for the octaves that it
//! has seen.

/// Buckets of an octave.
pub(crate) const OCTAVE: usize = 1 << OCTAVE_BITS;
/// Octaves of a histogram: the first holds 0 to 127, the second 128 to 255, and so on.
pub(crate) const OCTAVES: usize = RANGE_BITS as usize - OCTAVE_BITS as usize + 1;

/// The greatest value that is kept as what it is; greater ones are counted as beyond the range.
pub(crate) const HIGHEST: u64 = (1 << RANGE_BITS) - 1;

const OCTAVE_BITS: u32 = 7;
const RANGE_BITS: u32 = 42;

/// The number of a bucket. Greater values are never in a lower bucket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Bucket(u16);

impl Bucket {
    /// The bucket of a value, unless it is beyond the range.
    #[inline]
    pub(crate) fn of(value: u64) -> Option<Bucket> {
        if value > HIGHEST {
            return None;
        }
        // How far above the first two octaves, which do not round.
        let shift = (u64::BITS - (value | 0xff).leading_zeros()) - (OCTAVE_BITS + 1);
        let index = ((shift as usize) << OCTAVE_BITS) + (value >> shift) as usize;
        Some(Bucket(index as u16))
    }

    /// The bucket at a place of an octave.
    pub(crate) fn at(octave: usize, place: usize) -> Bucket {
        debug_assert!(octave < OCTAVES && place < OCTAVE);
        Bucket((octave * OCTAVE + place) as u16)
    }

    /// Which octave it is in.
    #[inline]
    pub(crate) fn octave(self) -> usize {
        usize::from(self.0) >> OCTAVE_BITS
    }

    /// Its place in the octave.
    #[inline]
    pub(crate) fn place(self) -> usize {
        usize::from(self.0) & (OCTAVE - 1)
    }

    /// The least value in it.
    pub(crate) fn lowest(self) -> u64 {
        let shift = self.octave().saturating_sub(1);
        let place = usize::from(self.0) - (shift << OCTAVE_BITS);
        (place as u64) << shift
    }

    /// The greatest value in it.
    pub(crate) fn highest(self) -> u64 {
        self.lowest() + (1 << self.octave().saturating_sub(1)) - 1
    }

    /// The value that stands for all in it when they are added up.
    pub(crate) fn middle(self) -> u64 {
        self.lowest() + (self.highest() - self.lowest()).div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_ends_where_the_next_begins() {
        let mut next = 0;
        for octave in 0..OCTAVES {
            for place in 0..OCTAVE {
                let bucket = Bucket::at(octave, place);
                assert_eq!((bucket.octave(), bucket.place()), (octave, place));
                assert_eq!(bucket.lowest(), next, "{bucket:?}");
                for value in [bucket.lowest(), bucket.middle(), bucket.highest()] {
                    assert_eq!(Bucket::of(value), Some(bucket), "{value}");
                }
                next = bucket.highest() + 1;
            }
        }
        assert_eq!(next, HIGHEST + 1);
        assert_eq!(Bucket::of(HIGHEST + 1), None);
        assert_eq!(Bucket::of(u64::MAX), None);
    }

    #[test]
    fn two_significant_digits_are_kept() {
        for octave in 0..OCTAVES {
            for place in 0..OCTAVE {
                let bucket = Bucket::at(octave, place);
                let width = bucket.highest() - bucket.lowest();
                assert!(width * 100 <= bucket.lowest(), "{bucket:?}");
            }
        }
    }

    #[test]
    fn an_hour_is_in_the_range() {
        const { assert!(3_600_000_000_000 <= HIGHEST) };
    }
}
