//! A reporter that blocks, fails or panics harms no other, and its loss is counted with its name.

mod locks;

use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::Duration;

use kamon::report::{AddedReporter, DropReason, Flush, ReportError, SpanReporter};
use kamon::trace::SpanRecord;
use kamon::{Config, SpanId};
use locks::Mutex;

/// Does what it is told, call after call, and then works.
struct Scripted {
    name: &'static str,
    script: Vec<Step>,
    seen: Arc<Mutex<Vec<SpanId>>>,
}

#[derive(Clone, Copy)]
enum Step {
    Fail,
    Panic,
    PanicWithPanic,
    FailForever,
    PanicForever,
}

/// A panic's payload whose destructor panics.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("and again");
    }
}

impl SpanReporter for Scripted {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        match self.script.first().copied() {
            Some(Step::FailForever) => return Err("no".into()),
            Some(Step::PanicForever) => panic!("never"),
            Some(step) => {
                self.script.remove(0);
                match step {
                    Step::Panic => panic!("not now"),
                    Step::PanicWithPanic => std::panic::panic_any(Grenade),
                    _ => return Err("not now".into()),
                }
            }
            None => {}
        }
        self.seen
            .lock()
            .unwrap()
            .extend(spans.iter().map(|span| span.id));
        Ok(())
    }

    fn name(&self) -> &str {
        self.name
    }
}

fn add(name: &'static str, script: &[Step]) -> (AddedReporter, Arc<Mutex<Vec<SpanId>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reporter = Scripted {
        name,
        script: script.to_vec(),
        seen: seen.clone(),
    };
    (kamon::add_span_reporter(reporter), seen)
}

fn record(number: usize) -> Vec<SpanId> {
    let finish = |_| {
        let span = kamon::build_span("work").start();
        span.finish();
        span.id()
    };
    (0..number).map(finish).collect()
}

/// The spans of this test among those that a reporter has seen: others run beside it.
fn among(seen: &Mutex<Vec<SpanId>>, recorded: &[SpanId]) -> Vec<SpanId> {
    let mut seen = seen.lock().unwrap().clone();
    seen.retain(|id| recorded.contains(id));
    seen
}

/// Waits in its first call until it is let go.
struct Blocked {
    entered: Sender<()>,
    go_on: Receiver<()>,
}

impl SpanReporter for Blocked {
    fn report(&mut self, _spans: &[SpanRecord]) -> Result<(), ReportError> {
        // Only the first call has somebody to tell.
        let _ = self.entered.send(());
        let _ = self.go_on.recv();
        Ok(())
    }

    fn name(&self) -> &str {
        "blocked"
    }
}

#[test]
fn the_others_keep_going() {
    // Who rests although a flush waits for it comes too late for it; and no rest is too long to be
    // reckoned with.
    let config = Config::new()
        .patience(Duration::from_secs(60))
        .backoff(Duration::MAX);
    let _kamon = kamon::init(config).unwrap();

    use Step::{Fail, FailForever, Panic, PanicForever, PanicWithPanic};
    // Name, what it does, how often it fails, and why it loses what it loses.
    type Case = (&'static str, &'static [Step], u64, Option<DropReason>);
    let cases: &[Case] = &[
        ("works", &[], 0, None),
        ("fails once", &[Fail], 1, None),
        ("panics once", &[Panic], 1, None),
        (
            "fails, panics and works",
            &[Fail, Panic, PanicWithPanic],
            3,
            None,
        ),
        (
            "fails for ever",
            &[FailForever],
            4,
            Some(DropReason::Failed),
        ),
        (
            "panics for ever",
            &[PanicForever],
            4,
            Some(DropReason::Panicked),
        ),
    ];
    let (witness, witnessed) = add("witness", &[]);
    for (name, script, failures, reason) in cases {
        let (reporter, seen) = add(name, script);
        let recorded = record(3);
        assert_eq!(kamon::flush(), Flush::Complete, "{name}");

        let stats = reporter.stats();
        assert_eq!(stats.name, *name);
        assert_eq!((stats.handed, stats.waiting), (3, 0), "{stats:?}");
        assert_eq!(stats.failures, *failures, "{stats:?}");
        assert_eq!(stats.last_error.is_some(), *failures > 0, "{stats:?}");
        let lost = reason.map_or(0, |reason| stats.dropped.because(reason));
        assert_eq!(
            (stats.reported + lost, stats.dropped.total()),
            (3, lost),
            "{stats:?}"
        );
        let expected = if reason.is_some() {
            Vec::new()
        } else {
            recorded.clone()
        };
        assert_eq!(among(&seen, &recorded), expected, "{name}");
        assert_eq!(among(&witnessed, &recorded), recorded, "{name}");
        assert!(reporter.remove(), "{name}");
    }
    assert_eq!(witness.stats().dropped.total(), 0);

    // And one that blocks: everybody else is served meanwhile.
    let (entered, has_entered) = channel();
    let (let_go, go_on) = channel();
    let blocked = kamon::add_span_reporter(Blocked { entered, go_on });
    let first = record(1);
    let flush = std::thread::spawn(kamon::flush);
    has_entered.recv().unwrap();
    let second = record(100);
    // Reading takes the spans from the rings; nobody waits for the one that blocks.
    let recent = kamon::recent_spans();
    assert!(second
        .iter()
        .all(|id| recent.iter().any(|span| span.id == *id)));
    let all: Vec<SpanId> = first.into_iter().chain(second).collect();
    while among(&witnessed, &all).len() < all.len() {
        std::thread::yield_now();
    }
    assert_eq!(among(&witnessed, &all), all);
    let stats = blocked.stats();
    assert_eq!((stats.handed, stats.reported, stats.waiting), (101, 0, 101));
    drop(let_go);
    assert_eq!(flush.join().unwrap(), Flush::Complete);
    assert_eq!(kamon::flush(), Flush::Complete);
    assert_eq!(blocked.stats().reported, 101);
}
