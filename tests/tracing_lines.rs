//! `kamon::tracing::{text, json}`: each line says whose it is.
#![cfg(feature = "tracing")]

mod lines;
mod witness;

use std::sync::mpsc;

use kamon::channel::Envelope;
use kamon::metrics::{self, Value};
use kamon::propagation::trace_token_key;
use kamon::{current_span, with_context, with_context_key, Context, Key};
use lines::Lines;
use serde_json::Value as Json;
use tracing::{debug, error, info, info_span, trace, warn, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry;
use witness::{current, pause, request, workers, REQUEST};

static ID: Key<Option<String>> = Key::broadcast_string("requestID");

/// Calls `f` where tracing goes to this subscriber.
fn with<R>(subscriber: impl Subscriber + Send + Sync, f: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(subscriber, f)
}

/// A subscriber that writes text.
fn text<W>(lines: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer()
        .without_time()
        .with_ansi(false)
        .with_writer(lines);
    let layer = layer.map_event_format(|format| {
        kamon::tracing::text(format)
            .with_key(&REQUEST)
            .with_optional_key(&ID)
    });
    registry().with(kamon::tracing::layer()).with(layer)
}

/// As [`text`], to be read back.
fn to(lines: &Lines) -> impl Subscriber + Send + Sync {
    let lines = lines.clone();
    text(move || lines.clone())
}

#[test]
fn a_line_without_a_request() {
    let lines = Lines::new();
    with(to(&lines), || info!(amount = 12, "paid"));
    let expected = " INFO tracing_lines: paid amount=12 trace_token=undefined request=0";
    assert_eq!(lines.one(), expected);
}

#[test]
fn a_line_of_a_request() {
    let lines = Lines::new();
    let span = kamon::build_span("request").start();
    with(to(&lines), || {
        with_context(request(7).with_key(&ID, Some("r 1".into())), || {
            kamon::with_span(&span, || info!("paid"));
        });
    });
    let (trace, id) = (span.trace_id(), span.id());
    let expected = format!(
        " INFO tracing_lines: paid trace_token={trace} trace_id={trace} span_id={id} request=7 \
         requestID=\"r 1\""
    );
    assert_eq!(lines.one(), expected);
    span.finish();
}

#[test]
fn a_token_that_came_in_and_cannot_forge_a_line() {
    let lines = Lines::new();
    let hostile = |token: &str| Context::empty().with_key(trace_token_key(), Some(token.into()));
    with(to(&lines), || {
        with_context(hostile("cart-7"), || info!("one"));
        with_context(hostile("x\n INFO forged trace_token=y"), || info!("two"));
    });
    let lines = lines.all();
    assert_eq!(
        lines[0],
        " INFO tracing_lines: one trace_token=cart-7 request=0"
    );
    let expected = r#"two trace_token="x\n INFO forged trace_token=y" request=0"#;
    assert_eq!(lines[1], format!(" INFO tracing_lines: {expected}"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_line_in_a_span_is_of_the_spans_request() {
    let lines = Lines::new();
    with(to(&lines), || {
        let span = with_context(request(1), || info_span!("request", page = 2));
        with_context(request(2), || {
            info!("before");
            span.in_scope(|| info!("inside"));
            info!(parent: &span, "by name");
        });
    });
    let expected = [
        " INFO tracing_lines: before trace_token=undefined request=2",
        " INFO request{page=2}: tracing_lines: inside trace_token=undefined request=1",
        " INFO request{page=2}: tracing_lines: by name trace_token=undefined request=1",
    ];
    assert_eq!(lines.all(), expected);
}

#[test]
fn lines_about_a_span_are_of_the_spans_request() {
    let lines = Lines::new();
    let writer = lines.clone();
    let layer = fmt::layer()
        .without_time()
        .with_ansi(false)
        .with_target(false);
    let layer =
        layer.with_span_events(FmtSpan::NEW | FmtSpan::ENTER | FmtSpan::EXIT | FmtSpan::CLOSE);
    let layer = layer.with_writer(move || writer.clone());
    let layer = layer.map_event_format(|format| kamon::tracing::text(format).with_key(&REQUEST));
    with(registry().with(kamon::tracing::layer()).with(layer), || {
        let span = with_context(request(1), || info_span!("request"));
        with_context(request(2), move || span.in_scope(|| {}));
    });
    let lines = lines.all();
    assert_eq!(lines.len(), 4);
    for (line, what) in lines.iter().zip(["new", "enter", "exit", "close"]) {
        assert!(
            line.starts_with(&format!(" INFO request: {what} ")),
            "{line}"
        );
        assert!(line.ends_with(" request=1"), "{line}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let write = |ansi| {
        let lines = Lines::new();
        let writer = lines.clone();
        let layer = fmt::layer().compact().without_time().with_ansi(ansi);
        let layer = layer.with_writer(move || writer.clone());
        let layer = layer.map_event_format(kamon::tracing::text);
        with(registry().with(layer), || warn!("careful"));
        lines.one()
    };
    assert_eq!(
        write(false),
        " WARN tracing_lines: careful trace_token=undefined"
    );
    let colored = write(true);
    assert!(colored.contains("\u{1b}[33m WARN"), "{colored:?}");
    assert!(
        colored.ends_with("careful trace_token=undefined"),
        "{colored:?}"
    );
}

fn json(change: impl FnOnce(&mut Lines)) -> Vec<Json> {
    let mut lines = Lines::new();
    change(&mut lines);
    let lines = lines.all();
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_object_of_a_request() {
    let span = kamon::build_span("request").start();
    let objects = json(|lines| {
        let lines = lines.clone();
        let layer = fmt::layer().json().with_writer(move || lines.clone());
        let layer = layer.map_event_format(|format| {
            kamon::tracing::json(format)
                .with_key(&REQUEST)
                .with_optional_key(&ID)
        });
        with(registry().with(kamon::tracing::layer()).with(layer), || {
            info!("nobody's");
            with_context_key(&ID, Some("\"\n".into()), || {
                kamon::with_span(&span, || {
                    info_span!("inside", page = 2).in_scope(|| error!(amount = 12, "failed"));
                });
            });
        });
    });
    let [nobodys, failed] = &objects[..] else {
        panic!("{objects:?}");
    };
    assert_eq!(nobodys["trace_token"], "undefined");
    assert_eq!(nobodys["request"], "0");
    assert_eq!(nobodys["fields"]["message"], "nobody's");
    for absent in ["trace_id", "span_id", "requestID"] {
        assert!(nobodys.get(absent).is_none(), "{nobodys}");
    }
    assert_eq!(failed["trace_token"], span.trace_id().to_string());
    assert_eq!(failed["trace_id"], span.trace_id().to_string());
    assert_eq!(failed["span_id"], span.id().to_string());
    assert_eq!(failed["requestID"], "\"\n");
    assert_eq!(failed["level"], "ERROR");
    assert_eq!(failed["fields"]["amount"], 12);
    assert_eq!(failed["span"]["page"], 2);
    span.finish();
}

#[test]
fn the_line_names_the_span_that_was_made_of_the_tracing_span() {
    let lines = Lines::new();
    let writer = lines.clone();
    let layer = fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let layer = layer.map_event_format(kamon::tracing::text);
    let subscriber = registry()
        .with(kamon::tracing::layer().with_spans())
        .with(layer);
    let span = with(subscriber, || {
        info_span!("request").in_scope(|| {
            info!("inside");
            current_span()
        })
    });
    let expected = format!(" trace_id={} span_id={}", span.trace_id(), span.id());
    assert!(lines.one().ends_with(&expected), "{lines:?}");
}

/// A writer that waits with each line until it is told to go on.
struct Slow {
    go: mpsc::Receiver<()>,
    lines: Lines,
}

impl std::io::Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Whoever writes is in nobody's Context, and it is not asked.
        assert_eq!(current(), 0);
        self.go.recv().unwrap();
        self.lines.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_that_another_thread_writes_later_is_of_its_statement() {
    let lines = Lines::new();
    let (go, wait) = mpsc::channel();
    let slow = Slow {
        go: wait,
        lines: lines.clone(),
    };
    let (writer, guard) = tracing_appender::non_blocking(slow);
    let dispatch = tracing::Dispatch::new(text(writer));
    let runtime = workers(2);
    runtime.block_on(async {
        for number in 1..=20 {
            let dispatch = dispatch.clone();
            let task = async move {
                pause().await;
                tracing::dispatcher::with_default(&dispatch, || info!(number, "said"));
            };
            kamon::spawn_in(request(number), task).await.unwrap();
        }
    });
    // Every request is over.
    assert_eq!(lines.text(), "");
    (0..20).for_each(|_| go.send(()).unwrap());
    drop(guard);
    let expected = (1..=20).map(|number| {
        format!(" INFO tracing_lines: said number={number} trace_token=undefined request={number}")
    });
    assert!(lines.all().into_iter().eq(expected), "{lines:?}");
}

/// Sends each message to another thread, with its Context.
struct Channel(mpsc::Sender<Envelope<String>>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Channel {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let name = event.metadata().level().to_string();
        self.0.send(Envelope::capture(name)).unwrap();
    }
}

#[test]
fn a_layer_that_sends_envelopes_has_its_lines_made_in_the_context_of_the_statement() {
    let (sender, receiver) = mpsc::channel();
    let subscriber = registry()
        .with(kamon::tracing::layer())
        .with(Channel(sender));
    with(subscriber, || {
        with_context(request(1), || info!("one"));
        let span = with_context(request(2), || info_span!("request"));
        span.in_scope(|| warn!("two"));
    });
    let writer = std::thread::spawn(move || {
        let lines = receiver
            .into_iter()
            .map(|it: Envelope<String>| it.run(|level| format!("{level} {}", current())));
        lines.collect::<Vec<_>>()
    });
    assert_eq!(writer.join().unwrap(), ["INFO 1", "WARN 2"]);
}

#[test]
fn events_are_counted_by_level() {
    let mut subscription = metrics::subscribe("log.events", std::time::Duration::from_secs(60));
    subscription.snapshot();
    // In a thread pool of its own, other tests of this process log as well: only differences in
    // levels that nobody else uses are exact.
    let counting = registry().with(kamon::tracing::layer().with_filter(LevelFilter::TRACE));
    with(counting, || {
        debug!("one");
        (0..3).for_each(|_| trace!("two"));
    });
    with(
        registry().with(kamon::tracing::layer().without_metrics()),
        || debug!("uncounted"),
    );
    let snapshot = subscription.snapshot();
    let counted = |level: &str| {
        let mut counters = snapshot.named("log.events").filter(|it| {
            it.tags().get("component") == Some("tracing") && it.tags().get("level") == Some(level)
        });
        match counters.next().map(|it| it.value()) {
            Some(Value::Count(count)) => *count,
            _ => 0,
        }
    };
    assert_eq!((counted("DEBUG"), counted("TRACE")), (1, 3));
}
