//! The attribute macros of `kamon`: [`macro@main`], [`macro@test`] and [`macro@span`].
//!
//! Depend on `kamon` and write `#[kamon::main]`; this crate is only how they get there.

#![allow(clippy::needless_doctest_main, clippy::test_attr_in_doctest)] // They are what is shown.

mod arguments;
mod expansion;
mod function;
mod runtime;
mod span;
mod span_arguments;

use proc_macro::TokenStream;

use crate::expansion::Entry;

/// Turns an `async fn` into a function that builds a runtime and blocks on the body.
///
/// The usual place is `main`, but any function may carry it: each call then builds a runtime of
/// its own and drops it before it returns. A function other than `main` may take arguments.
///
/// The body runs on the calling thread, as with [`Runtime::block_on`]; what it spawns runs on the
/// workers. It starts in the Context that is current on that thread.
///
/// | argument | value | meaning |
/// |---|---|---|
/// | `flavor` | `"multi_thread"` (default), `"current_thread"`, `"local"` | which runtime to build |
/// | `worker_threads` | an integer above 0 | workers of a `multi_thread` runtime |
/// | `start_paused` | `true`, `false` | whether the clock stands still from the start; not with `multi_thread`, needs the feature `test-util` |
/// | `name` | a string | the runtime's name |
/// | `crate` | a path in a string | where to find kamon; `::kamon` when absent |
///
/// `unhandled_panic` is known and refused: stable tokio has no such setting either.
///
/// # Examples
///
/// ```
/// #[kamon::main(flavor = "multi_thread", worker_threads = 4)]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let answer = kamon::spawn(async { 42 }).await?;
///     assert_eq!(answer, 42);
///     Ok(())
/// }
/// ```
///
/// which is short for
///
/// ```
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     kamon::runtime::Builder::new_multi_thread()
///         .worker_threads(4)
///         .enable_all()
///         .build()
///         .expect("Failed building the Runtime")
///         .block_on(async {
///             let answer = kamon::spawn(async { 42 }).await?;
///             assert_eq!(answer, 42);
///             Ok(())
///         })
/// }
/// ```
///
/// [`Runtime::block_on`]: ../kamon/runtime/struct.Runtime.html#method.block_on
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expansion::expand(Entry::Main, arguments.into(), item.into()).into()
}

/// Turns an `async fn` into a `#[test]` that builds a runtime and blocks on the body.
///
/// Takes the arguments of [`macro@main`]. The default flavor is `current_thread`, so that each
/// test has a small runtime of its own. Other attributes (`#[should_panic]`, `#[cfg(..)]`) stay,
/// and the function may return a `Result`. A second test attribute and arguments of the function
/// are compile errors.
///
/// # Examples
///
/// ```
/// #[kamon::test]
/// async fn adds() {
///     assert_eq!(kamon::spawn(async { 1 + 1 }).await.unwrap(), 2);
/// }
///
/// #[kamon::test(flavor = "multi_thread", worker_threads = 2)]
/// async fn parses() -> Result<(), std::num::ParseIntError> {
///     let number: i32 = "17".parse()?;
///     assert_eq!(number, 17);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expansion::expand(Entry::Test, arguments.into(), item.into()).into()
}

/// Makes the body of a function, `async` or not, the work of a span.
///
/// The span is built from the current one when the function is called (an `async fn`: when it is
/// first polled), is current in the body, and is finished when the body is done. A panic marks it
/// failed; an `async fn` that is dropped before it is done finishes it as `cancelled`.
///
/// | argument | value | meaning |
/// |---|---|---|
/// | a string, or `name = ".."` | | the operation; the function's name when absent |
/// | `kind` | `"server"`, `"client"`, `"producer"`, `"consumer"`, `"internal"` | which side of a conversation it is |
/// | `tags(key = value, ..)` | any expressions | tags; a key may have dots, or be a string |
/// | `err` | | an `Err` that the function returns is an error of the span |
/// | `crate` | a path in a string | where to find kamon; `::kamon` when absent |
///
/// Values of tags are made before the body runs, from the function's arguments; one that is still
/// needed in the body has to be `Copy` or cloned. What the body calls `return` and `?` on returns
/// from the function as ever. A function that returns a future without being an `async fn`, as
/// those do that were rewritten by an attribute below this one, is over when it has made the
/// future: wrap that in `in_span` instead.
///
/// # Examples
///
/// ```
/// #[kamon::span]
/// fn parse(line: &str) -> Option<(&str, &str)> {
///     line.split_once('=')
/// }
///
/// #[kamon::span("load-user", tags(user.id = id), err)]
/// async fn load(id: u64) -> Result<String, std::num::ParseIntError> {
///     let number: u64 = "17".parse()?;
///     kamon::current_span().mark("parsed");
///     Ok(format!("user {}", id + number))
/// }
///
/// assert_eq!(parse("a=b"), Some(("a", "b")));
/// assert_eq!(kamon::block_on(load(1)).unwrap(), "user 18");
/// ```
#[proc_macro_attribute]
pub fn span(arguments: TokenStream, item: TokenStream) -> TokenStream {
    span::expand(arguments.into(), item.into()).into()
}
