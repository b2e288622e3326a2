//! `kamon::log::wrap`: each entry says whose it is, whichever logger writes it.
#![cfg(feature = "log")]

mod lines;
mod witness;

use std::collections::BTreeMap;
use std::sync::{mpsc, Arc};
use std::time::Duration;

use kamon::channel::Envelope;
use kamon::log::wrap;
use kamon::metrics::{self, PeriodSnapshot, Value};
use kamon::{with_context, Key};
use lines::Lines;
use log::kv::{self, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use log4rs::append::file::FileAppender;
use log4rs::config::{Appender, Config, Root};
use log4rs::encode::pattern::PatternEncoder;
use witness::{current, pause, request, workers, REQUEST};

static ID: Key<Option<String>> = Key::broadcast_string("requestID");

/// Makes an entry as `log::info!(amount = 12; "paid")` does, for one logger.
fn say(logger: &dyn Log, level: Level) {
    let pairs = [("amount", 12)];
    let record = Record::builder()
        .level(level)
        .target("shop")
        .key_values(&pairs)
        .args(format_args!("paid"))
        .build();
    logger.log(&record);
}

/// An env_logger that writes there.
fn env_logger(lines: &Lines) -> env_logger::Logger {
    env_logger::Builder::new()
        .filter_level(LevelFilter::Info)
        .format_timestamp(None)
        .target(env_logger::Target::Pipe(Box::new(lines.clone())))
        .build()
}

#[test]
fn env_logger_shows_it() {
    let lines = Lines::new();
    let logger = wrap(env_logger(&lines))
        .with_key(&REQUEST)
        .with_optional_key(&ID);
    say(&logger, Level::Info);
    let span = kamon::build_span("request").start();
    with_context(request(7).with_key(&ID, Some("r-1".into())), || {
        kamon::with_span(&span, || say(&logger, Level::Warn));
    });
    span.finish();
    let (trace, id) = (span.trace_id(), span.id());
    let expected = [
        "[INFO  shop] paid amount=12 trace_token=undefined request=0".to_owned(),
        format!(
            "[WARN  shop] paid amount=12 trace_token={trace} trace_id={trace} span_id={id} \
             request=7 requestID=r-1"
        ),
    ];
    assert_eq!(lines.all(), expected);
}

#[test]
fn log4rs_shows_it() {
    let file = format!(
        "{}/log4rs-{}",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    let pattern = "{l} {m} {K(amount)} {K(trace_token)} {K(request)} {K(span_id)(none)}{n}";
    let appender = FileAppender::builder()
        .append(false)
        .encoder(Box::new(PatternEncoder::new(pattern)))
        .build(&file)
        .unwrap();
    let config = Config::builder()
        .appender(Appender::builder().build("file", Box::new(appender)))
        .build(Root::builder().appender("file").build(LevelFilter::Info))
        .unwrap();
    let logger = wrap(log4rs::Logger::new(config)).with_key(&REQUEST);
    with_context(request(7), || {
        say(&logger, Level::Info);
        say(&logger, Level::Debug);
    });
    logger.flush();
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(written, "INFO paid 12 undefined 7 none\n");
}

/// Takes entries apart and has a thread write them: what an asynchronous logger does.
struct Channel(mpsc::SyncSender<(String, BTreeMap<String, String>)>);

impl Log for Channel {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        let mut pairs = Pairs(BTreeMap::new());
        record.key_values().visit(&mut pairs).unwrap();
        assert_eq!(pairs.0.len(), record.key_values().count());
        for (key, value) in &pairs.0 {
            let got = record.key_values().get(kv::Key::from_str(key)).unwrap();
            assert_eq!(got.to_string(), *value);
        }
        self.0.send((record.args().to_string(), pairs.0)).unwrap();
    }

    fn flush(&self) {}
}

struct Pairs(BTreeMap<String, String>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let before = self.0.insert(key.to_string(), value.to_string());
        assert_eq!(before, None, "{key}");
        Ok(())
    }
}

