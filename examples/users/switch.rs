//! A service with the layer around it, but for requests that want no Context.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::extract::MatchedPath;
use axum::response::Response;
use axum::Router;
use hyper::body::Incoming;
use hyper::Request;
use kamon::http::ServerLayer;
use tower_service::Service;

use crate::request::{text, X_CONTEXT};

/// The routes twice: with a Context and spans, and with neither, to measure what they cost.
#[derive(Clone)]
pub(crate) struct Switch {
    traced: Router,
    plain: Router,
}

impl Switch {
    pub(crate) fn of(routes: Router) -> Self {
        let layer = ServerLayer::new().name_by_route(MatchedPath::as_str);
        Self {
            traced: routes.clone().layer(layer),
            plain: routes,
        }
    }
}

impl Service<Request<Incoming>> for Switch {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        // axum's routers always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let router = match text(request.headers(), X_CONTEXT) {
            Some("off") => &mut self.plain,
            _ => &mut self.traced,
        };
        Box::pin(router.call(request))
    }
}
