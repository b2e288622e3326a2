//! What is measured of connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::integrations::http::place::Place;
use crate::metrics::{self, Histogram, RangeSampler, Timer};
use crate::time::Instant;

/// The metrics of one server's connections.
pub(super) struct ConnectionMetrics {
    open: RangeSampler,
    lifetime: Timer,
    usage: Histogram,
}

/// A connection that is open, until this is dropped.
pub(super) struct Open {
    metrics: Arc<ConnectionMetrics>,
    since: Instant,
    requests: Arc<AtomicU64>,
}

impl ConnectionMetrics {
    /// The metrics of the server that listens there.
    pub(super) fn of(address: Option<SocketAddr>) -> Self {
        let place = Place::of(address);
        ConnectionMetrics {
            open: place.tag(metrics::range_sampler("http.server.connection.open")),
            lifetime: place.tag(metrics::timer("http.server.connection.lifetime")),
            usage: place.tag(metrics::histogram("http.server.connection.usage")),
        }
    }

    /// Begins to measure a connection.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.open.increment();
        Open {
            metrics: self.clone(),
            since: Instant::now(),
            requests: Arc::new(AtomicU64::new(0)),
        }
    }
}

impl Open {
    /// Where to count the connection's requests.
    pub(super) fn requests(&self) -> Arc<AtomicU64> {
        self.requests.clone()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.open.decrement();
        self.metrics.lifetime.record(self.since.elapsed());
        // As Kamon has it, connections that carried no request are not in the distribution.
        match self.requests.load(Ordering::Relaxed) {
            0 => {}
            requests => self.metrics.usage.record(requests),
        }
    }
}
