//! What one process writes is what the next one reads, and anything at all may come in.

use std::collections::{BTreeMap, HashMap};

use kamon::propagation::{trace_state, trace_token_key, Baggage, Codecs};
use kamon::{Context, Key, SamplingDecision, Span, SpanContext, SpanId, TraceId};
use proptest::prelude::*;

static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("request-id");
static TENANT: Key<Option<String>> = Key::broadcast_string("tenant");

const FORMATS: [&str; 3] = ["w3c", "b3", "b3-single"];

fn codecs(format: &str) -> Codecs {
    Codecs::builder()
        .http_headers("span", [format])
        .http_headers("baggage", ["baggage"])
        .http_headers("tenant", ["baggage"])
        .binary("span", "colfer")
        .string_key("request-id", "X-Request-ID")
        .largest_message(1 << 16)
        .build()
}

fn spans() -> impl Strategy<Value = SpanContext> {
    let decisions = prop_oneof![
        Just(SamplingDecision::Sample),
        Just(SamplingDecision::DoNotSample),
        Just(SamplingDecision::Unknown),
    ];
    // Ids of both schemes.
    let traces = prop_oneof![1..=u128::MAX, 1..=u128::from(u64::MAX)];
    (traces, 1..=u64::MAX, any::<u64>(), decisions).prop_map(|(trace_id, id, parent, decision)| {
        SpanContext::new(TraceId::new(trace_id), SpanId::new(id))
            .with_parent(SpanId::new(parent))
            .with_sampling(decision)
    })
}

/// What a format keeps of a span.
fn kept(format: &str, span: SpanContext) -> SpanContext {
    let (parent, decision) = (
        span.parent_id().unwrap_or_default(),
        span.sampling_decision(),
    );
    let bare = SpanContext::new(span.trace_id(), span.id());
    match (format, decision) {
        // No parent, and no third decision.
        ("w3c", SamplingDecision::Unknown) => bare.with_sampling(SamplingDecision::DoNotSample),
        ("w3c", _) => bare.with_sampling(decision),
        ("b3-single", SamplingDecision::Unknown) => bare,
        _ => bare.with_parent(parent).with_sampling(decision),
    }
}

