//! The conformance service of `examples/trace_context`, held to W3C's Trace Context: the rules of the
//! working group's test harness by its own names, and what that does not look at.
#![cfg(feature = "http")]

#[path = "../examples/trace_context/calls.rs"]
mod calls;
#[path = "trace_context/case.rs"]
mod case;
#[path = "trace_context/harness.rs"]
mod harness;
#[path = "trace_context/parents.rs"]
mod parents;
#[path = "../examples/trace_context/service.rs"]
mod service;
#[path = "../examples/trace_context/spans.rs"]
mod spans;
#[path = "trace_context/states.rs"]
mod states;
#[path = "trace_context/unasked.rs"]
mod unasked;
mod web;
mod witness;

use std::collections::HashSet;

use case::Case;
use harness::Harness;
use witness::on_each;

/// Tries all cases on the service. What goes wrong is told of all of them.
fn hold(cases: &[Case]) {
    let mut names = HashSet::new();
    assert!(cases.iter().all(|case| names.insert(case.name)));
    on_each(|runtime| {
        let complaints = runtime.block_on(async {
            let harness = Harness::start().await;
            let mut complaints = Vec::new();
            for case in cases {
                for exchange in &case.exchanges {
                    let seen = harness.try_out(exchange).await;
                    if let Err(complaint) = exchange.check(&seen) {
                        complaints.push(format!("{}: {complaint}\n  {exchange:?}", case.name));
                    }
                }
            }
            complaints
        });
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    });
}

#[test]
fn the_harness_finds_nothing() {
    let cases = [parents::cases(), states::cases()].concat();
    assert_eq!(cases.len(), 41);
    hold(&cases);
}

#[test]
fn nor_does_who_looks_closer() {
    hold(&unasked::cases());
}

/// What the service is asked is answered or refused in words.
#[test]
fn requests_that_make_no_sense_are_refused() {
    witness::workers(1).block_on(async {
        let harness = Harness::start().await;
        for (body, status, why) in [
            ("", "400 Bad Request", "not JSON"),
            ("{}", "400 Bad Request", "not a list of calls: {}"),
            ("[{}]", "400 Bad Request", "a call without a URL: {}"),
            (r#"[{"url": "http://["}]"#, "502 Bad Gateway", "http://["),
            ("null", "200 OK", r#""calls":[]"#),
        ] {
            let answer = harness.post(&[], body).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{answer}"
            );
            assert!(answer.contains(why), "{answer}");
        }
    });
}
