//! Bytes are what Kamon on the JVM writes and reads: the vectors of its own classes in
//! `tests/vectors/kamon_binary.json`, as far as they are of spans and entries.

mod vectors;

use kamon::propagation::Codecs;
use kamon::{Context, Key, SamplingDecision, Span, SpanContext, SpanId, TraceId};
use serde_json::Value;

use crate::vectors::{bytes, load, section, text};

static STRING: Key<Option<String>> = Key::broadcast_string("string");

fn codecs() -> Codecs {
    Codecs::builder().binary("span", "colfer").build()
}

fn context_with(span: &Value) -> Context {
    let bits = |key: &str| u128::from_str_radix(text(span, key), 16).unwrap_or(0);
    let sampling = match text(span, "sampling") {
        "sample" => SamplingDecision::Sample,
        "do-not-sample" => SamplingDecision::DoNotSample,
        _ => SamplingDecision::Unknown,
    };
    let id = SpanId::new(bits("span_id") as u64);
    let context = SpanContext::new(TraceId::new(bits("trace_id")), id)
        .with_parent(SpanId::new(bits("parent_id") as u64))
        .with_sampling(sampling);
    Context::empty().with_key(Span::key(), Span::remote(context))
}

/// A message with nothing in it but this span entry.
fn message(entry: &[u8]) -> Vec<u8> {
    let mut message = vec![0x01, 0x01, 0x00, 0x04, b's', b'p', b'a', b'n'];
    if !entry.is_empty() {
        message.extend([0x01, u8::try_from(entry.len()).unwrap()]);
        message.extend(entry);
    }
    message.extend([0x7f, 0x7f]);
    message
}

fn assert_span(span: &Span, expected: &Value, case: &Value) {
    // Kamon makes spans of ids that are empty, cut or zero; here they are none.
    let hex = |key: &str| expected[key]["bytes"].as_str().unwrap_or_default();
    let lengths = [
        hex("trace_id").len(),
        hex("span_id").len(),
        hex("parent_id").len(),
    ];
    let zeros = |key: &str| hex(key).bytes().all(|digit| digit == b'0');
    let valid = matches!(lengths, [16 | 32, 16, 0 | 16]) && !zeros("trace_id") && !zeros("span_id");
    if expected.is_null() || !valid {
        assert!(span.is_empty(), "{case}");
        return;
    }
    assert_eq!(span.trace_id().to_string(), hex("trace_id"), "{case}");
    assert_eq!(span.id().to_string(), hex("span_id"), "{case}");
    let parent = span.parent_id().map(|id| id.to_string());
    assert_eq!(parent.unwrap_or_default(), hex("parent_id"), "{case}");
    assert_eq!(
        span.sampling_decision().as_str(),
        text(expected, "sampling"),
        "{case}"
    );
}

#[test]
fn a_span() {
    let file = load("kamon_binary.json");
    let (mut written, mut read) = (0, 0);
    for case in section(&file, "span_entry_codec_2_8_0") {
        match text(case, "op") {
            "span_write" => {
                let entry = bytes(text(&case["result"], "hex"));
                let expected = if entry.is_empty() {
                    Vec::new()
                } else {
                    message(&entry)
                };
                assert_eq!(
                    codecs().encode_binary(&context_with(&case["span"])),
                    expected,
                    "{case}"
                );
                written += 1;
            }
            _ => {
                let context = codecs().decode_binary(&message(&bytes(text(case, "hex"))));
                // A scheme with longer ids takes no short ones there; here both are read.
                let other_scheme = case["scheme"] == "double"
                    && text(case, "hex").starts_with("0008")
                    || case["scheme"] == "single" && text(case, "hex").starts_with("0010");
                if !other_scheme {
                    assert_span(context.get(Span::key()), &case["result"]["span"], case);
                }
                read += 1;
            }
        }
    }
    assert!(written >= 9 && read >= 19, "{written} {read}");
}

#[test]
fn a_context() {
    let file = load("kamon_binary.json");
    let (mut written, mut read) = (0, 0);
    for case in section(&file, "context_2_8_0") {
        let (name, config) = (text(case, "name"), text(case, "config"));
        match text(case, "op") {
            "bin_write" => {
                let upstream = !config.contains("include-upstream-name = no");
                if !case["tags"].is_null() || case["span"].is_null() || upstream {
                    // Of the tags, and of the name of the service among them.
                    continue;
                }
                let mut builder = Codecs::builder().binary("span", "colfer");
                if let Some((_, limit)) = config.split_once("max-outgoing-size = ") {
                    builder = builder.largest_message(limit.trim().parse().unwrap());
                }
                let mut context = context_with(&case["span"]);
                if let Some(text) = case["entry_string"].as_str() {
                    context = context.with_key(&STRING, Some(text.into()));
                }
                let expected = bytes(text(&case["result"], "hex"));
                assert_eq!(builder.build().encode_binary(&context), expected, "{name}");
                written += 1;
            }
            _ => {
                let context = codecs().decode_binary(&bytes(text(case, "hex")));
                assert_span(context.get(Span::key()), &case["result"]["span"], case);
                read += 1;
            }
        }
    }
    assert!(written >= 4 && read >= 12, "{written} {read}");
}

#[test]
fn a_string_key_is_an_entry_of_its_name() {
    let codecs = Codecs::builder().string_key("string", "X-String").build();
    let context = Context::empty().with_key(&STRING, Some("x".into()));
    let written = codecs.encode_binary(&context);
    assert_eq!(written, bytes("01 01 00 06 737472696e67 01 01 78 7f 7f"));
    assert_eq!(
        codecs.decode_binary(&written).get(&STRING).as_deref(),
        Some("x")
    );
}

#[test]
fn messages_of_older_kamons_are_as_if_absent() {
    let file = load("kamon_binary.json");
    let cases = section(&file, "context1_2_milestones_and_cross_version");
    let mut read = 0;
    for case in cases
        .iter()
        .filter(|case| text(case, "name").ends_with("read by 2.x"))
    {
        assert!(
            codecs().decode_binary(&bytes(text(case, "hex"))).is_empty(),
            "{case}"
        );
        read += 1;
    }
    for case in section(&file, "context_1_1_6") {
        let hex = text(case, "hex");
        if case["op"] == "bin_read" && !hex.is_empty() && !text(case, "name").contains("2.x") {
            assert!(codecs().decode_binary(&bytes(hex)).is_empty(), "{case}");
            read += 1;
        }
    }
    assert!(read > 5, "{read}");
}
