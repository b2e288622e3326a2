//! A tower service as one of hyper's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::service::Service as HyperService;
use tower_service::Service;

use crate::integrations::http::oneshot::Oneshot;

/// A tower service as one of hyper's, which also counts the requests.
pub(super) struct Adapter<S> {
    service: S,
    requests: Arc<AtomicU64>,
}

impl<S> Adapter<S> {
    pub(super) fn new(service: S, requests: Arc<AtomicU64>) -> Self {
        Adapter { service, requests }
    }
}

impl<S> HyperService<Request<Incoming>> for Adapter<S>
where
    S: Service<Request<Incoming>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, Request<Incoming>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Oneshot::new(self.service.clone(), request)
    }
}
