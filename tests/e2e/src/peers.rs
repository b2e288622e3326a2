//! The peers, met in all ways: who calls whom, over which format, in a trace that is sampled or not.

use std::fmt;
use std::future::IntoFuture as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kamon::propagation::Codecs;
use kamon::task::AbortHandle;
use serde_json::json;
use tokio::net::TcpListener;

use crate::chain::{check, Link};
use crate::client::{Client, Failure};
use crate::peer::{Kind, Peer, KINDS};
use crate::service;

const FORMATS: [&str; 3] = ["w3c", "b3", "b3-single"];
/// The span that the first request comes from.
const ROOT: &str = "00f067aa0ba902b7";
/// How long spans may take to be there. Some are finished after the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How it went.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    pub(crate) fn is_good(&self) -> bool {
        self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            passed,
            failed,
            skipped,
        } = self;
        write!(
            f,
            "peers: {passed} passed, {failed} failed, {skipped} skipped"
        )
    }
}

/// Meets all peers, and prints each way and how it went.
pub(crate) async fn meet() -> Tally {
    let mut tally = Tally::default();
    for kind in &KINDS {
        if let Err(why) = kind.install() {
            let ways = FORMATS.len() * IN_A_FORMAT;
            println!("{}: {ways} skipped, {why}", kind.name);
            tally.skipped += ways;
            continue;
        }
        for format in FORMATS {
            if let Err(why) = meet_over(kind, format, &mut tally).await {
                println!("{} over {format}: FAILED, nobody starts: {why}", kind.name);
                tally.failed += IN_A_FORMAT;
            }
        }
    }
    tally
}

/// Goes all ways with one peer over one format.
async fn meet_over(kind: &Kind, format: &str, tally: &mut Tally) -> Result<(), Failure> {
    let peer = kind.start(format)?;
    let ours = Ours::start(format).await?;
    for way in WAYS {
        for sampled in [true, false] {
            let names: Vec<&str> = way.iter().map(|who| name(*who, &peer)).collect();
            let line = format!("{} over {format}, sampled {sampled}", names.join(" -> "));
            match go(&ours, &peer, format, way, sampled).await {
                Ok(()) => {
                    println!("{line}: ok");
                    tally.passed += 1;
                }
                Err(why) => {
                    println!("{line}: FAILED: {why}");
                    tally.failed += 1;
                }
            }
        }
    }
    Ok(())
}

/// Who is asked, one after the other; the peer, or we.
const WAYS: [&[bool]; 4] = [
    &[false, true],
    &[true, false],
    &[true, false, true],
    &[false, true, false],
];
/// Each way is gone in a trace that is sampled, and in one that is not.
const IN_A_FORMAT: usize = WAYS.len() * 2;

fn name(is_peer: bool, peer: &Peer) -> &str {
    match is_peer {
        true => peer.name,
        false => "kamon",
    }
}

/// Our service, until this is dropped.
struct Ours {
    url: String,
    server: AbortHandle,
    client: Client,
}

impl Ours {
    async fn start(format: &str) -> std::io::Result<Self> {
        let codecs = Codecs::builder().http_headers("span", [format]);
        Codecs::set_current(codecs.build());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let server = kamon::http::serve(listener, service::router()).into_future();
        Ok(Ours {
            url,
            server: kamon::spawn(server).abort_handle(),
            client: Client::new(),
        })
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Sends a request along the way, and looks at the answers and the spans.
async fn go(
    ours: &Ours,
    peer: &Peer,
    format: &str,
    way: &[bool],
    sampled: bool,
) -> Result<(), Failure> {
    let url = |is_peer: bool| match is_peer {
        true => &peer.url,
        false => &ours.url,
    };
    static TRACES: AtomicU64 = AtomicU64::new(1);
    let number = TRACES.fetch_add(1, Ordering::Relaxed);
    let trace = format!("4bf92f3577b34da6{number:016x}");
    let calls = way[1..].iter().rev().fold(
        json!([]),
        |calls, is_peer| json!([{ "url": format!("{}/test", url(*is_peer)), "arguments": calls }]),
    );
    let headers = origin(format, &trace, sampled);
    let first = format!("{}/test", url(way[0]));
    let answer = ours.client.post(&first, &headers, &calls).await?;
    let mut next = Some(&answer);
    for is_peer in way {
        let told = next.ok_or("an answer is missing")?;
        if told["service"] != name(*is_peer, peer) || told["trace_id"] != *trace {
            return Err(format!("not of {} in {trace}: {told}", name(*is_peer, peer)).into());
        }
        next = told["calls"].get(0);
    }
    let spans = async |count: usize| -> Result<Vec<Link>, Failure> {
        loop {
            let mut spans = Vec::new();
            for url in [&peer.url, &ours.url] {
                let told = ours.client.get(&format!("{url}/spans/{trace}")).await?;
                spans.extend(Link::read(&told).ok_or_else(|| format!("not spans: {told}"))?);
            }
            if spans.len() >= count {
                return Ok(spans);
            }
            kamon::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let names: Vec<&str> = way.iter().map(|is_peer| name(*is_peer, peer)).collect();
    match sampled {
        true => {
            let count = 2 * way.len() - 1;
            let spans = kamon::time::timeout(PATIENCE, spans(count)).await;
            let spans = spans.map_err(|_| format!("there are not {count} spans in time"))??;
            Ok(check(spans, ROOT, &names)?)
        }
        false => match spans(0).await? {
            spans if spans.is_empty() => Ok(()),
            spans => Err(format!("not sampled, and reported: {spans:?}").into()),
        },
    }
}

/// Where the first request says it comes from.
fn origin(format: &str, trace: &str, sampled: bool) -> Vec<(&'static str, String)> {
    let flag = u8::from(sampled);
    match format {
        "b3" => vec![
            ("x-b3-traceid", trace.to_owned()),
            ("x-b3-spanid", ROOT.to_owned()),
            ("x-b3-sampled", flag.to_string()),
        ],
        "b3-single" => vec![("b3", format!("{trace}-{ROOT}-{flag}"))],
        _ => vec![("traceparent", format!("00-{trace}-{ROOT}-0{flag}"))],
    }
}
