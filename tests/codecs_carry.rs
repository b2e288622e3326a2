//! What codecs carry and what they do not: nothing local, nothing absent, nothing unbounded, nothing of
//! another trace; and a token on every response.

use kamon::propagation::{
    trace_state, trace_token, trace_token_key, Baggage, BinaryCodec, Codec, CodecError, Codecs,
    HeaderReader, HeaderWriter,
};
use kamon::{Context, Key, Span};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static USER: Key<Option<String>> = Key::broadcast_string("user");
static SECRET: Key<Option<String>> = Key::local("secret", || None);

type Headers = Vec<(String, String)>;

/// Writes and reads the secret, as somebody may who has not seen that its key is local.
struct Blab;

impl Codec for Blab {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        let secret = context.get(&SECRET).as_deref().unwrap_or("none");
        headers.set("X-Secret", secret)
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        let secret = headers.first("X-Secret").map(str::to_owned);
        Ok(context.with_key(&SECRET, secret))
    }
}

impl BinaryCodec for Blab {
    fn encode(&self, context: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        bytes.extend(context.get(&SECRET).as_deref().unwrap_or("none").bytes());
        Ok(())
    }

    fn decode(&self, _: &[u8], context: &Context) -> Result<Context, CodecError> {
        Ok(context.clone())
    }
}

#[test]
fn what_is_local_stays() {
    let context = Context::empty().with_key(&SECRET, Some("password".into()));
    let builders = [
        Codecs::builder().string_key("secret", "X-Secret"),
        Codecs::builder().http_headers("secret", ["baggage"]),
        Codecs::builder()
            .codec("blab", Blab)
            .http_headers("secret", ["blab"]),
        Codecs::builder()
            .binary_codec("blab", Blab)
            .binary("secret", "blab"),
    ];
    for builder in builders {
        let codecs = builder.build();
        let mut headers = Headers::new();
        codecs.encode_headers(&context, &mut headers);
        assert_eq!(headers, [], "{codecs:?}");
        assert!(codecs.encode_binary(&context).is_empty(), "{codecs:?}");
    }
}

#[test]
fn what_is_absent_writes_nothing() {
    let codecs = Codecs::builder()
        .http_headers("span", ["w3c", "b3", "b3-single", "trace-token"])
        .http_headers("baggage", ["baggage"])
        .string_key("user", "X-User")
        .binary("span", "colfer")
        .build();
    let local: Key<u8> = Key::local("no codec", || 0);
    for context in [Context::empty(), Context::empty().with_key(&local, 1)] {
        let mut headers = Headers::new();
        codecs.encode_headers(&context, &mut headers);
        codecs.encode_response_headers(&context, &mut headers);
        assert_eq!(headers, []);
        assert!(codecs.encode_binary(&context).is_empty());
    }
    assert!(codecs.decode_headers(&Headers::new()).is_empty());
    assert!(codecs.decode_binary(&[]).is_empty());
}

#[test]
fn a_value_cannot_make_a_second_header() {
    let codecs = Codecs::builder().string_key("user", "X-User").build();
    for bad in ["a\r\nX-Admin: yes", "a\nb", "\0", " a", "a\t"] {
        let context = Context::empty().with_key(&USER, Some(bad.into()));
        let mut headers = Headers::new();
        codecs.encode_headers(&context, &mut headers);
        assert_eq!(headers, [], "{bad:?}");
        // Bytes can carry it.
        let read = codecs.decode_binary(&codecs.encode_binary(&context));
        assert_eq!(read.get(&USER).as_deref(), Some(bad));
    }
}

#[test]
fn what_comes_in_is_bounded() {
    let codecs = Codecs::builder()
        .http_headers("span", ["w3c", "b3", "b3-single", "trace-token"])
        .http_headers("baggage", ["baggage"])
        .string_key("user", "X-User")
        .build();
    let long = "x".repeat(1 << 20);
    let members = "a=1,".repeat(1 << 18);
    let headers = [
        ("traceparent", &*format!("01-{}-{long}", &PARENT[3..])),
        ("tracestate", &members),
        ("baggage", &members),
        ("X-User", &long),
        ("X-Trace-Token", &long),
    ];
    let context = codecs.decode_headers(&headers);
    assert!(!context.get(Span::key()).is_empty());
    assert_eq!(trace_state(&context), None);
    assert_eq!(context.get(&USER), &None);
    assert_eq!(context.get(trace_token_key()), &None);
    assert!(context.get(Baggage::key()).len() <= 180);
    // Announced and not there; there and too much.
    assert!(codecs.decode_binary(b"\x01\x80\x80\x04").is_empty());
    assert!(codecs.decode_binary(&vec![0x7f; 1 << 20]).is_empty());
}

