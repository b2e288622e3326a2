//! Traces are drawn as text: the same spans give the same text, in whichever order they come.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kamon::report::{outline, tree};
use kamon::trace::{Mark, Outcome, SpanRecord};
use kamon::{SpanId, SpanKind, TraceId};

fn at(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_micros(micros)
}

/// A span of the trace 7, with its times in microseconds.
fn span(id: u64, parent: u64, name: &'static str, from: u64, to: u64) -> SpanRecord {
    let mut span = SpanRecord::new(TraceId::new(7), SpanId::new(id), name);
    span.parent_id = (parent != 0).then(|| SpanId::new(parent));
    (span.started_at, span.finished_at) = (at(from), at(to));
    span
}

/// The picture of Kamon's documentation: three calls in parallel, then the token is stored.
fn users() -> Vec<SpanRecord> {
    let mut request = span(1, 0, "GET /users", 0, 120_000);
    request.kind = SpanKind::Server;
    let mut calls = [
        span(2, 1, "get-profiles", 5_000, 40_000),
        span(3, 1, "get-permissions", 5_100, 55_000),
        span(4, 1, "get-projects", 5_200, 47_250),
    ];
    for call in &mut calls {
        call.kind = SpanKind::Client;
    }
    let [profiles, permissions, projects] = calls;
    vec![
        request,
        profiles,
        span(6, 2, "select", 20_000, 20_900),
        permissions,
        projects,
        span(5, 1, "store-session-token", 56_000, 119_000),
    ]
}

#[test]
fn the_picture_of_the_documentation() {
    let expected = "\
trace 0000000000000007, 6 spans, 120 ms
GET /users (server)           120 ms ▕████████████████████████████████▏
├─ get-profiles (client)     35.0 ms ▕ ██████████                     ▏
│  └─ select                  900 µs ▕     █                          ▏
├─ get-permissions (client)  49.9 ms ▕ ██████████████                 ▏
├─ get-projects (client)     42.0 ms ▕ ████████████                   ▏
└─ store-session-token       63.0 ms ▕              ██████████████████▏
";
    let mut spans = users();
    assert_eq!(tree(&spans), expected);
    // In whichever order they come, and if some come twice.
    spans.reverse();
    assert_eq!(tree(&spans), expected);
    spans.extend(users());
    assert_eq!(tree(&spans), expected);
}

#[test]
fn what_is_out_of_the_ordinary_is_said() {
    let mut request = span(1, 9, "request", 0, 100);
    request.parent_is_remote = true;
    let mut failed = span(2, 1, "failed", 10, 20);
    failed.failed = true;
    failed.tags = vec![
        ("rows".into(), 12.into()),
        ("error.message".into(), "no such\ntable".into()),
        ("error".into(), true.into()),
    ];
    let mut cancelled = span(3, 1, "cancelled", 20, 30);
    cancelled.outcome = Outcome::Cancelled;
    let mut panicked = span(4, 1, "panicked", 30, 30);
    panicked.outcome = Outcome::Panicked;
    panicked.failed = true;
    let orphan = span(5, 77, "orphan", 40, 50);
    let mut worked = span(6, 5, "worked", 50, 90);
    worked.work.polls = 3;
    worked.work.cpu = Duration::from_nanos(1_234);
    worked.work.queued = Duration::from_nanos(56);
    worked.work.awaiting = Duration::from_micros(38);
    let mark = |key: &'static str| Mark {
        at: at(60),
        key: key.into(),
    };
    worked.marks = vec![mark("dequeued"), mark("connected")];
    let spans = [request, failed, cancelled, panicked, orphan, worked];

    let expected = "\
trace 0000000000000007, 6 spans, 100 µs
request        100 µs ▕████████████████████████████████▏  called by another process
├─ failed     10.0 µs ▕   ████                         ▏  failed: no such\\ntable
├─ cancelled  10.0 µs ▕      ████                      ▏  cancelled
└─ panicked      0 ns ▕         █                      ▏  failed  panicked
orphan        10.0 µs ▕            ████                ▏  parent not here
└─ worked     40.0 µs ▕                █████████████   ▏  \
        cpu 1.23 µs, queued 56 ns, awaiting 38.0 µs, 3 polls
