//! What the models see of this room.
#![allow(missing_docs)] // The models call what they see by its own name.

use std::time::Duration;

use crate::report::batch::Batch;
use crate::report::outbox::{self, Delivery, Parcel};
use crate::report::settings::Settings;
use crate::report::ReporterStats;
use crate::sync::now;
use crate::trace::{SpanId, SpanRecord, TraceId};

/// Longer than any model waits.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What lies between the drain and a reporter.
pub struct Outbox(outbox::Outbox);

impl Outbox {
    pub fn new(queue_spans: usize) -> Outbox {
        let settings = Settings {
            queue_spans,
            ..Settings::DEFAULT
        };
        Outbox(outbox::Outbox::new("model".into(), settings))
    }

    /// The drain hands on so many spans.
    pub fn offer(&self, number: usize) {
        let span = SpanRecord::new(TraceId::new(1), SpanId::new(1), "work");
        self.0.offer(&Batch::from(vec![span; number]));
    }

    /// What a reporter's thread does all its life. Returns how many spans it has reported.
    pub fn serve(&self) -> u64 {
        let mut reported = 0;
        while let Some(parcel) = self.0.take() {
            match parcel {
                Parcel::Spans(batch) => {
                    reported += batch.len() as u64;
                    self.0.settle(batch.len(), Delivery::Reported);
                }
                Parcel::Flush => self.0.settle_flush(),
            }
        }
        self.0.stopped();
        reported
    }

    pub fn flush(&self) -> bool {
        let flush = self.0.ask_for_flush();
        self.0.await_flush(flush, now() + PATIENCE)
    }

    pub fn close(&self) {
        self.0.close();
    }

    pub fn await_end(&self) -> bool {
        self.0.await_end(now() + PATIENCE)
    }

    /// Waits no longer.
    pub fn abandon(&self) -> bool {
        self.0.await_end(now())
    }

    pub fn stats(&self) -> ReporterStats {
        self.0.stats()
    }
}
