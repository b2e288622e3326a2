//! The main job: a real service on kamon, a load sent to it over sockets, and a table of zeros.
//!
//! `cargo run --release --example users` starts two axum services on loopback ports. A answers
//! `GET /users` and `GET /users/{name}` by way of every kind of hop that a service has (nested
//! spawns, a `JoinSet`, blocking work, timer callbacks, `!Send` tasks on a thread of their own, a
//! mailbox of a long-lived task, three calls at once to B), and each hop compares the request id
//! in the Context with the one that it carries in its arguments. With `--serve-b` and `--serve-a`
//! the two are processes of their own. Start reading in `service.rs`.

mod arguments;
mod journal;
mod ledger;
mod load;
mod local;
mod origin;
mod plant;
mod profiles;
mod report;
mod request;
mod service;
mod sessions;
mod spans;
mod switch;
mod upstream;

use std::fmt::Display;
use std::future::IntoFuture as _;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kamon::propagation::Codecs;
use kamon::runtime::Builder;
use tokio::net::TcpListener;

use crate::arguments::{Arguments, Command, Role, USAGE};
use crate::ledger::Ledger;
use crate::load::{Load, Measured};
use crate::local::LocalWorker;
use crate::plant::{Plant, Planter};
use crate::report::Report;
use crate::request::{PlannedPanic, X_REQUEST_ID};
use crate::service::Service;
use crate::sessions::Sessions;
use crate::spans::Watched;
use crate::switch::Switch;
use crate::upstream::Upstream;

/// How long the last Contexts may take to go once the last request is answered.
const SETTLE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Run(arguments)) => arguments,
        Ok(Command::Help) => {
            say(format_args!("{USAGE}\n"));
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("users: {wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    keep_planned_panics_quiet();
    match run(&arguments) {
        Ok(report) => {
            say(&report);
            if report.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("users: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the runtime, runs the job in it, takes it down, and then looks at what was left behind.
fn run(arguments: &Arguments) -> io::Result<Report> {
    // Traces of others are continued whichever way they come, and are sent on in all of them.
    let codecs = Codecs::builder().http_headers("span", ["b3", "b3-single", "w3c", "trace-token"]);
    Codecs::set_current(codecs.string_key("requestID", X_REQUEST_ID).build());
    let ledger = Arc::new(Ledger::default());
    let watched = Watched::begin();
    let runtime = {
        let (at_park, at_stop) = (ledger.clone(), ledger.clone());
        Builder::new_multi_thread()
            .worker_threads(arguments.workers)
            .enable_all()
            .attribute_latency(true)
            .on_thread_park(move || at_park.look_at_thread())
            .on_thread_stop(move || at_stop.look_at_ending_thread())
            .build()?
    };
    let local = LocalWorker::start(runtime.handle().clone(), ledger.clone())?;

    let outcome = runtime.block_on(job(arguments, ledger.clone(), &local));

    local.stop();
    runtime.shutdown_timeout(Duration::from_secs(10));
    let _scope = (arguments.plant == Some(Plant::Thread)).then(plant::context_on_this_thread);
    ledger.look_at_ending_thread();
    outcome.map(|measured| Report::new(arguments, &ledger, measured, watched.end(&ledger.journal)))
}

/// Brings the services up, sends the load or waits for Ctrl-C, and lets the last requests go.
///
/// The Contexts are counted here, while services, pooled connections and the session keeper are
/// all still alive: whatever they had kept of a request would show.
async fn job(
    arguments: &Arguments,
    ledger: Arc<Ledger>,
    local: &LocalWorker,
) -> io::Result<Option<Measured>> {
    let address = match arguments.role {
        Role::A => start_a(arguments, arguments.upstream, &ledger, local).await?,
        Role::B => start_b(arguments.address(), &ledger).await?,
        Role::Load | Role::Both => {
            let b = start_b(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &ledger).await?;
            start_a(arguments, b, &ledger, local).await?
        }
    };
    let measured = if arguments.role == Role::Load {
        say(format_args!(
            "users: http://{address}, {} workers, {} connections\n",
            arguments.workers, arguments.concurrency
        ));
        Some(Load::new(address, arguments, ledger.clone()).run().await?)
    } else {
        ledger.journal.print();
        let path = match arguments.role {
            Role::B => "/profiles/ada",
            _ => "/users/ada",
        };
        say(format_args!(
            "users: serving on http://{address}, Ctrl-C to stop and see the table\n\
             \x20 curl -i -H 'X-Trace-Token: hello' http://{address}{path}\n"
        ));
        tokio::signal::ctrl_c().await?;
        None
    };
    ledger.settle(SETTLE).await;
    Ok(measured)
}

/// Starts A, which asks B.
async fn start_a(
    arguments: &Arguments,
    b: SocketAddr,
    ledger: &Arc<Ledger>,
    local: &LocalWorker,
) -> io::Result<SocketAddr> {
    let service = Service {
        ledger: ledger.clone(),
        upstream: Upstream::new(b),
        local: local.jobs(),
        sessions: Sessions::start(ledger.clone()),
        planter: Planter::new(arguments.plant),
    };
    serve(arguments.address(), service::router(service)).await
}

/// Starts B, which asks nobody.
async fn start_b(address: SocketAddr, ledger: &Arc<Ledger>) -> io::Result<SocketAddr> {
    serve(address, profiles::router(ledger.clone())).await
}

/// Serves the routes until the runtime goes down. Returns where.
async fn serve(address: SocketAddr, routes: Router) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let server = kamon::http::serve(listener, Switch::of(routes));
    kamon::spawn_root(server.into_future());
    Ok(address)
}

/// Writes to standard output; if nobody reads it any more (`| head`), the exit code still speaks.
fn say(text: impl Display) {
    let _ = write!(io::stdout(), "{text}");
}

/// Leaves the report of a panic to the usual hook, unless the load asked for it.
fn keep_planned_panics_quiet() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<PlannedPanic>() {
            usual(info);
        }
    }));
}
