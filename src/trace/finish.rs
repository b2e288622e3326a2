//! The end of a span: its measurements, and where it goes.

use crate::trace::counts;
use crate::trace::details::Details;
use crate::trace::measure;
use crate::trace::place::Hold;
use crate::trace::sink::{FinishedSpan, Sink as _};
use crate::trace::state::Flags;
use crate::trace::tail;
use crate::trace::work;
use crate::trace::Timestamp;

/// Finishes a span, if nobody did.
#[inline]
pub(super) fn finish(span: &Hold, at: Timestamp, outcome: Flags) {
    // While its account is open.
    work::settle();
    match span.state().finish(outcome) {
        Some(flags) => {
            conclude(span, flags, at);
            if flags.any(Flags::RECORDED) {
                // SAFETY: `State::finish` counts a hold for a span that is recorded.
                hand_over(unsafe { span.counted() }, flags);
            }
        }
        None => counts::finished_twice(),
    }
}

/// The same, with nothing more to say, through a handle that is lent to nobody else meanwhile: it may be
/// the only one, and then no read-modify-write is needed.
#[inline]
pub(super) fn finish_kept(span: &mut Hold, at: Timestamp) {
    work::settle();
    let state = span.state();
    let finished = state.finish_kept().or_else(|| state.finish(Flags::NONE));
    match finished {
        Some(flags) => {
            conclude(span, flags, at);
            if flags.any(Flags::RECORDED) {
                // SAFETY: both count a hold for a span that is recorded.
                hand_over(unsafe { span.counted() }, flags);
            }
        }
        None => counts::finished_twice(),
    }
}

/// As [`finish`], with a handle that is not needed any more: one that is the last spares both the
/// count of another hold and the drop of this one.
#[inline]
pub(super) fn finish_last(span: Hold, at: Timestamp) {
    work::settle();
    match span.state().finish_alone() {
        Some(flags) => {
            conclude(&span, flags, at);
            if flags.any(Flags::RECORDED) {
                hand_over(span, flags);
            }
        }
        None if span.flags().any(Flags::FINISHED) => {}
        None => finish(&span, at, Flags::NONE),
    }
}

/// Ends a span that its last holder left open. Nobody said when it was over, so nothing is
/// measured.
#[cold]
pub(super) fn abandoned(span: Hold, flags: Flags) {
    counts::unfinished();
    conclude(&span, flags.without(Flags::MEASURED), Timestamp::now());
    if flags.any(Flags::RECORDED) {
        hand_over(span, flags);
    }
}

/// What is done with a span that was just finished, by whoever did it.
#[inline]
pub(super) fn conclude(span: &Hold, flags: Flags, at: Timestamp) {
    // SAFETY: this and the details belong to whoever finishes the span, until it is handed over.
    span.finished.with_mut(|finished| unsafe { *finished = at });
    if flags.any(Flags::MEASURED) {
        let details = match flags.any(Flags::SAID) {
            // SAFETY: as above.
            true => span.details().with(|details| unsafe { &*details }),
            false => Details::nothing(),
        };
        measure::span(span, flags, details, at);
    }
}

#[inline]
fn hand_over(span: Hold, flags: Flags) {
    let span = FinishedSpan::new(span);
    if flags.any(Flags::PROVISIONAL) {
        tail::offer(span);
    } else {
        crate::default_sink().accept(span);
    }
}
