//! The harness's rules about `traceparent`, and about several calls.

use crate::case::{case, headers, parent, Case, Exchange, SPAN, TRACE};

/// A value with these four fields and nothing else to it.
fn fields(version: &str, trace: &str, span: &str, flags: &str) -> Exchange {
    parent(&format!("{version}-{trace}-{span}-{flags}"))
}

/// The trace's id with a part of it replaced.
fn trace(range: std::ops::Range<usize>, with: &str) -> String {
    let mut trace = TRACE.to_owned();
    trace.replace_range(range, with);
    trace
}

/// The span's id with a part of it replaced.
fn span(range: std::ops::Range<usize>, with: &str) -> String {
    let mut span = SPAN.to_owned();
    span.replace_range(range, with);
    span
}

pub(crate) fn cases() -> Vec<Case> {
    let valid = format!("00-{TRACE}-{SPAN}-01");
    let named = |name| headers(&[(name, &valid)]);
    let zeros = "0".repeat(32);
    vec![
        case(
            "test_both_traceparent_and_tracestate_missing",
            [headers(&[])],
        ),
        case(
            "test_traceparent_included_tracestate_missing",
            [parent(&valid).goes_on()],
        ),
        case(
            "test_traceparent_duplicated",
            [
                headers(&[("traceparent", &valid), ("traceparent", &valid)]),
                headers(&[
                    ("traceparent", &valid),
                    ("traceparent", &format!("00-{}-{SPAN}-01", trace(0..1, "5"))),
                ]),
            ],
        ),
        case(
            "test_traceparent_header_name",
            [named("trace-parent"), named("trace.parent")],
        ),
        case(
            "test_traceparent_header_name_valid_casing",
            ["TraceParent", "tRaCePaReNt", "TRACEPARENT"].map(|name| named(name).goes_on()),
        ),
        case(
            "test_traceparent_version_0x00",
            [".", "-", "-more", "-01", "0"].map(|more| parent(&format!("{valid}{more}"))),
        ),
        case(
            "test_traceparent_version_0xcc",
            [
                fields("cc", TRACE, SPAN, "01").goes_on(),
                fields("cc", TRACE, SPAN, "01-more").goes_on(),
                fields("cc", TRACE, SPAN, "01.more"),
            ],
        ),
        case(
            "test_traceparent_version_0xff",
            ["01", "01-more"].map(|flags| fields("ff", TRACE, SPAN, flags)),
        ),
        case(
            "test_traceparent_version_illegal_characters",
            [".0", "0.", "0x", "  "].map(|version| fields(version, TRACE, SPAN, "01")),
        ),
        case(
            "test_traceparent_version_too_long",
            ["000", "0000"].map(|version| fields(version, TRACE, SPAN, "01")),
        ),
        case(
            "test_traceparent_version_too_short",
            [fields("0", TRACE, SPAN, "01")],
        ),
        case(
            "test_traceparent_trace_id_all_zero",
            [fields("00", &zeros, SPAN, "01")],
        ),
        case(
            "test_traceparent_trace_id_illegal_characters",
            [
                trace(0..1, "."),
                trace(31..32, "."),
                trace(7..8, "g"),
                trace(7..8, " "),
            ]
            .map(|trace| fields("00", &trace, SPAN, "01")),
        ),
        case(
            "test_traceparent_trace_id_too_long",
            [
                fields("00", &trace(0..0, "1"), SPAN, "01"),
                fields("00", &trace(32..32, "1"), SPAN, "01"),
            ],
        ),
        case(
            "test_traceparent_trace_id_too_short",
            [fields("00", &TRACE[1..], SPAN, "01")],
        ),
        case(
            "test_traceparent_parent_id_all_zero",
            [fields("00", TRACE, &zeros[16..], "01")],
        ),
        case(
            "test_traceparent_parent_id_illegal_characters",
            [
                span(0..1, "."),
                span(15..16, "."),
                span(7..8, "g"),
                span(7..8, " "),
            ]
            .map(|span| fields("00", TRACE, &span, "01")),
        ),
        case(
            "test_traceparent_parent_id_too_long",
            [fields("00", TRACE, &span(0..0, "1"), "01")],
        ),
        case(
            "test_traceparent_parent_id_too_short",
            [fields("00", TRACE, &SPAN[1..], "01")],
        ),
        case(
            "test_traceparent_trace_flags_illegal_characters",
            [".0", "0.", "0g", "+1"].map(|flags| fields("00", TRACE, SPAN, flags)),
        ),
        case(
            "test_traceparent_trace_flags_too_long",
            [fields("00", TRACE, SPAN, "001")],
        ),
        case(
            "test_traceparent_trace_flags_too_short",
            [fields("00", TRACE, SPAN, "1")],
        ),
        case(
            "test_traceparent_ows_handling",
            [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")]
                .map(|(before, behind)| parent(&format!("{before}{valid}{behind}")).goes_on()),
        ),
        case(
            "test_multiple_requests_with_valid_traceparent",
            [parent(&valid).goes_on().calls(3)],
        ),
        case(
            "test_multiple_requests_without_traceparent",
            [headers(&[]).calls(3)],
        ),
        case(
            "test_multiple_requests_with_illegal_traceparent",
            [fields("00", &zeros, SPAN, "01").calls(3)],
        ),
        // Level 2.
        case(
            "test_propagates_random_flag",
            [
                fields("00", TRACE, SPAN, "02").goes_on().flags("02"),
                fields("00", TRACE, SPAN, "03").goes_on().flags("03"),
            ],
        ),
    ]
}
