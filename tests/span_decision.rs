//! What one caller has asked for is decided once: its trace is not split.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use kamon::trace::{Sampler, SamplingRequest, Settings, SpanContext};
use kamon::{SamplingDecision, Span, SpanId, TraceId};

/// Says something else each time.
struct Alternates(Arc<AtomicUsize>);

impl Sampler for Alternates {
    fn name(&self) -> &'static str {
        "alternates"
    }

    fn decide(&self, _: &SamplingRequest<'_>) -> SamplingDecision {
        match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => SamplingDecision::Sample,
            _ => SamplingDecision::DoNotSample,
        }
    }
}

fn caller(decision: SamplingDecision) -> Span {
    let context = SpanContext::new(TraceId::random(), SpanId::random());
    Span::remote(context.with_sampling(decision))
}

/// Whether a child of the caller's is sampled.
fn child(caller: &Span) -> bool {
    let span = kamon::build_span("child").as_child_of(caller).start();
    span.finish();
    span.is_sampled()
}

#[test]
fn children_of_one_caller_are_decided_about_together() {
    let asked = Arc::new(AtomicUsize::new(0));
    // Also of those whose decision is not trusted.
    let settings = || Settings::new().sampler(Alternates(asked.clone()));
    settings().distrust_remote_decisions().apply();
    for said in [SamplingDecision::Unknown, SamplingDecision::Sample] {
        let decided: HashSet<bool> = (0..2)
            .map(|_| {
                let caller = caller(said);
                let first = child(&caller);
                assert!((0..5).all(|_| child(&caller) == first), "{said:?}");
                // It is what the caller has said that goes on to others.
                assert_eq!(caller.sampling_decision(), said);
                first
            })
            .collect();
        assert_eq!(decided.len(), 2, "each caller is asked about: {said:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    // Children that are made at the same time agree as well.
    for _ in 0..200 {
        let (caller, barrier) = (caller(SamplingDecision::Unknown), Barrier::new(3));
        let begin = || {
            barrier.wait();
            child(&caller)
        };
        let sampled: HashSet<bool> = thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(begin));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        assert_eq!(sampled.len(), 1);
    }
}
