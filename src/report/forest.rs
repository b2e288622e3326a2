//! Spans in the order of a drawing: trace by trace, parents before their children.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use crate::trace::{SpanId, SpanRecord, TraceId};

/// The spans of one trace, parents before their children.
pub(crate) struct Tree<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) rows: Vec<Row<'a>>,
    /// When the first of the spans began, and the last ended.
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

/// One span in its place.
pub(crate) struct Row<'a> {
    pub(crate) span: &'a SpanRecord,
    /// How many of its ancestors are above it.
    pub(crate) depth: usize,
    /// Whether it is the last child of its parent.
    pub(crate) is_last: bool,
    /// Whether it has a parent which is not here.
    pub(crate) is_orphan: bool,
}

impl Tree<'_> {
    pub(crate) fn duration(&self) -> Duration {
        self.end.duration_since(self.start).unwrap_or_default()
    }
}

/// Sorts spans into trees: the traces by when they began, children by when they began, and those of
/// one time by name and tags. Nothing is left out: a span whose parent is not among them stands at
/// the top, and of two that are the same the first counts.
pub(crate) fn plant(spans: &[SpanRecord]) -> Vec<Tree<'_>> {
    let mut by_trace: HashMap<TraceId, Vec<&SpanRecord>> = HashMap::new();
    for span in spans {
        by_trace.entry(span.trace_id).or_default().push(span);
    }
    let mut trees: Vec<Tree<'_>> = by_trace.into_values().filter_map(plant_one).collect();
    trees.sort_by(|one, other| {
        let by_time = one.start.cmp(&other.start);
        by_time
            .then_with(|| said(one.rows[0].span, other.rows[0].span))
            .then_with(|| one.trace_id.cmp(&other.trace_id))
    });
    trees
}

/// The order of spans of one time: by what they say, which is the same in each run, as their ids are not.
fn said(one: &SpanRecord, other: &SpanRecord) -> Ordering {
    let tags = |span: &SpanRecord| format!("{:?}", span.tags);
    let by_name = one.operation.cmp(&other.operation);
    by_name.then_with(|| tags(one).cmp(&tags(other)))
}

fn plant_one(mut spans: Vec<&SpanRecord>) -> Option<Tree<'_>> {
    let mut known = HashSet::new();
    spans.retain(|span| known.insert(span.id));
    spans.sort_by(|one, other| {
        let times = |span: &SpanRecord| (span.started_at, span.finished_at);
        let by_time = times(one).cmp(&times(other));
        by_time
            .then_with(|| said(one, other))
            .then_with(|| one.id.cmp(&other.id))
    });

    let mut children: HashMap<SpanId, Vec<usize>> = HashMap::new();
    let mut tops = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        match span.parent_id {
            Some(parent) if known.contains(&parent) => children.entry(parent).or_default().push(at),
            _ => tops.push(at),
        }
    }
    let mut rows = Vec::with_capacity(spans.len());
    let mut drawn = vec![false; spans.len()];
    let mut grow = |tops: &[usize]| {
        let mut stack: Vec<(usize, usize, bool)> =
            tops.iter().rev().map(|at| (*at, 0, true)).collect();
        while let Some((at, depth, is_last)) = stack.pop() {
            if std::mem::replace(&mut drawn[at], true) {
                continue;
            }
            let span = spans[at];
            rows.push(Row {
                span,
                depth,
                is_last,
                is_orphan: depth == 0 && span.parent_id.is_some(),
            });
            let below = children.get(&span.id).map_or(&[][..], Vec::as_slice);
            let last = below.last().copied();
            let entries = below.iter().rev();
            stack.extend(entries.map(|child| (*child, depth + 1, Some(*child) == last)));
        }
    };
    grow(&tops);
    // What is still missing hangs in a circle, which no sane program makes.
    let rest: Vec<usize> = (0..spans.len()).collect();
    grow(&rest);

    Some(Tree {
        trace_id: spans.first()?.trace_id,
        start: spans.iter().map(|span| span.started_at).min()?,
        end: spans.iter().map(|span| span.finished_at).max()?,
        rows,
    })
}
