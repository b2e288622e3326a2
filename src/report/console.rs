//! The reporter that draws traces on the console.

use std::collections::{HashMap, HashSet};
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
        let spans: Vec<SpanRecord> = self.waiting.values().flatten().cloned().collect();
        self.draw(&spans)?;
        self.waiting.clear();
        self.number = 0;
        self.out.flush()
    }
}

impl SpanReporter for ConsoleReporter {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        // A trace's first span may finish before others that come in the same batch.
        let roots = spans.iter().filter(|span| span.is_local_root());
        let mut complete: HashSet<TraceId> = roots.map(|span| span.trace_id).collect();
        let wait = |span: &&SpanRecord| !complete.contains(&span.trace_id);
        if self.number + spans.iter().filter(wait).count() > MOST_WAITING {
            complete.extend(self.waiting.keys());
            complete.extend(spans.iter().map(|span| span.trace_id));
        }
        let (mut drawn, wait): (Vec<SpanRecord>, Vec<SpanRecord>) =
            (spans.iter().cloned()).partition(|span| complete.contains(&span.trace_id));
        let waited = complete.iter().filter_map(|trace| self.waiting.get(trace));
        drawn.extend(waited.flatten().cloned());
        // If this fails the same spans come once more, and find what they found now.
        self.draw(&drawn)?;
        for trace in &complete {
            self.number -= self.waiting.remove(trace).map_or(0, |spans| spans.len());
        }
        self.number += wait.len();
        for span in wait {
            self.waiting.entry(span.trace_id).or_default().push(span);
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
