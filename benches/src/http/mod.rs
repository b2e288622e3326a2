//! hyper's "hello" over loopback: on kamon and on tokio, bare and with the tracing of each.
//!
//! The load comes from a thread of its own and is the same for all: raw requests of a sampled trace,
//! over a number of connections, one request at a time on each.

mod alone;
mod hello;
mod layers;
mod load;
mod servers;

use crate::http::hello::Hello;
use crate::http::load::{Load, REQUESTS};
use crate::http::servers::{Hosted, Hosts, OnKamon, OnTokio};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// How many connections there are.
const CONNECTIONS: usize = 16;

/// Returns the group.
pub fn group() -> Group {
    let row = |name, candidates| Workload {
        name,
        workers: Workers::Each(&[1, 2]),
        unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
        candidates,
    };
    Group {
        name: "http",
        about: "hyper's hello over loopback; time per request, all connections together",
        workloads: vec![
            row("bare", bare()),
            row("traced", traced()),
            row("cost/traced", costs()),
            alone::row(),
        ],
    }
}

fn bare() -> Vec<Candidate> {
    vec![
        Candidate::new("kamon", Role::Ours, |meter, workers| {
            serve::<OnKamon, _>(meter, workers, Hello)
        }),
        Candidate::new("tokio", Role::Peer, |meter, workers| {
            serve::<OnTokio, _>(meter, workers, Hello)
        }),
    ]
}

fn traced() -> Vec<Candidate> {
    vec![
        Candidate::new("kamon", Role::Ours, |meter, workers| {
            serve::<OnKamon, _>(meter, workers, layers::kamon(Hello))
        }),
        Candidate::new("fastrace", Role::Peer, |meter, workers| {
            serve::<OnTokio, _>(meter, workers, layers::fastrace(Hello))
        }),
        Candidate::new("tower-http", Role::Peer, |meter, workers| {
            serve::<OnTokio, _>(meter, workers, layers::tower_http(Hello))
        }),
        Candidate::new("opentelemetry", Role::Peer, |meter, workers| {
            serve::<OnTokio, _>(meter, workers, layers::opentelemetry(Hello))
        }),
        Candidate::new("kamon bare", Role::Reference, |meter, workers| {
            serve::<OnKamon, _>(meter, workers, Hello)
        }),
        Candidate::new("tokio bare", Role::Reference, |meter, workers| {
            serve::<OnTokio, _>(meter, workers, Hello)
        }),
    ]
}

/// What is left of a traced request's time without that of a bare one.
fn costs() -> Vec<Candidate> {
    vec![
        Candidate::new("kamon", Role::Ours, |meter, workers| {
            compare::<OnKamon, _>(meter, workers, layers::kamon(Hello))
        }),
        Candidate::new("fastrace", Role::Peer, |meter, workers| {
            compare::<OnTokio, _>(meter, workers, layers::fastrace(Hello))
        }),
        Candidate::new("tower-http", Role::Peer, |meter, workers| {
            compare::<OnTokio, _>(meter, workers, layers::tower_http(Hello))
        }),
        Candidate::new("opentelemetry", Role::Peer, |meter, workers| {
            compare::<OnTokio, _>(meter, workers, layers::opentelemetry(Hello))
        }),
    ]
}

fn serve<R: Hosts, S: Hosted>(meter: &mut Meter<'_>, workers: usize, service: S) {
    let server = R::start(workers);
    let load = Load::start(server.host(service), CONNECTIONS);
    meter.run(|iterations| load.run(iterations) / (iterations * requests()) as f64);
}

fn compare<R: Hosts, S: Hosted>(meter: &mut Meter<'_>, workers: usize, service: S) {
    let server = R::start(workers);
    let traced = Load::start(server.host(service), CONNECTIONS);
    let bare = Load::start(server.host(Hello), CONNECTIONS);
    meter.run(|iterations| {
        let mut difference = 0.0;
        for _ in 0..iterations {
            difference += traced.run(1) - bare.run(1);
        }
        difference / (iterations * requests()) as f64
    });
}

/// How many requests an iteration has.
fn requests() -> u64 {
    REQUESTS * CONNECTIONS as u64
}
