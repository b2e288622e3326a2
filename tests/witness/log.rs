//! `Log`: what happened, each with the request that was current then.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread::ThreadId;
use std::time::Duration;

use kamon::task;

use super::current;
use super::locks::{Condvar, Mutex};

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) what: &'static str,
    /// The request that was current.
    pub(crate) request: u32,
    /// The task that was current.
    pub(crate) task: Option<task::Id>,
    pub(crate) thread: ThreadId,
}

/// A list of what happened, in order, that can be waited on. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    waiting: Vec<Waker>,
}

impl Log {
    pub(crate) fn new() -> Log {
        Log::default()
    }

    /// Notes that something happens now, here.
    pub(crate) fn note(&self, what: &'static str) {
        let entry = Entry {
            what,
            request: current(),
            task: task::try_id(),
            thread: std::thread::current().id(),
        };
        let waiting = {
            let mut state = self.0.state.lock().unwrap();
            state.entries.push(entry);
            std::mem::take(&mut state.waiting)
        };
        self.0.more.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// A value that notes when it is dropped.
    pub(crate) fn on_drop(&self, what: &'static str) -> OnDrop {
        OnDrop {
            log: self.clone(),
            what,
            then: None,
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.state.lock().unwrap().entries.clone()
    }

    /// The requests that were current whenever this happened.
    pub(crate) fn requests(&self, what: &str) -> Vec<u32> {
        let entries = self.entries();
        let of = entries.iter().filter(|entry| entry.what == what);
        of.map(|entry| entry.request).collect()
    }

    /// The one time that this happened.
    #[track_caller]
    pub(crate) fn once(&self, what: &str) -> Entry {
        let entries = self.entries();
        let mut of = entries.iter().filter(|entry| entry.what == what);
        match (of.next(), of.next()) {
            (Some(entry), None) => *entry,
            _ => panic!("{what:?} should have happened once: {self:?}"),
        }
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.requests(what).len()
    }

    /// What happened, without who saw it.
    pub(crate) fn order(&self) -> Vec<&'static str> {
        self.entries().iter().map(|entry| entry.what).collect()
    }

    /// Blocks until this has happened so many times.
    pub(crate) fn wait(&self, what: &str, times: usize) {
        let mut state = self.0.state.lock().unwrap();
        while !state.has(what, times) {
            state = self.0.more.wait(state).unwrap();
        }
    }

    /// Waits until this has happened so many times.
    pub(crate) async fn seen(&self, what: &str, times: usize) {
        poll_fn(|cx| {
            let mut state = self.0.state.lock().unwrap();
            if state.has(what, times) {
                return Poll::Ready(());
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl State {
    fn has(&self, what: &str, times: usize) -> bool {
        self.entries
            .iter()
            .filter(|entry| entry.what == what)
            .count()
            >= times
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        let short = entries.iter().map(|entry| (entry.what, entry.request));
        f.debug_list().entries(short).finish()
    }
}

/// Notes in a [`Log`] when it is dropped.
pub(crate) struct OnDrop {
    log: Log,
    what: &'static str,
    then: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl OnDrop {
    /// Calls `f` when it is dropped, after the note.
    pub(crate) fn then(mut self, f: impl FnOnce() + Send + Sync + 'static) -> OnDrop {
        self.then = Some(Box::new(f));
        self
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.log.note(self.what);
        if let Some(then) = self.then.take() {
            then();
        }
    }
}

impl fmt::Debug for OnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDrop").field(&self.what).finish()
    }
}
