//! Headers that came in and are passed on: what stood in them of another trace does not stay.

use std::collections::{BTreeMap, HashMap};

use kamon::propagation::{stats, trace_state, Codecs, HeaderReader, HeaderWriter};
use kamon::trace::{SamplingDecision, SpanContext, SpanId, TraceId};
use kamon::{Context, Key, Span};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A span of another process.
fn remote(sampling: SamplingDecision) -> Context {
    let span = SpanContext::new(TraceId::new(7 << 64 | 1), SpanId::new(9)).with_sampling(sampling);
    Context::empty().with_key(Span::key(), Span::remote(span))
}

/// Writes the Context over these headers, in each carrier, and shows what is there then.
fn passed_on(codec: &str, context: &Context, came: &[(&str, &str)], then: impl Fn(&dyn Carrier)) {
    let codecs = Codecs::builder().http_headers("span", [codec]).build();
    fn fill<C: Carrier + Default>(came: &[(&str, &str)]) -> C {
        let mut carrier = C::default();
        for (name, value) in came {
            carrier.set(name, value).unwrap();
        }
        carrier
    }
    let mut pairs: Vec<(String, String)> = fill(came);
    codecs.encode_headers(context, &mut pairs);
    then(&pairs);
    let mut map: HashMap<String, String> = fill(came);
    codecs.encode_headers(context, &mut map);
    then(&map);
    let mut map: BTreeMap<String, String> = fill(came);
    codecs.encode_headers(context, &mut map);
    then(&map);
    #[cfg(feature = "http")]
    {
        let mut map: http::HeaderMap = fill(came);
        codecs.encode_headers(context, &mut map);
        then(&map);
    }
}

trait Carrier: HeaderReader + HeaderWriter {}

impl<C: HeaderReader + HeaderWriter> Carrier for C {}

#[test]
fn a_state_stays_with_its_own_traceparent() {
    let came = [("traceparent", "malformed"), ("Tracestate", "other=trace")];
    passed_on("w3c", &remote(SamplingDecision::Sample), &came, |headers| {
        assert_eq!(headers.first("tracestate"), None);
        assert!(headers.first("traceparent").unwrap().ends_with("-01"));
    });
}

#[test]
fn a_state_that_was_refused_does_not_go_out() {
    let came = [("traceparent", PARENT), ("tracestate", "foo=1,foo=2")];
    let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
    let context = codecs.decode_headers(&came);
    assert_eq!(trace_state(&context), None);
    passed_on("w3c", &context, &came, |headers| {
        assert_eq!(headers.first("tracestate"), None);
        assert_eq!(headers.first("traceparent"), Some(PARENT));
    });
}

#[test]
fn all_that_b3_says_is_of_one_trace() {
    let came = [
        ("x-b3-traceid", "malformed"),
        ("x-b3-spanid", "malformed"),
        ("x-b3-parentspanid", "00000000000000aa"),
        ("x-b3-sampled", "1"),
        ("x-b3-flags", "1"),
    ];
    for (decision, sampled) in [
        (SamplingDecision::Sample, Some("1")),
        (SamplingDecision::DoNotSample, Some("0")),
        (SamplingDecision::Unknown, None),
    ] {
        passed_on("b3", &remote(decision), &came, |headers| {
            assert_eq!(headers.first("X-B3-Sampled"), sampled);
            assert_eq!(headers.first("X-B3-Flags"), None);
            assert_eq!(headers.first("X-B3-ParentSpanId"), None);
            assert_eq!(headers.first("X-B3-SpanId"), Some("0000000000000009"));
        });
    }
}

#[test]
fn debug_is_said_in_place_of_sampled() {
    let codecs = Codecs::builder()
        .http_headers("span", ["b3-single"])
        .build();
    let context = codecs.decode_headers(&[("b3", "d")]);
    passed_on("b3", &context, &[("X-B3-Sampled", "0")], |headers| {
        assert_eq!(headers.first("X-B3-Sampled"), None);
        assert_eq!(headers.first("X-B3-Flags"), Some("1"));
    });
}

#[test]
fn where_there_is_nothing_to_say_what_others_say_stays() {
    let came = [
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("x-b3-flags", "1"),
    ];
    for codec in ["w3c", "b3", "b3-single"] {
        passed_on(codec, &Context::empty(), &came, |headers| {
            for (name, value) in came {
                assert_eq!(headers.first(name), Some(value));
            }
        });
    }
}

static TENANT: Key<Option<String>> = Key::broadcast_string("tenant");

/// What came in must not crowd out what this process says itself.
#[test]
fn baggage_of_our_own_is_sent_whatever_came_in() {
    let codecs = Codecs::builder()
        .http_headers("tenant", ["baggage"])
        .http_headers("baggage", ["baggage"])
        .build();
    let many = (0..180).map(|n| format!("k{n}=v")).collect::<Vec<_>>();
    let long = format!("k={}", "v".repeat(8189));
    for came in [many.join(","), long] {
        let context = codecs.decode_headers(&[("baggage", &*came)]);
        let context = context.with_key(&TENANT, Some("blue".into()));
        let mut headers: Vec<(String, String)> = Vec::new();
        let before = stats().too_large;
        codecs.encode_headers(&context, &mut headers);
        assert_eq!(stats().too_large, before + 1, "one was left out");
        let again = codecs.decode_headers(&headers);
        assert_eq!(again.get(&TENANT).as_deref(), Some("blue"));
    }
}
