//! `ContextLayer::with_spans`: tracing spans become kamon spans, and events marks.
#![cfg(feature = "tracing")]

mod traced;
mod witness;

use std::panic::{catch_unwind, AssertUnwindSafe};

use kamon::trace::{LinkKind, TagValue};
use kamon::{current_context, current_span, with_context_key, Context, Key, Span};
use traced::{assert_trace, record_of, trace_of};
use tracing::{error, field, info, info_span, instrument, Instrument as _};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use witness::{pause, quiet_panic, workers};

/// Calls `f` in a span of its own, with tracing spans as kamon spans.
fn traced<R>(f: impl FnOnce() -> R) -> (Span, R) {
    let subscriber = tracing_subscriber::registry().with(kamon::tracing::layer().with_spans());
    traced_by(subscriber, f)
}

fn traced_by<R>(
    subscriber: impl tracing::Subscriber + Send + Sync,
    f: impl FnOnce() -> R,
) -> (Span, R) {
    let root = kamon::build_span("root").start();
    let result = tracing::subscriber::with_default(subscriber, || {
        kamon::with_span_finishing(root.clone(), f)
    });
    (root, result)
}

#[test]
fn a_tracing_span_is_a_child_of_the_current_one_and_a_parent() {
    let (root, ()) = traced(|| {
        let request = info_span!("request");
        request.in_scope(|| {
            assert_eq!(current_span().operation_name(), "request");
            kamon::with_span_finishing(kamon::build_span("query").start(), || {
                info_span!("parse").in_scope(|| {});
            });
        });
        assert_eq!(current_span().operation_name(), "root");
        info_span!(parent: &request, "by name");
        info_span!("beside");
    });
    assert_trace(
        &root,
        "root
         ├─ request
         │  ├─ query
         │  │  └─ parse
         │  └─ by name
         └─ beside",
    );
}

#[test]
fn one_without_a_parent_begins_a_trace() {
    let (root, span) = traced(|| info_span!(parent: None, "other").in_scope(current_span));
    assert_ne!(span.trace_id(), root.trace_id());
    assert_eq!((span.parent_id(), span.operation_name()), (None, "other"));
    assert!(span.is_finished());
    // One whose parent is of another request has nothing of the current one.
    static REQUEST: Key<u32> = Key::local("request", || 0);
    let (root, (parent, child)) = traced(|| {
        let other = Context::empty().with_key(&REQUEST, 1);
        let parent = kamon::with_context(other, || info_span!("parent"));
        let child = info_span!(parent: &parent, "child");
        (parent.in_scope(current_span), child.in_scope(current_span))
    });
    assert_ne!(parent.trace_id(), root.trace_id());
    assert_eq!(child.trace_id(), parent.trace_id());
    assert_eq!(child.parent_id(), Some(parent.id()));
}

#[test]
fn fields_are_tags() {
    let (_, span) = traced(|| {
        let span = info_span!(
            "request",
            text = "a",
            number = -7,
            half = 0.5,
            flag = true,
            debug = ?[1, 2],
            later = field::Empty,
            never = field::Empty,
        );
        span.record("later", 12_u64);
        span.in_scope(current_span)
    });
    let record = record_of(&span);
    let expected: [(&str, TagValue); 6] = [
        ("text", "a".into()),
        ("number", (-7).into()),
        ("half", 0.5.into()),
        ("flag", true.into()),
        ("debug", "[1, 2]".into()),
        ("later", 12.into()),
    ];
    for (key, value) in &expected {
        assert_eq!(record.tag(key), Some(value), "{key}");
    }
    assert_eq!(record.tags.len(), expected.len());
}

