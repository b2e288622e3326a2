//! Without a word from anybody: the span as B3 and in Kamon's binary format, and the trace token, which is used
//! where one came in and made where none did. Nothing here changes what is current.

use kamon::propagation::{trace_token, Codecs};
use kamon::{Context, Span};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn sent(context: &Context) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    Codecs::current().encode_headers(context, &mut headers);
    headers
}

fn answered(context: &Context) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    Codecs::current().encode_response_headers(context, &mut headers);
    headers
}

fn token(token: &str) -> (String, String) {
    ("X-Trace-Token".to_owned(), token.to_owned())
}

#[test]
fn a_token_that_came_in_is_used() {
    let context = Codecs::current().decode_headers(&[("x-trace-token", "cart-7")]);
    assert_eq!(trace_token(&context).as_deref(), Some("cart-7"));
    assert_eq!(sent(&context), [token("cart-7")]);
    assert_eq!(answered(&context), [token("cart-7")]);

    // Also of a trace that is here.
    let span = kamon::with_context(context.clone(), || kamon::build_span("served").start());
    let context = context.with_key(Span::key(), span.clone());
    assert_eq!(sent(&context).last(), Some(&token("cart-7")));
    assert_eq!(answered(&context), [token("cart-7")]);
    span.finish();
}

#[test]
fn else_one_is_made_and_stays_the_same() {
    let context = Codecs::current()
        .decode_headers(&[("X-B3-TraceId", TRACE), ("X-B3-SpanId", "00f067aa0ba902b7")]);
    assert_eq!(sent(&context).last(), Some(&token(TRACE)));
    assert_eq!(answered(&context), [token(TRACE)]);

    let span = kamon::build_span("first").start();
    let context = Context::empty().with_key(Span::key(), span.clone());
    let child = kamon::build_span("second").as_child_of(&span).start();
    let made = token(&span.trace_id().to_string());
    assert_eq!(answered(&context).last(), Some(&made));
    let in_child = context.with_key(Span::key(), child.clone());
    assert_eq!(sent(&in_child).last(), Some(&made));
    child.finish();
    span.finish();
}

#[test]
fn bytes_have_the_span() {
    let headers = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", "00f067aa0ba902b7")];
    let context = Codecs::current().decode_headers(&headers);
    let bytes = Codecs::current().encode_binary(&context);
    let again = Codecs::current().decode_binary(&bytes);
    assert_eq!(again.get(Span::key()), context.get(Span::key()));
}
