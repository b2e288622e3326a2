//! Types of actors, and what is measured of each.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::metrics::{self, Counter, RangeSampler, Timer};
use crate::sync::statics::Mutex;

/// A type of actors: all of them share their metrics, so that these are few.
#[derive(Debug)]
pub struct Class {
    name: &'static str,
    /// From the send to the start of the handler.
    pub(crate) time_in_mailbox: Timer,
    /// How long the handler takes.
    pub(crate) processing_time: Timer,
    /// Messages that were sent and are not handled yet.
    pub(crate) mailbox_size: RangeSampler,
    /// Failures that went to a supervisor.
    pub(crate) errors: Counter,
}

static CLASSES: LazyLock<Mutex<HashMap<TypeId, &'static Class>>> =
    LazyLock::new(|| Mutex::new(HashMap::new()));

impl Class {
    /// The class of the actors of type `A`. It stays for the life of the process, as the type does.
    pub(crate) fn of<A: 'static>(library: &'static str, name: &'static str) -> &'static Class {
        let mut classes = CLASSES.lock();
        classes
            .entry(TypeId::of::<A>())
            .or_insert_with(|| Box::leak(Box::new(Class::new(library, name))))
    }

    fn new(library: &'static str, name: &'static str) -> Class {
        let metric = |what: &str| format!("{library}.actor.{what}");
        Class {
            name,
            time_in_mailbox: metrics::timer(metric("time-in-mailbox"))
                .with_description("how long messages waited to be handled")
                .with_tag("class", name),
            processing_time: metrics::timer(metric("processing-time"))
                .with_description("how long messages were handled")
                .with_tag("class", name),
            mailbox_size: metrics::range_sampler(metric("mailbox-size"))
                .with_description("messages that wait to be handled")
                .with_tag("class", name),
            errors: metrics::counter(metric("errors"))
                .with_description("failures of actors")
                .with_tag("class", name),
        }
    }

    /// The name of the type.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}
