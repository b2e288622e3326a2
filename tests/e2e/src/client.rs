//! Who asks first: a client without a span of its own.

use std::error::Error;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client as Hyper;
use kamon::http::Executor;
use serde_json::Value;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Who asks first.
pub(crate) struct Client(Hyper<HttpConnector, Full<Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        Client(Hyper::builder(Executor).build_http())
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, url, &[], String::new()).await
    }

    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> Result<Value, Failure> {
        self.ask(Method::POST, url, headers, body.to_string()).await
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<Value, Failure> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::from(body))?;
        let answer = self.0.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            let why = String::from_utf8_lossy(&body);
            return Err(format!("{url} answered {status}: {why}").into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
