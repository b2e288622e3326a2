//! What is said of the span of each exchange, on either side.

use crate::integrations::http::naming::Naming;
use crate::integrations::http::words::{self, TagMode, Url};
use crate::integrations::http::RequestHead;
use crate::trace::{Span, SpanBuilder, TagKey, TagValue};

/// What is said of the span of each exchange, on either side.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) naming: Naming,
    pub(super) url: TagMode,
    pub(super) method: TagMode,
    pub(super) status: TagMode,
    /// Whether spans are measured.
    pub(super) metrics: bool,
}

impl Default for Said {
    /// As Kamon's HTTP toolkits have it.
    fn default() -> Self {
        Said {
            naming: Naming::default(),
            url: TagMode::Span,
            method: TagMode::Metric,
            status: TagMode::Metric,
            metrics: true,
        }
    }
}

impl Said {
    /// Starts the span of a request.
    pub(super) fn start(
        &self,
        mut span: SpanBuilder,
        component: &TagKey,
        head: &RequestHead<'_>,
    ) -> Span {
        let method = words::method(head.method());
        // There will be a status too.
        let mut tags = Vec::with_capacity(4);
        tags.push((TagKey::Borrowed("component"), component.clone()));
        if self.method == TagMode::Metric {
            tags.push((TagKey::Borrowed("http.method"), TagKey::Borrowed(method)));
        }
        if self.url == TagMode::Metric {
            let url = TagValue::from(Url(*head)).into_text();
            tags.push((TagKey::Borrowed("http.url"), url));
        }
        span = span.with_first_metric_tags(tags);
        if !self.metrics {
            span = span.disable_metrics();
        }
        let span = span.start();
        if self.method == TagMode::Span {
            span.tag("http.method", method);
        }
        if self.url == TagMode::Span {
            span.tag("http.url", Url(*head));
        }
        span
    }
}
