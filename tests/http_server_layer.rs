//! `ServerLayer`: each request has a span, from its head to the last byte of the response, and the
//! Context that came with it.
#![cfg(feature = "http")]

mod web;
mod witness;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use axum::Router;
use kamon::http::{ServerLayer, TagMode};
use kamon::metrics::{self, Value};
use kamon::report::outline;
use kamon::task::JoinSet;
use kamon::{ContextFutureExt as _, SpanKind, TraceId};
use tokio::net::TcpListener;
use web::request;
use web::spans::{ask, layered, only_span, span_of, trace, trace_id, traced, use_codecs, SESSION};
use witness::{on_each, workers};

#[test]
fn a_request_is_a_tree() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handler = |Path(id): Path<u32>| async move {
                let mut parts = JoinSet::new();
                for part in ["profiles", "permissions"] {
                    let load = async { kamon::task::yield_now().await };
                    let load = load.in_span(kamon::build_span(part).start());
                    parts.spawn(load);
                    parts.join_next().await.unwrap().unwrap();
                }
                let stored =
                    || kamon::with_span_finishing(kamon::build_span("store").start(), || {});
                kamon::spawn_blocking(stored).await.unwrap();
                format!("user {id}")
            };
            let server = traced(Router::new().route("/users/{id}", get(handler))).await;
            let answer = ask(&server, request("/users/7?verbose=yes")).await;
            assert_eq!(answer.body(), "user 7");
            let spans = trace(trace_id(&answer));
            assert_eq!(
                outline(&spans),
                "GET /users/{id} (server) {http.url=http://localhost/users/7?verbose=yes}\n\
                 ├─ profiles\n\
                 ├─ permissions\n\
                 └─ store\n"
            );
            let request = spans.iter().find(|span| span.is_local_root()).unwrap();
            assert_eq!(request.kind, SpanKind::Server);
            assert_eq!(request.metric_tag("component"), Some("http.server"));
            assert_eq!(request.metric_tag("http.method"), Some("GET"));
            assert_eq!(request.metric_tag("http.status_code"), Some("200"));
            let token = answer.headers()["x-trace-token"].to_str().unwrap();
            assert_eq!(token, request.trace_id.to_string());
        });
    });
}

#[test]
fn axums_own_server_will_do() {
    on_each(|runtime| {
        runtime.block_on(async {
            use_codecs();
            let handler = |body: String| async move { body };
            let router = Router::new().route("/", any(handler));
            let router = router.layer(ServerLayer::new().name_by_route(MatchedPath::as_str));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            drop(kamon::spawn_root(async {
                axum::serve(listener, router).await.unwrap()
            }));
            let mut connection = web::http1(address).await;
            let answer = connection.send_request(request("/")).await.unwrap();
            let id = trace_id(&answer);
            assert_eq!(web::text(answer).await.unwrap(), "");
            assert_eq!(only_span(id).await.operation, "GET /");
        });
    });
}

#[test]
fn the_context_that_came_in_is_current() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handler = || async {
                let seen = || kamon::current_context().get(&SESSION).clone().unwrap();
                let spawned = kamon::spawn(async move { seen() });
                format!("{} {}", seen(), spawned.await.unwrap())
            };
            let server = traced(Router::new().route("/", get(handler))).await;
            let mut asking = request("/");
            let headers = asking.headers_mut();
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
            headers.insert("traceparent", parent.parse().unwrap());
            headers.insert("x-session", "blue".parse().unwrap());
            headers.insert("x-trace-token", "cart-7".parse().unwrap());
            let answer = ask(&server, asking).await;
            assert_eq!(answer.body(), "blue blue");
            assert_eq!(
                answer.headers()["trace-id"],
                "4bf92f3577b34da6a3ce929d0e0e4736"
            );
            let mut spans = trace(trace_id(&answer));
            let span = spans.pop().unwrap();
            assert_eq!(span.parent_id.unwrap().to_string(), "00f067aa0ba902b7");
            assert!(span.parent_is_remote);
        });
    });
}

#[test]
fn a_token_that_came_in_is_given_back() {
    witness::workers(1).block_on(async {
        let server = traced(Router::new().route("/", get(|| async {}))).await;
        let mut asking = request("/");
        asking
            .headers_mut()
            .insert("x-trace-token", "cart-7".parse().unwrap());
        let answer = ask(&server, asking).await;
        assert_eq!(answer.headers()["x-trace-token"], "cart-7");
        // The next request on the same server has its own.
        let other = ask(&server, request("/")).await;
        assert_eq!(
            other.headers()["x-trace-token"],
            other.headers()["trace-id"]
        );
    });
}

