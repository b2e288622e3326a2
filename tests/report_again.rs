//! A later configuration is in force at once, and nothing is held once reporting has ended.
//!
//! Both are the process's, so the tests take turns.

mod locks;

use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use kamon::report::{embedded, Flush};
use kamon::trace::{stats, IdScheme, NeverSampler, SamplingDecision, Settings};
use kamon::{Config, Span, SpanContext, SpanId, TraceId};
use locks::Mutex;

static TURN: Mutex<()> = Mutex::new(());

fn finished() -> Span {
    let span = kamon::build_span("work").start();
    span.finish();
    span
}

/// Waits until the drain has taken the span by itself: nobody here asks for it.
#[track_caller]
fn await_reported(span: &Span) {
    let limit = Instant::now() + Duration::from_secs(60);
    while embedded().trace(span.trace_id()).is_empty() {
        assert!(Instant::now() < limit, "nobody takes it out of its ring");
        thread::yield_now();
    }
}

#[test]
fn a_shorter_drain_interval_is_not_waited_for() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let hour = Duration::from_secs(3600);
    let _kamon = kamon::init(Config::new().drain_interval(hour)).unwrap();
    // A thread's first span calls the drain, which goes to sleep for an hour then.
    await_reported(&finished());
    let span = finished();
    let often = Duration::from_millis(1);
    let _kamon = kamon::init(Config::new().drain_interval(often)).unwrap();
    await_reported(&span);
    await_reported(&finished());
}

#[test]
fn silence_changes_no_other_setting_and_ends_with_a_later_configuration() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let public = Settings::new()
        .ids(IdScheme::Single)
        .distrust_remote_decisions();
    let _kamon = kamon::init(Config::new().tracing(public)).unwrap();
    let theirs = |decision| {
        let caller = SpanContext::new(TraceId::new(7), SpanId::new(7)).with_sampling(decision);
        let caller = Span::remote(caller);
        let span = kamon::build_span("theirs").as_child_of(&caller).start();
        span.finish();
        span.is_sampled()
    };
    assert!(finished().is_sampled());
    assert!(theirs(SamplingDecision::DoNotSample), "it is not trusted");

    let _kamon = kamon::init(Config::new().silent()).unwrap();
    let silent = finished();
    assert!(!silent.is_sampled());
    assert_eq!(silent.trace_id().get() >> 64, 0);
    assert!(theirs(SamplingDecision::Sample), "it passes through");
    assert!(!theirs(SamplingDecision::DoNotSample));

    let _kamon = kamon::init(Config::new()).unwrap();
    assert!(finished().is_sampled());
    assert!(theirs(SamplingDecision::DoNotSample), "it is not trusted");
    Settings::new().apply();
}

#[test]
fn what_is_held_at_the_end_is_counted_as_dropped() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let tracing = Settings::new().sampler(NeverSampler);
    tracing.keep_failed_traces(1).apply();
    let request = kamon::build_span("request").start();
    let step = || {
        let step = kamon::build_span("step").as_child_of(&request);
        step.start().finish();
    };
    step();
    let before = stats().tail_dropped;
    assert_eq!(kamon::shutdown(), Flush::Complete);
    assert_eq!(stats().tail_dropped, before + 1);
    // Nobody would let go of it later.
    step();
    assert_eq!(stats().tail_dropped, before + 2);
    // Anew.
    let _kamon = kamon::init(Config::new()).unwrap();
    step();
    assert_eq!(stats().tail_dropped, before + 2, "it is held");
    request.fail("so").finish();
    kamon::flush();
    assert_eq!(embedded().trace(request.trace_id()).len(), 2);
    Settings::new().apply();
}
