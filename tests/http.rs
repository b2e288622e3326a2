//! A service on axum and a client on hyper, unchanged on kamon: each request keeps its Context, and
//! the client's pooled connections keep none.
#![cfg(feature = "tokio")]

mod witness;

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::Path;
use axum::routing::get;
use axum::Router;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use kamon::task::JoinSet;
use kamon::{with_context, ContextFutureExt as _};
use witness::{current, workers, Tally, Watched};

type Http = Client<HttpConnector, Empty<Bytes>>;

fn client() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn get_text(client: &Http, url: String) -> Result<String, hyper_util::client::legacy::Error> {
    let response = client.get(url.parse().unwrap()).await?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Serves `/{number}`: handles it as the request of that number, asking itself once more.
async fn serve(tally: Tally) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = client();
    let outer = {
        let tally = tally.clone();
        move |Path(number): Path<u32>| {
            let (client, context) = (client.clone(), tally.request(number));
            async move {
                assert_eq!(current(), number);
                let mut parts = JoinSet::new();
                for _ in 0..3 {
                    let client = client.clone();
                    parts.spawn(async move {
                        let url = format!("http://{address}/inner/{}", current());
                        let text = get_text(&client, url).await.unwrap();
                        assert_eq!(text, format!("inner {}", current()));
                    });
                }
                let blocking = kamon::spawn_blocking(current);
                while let Some(part) = parts.join_next().await {
                    part.unwrap();
                }
                assert_eq!(blocking.await.unwrap(), number);
                if number % 10 == 9 {
                    witness::quiet_panic("planned");
                }
                Ok::<_, Infallible>(format!("outer {}", current()))
            }
            .in_context(context)
        }
    };
    let inner = |Path(number): Path<u32>| async move {
        // Nobody carries the number over but the path.
        assert_eq!(current(), 0);
        format!("inner {number}")
    };
    let router = Router::new()
        .route("/{number}", get(outer))
        .route("/inner/{number}", get(inner));
    drop(kamon::spawn_root(async move {
        axum::serve(listener, router).await.unwrap()
    }));
    address
}

fn on_each(test: impl Fn(&Watched)) {
    for number in [0, 1, 2, 4] {
        test(&workers(number));
    }
}

#[test]
fn requests_keep_their_contexts_apart() {
    on_each(|runtime| {
        let (served, asked) = (Tally::new(), Tally::new());
        runtime.block_on(async {
            let address = serve(served.clone()).await;
            let client = client();
            let mut requests = JoinSet::new();
            for number in 1..=100_u32 {
                let client = client.clone();
                with_context(asked.request(number), || {
                    requests.spawn(async move {
                        let text = get_text(&client, format!("http://{address}/{number}")).await;
                        (number, text, current())
                    })
                });
            }
            while let Some(answer) = requests.join_next().await {
                let (number, text, seen) = answer.unwrap();
                assert_eq!(seen, number);
                match number % 10 {
                    // The handler panics, which ends the connection and nothing else.
                    9 => assert!(text.is_err()),
                    _ => assert_eq!(text.unwrap(), format!("outer {number}")),
                }
            }
            // The client is there still, with the connections that it opened in some request.
            assert_eq!(asked.alive(), 0);
            while served.alive() > 0 {
                kamon::task::yield_now().await;
            }
            let again = get_text(&client, format!("http://{address}/inner/7")).await;
            assert_eq!(again.unwrap(), "inner 7");
        });
    });
}

#[test]
fn requests_that_are_given_up_leave_nothing() {
    on_each(|runtime| {
        let (served, asked) = (Tally::new(), Tally::new());
        runtime.block_on(async {
            let address = serve(served.clone()).await;
            let client = client();
            for round in 0..40_u32 {
                let client = client.clone();
                let task = kamon::spawn_in(asked.request(round * 10 + 1), async move {
                    let url = format!("http://{address}/{}", current());
                    get_text(&client, url).await
                });
                for _ in 0..round {
                    kamon::task::yield_now().await;
                }
                task.abort();
                drop(task.await);
            }
            assert_eq!(asked.alive(), 0);
            while served.alive() > 0 {
                kamon::task::yield_now().await;
            }
        });
    });
}
