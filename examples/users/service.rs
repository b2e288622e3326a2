//! The service: `GET /users/{name}`, answered by way of every kind of hop.
//!
//! The handler stores the request's id in the Context once. Nothing below it passes the Context
//! on by hand; each hop's only trace of the request in its arguments is the `Ticket`, which is
//! there to check the Context against.

use std::fmt::Display;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use kamon::task::{JoinError, JoinSet};
use kamon::ContextFutureExt as _;
use tokio::sync::oneshot;

use crate::ledger::{Hop, Ledger};
use crate::local::Jobs;
use crate::plant::Planter;
use crate::request::{Plan, PlannedPanic, Ticket, REQUEST_ID, TOKEN, X_REQUEST_ID};
use crate::sessions::Sessions;
use crate::spans::traced;
use crate::upstream::Upstream;

/// The parts of an answer that the second service knows.
const PARTS: [&str; 3] = ["profiles", "permissions", "projects"];

/// What all requests share.
pub(crate) struct Service {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) upstream: Upstream,
    pub(crate) local: Jobs,
    pub(crate) sessions: Sessions,
    pub(crate) planter: Planter,
}

pub(crate) fn router(service: Service) -> Router {
    Router::new()
        .route("/users", get(guest))
        .route("/users/{name}", get(user))
        .with_state(Arc::new(service))
}

/// The handler for whoever does not say who they are.
async fn guest(service: State<Arc<Service>>, request: Request) -> Response {
    user(service, Path("guest".to_owned()), request).await
}

/// The handler: makes the request's Context and answers in it.
///
/// What came in is current: the trace, the token and perhaps an id.
async fn user(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let ticket = Ticket::new(&name, X_REQUEST_ID, request.headers());
    let visit = Visit {
        plan: Plan::of(request.headers()),
        service: service.clone(),
        ticket: ticket.clone(),
    };
    if let Some(token) = &ticket.token {
        kamon::current_span().tag(TOKEN, token.to_string());
    }
    let half_way = HalfWay(Some(&service.ledger));
    let answer = if ticket.in_context {
        let context = ticket.context(&service.ledger);
        let context = context.with_key(&REQUEST_ID, Some(ticket.request_id.to_string()));
        let context = service.planter.tamper(context);
        make_answer(visit).in_context(context).await
    } else {
        make_answer(visit).await
    };
    half_way.arrived();
    match answer {
        Ok(answer) => answer.into_response(),
        Err(Failure::Panicked) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "a task panicked, as planned\n",
        )
            .into_response(),
        Err(Failure::Broken(why)) => (StatusCode::BAD_GATEWAY, why + "\n").into_response(),
    }
}

/// One request on its way through the service.
#[derive(Clone)]
struct Visit {
    service: Arc<Service>,
    ticket: Ticket,
    plan: Plan,
}

impl Visit {
    fn arrive(&self, hop: Hop) {
        self.service.ledger.arrive(hop, &self.ticket);
    }

    fn log(&self, text: impl Display) {
        let journal = &self.service.ledger.journal;
        journal.write("a", &self.ticket, text);
    }
}

/// Everything that makes up the answer, one hop after the other.
async fn make_answer(visit: Visit) -> Result<String, Failure> {
    visit.arrive(Hop::Handler);
    visit.log(format_args!("{} is asked for", visit.ticket.user));
    let parts = fetch_parts(&visit).await?;
    visit.arrive(Hop::Handler);
    let token = make_token(&visit, parts.len());
    let token = traced(&visit.ticket, "make-token", token).await?;
    visit.arrive(Hop::Handler);
    wait_for_activation(&visit).await?;
    visit.arrive(Hop::Handler);
    let greeting = greet(&visit).await?;
    visit.arrive(Hop::Handler);
    let sessions = &visit.service.sessions;
    let stored = sessions.store(&visit.ticket, token.clone());
    let stored = traced(&visit.ticket, "store-session-token", stored).await;
    let users = stored.ok_or_else(|| Failure::Broken("the session keeper is gone".into()))?;
    visit.log(format_args!("session token stored, of {users} users"));
    visit.arrive(Hop::Handler);

    let mut answer = format!(
        "{greeting}\nrequest {}\nuser {}\n",
        visit.ticket.request_id, visit.ticket.user
    );
    for part in parts {
        answer.push_str(&part);
    }
    answer.push_str(&format!("token {token}\n"));
    Ok(answer)
}

