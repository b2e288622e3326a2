//! What the harness does not look at, from the text of the specification.

use crate::case::{case, headers, parent, states, Case, Exchange, SPAN, TRACE};

fn flags(flags: &str) -> Exchange {
    parent(&format!("00-{TRACE}-{SPAN}-{flags}"))
}

/// A member of so many characters.
fn member(key: &str, length: usize) -> String {
    let value = "v".repeat(length - key.len() - 1);
    format!("{key}={value}")
}

pub(crate) fn cases() -> Vec<Case> {
    let valid = format!("00-{TRACE}-{SPAN}-01");
    vec![
        case(
            "hex is lower case",
            [
                parent(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase())),
                parent(&format!("00-{TRACE}-{}-01", SPAN.to_uppercase())),
                parent(&format!("CC-{TRACE}-{SPAN}-01")),
                flags("0A"),
            ],
        ),
        case(
            "the sampled flag goes on as it came",
            [
                flags("00").goes_on().flags("00"),
                flags("01").goes_on().flags("01"),
            ],
        ),
        case(
            "of bits that mean nothing yet nothing goes on",
            [
                flags("04").goes_on().flags("00"),
                flags("fc").goes_on().flags("00"),
                flags("fd").goes_on().flags("01"),
                flags("ff").goes_on().flags("03"),
            ],
        ),
        case(
            "of a later version what is known is taken, and version 00 goes on",
            [parent(&format!("cc-{TRACE}-{SPAN}-ff-more"))
                .goes_on()
                .flags("03")],
        ),
        case(
            "what is there several times is one list, and no traceparent is one",
            [
                parent(&format!("{valid}, {valid}")),
                parent(&format!("{valid},")),
                headers(&[("traceparent", &valid), ("traceparent", "")]),
            ],
        ),
        case("an empty traceparent is none", [parent(""), parent(" \t ")]),
        case(
            "a bad state leaves the parent in force, a bad parent takes the state along",
            [
                states(&["FOO=1"]),
                headers(&[("traceparent", "00"), ("tracestate", "foo=1")]),
            ],
        ),
        case(
            "a value has 256 characters at most",
            [
                states(&[member("foo", 260)]).keeps(member("foo", 260)),
                states(&[member("foo", 261)]),
                states(&["foo=".to_owned()]),
            ],
        ),
        case(
            "blanks belong to a value, but for those behind it",
            [
                states(&["foo=  a b "]).keeps("foo=  a b"),
                states(&["foo= "]),
            ],
        ),
        case(
            "a key may begin with a digit",
            [states(&["1a=1"]).keeps("1a=1")],
        ),
        case(
            "512 characters are kept; of more, long members go first, and then the last ones",
            [
                states(&[member("a", 255), member("b", 256)])
                    .keeps([member("a", 255), member("b", 256)].join(",")),
                states(&[member("a", 256), member("b", 256)]).keeps(member("a", 256)),
                states(&[
                    member("a", 200),
                    member("b", 128),
                    member("c", 128),
                    member("d", 128),
                ])
                .keeps([member("b", 128), member("c", 128), member("d", 128)].join(",")),
                states(
                    &(1..=5)
                        .map(|n| member(&format!("k{n}"), 128))
                        .collect::<Vec<_>>(),
                )
                .keeps(
                    (1..=3)
                        .map(|n| member(&format!("k{n}"), 128))
                        .collect::<Vec<_>>()
                        .join(","),
                ),
            ],
        ),
        case(
            "an empty state is no state",
            [
                states(&[""]),
                states(&[" \t"]),
                states(&[",,"]),
                states(&["", ""]),
            ],
        ),
    ]
}
