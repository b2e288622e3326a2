//! The end of a span: the first finish counts, and no span is lost because nobody finished it.

mod traced;

use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime};

use kamon::trace::Outcome;
use kamon::{SamplingDecision, Span};

use crate::traced::{record_of, trace_of};

#[test]
fn the_first_finish_counts() {
    let start = Instant::now();
    let span = kamon::build_span("once").with_from(start).start();
    span.finish_at(start + HOUR);
    let before = kamon::trace::stats().finished_twice;
    span.finish_at(start + 2 * HOUR);
    span.finish();
    span.clone().finish_after(3 * HOUR);
    assert!(kamon::trace::stats().finished_twice >= before + 3);
    assert_near(record_of(&span).duration(), HOUR);
}

#[test]
fn a_span_that_is_finished_on_many_threads_is_reported_once() {
    for _ in 0..200 {
        let span = kamon::build_span("raced").start();
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| {
                scope.spawn(|| {
                    barrier.wait();
                    span.clone().tag("before", "or after").finish();
                })
            });
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(trace_of(&span).len(), 1);
    }
}

#[test]
fn a_span_ends_so_long_after_its_start() {
    let span = kamon::build_span("after").start();
    span.finish_after(HOUR);
    assert_near(record_of(&span).duration(), HOUR);
}

#[test]
fn the_times_are_those_that_were_said() {
    // Long before the process began.
    let start = SystemTime::now() - 1_000 * HOUR;
    let span = kamon::build_span("said").with_from(start).start();
    span.mark_at(start + HOUR, "an hour later");
    span.finish_at(start + 2 * HOUR);
    let record = record_of(&span);
    let after = |time: SystemTime| match time.duration_since(start - HOUR) {
        Ok(after) => after,
        Err(_) => panic!("{time:?} is far from {start:?}"),
    };
    assert_near(after(record.started_at), HOUR);
    assert_near(after(record.marks[0].at), 2 * HOUR);
    assert_near(after(record.finished_at), 3 * HOUR);
}

#[test]
fn a_span_that_ends_before_it_began_took_no_time() {
    let now = Instant::now();
    let span = kamon::build_span("backwards").with_from(now).start();
    span.finish_at(now - Duration::from_secs(1));
    assert_eq!(record_of(&span).duration(), Duration::ZERO);
}

#[test]
fn the_last_handle_reports_a_span_that_nobody_finished() {
    let parent = kamon::build_span("parent").start();
    let before = kamon::trace::stats().unfinished;
    let span = kamon::build_span("forgotten").as_child_of(&parent).start();
    let other = span.clone();
    drop(span);
    assert_eq!(trace_of(&parent).len(), 0, "somebody may still finish it");
    drop(other);
    assert!(kamon::trace::stats().unfinished > before);
    let spans = trace_of(&parent);
    assert_eq!(spans[0].outcome, Outcome::Unfinished);
    assert!(spans[0].tag("unfinished").is_some());
    parent.finish();
}

#[test]
fn a_long_chain_of_forgotten_spans_needs_no_deep_stack() {
    const LINKS: u64 = 100_000;
    let before = kamon::trace::stats().unfinished;
    let root = kamon::build_span("root").with_sampling(SamplingDecision::DoNotSample);
    let mut newest = root.start();
    for _ in 0..LINKS {
        newest = kamon::build_span("link").as_child_of(&newest).start();
    }
    drop(newest);
    assert!(kamon::trace::stats().unfinished > before + LINKS);
}

#[test]
fn a_span_is_reported_while_its_handles_live() {
    let span = kamon::build_span("held").start();
    let held = span.clone();
    span.finish();
    assert_eq!(record_of(&held).operation, "held");
    assert_eq!(held.operation_name(), "held");
    assert!(held.is_finished());
}

#[test]
fn a_span_does_not_wait_for_its_root() {
    let root = kamon::build_span("root").start();
    let child = kamon::build_span("child").as_child_of(&root).start();
    child.finish();
    assert_eq!(record_of(&child).operation, "child");
    root.finish();
    assert_eq!(trace_of(&root).len(), 2);
}

#[test]
fn the_empty_span_takes_everything() {
    let span = Span::empty();
    span.tag("a", 1).mark("b").fail("c").tag_metric("d", "e");
    span.finish();
    span.finish();
    assert!(span.is_empty() && !span.is_finished() && !span.is_sampled());
    assert!(span.trace_id().is_none() && span.id().is_none());
    assert_eq!(span.parent_id(), None);
    assert_eq!(format!("{span:?}"), "Span(empty)");
}

const HOUR: Duration = Duration::from_secs(3600);

/// Asserts that both are the same but for the time between the readings of two clocks.
#[track_caller]
fn assert_near(duration: Duration, expected: Duration) {
    let off = duration.abs_diff(expected);
    assert!(off < HOUR / 60, "{duration:?} is not {expected:?}");
}
