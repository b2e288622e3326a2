//! The log: each line with the trace token of the request that it is about, which nobody passes on.

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use kamon::propagation::trace_token;

use crate::request::Ticket;

/// How many lines are kept to be shown in the end.
const KEPT: usize = 4096;

/// The last lines of the log, and how many had another token than their request's.
#[derive(Default)]
pub(crate) struct Journal {
    printed: AtomicBool,
    lines: AtomicU64,
    wrong: AtomicU64,
    last: Mutex<VecDeque<Line>>,
}

/// A line of the log.
#[derive(Clone)]
pub(crate) struct Line {
    token: Option<String>,
    service: &'static str,
    text: String,
}

impl Journal {
    /// Prints lines as they come.
    pub(crate) fn print(&self) {
        self.printed.store(true, Ordering::Relaxed);
    }

    /// Writes a line. Its token is that of the current Context; the ticket is there to compare.
    pub(crate) fn write(&self, service: &'static str, ticket: &Ticket, text: impl Display) {
        let token = trace_token(&kamon::current_context()).map(String::from);
        self.lines.fetch_add(1, Ordering::Relaxed);
        if token.as_deref() != ticket.token.as_deref() {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        let text = text.to_string();
        let line = Line {
            token,
            service,
            text,
        };
        if self.printed.load(Ordering::Relaxed) {
            crate::say(format_args!("{line}\n"));
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(line);
    }

    /// How many lines were written, and how many of them had the wrong token.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let wrong = self.wrong.load(Ordering::Relaxed);
        (self.lines.load(Ordering::Relaxed), wrong)
    }

    /// The lines with this token that are still known.
    pub(crate) fn of(&self, token: &str) -> Vec<Line> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let of = last
            .iter()
            .filter(|line| line.token.as_deref() == Some(token));
        of.cloned().collect()
    }
}

impl Display for Line {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let token = self.token.as_deref().unwrap_or("-");
        write!(out, "[{token}] {}: {}", self.service, self.text)
    }
}
