//! A loopback echo over tokio's net, on kamon and on tokio's own runtime: what an executor costs
//! that parks inside a driver which is not its own.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::executor::{Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// What goes to and fro.
const MESSAGE: usize = 64;
/// How often it does so in an iteration, on each connection.
const ROUND_TRIPS: u64 = 16;

/// Returns the group.
pub fn group() -> Group {
    let row = |name, connections| Workload {
        name,
        workers: Workers::Each(&[2]),
        unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
        candidates: vec![
            Candidate::new(Kamon::NAME, Role::Ours, move |meter, workers| {
                echo::<Kamon>(meter, workers, connections);
            }),
            Candidate::new(Tokio::NAME, Role::Peer, move |meter, workers| {
                echo::<Tokio>(meter, workers, connections);
            }),
        ],
    };
    Group {
        name: "echo",
        about: "a loopback echo over tokio's net; time per round trip, all connections together",
        workloads: vec![
            row("echo_1_connection", 1),
            row("echo_8_connections", 8),
            row("echo_64_connections", 64),
            row("echo_256_connections", 256),
        ],
    }
}

/// Clients and servers are tasks of the same scheduler, two for each connection.
fn echo<S: Scheduler>(meter: &mut Meter<'_>, workers: usize, connections: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let address = scheduler.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        S::detach(S::spawn(accept::<S>(listener)));
        address
    });
    let mut clients = scheduler.block_on(connect(address, connections));
    meter.run(|iterations| {
        let round_trips = iterations * ROUND_TRIPS;
        let begin = Instant::now();
        clients = scheduler.block_on(async {
            let calling: Vec<_> = clients
                .drain(..)
                .map(|client| S::spawn(call(client, round_trips)))
                .collect();
            let mut clients = Vec::with_capacity(calling.len());
            for client in calling {
                clients.push(client.await);
            }
            clients
        });
        begin.elapsed().as_nanos() as f64 / (round_trips * connections as u64) as f64
    });
}

async fn accept<S: Scheduler>(listener: TcpListener) {
    loop {
        let (stream, _) = listener
            .accept()
            .await
            .expect("the clients are well-behaved");
        S::detach(S::spawn(serve(stream)));
    }
}

async fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).expect("the option exists");
    let mut message = [0; MESSAGE];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await.expect("the client reads");
    }
}

async fn connect(address: SocketAddr, connections: usize) -> Vec<TcpStream> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        let client = TcpStream::connect(address)
            .await
            .expect("the server listens");
        client.set_nodelay(true).expect("the option exists");
        clients.push(client);
    }
    clients
}

async fn call(mut stream: TcpStream, times: u64) -> TcpStream {
    let mut message = [7; MESSAGE];
    for _ in 0..times {
        stream.write_all(&message).await.expect("the server reads");
        stream
            .read_exact(&mut message)
            .await
            .expect("the server answers");
    }
    stream
}
