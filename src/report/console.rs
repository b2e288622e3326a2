//! The reporter that draws traces on the console.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use crate::report::tree::tree;
use crate::report::{ReportError, SpanReporter};
use crate::trace::{SpanRecord, TraceId};

/// How many spans wait for the first span of their trace.
const MOST_WAITING: usize = 4096;

/// Draws each trace when its first span in this process has finished, as
/// [`tree`](crate::report::tree()) does.
///
/// Spans that finish later are drawn by themselves. What still waits for its trace's first span is
/// drawn at a [`flush`](crate::flush), and when there is too much of it.
///
/// # Examples
///
/// ```
/// use kamon::report::ConsoleReporter;
///
/// let console = kamon::add_span_reporter(ConsoleReporter::new());
/// kamon::build_span("find-users").start().finish();
/// kamon::flush();
/// # console.remove();
/// ```
pub struct ConsoleReporter {
    out: Box<dyn Write + Send>,
    waiting: HashMap<TraceId, Vec<SpanRecord>>,
    number: usize,
}

impl ConsoleReporter {
    /// Returns a reporter that writes to the standard output.
    pub fn new() -> Self {
        Self::to(io::stdout())
    }

    /// Returns a reporter that writes elsewhere.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        ConsoleReporter {
            out: Box::new(out),
            waiting: HashMap::new(),
            number: 0,
        }
    }

    fn draw(&mut self, spans: &[SpanRecord]) -> io::Result<()> {
        if spans.is_empty() {
            return Ok(());
        }
        // In one piece, so that nobody else's lines come in between.
        self.out.write_all(format!("{}\n", tree(spans)).as_bytes())
    }

    fn draw_all(&mut self) -> io::Result<()> {
        let spans: Vec<SpanRecord> = self.waiting.drain().flat_map(|(_, spans)| spans).collect();
        self.number = 0;
        self.draw(&spans)?;
        self.out.flush()
    }
}

impl SpanReporter for ConsoleReporter {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        let mut complete = Vec::new();
        for span in spans {
            self.waiting
                .entry(span.trace_id)
                .or_default()
                .push(span.clone());
            self.number += 1;
            if span.is_local_root() {
                complete.push(span.trace_id);
            }
        }
        // A trace's first span may finish before others that come in the same batch.
        let mut finished = Vec::new();
        for trace in complete {
            finished.extend(self.waiting.remove(&trace).unwrap_or_default());
        }
        self.number -= finished.len();
        self.draw(&finished)?;
        if self.number > MOST_WAITING {
            self.draw_all()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReportError> {
        Ok(self.draw_all()?)
    }

    fn stop(&mut self) {
        // There is nobody left to tell.
        let _ = self.draw_all();
    }

    fn name(&self) -> &str {
        "console"
    }
}

impl Default for ConsoleReporter {
    fn default() -> Self {
        ConsoleReporter::new()
    }
}

impl fmt::Debug for ConsoleReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleReporter")
            .field("waiting", &self.number)
            .finish_non_exhaustive()
    }
}
