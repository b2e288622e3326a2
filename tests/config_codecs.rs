//! A codec that is registered with a loader under a name that is there already takes its place, also
//! where the configuration says nothing.
#![cfg(feature = "config")]

mod configured;

use kamon::config::Loader;
use kamon::propagation::{BinaryCodec, Codec, CodecError, Codecs, HeaderReader, HeaderWriter};
use kamon::{Context, Span};

use crate::configured::{in_force, names_sent};

/// Writes a fixed text.
struct Own;

impl Codec for Own {
    fn encode(&self, _: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        headers.set("X-Own", "written")
    }

    fn decode(&self, _: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        Ok(context.clone())
    }
}

impl BinaryCodec for Own {
    fn encode(&self, _: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        bytes.extend(b"written");
        Ok(())
    }

    fn decode(&self, _: &[u8], context: &Context) -> Result<Context, CodecError> {
        Ok(context.clone())
    }
}

const MENTIONED: &str = "kamon.context.codecs.largest-message = 4096";

fn loader(text: &str) -> Loader {
    // Whatever the environment of the tests says.
    let none: [(&str, &str); 0] = [];
    Loader::new().variables(none).text("kamon.toml", text)
}

#[test]
fn one_of_headers_in_place_of_the_default() {
    for text in [MENTIONED, ""] {
        let _in_force = in_force(loader(text).codec("b3", Own));
        assert_eq!(names_sent(), ["x-own", "x-trace-token"], "{text:?}");
    }
}

#[test]
fn one_of_bytes_in_place_of_the_default() {
    for text in [MENTIONED, ""] {
        let _in_force = in_force(loader(text).binary_codec("colfer", Own));
        let span = kamon::build_span("sent").start();
        let context = Context::empty().with_key(Span::key(), span.clone());
        span.finish();
        let bytes = Codecs::current().encode_binary(&context);
        let written = bytes.windows(7).any(|some| some == b"written");
        assert!(written, "{text:?}: {bytes:?}");
    }
}

#[test]
fn one_of_another_name_changes_nothing_by_itself() {
    let _in_force = in_force(loader(""));
    let w3c = Codecs::builder().http_headers("span", ["w3c"]).build();
    kamon::init(kamon::Config::new().codecs(w3c)).unwrap();
    kamon::init(loader("").codec("own", Own).load().unwrap()).unwrap();
    assert_eq!(names_sent(), ["traceparent"]);
}
