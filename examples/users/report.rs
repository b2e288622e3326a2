//! The table at the end, and whether all of it is as it must be.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::arguments::Arguments;
use crate::ledger::{Hop, Ledger};
use crate::load::{Measured, Pair};
use crate::spans::Spans;

/// The finished table.
pub(crate) struct Report {
    rows: Vec<Row>,
    faults: Vec<String>,
    spans: Spans,
}

struct Row {
    name: String,
    value: String,
    note: String,
}

impl Report {
    /// Draws up the table of a run; `measured` is absent when no load was sent.
    pub(crate) fn new(
        arguments: &Arguments,
        ledger: &Ledger,
        measured: Option<Measured>,
        spans: Spans,
    ) -> Self {
        let mut report = Self {
            rows: Vec::new(),
            faults: Vec::new(),
            spans,
        };
        if let Some(measured) = &measured {
            report.requests(arguments, ledger, measured);
        }
        report.row("hops", grouped(ledger.all_hops()), "");
        for (hop, name) in Hop::ALL {
            let count = ledger.hops(hop);
            report.row(&format!("  {name}"), grouped(count), "");
            if count == 0 && measured.is_some() {
                report
                    .faults
                    .push(format!("no hop of the kind `{name}` was made"));
            }
        }
        report.zero(
            "hops that saw another request's Context",
            ledger.foreign(),
            "",
        );
        report.zero("hops that lost their Context", ledger.lost(), "");
        let (lines, wrong) = ledger.journal.counts();
        let of = format!("of {}", grouped(lines));
        report.zero("log lines with another token", wrong, &of);
        let (threads, with_context, unchecked) = ledger.thread_counts();
        let of = format!("of {} threads", grouped(threads));
        report.zero("threads left with a Context", with_context, &of);
        report.zero("threads not looked at when they ended", unchecked, "");
        let of = format!("of {} made", grouped(ledger.contexts_made()));
        report.zero("Contexts still alive", ledger.contexts_alive(), &of);
        if let Some(measured) = &measured {
            report.throughput(measured);
        }
        report
    }

    /// Whether everything that must be zero is, and nothing else that must be is missing.
    pub(crate) fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    fn requests(&mut self, arguments: &Arguments, ledger: &Ledger, measured: &Measured) {
        let tally = &measured.tally;
        let parts = format!(
            "{} checked, {} measured",
            grouped(arguments.requests),
            grouped(2 * measured.slice * measured.pairs.len() as u64)
        );
        self.row("requests", grouped(tally.requests()), &parts);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.row("  answered", grouped(count(&tally.answered)), "");
        let half_way = format!(
            "{} of them with the handler half way",
            grouped(ledger.dropped_half_way())
        );
        self.row(
            "  cancelled by the client",
            grouped(count(&tally.cancelled)),
            &half_way,
        );
        self.row("  panicked in a task", grouped(count(&tally.panicked)), "");
        self.zero("  failed", count(&tally.failed), "");
    }

    fn throughput(&mut self, measured: &Measured) {
        let requests = (measured.slice * measured.pairs.len() as u64) as f64;
        let total = |time: fn(&Pair) -> Duration| measured.pairs.iter().map(time).sum::<Duration>();
        let rate = |time: Duration| grouped((requests / time.as_secs_f64()) as u64);
        self.row(
            "requests/s with the Context and spans",
            rate(total(|pair| pair.with)),
            "",
        );
        self.row(
            "requests/s without either",
            rate(total(|pair| pair.without)),
            "",
        );

        let ratio = |pair: &Pair| pair.without.as_secs_f64() / pair.with.as_secs_f64();
        let mut ratios: Vec<f64> = measured.pairs.iter().map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        if let [least, .., most] = ratios[..] {
            let middle = ratios.len() / 2;
            let median = (ratios[(ratios.len() - 1) / 2] + ratios[middle]) / 2.0;
            let note = format!("median of {} pairs, {least:.2} to {most:.2}", ratios.len());
            self.row("  with / without", format!("{median:.3}"), &note);
        }
    }

    fn row(&mut self, name: &str, value: String, note: &str) {
        self.rows.push(Row {
            name: name.into(),
            value,
            note: note.into(),
        });
    }

    fn zero(&mut self, name: &str, count: u64, note: &str) {
        let note = if note.is_empty() {
            "must be 0".into()
        } else {
            format!("must be 0, {note}")
        };
        self.row(name, grouped(count), &note);
        if count != 0 {
            self.faults
                .push(format!("{}: {}", name.trim_start(), grouped(count)));
        }
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.spans)?;
        for Row { name, value, note } in &self.rows {
            let line = format!("{name:<42}{value:>11}  {note}");
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
        if self.is_good() {
            return writeln!(out, "good: every zero is zero");
        }
        for fault in &self.faults {
            writeln!(out, "BAD: {fault}")?;
        }
        Ok(())
    }
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
