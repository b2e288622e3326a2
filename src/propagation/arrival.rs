//! What came in beside a remote span and goes out again with its trace.

use crate::context::{Context, Key};
use crate::sync::Arc;
use crate::trace::{Span, TraceId};

/// What came in beside a remote span and goes out again with every span of its trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Arrival {
    /// None where nothing but a decision came in: then it is of whatever trace begins here.
    pub(super) trace_id: TraceId,
    /// W3C: the trace's id is random, says who made it.
    pub(super) random: bool,
    /// B3: everybody is to report the trace, whatever they think of it.
    pub(super) debug: bool,
    /// W3C: what other tracing systems keep in the request.
    pub(super) trace_state: Option<Arc<str>>,
}

static ARRIVAL: Key<Option<Arrival>> = Key::local("kamon.propagation.arrival", || None);

impl Arrival {
    /// Returns the Context with this in it if it says anything.
    pub(super) fn beside(self, context: Context) -> Context {
        if self.random || self.debug || self.trace_state.is_some() {
            return context.with_key(&ARRIVAL, Some(self));
        }
        context
    }

    /// What came in with the trace that is current; nothing of another one.
    pub(super) fn of(context: &Context, trace_id: TraceId) -> Option<&Arrival> {
        let arrival = context.get(&ARRIVAL).as_ref();
        arrival.filter(|arrival| arrival.trace_id == trace_id || arrival.trace_id.is_none())
    }
}

/// Returns the W3C `tracestate` that came in with the current span's trace and goes out with it.
///
/// # Examples
///
/// ```
/// use kamon::propagation::{trace_state, Codecs};
///
/// let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
/// let context = codecs.decode_headers(&[
///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
///     ("tracestate", "congo=t61rcWkgMzE"),
/// ]);
/// assert_eq!(trace_state(&context), Some("congo=t61rcWkgMzE"));
/// ```
pub fn trace_state(context: &Context) -> Option<&str> {
    let trace_id = context.get(Span::key()).trace_id();
    Arrival::of(context, trace_id)?.trace_state.as_deref()
}
