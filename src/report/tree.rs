//! Traces drawn as text.

use std::fmt::Write;
use std::time::Duration;

use crate::report::forest::{plant, Row, Tree};
use crate::trace::{Outcome, SpanKind, SpanRecord, TagValue, Work};

/// How many columns the waterfall has.
const COLUMNS: u128 = 32;

/// How far children are moved to the right; those below are moved no further.
const DEEPEST: usize = 24;

/// Draws traces as text: each span below the one that caused it, how long it took, and when, as a
/// bar in the time of its trace.
///
/// Besides the name it says what a span was if not plain: server or client, failed, cancelled, or
/// with a parent that is not among the spans; and what the executor did for it, where that was
/// measured. The same spans give the same text, in whichever order they come.
///
/// # Examples
///
/// ```
/// use kamon::report::tree;
///
/// let request = kamon::build_span("GET /users").start();
/// kamon::build_span("find-users").as_child_of(&request).start().finish();
/// request.finish();
///
/// kamon::flush();
/// print!("{}", tree(&kamon::report::embedded().trace(request.trace_id())));
/// ```
///
/// prints, with other times,
///
/// ```text
/// trace 4bf92f3577b34da6a3ce929d0e0e4736, 2 spans, 120 ms
/// GET /users      120 ms ▕████████████████████████████████▏
/// └─ find-users  29.8 ms ▕       ████████                 ▏
/// ```
pub fn tree(spans: &[SpanRecord]) -> String {
    let mut text = String::new();
    for tree in plant(spans) {
        if !text.is_empty() {
            text.push('\n');
        }
        draw(&tree, &mut text);
    }
    text
}

/// Draws traces as text without what differs from run to run: no ids, no times, but all tags and
/// marks. That a span failed and why, and how it ended if not as it should, is said in words alone.
///
/// # Examples
///
/// ```
/// use kamon::report::outline;
///
/// let request = kamon::build_span("GET /users").start();
/// kamon::build_span("find-users").as_child_of(&request).with_tag("rows", 12).start().finish();
/// request.finish();
///
/// kamon::flush();
/// let spans = kamon::report::embedded().trace(request.trace_id());
/// assert_eq!(outline(&spans), "GET /users\n└─ find-users {rows=12}\n");
/// ```
pub fn outline(spans: &[SpanRecord]) -> String {
    let mut text = String::new();
    for tree in plant(spans) {
        if !text.is_empty() {
            text.push('\n');
        }
        for (row, label) in labels(&tree) {
            text.push_str(&label);
            say_tags(row.span, &mut text);
            say_notes(row, ", ", &mut text);
            text.push('\n');
        }
    }
    text
}

fn draw(tree: &Tree<'_>, text: &mut String) {
    let number = tree.rows.len();
    let spans = if number == 1 { "span" } else { "spans" };
    let duration = brief(tree.duration());
    let _ = writeln!(
        text,
        "trace {}, {number} {spans}, {duration}",
        tree.trace_id
    );
    let rows: Vec<_> = labels(tree).collect();
    let widest = rows.iter().map(|(_, label)| label.chars().count()).max();
    for (row, label) in &rows {
        let duration = brief(row.span.duration());
        let width = widest.unwrap_or(0);
        let _ = write!(text, "{label:width$} {duration:>8} ▕{}▏", bar(tree, row));
        say_notes(row, "  ", text);
        say_work(&row.span.work, text);
        text.push('\n');
    }
}

/// The rows with their names, behind the lines that lead to them.
fn labels<'a>(tree: &'a Tree<'a>) -> impl Iterator<Item = (&'a Row<'a>, String)> + 'a {
    // For each ancestor below the top, whether another child of its parent follows.
    let mut goes_on: Vec<bool> = Vec::new();
    tree.rows.iter().map(move |row| {
        goes_on.truncate(row.depth.saturating_sub(1));
        let mut label = String::new();
        for goes_on in goes_on.iter().take(DEEPEST) {
            label.push_str(if *goes_on { "│  " } else { "   " });
        }
        if row.depth > 0 {
            goes_on.push(!row.is_last);
            label.push_str(if row.is_last { "└─ " } else { "├─ " });
        }
        say_plainly(&row.span.operation, &mut label);
        if !matches!(row.span.kind, SpanKind::Unknown | SpanKind::Internal) {
            let _ = write!(label, " ({})", row.span.kind);
        }
        (row, label)
    })
}

/// When the span was, in the time of its trace.
fn bar(tree: &Tree<'_>, row: &Row<'_>) -> String {
    let since = |time: std::time::SystemTime| {
        let since = time.duration_since(tree.start).unwrap_or_default();
        since.as_nanos()
    };
    let whole = tree.duration().as_nanos().max(1);
    let first = (since(row.span.started_at) * COLUMNS / whole).min(COLUMNS - 1);
    let end = (since(row.span.finished_at) * COLUMNS).div_ceil(whole);
    let end = end.clamp(first + 1, COLUMNS);
    let column = |at: u128| {
        if (first..end).contains(&at) {
            '█'
        } else {
            ' '
        }
    };
    (0..COLUMNS).map(column).collect()
}

fn say_notes(row: &Row<'_>, separator: &str, text: &mut String) {
    let span = row.span;
    let mut say = |what: &str| {
        text.push_str(separator);
        say_plainly(what, text);
    };
    match span.tag("error.message").and_then(TagValue::as_str) {
        Some(message) if span.failed => say(&format!("failed: {message}")),
        _ if span.failed => say("failed"),
        _ => {}
    }
    if span.outcome != Outcome::Finished {
        say(span.outcome.as_str());
    }
    if row.is_orphan {
        say(match span.parent_is_remote {
            true => "called by another process",
            false => "parent not here",
        });
    }
}

fn say_work(work: &Work, text: &mut String) {
    if work.polls == 0 {
        return;
    }
    let [cpu, queued, awaiting] = [work.cpu, work.queued, work.awaiting].map(brief);
    let polls = work.polls;
    let each = if polls == 1 { "poll" } else { "polls" };
    let _ = write!(
        text,
        "  cpu {cpu}, queued {queued}, awaiting {awaiting}, {polls} {each}"
    );
}

/// The tags but those that the notes say in words.
fn say_tags(span: &SpanRecord, text: &mut String) {
    let in_notes = |key: &str, value: &TagValue| match key {
        "error" => span.failed && *value == TagValue::Bool(true),
        "error.message" => span.failed && value.as_str().is_some(),
        _ if span.outcome == Outcome::Finished => false,
        key => key == span.outcome.as_str() && *value == TagValue::Bool(true),
    };
    let marks = span.marks.iter().map(|mark| format!("@{}", mark.key));
    let tags = span.tags.iter();
    let tags = tags.filter(|(key, value)| !in_notes(key, value));
    let tags = tags.map(|(key, value)| format!("{key}={value}"));
    let all: Vec<String> = tags.chain(marks).collect();
    if !all.is_empty() {
        text.push_str(" {");
        say_plainly(&all.join(", "), text);
        text.push('}');
    }
}

/// Writes a text of the user's, so that it stays on its line.
fn say_plainly(what: &str, text: &mut String) {
    for character in what.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
}

/// A duration in three digits.
pub(crate) fn brief(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let rest = nanos % unit * 100 / unit;
    match whole {
        0..10 => format!("{whole}.{rest:02} {name}"),
        10..100 => format!("{whole}.{} {name}", rest / 10),
        _ => format!("{whole} {name}"),
    }
}
