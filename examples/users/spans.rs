//! What the service's spans say: one request drawn as a tree, and how long each operation takes.

use std::fmt::{self, Display, Formatter};
use std::future::Future;
use std::time::Duration;

use kamon::metrics::{subscribe, Distribution, Subscription, Value};
use kamon::report::{embedded, tree};
use kamon::trace::{Outcome, SpanRecord};
use kamon::{ContextFutureExt as _, SpanKind};

use crate::journal::{Journal, Line};
use crate::request::{Ticket, TOKEN};

/// The operation of a request as a whole.
pub(crate) const REQUEST: &str = "GET /users/{name}";

/// Longer than any run: the one period that is looked at ends when it is over.
const WHOLE_RUN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Runs a future as the work of a span. A request without a Context is one without spans too.
pub(crate) async fn traced<F: Future>(ticket: &Ticket, name: &'static str, future: F) -> F::Output {
    if ticket.in_context {
        let span = kamon::build_span(name)
            .with_kind(SpanKind::Internal)
            .start();
        future.in_span(span).await
    } else {
        future.await
    }
}

/// Measures all spans from here on.
pub(crate) struct Watched(Subscription);

impl Watched {
    pub(crate) fn begin() -> Self {
        Self(subscribe("span.processing-time", WHOLE_RUN))
    }

    pub(crate) fn end(mut self, journal: &Journal) -> Spans {
        kamon::flush();
        let mut operations: Vec<Operation> = Vec::new();
        for timer in self.0.snapshot().instruments() {
            let mut tags = timer.tags().iter();
            let (Some((_, name)), Value::Distribution(times)) =
                (tags.find(|(key, _)| *key == "operation"), timer.value())
            else {
                continue;
            };
            match operations.iter_mut().find(|known| known.name == name) {
                // Another series of it: failed ones, or with another parent.
                Some(known) => known.times.merge(times),
                None => operations.push(Operation {
                    name: name.to_owned(),
                    times: times.clone(),
                }),
            }
        }
        operations.retain(|operation| !operation.times.is_empty());
        operations.sort_by_key(|operation| std::cmp::Reverse(operation.times.percentile(50.0)));
        let request = last_answered();
        let log = token_of(&request).map(|token| journal.of(&token));
        Spans {
            request,
            log: log.unwrap_or_default(),
            operations,
        }
    }
}

/// The trace of the last request that nothing went wrong with.
fn last_answered() -> Vec<SpanRecord> {
    let requests = embedded().operation(REQUEST);
    let fine = |span: &&SpanRecord| !span.failed && span.outcome == Outcome::Finished;
    match requests.iter().rev().find(fine) {
        Some(request) => embedded().trace(request.trace_id),
        None => Vec::new(),
    }
}

/// What the lines of the log about this trace begin with: its id, unless a token came in.
fn token_of(spans: &[SpanRecord]) -> Option<String> {
    let root = spans.iter().find(|span| span.operation == REQUEST)?;
    let token = root.tag(TOKEN).map(|token| token.to_string());
    token.or_else(|| Some(root.trace_id.to_string()))
}

/// What was seen.
pub(crate) struct Spans {
    request: Vec<SpanRecord>,
    log: Vec<Line>,
    operations: Vec<Operation>,
}

struct Operation {
    name: String,
    times: Distribution,
}

impl Display for Spans {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if !self.request.is_empty() {
            writeln!(out, "\n{}", tree(&self.request))?;
        }
        for line in &self.log {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "{:<26}{:>9}{:>12}{:>12}",
            "span.processing-time", "count", "p50", "p99"
        )?;
        for Operation { name, times } in &self.operations {
            writeln!(
                out,
                "{name:<26}{:>9}{:>9.2} ms{:>9.2} ms",
                times.count(),
                millis(times.percentile(50.0)),
                millis(times.percentile(99.0))
            )?;
        }
        Ok(())
    }
}

fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
