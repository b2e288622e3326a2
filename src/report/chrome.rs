//! Traces as a file for the timeline viewers of Chrome and Perfetto.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::report::forest::{plant, Tree};
use crate::report::json::Quoted;
use crate::trace::{SpanRecord, TagValue};

/// A timeline in the *trace event* format, which Perfetto (`ui.perfetto.dev`) and Chrome
/// (`chrome://tracing`) show.
///
/// Each trace is a process of the picture, with its spans stacked as they contain one another;
/// those that overlap otherwise are side by side. What workers did meanwhile can be added: they
/// are another process, with a line for each.
///
/// # Examples
///
/// ```
/// use kamon::report::ChromeTrace;
///
/// kamon::build_span("find-users").start().finish();
/// let spans = kamon::recent_spans();
/// let mut file = Vec::new();
/// ChromeTrace::new().spans(&spans).write(&mut file)?;
/// assert!(file.starts_with(b"{\"traceEvents\":["));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a timeline is for writing"]
pub struct ChromeTrace {
    spans: Vec<SpanRecord>,
    slices: Vec<Slice>,
}

/// Something that a worker did.
#[derive(Clone, Debug)]
struct Slice {
    worker: usize,
    what: Cow<'static, str>,
    from: SystemTime,
    duration: Duration,
}

/// The process whose lines are the workers. The traces follow.
const WORKERS: usize = 1;

impl ChromeTrace {
    /// Returns a timeline with nothing in it.
    pub fn new() -> Self {
        ChromeTrace::default()
    }

    /// Adds spans.
    pub fn spans(mut self, spans: &[SpanRecord]) -> Self {
        self.spans.extend_from_slice(spans);
        self
    }

    /// Adds something that a worker did, such as one poll of a task.
    pub fn worker(
        mut self,
        worker: usize,
        what: impl Into<Cow<'static, str>>,
        from: SystemTime,
        duration: Duration,
    ) -> Self {
        self.slices.push(Slice {
            worker,
            what: what.into(),
            from,
            duration,
        });
        self
    }

    /// Writes the timeline as JSON. Its beginning is the zero of its times.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let starts = self.spans.iter().map(|span| span.started_at);
        let starts = starts.chain(self.slices.iter().map(|slice| slice.from));
        let mut events = Events {
            out,
            zero: starts.min().unwrap_or(UNIX_EPOCH),
            first: true,
        };
        events.out.write_all(b"{\"traceEvents\":[")?;
        self.write_workers(&mut events)?;
        for (number, tree) in plant(&self.spans).iter().enumerate() {
            write_tree(tree, WORKERS + 1 + number, &mut events)?;
        }
        events.out.write_all(b"\n],\"displayTimeUnit\":\"ns\"}\n")?;
        events.out.flush()
    }

    fn write_workers<W: Write>(&self, events: &mut Events<W>) -> io::Result<()> {
        let mut workers: Vec<usize> = self.slices.iter().map(|slice| slice.worker).collect();
        workers.sort_unstable();
        workers.dedup();
        if !workers.is_empty() {
            events.name("process_name", WORKERS, 0, "workers")?;
        }
        for worker in workers {
            let name = format!("worker {worker}");
            events.name("thread_name", WORKERS, worker, &name)?;
        }
        for slice in &self.slices {
            let time = (slice.from, slice.duration);
            events.complete(&slice.what, WORKERS, slice.worker, time, "{}")?;
        }
        Ok(())
    }
}

fn write_tree<W: Write>(tree: &Tree<'_>, process: usize, events: &mut Events<W>) -> io::Result<()> {
    let top = tree.rows.first().map_or("", |row| &row.span.operation);
    let name = format!("{top} {}", tree.trace_id);
    events.name("process_name", process, 0, &name)?;
    let mut spans: Vec<&SpanRecord> = tree.rows.iter().map(|row| row.span).collect();
    // Of those that begin together, what contains the others comes first.
    spans.sort_by_key(|span| (span.started_at, Reverse(span.finished_at)));
    let mut lines = Lines::default();
    for span in spans {
        let line = lines.place(span);
        let time = (span.started_at, span.duration());
        let arguments = arguments(span);
        events.complete(&span.operation, process, line, time, &arguments)?;
        for mark in &span.marks {
            events.instant(&mark.key, process, line, mark.at)?;
        }
    }
    Ok(())
}

