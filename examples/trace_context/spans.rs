//! The spans of a trace as this process knows them, for whoever compares both ends of a call.

use kamon::report::embedded;
use kamon::{SpanKind, TraceId};
use serde_json::{json, Value};

/// Tells of the spans of a trace that are finished by now.
///
/// # Errors
///
/// Says in one line why this is no trace's id.
pub(crate) fn of_trace(trace: &str) -> Result<Value, String> {
    let trace_id = TraceId::from_hex(trace).map_err(|error| format!("`{trace}`: {error}"))?;
    kamon::flush();
    let spans = embedded().trace(trace_id);
    let told = spans.iter().map(|span| {
        json!({
            "service": "kamon",
            "name": span.operation,
            "kind": match span.kind {
                SpanKind::Server => "server",
                SpanKind::Client => "client",
                _ => "other",
            },
            "id": span.id.to_string(),
            "parent_id": span.parent_id.map(|id| id.to_string()),
        })
    });
    Ok(told.collect())
}
