//! Sampling: decided once where a trace begins, the trace's and not the span's, and counted.
//!
//! Settings are the process's, so the tests take turns.

mod locks;

mod traced;

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use kamon::metrics::{subscribe, Subscription};
use kamon::trace::{
    AdaptiveSampler, AlwaysSampler, IdScheme, NeverSampler, RandomSampler, Sampler,
    SamplingRequest, Settings, SpanContext, HELD_SPANS, HELD_TRACES,
};
use kamon::{SamplingDecision, Span, SpanId, TraceId};

use crate::traced::{assert_trace, trace_of};
use locks::{Mutex, MutexGuard};

/// The settings are this test's until it is dropped.
struct Turn(#[allow(dead_code)] MutexGuard<'static, ()>);

impl Turn {
    fn with(settings: Settings) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        settings.apply();
        Turn(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        Settings::new().apply();
    }
}

fn root(name: &'static str) -> Span {
    kamon::build_span(name).ignore_parent_from_context().start()
}

fn remote(decision: SamplingDecision) -> Span {
    let context = SpanContext::new(TraceId::random(), SpanId::random());
    Span::remote(context.with_sampling(decision))
}

#[test]
fn samplers_decide() {
    let share = |sampler: Box<dyn Fn() -> Settings>| {
        let _turn = Turn::with(sampler());
        let sampled = (0..2_000).filter(|_| {
            let span = root("decided");
            span.finish();
            span.is_sampled()
        });
        sampled.count()
    };
    fn by(sampler: impl Sampler + Copy + 'static) -> Box<dyn Fn() -> Settings> {
        Box::new(move || Settings::new().sampler(sampler))
    }
    assert_eq!(share(Box::new(Settings::new)), 2_000);
    assert_eq!(share(by(AlwaysSampler)), 2_000);
    assert_eq!(share(by(NeverSampler)), 0);
    assert_eq!(share(by(RandomSampler::new(1.0))), 2_000);
    assert_eq!(share(by(RandomSampler::new(7.0))), 2_000);
    assert_eq!(share(by(RandomSampler::new(0.0))), 0);
    assert_eq!(share(by(RandomSampler::new(f64::NAN))), 0);
    // Off by more than 8 standard deviations once in 10^15 runs.
    let third = share(by(RandomSampler::new(0.3)));
    assert!((400..800).contains(&third), "{third} of 2000");
}

#[test]
fn an_adaptive_sampler_lets_the_first_trace_of_an_operation_through() {
    let _turn = Turn::with(Settings::new().sampler(AdaptiveSampler::new(60.0)));
    for name in ["adaptive one", "adaptive two"] {
        let span = root(name);
        assert!(span.is_sampled(), "{name}");
        span.finish();
    }
    let more = (0..10_000).filter(|_| {
        let span = root("adaptive one");
        span.finish();
        span.is_sampled()
    });
    // A minute's worth: 60.
    assert!(more.count() < 100);
}

#[test]
fn the_decision_is_the_traces() {
    let _turn = Turn::with(Settings::new().sampler(NeverSampler));
    let parent = root("parent");
    assert_eq!(parent.sampling_decision(), SamplingDecision::DoNotSample);
    // Below it nobody is asked, whatever they would say.
    Settings::new().apply();
    let child = kamon::build_span("child")
        .as_child_of(&parent)
        .with_sampling(SamplingDecision::Sample)
        .start();
    assert!(!child.is_sampled());
    assert!(root("another trace").is_sampled());
    assert_eq!(
        child.context().unwrap().sampling_decision(),
        SamplingDecision::DoNotSample
    );
    child.finish();
    parent.finish();
    assert_eq!(trace_of(&parent), []);
}

#[test]
fn a_suggestion_is_followed_where_the_trace_begins() {
    let _turn = Turn::with(Settings::new().sampler(NeverSampler));
    let suggest = |decision| {
        kamon::build_span("suggested")
            .with_sampling(decision)
            .start()
    };
    assert!(suggest(SamplingDecision::Sample).is_sampled());
    assert!(!suggest(SamplingDecision::Unknown).is_sampled());
    Settings::new().apply();
    assert!(!suggest(SamplingDecision::DoNotSample).is_sampled());
}

#[test]
fn what_another_process_decided_is_respected_if_it_is_trusted() {
    use SamplingDecision::{DoNotSample, Sample, Unknown};
    let never = || Settings::new().sampler(NeverSampler);
    let always = Settings::new;
    // Settings, what comes in, what comes of it.
    type Rule = (fn() -> Settings, SamplingDecision, bool);
    let rules: &[Rule] = &[
        (never, Sample, true),
        (never, DoNotSample, false),
        (never, Unknown, false),
        (always, Sample, true),
        (always, DoNotSample, false),
        (always, Unknown, true),
        (
            || {
                Settings::new()
                    .sampler(NeverSampler)
                    .distrust_remote_decisions()
            },
            Sample,
            false,
        ),
        (
            || Settings::new().distrust_remote_decisions(),
            DoNotSample,
            true,
        ),
    ];
    for (settings, said, sampled) in rules {
        let _turn = Turn::with(settings());
        let span = kamon::build_span("entered")
            .as_child_of(&remote(*said))
            .start();
        assert_eq!(span.is_sampled(), *sampled, "{said:?} {:?}", settings());
        span.finish();
    }
}

#[test]
fn a_sampler_of_ones_own_sees_what_begins() {
    struct OnlyOrders;

    impl Sampler for OnlyOrders {
        fn name(&self) -> &'static str {
            "only-orders"
        }

        fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
            match (request.operation, request.parent) {
                ("order", None) => SamplingDecision::Sample,
                ("panic", _) => panic!("on purpose"),
                // Nobody else may leave it open: this is a no.
                _ => SamplingDecision::Unknown,
            }
        }
    }

    let mut counted = decisions();
    let _turn = Turn::with(Settings::new().sampler(OnlyOrders));
    assert!(root("order").is_sampled());
    assert!(root("order").is_sampled());
    assert!(!root("panic").is_sampled());
    let other = root("other");
    assert_eq!(other.sampling_decision(), SamplingDecision::DoNotSample);
    let order = kamon::build_span("order").as_child_of(&other).start();
    assert!(!order.is_sampled());
    let entered = kamon::build_span("order").as_child_of(&remote(SamplingDecision::Unknown));
    assert!(!entered.start().is_sampled());
    assert_eq!(decided(&mut counted, "only-orders", "sample"), 2);
    let mut counted = decisions();
    drop(root("order"));
    assert_eq!(decided(&mut counted, "only-orders", "do-not-sample"), 0);
}

