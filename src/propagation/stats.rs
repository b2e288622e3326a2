//! What codecs could not do, counted.

use crate::sync::statics::{AtomicU64, Ordering};

/// How often a codec could not do its work since the process began: what [`stats`] returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct PropagationStats {
    /// An entry was not written because its codec failed or panicked.
    pub encode_failed: u64,
    /// An entry was not read because its codec failed or panicked: what came in was malformed.
    pub decode_failed: u64,
    /// How many of both were panics.
    pub panicked: u64,
    /// A Context was not written, or not all members of its baggage were, because together they were too
    /// large.
    pub too_large: u64,
}

/// Returns how often a codec could not do its work since the process began.
///
/// # Examples
///
/// ```
/// use kamon::propagation::{stats, Codecs};
///
/// let before = stats().decode_failed;
/// let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
/// assert!(codecs.decode_headers(&[("traceparent", "no such thing")]).is_empty());
/// assert!(stats().decode_failed > before);
/// ```
pub fn stats() -> PropagationStats {
    PropagationStats {
        encode_failed: ENCODE_FAILED.load(Ordering::Relaxed),
        decode_failed: DECODE_FAILED.load(Ordering::Relaxed),
        panicked: PANICKED.load(Ordering::Relaxed),
        too_large: TOO_LARGE.load(Ordering::Relaxed),
    }
}

static ENCODE_FAILED: AtomicU64 = AtomicU64::new(0);
static DECODE_FAILED: AtomicU64 = AtomicU64::new(0);
static PANICKED: AtomicU64 = AtomicU64::new(0);
static TOO_LARGE: AtomicU64 = AtomicU64::new(0);

#[cold]
pub(super) fn encode_failed() {
    ENCODE_FAILED.fetch_add(1, Ordering::Relaxed);
}

#[cold]
pub(super) fn decode_failed() {
    DECODE_FAILED.fetch_add(1, Ordering::Relaxed);
}

#[cold]
pub(super) fn panicked() {
    PANICKED.fetch_add(1, Ordering::Relaxed);
}

#[cold]
pub(super) fn too_large() {
    TOO_LARGE.fetch_add(1, Ordering::Relaxed);
}
