//! Kamon's binary formats: a whole Context, and the span in one.

use std::sync::LazyLock;

use kamon::propagation::{stats, Codecs};
use kamon::{Context, Key, Span};

static TEXT: Key<Option<String>> = Key::broadcast_string("text");

static CODECS: LazyLock<Codecs> = LazyLock::new(|| {
    let builder = Codecs::builder().binary("span", "colfer");
    let builder = builder.string_key("text", "X-Text");
    builder.largest_message(1 << 20).build()
});

/// The bytes of a Context, and the same bytes as the entry of a span.
pub fn colfer(data: &[u8]) {
    let before = stats();
    there_and_back(data);
    if let Ok(length @ 1..128) = u8::try_from(data.len()) {
        let head = [0x01, 0x01, 0x00, 0x04, b's', b'p', b'a', b'n', 0x01, length];
        there_and_back(&[&head, data, &[0x7f, 0x7f]].concat());
    }
    let after = stats();
    assert_eq!(after.panicked, before.panicked);
    assert_eq!(after.encode_failed, before.encode_failed);
    assert_eq!(after.too_large, before.too_large);
}

fn there_and_back(bytes: &[u8]) {
    let context = CODECS.decode_binary(bytes);
    let written = CODECS.encode_binary(&context);
    // What is kept of it was there.
    assert!(
        written.len() <= bytes.len() + 64,
        "{} of {}",
        written.len(),
        bytes.len()
    );
    let again = CODECS.decode_binary(&written);
    let span = |context: &Context| context.get(Span::key()).context();
    assert_eq!(span(&context), span(&again));
    assert!(span(&context).is_none_or(|span| span.is_valid()));
    // An empty text is as if absent.
    let text = |context: &Context| context.get(&TEXT).clone().filter(|text| !text.is_empty());
    assert_eq!(text(&context), text(&again));
    assert_eq!(CODECS.encode_binary(&again), written);
}
