//! The current span is the one in the current Context; being current and being alive are unrelated.

mod traced;

use kamon::trace::Outcome;
use kamon::{Context, Key, Span};

use crate::traced::record_of;

static USER_ID: Key<u32> = Key::local("span current user", || 0);

fn start(name: &'static str) -> Span {
    kamon::build_span(name).start()
}

#[test]
fn a_span_goes_anywhere() {
    fn anywhere<T: Clone + Send + Sync + std::panic::UnwindSafe + 'static>(_: T) {}
    fn elsewhere<T: Send + 'static>(_: T) {}
    anywhere(Span::empty());
    elsewhere(kamon::build_span("builder"));
    assert_eq!(size_of::<Span>(), size_of::<usize>());
}

#[test]
fn both_expressions_return_the_same_span() {
    assert!(kamon::current_span().is_empty());
    assert!(kamon::current_context().get(Span::key()).is_empty());
    let span = start("same");
    kamon::with_span(&span, || {
        assert_eq!(kamon::current_context().get(Span::key()), &span);
        assert_eq!(kamon::current_span(), span);
    });
    assert!(kamon::current_span().is_empty());
    span.finish();
}

#[test]
fn a_span_is_current_only_while_the_block_runs() {
    let (outer, inner) = (start("outer"), start("inner"));
    kamon::with_span(&outer, || {
        kamon::with_span(&inner, || assert_eq!(kamon::current_span(), inner));
        assert_eq!(kamon::current_span(), outer);
        let result = std::panic::catch_unwind(|| kamon::with_span(&inner, || panic!("on purpose")));
        assert!(result.is_err());
        assert_eq!(kamon::current_span(), outer);
    });
    assert!(!outer.is_finished() && !inner.is_finished());
    assert!(!outer.is_failed() && inner.is_failed());
    outer.finish();
    inner.finish();
    assert_eq!(record_of(&inner).outcome, Outcome::Panicked);
}

#[test]
fn the_rest_of_the_context_stays() {
    let span = start("with others");
    kamon::with_context_key(&USER_ID, 7, || {
        kamon::with_span(&span, || {
            assert_eq!(*kamon::current_context().get(&USER_ID), 7);
            kamon::with_context_key(&USER_ID, 8, || {
                assert_eq!(kamon::current_span(), span);
                assert_eq!(*kamon::current_context().get(&USER_ID), 8);
            });
        });
    });
    span.finish();
}

#[test]
fn a_finished_span_may_be_current() {
    let span = start("finished");
    span.finish();
    kamon::with_span(&span, || assert_eq!(kamon::current_span(), span));
}

#[test]
fn a_span_may_be_current_on_many_threads() {
    let span = start("everywhere");
    std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            scope.spawn(|| {
                assert!(kamon::current_span().is_empty());
                kamon::with_span(&span, || assert_eq!(kamon::current_span(), span));
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    span.finish();
}

#[test]
fn a_stored_context_makes_its_span_current() {
    let span = start("stored");
    let context = Context::empty().with_key(Span::key(), span.clone());
    let scope = kamon::store_context(context);
    assert_eq!(kamon::current_span(), span);
    // Also a child made while the Scope is open.
    let child = start("child");
    assert_eq!(child.parent_id(), Some(span.id()));
    child.finish();
    scope.close();
    assert!(kamon::current_span().is_empty());
    span.finish();
}

#[test]
fn with_span_finishing_finishes_after_the_block() {
    let span = start("one-off");
    let seen = span.clone();
    let result = kamon::with_span_finishing(span, || {
        assert!(!kamon::current_span().is_finished());
        7
    });
    assert_eq!(result, 7);
    assert!(seen.is_finished() && !seen.is_failed());
    assert_eq!(record_of(&seen).outcome, Outcome::Finished);
}

#[test]
fn with_span_finishing_fails_and_finishes_a_span_that_panics() {
    let span = start("panics");
    let seen = span.clone();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        kamon::with_span_finishing(span, || panic!("on purpose"))
    }));
    assert!(unwound.is_err() && kamon::current_span().is_empty());
    assert!(seen.is_finished() && seen.is_failed());
    assert_eq!(record_of(&seen).outcome, Outcome::Panicked);
}

#[test]
fn a_span_that_its_block_finished_is_not_finished_again() {
    let before = kamon::trace::stats().finished_twice;
    kamon::with_span_finishing(start("early"), || kamon::current_span().finish());
    assert_eq!(kamon::trace::stats().finished_twice, before);
}

#[test]
fn spans_may_be_made_and_dropped_while_a_context_goes() {
    /// Makes a span wherever it is dropped.
    struct Traces(Span);

    impl Drop for Traces {
        fn drop(&mut self) {
            kamon::with_span(&self.0, || start("in a destructor").finish());
            assert!(!kamon::current_span().is_finished());
        }
    }

    static TRACES: Key<Option<Traces>> = Key::local("span current traces", || None);
    let span = start("outside");
    let context = Context::empty()
        .with_key(Span::key(), span.clone())
        .with_key(&TRACES, Some(Traces(span.clone())));
    drop(context);
    assert_eq!(traced::trace_of(&span).len(), 1);
    span.finish();
}

#[test]
fn spans_may_be_finished_when_the_thread_ends() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<Ends>> = const { std::cell::RefCell::new(None) };
    }

    struct Ends(Span);

    impl Drop for Ends {
        fn drop(&mut self) {
            kamon::build_span("at the end")
                .as_child_of(&self.0)
                .start()
                .finish();
            self.0.finish();
        }
    }

    let span = start("ends with its thread");
    let given = span.clone();
    std::thread::spawn(move || LAST.set(Some(Ends(given))))
        .join()
        .unwrap();
    assert!(span.is_finished());
    traced::assert_trace(&span, "ends with its thread\n└─ at the end");
}