fn decisions() -> Subscription {
    subscribe("kamon.trace.sampler.decisions", Duration::from_secs(3600))
}

fn decided(subscription: &mut Subscription, sampler: &str, decision: &str) -> u64 {
    let period = subscription.snapshot();
    let mut count = 0;
    for instrument in period.named("kamon.trace.sampler.decisions") {
        let tags = instrument.tags();
        if (tags.get("sampler"), tags.get("decision")) == (Some(sampler), Some(decision)) {
            match instrument.value() {
                kamon::metrics::Value::Count(number) => count += number,
                other => panic!("a counter, not {other:?}"),
            }
        }
    }
    count
}

#[test]
fn operations_are_ignored_with_what_is_below_them() {
    let settings = Settings::new().ignore_operations(["GET /health", "*.ping"]);
    let _turn = Turn::with(settings);
    let health = root("GET /health");
    assert!(!health.is_sampled());
    health.finish();
    let request = root("GET /users");
    kamon::with_span(&request, || {
        kamon::with_span_finishing(kamon::build_span("db.ping").start(), || {
            kamon::build_span("connect").start().finish();
        });
        kamon::build_span("db.query").start().finish();
    });
    request.finish();
    assert_trace(&request, "GET /users\n└─ db.query");
}

#[test]
fn ignored_operations_are_measured_where_that_is_wanted() {
    for (settings, count) in [
        (Settings::new().ignore_operations(["ignored one"]), None),
        (
            Settings::new()
                .ignore_operations(["ignored ?wo"])
                .measure_ignored_operations(),
            Some(1),
        ),
    ] {
        let _turn = Turn::with(settings);
        let mut measured = subscribe("span.processing-time", Duration::from_secs(3600));
        root(if count.is_some() {
            "ignored two"
        } else {
            "ignored one"
        })
        .finish();
        let period = measured.snapshot();
        let found = period.instruments().iter().filter(|instrument| {
            let operation = instrument.tags().get("operation");
            operation.is_some_and(|operation| operation.starts_with("ignored"))
        });
        assert_eq!(found.count(), count.unwrap_or(0));
    }
}

