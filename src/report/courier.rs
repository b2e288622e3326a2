//! A reporter's thread: hands it its spans, and takes what it answers, panics included.

use std::cell::Cell;
use std::io;

use crate::metrics::Observation;
use crate::report::attempt::{contain, persist, Failure};
use crate::report::batch::Batch;
use crate::report::observed::observe_reporter;
use crate::report::outbox::{Delivery, Outbox, Parcel};
use crate::report::{ReportError, SpanReporter};
use crate::sync::{thread, tls, Arc};
use crate::trace::without_tracing;

tls! {
    /// Whether this thread is a reporter's.
    static DELIVERS: Cell<bool> = Cell::new(false);
}

/// Starts the reporter's thread.
///
/// # Errors
///
/// When the system refuses one.
pub(crate) fn start(reporter: Box<dyn SpanReporter>, outbox: Arc<Outbox>) -> io::Result<()> {
    let name = outbox.name().to_owned();
    let observed = observe_reporter(&outbox);
    let courier = Courier {
        reporter,
        outbox,
        observed,
    };
    start_thread(&name, || courier.run())
}

/// Starts a thread for a reporter: nothing is traced on it.
///
/// # Errors
///
/// When the system refuses one.
pub(crate) fn start_thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let name = format!("kamon-{}", name.replace('\0', ""));
    let thread = thread::Builder::new().name(name).spawn(|| {
        DELIVERS.with(|delivers| delivers.set(true));
        without_tracing(run);
    });
    thread.map(drop)
}

/// Whether this thread is a reporter's: what it waits for must not be itself.
pub(crate) fn is_courier() -> bool {
    DELIVERS.with(Cell::get)
}

struct Courier {
    reporter: Box<dyn SpanReporter>,
    outbox: Arc<Outbox>,
    observed: Vec<Observation>,
}

impl Courier {
    fn run(mut self) {
        while let Some(parcel) = self.outbox.take() {
            match parcel {
                Parcel::Spans(batch) => {
                    let delivery = self.deliver(&batch);
                    self.outbox.settle(batch.len(), delivery);
                }
                Parcel::Flush => {
                    let _counted = self.call(|reporter| reporter.flush());
                    self.outbox.settle_flush();
                }
            }
        }
        let _counted = self.call(|reporter| {
            reporter.stop();
            Ok(())
        });
        let Courier {
            reporter,
            outbox,
            observed,
        } = self;
        let last = contain(|| {
            drop(reporter);
            Ok(())
        });
        if let Err(failure) = last {
            outbox.failed(failure.message);
        }
        outbox.stopped();
        drop(observed);
    }

    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let outbox = self.outbox.clone();
        let report = || self.call(|reporter| reporter.report(batch));
        match persist(outbox.settings(), report, |pause| outbox.rest(pause)) {
            Ok(()) => Delivery::Reported,
            Err(failure) => Delivery::Dropped(failure.reason),
        }
    }

    /// Calls the reporter, and counts if it fails.
    fn call(
        &mut self,
        work: impl FnOnce(&mut dyn SpanReporter) -> Result<(), ReportError>,
    ) -> Result<(), Failure> {
        let reporter = &mut *self.reporter;
        let outcome = contain(|| work(reporter));
        if let Err(failure) = &outcome {
            self.outbox.failed(failure.message.clone());
        }
        outcome
    }
}
