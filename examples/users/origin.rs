//! Where a request of the load says it comes from, in one of the ways that tracing systems have.

use axum::http::{HeaderMap, Response};
use hyper::http::request::Builder;
use kamon::TraceId;

use crate::request::text;

/// The header of the answers that names their trace.
const TRACE_ID: &str = "trace-id";
const TRACE_TOKEN: &str = "x-trace-token";

/// Where a request says it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Nowhere,
    Token,
    B3,
    TraceParent,
}

impl Origin {
    /// Each as often as the others.
    pub(crate) fn of(number: u64) -> Self {
        match number % 4 {
            0 => Origin::Token,
            1 => Origin::B3,
            2 => Origin::TraceParent,
            _ => Origin::Nowhere,
        }
    }

    /// Says so in the request's headers.
    pub(crate) fn write(self, request: Builder, number: u64) -> Builder {
        let trace = trace(number);
        match self {
            Origin::Nowhere => request,
            Origin::Token => request.header(TRACE_TOKEN, token(number)),
            Origin::B3 => request.header("b3", format!("{trace}-00f067aa0ba902b7-1")),
            Origin::TraceParent => {
                request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
            }
        }
    }

    /// Compares the answer's trace with the request's.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(crate) fn check<B>(self, answer: &Response<B>, number: u64) -> Result<(), String> {
        let headers = answer.headers();
        let (id, said) = (header(headers, TRACE_ID)?, header(headers, TRACE_TOKEN)?);
        let trace = trace(number).to_string();
        let continued = match self {
            Origin::Nowhere => said == id,
            Origin::Token => said == token(number) && id != trace,
            Origin::B3 | Origin::TraceParent => id == trace && said == trace,
        };
        match continued {
            true => Ok(()),
            false => Err(format!(
                "{self:?} {number} was answered in trace {id}, token {said}"
            )),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, String> {
    text(headers, name).ok_or_else(|| format!("the answer has no {name}"))
}

fn token(number: u64) -> String {
    format!("sent-{number}")
}

fn trace(number: u64) -> TraceId {
    TraceId::new(0x5ee0_0000_0000_0000_0000_0000_0000_0000 | u128::from(number))
}
