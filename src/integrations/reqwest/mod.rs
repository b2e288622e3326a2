//! reqwest: its requests with the current Context in them, each in a span of its own.
//!
//! - [`SendTraced`] sends a request that was built by reqwest's own `RequestBuilder`.
//! - [`ClientLayer`](crate::http::ClientLayer) around a `reqwest::Client` is a tower service of reqwest's
//!   requests, to be named, tagged and composed as any other.
//!
//! A redirect that reqwest follows is part of the request: one span for all of it, and the same
//! headers on each way, except where reqwest takes sensitive ones out.
#![forbid(unsafe_code)]

mod answer;
mod outgoing;
mod send;

pub use self::send::SendTraced;
