//! Runs one codec so that its failure is its own.

use crate::context::contain::{contain, discard};
use crate::propagation::{stats, CodecError};

/// Runs a codec that writes. Whether it did is counted, and all there is to know.
pub(super) fn encoding(encode: impl FnOnce() -> Result<(), CodecError>) -> bool {
    let done = contained(encode).is_some();
    if !done {
        stats::encode_failed();
    }
    done
}

/// Runs a codec that reads. `None` if it failed.
pub(super) fn decoding<R>(decode: impl FnOnce() -> Result<R, CodecError>) -> Option<R> {
    let read = contained(decode);
    if read.is_none() {
        stats::decode_failed();
    }
    read
}

fn contained<R>(run: impl FnOnce() -> Result<R, CodecError>) -> Option<R> {
    // What a codec leaves half done is its own entry. An error is dropped in here: its destructor
    // is the codec's code too.
    match contain(|| run().ok()) {
        Ok(done) => done,
        Err(payload) => {
            stats::panicked();
            discard(payload);
            None
        }
    }
}