#[test]
fn events_are_marks_of_the_span_that_is_current() {
    let (root, (first, second)) = traced(|| {
        info!("in the root");
        let first = info_span!("first");
        let second = info_span!("second");
        second.in_scope(|| {
            info!(rows = 3, "found {}", "some");
            info!(parent: &first, "by name");
        });
        (first.in_scope(current_span), second.in_scope(current_span))
    });
    let marks = |span: &Span| {
        let record = record_of(span);
        let marks = record.marks.iter();
        marks.map(|mark| mark.key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(marks(&root), ["in the root"]);
    assert_eq!(marks(&first), ["by name"]);
    assert_eq!(marks(&second), ["found some"]);
}

#[instrument(err)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[test]
fn an_error_fails_the_span_that_says_it() {
    let (root, _) = traced(|| {
        parse("7").unwrap();
        parse("seven").unwrap_err();
        info_span!("says so").in_scope(|| error!("but not which"));
    });
    let spans = trace_of(&root);
    let failed: Vec<_> = spans.iter().map(|it| (&*it.operation, it.failed)).collect();
    let count = |what| failed.iter().filter(|it| **it == what).count();
    assert_eq!(count(("parse", false)), 1, "{failed:?}");
    assert_eq!(count(("parse", true)), 1, "{failed:?}");
    assert_eq!(count(("says so", false)), 1, "{failed:?}");
    assert_eq!(count(("root", false)), 1, "{failed:?}");
    let parse = spans.iter().find(|it| it.failed).unwrap();
    let message = parse.tag("error.message").unwrap();
    assert_eq!(message.as_str(), Some("invalid digit found in string"));
    assert_eq!(parse.tag("text").unwrap().as_str(), Some("seven"));
}

#[test]
fn a_panic_fails_the_spans_that_it_goes_through() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            info_span!("cleans up").in_scope(|| {});
        }
    }
    let (root, _) = traced(|| {
        let outer = info_span!("outer");
        let panicking = || info_span!("inner").in_scope(|| quiet_panic("planned"));
        let late = Late;
        catch_unwind(AssertUnwindSafe(|| {
            let _late = late;
            outer.in_scope(panicking)
        }))
        .unwrap_err();
    });
    let spans = trace_of(&root);
    let mut failed: Vec<_> = spans.iter().map(|it| (&*it.operation, it.failed)).collect();
    failed.sort_unstable();
    let expected = [
        ("cleans up", false),
        ("inner", true),
        ("outer", true),
        ("root", false),
    ];
    assert_eq!(failed, expected);
}

#[test]
fn a_panic_fails_one_whose_context_is_current_already() {
    static REQUEST: Key<u32> = Key::local("request of a job", || 0);
    // Its Context is as a whole made current, not put together of that and of what is.
    let job = || with_context_key(&REQUEST, 1, || info_span!("job"));
    let failed = |root: &Span| {
        let spans = trace_of(root);
        spans.iter().any(|it| &*it.operation == "job" && it.failed)
    };
    let (root, ()) = traced(|| {
        let span = job();
        let own = span.in_scope(current_context);
        kamon::with_context(own, || {
            let panicking = || span.in_scope(|| quiet_panic("planned"));
            catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
        });
    });
    assert!(failed(&root));
    // A task of tokio's that inherits the Context, in the span that is entered here.
    let (root, ()) = traced(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let span = job();
        runtime.unwrap().block_on(async {
            let panicking = || async { quiet_panic("planned") }.in_current_span();
            let task = span.in_scope(|| kamon::tokio::spawn(panicking()));
            task.await.unwrap_err();
        });
    });
    assert!(failed(&root));
    // One that ends well within a span that panics later.
    let (root, ()) = traced(|| {
        let span = job();
        let panicking = || {
            span.in_scope(|| {
                span.in_scope(|| {});
                quiet_panic("planned")
            })
        };
        catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    });
    assert!(failed(&root));
}

#[test]
fn it_finishes_when_the_tracing_span_is_closed() {
    let (_, span) = traced(|| {
        let tracing = info_span!("request");
        let span = tracing.in_scope(current_span);
        let copy = tracing.clone();
        drop(tracing);
        assert!(!span.is_finished());
        drop(copy);
        assert!(span.is_finished());
        span
    });
    record_of(&span);
}

