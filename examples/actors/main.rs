//! A request handled by actors: a router, supervised workers that sometimes fail, and a database call whose
//! result is piped back. Draws the trace of each request, and fails if a line of it has another's token.
//!
//! `cargo run --release --features kameo --example actors`

mod database;
mod lines;
mod router;
mod worker;

use std::process::ExitCode;

use kameo::actor::ActorRef;
use kamon::kameo::{ActorExt as _, ActorRefExt as _};
use kamon::{ContextFutureExt as _, SpanKind};

use crate::lines::{lines_of, say};
use crate::router::Router;
use crate::worker::{GetUser, User};

/// Asks until a worker has lived long enough to answer.
async fn get_user(router: &ActorRef<Router>, name: &str) -> User {
    say(format!("GET /users/{name}"));
    loop {
        match router.ask_ctx(GetUser(name.to_owned())).await {
            Ok(user) => {
                say(format!("200 {user:?}"));
                return user;
            }
            Err(error) => say(format!("asks again: {error}")),
        }
    }
}

/// What one request came to.
struct Request {
    tree: String,
    /// Lines of the log with its token.
    lines: Vec<String>,
}

async fn request(router: &ActorRef<Router>, name: &str) -> Request {
    let span = kamon::build_span("GET /users/{name}").with_kind(SpanKind::Server);
    let span = span.start();
    let trace = span.trace_id();
    get_user(router, name).in_span(span).await;
    // The last actor ends its span when the answer is on its way.
    let spans = loop {
        kamon::flush();
        let spans = kamon::report::embedded().trace(trace);
        if spans
            .iter()
            .any(|span| span.operation == "tell(Loaded)" && !span.failed)
        {
            break spans;
        }
        kamon::task::yield_now().await;
    };
    Request {
        tree: kamon::report::tree(&spans),
        lines: lines_of(trace),
    }
}

/// Whether the log tells the whole story of a request under its token. The second one comes to a worker
/// that fails.
fn is_whole(number: usize, lines: &[String]) -> bool {
    let says = |what: &str| lines.iter().any(|line| line.contains(what));
    let always = ["GET /users/", "routes", "selects", "loads", "200"];
    let failure = ["panicked", "fails", "starts again", "asks again"];
    always.iter().all(|what| says(what)) && (number != 1 || failure.iter().all(|what| says(what)))
}

#[kamon::main]
async fn main() -> ExitCode {
    // Also a panic is reported where it happens: in the request's Context.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload().downcast_ref::<String>();
        say(format!("panicked: {}", message.map_or("?", String::as_str)));
    }));
    let supervisor = worker::Supervisor::spawn_ctx(worker::Supervisor);
    let workers = worker::start(&supervisor, 2).await;
    let router = Router::spawn_ctx(Router::to(workers));
    let mut whole = true;
    for (number, name) in ["ada", "grace", "barbara"].into_iter().enumerate() {
        let request = request(&router, name).await;
        println!("\n{}", request.tree);
        whole &= is_whole(number, &request.lines);
    }
    let strangers = lines_of(kamon::Span::empty().trace_id()).len();
    println!("lines without a token: {strangers}, of the start");
    match whole {
        true => ExitCode::SUCCESS,
        false => {
            println!("a request lost its token on the way");
            ExitCode::FAILURE
        }
    }
}