#[test]
fn an_entry_that_another_thread_writes_later_is_of_its_statement() {
    let (sender, receiver) = mpsc::sync_channel(20);
    let logger: Arc<dyn Log> = Arc::new(wrap(Channel(sender)).with_key(&REQUEST));
    let runtime = workers(2);
    runtime.block_on(async {
        for number in 1..=20 {
            let logger = logger.clone();
            let task = async move {
                pause().await;
                say(&*logger, Level::Info);
            };
            kamon::spawn_in(request(number), task).await.unwrap();
        }
    });
    // Every request is over.
    let writer = std::thread::spawn(move || {
        let entries = receiver.into_iter().take(20);
        entries
            .map(|(text, pairs)| format!("{text} {pairs:?}"))
            .collect::<Vec<_>>()
    });
    let expected = (1..=20).map(|number| {
        format!(
            "paid {{\"amount\": \"12\", \"request\": \"{number}\", \"trace_token\": \"undefined\"}}"
        )
    });
    assert!(writer.join().unwrap().into_iter().eq(expected));
}

/// Sends each entry with its Context, which is current again where it is written.
struct Letters(mpsc::Sender<Envelope<String>>);

impl Log for Letters {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0
            .send(Envelope::capture(record.args().to_string()))
            .unwrap();
    }

    fn flush(&self) {
        self.0.send(Envelope::capture("flushed".into())).unwrap();
    }
}

#[test]
fn a_logger_that_sends_envelopes_writes_in_the_context_of_the_statement() {
    let (sender, receiver) = mpsc::channel();
    let logger = wrap(Letters(sender));
    for number in 1..=3 {
        with_context(request(number), || say(&logger, Level::Info));
    }
    with_context(request(4), || logger.flush());
    drop(logger);
    let writer = std::thread::spawn(move || {
        let write = |letter: Envelope<String>| letter.run(|text| format!("{text} {}", current()));
        receiver.into_iter().map(write).collect::<Vec<_>>()
    });
    assert_eq!(
        writer.join().unwrap(),
        ["paid 1", "paid 2", "paid 3", "flushed 4"]
    );
}

#[test]
fn what_the_statement_says_itself_comes_first() {
    let lines = Lines::new();
    let logger = wrap(env_logger(&lines)).without_metrics();
    let pairs = [("trace_token", "mine")];
    let record = Record::builder()
        .key_values(&pairs)
        .args(format_args!("said"))
        .build();
    logger.log(&record);
    assert_eq!(
        lines.one(),
        "[INFO ] said trace_token=mine trace_token=undefined"
    );
}

/// How many entries of a level were counted.
fn counted(snapshot: &PeriodSnapshot, level: &str) -> u64 {
    let mut counters = snapshot.named("log.events").filter(|it| {
        it.tags().get("component") == Some("log") && it.tags().get("level") == Some(level)
    });
    match counters.next().map(|it| it.value()) {
        Some(Value::Count(count)) => *count,
        _ => 0,
    }
}

#[test]
fn entries_are_counted_by_level() {
    let mut subscription = metrics::subscribe("log.events", Duration::from_secs(60));
    subscription.snapshot();
    let lines = Lines::new();
    let logger = wrap(env_logger(&lines));
    say(&logger, Level::Error);
    (0..3).for_each(|_| say(&logger, Level::Debug));
    assert_eq!(lines.all().len(), 1);
    say(&wrap(env_logger(&lines)).without_metrics(), Level::Error);
    let snapshot = subscription.snapshot();
    // Other tests write entries of other levels; what no logger is enabled for is no entry.
    assert_eq!(
        (counted(&snapshot, "ERROR"), counted(&snapshot, "DEBUG")),
        (1, 0)
    );
}

#[test]
fn the_programs_logger_is_installed_once() {
    let lines = Lines::new();
    let logger = || wrap(env_logger(&lines)).with_key(&REQUEST);
    logger().install(LevelFilter::Info).unwrap();
    logger().install(LevelFilter::Trace).unwrap_err();
    assert_eq!(
        log::max_level(),
        LevelFilter::Info,
        "what is there stays as it is"
    );
    with_context(
        request(7),
        || log::info!(target: "shop", amount = 12; "paid"),
    );
    let expected = "[INFO  shop] paid amount=12 trace_token=undefined request=7";
    assert_eq!(lines.one(), expected);
}
