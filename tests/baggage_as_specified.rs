//! Baggage is read and written as its text says, where libraries differ too: the vectors of
//! `tests/vectors/http_headers.json`.

mod vectors;

use kamon::propagation::{Baggage, Codecs};
use kamon::Context;
use serde_json::Value;

use crate::vectors::{load, pairs, section, text};

fn codecs() -> Codecs {
    Codecs::builder()
        .http_headers("baggage", ["baggage"])
        .build()
}

fn encoded(context: &Context) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    codecs().encode_headers(context, &mut headers);
    headers
}

fn same_text(ours: &str, theirs: &Value) -> bool {
    match theirs.as_str() {
        Some(theirs) => ours == theirs,
        None => theirs["@len"] == ours.len() && ours.starts_with(text(theirs, "prefix")),
    }
}

#[test]
fn it_is_read() {
    let file = load("http_headers.json");
    for case in section(&file, "baggage_in") {
        let (name, headers) = (text(case, "name"), pairs(&case["headers"]));
        let context = codecs().decode_headers(&headers);
        let ours: Vec<(&str, &str)> = context.get(Baggage::key()).iter().collect();
        let spec = &case["spec"]["entries"];
        // Bad members are left out and take no other with them.
        let (theirs, count) = match spec.as_array() {
            Some(entries) => (entries, entries.len()),
            None => (
                spec["first"].as_array().unwrap(),
                spec["@items"].as_u64().unwrap() as usize,
            ),
        };
        for (ours, theirs) in ours.iter().zip(theirs) {
            let same = ours.0 == theirs["key"] && same_text(ours.1, &theirs["value"]);
            assert!(same, "{name}: {ours:?} {theirs}");
        }
        let bytes: usize = headers
            .iter()
            .map(|(_, value)| value.len() + 1)
            .sum::<usize>()
            - 1;
        if count <= 180 && bytes <= 8192 {
            assert_eq!(ours.len(), count, "{name}");
        } else {
            assert!(
                ours.len() <= 180 && (ours.len() >= 64 || bytes > 8192),
                "{name}"
            );
            assert!(ours.len() < count && !ours.is_empty(), "{name}");
        }
        let sent = encoded(&context);
        for member in theirs
            .iter()
            .filter(|member| member["properties"].is_array())
        {
            // They are handed on as they came.
            let print = |property: &Value| match property[1].as_str() {
                Some(value) => format!(";{}={value}", property[0].as_str().unwrap()),
                None => format!(";{}", property[0].as_str().unwrap()),
            };
            let properties = member["properties"].as_array().unwrap().iter();
            let properties: String = properties.map(print).collect();
            let value = text(member, "value");
            assert!(
                sent[0].1.contains(&format!("={value}{properties}")),
                "{name}: {sent:?}"
            );
        }
        assert!(sent.iter().all(|(_, value)| value.len() <= 8192), "{name}");
        assert_eq!(
            codecs().decode_headers(&sent).get(Baggage::key()),
            context.get(Baggage::key()),
            "{name}"
        );
    }
}

#[test]
fn it_is_written_so_that_it_is_read() {
    let file = load("http_headers.json");
    for case in section(&file, "otel_out") {
        if case["codec"] == "baggage" {
            is_written(text(case, "name"), case);
        }
    }
}

fn is_written(name: &str, case: &Value) {
    let Some(entries) = case["baggage"].as_array() else {
        return;
    };
    let entries = entries.iter().filter(|entry| entry["value"].is_string());
    let baggage = entries.fold(Baggage::default(), |baggage, entry| {
        baggage.with(text(entry, "key"), text(entry, "value"))
    });
    let context = Context::empty().with_key(Baggage::key(), baggage.clone());
    let ours = encoded(&context);
    let again = codecs().decode_headers(&ours);
    // Keys that are no tokens cannot be sent, says the text.
    let token = |key: &str| key.is_ascii() && !key.contains(' ');
    let sent: Vec<_> = baggage.iter().filter(|(key, _)| token(key)).collect();
    assert_eq!(
        again.get(Baggage::key()).iter().collect::<Vec<_>>(),
        sent,
        "{name}: {ours:?}"
    );
    if name == "comma semicolon equals percent" {
        // Where the text allows more than one spelling, another one than theirs: `=` stands for itself.
        assert_eq!(ours[0].1, "k=%2C%3B=%25");
    }
}
