//! HTTP: a server on kamon's executor, and layers that carry the Context and make spans.
//!
//! - [`serve`] runs an axum router, or any other tower service, on all workers.
//! - [`ServerLayer`] makes the Context of each request that comes in current, with a span in it.
//! - [`ClientLayer`] sends the current Context along with each request, and makes a span of it.
//!   With the feature `reqwest` it knows reqwest's client too; see the module `reqwest` there.
//! - [`Executor`] and [`Timer`] are for hyper's own builders.
//!
//! # How a span follows its request
//!
//! A request and its response are an *exchange*: it begins with the call of the service and ends
//! with the last byte of the response, far from where it began and on another worker. The
//! [future](ExchangeFuture) of the response and then its [body](ExchangeBody) own the exchange, in
//! which the Context lies, and make that current whenever they are polled or dropped. Hence the span
//! ends with whichever of them goes, and however it goes.
#![forbid(unsafe_code)]

mod accept;
mod adapter;
mod answer;
mod body;
mod carrier;
mod client;
mod connection;
mod connection_metrics;
pub(in crate::integrations) mod exchange;
mod executor;
mod future;
mod head;
mod listener;
mod look_up;
mod names;
mod naming;
mod oneshot;
mod opening;
mod outgoing;
mod place;
mod said;
mod serve;
mod server;
mod timer;
mod together;
mod words;

pub use self::answer::Answer;
pub use self::body::ExchangeBody;
pub use self::client::{ClientLayer, ClientService, ClientSide};
pub use self::executor::Executor;
pub use self::future::ExchangeFuture;
pub use self::head::RequestHead;
pub use self::listener::Listener;
pub use self::outgoing::Outgoing;
pub use self::serve::{serve, Serve};
pub use self::server::{ServerLayer, ServerService, ServerSide};
pub use self::timer::Timer;
pub use self::words::TagMode;
