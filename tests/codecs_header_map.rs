//! `http::HeaderMap` is a carrier like any other.
#![cfg(feature = "http")]

use http::{HeaderMap, HeaderValue};
use kamon::propagation::{trace_state, Codecs, HeaderReader as _, HeaderWriter as _};
use kamon::{Context, Key, Span};

static NAME: Key<Option<String>> = Key::broadcast_string("name");

#[test]
fn it_is_read_and_written() {
    let codecs = Codecs::builder()
        .http_headers("span", ["w3c", "b3"])
        .string_key("name", "X-Name")
        .build();
    let mut headers = HeaderMap::new();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    headers.insert("traceparent", HeaderValue::from_static(parent));
    headers.append("tracestate", HeaderValue::from_static("a=1"));
    headers.append("tracestate", HeaderValue::from_static("b=2"));
    headers.insert(
        "x-name",
        HeaderValue::from_bytes("Amélie".as_bytes()).unwrap(),
    );
    let context = codecs.decode_headers(&headers);
    assert!(context.get(Span::key()).is_sampled());
    assert_eq!(trace_state(&context), Some("a=1,b=2"));
    assert_eq!(context.get(&NAME).as_deref(), Some("Amélie"));

    // What is there already is replaced.
    let mut sent = headers.clone();
    sent.insert("X-B3-Sampled", HeaderValue::from_static("0"));
    codecs.encode_headers(&context, &mut sent);
    assert_eq!(sent["traceparent"], parent);
    assert_eq!(sent.get_all("tracestate").iter().count(), 1);
    assert_eq!(sent["x-b3-sampled"], "1");
    assert_eq!(sent.first("X-NAME"), Some("Amélie"));
}

#[test]
fn what_is_no_text_is_passed_over() {
    let codecs = Codecs::builder().string_key("name", "X-Name").build();
    let mut headers = HeaderMap::new();
    headers.insert("x-name", HeaderValue::from_bytes(b"\xff").unwrap());
    assert!(codecs.decode_headers(&headers).is_empty());
    let context = Context::empty().with_key(&NAME, Some("a\r\nb".into()));
    codecs.encode_headers(&context, &mut headers);
    assert_eq!(headers.len(), 1);
    assert!(headers.set("not a name", "x").is_err());
}
