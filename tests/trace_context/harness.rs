//! Who asks the service to call back, and looks at what comes.

use std::sync::{Arc, Mutex, Once};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::Router;
use kamon::propagation::Codecs;

use crate::case::Exchange;
use crate::service;
use crate::web::{self, Server};

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// The service, and whom it calls.
pub(crate) struct Harness {
    service: Server,
    called: Server,
    seen: Seen,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        static CODECS: Once = Once::new();
        CODECS.call_once(|| {
            Codecs::set_current(Codecs::builder().http_headers("span", ["w3c"]).build());
        });
        let seen = Seen::default();
        let note = |State(seen): State<Seen>, headers: HeaderMap| async move {
            seen.lock().unwrap().push(headers);
        };
        let called = Router::new().route("/callback", post(note));
        Harness {
            service: web::start(service::router()).await,
            called: web::start(called.with_state(seen.clone())).await,
            seen,
        }
    }

    /// Sends a request, and returns the headers of the calls that the service then makes.
    pub(crate) async fn try_out(&self, exchange: &Exchange) -> Vec<HeaderMap> {
        let call = format!(
            r#"{{"url": "http://{}/callback", "arguments": []}}"#,
            self.called.address
        );
        let calls = vec![call; exchange.calls].join(",");
        let answer = self.post(&exchange.headers, &format!("[{calls}]")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// Sends bytes as they are, for the sake of blanks and upper case, and returns the answer.
    pub(crate) async fn post(&self, headers: &[(String, String)], body: &str) -> String {
        let lines = headers.iter();
        let lines: String = lines
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let length = body.len();
        let request = format!(
            "POST /test HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {length}\r\n{lines}\r\n{body}"
        );
        web::talk(self.service.address, request.as_bytes()).await
    }
}
