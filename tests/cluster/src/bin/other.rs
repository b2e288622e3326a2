//! The other process: connects to the port that it is told, and has one actor, until it is ended.

use std::net::Ipv4Addr;

use cluster_tests::{node, talk_in, THERE};
use ractor_cluster::client_connect;

#[kamon::main]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse::<u16>().ok());
    let port = port.expect("the first argument is the port of the test's process");
    let server = node("other").await;
    talk_in(THERE, |seen| println!("{seen}")).await;
    let connected = client_connect(&server, (Ipv4Addr::LOCALHOST, port)).await;
    connected.expect("the test's process listens");
    // Whoever started this process ends it by letting go of its input.
    let ended = kamon::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let _ = ended.await;
}
