//! Reads back what was reported of a test's own spans; other tests of the process report too.
#![allow(dead_code)] // Each test uses some.

use kamon::report::outline;
use kamon::trace::SpanRecord;
use kamon::Span;

/// The spans of a trace that are finished by now.
pub(crate) fn trace_of(span: &Span) -> Vec<SpanRecord> {
    kamon::flush();
    let mut spans = kamon::recent_spans();
    spans.retain(|record| record.trace_id == span.trace_id());
    spans
}

/// What was reported of a span.
#[track_caller]
pub(crate) fn record_of(span: &Span) -> SpanRecord {
    let mut spans = trace_of(span);
    spans.retain(|record| record.id == span.id());
    assert_eq!(spans.len(), 1, "the span is reported once: {spans:?}");
    spans.remove(0)
}

/// The one span below this one that is finished by now.
#[track_caller]
pub(crate) fn below(parent: &Span) -> SpanRecord {
    let mut spans = trace_of(parent);
    spans.retain(|span| span.parent_id == Some(parent.id()));
    assert_eq!(spans.len(), 1, "{}", outline(&spans));
    spans.remove(0)
}

/// The spans of a trace that are finished by now, drawn.
pub(crate) fn draw(span: &Span) -> String {
    outline(&trace_of(span))
}

/// Asserts that the trace looks like this. Lines may be indented as far as the second one is.
#[track_caller]
pub(crate) fn assert_trace(span: &Span, expected: &str) {
    let second = expected.lines().nth(1).unwrap_or_default();
    let indent = &second[..second.len() - second.trim_start().len()];
    let lines = expected
        .lines()
        .map(|line| line.strip_prefix(indent).unwrap_or(line));
    let expected = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(draw(span).trim(), expected.trim());
}
