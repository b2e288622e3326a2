//! What belongs to one request: its keys in the Context, its ticket, and what is planned for it.

use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use axum::http::HeaderMap;
use kamon::propagation::trace_token;
use kamon::{Context, Key};

use crate::ledger::{Alive, Ledger};

/// The id that the request's sender gave it; it goes on to other services by a codec.
pub(crate) static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("requestID");
/// Who is being served.
pub(crate) static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
/// Counts the Context that holds it, for as long as anything holds that Context.
static ALIVE: Key<Option<Alive>> = Key::local("alive", || None);

/// The tag of a span with the trace token of its request.
pub(crate) const TOKEN: &str = "token";

/// The header by which a request id comes in and goes out.
pub(crate) const X_REQUEST_ID: &str = "x-request-id";
/// `off` serves the request without storing anything in the Context.
pub(crate) const X_CONTEXT: &str = "x-context";
/// What is to befall the request: see [`Plan`].
pub(crate) const X_PLAN: &str = "x-plan";
/// The id that the caller carried in its arguments, to compare with the one in the Context.
pub(crate) const X_CARRIED_ID: &str = "x-carried-id";
/// The trace token that the caller carried in its arguments.
pub(crate) const X_CARRIED_TOKEN: &str = "x-carried-token";

/// What each hop is told in its arguments, to hold against what it finds in the Context.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) request_id: Arc<str>,
    pub(crate) user: Arc<str>,
    /// What each line of the log must begin with.
    pub(crate) token: Option<Arc<str>>,
    /// Whether the request has a Context; without, every hop must find none.
    pub(crate) in_context: bool,
}

impl Ticket {
    /// Makes the ticket of a request for `user`; its id is the header's, or a new one, and its token
    /// the one that was carried, or that of the Context which is current.
    pub(crate) fn new(user: &str, id_header: &str, headers: &HeaderMap) -> Self {
        static GENERATED: AtomicU64 = AtomicU64::new(0);
        let request_id = match text(headers, id_header) {
            Some(id) => id.into(),
            None => format!("generated-{}", GENERATED.fetch_add(1, Ordering::Relaxed)).into(),
        };
        let token = match text(headers, X_CARRIED_TOKEN) {
            Some(token) => Some(token.into()),
            None => trace_token(&kamon::current_context()).map(|token| token.as_ref().into()),
        };
        Self {
            request_id,
            user: user.into(),
            token,
            in_context: text(headers, X_CONTEXT) != Some("off"),
        }
    }

    /// The Context of the request: what came in and is current, and what this service knows.
    pub(crate) fn context(&self, ledger: &Arc<Ledger>) -> Context {
        kamon::current_context()
            .with_key(&USER_ID, self.user.as_ref().to_owned())
            .with_key(&ALIVE, Some(Alive::new(ledger)))
    }
}

/// What the load, or a person with curl, wants to happen to a request half way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Answer,
    /// Nothing more happens until the client goes away.
    Stall,
    PanicInSpawn,
    PanicInJoinSet,
    PanicInBlocking,
    PanicInTimer,
    PanicInLocal,
}

impl Plan {
    pub(crate) const PANICS: [Plan; 5] = [
        Plan::PanicInSpawn,
        Plan::PanicInJoinSet,
        Plan::PanicInBlocking,
        Plan::PanicInTimer,
        Plan::PanicInLocal,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Plan::Answer => "answer",
            Plan::Stall => "stall",
            Plan::PanicInSpawn => "panic-spawn",
            Plan::PanicInJoinSet => "panic-join-set",
            Plan::PanicInBlocking => "panic-blocking",
            Plan::PanicInTimer => "panic-timer",
            Plan::PanicInLocal => "panic-local",
        }
    }

    /// Reads the header; what it does not know is to be answered as usual.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let name = text(headers, X_PLAN).unwrap_or_default();
        let mut plans = [Plan::Stall].into_iter().chain(Self::PANICS);
        plans
            .find(|plan| plan.name() == name)
            .unwrap_or(Plan::Answer)
    }

    /// Panics if this is the place that was planned.
    pub(crate) fn panic_if(self, place: Plan) {
        if self == place {
            panic::panic_any(PlannedPanic);
        }
    }
}

/// The payload of a panic that the load asked for.
pub(crate) struct PlannedPanic;

/// A header as text, if it is there and is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
