//! The parent: the current span unless the builder says otherwise, and then for good.

mod traced;

use kamon::trace::SpanContext;
use kamon::{SamplingDecision, Span, SpanId, TraceId};

use crate::traced::{assert_trace, record_of};

fn build(name: &'static str) -> kamon::SpanBuilder {
    kamon::build_span(name)
}

/// A rule: which parent a span has that is built like this where `current` is current and `other`
/// is not.
struct Rule {
    name: &'static str,
    build: fn(other: &Span) -> Span,
    parent: fn(current: &Span, other: &Span) -> Option<SpanId>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "the current span",
        build: |_| build("a").start(),
        parent: |current, _| Some(current.id()),
    },
    Rule {
        name: "the span that is given",
        build: |other| build("b").as_child_of(other).start(),
        parent: |_, other| Some(other.id()),
    },
    Rule {
        name: "none, if the current one is to be ignored",
        build: |_| build("c").ignore_parent_from_context().start(),
        parent: |_, _| None,
    },
    Rule {
        name: "the given one, also if the current one is to be ignored",
        build: |other| {
            let first = build("d").as_child_of(other).ignore_parent_from_context();
            first.start()
        },
        parent: |_, other| Some(other.id()),
    },
    Rule {
        name: "the current span, where the empty one is given",
        build: |_| build("e").as_child_of(&Span::empty()).start(),
        parent: |current, _| Some(current.id()),
    },
    Rule {
        name: "none, where the empty span is current",
        build: |_| kamon::with_span(&Span::empty(), || build("f").start()),
        parent: |_, _| None,
    },
    Rule {
        name: "the last one that is given",
        build: |other| {
            let decoy = build("decoy").start();
            let span = build("g").as_child_of(&decoy).as_child_of(other).start();
            decoy.finish();
            span
        },
        parent: |_, other| Some(other.id()),
    },
];

#[test]
fn rules() {
    for rule in RULES {
        let current = build("current").ignore_parent_from_context().start();
        let other = build("other").ignore_parent_from_context().start();
        let span = kamon::with_span(&current, || (rule.build)(&other));
        let parent = (rule.parent)(&current, &other);
        assert_eq!(span.parent_id(), parent, "{}", rule.name);
        let trace = [&current, &other]
            .into_iter()
            .find(|span| Some(span.id()) == parent)
            .map(Span::trace_id);
        match trace {
            Some(trace) => assert_eq!(span.trace_id(), trace, "{}", rule.name),
            None => assert!(
                span.trace_id() != current.trace_id() && span.trace_id() != other.trace_id(),
                "{}: a new trace",
                rule.name
            ),
        }
        span.finish();
        assert_eq!(record_of(&span).parent_id, parent, "{}", rule.name);
        current.finish();
        other.finish();
    }
}

#[test]
fn a_finished_span_may_still_be_a_parent() {
    let parent = build("parent").start();
    parent.finish();
    build("late").as_child_of(&parent).start().finish();
    assert_trace(&parent, "parent\n└─ late");
}

#[test]
fn a_trace_is_drawn_as_it_was_built() {
    let request = build("GET /users").start();
    kamon::with_span(&request, || {
        kamon::with_span_finishing(build("load").start(), || {
            build("query").with_tag("table", "users").start().finish();
            build("query").with_tag("table", "roles").start().finish();
        });
        build("render").start().finish();
    });
    request.finish();
    assert_trace(
        &request,
        "GET /users
         ├─ load
         │  ├─ query {table=users}
         │  └─ query {table=roles}
         └─ render",
    );
}

#[test]
fn a_remote_parent_gives_trace_parent_and_decision() {
    for (said, sampled) in [
        (SamplingDecision::Sample, true),
        (SamplingDecision::DoNotSample, false),
        // The default sampler samples.
        (SamplingDecision::Unknown, true),
    ] {
        let (trace_id, id) = (TraceId::random(), SpanId::random());
        let came_in = SpanContext::new(trace_id, id).with_sampling(said);
        let remote = Span::remote(came_in);
        assert!(remote.is_remote() && !remote.is_empty() && !remote.is_finished());
        assert_eq!(remote.sampling_decision(), said);
        let span = kamon::with_span(&remote, || build("handle").start());
        assert_eq!((span.trace_id(), span.parent_id()), (trace_id, Some(id)));
        assert_eq!(span.is_sampled(), sampled, "{said:?}");
        let child = build("below").as_child_of(&span).start();
        assert_eq!(child.is_sampled(), sampled, "{said:?}");
        child.finish();
        span.finish();
        if sampled {
            let record = record_of(&span);
            assert!(record.parent_is_remote && record.is_local_root());
            assert!(!record_of(&child).parent_is_remote);
        }
    }
}

#[test]
fn a_remote_span_takes_what_is_said_and_does_nothing_with_it() {
    let context = SpanContext::new(TraceId::new(7), SpanId::new(8)).with_parent(SpanId::new(9));
    let span = Span::remote(context.with_sampling(SamplingDecision::Sample));
    span.tag("a", 1).mark("b").fail("c").set_operation_name("d");
    span.finish();
    assert!(!span.is_finished() && !span.is_failed());
    assert_eq!(span.operation_name(), "");
    assert_eq!(span.context().unwrap().parent_id(), Some(SpanId::new(9)));
    let copy = Span::remote(span.context().unwrap());
    assert_eq!(copy, span);
    assert!(traced::trace_of(&span).is_empty());
}

#[test]
fn ids_of_zeros_are_no_span() {
    for (trace, id) in [(0, 1), (1, 0), (0, 0)] {
        let context = SpanContext::new(TraceId::new(trace), SpanId::new(id));
        assert!(Span::remote(context).is_empty());
    }
}

#[test]
fn links_lead_to_other_traces() {
    let (first, second) = (build("first").start(), build("second").start());
    let span = build("batch").with_link(&first).start();
    span.link(&second).link(&Span::empty());
    span.finish();
    let links = record_of(&span).links;
    let to: Vec<SpanId> = links.iter().map(|link| link.to.id()).collect();
    assert_eq!(to, [first.id(), second.id()]);
    first.finish();
    second.finish();
}
