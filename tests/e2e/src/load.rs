//! A minute of load on `ServerLayer`: no request may see another's Context, none may stay, and memory
//! must be as it was.

use std::fmt;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Path, State};
use axum::routing::get;
use axum::Router;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::Request;
use hyper_util::rt::TokioIo;
use kamon::http::ServerLayer;
use kamon::propagation::Codecs;
use kamon::runtime::Builder;
use kamon::task::JoinSet;
use kamon::time::{interval, Instant};
use kamon::{ContextFutureExt as _, Key};
use tokio::net::{TcpListener, TcpStream};

use crate::client::Failure;

const CONNECTIONS: u64 = 32;
/// One request in so many is hung up on.
const HANG_UP: u64 = 50;
/// How much more memory there may be in the end than after a quarter of the time.
const GROWTH: u64 = 4 << 20;

static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("requestID");
static ALIVE: Key<Option<Alive>> = Key::local("alive", || None);

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    hung_up: AtomicU64,
    foreign: AtomicU64,
    alive: AtomicU64,
}

/// Counted for as long as anything holds a Context with it.
struct Alive(Arc<Counts>);

impl Alive {
    fn of(counts: &Arc<Counts>) -> Self {
        counts.alive.fetch_add(1, Ordering::Relaxed);
        Alive(counts.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How it went.
pub(crate) struct Report {
    counts: Arc<Counts>,
    time: Duration,
    /// After a quarter of the time, and in the end; none where the system does not tell.
    memory: Option<(u64, u64)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        let answered = count(&counts.answered);
        writeln!(f, "load: {answered} requests answered in {:.0?}", self.time)?;
        writeln!(f, "      {} hung up on", count(&counts.hung_up))?;
        writeln!(f, "      {} saw another's Context", count(&counts.foreign))?;
        writeln!(f, "      {} Contexts left", count(&counts.alive))?;
        match self.memory {
            None => write!(f, "      memory is not known here"),
            Some((early, late)) => {
                let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
                write!(
                    f,
                    "      {:.1} MiB, in the end {:.1} MiB",
                    mib(early),
                    mib(late)
                )
            }
        }
    }
}

/// Sends load for so long.
///
/// # Errors
///
/// Says what went wrong, or is not as it must be.
pub(crate) fn run(time: Duration) -> Result<Report, Failure> {
    let codecs = Codecs::builder().http_headers("span", ["w3c"]);
    Codecs::set_current(codecs.string_key("requestID", "X-Request-ID").build());
    let counts = Arc::new(Counts::default());
    let server = Builder::new_multi_thread().enable_all().build()?;
    let clients = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let address = server.block_on(serve(counts.clone()))?;
    let memory = clients.block_on(send(address, counts.clone(), time))?;
    // Those that were hung up on may still be on their way out.
    let end = Instant::now() + Duration::from_secs(10);
    while counts.alive.load(Ordering::Relaxed) > 0 && Instant::now() < end {
        clients.block_on(kamon::time::sleep(Duration::from_millis(5)));
    }
    let report = Report {
        counts,
        time,
        memory,
    };
    judge(report)
}

fn judge(report: Report) -> Result<Report, Failure> {
    let counts = &report.counts;
    let clean = [&counts.foreign, &counts.alive];
    let clean = clean.iter().all(|count| count.load(Ordering::Relaxed) == 0);
    let flat = report
        .memory
        .is_none_or(|(early, late)| late < early + GROWTH);
    match clean && flat && counts.answered.load(Ordering::Relaxed) > 0 {
        true => Ok(report),
        false => Err(format!("not as it must be\n{report}").into()),
    }
}

async fn serve(counts: Arc<Counts>) -> std::io::Result<SocketAddr> {
    let router = Router::new()
        .route("/{id}", get(handle))
        .layer(ServerLayer::new().name_by_route(MatchedPath::as_str))
        .with_state(counts);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(kamon::spawn_root(
        kamon::http::serve(listener, router).into_future(),
    ));
    Ok(address)
}

/// Looks at the Context here, and in tasks that are spawned from here.
async fn handle(State(counts): State<Arc<Counts>>, Path(id): Path<String>) -> String {
    let context = kamon::current_context().with_key(&ALIVE, Some(Alive::of(&counts)));
    let work = async {
        look(&counts, &id);
        let (inner_counts, inner_id) = (counts.clone(), id.clone());
        let inner = kamon::spawn(async move {
            look(&inner_counts, &inner_id);
            kamon::task::yield_now().await;
            look(&inner_counts, &inner_id);
        });
        drop(inner.await);
        look(&counts, &id);
    };
    work.in_context(context).await;
    id
}

fn look(counts: &Counts, id: &str) {
    let context = kamon::current_context();
    let is_own = context.get(&REQUEST_ID).as_deref() == Some(id);
    if !is_own || kamon::current_span().is_empty() {
        counts.foreign.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends until the time is over; returns the memory after a quarter of it, and in the end.
async fn send(
    address: SocketAddr,
    counts: Arc<Counts>,
    time: Duration,
) -> Result<Option<(u64, u64)>, Failure> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..CONNECTIONS {
        let counts = counts.clone();
        clients.spawn(async move {
            let mut sent = number;
            let mut sender = None;
            while start.elapsed() < time {
                sent += CONNECTIONS;
                sender = ask(address, sender.take(), sent, &counts).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    let mut seconds = interval(Duration::from_secs(1).min(time / 8));
    let (mut early, mut late) = (None, None);
    while start.elapsed() < time {
        seconds.tick().await;
        late = resident();
        if start.elapsed() < time / 4 {
            early = early.max(late);
        }
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(early.zip(late))
}

type Sender = SendRequest<Empty<Bytes>>;

/// Sends a request over the connection, or over a new one. Returns the connection.
async fn ask(
    address: SocketAddr,
    sender: Option<Sender>,
    number: u64,
    counts: &Counts,
) -> Result<Option<Sender>, Failure> {
    let mut sender = match sender {
        Some(sender) => sender,
        None => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            drop(kamon::spawn_root(connection));
            sender
        }
    };
    sender.ready().await?;
    let id = number.to_string();
    let request = Request::get(format!("/{id}"))
        .header("host", "localhost")
        .header("x-request-id", &id)
        .body(Empty::new())?;
    let answer = sender.send_request(request);
    if (number / CONNECTIONS) % HANG_UP == 0 {
        // Given up where it is: before it was sent, or while it is handled.
        let given_up = kamon::time::timeout(Duration::from_micros(number % 500), answer).await;
        drop(given_up);
        counts.hung_up.fetch_add(1, Ordering::Relaxed);
        return Ok(None);
    }
    let body = answer.await?.into_body().collect().await?.to_bytes();
    if body != id {
        counts.foreign.fetch_add(1, Ordering::Relaxed);
    }
    counts.answered.fetch_add(1, Ordering::Relaxed);
    Ok(Some(sender))
}

/// The memory of this process, in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
