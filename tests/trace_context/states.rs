//! The harness's rules about `tracestate`.

use crate::case::{case, headers, states, Case, Exchange, SPAN, TRACE};

/// A request with one member after another one, neither of which is kept.
fn with_foo(member: String) -> Exchange {
    states(&["foo=1".to_owned(), member])
}

/// The same, and both are kept.
fn keeps_foo(member: String) -> Exchange {
    let kept = format!("foo=1,{member}");
    with_foo(member).keeps(kept)
}

/// So many members, in lists of ten.
fn members(count: usize) -> Vec<String> {
    let members: Vec<String> = (1..=count)
        .map(|number| format!("k{number:02}={number}"))
        .collect();
    members.chunks(10).map(|list| list.join(",")).collect()
}

pub(crate) fn cases() -> Vec<Case> {
    let valid = format!("00-{TRACE}-{SPAN}-00");
    let named = |name| headers(&[("traceparent", &valid), (name, "foo=1")]).goes_on();
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|sign| !",=".contains(*sign)).collect();
    vec![
        case(
            "test_tracestate_included_traceparent_missing",
            ["foo=1", "foo=1,bar=2"].map(|state| headers(&[("tracestate", state)])),
        ),
        case(
            "test_tracestate_included_traceparent_included",
            [states(&["foo=1,bar=2"]).keeps("foo=1,bar=2")],
        ),
        case(
            "test_tracestate_header_name",
            [named("trace-state"), named("trace.state")],
        ),
        case(
            "test_tracestate_header_name_valid_casing",
            ["TraceState", "tRaCeStAtE", "TRACESTATE"].map(|name| named(name).keeps("foo=1")),
        ),
        case(
            "test_tracestate_empty_header",
            [
                states(&[""]),
                states(&["foo=1", ""]).keeps("foo=1"),
                states(&["", "foo=1"]).keeps("foo=1"),
            ],
        ),
        case(
            "test_tracestate_multiple_headers_different_keys",
            [states(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"])
                .keeps("foo=1,bar=2,rojo=1,congo=2,baz=3")],
        ),
        case(
            "test_tracestate_duplicated_keys",
            [
                states(&["foo=1,foo=1"]),
                states(&["foo=1,foo=2"]),
                states(&["foo=1", "foo=1"]),
                states(&["foo=1", "foo=2"]),
                states(&["foo=1,bar=2", "foo=3"]),
            ],
        ),
        case(
            "test_tracestate_all_allowed_characters",
            [key.to_owned(), format!("{key}@a-z0-9_-*/")].map(|key| {
                let member = format!("{key}={value}");
                states(&[&member]).keeps(&member)
            }),
        ),
        case(
            "test_tracestate_ows_handling",
            [
                states(&["foo=1 \t , \t bar=2, \t baz=3"]).keeps("foo=1,bar=2,baz=3"),
                states(&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"]).keeps("foo=1,bar=2,baz=3"),
                states(&[" foo=1"]).keeps("foo=1"),
                states(&["\tfoo=1"]).keeps("foo=1"),
                states(&["foo=1 "]).keeps("foo=1"),
                states(&["foo=1\t"]).keeps("foo=1"),
                states(&["\t foo=1 \t"]).keeps("foo=1"),
            ],
        ),
        case(
            "test_tracestate_key_illegal_characters",
            ["foo =1", "FOO=1", "foo.bar=1", "foo:bar=1", "*foo=1", "=1"].map(with_bar),
        ),
        case(
            "test_tracestate_key_illegal_vendor_format",
            ["foo@=1", "@foo=1", "foo@@bar=1", "foo@bar@baz=1"].map(with_bar),
        ),
        case(
            "test_tracestate_member_count_limit",
            [
                states(&members(32)).keeps(members(32).join(",")),
                states(&members(33)),
            ],
        ),
        case(
            "test_tracestate_key_length_limit",
            [
                keeps_foo(format!("{}=1", "z".repeat(256))),
                with_foo(format!("{}=1", "z".repeat(257))),
                keeps_foo(format!("{}@{}=1", "t".repeat(241), "v".repeat(14))),
                with_foo(format!("{}@v=1", "t".repeat(242))),
                with_foo(format!("t@{}=1", "v".repeat(15))),
            ],
        ),
        case(
            "test_tracestate_value_illegal_characters",
            ["foo=bar=baz", "foo=", "foo", "foo=a\tb"].map(with_bar),
        ),
    ]
}

/// A member that takes another one behind it along.
fn with_bar(member: &str) -> Exchange {
    states(&[format!("{member},bar=2")])
}