/// Asks the second service for all parts at once: a `JoinSet`, and a nested spawn in each task.
async fn fetch_parts(visit: &Visit) -> Result<Vec<String>, Failure> {
    let mut tasks = JoinSet::new();
    for (index, part) in PARTS.into_iter().enumerate() {
        let visit = visit.clone();
        tasks.spawn(async move {
            visit.arrive(Hop::JoinSet);
            if part == "permissions" {
                visit.plan.panic_if(Plan::PanicInJoinSet);
            }
            if part == "projects" && visit.plan == Plan::Stall {
                // The handler is dropped when the client hangs up; it takes this task with it.
                pending::<()>().await;
            }
            let text = kamon::spawn(fetch(visit.clone(), part)).await??;
            visit.arrive(Hop::JoinSet);
            Ok::<_, Failure>((index, text))
        });
    }
    let mut parts = vec![String::new(); PARTS.len()];
    while let Some(joined) = tasks.join_next().await {
        let (index, text) = joined??;
        parts[index] = text;
    }
    Ok(parts)
}

/// Asks the second service for one part.
async fn fetch(visit: Visit, part: &'static str) -> Result<String, Failure> {
    visit.arrive(Hop::Spawn);
    if part == "profiles" {
        visit.plan.panic_if(Plan::PanicInSpawn);
    }
    let answer = visit.service.upstream.get(part, &visit.ticket).await;
    visit.arrive(Hop::Spawn);
    answer.map_err(|error| Failure::Broken(error.to_string()))
}

/// Makes a session token: work for the blocking pool.
async fn make_token(visit: &Visit, salt: usize) -> Result<String, Failure> {
    let visit = visit.clone();
    let token = kamon::spawn_blocking(move || {
        visit.arrive(Hop::Blocking);
        visit.plan.panic_if(Plan::PanicInBlocking);
        // Not a cryptographic hash, but as many rounds as pass for a little work.
        let seed = visit
            .ticket
            .request_id
            .bytes()
            .chain(visit.ticket.user.bytes());
        let mut hash = salt as u64;
        for byte in seed.cycle().take(4096) {
            hash = (hash ^ u64::from(byte))
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(7);
        }
        format!("{hash:016x}")
    });
    Ok(token.await?)
}

/// Waits until the token is valid, which a timer callback says.
async fn wait_for_activation(visit: &Visit) -> Result<(), Failure> {
    let (activate, activated) = oneshot::channel();
    let visit = visit.clone();
    // Nobody cancels it: dropping its handle leaves it to fire.
    let _timer = kamon::time::call_later(Duration::from_millis(1), move || {
        visit.arrive(Hop::Timer);
        visit.plan.panic_if(Plan::PanicInTimer);
        let _ = activate.send(());
    });
    activated.await.map_err(|_| Failure::Panicked)
}

/// Writes the greeting with state that must not leave its thread: work for the local worker.
async fn greet(visit: &Visit) -> Result<String, Failure> {
    let passed = visit.clone();
    let greeting = visit.service.local.run(move || async move {
        let visit = Rc::new(passed);
        visit.arrive(Hop::Local);
        visit.plan.panic_if(Plan::PanicInLocal);
        let inner = kamon::task::spawn_local({
            let visit = Rc::clone(&visit);
            async move {
                visit.arrive(Hop::Local);
                format!("hello {}", visit.ticket.user)
            }
        });
        let greeting = inner.await;
        visit.arrive(Hop::Local);
        greeting
    });
    Ok(greeting.await.ok_or(Failure::Panicked)??)
}

/// Why there is no answer.
enum Failure {
    /// As the plan said.
    Panicked,
    Broken(String),
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        let text = error.to_string();
        match error.try_into_panic() {
            Ok(payload) if payload.is::<PlannedPanic>() => Failure::Panicked,
            _ => Failure::Broken(text),
        }
    }
}

/// Tells the ledger if the handler is dropped before it arrives at an answer.
struct HalfWay<'a>(Option<&'a Ledger>);

impl HalfWay<'_> {
    fn arrived(mut self) {
        self.0 = None;
    }
}

impl Drop for HalfWay<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = self.0 {
            ledger.drop_half_way();
        }
    }
}
