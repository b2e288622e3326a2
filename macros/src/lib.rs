//! The attribute macros of `kamon`: [`macro@main`] and [`macro@test`].
//!
//! Depend on `kamon` and write `#[kamon::main]`; this crate is only how they get there.

#![allow(clippy::needless_doctest_main, clippy::test_attr_in_doctest)] // They are what is shown.

mod arguments;
mod expansion;
mod function;
mod runtime;

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
