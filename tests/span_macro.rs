//! `#[kamon::span]`: the body of a function is the work of a span.

#![cfg(feature = "macros")]

mod traced;

use std::fmt::Display;
use std::num::ParseIntError;

use kamon::trace::Outcome;
use kamon::{ContextFutureExt as _, Span};

use crate::traced::{assert_trace, draw, trace_of};

/// Calls `f` in a span of its own, which is returned.
fn traced<R>(f: impl FnOnce() -> R) -> (Span, R) {
    let root = kamon::build_span("root").start();
    let result = kamon::with_span_finishing(root.clone(), f);
    (root, result)
}

/// As [`traced`], for futures.
fn traced_async<R>(future: impl std::future::Future<Output = R>) -> (Span, R) {
    let root = kamon::build_span("root").start();
    let result = kamon::block_on(future.in_span(root.clone()));
    (root, result)
}

#[kamon::span]
fn plain(number: u32) -> u32 {
    assert_eq!(kamon::current_span().operation_name(), "plain");
    if number == 0 {
        return 7;
    }
    number + 1
}

#[kamon::span("load-user", kind = "client", tags(user.id = id, "http.method" = "GET", twice = 2 * id))]
async fn load(id: u64) -> String {
    futures_lite::future::yield_now().await;
    kamon::current_span().tag("inside", true);
    format!("user {id}")
}

#[kamon::span(name = "parse-all", err)]
fn parse(texts: &[&str]) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for text in texts {
        all.push(text.parse()?);
    }
    Ok(all)
}

#[kamon::span(err)]
async fn parse_later(text: &str) -> Result<u32, ParseIntError> {
    let number = text.parse::<u32>()?;
    futures_lite::future::yield_now().await;
    Ok(number)
}

struct Store {
    rows: Vec<String>,
}

impl Store {
    #[kamon::span("store.first", tags(rows = self.rows.len()))]
    fn first(&self) -> Option<&str> {
        self.rows.first().map(String::as_str)
    }

    #[kamon::span("store.push")]
    fn push(&mut self, row: impl Into<String>) -> &mut String {
        self.rows.push(row.into());
        self.rows.last_mut().expect("just pushed")
    }

    #[kamon::span("store.last")]
    fn last(&mut self) -> Option<&mut String> {
        self.rows.last_mut()
    }

    #[kamon::span("store.at", err)]
    fn at(&mut self, index: usize) -> Result<&mut String, String> {
        let rows = self.rows.len();
        let row = self.rows.get_mut(index);
        row.ok_or_else(|| format!("there are {rows}"))
    }

    #[kamon::span("store.into")]
    async fn into_rows(self) -> Vec<String> {
        self.rows
    }

    #[kamon::span("store.longest")]
    async fn longest<'a>(&'a self, or: &'a str) -> &'a str {
        let rows = self.rows.iter().map(String::as_str);
        rows.max_by_key(|row| row.len()).unwrap_or(or)
    }
}

#[kamon::span]
fn generic<T: Display, const N: usize>(items: [T; N]) -> impl Iterator<Item = String> {
    items.into_iter().map(|item| item.to_string())
}

#[kamon::span(err)]
fn changes_its_own(mut numbers: Vec<u32>, out: &mut u32) -> Result<Vec<u32>, ParseIntError> {
    numbers.push("7".parse()?);
    *out += 1;
    Ok(numbers)
}

#[kamon::span]
fn recursive(depth: u32) {
    if depth > 1 {
        recursive(depth - 1);
    }
}

#[kamon::span]
#[inline]
/// Has a comment.
pub(crate) fn nothing_to_return(out: &mut u32) {
    *out += 1;
}

/// What it returns becomes what it says only on the way out.
#[kamon::span(err)]
async fn checked(number: u32) -> Result<&'static dyn Display, Box<dyn std::error::Error>> {
    futures_lite::future::yield_now().await;
    match number {
        0 => return Err(Box::new(std::fmt::Error)),
        1 => Ok(&1),
        _ => Err(Box::new(std::io::Error::other("too many"))),
    }
}

#[kamon::span]
async fn counter() -> Box<dyn Fn(u32) -> u32> {
    Box::new(|number| number + 1)
}

/// Names in the function are not those of the expansion.
#[kamon::span(tags(sum = span + work + result))]
fn hygienic(span: u32, work: u32, result: u32) -> u32 {
    let error = span + work + result;
    error
}

#[test]
fn a_function_is_a_span() {
    let (root, result) = traced(|| (plain(0), plain(1)));
    assert_eq!(result, (7, 2));
    assert_trace(&root, "root\n├─ plain\n└─ plain");
}

