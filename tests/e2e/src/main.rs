//! kamon's HTTP toolkits with real peers, and under load. `cargo xtask e2e` runs it.
//!
//! A service in Node and one in Python, both instrumented by OpenTelemetry, call ours and are called
//! by it, over W3C Trace Context and B3; the spans of all must be one chain. Their packages come
//! from npm and PyPI into the target folder. What is not there to run them with is skipped and
//! counted. Then ours has a minute of load, which must leave nothing behind.

#[path = "../../../examples/trace_context/calls.rs"]
mod calls;
mod chain;
mod client;
mod load;
mod peer;
mod peers;
#[path = "../../../examples/trace_context/service.rs"]
mod service;
#[path = "../../../examples/trace_context/spans.rs"]
mod spans;

use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: e2e [--load SECONDS] [--no-peers]";

/// What the command line asks for.
struct Arguments {
    load: u64,
    peers: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("e2e: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut good = true;
    if arguments.peers {
        let tally = kamon::block_on(peers::meet());
        println!("{tally}");
        good &= tally.is_good();
    }
    if arguments.load > 0 {
        match load::run(Duration::from_secs(arguments.load)) {
            Ok(report) => println!("{report}"),
            Err(wrong) => {
                eprintln!("e2e: load: {wrong}");
                good = false;
            }
        }
    }
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        load: 60,
        peers: true,
    };
    while let Some(word) = words.next() {
        match &*word {
            "--no-peers" => arguments.peers = false,
            "--load" => {
                let seconds = words.next().unwrap_or_default();
                let number = seconds.parse();
                arguments.load =
                    number.map_err(|_| format!("--load wants seconds, not `{seconds}`"))?;
            }
            _ => return Err(format!("`{word}` is not an option")),
        }
    }
    Ok(arguments)
}
