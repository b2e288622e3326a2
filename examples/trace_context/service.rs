//! The service: makes the calls that it is asked for, in order, and answers.

use std::error::Error;
use std::future::poll_fn;

use axum::body::Bytes;
use axum::extract::{MatchedPath, Path, State};
use axum::http::{header, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use kamon::http::{ClientLayer, ClientService, Executor, ServerLayer, Timer};
use serde_json::{json, Value};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::calls::{self, Call};
use crate::spans;

/// A client whose calls take the current Context along.
type Traced = ClientService<Client<HttpConnector, Full<Bytes>>>;

pub(crate) fn router() -> Router {
    let client = Client::builder(Executor).pool_timer(Timer).build_http();
    Router::new()
        .route("/test", post(test))
        .route("/spans/{trace}", get(of_trace))
        .layer(ServerLayer::new().name_by_route(MatchedPath::as_str))
        .with_state(ClientLayer::new().layer(client))
}

/// Makes the calls, and answers with the request's own span and their answers.
async fn test(State(mut client): State<Traced>, body: Bytes) -> Response {
    let calls = match calls::read(&body) {
        Ok(calls) => calls,
        Err(wrong) => return (StatusCode::BAD_REQUEST, wrong + "\n").into_response(),
    };
    let mut answers = Vec::new();
    for call in calls {
        match make(&mut client, &call).await {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                let url = call.url;
                return (StatusCode::BAD_GATEWAY, format!("{url}: {error}\n")).into_response();
            }
        }
    }
    let span = kamon::current_span();
    json_of(json!({
        "service": "kamon",
        "trace_id": span.trace_id().to_string(),
        "span_id": span.id().to_string(),
        "parent_id": span.parent_id().map(|id| id.to_string()),
        "calls": answers,
    }))
}

/// Makes a call, and returns what was answered, as it is if that is not JSON.
async fn make(client: &mut Traced, call: &Call) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let request = Request::post(&call.url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(call.arguments.to_string()))?;
    poll_fn(|cx| client.poll_ready(cx)).await?;
    let response = client.call(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("answered {status}").into());
    }
    Ok(serde_json::from_slice(&body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into()))
}

/// Tells of the spans of a trace.
async fn of_trace(Path(trace): Path<String>) -> Response {
    match spans::of_trace(&trace) {
        Ok(spans) => json_of(spans),
        Err(wrong) => (StatusCode::BAD_REQUEST, wrong + "\n").into_response(),
    }
}

fn json_of(value: Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, value.to_string()).into_response()
}