#[test]
fn what_follows_from_another_is_linked() {
    let (_, (first, second)) = traced(|| {
        let first = info_span!("first");
        let second = info_span!("second");
        second.follows_from(&first);
        (first.in_scope(current_span), second.in_scope(current_span))
    });
    let record = record_of(&second);
    let links = &record.links;
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].to, first.context().unwrap());
    assert_eq!(links[0].kind, LinkKind::FollowsFrom);
}

#[test]
fn a_span_adds_itself_to_what_is_current() {
    static USER: Key<u32> = Key::local("user", || 0);
    static TX: Key<Option<u32>> = Key::local("transaction", || None).not_inherited();
    let see = || {
        let context = current_context();
        let (user, tx) = (*context.get(&USER), *context.get(&TX));
        (current_span().operation_name().to_owned(), user, tx)
    };
    traced(|| {
        with_context_key(&TX, Some(7), || {
            let span = info_span!("query");
            assert_eq!(span.in_scope(see), ("query".into(), 0, Some(7)));
            with_context_key(&USER, 5, || {
                assert_eq!(span.in_scope(see), ("query".into(), 5, Some(7)));
                let nested = info_span!("nested");
                span.in_scope(|| {
                    assert_eq!(nested.in_scope(see), ("nested".into(), 5, Some(7)));
                    assert_eq!(see(), ("query".into(), 5, Some(7)));
                });
            });
        });
    });
}

#[test]
fn across_tasks_and_awaits() {
    let (root, ()) = traced(|| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let find = |name: &'static str| {
            async move {
                pause().await;
                assert_eq!(current_span().operation_name(), "find");
                name.len()
            }
            .instrument(info_span!("find", name))
        };
        let runtime = workers(2);
        runtime.block_on(async {
            let request = async {
                // No span is passed on here.
                kamon::spawn(async move {
                    let default = tracing::dispatcher::set_default(&dispatch);
                    let (one, two) = (find("ada"), find("bob"));
                    drop(default);
                    kamon::spawn(one).await.unwrap() + kamon::spawn_root(two).await.unwrap()
                })
                .await
                .unwrap()
            };
            assert_eq!(request.instrument(info_span!("request")).await, 6);
        });
    });
    assert_trace(
        &root,
        "root
         └─ request
            ├─ find {name=ada}
            └─ find {name=bob}",
    );
}

#[test]
fn spans_that_are_filtered_out_are_not_there() {
    let layer = kamon::tracing::layer().with_spans();
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
    let (root, ()) = traced_by(subscriber, || {
        tracing::debug_span!("detail").in_scope(|| info_span!("request").in_scope(|| {}));
    });
    assert_trace(
        &root,
        "root
         └─ request",
    );
}

#[test]
fn another_layer_takes_no_spans_away() {
    let spans = || kamon::tracing::layer().with_spans().without_metrics();
    let plain = || kamon::tracing::layer().without_metrics();
    let orders: [(&str, Box<dyn tracing::Subscriber + Send + Sync>); 3] = [
        (
            "first",
            Box::new(tracing_subscriber::registry().with(spans()).with(plain())),
        ),
        (
            "last",
            Box::new(tracing_subscriber::registry().with(plain()).with(spans())),
        ),
        (
            "both",
            Box::new(tracing_subscriber::registry().with(spans()).with(spans())),
        ),
    ];
    for (order, subscriber) in orders {
        let (root, inner) = traced_by(subscriber, || {
            let job = info_span!("job", later = field::Empty);
            job.record("later", 1);
            let panicking = || job.in_scope(|| quiet_panic("planned"));
            catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
            job.in_scope(|| {
                assert_eq!(current_span().operation_name(), "job", "{order}");
                info_span!("inner").in_scope(current_span)
            })
        });
        assert_trace(
            &root,
            "root
             └─ job {later=1}, failed, panicked
                └─ inner",
        );
        assert!(inner.is_finished(), "{order}");
    }
}
