//! A metric reporter's thread: hands it a period at every tick.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use futures_lite::{future, Stream};

use crate::metrics::{subscribe, MetricReporter, PeriodSnapshot, Subscription};
use crate::report::attempt::{contain, persist};
use crate::report::courier::start_thread;
use crate::report::metric_desk::{Call, MetricDesk};
use crate::sync::Arc;

/// Starts the reporter's thread. Its first period begins here.
///
/// # Errors
///
/// When the system refuses a thread.
pub(crate) fn start(reporter: Box<dyn MetricReporter>, desk: Arc<MetricDesk>) -> io::Result<()> {
    let subscription = subscribe(reporter.filter(), reporter.interval());
    let courier = MetricCourier {
        reporter,
        subscription,
        desk,
    };
    let name = courier.desk.name().to_owned();
    start_thread(&name, || courier.run())
}

struct MetricCourier {
    reporter: Box<dyn MetricReporter>,
    subscription: Subscription,
    desk: Arc<MetricDesk>,
}

/// What there is to do.
enum Next {
    Report(PeriodSnapshot),
    Answer(Call),
}

impl MetricCourier {
    fn run(mut self) {
        loop {
            match self.next() {
                Next::Report(period) => self.deliver(&period),
                Next::Answer(call) => {
                    let period = self.subscription.snapshot();
                    self.deliver(&period);
                    match call {
                        Call::Flush(number) => self.desk.settle_flush(number),
                        Call::Close => break,
                    }
                }
            }
        }
        let reporter = self.reporter;
        let last = contain(|| {
            drop(reporter);
            Ok(())
        });
        if let Err(failure) = last {
            self.desk.failed(failure.message);
        }
        self.desk.stopped();
    }

    /// Waits for a tick or a call.
    fn next(&mut self) -> Next {
        let desk = &self.desk;
        let mut subscription = pin!(&mut self.subscription);
        future::block_on(poll_fn(|cx| {
            if let Poll::Ready(call) = desk.poll_call(cx) {
                return Poll::Ready(Next::Answer(call));
            }
            match subscription.as_mut().poll_next(cx) {
                Poll::Ready(Some(period)) => Poll::Ready(Next::Report(period)),
                // A subscription has no end.
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        }))
    }

    fn deliver(&mut self, period: &PeriodSnapshot) {
        let (desk, reporter) = (&self.desk, &mut self.reporter);
        let report = || {
            let outcome = contain(|| reporter.report(period));
            if let Err(failure) = &outcome {
                desk.failed(failure.message.clone());
            }
            outcome
        };
        let outcome = persist(desk.settings(), report, |pause| desk.rest(pause));
        desk.settle(outcome.is_ok());
    }
}
