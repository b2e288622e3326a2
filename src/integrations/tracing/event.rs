//! Events, as marks of the kamon span in which they happen.

use tracing_core::{Event, Level};

use crate::integrations::tracing::tags::Tags;
use crate::trace::{Span, TagValue};

/// Marks the time of the event, by its message. An error that says which, as
/// `#[instrument(err)]` does, also fails the span.
pub(super) fn mark(span: &Span, event: &Event<'_>) {
    if span.is_empty() || span.is_remote() || span.is_finished() {
        return;
    }
    let (mut message, mut error) = (None, None);
    event.record(&mut Tags(|name, value: TagValue| match name {
        "message" => message = Some(value.into_text()),
        "error" => error = Some(value.into_text()),
        _ => {}
    }));
    let metadata = event.metadata();
    let said = message.or_else(|| error.clone());
    span.mark(said.unwrap_or_else(|| metadata.name().into()));
    if let (Some(error), &Level::ERROR) = (error, metadata.level()) {
        span.fail(error);
    }
}
