//! The event format that puts the Context on each line.

use std::fmt;

use tracing_core::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::context::{current_context, Context, Key};
use crate::integrations::statement::Fields;
use crate::integrations::tracing::carried::Carried;
use crate::integrations::tracing::shape::{Json, Text};

/// Returns a format that writes what `format` writes, as text, and after it the fields `trace_token`, `trace_id`
/// and `span_id` and those of keys that are chosen with [`ContextFormat::with_key`].
///
/// Whether a line has colours is the layer's to say,
/// [`fmt::Layer::with_ansi`](tracing_subscriber::fmt::Layer::with_ansi). What `format` was told by its own
/// `with_ansi` cannot be asked, and does not count.
///
/// # Examples
///
/// ```
/// use tracing_subscriber::fmt;
///
/// let pretty_much_as_usual = fmt::layer::<tracing_subscriber::Registry>()
///     .compact()
///     .map_event_format(kamon::tracing::text);
/// ```
pub fn text<L, T>(format: Format<L, T>) -> ContextFormat<Format<L, T>>
where
    Format<L, T>: Clone,
{
    ContextFormat {
        // The writer that is handed on cannot say whether colours are wanted.
        colored: Some(format.clone().with_ansi(true)),
        format: format.with_ansi(false),
        json: false,
        fields: Fields::default(),
    }
}

/// Returns a format that writes what `format` writes, which is a JSON object, and in it first the fields
/// `trace_token`, `trace_id` and `span_id` and those of keys that are chosen with [`ContextFormat::with_key`].
///
/// # Examples
///
/// ```
/// use tracing_subscriber::fmt;
///
/// let for_machines = fmt::layer::<tracing_subscriber::Registry>()
///     .json()
///     .map_event_format(kamon::tracing::json);
/// ```
pub fn json<F>(format: F) -> ContextFormat<F> {
    ContextFormat {
        colored: None,
        format,
        json: true,
        fields: Fields::default(),
    }
}

/// Puts the Context on each line: made by [`text`] and [`json`].
///
/// `trace_token` is that of [`trace_token`](crate::propagation::trace_token), or `undefined`; `trace_id` and
/// `span_id` are there where a span is. All values are written as text. The Context is that of the statement:
/// the current one, or the one of the span that the event names as its parent, unless a filter of the layer's own
/// hides that span from it.
#[derive(Debug)]
#[must_use = "a format does nothing until a layer has it"]
pub struct ContextFormat<F> {
    format: F,
    /// The same for terminals.
    colored: Option<F>,
    json: bool,
    fields: Fields,
}

impl<F> ContextFormat<F> {
    /// Adds a field with the value of `key`, by the key's name; the key's default where there is none.
    pub fn with_key<T>(mut self, key: &'static Key<T>) -> Self
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.fields.add_key(key);
        self
    }

    /// Adds a field with the value of `key`, by the key's name, where there is one.
    pub fn with_optional_key<T>(mut self, key: &'static Key<Option<T>>) -> Self
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.fields.add_optional_key(key);
        self
    }
}

impl<S, N, F> FormatEvent<S, N> for ContextFormat<F>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        spans: &FmtContext<'_, S, N>,
        line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let context = context_of(spans, event);
        let mut fields = Vec::new();
        self.fields.each(&context, |name, value| {
            fields.push((name, value));
            Ok::<(), fmt::Error>(())
        })?;
        if self.json {
            let mut line = Json::new(line, fields);
            return self
                .format
                .format_event(spans, Writer::new(&mut line), event);
        }
        let colored = self.colored.as_ref().filter(|_| line.has_ansi_escapes());
        let format = colored.unwrap_or(&self.format);
        let mut line = Text::new(line);
        format.format_event(spans, Writer::new(&mut line), event)?;
        for (name, value) in &fields {
            line.field(name, value)?;
        }
        line.end()
    }
}

/// The Context of the statement.
fn context_of<S, N>(spans: &FmtContext<'_, S, N>, event: &Event<'_>) -> Context
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    let parent = event.parent().and_then(|parent| spans.span(parent));
    let carried = parent.and_then(|parent| parent.extensions().get::<Carried>()?.here());
    carried.unwrap_or_else(current_context)
}
