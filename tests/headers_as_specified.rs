//! The headers of a span are read as the text of their specification says, where libraries differ too:
//! the vectors of `tests/vectors/http_headers.json`.

mod vectors;

use kamon::propagation::{trace_state, Codecs};
use kamon::{Context, SamplingDecision, Span, SpanContext, SpanId, TraceId};
use serde_json::Value;

use crate::vectors::{load, pairs, section, text};

type Headers = Vec<(String, String)>;

fn codecs(codec: &str) -> Codecs {
    Codecs::builder().http_headers("span", [codec]).build()
}

fn encoded(codec: &str, context: &Context) -> Headers {
    let mut headers = Headers::new();
    codecs(codec).encode_headers(context, &mut headers);
    headers.sort();
    headers
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| &**value)
}

/// The ids as the text writes them; zeros are no ids, which B3's text does not say.
fn ids(trace_id: &str, id: &str) -> Option<(u128, u64)> {
    let ids = (
        u128::from_str_radix(trace_id, 16).unwrap(),
        u64::from_str_radix(id, 16).unwrap(),
    );
    (ids.0 != 0 && ids.1 != 0).then_some(ids)
}

fn ids_of(span: &Span) -> Option<(u128, u64)> {
    (!span.is_empty()).then(|| (span.trace_id().get(), span.id().get()))
}

/// A span that another process told of.
fn remote(span: &Value) -> Context {
    let bits = |key: &str| u128::from_str_radix(text(span, key), 16).unwrap_or(0);
    let sampling = match (text(span, "sampling"), span["flags"].as_u64()) {
        ("sample", _) => SamplingDecision::Sample,
        ("do-not-sample", _) => SamplingDecision::DoNotSample,
        ("unknown", _) => SamplingDecision::Unknown,
        (_, Some(flags)) if flags & 1 == 1 => SamplingDecision::Sample,
        _ => SamplingDecision::DoNotSample,
    };
    let id = SpanId::new(bits("span_id") as u64);
    let context = SpanContext::new(TraceId::new(bits("trace_id")), id)
        .with_parent(SpanId::new(bits("parent_id") as u64))
        .with_sampling(sampling);
    Context::empty().with_key(Span::key(), Span::remote(context))
}

#[test]
fn traceparent() {
    let file = load("http_headers.json");
    for case in section(&file, "w3c_traceparent_in") {
        let name = text(case, "name");
        let context = codecs("w3c").decode_headers(&pairs(&case["headers"]));
        let (span, spec) = (context.get(Span::key()), &case["spec"]["traceparent"]);
        if spec["verdict"] != "accept" {
            assert_eq!(
                spec["why"].is_string(),
                spec["verdict"] == "reject",
                "{name}"
            );
            assert!(context.is_empty(), "{name}: {span:?}");
            continue;
        }
        let expected = ids(text(spec, "trace_id"), text(spec, "parent_id"));
        assert_eq!(ids_of(span), expected, "{name}");
        assert_eq!(span.is_sampled(), spec["sampled"], "{name}");
        // What is sent on is version 00, with the bits of which it is known what they say.
        let (sampled, random) = (spec["sampled"] == true, spec["random"] == true);
        let flags = u8::from(sampled) | u8::from(random) << 1;
        let (trace_id, id) = expected.unwrap();
        assert_eq!(
            encoded("w3c", &context),
            [(
                "traceparent".into(),
                format!("00-{trace_id:032x}-{id:016x}-{flags:02x}")
            )],
            "{name}"
        );
    }
}

/// The list as it is sent on, if it is within the limits.
fn whole_list(headers: &Headers) -> String {
    let lists = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("tracestate"));
    let members = lists.flat_map(|(_, list)| list.split(','));
    let members = members.map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    members.join(",")
}

