//! The load: clients on real sockets, first to check, then to measure with and without a Context.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use kamon::task::{AbortHandle, JoinSet};
use kamon::time::{interval, timeout, Instant};
use tokio::net::TcpStream;

use crate::arguments::Arguments;
use crate::ledger::Ledger;
use crate::origin::Origin;
use crate::request::{Plan, X_CONTEXT, X_PLAN, X_REQUEST_ID};

/// Pairs of a measured slice with the Context and one without it.
const PAIRS: u64 = 20;
/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be sent, and where to.
pub(crate) struct Load {
    address: SocketAddr,
    requests: u64,
    concurrency: usize,
    ledger: Arc<Ledger>,
    tally: Arc<Tally>,
}

impl Load {
    pub(crate) fn new(address: SocketAddr, arguments: &Arguments, ledger: Arc<Ledger>) -> Self {
        Self {
            address,
            requests: arguments.requests,
            concurrency: arguments.concurrency,
            ledger,
            tally: Arc::default(),
        }
    }

    /// Sends everything, printing a line of progress each second.
    pub(crate) async fn run(&self) -> io::Result<Measured> {
        let progress = kamon::spawn_root(progress(self.ledger.clone(), self.tally.clone()));
        let measured = self.check_and_measure().await;
        progress.abort();
        measured
    }

    async fn check_and_measure(&self) -> io::Result<Measured> {
        self.send(self.requests, Part::Checked).await?;
        crate::say("  checked; now measured, with the Context and without it by turns\n");

        let slice = self.requests.div_ceil(PAIRS);
        let mut pairs = Vec::new();
        for pair in 0..PAIRS {
            // Each goes first as often as the other, so that neither gains from a trend.
            let (first, second) = match pair % 2 {
                0 => (Part::WithContext, Part::Without),
                _ => (Part::Without, Part::WithContext),
            };
            let first = self.send(slice, first).await?;
            let second = self.send(slice, second).await?;
            pairs.push(match pair % 2 {
                0 => Pair {
                    with: first,
                    without: second,
                },
                _ => Pair {
                    with: second,
                    without: first,
                },
            });
        }
        Ok(Measured {
            tally: self.tally.clone(),
            slice,
            pairs,
        })
    }

    /// Sends `count` requests over all connections and returns how long it took.
    async fn send(&self, count: u64, part: Part) -> io::Result<Duration> {
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..self.concurrency {
            let mut client = Client {
                address: self.address,
                connection: None,
                tally: self.tally.clone(),
            };
            let next = next.clone();
            clients.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    client.ask(number, part).await;
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.map_err(io::Error::other)?;
        }
        Ok(start.elapsed())
    }
}

/// How the load went.
pub(crate) struct Measured {
    pub(crate) tally: Arc<Tally>,
    /// Requests in each half of a pair.
    pub(crate) slice: u64,
    pub(crate) pairs: Vec<Pair>,
}

/// The times that two neighbouring slices took.
pub(crate) struct Pair {
    pub(crate) with: Duration,
    pub(crate) without: Duration,
}

