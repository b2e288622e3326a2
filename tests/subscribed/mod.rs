//! A process whose tracing spans carry Contexts.
#![allow(dead_code)] // Each test uses some.

use std::sync::Once;

use kamon::with_context;
use tracing::{info_span, Span};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::witness::request;

/// Has all threads of this process carry Contexts in tracing spans.
pub(crate) fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(kamon::tracing::layer());
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// A tracing span that was made in this request.
pub(crate) fn span(number: u32) -> Span {
    subscribe();
    with_context(request(number), || info_span!("request", number))
}
