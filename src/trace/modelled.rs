//! What the models see of this room.
#![allow(missing_docs)] // The models call what they see by its own name.

use crate::trace::body::Body;
use crate::trace::details::Details;
use crate::trace::finish;
use crate::trace::place::{Hold, Vacancy};
use crate::trace::state::{Flags, Released, State};
use crate::trace::{SpanKind, Timestamp};

/// A span and one hold on it.
#[derive(Clone)]
pub struct ModelSpan(Hold);

impl ModelSpan {
    /// A span that is recorded. It is not measured: that is another room's model.
    pub fn new() -> Self {
        let body = Body::new("modelled".into(), SpanKind::Unknown, Timestamp::now());
        ModelSpan(Vacancy::find().fill(Flags::RECORDED, &mut Details::default(), body))
    }

    /// Says something of it. Returns whether it was in time.
    pub fn tag(&self, key: &'static str) -> bool {
        match self.0.lock() {
            Some(mut details) => {
                details.tag(key.into(), true.into());
                true
            }
            None => false,
        }
    }

    /// The same through a handle that nobody else uses meanwhile.
    pub fn say(&mut self, key: &'static str) -> bool {
        match self.0.alone() {
            Some(details) => {
                details.tag(key.into(), true.into());
                true
            }
            None => self.tag(key),
        }
    }

    /// Calls it something else. Returns whether it was in time.
    pub fn rename(&self, name: &'static str) -> bool {
        self.0.rename(name.into())
    }

    pub fn name(&self) -> String {
        self.0.name().to_string()
    }

    /// Finishes it. Whoever is first gets what was said of it.
    pub fn finish(&self) -> Option<Vec<String>> {
        let flags = self.0.state().finish(Flags::NONE)?;
        finish::conclude(&self.0, flags, Timestamp::now());
        // SAFETY: `State::finish` has counted it, since the span is recorded.
        Some(said_of(unsafe { self.0.counted() }))
    }

    /// The same through a handle that nobody else uses meanwhile.
    pub fn finish_kept(&mut self) -> Option<Vec<String>> {
        match self.0.state().finish_kept() {
            Some(flags) => {
                finish::conclude(&self.0, flags, Timestamp::now());
                // SAFETY: `State::finish_kept` has counted it, since the span is recorded.
                Some(said_of(unsafe { self.0.counted() }))
            }
            None => self.finish(),
        }
    }

    /// The same with a handle that is not needed any more. Whether it was the last one is not said.
    pub fn finish_last(self) -> Option<Vec<String>> {
        match self.0.state().finish_alone() {
            Some(flags) => {
                finish::conclude(&self.0, flags, Timestamp::now());
                Some(said_of(self.0))
            }
            None => self.finish(),
        }
    }
}

/// What was said of a span, by whoever has the right to its data.
fn said_of(finished: Hold) -> Vec<String> {
    // SAFETY: the details are those of whoever finished the span.
    let details = |details: *mut Details| unsafe { std::mem::take(&mut *details) };
    let details = finished.details().with_mut(details);
    let keys = details.tags.into_iter().map(|(key, _)| key.into_owned());
    keys.collect()
}

/// The word alone.
pub struct ModelState(State);

impl ModelState {
    /// Held by two.
    pub fn new() -> Self {
        let state = State::new(Flags::NONE);
        state.retain();
        ModelState(state)
    }

    /// Returns whether this was the last holder, and left it unfinished.
    pub fn release(&self) -> (bool, bool) {
        match self.0.release() {
            Released::Others => (false, false),
            Released::Last => (true, false),
            Released::Unfinished(_) => (true, true),
        }
    }

    pub fn finish(&self) -> bool {
        self.0.finish(Flags::NONE).is_some()
    }
}
