//! The service that W3C's test harness for Trace Context wants to talk to.
//!
//! `cargo run --release --example trace_context -- --port 5000` answers `POST /test` with a list of
//! calls in the body, `[{"url": .., "arguments": ..}]`: it makes them one after the other, each as
//! a `POST` of the arguments, and then answers. All that it does about tracing are the two layers
//! in `service.rs`. The harness then says what came in and went out:
//!
//! ```sh
//! python test/test.py http://127.0.0.1:5000/test   # of github.com/w3c/trace-context
//! ```

mod arguments;
mod calls;
mod service;
mod spans;

use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use kamon::propagation::Codecs;
use tokio::net::TcpListener;

use crate::arguments::{Arguments, Command, USAGE};

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Serve(arguments)) => arguments,
        Ok(Command::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("trace_context: {wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match kamon::block_on(serve(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace_context: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> io::Result<()> {
    let codecs = Codecs::builder().http_headers("span", &arguments.codecs);
    Codecs::set_current(codecs.build());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    println!("trace_context: http://{}/test", listener.local_addr()?);
    let ctrl_c = async {
        // Where there is no such signal the server runs until its process ends.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    kamon::http::serve(listener, service::router())
        .shut_down_on(ctrl_c)
        .await;
    Ok(())
}
