//! Puts configurations in force one at a time: there is one process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kamon::config::Loader;
use kamon::propagation::Codecs;
use kamon::trace::Settings;
use kamon::{Config, Context};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Until it is dropped, no other configuration comes.
pub(crate) struct InForce {
    _turn: MutexGuard<'static, ()>,
}

/// Puts in force what the loader finds, upon nothing.
pub(crate) fn in_force(loader: Loader) -> InForce {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let nothing = Config::new()
        .tracing(Settings::new())
        .codecs(Codecs::default())
        .worker_threads(0);
    kamon::init(nothing).unwrap();
    kamon::init(loader.load().unwrap()).unwrap();
    InForce { _turn: turn }
}

/// The headers that are sent with this Context, with lower-case names and in their order.
#[allow(dead_code)] // Not all tests want it.
pub(crate) fn sent(context: &Context) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    Codecs::current().encode_headers(context, &mut headers);
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    headers.sort();
    headers
}

/// The names of the headers that a span is sent in.
#[allow(dead_code)] // Not all tests want it.
pub(crate) fn names_sent() -> Vec<String> {
    let span = kamon::build_span("sent").start();
    let context = Context::empty().with_key(kamon::Span::key(), span.clone());
    span.finish();
    sent(&context).into_iter().map(|(name, _)| name).collect()
}