#[test]
fn operations_are_named_by_what_is_few() {
    witness::workers(1).block_on(async {
        let layer = ServerLayer::new().name_by(|head| {
            let health = head.uri().path() == "/health";
            health.then(|| "health-check".into())
        });
        let unknown = |headers: HeaderMap| async move {
            let status = if headers.contains_key("content-type") {
                "12"
            } else {
                "0"
            };
            [("grpc-status", status)]
        };
        let router = Router::new()
            .route("/users/{id}", any(|| async {}))
            .route("/health", get(|| async {}));
        // A router whose paths nobody has matched.
        let raw = axum::Router::new().fallback(unknown);
        let server = layered(router.fallback_service(raw), layer).await;
        for (method, path, grpc, name) in [
            ("GET", "/users/1", false, "GET /users/{id}"),
            ("DELETE", "/users/2", false, "DELETE /users/{id}"),
            ("MADE-UP", "/users/3", false, "_OTHER /users/{id}"),
            ("GET", "/health", false, "health-check"),
            ("GET", "/who/knows/4", false, "GET"),
            ("PUT", "/who/knows/5", false, "PUT"),
            // gRPC says that there is no such method.
            ("POST", "/a.Service/MadeUp", true, "unhandled"),
        ] {
            let mut asking = request(path);
            *asking.method_mut() = method.parse().unwrap();
            if grpc {
                let content = "application/grpc+proto".parse().unwrap();
                asking.headers_mut().insert("content-type", content);
            }
            let span = span_of(&ask(&server, asking).await);
            assert_eq!(span.operation, name, "{method} {path}");
            assert_eq!(span.failed, grpc);
        }
    });
}

#[test]
fn requests_are_measured() {
    witness::workers(2).block_on(async {
        let handler = |Path(code): Path<u16>| async move {
            let mut response = Response::new(Body::from(vec![b'x'; usize::from(code)]));
            *response.status_mut() = StatusCode::from_u16(code).unwrap();
            response
        };
        let router = Router::new().route("/{code}", any(handler));
        let port = 4711;
        let layer = ServerLayer::new()
            .component("measured")
            .address(([10, 0, 0, 1], port).into());
        let mut subscription = metrics::subscribe("http.server.re*", Duration::from_secs(60));
        let server = layered(router, layer).await;
        for code in [200, 302, 404, 504, 999] {
            ask(&server, request(&format!("/{code}"))).await;
        }
        let said = "POST /200 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                    content-length: 4\r\n\r\nsaid";
        web::talk(server.address, said.as_bytes()).await;
        let period = subscription.snapshot();
        let of = |name: &str, class: Option<&str>| {
            let mut instruments = period.named(name);
            let found = instruments.find(|instrument| {
                let tags = instrument.tags();
                tags.get("component") == Some("measured") && tags.get("http.status_code") == class
            })?;
            assert_eq!(found.tags().get("interface"), Some("10.0.0.1"));
            assert_eq!(found.tags().get("port"), Some("4711"));
            Some(found.value().clone())
        };
        for (class, times) in [("1xx", 0), ("2xx", 2), ("3xx", 1), ("4xx", 1), ("5xx", 1)] {
            let counted = of("http.server.requests", Some(class));
            assert_eq!(counted.unwrap_or(Value::Count(0)), Value::Count(times));
        }
        let Some(Value::Range(active)) = of("http.server.request.active", None) else {
            panic!("active requests are a range sampler");
        };
        assert_eq!((active.current, active.samples.max()), (0, 1));
        let Some(Value::Distribution(sizes)) = of("http.server.response.size", None) else {
            panic!("sizes are a histogram");
        };
        assert_eq!((sizes.count(), sizes.min()), (6, 200));
        let Some(Value::Distribution(sizes)) = of("http.server.request.size", None) else {
            panic!("sizes are a histogram");
        };
        assert_eq!((sizes.count(), sizes.max()), (1, 4));
    });
}