#[test]
fn a_list_is_tried_in_order_and_written_whole() {
    let codecs = Codecs::builder()
        .http_headers("span", ["w3c", "b3", "trace-token"])
        .build();
    let b3 = "b7ad6b7169203331";
    let both = [
        ("X-B3-TraceId", b3),
        ("x-b3-spanid", b3),
        ("traceparent", PARENT),
        ("x-trace-token", "cart-7"),
    ];
    let of = |headers: &[(&str, &str)]| {
        codecs
            .decode_headers(headers)
            .get(Span::key())
            .id()
            .to_string()
    };
    assert_eq!(of(&both), "00f067aa0ba902b7");
    assert_eq!(of(&both[..2]), b3);
    // What is malformed is as if absent.
    assert_eq!(of(&[both[0], both[1], ("traceparent", "00-x")]), b3);

    let context = codecs.decode_headers(&both);
    assert_eq!(trace_token(&context).as_deref(), Some("cart-7"));
    let mut headers = Headers::new();
    codecs.encode_headers(&context, &mut headers);
    let names: Vec<&str> = headers.iter().map(|(name, _)| &**name).collect();
    let all = [
        "traceparent",
        "X-B3-TraceId",
        "X-B3-SpanId",
        "X-B3-Sampled",
        "X-Trace-Token",
    ];
    assert_eq!(names, all);
}

#[test]
fn a_token_is_used_again_or_is_the_traces_and_is_on_every_response() {
    let codecs = Codecs::builder()
        .http_headers("span", ["w3c", "trace-token"])
        .build();
    let response = |context: &Context| {
        let mut headers = Headers::new();
        codecs.encode_response_headers(context, &mut headers);
        headers
    };
    let named = |token: &str| vec![("X-Trace-Token".to_string(), token.to_string())];
    // With a token, whether there is a trace or not.
    let token = ("X-Trace-Token", "propagation-enabled");
    assert_eq!(
        response(&codecs.decode_headers(&[token])),
        named("propagation-enabled")
    );
    let both = codecs.decode_headers(&[token, ("traceparent", PARENT)]);
    assert_eq!(response(&both), named("propagation-enabled"));
    // Without, it is the trace's id.
    let none = codecs.decode_headers(&[("traceparent", PARENT)]);
    assert_eq!(response(&none), named("4bf92f3577b34da6a3ce929d0e0e4736"));
    // It may have another name.
    let codecs = Codecs::builder().http_headers("span", ["trace-token"]);
    let codecs = codecs.trace_token_header("X-Request").build();
    let context = codecs.decode_headers(&[("x-request", "7")]);
    assert_eq!(context.get(trace_token_key()).as_deref(), Some("7"));
    // Nothing that looks like the end of a line gets into the logs.
    for bad in ["", "a\nb", "\u{85}", &"x".repeat(257)] {
        assert!(
            codecs.decode_headers(&[("X-Request", bad)]).is_empty(),
            "{bad:?}"
        );
    }
}

#[test]
fn another_trace_does_not_carry_what_came_with_the_first() {
    let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
    let came_in = codecs.decode_headers(&[("traceparent", PARENT), ("tracestate", "a=1")]);
    let sent = |span: &Span| {
        let mut headers = Headers::new();
        codecs.encode_headers(&came_in.with_key(Span::key(), span.clone()), &mut headers);
        headers.iter().any(|(name, _)| name == "tracestate")
    };
    let child = kamon::build_span("child")
        .as_child_of(came_in.get(Span::key()))
        .start();
    let other = kamon::build_span("other")
        .ignore_parent_from_context()
        .start();
    assert!(sent(&child));
    assert!(!sent(&other));
    child.finish();
    other.finish();
}

#[test]
fn a_codec_that_nobody_knows_is_named() {
    let error = Codecs::builder()
        .binary("span", "protobuf")
        .try_build()
        .unwrap_err();
    assert_eq!((error.key(), error.codec()), ("span", "protobuf"));
    assert!(error.to_string().contains("\"protobuf\""));
    // Of headers and of bytes each its own.
    assert!(Codecs::builder()
        .http_headers("span", ["colfer"])
        .try_build()
        .is_err());
}

#[test]
fn a_key_that_is_no_text_takes_no_other_with_it() {
    static NUMBER: Key<u32> = Key::broadcast("number", || 0);
    let codecs = Codecs::builder()
        .http_headers("number", ["baggage"])
        .http_headers("user", ["baggage"])
        .build();
    let context = Context::empty().with_key(&NUMBER, 7);
    let context = context.with_key(&USER, Some("1234".into()));
    let mut headers = Headers::new();
    codecs.encode_headers(&context, &mut headers);
    assert_eq!(headers, [("baggage".to_string(), "user=1234".to_string())]);
    let read = codecs.decode_headers(&[("baggage", "number=8,user=1234")]);
    assert_eq!(read.get(&NUMBER), &0);
    assert_eq!(read.get(&USER).as_deref(), Some("1234"));
}
