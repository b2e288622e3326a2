//! Every span that a reporter was handed is accounted for: after a flush, and after the shutdown.

use kamon_loomed::__model::Outbox;
use loom::sync::Arc;
use loom::thread;

use crate::model::witness::expect;
use crate::model::{check, check_bounded};

fn hold(outbox: &Outbox) {
    let stats = outbox.stats();
    expect(
        stats.handed == stats.reported + stats.waiting + stats.dropped.total(),
        "every span is in one place",
    );
}

/// A flush races the reporter at work.
#[test]
fn a_flush_returns_when_all_before_it_is_settled() {
    check_bounded("a_flush_returns_when_all_before_it_is_settled", 3, || {
        let outbox = Arc::new(Outbox::new(2));
        let of_thread = outbox.clone();
        let thread = thread::spawn(move || of_thread.serve());
        outbox.offer(1);
        outbox.offer(2);
        hold(&outbox);
        expect(outbox.flush(), "it is in time");
        let stats = outbox.stats();
        expect(stats.waiting == 0, "nothing waits that was there before");
        outbox.close();
        expect(outbox.await_end(), "it ends");
        let reported = thread.join().unwrap();
        expect(reported == outbox.stats().reported, "as many as it says");
        hold(&outbox);
    });
}

/// The drain hands on spans while reporting is shut down.
#[test]
fn a_shutdown_leaves_nothing_waiting() {
    check("a_shutdown_leaves_nothing_waiting", || {
        let outbox = Arc::new(Outbox::new(2));
        let of_reporter = outbox.clone();
        let reporter = thread::spawn(move || of_reporter.serve());
        let of_drain = outbox.clone();
        let drain = thread::spawn(move || {
            of_drain.offer(1);
            of_drain.offer(1);
        });
        outbox.close();
        expect(outbox.await_end(), "it ends");
        drain.join().unwrap();
        let reported = reporter.join().unwrap();
        let stats = outbox.stats();
        expect(
            (stats.handed, stats.waiting, stats.reported) == (2, 0, reported),
            "nothing waits for a reporter that has ended",
        );
        hold(&outbox);
    });
}

/// Nobody waits for a reporter any more, which is at work.
#[test]
fn what_is_given_up_is_counted_once() {
    check_bounded("what_is_given_up_is_counted_once", 3, || {
        let outbox = Arc::new(Outbox::new(4));
        outbox.offer(1);
        outbox.offer(2);
        let of_thread = outbox.clone();
        let thread = thread::spawn(move || of_thread.serve());
        outbox.close();
        let in_time = outbox.abandon();
        let given_up = outbox.stats();
        thread.join().unwrap();
        expect(given_up.waiting == 0, "nothing waits");
        expect(
            !in_time || given_up.reported == 3,
            "it is in time only when all is reported",
        );
        expect(outbox.stats() == given_up, "and nothing changes afterwards");
        hold(&outbox);
    });
}
