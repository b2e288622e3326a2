//! Tags: typed, one value for each name, from the builder or the span, until it is finished.

mod traced;

use kamon::trace::{SpanRecord, TagValue};
use kamon::{SamplingDecision, Span, SpanBuilder};

use crate::traced::record_of;

/// A rule: what is said before the start and after it, and the tags that come of it.
struct Rule {
    name: &'static str,
    build: fn(SpanBuilder) -> SpanBuilder,
    say: fn(&Span),
    tags: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule {
        name: "a builder's tags are the span's",
        build: |it| it.with_tag("string", "hello").with_tag("number", 42).with_tag("boolean", true),
        say: |_| {},
        tags: &[("string", "String(\"hello\")"), ("number", "Int(42)"), ("boolean", "Bool(true)")],
    },
    Rule {
        name: "tags are added to a span",
        build: |it| it.with_tag("first", 1),
        say: |span| { span.tag("other-string", "bye").tag("other-number", 24).tag("half", 0.5); },
        tags: &[("first", "Int(1)"), ("other-string", "String(\"bye\")"), ("other-number", "Int(24)"), ("half", "Float(0.5)")],
    },
    Rule {
        name: "the same name is overwritten, whatever the type was",
        build: |it| it.with_tag("a", 1).with_tag("b", 1).with_tag("a", "one"),
        say: |span| { span.tag("b", 2_u8).tag("b", false); },
        tags: &[("a", "String(\"one\")"), ("b", "Bool(false)")],
    },
    Rule {
        name: "text that is made at run time is as good",
        build: |it| it.with_tag(format!("key-{}", 1), format!("value-{}", 1)),
        say: |span| { span.tag(String::from("owned"), String::from("text")); },
        tags: &[("key-1", "String(\"value-1\")"), ("owned", "String(\"text\")")],
    },
    Rule {
        name: "integers of all sizes are integers",
        build: |it| it.with_tag("i8", -1_i8).with_tag("u32", u32::MAX).with_tag("usize", 7_usize),
        say: |span| { span.tag("u64", u64::MAX).tag("i64", i64::MIN); },
        tags: &[("i8", "Int(-1)"), ("u32", "Int(4294967295)"), ("usize", "Int(7)"), ("u64", "Int(9223372036854775807)"), ("i64", "Int(-9223372036854775808)")],
    },
    Rule {
        name: "nothing is added once the span is finished",
        build: |it| it.with_tag("before", 1),
        say: |span| { span.finish(); span.tag("after", 1).tag("before", 2); },
        tags: &[("before", "Int(1)")],
    },
    Rule {
        name: "an error is said in tags",
        build: |it| it,
        say: |span| { span.add_error(&"x".parse::<u8>().unwrap_err()); },
        tags: &[("error.message", "String(\"invalid digit found in string\")"), ("error.type", "String(\"core::num::error::ParseIntError\")"), ("error", "Bool(true)")],
    },
    Rule {
        name: "a failure is said in words",
        build: |it| it,
        say: |span| { span.fail("no such user"); },
        tags: &[("error.message", "String(\"no such user\")"), ("error", "Bool(true)")],
    },
];

fn tags(record: &SpanRecord) -> Vec<(&str, String)> {
    let all = record.tags.iter();
    all.map(|(key, value)| (&**key, format!("{value:?}")))
        .collect()
}

#[test]
fn rules() {
    for rule in RULES {
        let span = (rule.build)(kamon::build_span("tagged")).start();
        (rule.say)(&span);
        if !span.is_finished() {
            span.finish();
        }
        let record = record_of(&span);
        let expected: Vec<(&str, String)> = rule
            .tags
            .iter()
            .map(|(key, value)| (*key, value.to_string()))
            .collect();
        assert_eq!(tags(&record), expected, "{}", rule.name);
    }
}

#[test]
fn what_comes_too_late_is_counted() {
    let span = kamon::build_span("finished").start();
    span.finish();
    let before = kamon::trace::stats().written_too_late;
    span.tag("a", 1).mark("b").fail("c").set_operation_name("d");
    span.tag_metric("e", "f").enable_metrics().disable_metrics();
    assert!(kamon::trace::stats().written_too_late >= before + 7);
    assert!(!span.is_failed());
    assert_eq!(span.operation_name(), "finished");
}

#[test]
fn a_failure_that_comes_too_late_is_counted_once() {
    const TIMES: u64 = 1_000;
    let span = kamon::build_span("finished").start();
    span.finish();
    let ways: [fn(&Span); 2] = [
        |span| drop(span.fail("late").clone()),
        |span| drop(span.add_error("late").clone()),
    ];
    for fail in ways {
        let before = kamon::trace::stats().written_too_late;
        (0..TIMES).for_each(|_| fail(&span));
        let late = kamon::trace::stats().written_too_late - before;
        // Other tests are late a few times meanwhile.
        assert!((TIMES..TIMES + 100).contains(&late), "{late}");
    }
}

#[test]
fn a_name_too_many_is_left_out() {
    let span = kamon::build_span("first").start();
    for number in 1..=70 {
        span.set_operation_name(format!("name {number}"));
    }
    assert_eq!(span.operation_name(), "name 64");
    span.finish();
    let record = record_of(&span);
    assert_eq!((&*record.operation, record.left_out), ("name 64", 6));
}

#[test]
fn a_span_that_is_not_sampled_keeps_no_tags_and_knows_its_errors() {
    let span = kamon::build_span("not sampled")
        .with_sampling(SamplingDecision::DoNotSample)
        .with_tag("built", 1)
        .start();
    assert!(!span.is_sampled());
    span.tag("said", 1).fail("and counted");
    assert!(span.is_failed());
    span.finish();
    assert_eq!(traced::trace_of(&span), []);
}

#[test]
fn a_loop_of_tags_does_not_grow_without_end() {
    let span = kamon::build_span("loop").start();
    for number in 0..1000 {
        span.tag(number.to_string(), number)
            .mark(number.to_string());
    }
    span.finish();
    let record = record_of(&span);
    assert_eq!((record.tags.len(), record.marks.len()), (128, 128));
    assert_eq!(record.left_out, 2 * (1000 - 128));
}

#[test]
fn spans_may_be_tagged_from_all_sides_at_once() {
    let span = kamon::build_span("shared").start();
    std::thread::scope(|scope| {
        let threads = [0, 1, 2, 3, 4, 5, 6, 7].map(|thread| {
            let span = span.clone();
            scope.spawn(move || {
                for number in 0..1_000 {
                    span.tag(format!("thread-{thread}"), number);
                    span.tag("all", thread);
                }
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    span.finish();
    let record = record_of(&span);
    assert_eq!(record.tags.len(), 9);
    for thread in 0..8 {
        let value = record.tag(&format!("thread-{thread}"));
        assert_eq!(value, Some(&TagValue::Int(999)));
    }
}
