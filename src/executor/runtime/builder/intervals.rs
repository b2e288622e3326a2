//! How often a worker looks up from its own queue.

use std::time::Duration;

use crate::executor::runtime::Builder;

/// The most events that are taken from the system at once: there is room for them all the time.
const MOST_EVENTS: usize = 65_536;

impl Builder {
    /// Sets after how many turns a worker looks at the global queue first; by default 8.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn global_queue_interval(&mut self, turns: u32) -> &mut Self {
        assert!(turns > 0, "global_queue_interval must be greater than 0");
        self.global_queue_interval = Some(turns);
        self
    }

    /// Sets after how many turns a worker looks at timers and sockets.
    ///
    /// By default it is 61, on a multi-thread runtime not before 50 microseconds after the last look
    /// of that kind: where 61 turns take less, a look would take longer than what it interrupts.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn event_interval(&mut self, turns: u32) -> &mut Self {
        assert!(turns > 0, "event_interval must be greater than 0");
        self.event_interval = turns;
        self.look_period = Duration::ZERO;
        self
    }

    /// Sets how many events the driver takes from the system at once; by default 1024, and 65,536
    /// at most.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, events: usize) -> &mut Self {
        assert!(events > 0, "max_io_events_per_tick must be non-zero");
        self.max_io_events = events.min(MOST_EVENTS);
        self
    }

    /// Sets how many events a look of a busy worker takes from the system at once; by default as
    /// many as [`max_io_events_per_tick`](Self::max_io_events_per_tick).
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, events: usize) -> &mut Self {
        assert!(events > 0, "max_io_events_per_busy_tick must be non-zero");
        self.max_io_events_busy = Some(events.min(MOST_EVENTS));
        self
    }
}