#[test]
fn short_ids_have_8_bytes() {
    let _turn = Turn::with(Settings::new().ids(IdScheme::Single));
    let span = root("short");
    assert_eq!(span.trace_id().get() >> 64, 0);
    assert_eq!(span.trace_id().to_string().len(), 16);
    Settings::new().apply();
    assert_ne!(root("long").trace_id().get() >> 64, 0);
}

/// The settings under which only what is kept after the fact is reported.
fn keep(rule: fn(Settings) -> Settings) -> Turn {
    Turn::with(rule(Settings::new().sampler(NeverSampler)))
}

#[test]
fn a_trace_that_failed_is_kept_whole() {
    let _turn = keep(|it| it.keep_failed_traces(2));
    for (failures, kept) in [(0, false), (1, false), (2, true), (3, true)] {
        let request = root("request");
        assert!(!request.is_sampled(), "others are not told to report it");
        kamon::with_span(&request, || {
            for number in 0..3 {
                let span = kamon::build_span("step").with_tag("number", number).start();
                if number < failures {
                    span.fail("so");
                }
                span.finish();
            }
        });
        assert_eq!(trace_of(&request), [], "it is not known before the end");
        request.finish();
        assert_eq!(
            trace_of(&request).len(),
            if kept { 4 } else { 0 },
            "{failures}"
        );
        // What comes later follows.
        kamon::build_span("late")
            .as_child_of(&request)
            .start()
            .finish();
        assert_eq!(
            trace_of(&request).len(),
            if kept { 5 } else { 0 },
            "{failures}"
        );
    }
}

#[test]
fn a_trace_that_was_slow_is_kept_whole() {
    let _turn = keep(|it| it.keep_slow_traces(Duration::from_secs(60)));
    let start = Instant::now();
    for (seconds, kept) in [(10, false), (600, true)] {
        let request = kamon::build_span("slow").with_from(start).start();
        let child = kamon::build_span("child").as_child_of(&request).start();
        child.finish();
        request.finish_at(start + Duration::from_secs(seconds));
        let expected = if kept { "slow\n└─ child" } else { "" };
        assert_trace(&request, expected);
    }
}

#[test]
fn each_request_of_a_trace_may_have_it_kept() {
    const MINUTE: Duration = Duration::from_secs(60);
    let _turn = keep(|it| it.keep_failed_traces(1).keep_slow_traces(MINUTE));
    let caller = || remote(SamplingDecision::DoNotSample);
    // What is done for a request is done before it is.
    let request = |caller: &Span, name: &'static str| {
        let request = kamon::build_span(name).as_child_of(caller).start();
        let step = kamon::build_span("step").as_child_of(&request).start();
        step.finish();
        request
    };
    // One after the other: what the first one came to says nothing of the next.
    let trace = caller();
    request(&trace, "first").finish();
    let second = request(&trace, "second");
    assert_trace(&trace, "");
    second.fail("so").finish();
    assert_trace(
        &trace,
        "second, failed: so, called by another process\n└─ step",
    );
    let trace = caller();
    request(&trace, "first").finish();
    request(&trace, "second").finish_after(2 * MINUTE);
    assert_trace(&trace, "second, called by another process\n└─ step");
    // At the same time: nothing is let go of while one of them is open.
    let trace = caller();
    let slow = request(&trace, "slow");
    request(&trace, "quick").finish();
    assert_trace(&trace, "");
    slow.fail("so").finish();
    assert_trace(
        &trace,
        "slow, failed: so, called by another process
         └─ step
         quick, called by another process
         └─ step",
    );
}

#[test]
fn what_is_held_is_bounded() {
    let _turn = keep(|it| it.keep_failed_traces(1));
    let before = kamon::trace::stats().tail_dropped;
    // One trace with too many spans.
    let wide = root("wide");
    for _ in 0..HELD_SPANS + 50 {
        kamon::build_span("child")
            .as_child_of(&wide)
            .start()
            .finish();
    }
    assert_eq!(kamon::trace::stats().tail_dropped, before + 50);
    // And too many traces, so that this one is the oldest.
    let others: Vec<Span> = (0..HELD_TRACES).map(|_| root("other")).collect();
    for other in &others {
        kamon::build_span("child")
            .as_child_of(other)
            .start()
            .finish();
    }
    let dropped = (50 + HELD_SPANS) as u64;
    assert_eq!(kamon::trace::stats().tail_dropped, before + dropped);
    wide.fail("too late to be kept whole").finish();
    assert_trace(&wide, "wide, failed: too late to be kept whole");
}
