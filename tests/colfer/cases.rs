//! The cases: what Kamon's generated classes wrote, read and refused.

use serde_json::Value;

use crate::propagation::colfer::error::ColferError;
use crate::propagation::colfer::message::Message;
use crate::propagation::colfer::span::SpanFields;
use crate::propagation::colfer::tags::Tags;

fn sections(names: &[&str]) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/kamon_binary.json"
    );
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = names.iter().flat_map(|name| file[name].as_array().unwrap());
    cases.cloned().collect()
}

/// `@rep:UNIT:N`, or plain text.
fn repeated(text: &str) -> String {
    match text
        .strip_prefix("@rep:")
        .and_then(|rep| rep.split_once(':'))
    {
        Some((unit, times)) => unit.repeat(times.parse().unwrap()),
        None => text.to_owned(),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().map(repeated).collect();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], |list| list)
}

/// What the class wrote: all of it, or its length and both ends.
fn assert_written(written: Result<Vec<u8>, ColferError>, case: &Value) {
    let expected = &case["expected"];
    if expected["exception"].is_string() {
        // A buffer that was too small is the caller's business here.
        let too_small = expected["exception"] == "java.nio.BufferOverflowException";
        assert_eq!(written.is_err(), !too_small, "{case}");
        return;
    }
    let written = written.unwrap();
    assert_eq!(written.len() as u64, expected["len"], "{}", case["name"]);
    let ends = hex(&written);
    match expected["hex"].as_str() {
        Some(all) => assert_eq!(ends, hex(&bytes(all)), "{}", case["name"]),
        None => {
            assert!(ends.starts_with(text(expected, "hex_prefix")), "{case}");
            assert!(ends.ends_with(text(expected, "hex_suffix")), "{case}");
        }
    }
}

/// What the class threw.
fn assert_refused(error: ColferError, case: &Value) {
    let message = case["expected"]["message"].as_str().unwrap_or_default();
    match error {
        ColferError::Short => {
            assert_eq!(
                case["expected"]["exception"], "java.nio.BufferUnderflowException",
                "{case}"
            )
        }
        ColferError::Header { .. } => assert_eq!(message, format!("colfer: {error}"), "{case}"),
        ColferError::Large => {
            assert_eq!(
                case["expected"]["exception"], "java.lang.SecurityException",
                "{case}"
            )
        }
    }
}

#[test]
fn spans_are_written() {
    for case in sections(&["span_encode"]) {
        let input = &case["input"];
        let [trace_id, id, parent_id] =
            ["traceID", "spanID", "parentID"].map(|key| bytes(text(input, key)));
        let span = SpanFields {
            trace_id: &trace_id,
            id: &id,
            parent_id: &parent_id,
            sampling: input["samplingDecision"].as_u64().unwrap() as u8,
        };
        assert_written(span.encode(), &case);
    }
}

#[test]
fn spans_are_read() {
    for case in sections(&["span_decode"]) {
        let bytes = bytes(text(&case, "hex"));
        let span = match SpanFields::decode(&bytes) {
            Ok(span) => span,
            Err(error) => {
                assert_refused(error, &case);
                continue;
            }
        };
        let expected = &case["expected"]["value"];
        assert_eq!(hex(span.trace_id), text(expected, "traceID"), "{case}");
        assert_eq!(hex(span.id), text(expected, "spanID"), "{case}");
        assert_eq!(hex(span.parent_id), text(expected, "parentID"), "{case}");
        assert_eq!(
            u64::from(span.sampling),
            expected["samplingDecision"],
            "{case}"
        );
    }
}

/// The struct that a vector describes; its entries' bytes are put aside.
fn message<'a>(input: &Value, values: &'a [Vec<u8>]) -> Message<'a> {
    let key = |one: &Value| repeated(text(one, "key")).into();
    let strings = |one: &Value| (key(one), repeated(text(one, "value")).into());
    let longs = |one: &Value| (key(one), one["value"].as_i64().unwrap());
    let booleans = |one: &Value| (key(one), one["value"].as_bool().unwrap());
    let tags = input["tags"].is_object().then(|| Tags {
        strings: list(&input["tags"], "strings")
            .iter()
            .map(strings)
            .collect(),
        longs: list(&input["tags"], "longs").iter().map(longs).collect(),
        booleans: list(&input["tags"], "booleans")
            .iter()
            .map(booleans)
            .collect(),
    });
    let keys = list(input, "entries").iter().map(key);
    let entries = keys.zip(values.iter().map(|value| &value[..])).collect();
    Message { tags, entries }
}

fn values(input: &Value) -> Vec<Vec<u8>> {
    let entries = list(input, "entries").iter();
    entries.map(|entry| bytes(text(entry, "value"))).collect()
}

#[test]
fn contexts_are_written() {
    let mut skipped = 0;
    for case in sections(&["context2_encode", "limits"]) {
        let surrogate = text(&case, "name").contains("surrogate");
        if case["class"] == "Span" || case["input"].is_null() || surrogate {
            // Spans have a test of their own, and no text of Rust's has half a character in it.
            skipped += 1;
            continue;
        }
        let values = values(&case["input"]);
        assert_written(message(&case["input"], &values).encode(), &case);
    }
    assert!(skipped < 20, "{skipped}");
}

#[test]
fn contexts_are_read() {
    for case in sections(&["context2_decode"]) {
        let bytes = bytes(text(&case, "hex"));
        let message_read = match Message::decode(&bytes) {
            Ok(message) => message,
            Err(error) => {
                assert_refused(error, &case);
                continue;
            }
        };
        if text(&case, "hex").contains("eda080") {
            // Half a character is replaced by one U+FFFD on the JVM and by one a byte here.
            continue;
        }
        let expected = &case["expected"]["value"];
        let values = values(expected);
        assert_eq!(message_read, message(expected, &values), "{case}");
    }
}

#[test]
fn limits_are_those_of_the_format() {
    let elements = |count: usize| Message {
        entries: vec![("".into(), &[][..]); count],
        tags: None,
    };
    assert_eq!(elements(65_536).encode().unwrap().len(), 65_541);
    assert_eq!(elements(65_537).encode(), Err(ColferError::Large));
    let most = vec![0; 16 * 1024 * 1024];
    let one = |value| Message::of_entries([("", value)].into_iter()).encode();
    let written = one(&most[..]).unwrap();
    // It may be written and not be read back: the entry around it is larger.
    assert_eq!(Message::decode(&written), Err(ColferError::Large));
    let more = vec![0; most.len() + 1];
    assert_eq!(one(&more[..]), Err(ColferError::Large));
}
