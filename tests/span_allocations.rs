//! What a span costs in allocations: at most one, and none where spans came before.

mod counting;

use std::time::Duration;

use counting::counted;
use kamon::{SamplingDecision, Span};

/// One name, and not one for each place that says it.
static CHILD: &str = "child";

/// How many allocations this thread makes in `f`.
fn allocations(f: impl FnOnce()) -> usize {
    counted(f).0
}

/// A root of this decision, with all that is made once for a thread made: for the names, of children and
/// of theirs, and for each power of two that a time may have.
fn root(decision: SamplingDecision) -> Span {
    let root = kamon::build_span("root").with_sampling(decision).start();
    kamon::with_span(&root, || {
        for power in 0..42 {
            let time = Duration::from_nanos(1 << power);
            let child = kamon::build_span(CHILD).start();
            kamon::with_span(&child, || {
                kamon::build_span(CHILD).start().finish_after(time);
            });
            child.finish_after(time);
        }
    });
    root
}

/// Calls `f` below a root of this decision.
fn below_root(decision: SamplingDecision, f: impl FnOnce(&Span)) {
    let root = root(decision);
    kamon::with_span(&root, || f(&root));
    root.finish();
}

fn child() {
    kamon::build_span(CHILD).start().finish();
}

#[test]
fn a_span_is_at_most_one_allocation() {
    below_root(SamplingDecision::Sample, |_| {
        // As many as are held at once need places of their own.
        let mut spans = Vec::with_capacity(500);
        let made = allocations(|| {
            spans.extend((0..500).map(|_| kamon::build_span(CHILD).start()));
        });
        assert!(made <= 500, "{made} for 500 spans");
        let finished = allocations(|| spans.iter().for_each(Span::finish));
        assert_eq!(finished, 0, "to finish 500 spans");
    });
}

#[test]
fn a_span_that_is_not_sampled_is_none_and_measured_all_the_same() {
    below_root(SamplingDecision::DoNotSample, |_| {
        let made = allocations(|| (0..10_000).for_each(|_| child()));
        assert_eq!(made, 0, "for 10000 spans");
    });
}

#[test]
fn what_is_current_is_seen_without_any() {
    below_root(SamplingDecision::Sample, |_| {
        let looked = || {
            let span = kamon::current_span();
            assert!(!span.is_empty() && span.is_sampled() && !span.is_finished());
        };
        assert_eq!(allocations(|| (0..1_000).for_each(|_| looked())), 0);
    });
}

#[test]
fn to_be_current_is_none_until_the_context_is_asked_for() {
    // What is not reported leaves its place to this thread.
    below_root(SamplingDecision::DoNotSample, |root| {
        let nested = || {
            kamon::with_span(root, || kamon::with_span(root, child));
            kamon::with_span_finishing(kamon::build_span(CHILD).start(), child);
        };
        nested();
        assert_eq!(allocations(nested), 0);
        let capture = || kamon::with_span(root, || drop(kamon::current_context()));
        assert_eq!(allocations(capture), 1);
        let often = || (0..10).for_each(|_| drop(kamon::current_context()));
        assert_eq!(allocations(|| kamon::with_span(root, often)), 1);
    });
}

#[test]
fn a_thread_that_only_drops_spans_leaves_their_places_to_others() {
    const ROUNDS: usize = 2_000;
    below_root(SamplingDecision::DoNotSample, |_| {
        let round = || {
            let (made, span) = counted(|| kamon::build_span(CHILD).start());
            span.finish();
            let thread = std::thread::spawn(move || drop(span));
            thread.join().expect("it drops a span");
            made
        };
        let made: usize = (0..ROUNDS).map(|_| round()).sum();
        // What is lost is made anew, 16 places at a time.
        assert!(made < 20, "{made} allocations for {ROUNDS} spans");
    });
}
