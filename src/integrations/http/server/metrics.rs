//! What is measured of requests.

use http::StatusCode;

use crate::integrations::http::place::Place;
use crate::metrics::{self, Counter, Histogram, RangeSampler, Unit};

/// The metrics of one server's requests.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    /// By the first digit of the status.
    requests: [Counter; 5],
    pub(super) active: RangeSampler,
    pub(super) request_size: Histogram,
    pub(super) response_size: Histogram,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl ServerMetrics {
    pub(super) fn of(place: &Place) -> Self {
        let requests = place.tag(metrics::counter("http.server.requests"));
        let size = |name| place.tag(metrics::histogram(name).with_unit(Unit::Bytes));
        ServerMetrics {
            requests: CLASSES.map(|class| requests.with_tag("http.status_code", class)),
            active: place.tag(metrics::range_sampler("http.server.request.active")),
            request_size: size("http.server.request.size"),
            response_size: size("http.server.response.size"),
        }
    }

    /// The counter of responses with such a status. There is none for statuses that HTTP has not.
    pub(super) fn requests(&self, status: StatusCode) -> Option<&Counter> {
        let class = usize::from(status.as_u16() / 100);
        self.requests.get(class.checked_sub(1)?)
    }
}
