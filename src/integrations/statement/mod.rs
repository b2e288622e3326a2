//! What a log statement says of its Context, and that it was made: for the logging libraries.

mod entries;
mod fields;

pub(crate) use entries::Entries;
pub(crate) use fields::Fields;
