//! The attribute macros of `kamon`: [`macro@main`], [`macro@test`] and [`macro@span`], and those
//! of the actors.
//!
//! Depend on `kamon` and write `#[kamon::main]`; this crate is only how they get there.

#![allow(clippy::needless_doctest_main, clippy::test_attr_in_doctest)] // They are what is shown.

mod arguments;
mod expansion;
mod function;
mod kameo;
mod ractor;
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
/// | `start_paused` | `true`, `false` | whether the clock of `kamon::time` stands still from the start; not with `multi_thread`, needs the feature `test-util` |
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

/// Makes an actor of kameo handle each message in its sender's Context. It goes above the
/// `impl Actor`, and is all that an actor needs.
///
/// Messages that were sent with `tell_ctx`, `ask_ctx`, `forward_ctx` and `pipe_to` are handled by the
/// actor's `Message` implementations as they are, and its lifecycle methods run in the Context that
/// they belong to: see `kamon::kameo`.
///
/// | argument | meaning |
/// |---|---|
/// | `spans` | each message that comes in a trace is a span, `tell(Message)` or `ask(Message)` |
/// | `crate = ".."` | where to find kamon; `::kamon` when absent |
///
/// # Examples
///
/// ```
/// use kameo::actor::ActorRef;
/// use kameo::error::Infallible;
/// use kameo::Actor;
///
/// struct Worker {
///     name: String,
/// }
///
/// #[kamon::kameo::actor(spans)]
/// impl Actor for Worker {
///     type Args = String;
///     type Error = Infallible;
///
///     async fn on_start(name: String, _: ActorRef<Self>) -> Result<Self, Infallible> {
///         Ok(Worker { name })
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn kameo_actor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    kameo::expand(arguments.into(), item.into()).into()
}

/// Derives what kameo's own `Actor` derives (`Args = Self`, the type's name, no hooks), as if
/// [`#[actor]`](macro@kameo_actor) stood above it. `#[actor(spans)]` beside it is understood too, and so is
/// kameo's `#[actor(name = "..")]`.
///
/// # Examples
///
/// ```
/// #[derive(kamon::kameo::Actor)]
/// #[actor(spans)]
/// struct Counter {
///     count: u32,
/// }
/// ```
#[proc_macro_derive(KameoActor, attributes(actor))]
pub fn kameo_derive_actor(input: TokenStream) -> TokenStream {
    kameo::derive(input.into()).into()
}

/// Derives `ractor::Message` for messages that carry their sender's Context, in place of ractor's own
/// `RactorMessage` or an `impl ractor::Message`.
///
/// # Examples
///
/// ```
/// #[derive(kamon::ractor::Message)]
/// enum Greeting {
///     Greet(String),
///     Count(ractor::RpcReplyPort<u64>),
/// }
/// ```
#[proc_macro_derive(RactorMessage)]
pub fn ractor_derive_message(input: TokenStream) -> TokenStream {
    ractor::derive(input.into(), false).into()
}

/// Derives `ractor::Message` for messages that carry their sender's Context also to other processes,
/// in place of ractor_cluster's `RactorClusterMessage`, of which it makes use: `#[rpc]` and what else that
/// asks for stays. Needs the crates `ractor` and `ractor_cluster` beside it, as that one does.
#[proc_macro_derive(RactorClusterMessage, attributes(rpc))]
pub fn ractor_derive_cluster_message(input: TokenStream) -> TokenStream {
    ractor::derive(input.into(), true).into()
}
