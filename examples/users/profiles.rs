//! The second service, which knows profiles, permissions and projects of users.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use kamon::ContextFutureExt as _;

use crate::ledger::{Hop, Ledger};
use crate::request::{Ticket, X_CARRIED_ID};

pub(crate) fn router(ledger: Arc<Ledger>) -> Router {
    let route = |part: &'static str| {
        get(
            move |State(ledger): State<Arc<Ledger>>, Path(name): Path<String>, request: Request| {
                handle(ledger, part, name, request)
            },
        )
    };
    Router::new()
        .route("/profiles/{name}", route("profiles"))
        .route("/permissions/{name}", route("permissions"))
        .route("/projects/{name}", route("projects"))
        .with_state(ledger)
}

/// The handler: goes on with what came over HTTP and is current already.
///
/// The ticket came by another way, in headers that the caller fills from its arguments.
async fn handle(
    ledger: Arc<Ledger>,
    part: &'static str,
    name: String,
    request: Request,
) -> Response {
    let ticket = Ticket::new(&name, X_CARRIED_ID, request.headers());
    if ticket.in_context {
        let context = ticket.context(&ledger);
        look_up(ledger, ticket, part).in_context(context).await
    } else {
        look_up(ledger, ticket, part).await
    }
}

async fn look_up(ledger: Arc<Ledger>, ticket: Ticket, part: &'static str) -> Response {
    ledger.arrive(Hop::Http, &ticket);
    let log = |text: &str| {
        let user = &ticket.user;
        let journal = &ledger.journal;
        journal.write("b", &ticket, format_args!("{part} of {user} {text}"));
    };
    log("are looked up");
    let query = kamon::spawn({
        let (ledger, ticket) = (ledger.clone(), ticket.clone());
        async move {
            ledger.arrive(Hop::Spawn, &ticket);
            kamon::task::yield_now().await;
            ledger.arrive(Hop::Spawn, &ticket);
            match part {
                "profiles" => "plays the analytical engine",
                "permissions" => "read, write",
                _ => "kamon, notes, engine",
            }
        }
    });
    let found = query.await;
    ledger.arrive(Hop::Http, &ticket);
    match found {
        Ok(found) => {
            log("are found");
            format!("{part} {found}\n").into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
