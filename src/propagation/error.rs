//! What goes wrong in a codec.

use std::error::Error;

/// What a codec returns when it could not do its work: any error, or a text.
///
/// It loses that codec's entry, is counted in [`stats`](super::stats), and goes no further.
pub type CodecError = Box<dyn Error + Send + Sync>;
