//! A service that configures nothing answers with the trace token, and its handlers and calls have the one that
//! came in; a decision that came without a span is followed.
#![cfg(feature = "http")]

mod web;

use axum::routing::get;
use axum::Router;
use hyper::Response;
use kamon::http::{ClientLayer, ServerLayer};
use kamon::propagation::{trace_token, Codecs};
use tower_layer::Layer as _;
use tower_service::Service as _;

/// What the handler sees, and what a request that it makes has in it.
async fn handler() -> String {
    let context = kamon::current_context();
    let seen = trace_token(&context).unwrap().into_owned();
    let service = axum::routing::get(|request: axum::extract::Request| async move {
        let headers = request.headers();
        headers["x-trace-token"].to_str().unwrap().to_owned()
    });
    let mut client = ClientLayer::new().layer(Router::new().route("/", service));
    let called = client
        .call(web::request("/").map(axum::body::Body::new))
        .await;
    let sent = axum::body::to_bytes(axum::body::Body::new(called.unwrap().into_body()), 1000);
    let sent = String::from_utf8(sent.await.unwrap().to_vec()).unwrap();
    let sampled = kamon::current_span().is_sampled();
    format!("{seen} {sent} {sampled}")
}

/// The token that is answered, and what the handler said.
async fn ask(server: &web::Server, headers: &[(&'static str, &str)]) -> (String, String) {
    let mut asking = web::request("/");
    for (name, value) in headers {
        asking.headers_mut().insert(*name, value.parse().unwrap());
    }
    let answer: Response<_> = web::http1(server.address)
        .await
        .send_request(asking)
        .await
        .unwrap();
    let tokens: Vec<_> = answer.headers().get_all("x-trace-token").iter().collect();
    assert_eq!(tokens.len(), 1);
    let token = tokens[0].to_str().unwrap().to_owned();
    (token, web::text(answer).await.unwrap())
}

#[test]
fn a_token_is_used_or_made_and_answered() {
    kamon::block_on(async {
        let router = Router::new()
            .route("/", get(handler))
            .layer(ServerLayer::new());
        let server = web::start(router).await;
        let (token, seen) = ask(&server, &[("x-trace-token", "cart-7")]).await;
        assert_eq!((&*token, &*seen), ("cart-7", "cart-7 cart-7 true"));

        let (made, seen) = ask(&server, &[]).await;
        assert_eq!(made.len(), 32);
        assert_eq!(seen, format!("{made} {made} true"));
        // The next one is another one.
        assert_ne!(ask(&server, &[]).await.0, made);

        let (_, seen) = ask(&server, &[("x-b3-sampled", "0")]).await;
        assert!(seen.ends_with(" false"), "{seen}");
    });
    // All of it with what is there from the start.
    assert!(Codecs::current()
        .decode_headers(&[("traceparent", "00-")])
        .is_empty());
}
