//! The load: raw requests over a number of connections, from a thread of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::http::hello::HELLO;

/// How many requests an iteration sends on each connection.
pub(crate) const REQUESTS: u64 = 64;

const REQUEST: &[u8] =
    b"GET /users/ada HTTP/1.1\r\nhost: localhost\r\nuser-agent: load\r\naccept: */*\r\n\
    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";

/// Where the second half of the trace's id is, which is another one in each request: a service that
/// lost a span of one trace need not keep the rest of it.
const TRACE: std::ops::Range<usize> = {
    let end = REQUEST.len() - "-00f067aa0ba902b7-01\r\n\r\n".len();
    end - 16..end
};

/// Who sends the load.
pub(crate) struct Load {
    orders: Sender<u64>,
    times: Receiver<Duration>,
}

impl Load {
    /// Connects to the server.
    pub(crate) fn start(address: SocketAddr, connections: usize) -> Self {
        let (orders, received) = channel();
        let (told, times) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("the runtime starts");
            let mut streams = runtime.block_on(connect(address, connections));
            while let Ok(iterations) = received.recv() {
                let begin = Instant::now();
                streams = runtime.block_on(send(streams, iterations * REQUESTS));
                if told.send(begin.elapsed()).is_err() {
                    break;
                }
            }
        });
        Load { orders, times }
    }

    /// Sends the requests of so many iterations; returns the nanoseconds that it took.
    pub(crate) fn run(&self, iterations: u64) -> f64 {
        self.orders.send(iterations).expect("the load is there");
        let time = self.times.recv().expect("the load succeeds");
        time.as_nanos() as f64
    }
}

async fn connect(address: SocketAddr, connections: usize) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("the option exists");
        streams.push(stream);
    }
    streams
}

async fn send(streams: Vec<TcpStream>, requests: u64) -> Vec<TcpStream> {
    let mut sending = JoinSet::new();
    for stream in streams {
        sending.spawn(send_on(stream, requests));
    }
    sending.join_all().await
}

async fn send_on(mut stream: TcpStream, requests: u64) -> TcpStream {
    static TRACES: AtomicU64 = AtomicU64::new(1);
    let mut request = REQUEST.to_vec();
    let mut answer = [0; 1024];
    for _ in 0..requests {
        let trace = TRACES.fetch_add(1, Ordering::Relaxed);
        write!(&mut request[TRACE], "{trace:016x}").expect("there is room");
        stream.write_all(&request).await.expect("the server reads");
        let mut length = 0;
        while !answer[..length].ends_with(HELLO) {
            let read = stream.read(&mut answer[length..]).await;
            let read = read.expect("the server answers");
            assert!(read > 0, "the server answers to the end");
            length += read;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    stream
}