/// Counts requests by how they ended.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) answered: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) panicked: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl Tally {
    pub(crate) fn requests(&self) -> u64 {
        let ends = [
            &self.answered,
            &self.cancelled,
            &self.panicked,
            &self.failed,
        ];
        ends.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    fn count(&self, end: Result<End, Box<dyn Error + Send + Sync>>) {
        let counter = match end {
            Ok(End::Answered) => &self.answered,
            Ok(End::Cancelled) => &self.cancelled,
            Ok(End::Panicked) => &self.panicked,
            Err(error) => {
                // A few say what is wrong; thousands would hide it.
                if self.failed.load(Ordering::Relaxed) < 5 {
                    eprintln!("users: a request failed: {error}");
                }
                &self.failed
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a stretch of the load is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// One in ten is cancelled, one in ten panics.
    Checked,
    WithContext,
    Without,
}

impl Part {
    fn plan(self, number: u64) -> Plan {
        match number % 10 {
            3 if self == Part::Checked => Plan::Stall,
            7 if self == Part::Checked => Plan::PANICS[(number / 10) as usize % Plan::PANICS.len()],
            _ => Plan::Answer,
        }
    }
}

enum End {
    Answered,
    Cancelled,
    Panicked,
}

/// One client with one connection, kept from request to request.
struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
    tally: Arc<Tally>,
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    /// The task that owns the socket.
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Sends request `number` and counts how it ended.
    async fn ask(&mut self, number: u64, part: Part) {
        let plan = part.plan(number);
        let patience = match plan {
            // The service stalls, the client does not wait for it: at another stage each time.
            Plan::Stall => Duration::from_millis(1 + number / 10 % 40),
            _ => PATIENCE,
        };
        let end = match timeout(patience, self.exchange(number, part, plan)).await {
            Ok(end) => end,
            Err(_) if plan == Plan::Stall => Ok(End::Cancelled),
            Err(_) => Err("no answer in 30 seconds".into()),
        };
        if !matches!(end, Ok(End::Answered | End::Panicked)) {
            // Hangs up.
            self.connection = None;
        }
        self.tally.count(end);
    }

    async fn exchange(
        &mut self,
        number: u64,
        part: Part,
        plan: Plan,
    ) -> Result<End, Box<dyn Error + Send + Sync>> {
        let user = format!("user-{}", number % 1000);
        // The service finds an id for every other request.
        let id = (number % 2 == 0).then(|| format!("sent-{number}"));
        let mut request = Request::get(format!("/users/{user}"))
            .header("host", "localhost")
            .header(X_PLAN, plan.name())
            .header(X_CONTEXT, if part == Part::Without { "off" } else { "on" });
        if let Some(id) = &id {
            request = request.header(X_REQUEST_ID, id);
        }
        // The same in both halves: who serves without a Context does not look at it.
        let origin = Origin::of(number);
        request = origin.write(request, number);
        let connection = self.connect().await?;
        connection.sender.ready().await?;
        let response = connection
            .sender
            .send_request(request.body(Empty::new())?)
            .await?;
        let status = response.status();
        if part != Part::Without {
            origin.check(&response, number)?;
        }
        let body = response.into_body().collect().await?.to_bytes();
        let body = String::from_utf8(body.into())?;

        if Plan::PANICS.contains(&plan) && status == StatusCode::INTERNAL_SERVER_ERROR {
            return Ok(End::Panicked);
        }
        if plan != Plan::Answer || status != StatusCode::OK {
            return Err(format!("{status} for {}: {}", plan.name(), body.trim_end()).into());
        }
        let says = |wanted: String| body.lines().any(|line| line == wanted);
        if !says(format!("user {user}")) || !id.is_none_or(|id| says(format!("request {id}"))) {
            return Err(format!("the answer for {user} is another's: {body:?}").into());
        }
        Ok(End::Answered)
    }

    async fn connect(&mut self) -> Result<&mut Connection, Box<dyn Error + Send + Sync>> {
        if self
            .connection
            .as_ref()
            .is_none_or(|open| open.sender.is_closed())
        {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let task = kamon::spawn_root(connection).abort_handle();
            self.connection = Some(Connection { sender, task });
        }
        self.connection
            .as_mut()
            .ok_or_else(|| "not connected".into())
    }
}

/// Prints each second what has happened so far.
async fn progress(ledger: Arc<Ledger>, tally: Arc<Tally>) {
    let start = Instant::now();
    let mut second = interval(Duration::from_secs(1));
    second.tick().await;
    loop {
        second.tick().await;
        crate::say(format_args!(
            "  {:>3} s  {:>8} requests  {:>9} hops  {:>6} Contexts alive\n",
            start.elapsed().as_secs(),
            tally.requests(),
            ledger.all_hops(),
            ledger.contexts_alive(),
        ));
    }
}