#[test]
fn an_async_function_is_a_span_from_its_first_poll() {
    let (root, user) = traced_async(async {
        let load = load(3);
        kamon::current_span().mark("not yet");
        load.await
    });
    assert_eq!(user, "user 3");
    assert_trace(
        &root,
        "root {@not yet}
         └─ load-user (client) {user.id=3, http.method=GET, twice=6, inside=true}",
    );
}

#[test]
fn an_err_is_an_error_where_it_is_asked_for() {
    let (root, _) = traced(|| {
        assert_eq!(parse(&["1", "2"]).unwrap(), [1, 2]);
        assert!(parse(&["x"]).is_err());
    });
    assert_trace(
        &root,
        "root
         ├─ parse-all
         └─ parse-all {error.type=alloc::boxed::Box<dyn core::error::Error>}, failed: invalid digit found in string",
    );
    let (root, _) = traced_async(async {
        assert_eq!(parse_later("5").await, Ok(5));
        assert!(parse_later("").await.is_err());
    });
    assert_trace(
        &root,
        "root
         ├─ parse_later
         └─ parse_later {error.type=core::num::error::ParseIntError}, failed: cannot parse integer from empty string",
    );
}

#[test]
fn methods_and_generic_functions_are_spans() {
    let (root, _) = traced_async(async {
        let mut store = Store { rows: Vec::new() };
        store.push("one").push('!');
        assert_eq!(store.first(), Some("one!"));
        assert_eq!(store.longest("").await, "one!");
        assert_eq!(store.into_rows().await, ["one!"]);
        assert_eq!(generic([1, 2]).collect::<Vec<_>>(), ["1", "2"]);
        let mut out = 0;
        nothing_to_return(&mut out);
        assert_eq!((out, hygienic(1, 2, 3)), (1, 6));
        recursive(2);
    });
    assert_trace(
        &root,
        "root
         ├─ store.push
         ├─ store.first {rows=1}
         ├─ store.longest
         ├─ store.into
         ├─ generic
         ├─ nothing_to_return
         ├─ hygienic {sum=6}
         └─ recursive
            └─ recursive",
    );
}

#[test]
fn a_function_changes_what_it_is_given_and_hands_it_out() {
    let (root, _) = traced(|| {
        let rows = vec!["one".to_owned()];
        let mut store = Store { rows };
        store.last().unwrap().push('!');
        store.at(0).unwrap().push('?');
        assert_eq!(store.at(1), Err("there are 1".to_owned()));
        assert_eq!(store.rows, ["one!?"]);
        let mut out = 0;
        assert_eq!(changes_its_own(vec![1], &mut out), Ok(vec![1, 7]));
        assert_eq!(out, 1);
    });
    assert_trace(
        &root,
        "root
         ├─ store.last
         ├─ store.at
         ├─ store.at {error.type=alloc::string::String}, failed: there are 1
         └─ changes_its_own",
    );
}

#[test]
fn the_written_output_type_is_known_in_an_async_body() {
    let (root, _) = traced_async(async {
        assert!(checked(0).await.is_err());
        assert_eq!(checked(1).await.unwrap().to_string(), "1");
        assert!(checked(2).await.is_err());
        assert_eq!(counter().await(1), 2);
    });
    assert_trace(
        &root,
        "root
         ├─ checked {error.type=alloc::boxed::Box<dyn core::error::Error>}, failed: an error occurred when formatting an argument
         ├─ checked
         ├─ checked {error.type=alloc::boxed::Box<dyn core::error::Error>}, failed: too many
         └─ counter",
    );
}

#[test]
fn a_panic_and_a_drop_end_the_span() {
    #[kamon::span]
    fn panics() {
        panic!("on purpose");
    }
    #[kamon::span]
    async fn waits() {
        std::future::pending::<()>().await;
    }
    let (root, _) = traced(|| {
        std::panic::catch_unwind(panics).unwrap_err();
        kamon::block_on(async {
            let mut waits = Box::pin(waits());
            assert!(futures_lite::future::poll_once(&mut waits).await.is_none());
        });
    });
    let outcomes: Vec<_> = trace_of(&root)
        .iter()
        .map(|span| (span.operation.to_string(), span.outcome))
        .collect();
    assert!(
        outcomes.contains(&("panics".to_string(), Outcome::Panicked)),
        "{}",
        draw(&root)
    );
    assert!(
        outcomes.contains(&("waits".to_string(), Outcome::Cancelled)),
        "{}",
        draw(&root)
    );
}

// Once is enough, with the default features. (With `http`, another crate's `Span` is near, and the
// compiler spells ours by its path.)
#[cfg(all(feature = "tokio", not(feature = "http")))]
#[test]
fn what_is_refused_says_why() {
    trybuild::TestCases::new().compile_fail("tests/ui/span/*.rs");
}
