//! A codec that fails loses its own entry and no other, whatever it does, and is counted.

use std::sync::atomic::{AtomicBool, Ordering};

use kamon::propagation::{
    stats, BinaryCodec, Codec, CodecError, Codecs, HeaderReader, HeaderWriter,
};
use kamon::{Context, Key, Span};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static USER: Key<Option<String>> = Key::broadcast_string("user");

// The numbers are the whole process's: this file has one test.
type Headers = Vec<(String, String)>;

/// What a codec does instead of its work.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Error,
    Panic,
    /// Panics with what panics when it is dropped.
    PanicTwice,
    /// Fails with an error that panics when it is dropped.
    BadError,
}

#[derive(Debug)]
struct Bomb(AtomicBool);

impl Bomb {
    fn new() -> Self {
        Bomb(AtomicBool::new(true))
    }
}

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.swap(false, Ordering::Relaxed) {
            panic!("dropped");
        }
    }
}

impl Fault {
    fn strike(self) -> CodecError {
        match self {
            Fault::Error => "no".into(),
            Fault::Panic => panic!("a codec's own panic"),
            Fault::PanicTwice => std::panic::panic_any(Bomb::new()),
            Fault::BadError => Box::new(Bomb::new()),
        }
    }
}

impl Codec for Fault {
    fn encode(&self, _: &Context, _: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        Err(self.strike())
    }

    fn decode(&self, _: &dyn HeaderReader, _: &Context) -> Result<Context, CodecError> {
        Err(self.strike())
    }

    fn encode_response(&self, _: &Context, _: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        Err(self.strike())
    }
}

impl BinaryCodec for Fault {
    fn encode(&self, _: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        bytes.extend(b"half");
        Err(self.strike())
    }

    fn decode(&self, _: &[u8], _: &Context) -> Result<Context, CodecError> {
        Err(self.strike())
    }
}

fn context() -> Context {
    let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
    let context = codecs.decode_headers(&[("traceparent", PARENT)]);
    context.with_key(&USER, Some("1234".into()))
}

#[test]
fn the_others_are_carried() {
    for fault in [
        Fault::Error,
        Fault::Panic,
        Fault::PanicTwice,
        Fault::BadError,
    ] {
        let codecs = Codecs::builder()
            .codec("faulty", fault)
            .binary_codec("faulty", fault)
            .http_headers("first", ["faulty"])
            .http_headers("span", ["faulty", "w3c", "faulty"])
            .binary("first", "faulty")
            .binary("span", "colfer")
            .string_key("user", "X-User")
            .http_headers("last", ["faulty"])
            .http_headers("token", ["trace-token"])
            .build();
        let before = stats();
        let context = context();
        let mut headers = Headers::new();
        codecs.encode_headers(&context, &mut headers);
        let token = ("X-Trace-Token", &PARENT[3..35]);
        let expected = [("traceparent", PARENT), ("X-User", "1234"), token];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.into(), value.into())),
            "{fault:?}"
        );
        assert_eq!(stats().encode_failed - before.encode_failed, 4, "{fault:?}");

        let read = codecs.decode_headers(&headers);
        assert_eq!(stats().decode_failed - before.decode_failed, 3, "{fault:?}");
        assert_eq!(read.get(Span::key()), context.get(Span::key()), "{fault:?}");
        assert_eq!(read.get(&USER).as_deref(), Some("1234"), "{fault:?}");

        // What is told with the response.
        let before = stats();
        let mut headers = Headers::new();
        codecs.encode_response_headers(&context, &mut headers);
        assert_eq!(headers, [(token.0.into(), token.1.into())], "{fault:?}");
        assert_eq!(stats().encode_failed - before.encode_failed, 4, "{fault:?}");
        let panics = match fault {
            Fault::Error => 0,
            // The error of a codec is dropped where its panics are counted.
            Fault::Panic | Fault::PanicTwice | Fault::BadError => 4,
        };
        assert_eq!(stats().panicked - before.panicked, panics, "{fault:?}");

        // The same in bytes; the faulty entry is added by hand, since nobody wrote it.
        let mut bytes = codecs.encode_binary(&context);
        assert_eq!(bytes[..2], [1, 2], "{fault:?}");
        assert_eq!(
            codecs.decode_binary(&bytes).get(Span::key()),
            context.get(Span::key())
        );
        bytes[1] = 3;
        bytes.splice(2..2, *b"\x00\x05first\x01\x01x\x7f");
        let before = stats();
        let read = codecs.decode_binary(&bytes);
        assert_eq!(stats().decode_failed - before.decode_failed, 1, "{fault:?}");
        assert_eq!(read.get(Span::key()), context.get(Span::key()), "{fault:?}");
        assert_eq!(read.get(&USER).as_deref(), Some("1234"), "{fault:?}");
    }
}