";
    assert_eq!(tree(&spans), expected);

    let expected = "\
request, called by another process
├─ failed {rows=12}, failed: no such\\ntable
├─ cancelled, cancelled
└─ panicked, failed, panicked
orphan, parent not here
└─ worked {@dequeued, @connected}
";
    assert_eq!(outline(&spans), expected);
}

#[test]
fn an_outline_has_every_tag_that_it_does_not_say_in_words() {
    let tagged = |change: fn(&mut SpanRecord)| {
        let mut span = span(1, 0, "work", 0, 1);
        span.tags = vec![
            ("error".into(), true.into()),
            ("error.message".into(), "no".into()),
            ("error.type".into(), "io".into()),
            ("finished".into(), 3.into()),
            ("cancelled".into(), true.into()),
        ];
        change(&mut span);
        outline(&[span])
    };
    let all = "work {error=true, error.message=no, error.type=io, finished=3, cancelled=true}\n";
    assert_eq!(tagged(|_| {}), all);
    let failed = "work {error.type=io, finished=3, cancelled=true}, failed: no\n";
    assert_eq!(tagged(|span| span.failed = true), failed);
    let cancelled = "work {error=true, error.message=no, error.type=io, finished=3}, cancelled\n";
    assert_eq!(tagged(|span| span.outcome = Outcome::Cancelled), cancelled);
    // What is not in words as it is in the tag.
    let odd = tagged(|span| {
        span.failed = true;
        span.tags = vec![
            ("error".into(), "io".into()),
            ("error.message".into(), 7.into()),
        ];
    });
    assert_eq!(odd, "work {error=io, error.message=7}, failed\n");
}

#[test]
fn traces_are_apart_and_in_the_order_in_which_they_began() {
    let mut other = span(1, 0, "earlier", 0, 1);
    other.trace_id = TraceId::new(1 << 64 | 8);
    other.started_at = at(0);
    let spans = [span(1, 0, "later", 1, 2), other];
    assert_eq!(outline(&spans), "earlier\n\nlater\n");
    assert!(tree(&spans).starts_with("trace 00000000000000010000000000000008, 1 span, 1.00 µs\n"));
    assert_eq!(tree(&[]), "");
}

#[test]
fn an_outline_does_not_go_by_ids() {
    // All at the same time, as where the clock stands still.
    let drawn = |[a, b, c]: [u64; 3]| {
        let mut rows = span(c, a, "query", 0, 0);
        rows.tags = vec![("rows".into(), 2.into())];
        let mut other = span(a, 0, "other", 0, 0);
        other.trace_id = TraceId::new(u128::from(b) + 4);
        let root = span(a, 0, "root", 0, 0);
        let (parse, query) = (span(b, a, "parse", 0, 0), span(9, a, "query", 0, 0));
        outline(&[root, rows, query, parse, other])
    };
    let expected = "other\n\nroot\n├─ parse\n├─ query {rows=2}\n└─ query\n";
    for ids in [[1, 2, 3], [3, 2, 10], [3, 10, 2]] {
        assert_eq!(drawn(ids), expected, "{ids:?}");
    }
}

#[test]
fn nothing_is_left_out_of_what_makes_no_sense() {
    // Two that are each other's parents, one that is its own, and one that ends before it begins.
    let spans = [
        span(1, 2, "hen", 0, 10),
        span(2, 1, "egg", 1, 9),
        span(3, 3, "self-made", 2, 8),
        span(4, 0, "backwards", 8, 3),
    ];
    let expected = "backwards\nhen, parent not here\n└─ egg\nself-made, parent not here\n";
    assert_eq!(outline(&spans), expected);
    assert!(tree(&spans).contains("backwards"));
}

#[test]
fn a_chain_however_long_needs_no_stack() {
    let chain: Vec<SpanRecord> = (1..=50_000)
        .map(|id| span(id, id - 1, "link", id, 100_000))
        .collect();
    let drawn = outline(&chain);
    assert_eq!(drawn.lines().count(), 50_000);
    let longest = drawn.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(100), "{longest:?}");
}