#[test]
fn what_is_said_can_be_chosen() {
    witness::workers(1).block_on(async {
        let layer = ServerLayer::new()
            .component("shop")
            .tag_url(TagMode::Off)
            .tag_method(TagMode::Span)
            .tag_status(TagMode::Span)
            .span_id_header(Some("x-span-id".parse().unwrap()))
            .trace_token_header(None);
        let server = layered(Router::new().route("/", get(|| async {})), layer).await;
        let answer = ask(&server, request("/")).await;
        let span = span_of(&answer);
        assert_eq!(
            outline(std::slice::from_ref(&span)),
            "GET / (server) {http.method=GET, http.status_code=200}\n"
        );
        assert_eq!(span.metric_tags.len(), 1);
        assert_eq!(span.metric_tag("component"), Some("shop"));
        assert_eq!(answer.headers()["x-span-id"], span.id.to_string());
    });
}

#[test]
fn a_name_that_cannot_be_had_is_the_usual_one() {
    witness::workers(1).block_on(async {
        let layer = ServerLayer::new().name_by(|_| witness::quiet_panic("planned"));
        let server = layered(Router::new().route("/", get(|| async { "fine" })), layer).await;
        let answer = ask(&server, request("/")).await;
        assert_eq!(answer.body(), "fine");
        let span = span_of(&answer);
        assert_eq!((&*span.operation, span.failed), ("GET /", false));
    });
}

#[test]
fn spans_need_not_be_measured() {
    witness::workers(1).block_on(async {
        for measured in [true, false] {
            let component = if measured { "counted" } else { "uncounted" };
            let layer = ServerLayer::new().component(component);
            let layer = layer.span_metrics(measured);
            let mut times = metrics::subscribe("span.processing-time", Duration::from_secs(60));
            let server = layered(Router::new().route("/", get(|| async {})), layer).await;
            span_of(&ask(&server, request("/")).await);
            let period = times.snapshot();
            let mut instruments = period.instruments().iter();
            let found = instruments.any(|timer| timer.tags().get("component") == Some(component));
            assert_eq!(found, measured);
        }
    });
}

#[test]
fn bodies_stay_as_they_are() {
    witness::workers(1).block_on(async {
        let echo = |request: Request| async move { request.into_body() };
        let server = traced(Router::new().route("/", any(echo))).await;
        let said = b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                     transfer-encoding: chunked\r\n\r\n4\r\nsaid\r\n0\r\n\r\n";
        let answer = web::talk(server.address, said).await;
        assert!(
            answer.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n4\r\nsaid\r\n0\r\n\r\n"), "{answer}");
    });
}

fn crash() -> &'static str {
    panic!("planted")
}

/// Whoever says that he speaks gRPC may name anything.
#[test]
fn what_is_no_grpc_is_not_called_by_its_path() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handler = |body: String| async move {
                assert_ne!(body, "panic");
                body
            };
            let server = layered(Router::new().fallback(handler), ServerLayer::new()).await;
            for (method, path, name) in [
                ("GET", "/users/42", "GET"),
                ("POST", "/users/42", "POST"),
                ("POST", "/users/42/orders", "POST"),
                ("POST", "/users/", "POST"),
                ("POST", "/", "POST"),
            ] {
                let mut asking = request(path);
                *asking.method_mut() = method.parse().unwrap();
                let grpc = "application/grpc".parse().unwrap();
                asking.headers_mut().insert("content-type", grpc);
                let answer = ask(&server, asking).await;
                let span = only_span(trace_id(&answer)).await;
                assert_eq!(span.operation, name, "{method} {path}");
            }
        });
    });
}

#[test]
fn what_the_handler_calls_it_stays() {
    workers(1).block_on(async {
        let handler = |_: Request| async {
            kamon::current_span().set_operation_name("upload");
        };
        let server = layered(Router::new().fallback(handler), ServerLayer::new()).await;
        let mut asking = request("/users/42");
        *asking.method_mut() = "POST".parse().unwrap();
        let grpc = "application/grpc".parse().unwrap();
        asking.headers_mut().insert("content-type", grpc);
        let answer = ask(&server, asking).await;
        let span = only_span(trace_id(&answer)).await;
        assert_eq!(span.operation, "upload");
    });
}

#[test]
fn what_never_answers_is_not_called_by_its_path() {
    workers(1).block_on(async {
        let handler = |_: Request| async { crash() };
        let server = layered(Router::new().fallback(handler), ServerLayer::new()).await;
        let id = "5cf92f3577b34da6a3ce929d0e0e4736";
        let head = format!(
            "POST /users/42 HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\n\
             content-length: 0\r\ntraceparent: 00-{id}-00f067aa0ba902b7-01\r\n\r\n"
        );
        web::talk(server.address, head.as_bytes()).await;
        let span = only_span(TraceId::from_hex(id).unwrap()).await;
        assert_eq!((&*span.operation, span.failed), ("POST", true));
    });
}
