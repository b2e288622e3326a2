//! The command line: what may be said, and what was.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::thread;

use crate::plant::Plant;

pub(crate) const USAGE: &str = "\
Usage: cargo run --release --example users -- [OPTIONS]

Runs two axum services on kamon, A and B, sends A requests over real sockets, and prints a table of
what every hop saw in the Context. Exits 1 if any number that must be zero is not.

  --requests N      requests of the checked part; as many again are measured with the Context
                    and without it (default 24000)
  --workers N       worker threads, 1 to 256 (default: the number of cores)
  --concurrency N   connections of the load, 1 to 4096 (default 64; each takes about 8 open files)
  --addr ADDR       loopback address and port of A, or of B alone (default: any free port; with
                    --serve-a 127.0.0.1:5001, with --serve-b 127.0.0.1:5002)
  --serve           send nothing: serve until Ctrl-C, for curl or wrk. A request may carry
                    X-Trace-Token, b3, traceparent, X-Request-ID, `X-Context: off`, and
                    `X-Plan: stall | panic-spawn | panic-join-set | panic-blocking |
                    panic-timer | panic-local`
  --serve-a         the same, and this process is A alone
  --serve-b         the same, and this process is B alone
  --upstream ADDR   where B is, for --serve-a (default 127.0.0.1:5002)
  --plant FAULT     self-test: plants a fault, so that the table must show it and the exit code
                    is 1. `foreign`: one request runs in another's Context; `lost`: one runs in
                    none; `leak`: one Context is never let go; `thread`: the main thread ends
                    with a Context
  --help            print this";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Run(Arguments),
    Help,
}

/// What this process is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Both services, and their load.
    Load,
    /// Both services.
    Both,
    /// The service that asks.
    A,
    /// The service that is asked.
    B,
}

/// The settings of one run.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) requests: u64,
    pub(crate) workers: usize,
    pub(crate) concurrency: usize,
    address: Option<SocketAddr>,
    pub(crate) upstream: SocketAddr,
    pub(crate) role: Role,
    pub(crate) plant: Option<Plant>,
}

impl Arguments {
    /// Where this process listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let port = match self.role {
            Role::Load | Role::Both => 0,
            Role::A => A_PORT,
            Role::B => B_PORT,
        };
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.address.unwrap_or(usual)
    }
}

const A_PORT: u16 = 5001;
const B_PORT: u16 = 5002;

impl Default for Arguments {
    fn default() -> Self {
        Self {
            requests: 24_000,
            workers: thread::available_parallelism().map_or(2, |cores| cores.get().min(256)),
            concurrency: 64,
            address: None,
            upstream: SocketAddr::from((Ipv4Addr::LOCALHOST, B_PORT)),
            role: Role::Load,
            plant: None,
        }
    }
}

/// Reads the words after the program's name; both `--name value` and `--name=value` will do.
///
/// # Errors
///
/// Says in one line which word is wrong and why.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = Arguments::default();
    let mut words = words;
    while let Some(word) = words.next() {
        let (name, glued) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let flags = ["--help", "-h", "--serve", "--serve-a", "--serve-b"];
        if flags.contains(&name) && glued.is_some() {
            return Err(format!("{name} takes no value"));
        }
        let mut value = || {
            glued
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| format!("{name} wants a value"))
        };
        match name {
            "--help" | "-h" => return Ok(Command::Help),
            "--serve" => arguments.role = Role::Both,
            "--serve-a" => arguments.role = Role::A,
            "--serve-b" => arguments.role = Role::B,
            "--requests" => arguments.requests = number(name, &value()?, 1..=100_000_000)?,
            "--workers" => arguments.workers = number(name, &value()?, 1..=256)?,
            "--concurrency" => arguments.concurrency = number(name, &value()?, 1..=4096)?,
            "--addr" => arguments.address = Some(address(name, &value()?)?),
            "--upstream" => arguments.upstream = address(name, &value()?)?,
            "--plant" => {
                let fault = value()?;
                let known = Plant::from_name(&fault);
                arguments.plant =
                    Some(known.ok_or_else(|| format!("no fault `{fault}` is known"))?);
            }
            _ => return Err(format!("`{word}` is not an option")),
        }
    }
    Ok(Command::Run(arguments))
}

fn number<N>(name: &str, text: &str, allowed: RangeInclusive<N>) -> Result<N, String>
where
    N: FromStr + PartialOrd + Display,
{
    match text.parse() {
        Ok(number) if allowed.contains(&number) => Ok(number),
        _ => {
            let (least, most) = allowed.into_inner();
            Err(format!(
                "{name} wants a number from {least} to {most}, not `{text}`"
            ))
        }
    }
}

/// Only loopback: the service trusts its callers with stalls and panics.
fn address(name: &str, text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(format!(
            "{name} wants a loopback address with a port, not `{text}`"
        )),
    }
}
