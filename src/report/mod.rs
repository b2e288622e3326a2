//! Reporting: where finished spans go, and how to look at them.
//!
//! ```
//! let request = kamon::build_span("GET /users").start();
//! kamon::build_span("find-users").as_child_of(&request).start().finish();
//! request.finish();
//!
//! // Everybody has the last spans of the process, without configuration.
//! let spans = kamon::recent_spans();
//! let of_request = kamon::report::embedded().trace(request.trace_id());
//! print!("{}", kamon::report::tree(&of_request));
//! # assert!(spans.len() >= 2 && of_request.len() == 2);
//! ```
//!
//! # The way of a span
//!
//! 1. **Recorded.** The thread that finishes a sampled span puts it into its ring: one word, a few
//!    loads and stores, no lock, no allocation, no waiting. A ring holds what fits into 256 KiB.
//!    Rings are made when a thread records for the first time, and go on to another when it ends,
//!    with what is inside. Threads beyond the 128th at a time share one, and so do those that are
//!    past the destructors of their thread-locals.
//! 2. **Drained.** Whoever needs the spans takes them out: the drain's thread, once in an interval
//!    and whenever a ring is half full, and everybody who flushes or reads. Out of the words come
//!    [`SpanRecord`](crate::trace::SpanRecord)s, in batches that all reporters share.
//! 3. **Kept.** The embedded [`RingReporter`] looks at each batch first. It neither blocks nor
//!    fails, so it needs no queue.
//! 4. **Reported.** Every reporter has a bounded queue and a thread of its own. The drain puts a
//!    batch in if there is room, and waits for nobody.
//!
//! # The account
//!
//! `recorded = reported + waiting + dropped{reason}`, exactly and at any moment ([`stats`]), and
//! after a flush nothing waits that was recorded before. No counter on the recorder's path is
//! needed for that: what a ring has taken in *is* its count, and what it has handed on was counted
//! under the drain's lock. So at every instant each span is in one place, a ring, a sum of what was
//! handed on, or a sum of what was dropped; and who asks for the account holds the lock under which
//! spans move from the first to the others. Each reporter has an account of its own in which
//! `handed = reported + waiting + dropped{reason}` holds likewise, because one lock guards its queue
//! and its sums. The same numbers are metrics: `kamon.spans.{recorded, reported, waiting}`,
//! `kamon.spans.dropped` by `reason`, and by `reporter` `kamon.reporters.spans.reported`,
//! `kamon.reporters.spans.dropped` and `kamon.reporters.failures`.
//!
//! **When a ring is full the newest span is dropped**, and its trace is remembered for a few
//! seconds: the spans of it that are still in rings, or that are finished later, are dropped too
//! ([`DropReason::TraceIncomplete`]). A trace is kept or lost as a whole, as far as that is known in
//! time. While no trace is remembered, which is nearly always, this costs one load of a word that
//! nobody writes to.
//!
//! # A thread, not a task
//!
//! Spans are recorded on threads without a runtime, on many runtimes, and while the last of them
//! shuts down. A task of ours would be a task of one of them: it would start workers in a program
//! that has asked for none, stand behind the tasks whose spans it carries just when there are too
//! many of them, and end with its runtime, before the spans of the shutdown. On a current-thread
//! runtime a flush would wait for a task that cannot run until the flush returns. A thread that
//! sleeps nearly always costs a stack. For the same reasons each reporter has one; it may block in
//! it, or [`block_on`](crate::block_on) what is asynchronous.
//!
//! # Failures
//!
//! A reporter that fails or panics is given the same spans again, after a rest that doubles each
//! time, as often as [`Config::attempts`] says; then they are dropped and counted under its name.
//! Meanwhile its queue fills, and what finds no room is dropped and counted too. While somebody
//! waits for a flush there are no rests: it ends as soon as the attempts are spent. A reporter that
//! never comes back keeps its thread; at the shutdown what it holds is counted as dropped.
//!
//! Reporters run in a Context in which nothing is traced. Whatever they spawn inherits it.
#![forbid(unsafe_code)]

mod added;
mod attempt;
mod batch;
mod chrome;
mod config;
mod config_error;
mod console;
mod courier;
mod doomed;
mod drain;
mod embedded;
mod forest;
mod gate;
mod json;
mod kamon;
mod lanes;
mod metric_courier;
mod metric_desk;
mod metric_desks;
#[cfg(kamon_loom)]
pub(crate) mod modelled;
mod observed;
mod outbox;
mod reason;
mod reporter;
mod ring_reporter;
mod service;
mod settings;
mod shelf;
mod sink;
mod stats;
mod tree;

pub use added::{add_metric_reporter, add_span_reporter, AddedMetricReporter, AddedReporter};
pub use chrome::ChromeTrace;
pub use config::Config;
pub use config_error::ConfigError;
pub use console::ConsoleReporter;
pub use embedded::{embedded, recent_spans};
#[allow(unused_imports)] // For integrations that write lines.
pub(crate) use json::Quoted;
pub use kamon::{flush, init, shutdown, Flush, Kamon};
pub use reason::{DropReason, Dropped};
pub use reporter::{ReportError, SpanReporter};
pub use ring_reporter::RingReporter;
pub use service::service_name;
pub(crate) use sink::default_sink;
pub use stats::{stats, MetricReporterStats, ReportStats, ReporterStats};
pub use tree::{outline, tree};

#[doc(no_inline)]
pub use crate::metrics::MetricReporter;
