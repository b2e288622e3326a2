//! `tracing`: its spans and the Context agree, and every line says whose it is.
//!
//! [`layer`] makes a tracing span and the Context agree. A span takes along the Context in which it is
//! made, and makes it current wherever it is entered; its code sees the request's values on whichever thread
//! and executor it runs. [`ContextLayer::with_spans`] makes kamon spans of tracing spans as well, and
//! marks of events, so that what libraries say by `tracing` stands in kamon's traces.
//!
//! [`text`] and [`json`] put the trace token, the ids of trace and span, and keys of your choice on each
//! line that `tracing_subscriber::fmt` writes.
//!
//! ```
//! use kamon::Key;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! static USER: Key<String> = Key::local("user", || "nobody".into());
//!
//! let lines = tracing_subscriber::fmt::layer()
//!     .map_event_format(|format| kamon::tracing::text(format).with_key(&USER));
//! let subscriber = tracing_subscriber::registry().with(kamon::tracing::layer()).with(lines);
//! # tracing::subscriber::with_default(subscriber, || { // `subscriber.init()` in `main`:
//! // INFO shop: paid amount=12 trace_token=undefined user=ada
//! kamon::with_context_key(&USER, "ada".into(), || tracing::info!(amount = 12, "paid"));
//! # });
//! ```
//!
//! # Which Context is current in a span
//!
//! A span is entered where some Context is current already. If all values of the span's Context are there,
//! nothing changes: what was added since the span was made stays, as do the values that are
//! [not inherited](crate::Key::not_inherited). If all are there but the current kamon span is
//! another one, the span's is put in its place. Otherwise the work is somebody else's, and the span's
//! Context is current until it is exited. A span that was made outside of every request
//! changes nothing.
//!
//! Leaving restores what was current before, in whichever order spans are exited. A span that is exited on
//! another thread, or never, is no exception: it is entered by a [`Scope`](crate::Scope), which ends at the latest
//! with the poll or closure of kamon's in which it was opened: of a kamon task, of
//! [`in_context`](crate::ContextFutureExt::in_context), of [`with_context`](crate::with_context).
//!
//! Around a task of tokio's own there is none of these. A guard that such a task holds across an `.await`, which
//! compiles on a `LocalSet` of tokio's, shows the next task of that thread its Context until it is dropped:
//! [`instrument`](https://docs.rs/tracing/latest/tracing/trait.Instrument.html) the future instead, as `tracing` asks for
//! anyway.

mod carried;
mod entered;
mod event;
mod format;
mod layer;
mod shape;
mod tags;

pub use self::format::{json, text, ContextFormat};
pub use self::layer::{layer, ContextLayer};
