//! What the writers write: the console's trees, and the timeline for Chrome and Perfetto.

mod locks;

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kamon::report::{ChromeTrace, ConsoleReporter, SpanReporter};
use kamon::trace::{Mark, SpanRecord};
use kamon::{SpanId, TraceId};
use locks::Mutex;

fn at(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_nanos(nanos)
}

fn span(trace: u128, id: u64, parent: u64, name: &'static str, from: u64, to: u64) -> SpanRecord {
    let mut span = SpanRecord::new(TraceId::new(trace), SpanId::new(id), name);
    span.parent_id = (parent != 0).then(|| SpanId::new(parent));
    (span.started_at, span.finished_at) = (at(from), at(to));
    span
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    /// What was written since the last look, but the waterfalls.
    fn read(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        let names = text.lines().map(|line| line.split("  ").next().unwrap());
        names.collect::<Vec<_>>().join("\n")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_console_draws_a_trace_when_its_first_span_has_finished() {
    let paper = Paper::default();
    let mut console = ConsoleReporter::to(paper.clone());
    let head = |trace: u8, spans: &str| format!("trace {trace:016}, {spans}, 100 ns");

    console.report(&[span(1, 2, 1, "child", 10, 20)]).unwrap();
    assert_eq!(paper.read(), "");
    let batch = [
        span(1, 1, 0, "root", 0, 100),
        span(2, 4, 3, "other-child", 0, 100),
        span(1, 3, 1, "late", 30, 40),
    ];
    console.report(&batch).unwrap();
    let drawn = format!("{}\nroot\n├─ child\n└─ late\n", head(1, "3 spans"));
    assert_eq!(paper.read(), drawn);

    SpanReporter::flush(&mut console).unwrap();
    let drawn = paper.read();
    assert!(drawn.starts_with(&head(2, "1 span")), "{drawn}");
    assert!(drawn.contains("other-child"), "{drawn}");
    SpanReporter::flush(&mut console).unwrap();
    assert_eq!(paper.read(), "");

    console.report(&[span(2, 5, 4, "last", 0, 100)]).unwrap();
    console.stop();
    assert!(paper.read().contains("last"));
}

/// Paper that tears when it is told to, once.
#[derive(Clone, Default)]
struct Torn(Paper, Arc<AtomicBool>);

impl Torn {
    fn tear(&self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

impl Write for Torn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.1.swap(false, Ordering::Relaxed) {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_could_not_be_written_is_drawn_whole_when_it_comes_again() {
    let torn = Torn::default();
    let mut console = ConsoleReporter::to(torn.clone());
    console.report(&[span(1, 2, 1, "child", 10, 20)]).unwrap();
    let batch = [
        span(2, 4, 3, "other-child", 0, 100),
        span(1, 1, 0, "root", 0, 100),
    ];
    for _ in 0..3 {
        torn.tear();
        assert!(console.report(&batch).is_err());
        assert_eq!(torn.0.read(), "");
    }
    console.report(&batch).unwrap();
    let drawn = torn.0.read();
    assert!(
        drawn.ends_with("2 spans, 100 ns\nroot\n└─ child\n"),
        "{drawn}"
    );

    torn.tear();
    assert!(SpanReporter::flush(&mut console).is_err());
    SpanReporter::flush(&mut console).unwrap();
    let drawn = torn.0.read();
    assert!(drawn.contains("1 span, 100 ns"), "{drawn}");
    assert_eq!(drawn.matches("other-child").count(), 1, "{drawn}");
}

#[test]
fn too_much_that_waits_is_drawn_without_its_first_span() {
    let paper = Paper::default();
    let mut console = ConsoleReporter::to(paper.clone());
    // Of two traces, so that neither is too much by itself.
    let spans: Vec<SpanRecord> = (1..=4096)
        .map(|id| span(u128::from(1 + id % 2), id + 1, 1, "child", 0, 100))
        .collect();
    console.report(&spans).unwrap();
    assert_eq!(paper.read(), "");
    console.report(&[span(3, 2, 1, "last", 0, 100)]).unwrap();
    let drawn = paper.read();
    let traces = drawn.lines().filter(|line| line.starts_with("trace "));
    assert_eq!(traces.count(), 3);
    assert_eq!(drawn.matches("child").count(), 4096);
    assert_eq!(drawn.matches("last").count(), 1);
    console.stop();
    assert_eq!(paper.read(), "");
}

#[test]
fn the_timeline_is_what_the_viewers_read() {
    let mut query = span(7, 2, 1, "say \"hello\"", 1_000, 2_500);
    query.tags = vec![
        ("rows".into(), 12.into()),
        ("cached".into(), false.into()),
        ("share".into(), 0.5.into()),
        ("odd".into(), f64::INFINITY.into()),
        ("text".into(), "a\\b".into()),
    ];
    query.marks = vec![Mark {
        at: at(1_200),
        key: "connected".into(),
    }];
    let spans = [
        span(7, 1, 0, "GET /users", 0, 5_000),
        query,
        // Overlaps the query, so it is beside it; the last one has room below the first again.
        span(7, 3, 1, "beside", 2_000, 3_000),
        span(7, 4, 1, "after", 3_000, 4_000),
    ];
    let mut text = Vec::new();
    ChromeTrace::new()
        .spans(&spans)
        .worker(0, "poll", at(500), Duration::from_nanos(250))
        .write(&mut text)
        .unwrap();
    let expected = r#"{"traceEvents":[
{"ph":"M","name":"process_name","pid":1,"tid":0,"args":{"name":"workers"}},
{"ph":"M","name":"thread_name","pid":1,"tid":0,"args":{"name":"worker 0"}},
{"ph":"X","name":"poll","pid":1,"tid":0,"ts":0.500,"dur":0.250,"args":{}},
{"ph":"M","name":"process_name","pid":2,"tid":0,"args":{"name":"GET /users 0000000000000007"}},
{"ph":"X","name":"GET /users","pid":2,"tid":0,"ts":0.000,"dur":5.000,"args":{"span.id":"0000000000000001","span.kind":"unknown"}},
{"ph":"X","name":"say \"hello\"","pid":2,"tid":0,"ts":1.000,"dur":1.500,"args":{"span.id":"0000000000000002","span.kind":"unknown","rows":12,"cached":false,"share":0.5,"odd":"inf","text":"a\\b"}},
{"ph":"i","s":"t","name":"connected","pid":2,"tid":0,"ts":1.200},
{"ph":"X","name":"beside","pid":2,"tid":1,"ts":2.000,"dur":1.000,"args":{"span.id":"0000000000000003","span.kind":"unknown"}},
{"ph":"X","name":"after","pid":2,"tid":0,"ts":3.000,"dur":1.000,"args":{"span.id":"0000000000000004","span.kind":"unknown"}}
],"displayTimeUnit":"ns"}
"#;
    assert_eq!(String::from_utf8(text).unwrap(), expected);

    // A name that the timeline has by itself is there once: as the tag that the user has given it.
    let mut named = span(7, 1, 0, "named", 0, 1);
    named.tags = vec![("span.kind".into(), "cron".into())];
    let mut text = Vec::new();
    ChromeTrace::new().spans(&[named]).write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let arguments = r#""args":{"span.id":"0000000000000001","span.kind":"cron"}"#;
    assert!(text.contains(arguments), "{text}");

    let mut empty = Vec::new();
    ChromeTrace::new().write(&mut empty).unwrap();
    assert_eq!(
        empty,
        b"{\"traceEvents\":[\n],\"displayTimeUnit\":\"ns\"}\n"
    );
}
