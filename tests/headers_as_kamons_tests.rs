//! The headers that Kamon's own tests ask for, of spans and of the trace token: the vectors of
//! `tests/vectors/http_headers.json`.

mod vectors;

use kamon::propagation::{trace_token_key, Codecs};
use kamon::{Context, SamplingDecision, Span, SpanContext, SpanId, TraceId};
use serde_json::Value;

use crate::vectors::{load, pairs, section, text};

type Headers = Vec<(String, String)>;

fn codecs(codec: &str) -> Codecs {
    Codecs::builder().http_headers("span", [codec]).build()
}

/// Names in lower case, and in one order.
fn sorted(headers: Headers) -> Headers {
    let lower = |(name, value): (String, String)| (name.to_lowercase(), value);
    let mut headers: Headers = headers.into_iter().map(lower).collect();
    headers.sort();
    headers
}

fn encoded(codec: &str, context: &Context) -> Headers {
    let mut headers = Headers::new();
    codecs(codec).encode_headers(context, &mut headers);
    sorted(headers)
}

/// The cases of a direction that are of formats which are here too.
fn cases<'a>(file: &'a Value, direction: &str) -> Vec<&'a Value> {
    let formats = ["w3c", "b3", "b3-single"];
    let cases = section(file, "kamon_own_tests").iter();
    let cases: Vec<&Value> = cases
        .filter(|case| case["direction"] == direction && formats.contains(&text(case, "codec")))
        .collect();
    assert!(cases.iter().all(|case| case["holds"] != false));
    cases
}

/// The ids of its tests have four digits, which is one of the things not to be copied. The same digits
/// four times over are ids.
fn whole(codec: &str, value: &str) -> String {
    let digits = ["1234", "4321", "4312", "2222"];
    let longer = |value: String, digits: &&str| value.replace(digits, &digits.repeat(4));
    match codec {
        "w3c" => value.to_owned(),
        _ => digits.iter().fold(value.to_owned(), longer),
    }
}

fn whole_headers(case: &Value, key: &str) -> Headers {
    let headers = pairs(&case[key]).into_iter();
    // An empty state is none, which the text would rather not see.
    let headers = headers.filter(|(name, value)| !(name == "tracestate" && value.is_empty()));
    headers
        .map(|(name, value)| (name, whole(text(case, "codec"), &value)))
        .collect()
}

/// The span that a test writes; W3C's has the bytes of its ids.
fn given(case: &Value) -> Context {
    let (codec, span) = (text(case, "codec"), &case["context_span"]);
    if span.is_null() {
        return Context::empty();
    }
    let bits = |key: &str| match codec {
        "w3c" => u64::from_str_radix(text(&span[key], "bytes"), 16).unwrap_or(0),
        _ => u64::from_str_radix(&whole(codec, text(&span[key], "string")), 16).unwrap_or(0),
    };
    let sampling = match text(span, "sampling") {
        "sample" => SamplingDecision::Sample,
        "do-not-sample" => SamplingDecision::DoNotSample,
        _ => SamplingDecision::Unknown,
    };
    let trace_id = TraceId::new(u128::from(bits("trace_id")));
    let context = SpanContext::new(trace_id, SpanId::new(bits("span_id")))
        .with_parent(SpanId::new(bits("parent_id")))
        .with_sampling(sampling);
    Context::empty().with_key(Span::key(), Span::remote(context))
}

#[test]
fn they_are_read() {
    let file = load("http_headers.json");
    let cases = cases(&file, "read");
    assert!(cases.len() >= 14, "{}", cases.len());
    for case in cases {
        let codec = text(case, "codec");
        let context = codecs(codec).decode_headers(&whole_headers(case, "headers"));
        let span = context.get(Span::key());
        let real = &case["real_result"]["span"];
        assert_eq!(span.is_empty(), real.is_null(), "{case}");
        if real.is_null() {
            continue;
        }
        let decision = span.sampling_decision().as_str();
        assert_eq!(decision, text(real, "sampling"), "{case}");
        let id = |key: &str| whole(codec, text(real, key));
        assert_eq!(
            format!("{:x}", span.trace_id()),
            id("trace_id").trim_start_matches('0'),
            "{case}"
        );
        assert_eq!(span.id().to_string(), id("span_id"), "{case}");
        let parent = span.parent_id().map(|id| id.to_string());
        assert_eq!(parent.unwrap_or_default(), id("parent_id"), "{case}");
    }
}

#[test]
fn they_are_written() {
    let file = load("http_headers.json");
    let cases = cases(&file, "write");
    assert!(cases.len() >= 9, "{}", cases.len());
    for case in cases {
        let ours = encoded(text(case, "codec"), &given(case));
        assert_eq!(ours, sorted(whole_headers(case, "real_headers")), "{case}");
    }
}

#[test]
fn they_come_out_as_they_went_in() {
    let file = load("http_headers.json");
    let cases = cases(&file, "round trip");
    assert!(cases.len() >= 2, "{}", cases.len());
    for case in cases {
        let (codec, headers) = (text(case, "codec"), whole_headers(case, "headers"));
        let context = codecs(codec).decode_headers(&headers);
        assert_eq!(encoded(codec, &context), sorted(headers), "{case}");
    }
}

/// The token of Kamon's first versions, which had no other headers.
#[test]
fn the_trace_token() {
    let file = load("http_headers.json");
    let vectors = &file["kamon_x_trace_token_0_5"];
    let header = text(vectors, "header");
    let cases = section(vectors, "cases");
    assert!(cases.len() >= 5, "{}", cases.len());
    let on = Codecs::default();
    let off = codecs("b3");
    for token in ["propagation-enabled", "kamon-trace-token-test"] {
        let named = cases.iter().any(|case| case.to_string().contains(token));
        assert!(named, "{token} is in no case");
        let answered = |codecs: &Codecs, context: &Context| {
            let mut headers = Headers::new();
            codecs.encode_response_headers(context, &mut headers);
            headers
        };
        let expected = [(header.to_owned(), token.to_owned())];
        let context = on.decode_headers(&[(header, token)]);
        assert_eq!(answered(&on, &context), expected);
        let mut sent = Headers::new();
        on.encode_headers(&context, &mut sent);
        assert_eq!(sent, expected);
        // Where it is turned off, nothing of it is read or written.
        assert!(off.decode_headers(&[(header, token)]).is_empty());
        assert!(answered(&off, &context).is_empty());
        assert_eq!(context.get(trace_token_key()).as_deref(), Some(token));
    }
}
