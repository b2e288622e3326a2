//! Where finished spans come from: the sink that `trace` hands them to.

use crate::report::drain::DRAIN;
use crate::report::lanes::{Next, LANES};
use crate::trace::{FinishedSpan, Sink};

/// Puts finished spans into the rings.
pub(crate) struct Recorder;

/// The sink of this process.
#[inline(always)]
pub(crate) fn default_sink() -> &'static Recorder {
    &Recorder
}

impl Sink for Recorder {
    #[inline]
    fn accept(&self, span: FinishedSpan) {
        // In a model there are no threads but its own; rings have models of theirs.
        if cfg!(kamon_loom) {
            return;
        }
        match LANES.record(span) {
            Next::Nothing => {}
            Next::CallDrain => DRAIN.call(),
        }
    }

    fn attend(&self) -> bool {
        if cfg!(kamon_loom) {
            return true;
        }
        DRAIN.call();
        !LANES.gate.is_closed()
    }
}
