//! Two processes, connected by ractor_cluster over TCP: tell and ask keep the Context and the trace.

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster_tests::{member, node, request, seen, talk_in, Talk, HERE, THERE};
use kamon::trace::SpanRecord;
use kamon::{ContextFutureExt as _, TraceId};
use ractor::{call, cast, ActorRef};
use ractor_cluster::{NetworkStream, NodeServerMessage};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};

/// The other process, ended with the test.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Connects this process to another one. What arrives here is sent to the receiver.
async fn connect() -> (Other, ActorRef<Talk>, UnboundedReceiver<String>) {
    let server = node("here").await;
    let (sender, receiver) = unbounded_channel();
    talk_in(HERE, move |seen| sender.send(seen).unwrap()).await;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = Command::new(env!("CARGO_BIN_EXE_other"))
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let other = Other(other);
    let (stream, peer_addr) = listener.accept().await.unwrap();
    let stream = NetworkStream::Raw {
        peer_addr,
        local_addr: stream.local_addr().unwrap(),
        stream,
    };
    let opened = NodeServerMessage::ConnectionOpened {
        stream: Box::new(stream),
        is_server: true,
    };
    cast!(server, opened).unwrap();
    let there = member(THERE).await;
    assert!(!there.get_id().is_local(), "it is in the other process");
    (other, there, receiver)
}

/// Waits until a span of the trace is reported in this process.
async fn finished(trace: TraceId, operation: &str) {
    let is_it = |span: &SpanRecord| span.trace_id == trace && span.operation == operation;
    loop {
        kamon::flush();
        if kamon::recent_spans().iter().any(is_it) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[kamon::test(flavor = "multi_thread", worker_threads = 2)]
async fn tell_and_ask_keep_the_context_and_the_trace() {
    let (_other, there, mut arrived) = connect().await;

    for id in ["r-1", "r-2"] {
        let root = kamon::build_span("root").start();
        let trace = root.trace_id();
        let work = async {
            let look = |answer| Talk::Look {
                fail: false,
                answer,
            };
            let asked = call!(there, look).unwrap();
            assert_eq!(asked, format!("{id} 0 {trace}"), "the other process");
            assert_eq!(seen(), format!("{id} 7 {trace}"), "the asker, afterwards");
            // There, back, and there again before it comes back.
            cast!(there, Talk::Hop(HERE.to_owned(), 2)).unwrap();
            assert_eq!(arrived.recv().await.unwrap(), format!("{id} 0 {trace}"));
        };
        work.in_span(root.clone()).in_context(request(id)).await;

        // The spans that are made here, of messages from there, are of the same trace.
        for message in ["tell(Hop)", "tell(Arrived)"] {
            finished(trace, message).await;
        }
    }

    // What carries nothing is handled in nothing.
    let look = |answer| Talk::Look {
        fail: false,
        answer,
    };
    let nobody = call!(there, look).unwrap();
    assert_eq!(
        nobody,
        format!("none 0 {}", kamon::Span::empty().trace_id())
    );

    // The actor there fails in the request's Context, and the asker hears of it.
    let look = |answer| Talk::Look { fail: true, answer };
    let failed = async { call!(there, look) }
        .in_context(request("r-3"))
        .await;
    assert!(failed.is_err());
}