/// What is open on each line of a process, by when it ends, the innermost last: on one line, spans
/// contain one another or do not touch.
#[derive(Default)]
struct Lines(Vec<Vec<SystemTime>>);

impl Lines {
    /// The first line with room for the span. They come in the order in which they begin.
    fn place(&mut self, span: &SpanRecord) -> usize {
        let end = span.finished_at.max(span.started_at);
        for (number, open) in self.0.iter_mut().enumerate() {
            while open.last().is_some_and(|ends| *ends <= span.started_at) {
                open.pop();
            }
            if open.last().is_none_or(|ends| end <= *ends) {
                open.push(end);
                return number;
            }
        }
        self.0.push(vec![end]);
        self.0.len() - 1
    }
}

fn arguments(span: &SpanRecord) -> String {
    let (id, kind) = (span.id.to_string(), span.kind.as_str());
    // A tag of such a name stands in its place.
    let own = [("span.id", &*id), ("span.kind", kind)];
    let own = own.iter().filter(|(key, _)| span.tag(key).is_none());
    let mut pairs: Vec<String> = own
        .map(|(key, value)| format!("\"{key}\":\"{value}\""))
        .collect();
    for (key, value) in &span.tags {
        let value = match value {
            TagValue::Int(number) => number.to_string(),
            TagValue::Bool(flag) => flag.to_string(),
            // JSON knows no infinity.
            TagValue::Float(number) if number.is_finite() => number.to_string(),
            other => Quoted(&other.to_string()).to_string(),
        };
        pairs.push(format!("{}:{value}", Quoted(key)));
    }
    format!("{{{}}}", pairs.join(","))
}

struct Events<W> {
    out: W,
    zero: SystemTime,
    first: bool,
}

impl<W: Write> Events<W> {
    /// Something that took its time.
    fn complete(
        &mut self,
        name: &str,
        process: usize,
        line: usize,
        (from, duration): (SystemTime, Duration),
        arguments: &str,
    ) -> io::Result<()> {
        let (from, duration) = (self.micros_at(from), micros(duration));
        let name = Quoted(name);
        self.event(format_args!(
            "\"ph\":\"X\",\"name\":{name},\"pid\":{process},\"tid\":{line},\"ts\":{from},\
             \"dur\":{duration},\"args\":{arguments}"
        ))
    }

    /// Something that happened at a time.
    fn instant(
        &mut self,
        name: &str,
        process: usize,
        line: usize,
        at: SystemTime,
    ) -> io::Result<()> {
        let (name, at) = (Quoted(name), self.micros_at(at));
        self.event(format_args!(
            "\"ph\":\"i\",\"s\":\"t\",\"name\":{name},\"pid\":{process},\"tid\":{line},\"ts\":{at}"
        ))
    }

    /// What a process or a line is called.
    fn name(&mut self, what: &str, process: usize, line: usize, name: &str) -> io::Result<()> {
        let name = Quoted(name);
        self.event(format_args!(
            "\"ph\":\"M\",\"name\":\"{what}\",\"pid\":{process},\"tid\":{line},\
             \"args\":{{\"name\":{name}}}"
        ))
    }

    fn event(&mut self, fields: std::fmt::Arguments<'_>) -> io::Result<()> {
        let separator = if self.first { "" } else { "," };
        self.first = false;
        write!(self.out, "{separator}\n{{{fields}}}")
    }

    fn micros_at(&self, time: SystemTime) -> String {
        micros(time.duration_since(self.zero).unwrap_or_default())
    }
}

/// Microseconds, to the nanosecond.
fn micros(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    format!("{}.{:03}", nanos / 1000, nanos % 1000)
}
