//! Two processes, connected by ractor_cluster over TCP: tell and ask keep the Context and the trace.

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use cluster_tests::{member, node, request, seen, talk_in, Talk, HERE, THERE};
use kamon::{ContextFutureExt as _, TraceId};
use ractor::{call, cast, ActorRef, RpcReplyPort};
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

/// This process, connected to another one.
struct Connected {
    _other: Other,
    /// The actor in this process.
    here: ActorRef<Talk>,
    /// The actor in the other one.
    there: ActorRef<Talk>,
    /// What arrives here.
    arrived: UnboundedReceiver<String>,
}

/// Connects this process to another one.
async fn connect() -> Connected {
    let server = node("here").await;
    let (sender, arrived) = unbounded_channel();
    let here = talk_in(HERE, move |seen| sender.send(seen).unwrap()).await;

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
    Connected {
        _other: other,
        here,
        there,
        arrived,
    }
}

/// A question for what an actor sees.
fn look(fail: bool) -> impl FnOnce(RpcReplyPort<String>) -> Talk {
    move |answer| Talk::Look { fail, answer }
}

/// The messages of the trace that were handled in this process, by the names of their spans.
fn handled(trace: TraceId) -> Vec<String> {
    kamon::flush();
    let mut spans = kamon::recent_spans();
    spans.retain(|span| span.trace_id == trace && span.operation != "root");
    let mut names: Vec<_> = spans
        .iter()
        .map(|span| span.operation.to_string())
        .collect();
    names.sort();
    names
}

#[kamon::test(flavor = "multi_thread", worker_threads = 2)]
async fn tell_and_ask_keep_the_context_and_the_trace() {
    let Connected {
        _other,
        here,
        there,
        mut arrived,
    } = connect().await;

    for id in ["r-1", "r-2"] {
        let root = kamon::build_span("root").start();
        let trace = root.trace_id();
        let work = async {
            let asked = call!(there, look(false)).unwrap();
            assert_eq!(asked, format!("{id} 0 {trace}"), "the other process");
            assert_eq!(seen(), format!("{id} 7 {trace}"), "the asker, afterwards");
            // There, back, and there again before it comes back.
            cast!(there, Talk::Hop(HERE.to_owned(), 2)).unwrap();
            assert_eq!(arrived.recv().await.unwrap(), format!("{id} 0 {trace}"));
        };
        work.in_span(root.clone()).in_context(request(id)).await;

        // The spans that are made here, of messages from there, are of the same trace.
        // They are finished when the next message is answered.
        call!(here, look(false)).unwrap();
        assert_eq!(handled(trace), ["tell(Arrived)", "tell(Hop)"]);
    }

    // What carries nothing is handled in nothing.
    let nobody = call!(there, look(false)).unwrap();
    assert_eq!(
        nobody,
        format!("none 0 {}", kamon::Span::empty().trace_id())
    );

    // The actor there fails in the request's Context, and the asker hears of it.
    let failed = async { call!(there, look(true)) }
        .in_context(request("r-3"))
        .await;
    assert!(failed.is_err());
}