/// What OpenTelemetry calls `b3` and `b3multi` differ in what they write.
#[test]
fn opentelemetrys_b3_reads_either_form() {
    let span = SpanContext::new(TraceId::new(1 << 64 | 7), SpanId::new(9))
        .with_sampling(SamplingDecision::Sample);
    let context = Context::empty().with_key(Span::key(), Span::remote(span));
    let sent = |format: &str| {
        let mut headers = Vec::new();
        codecs(format).encode_headers(&context, &mut headers);
        headers
    };
    for (format, same) in [("otel-b3", "b3-single"), ("otel-b3multi", "b3")] {
        assert_eq!(sent(format), sent(same));
        for other in ["b3", "b3-single"] {
            let read = codecs(format).decode_headers(&sent(other));
            assert_eq!(
                read.get(Span::key()).context(),
                Some(span),
                "{format} {other}"
            );
        }
        // The one header comes before the several, unless it says nothing.
        let mut both = sent("b3");
        both.push(("b3".into(), "0".into()));
        let read = codecs(format).decode_headers(&both);
        assert!(read.get(Span::key()).is_empty());
        both.pop();
        both.push(("b3".into(), "malformed".into()));
        let read = codecs(format).decode_headers(&both);
        assert_eq!(read.get(Span::key()).context(), Some(span));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn all_is_read_as_it_was_written(
        span in spans(),
        // What a header can hold: no control characters, and no blanks around it.
        request_id in "([!-~é漢]([ -~é漢]{0,30}[!-~é漢])?)?",
        // What baggage can hold: anything.
        tenant in any::<String>(),
        others in prop::collection::vec(("[a-z]{1,5}", any::<String>()), 0..5),
    ) {
        let baggage = others.iter().fold(Baggage::default(), |baggage, (key, value)| {
            baggage.with(&format!("x-{key}"), value)
        });
        let mut context = Context::empty()
            .with_key(Span::key(), Span::remote(span))
            .with_key(&REQUEST_ID, Some(request_id.clone()))
            .with_key(&TENANT, Some(tenant.clone()));
        if !baggage.is_empty() {
            context = context.with_key(Baggage::key(), baggage.clone());
        }
        for format in FORMATS {
            let codecs = codecs(format);
            let mut list: Vec<(String, String)> = Vec::new();
            let mut map: HashMap<String, String> = HashMap::new();
            let mut tree: BTreeMap<String, String> = BTreeMap::new();
            codecs.encode_headers(&context, &mut list);
            codecs.encode_headers(&context, &mut map);
            codecs.encode_headers(&context, &mut tree);
            for read in [codecs.decode_headers(&list), codecs.decode_headers(&map), codecs.decode_headers(&tree)] {
                prop_assert_eq!(read.get(Span::key()).context(), Some(kept(format, span)));
                prop_assert_eq!(read.get(&REQUEST_ID).as_ref(), Some(&request_id));
                prop_assert_eq!(read.get(&TENANT).as_ref(), Some(&tenant));
                prop_assert_eq!(read.get(Baggage::key()), &baggage);
            }
        }
        let codecs = codecs("w3c");
        let read = codecs.decode_binary(&codecs.encode_binary(&context));
        prop_assert_eq!(read.get(Span::key()).context(), Some(span));
        let text = Some(request_id).filter(|text| !text.is_empty());
        prop_assert_eq!(read.get(&REQUEST_ID), &text);
    }

    #[test]
    fn a_token_is_read_as_it_was_written(token in "[!-~]([ -~]{0,254}[!-~])?") {
        let codecs = Codecs::builder().http_headers("token", ["trace-token"]).build();
        let context = Context::empty().with_key(trace_token_key(), Some(token.clone()));
        let mut headers: Vec<(String, String)> = Vec::new();
        codecs.encode_headers(&context, &mut headers);
        let read = codecs.decode_headers(&headers);
        prop_assert_eq!(read.get(trace_token_key()), &Some(token));
    }

    #[test]
    fn a_state_is_handed_through(
        // Each key once, with a system behind an at sign or without.
        members in prop::collection::btree_map(
            "([a-z0-9][a-z0-9_*/-]{0,8}@)?[a-z][a-z0-9_*/-]{0,8}",
            "[!-+.-<>-~]{1,9}",
            1..16,
        ),
        flags in 0..4_u8,
    ) {
        let codecs = codecs("w3c");
        let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let state = members.join(",");
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags:02x}");
        let came_in = [("traceparent", &*parent), ("tracestate", &*state)];
        let context = codecs.decode_headers(&came_in[..]);
        prop_assert_eq!(trace_state(&context), Some(&*state));
        let mut headers: Vec<(String, String)> = Vec::new();
        codecs.encode_headers(&context, &mut headers);
        let expected = came_in.map(|(name, value)| (name.to_owned(), value.to_owned()));
        prop_assert_eq!(headers, expected);
    }

    #[test]
    fn any_header_may_come_in(
        name in prop::sample::select(vec!["traceparent", "tracestate", "baggage", "b3", "X-B3-TraceId", "X-B3-Sampled", "X-Request-ID"]),
        value in prop_oneof![any::<String>(), "[0-9a-f,;=%dx -]{0,80}", "0[01]-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}"],
        more in any::<String>(),
    ) {
        for format in FORMATS {
            let codecs = codecs(format);
            let headers = [
                (name, &*value),
                ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                ("X-B3-SpanId", "00f067aa0ba902b7"),
                (name, &*more),
            ];
            // What was read once is read the same again.
            let context = codecs.decode_headers(&headers[..]);
            let mut again: Vec<(String, String)> = Vec::new();
            codecs.encode_headers(&context, &mut again);
            let once_more = codecs.decode_headers(&again);
            prop_assert_eq!(once_more.get(Span::key()).context().map(|span| span.id()), context.get(Span::key()).context().map(|span| span.id()));
            prop_assert_eq!(once_more.get(&TENANT), context.get(&TENANT));
            prop_assert_eq!(once_more.get(Baggage::key()), context.get(Baggage::key()));
        }
    }

    #[test]
    fn any_bytes_may_come_in(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..4, Just(0x7f)], 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        span in spans(),
    ) {
        let codecs = codecs("w3c");
        let _ = codecs.decode_binary(&bytes);
        // And nearly right ones.
        let context = Context::empty().with_key(Span::key(), Span::remote(span));
        let mut nearly = codecs.encode_binary(&context);
        let at = at.index(nearly.len());
        nearly[at] = byte;
        let _ = codecs.decode_binary(&nearly);
        nearly.truncate(at);
        prop_assert!(codecs.decode_binary(&nearly).is_empty());
    }
}
