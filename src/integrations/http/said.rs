//! What is said of the span of each exchange, on either side.

use crate::integrations::http::naming::Naming;
use crate::integrations::http::words::{self, TagMode};
use crate::integrations::http::RequestHead;
use crate::trace::{Saying, Span, SpanBuilder, TagKey};

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
    /// Starts the span of a request, of which this is said first.
    pub(super) fn start(
        &self,
        mut span: SpanBuilder,
        component: &TagKey,
        head: &RequestHead<'_>,
        first: impl FnOnce(&mut Saying<'_>),
    ) -> Span {
        if !self.metrics {
            span = span.disable_metrics();
        }
        let mut span = span.start();
        span.say(|saying| {
            first(saying);
            saying.tag_metric("component", component.clone());
            let method = words::method(head.method());
            match self.method {
                TagMode::Metric => saying.tag_metric("http.method", method.into()),
                TagMode::Span => saying.tag("http.method", method),
                TagMode::Off => {}
            }
            match self.url {
                TagMode::Metric => {
                    let mut url = String::new();
                    words::url(head, &mut url);
                    saying.tag_metric("http.url", url.into());
                }
                TagMode::Span => saying.write_tag("http.url", |text| words::url(head, text)),
                TagMode::Off => {}
            }
        });
        span
    }
}
