//! Decoders of headers: what they take goes out again, within limits, and is taken once more.

use kamon::propagation::{
    check_header, stats, trace_state, trace_token_key, Baggage, Codecs, HeaderReader as _,
};
use kamon::{Context, Span, SpanContext};

type Headers = Vec<(String, String)>;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const BLANKS: [char; 2] = [' ', '\t'];

/// A line for each of B3's headers.
pub fn b3_multi(data: &[u8]) {
    let names = [
        "X-B3-TraceId",
        "X-B3-SpanId",
        "X-B3-ParentSpanId",
        "X-B3-Sampled",
        "X-B3-Flags",
    ];
    let text = String::from_utf8_lossy(data);
    let lines = names.iter().zip(text.split('\n'));
    // An empty line is a header that is not there.
    let headers: Vec<(&str, &str)> = lines
        .map(|(name, value)| (*name, value))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let context = there_and_back("b3", "span", &headers);
    if let Some(span) = context.get(Span::key()).context() {
        assert!(spells_trace_id(span, headers.first(names[0]).unwrap()));
        assert_eq!(Some(&*span.id().to_string()), headers.first(names[1]));
    }
}

/// The header `b3`.
pub fn b3_single(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let context = there_and_back("b3-single", "span", &[("b3", &text)]);
    if let Some(span) = context.get(Span::key()).context() {
        let mut fields = text.split('-');
        assert!(spells_trace_id(span, fields.next().unwrap()));
        assert_eq!(fields.next(), Some(&*span.id().to_string()));
        assert!((2..=4).contains(&text.split('-').count()));
    }
}

/// The header `traceparent`, and a second one after a line's end.
pub fn traceparent(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let headers: Vec<(&str, &str)> = text.split('\n').map(|it| ("traceparent", it)).collect();
    let context = there_and_back("w3c", "span", &headers);
    if let Some(span) = context.get(Span::key()).context() {
        let value = text.trim_matches(BLANKS);
        assert_eq!(headers.len(), 1, "two of them are none");
        assert_eq!(&value[3..35], span.trace_id().to_string());
        assert_eq!(&value[36..52], span.id().to_string());
        assert!(value.len() == 55 || !value.starts_with("00"));
        assert!(!value.starts_with("ff") && span.is_valid());
    }
}

/// A header `tracestate` for each line.
pub fn tracestate(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.split('\n').map(|line| ("tracestate", line));
    let headers: Vec<(&str, &str)> = [("traceparent", PARENT)].into_iter().chain(lines).collect();
    let context = there_and_back("w3c", "span", &headers);
    // Whatever is wrong with the state, the span is there.
    assert!(!context.get(Span::key()).is_empty());
    if let Some(state) = trace_state(&context) {
        assert!((3..=512).contains(&state.len()) && state.split(',').count() <= 32);
        let known = |member: &str| {
            text.split(['\n', ','])
                .any(|it| it.trim_matches(BLANKS) == member)
        };
        assert!(state.split(',').all(known));
    }
}

/// A header `baggage` for each line.
pub fn baggage(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let headers: Vec<(&str, &str)> = text.split('\n').map(|line| ("baggage", line)).collect();
    let context = there_and_back("baggage", "baggage", &headers);
    assert!(context.get(Baggage::key()).len() <= 180);
}

/// The header `X-Trace-Token`.
pub fn trace_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let context = there_and_back("trace-token", "trace-token", &[("x-trace-token", &text)]);
    if let Some(token) = context.get(trace_token_key()) {
        assert_eq!(token, text.trim_matches(BLANKS));
        assert!((1..=256).contains(&token.len()));
        assert!(!token.contains(|it: char| it.is_control()));
    }
}

/// A trace's id of 16 digits is one of 32 with zeros before it.
fn spells_trace_id(span: SpanContext, digits: &str) -> bool {
    let whole = span.trace_id().to_string();
    matches!(digits.len(), 16 | 32) && format!("{digits:0>32}") == format!("{whole:0>32}")
}

/// Reads headers. What was read is written within limits, and reads and writes the same again.
fn there_and_back(codec: &str, key: &str, headers: &[(&str, &str)]) -> Context {
    let codecs = Codecs::builder().http_headers(key, [codec]).build();
    let before = stats();
    let context = codecs.decode_headers(headers);
    let written = write(&codecs, &context);
    let again = codecs.decode_headers(&written);
    assert_eq!(write(&codecs, &again), written);
    same(&context, &again);
    let after = stats();
    assert_eq!(after.panicked, before.panicked);
    assert_eq!(after.encode_failed, before.encode_failed, "{headers:?}");
    context
}

fn write(codecs: &Codecs, context: &Context) -> Headers {
    let mut written = Headers::new();
    codecs.encode_headers(context, &mut written);
    for (name, value) in &written {
        assert!(check_header(name, value).is_ok(), "{name}: {value:?}");
        assert!(value.len() <= 8192, "{name} has {} bytes", value.len());
    }
    written
}

fn same(one: &Context, other: &Context) {
    let span = |context: &Context| context.get(Span::key()).context();
    let ids = |context: &Context| span(context).map(|span| (span.trace_id(), span.id()));
    assert_eq!(ids(one), ids(other));
    let sampling = |context: &Context| span(context).map(|span| span.sampling_decision());
    assert_eq!(sampling(one), sampling(other));
    assert_eq!(trace_state(one), trace_state(other));
    assert_eq!(one.get(Baggage::key()), other.get(Baggage::key()));
    assert_eq!(one.get(trace_token_key()), other.get(trace_token_key()));
    assert_eq!(one.is_empty(), other.is_empty());
}