#[test]
fn tracestate() {
    let file = load("http_headers.json");
    for case in section(&file, "w3c_tracestate_in") {
        let (name, headers) = (text(case, "name"), pairs(&case["headers"]));
        let context = codecs("w3c").decode_headers(&headers);
        let spec = &case["spec"]["tracestate"];
        // A state that is malformed leaves the traceparent in force.
        let accepted = case["spec"]["traceparent"]["verdict"] == "accept";
        assert_eq!(context.get(Span::key()).is_empty(), !accepted, "{name}");

        let whole = whole_list(&headers);
        let state = trace_state(&context);
        // Where both levels have an at sign and differ, Level 1 is followed.
        let differ = spec["level1"].is_string();
        match text(spec, "verdict") {
            "valid" if differ && whole.contains('@') => assert_eq!(state, None, "{name}"),
            "valid" if whole.len() <= 512 => assert_eq!(state, Some(&*whole), "{name}"),
            "valid" => {
                let state = state.unwrap();
                let members: Vec<&str> = state.split(',').collect();
                assert!(
                    (250..=512).contains(&state.len()),
                    "{name}: {}",
                    state.len()
                );
                let mut all = whole.split(',');
                assert!(
                    members.iter().all(|one| all.any(|other| other == *one)),
                    "{name}"
                );
                // Long members go first; then, while it is still too much, the last ones.
                let short = |members: &[&'_ str]| members.iter().filter(|m| m.len() <= 128).count();
                let all: Vec<&str> = whole.split(',').collect();
                let long_left = members.iter().any(|member| member.len() > 128);
                let kept = all
                    .iter()
                    .filter(|member| member.len() <= 128)
                    .take(short(&members));
                assert!(
                    kept.copied()
                        .eq(members.iter().copied().filter(|m| m.len() <= 128)),
                    "{name}"
                );
                assert!(!long_left || short(&members) == short(&all), "{name}");
            }
            _ => assert_eq!(state, None, "{name}"),
        }
        // Never an empty header, which the text would rather not see.
        assert_eq!(
            header(&encoded("w3c", &context), "tracestate"),
            state,
            "{name}"
        );
    }
}

fn decision_of(spec: &Value) -> SamplingDecision {
    match text(spec, "sampling") {
        "accept" | "debug" => SamplingDecision::Sample,
        "deny" => SamplingDecision::DoNotSample,
        "defer" => SamplingDecision::Unknown,
        other => panic!("{spec}: {other}"),
    }
}

/// A decision that comes without a span, which no library keeps.
fn decides_of_the_next_trace(codec: &str, context: &Context, spec: &Value) {
    let decision = decision_of(spec);
    // Whatever is suggested.
    let suggestions = [SamplingDecision::Sample, SamplingDecision::DoNotSample];
    let other = suggestions[usize::from(decision == suggestions[0])];
    let span = kamon::with_context(context.clone(), || {
        kamon::build_span("first").with_sampling(other).start()
    });
    assert_eq!(span.sampling_decision(), decision, "{codec}: {spec}");
    assert_eq!(span.parent_id(), None);
    span.finish();
    let free = kamon::with_context(context.clone(), || {
        let builder = kamon::build_span("of its own").ignore_parent_from_context();
        builder.with_sampling(other).start()
    });
    assert_eq!(free.sampling_decision(), other, "{codec}: {spec}");
    free.finish();
    // Who begins no trace hands it on, and the trace has it all the way.
    for (context, ids) in [
        (context.clone(), false),
        (context.with_key(Span::key(), span), true),
    ] {
        let sent = encoded(codec, &context);
        let again = codecs(codec).decode_headers(&sent);
        assert_eq!(!again.get(Span::key()).is_empty(), ids, "{sent:?}");
        let (name, written) = match (codec, text(spec, "sampling")) {
            ("b3", "debug") => ("X-B3-Flags", "1"),
            ("b3", "deny") => ("X-B3-Sampled", "0"),
            ("b3", _) => ("X-B3-Sampled", "1"),
            (_, "deny") => ("b3", "0"),
            (_, "debug") => ("b3", "d"),
            _ => ("b3", "1"),
        };
        let said = header(&sent, name).unwrap();
        assert_eq!(said.rsplit('-').next(), Some(written), "{sent:?}");
        assert_eq!(
            sent.len(),
            if ids && codec == "b3" { 3 } else { 1 },
            "{sent:?}"
        );
    }
}

#[test]
fn b3_in_several_headers_and_in_one() {
    let file = load("http_headers.json");
    for (cases, codec) in [("b3_multi_in", "b3"), ("b3_single_in", "b3-single")] {
        for case in section(&file, cases) {
            let name = text(case, "name");
            let context = codecs(codec).decode_headers(&pairs(&case["headers"]));
            let (span, spec) = (context.get(Span::key()), &case["spec"]);
            let expected = match text(spec, "verdict") {
                "accept" => ids(text(spec, "trace_id"), text(spec, "span_id")),
                _ => None,
            };
            assert_eq!(ids_of(span), expected, "{codec}: {name}");
            if text(spec, "verdict") == "sampling-only" {
                decides_of_the_next_trace(codec, &context, spec);
                continue;
            }
            if expected.is_none() {
                assert!(context.is_empty(), "{codec}: {name}");
                continue;
            }
            let decision = decision_of(spec);
            assert_eq!(span.sampling_decision(), decision, "{codec}: {name}");
            let parent = SpanId::from_hex(text(spec, "parent_id")).ok();
            assert_eq!(span.parent_id(), parent, "{codec}: {name}");

            // And all of it goes on, debug too; only a single header has no place for a parent
            // without a decision.
            let again = codecs(codec).decode_headers(&encoded(codec, &context));
            let again_span = again.get(Span::key());
            assert_eq!(
                (again_span, again_span.sampling_decision()),
                (span, decision),
                "{name}"
            );
            let debug = match codec {
                "b3" => header(&encoded(codec, &again), "x-b3-flags") == Some("1"),
                _ => encoded(codec, &again)[0].1.contains("-d"),
            };
            assert_eq!(debug, spec["sampling"] == "debug", "{codec}: {name}");
        }
    }
}

#[test]
fn what_opentelemetry_writes_we_write() {
    let file = load("http_headers.json");
    for case in section(&file, "otel_out") {
        let (name, codec) = (text(case, "name"), text(case, "codec"));
        if codec == "baggage" {
            continue;
        }
        let mut context = remote(&case["span"]);
        if codec == "w3c" {
            // Flags and state are a process's that asked us.
            let span = &case["span"];
            let flags = span["flags"].as_u64().unwrap();
            let ids = [text(span, "trace_id"), text(span, "span_id")];
            let parent = format!("00-{}-{}-{flags:02x}", ids[0], ids[1]);
            let asked = [
                ("traceparent", &*parent),
                ("tracestate", text(span, "tracestate")),
            ];
            context = codecs("w3c").decode_headers(&asked);
        }
        let ours = encoded(codec, &context);
        let span = context.get(Span::key());
        if text(&case["span"], "span_id")
            .chars()
            .all(|digit| digit == '0')
            || text(&case["span"], "trace_id")
                .chars()
                .all(|digit| digit == '0')
        {
            assert!(ours.is_empty(), "{name}: {ours:?}");
            continue;
        }
        if codec == "w3c" {
            // Libraries disagree about the flags; the text has only these two bits sent on.
            let flags = case["span"]["flags"].as_u64().unwrap() & 3;
            let expected = format!("00-{:032x}-{}-{flags:02x}", span.trace_id(), span.id());
            assert_eq!(ours, [("traceparent".into(), expected)], "{name}");
            continue;
        }
        // B3 has two spellings of a trace id with sixteen zeros before it.
        let theirs = pairs(&case["results"]["kamon-2.8.0"]["headers"]);
        let short = |(key, value): &(String, String)| {
            (
                key.to_lowercase(),
                value.trim_start_matches("0000000000000000").to_owned(),
            )
        };
        let mut theirs: Headers = theirs.iter().map(short).collect();
        theirs.sort();
        let mut ours: Headers = ours.iter().map(short).collect();
        ours.sort();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn what_kamon_writes_we_write() {
    let file = load("http_headers.json");
    let mut compared = 0;
    let cases = section(&file, "kamon_span_writers").iter();
    for case in cases.chain(section(&file, "kamon_1_1_6_writers")) {
        let codec = text(case, "codec");
        if !["w3c", "b3", "b3-single"].contains(&codec) || !text(case, "tracestate").is_empty() {
            continue;
        }
        let unknown = case["span"]["sampling"] == "unknown";
        if codec == "b3-single" && unknown && !text(&case["span"], "parent_id").is_empty() {
            // Kamon puts the parent where the decision belongs, and nobody can read it.
            continue;
        }
        let mut theirs: Headers = pairs(&case["headers"]);
        theirs.retain(|(name, value)| !(name == "tracestate" && value.is_empty()));
        let lower = |headers: Headers| {
            let lower = headers
                .into_iter()
                .map(|(name, value)| (name.to_lowercase(), value));
            let mut lower: Headers = lower.collect();
            lower.sort();
            lower
        };
        let ours = encoded(codec, &remote(&case["span"]));
        assert_eq!(lower(ours), lower(theirs.clone()), "{case}");
        let again = codecs(codec).decode_headers(&theirs);
        assert_eq!(
            again.get(Span::key()),
            remote(&case["span"]).get(Span::key()),
            "{case}"
        );
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}
