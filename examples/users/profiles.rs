//! The second service, which knows profiles, permissions and projects of users.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use kamon::ContextFutureExt as _;

use crate::ledger::{Hop, Ledger};
use crate::request::{text, Ticket, X_CARRIED_ID, X_REQUEST_ID};

pub(crate) fn router(ledger: Arc<Ledger>) -> Router {
    Router::new()
        .route("/{part}/{name}", get(part))
        .with_state(ledger)
}

/// The handler: goes on with the request id that came over HTTP, in a Context of its own.
///
/// The ticket's id came by another way, in a header that the caller fills from its arguments.
async fn part(
    State(ledger): State<Arc<Ledger>>,
    Path((part, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let ticket = Ticket::new(&name, X_CARRIED_ID, &headers);
    if ticket.in_context {
        let context = ticket.context(text(&headers, X_REQUEST_ID), &ledger);
        look_up(ledger, ticket, part).in_context(context).await
    } else {
        look_up(ledger, ticket, part).await
    }
}

async fn look_up(ledger: Arc<Ledger>, ticket: Ticket, part: String) -> Response {
    ledger.arrive(Hop::Http, &ticket);
    let asked = part.clone();
    let query = kamon::spawn({
        let (ledger, ticket) = (ledger.clone(), ticket.clone());
        async move {
            ledger.arrive(Hop::Spawn, &ticket);
            kamon::task::yield_now().await;
            ledger.arrive(Hop::Spawn, &ticket);
            match asked.as_str() {
                "profiles" => Some("plays the analytical engine"),
                "permissions" => Some("read, write"),
                "projects" => Some("kamon, notes, engine"),
                _ => None,
            }
        }
    });
    let found = query.await;
    ledger.arrive(Hop::Http, &ticket);
    match found {
        Ok(Some(found)) => format!("{part} {found}\n").into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
