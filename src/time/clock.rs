//! `Clock`: the time of one runtime, which tests may pause.
//!
//! Without the feature `test-util` it is the system's clock and holds nothing.

use std::time::Instant;

#[cfg(feature = "test-util")]
pub(super) use self::frozen::now;
#[cfg(feature = "test-util")]
pub(crate) use self::frozen::Clock;
#[cfg(not(feature = "test-util"))]
pub(super) use self::running::now;
#[cfg(not(feature = "test-util"))]
pub(crate) use self::running::Clock;

#[cfg(not(feature = "test-util"))]
mod running {
    use super::Instant;

    /// The system's clock.
    #[derive(Debug)]
    pub(crate) struct Clock(());

    impl Clock {
        /// A clock that runs. (With `test-util` the arguments say whether it may be paused, and
        /// whether it is from the start.)
        pub(crate) fn new(_may_pause: bool, _start_paused: bool) -> Self {
            Clock(())
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            crate::sync::now()
        }

        /// Says whether time stands still.
        #[inline]
        pub(crate) fn is_paused(&self) -> bool {
            false
        }

        /// Says whether time jumps when nothing else is left to be done.
        pub(in crate::time) fn may_jump(&self) -> bool {
            false
        }
    }

    #[inline]
    pub(crate) fn now() -> Instant {
        crate::sync::now()
    }
}

#[cfg(feature = "test-util")]
mod frozen {
    use std::time::Duration;

    use super::Instant;
    use crate::sync::statics::{AtomicBool, Ordering};
    use crate::sync::Mutex;

    /// Set once any clock of the process was paused. Until then every clock is the system's, and
    /// reading one costs no lock.
    static EVER_PAUSED: AtomicBool = AtomicBool::new(false);

    /// A clock that can be paused, moved by hand and resumed.
    #[derive(Debug)]
    pub(crate) struct Clock {
        may_pause: bool,
        state: Mutex<State>,
    }

    #[derive(Debug)]
    struct State {
        /// What the clock shows, or showed when it was last resumed.
        base: Instant,
        /// The system's time when the clock was last resumed; `None` while it is paused.
        running_since: Option<Instant>,
        /// How many forbid that the clock jumps ahead by itself.
        holds: usize,
    }

    impl State {
        fn now(&self) -> Instant {
            match self.running_since {
                Some(since) => self.base + since.elapsed(),
                None => self.base,
            }
        }
    }

    impl Clock {
        /// A clock that runs, or stands still from the start. Only a runtime of one thread may
        /// pause its clock: with more, nobody could say that there is nothing else to run.
        ///
        /// # Panics
        ///
        /// Panics if it is to start paused and may not be paused.
        #[track_caller]
        pub(crate) fn new(may_pause: bool, start_paused: bool) -> Self {
            let now = Instant::now();
            let state = State {
                base: now,
                running_since: Some(now),
                holds: 0,
            };
            let clock = Clock {
                may_pause,
                state: Mutex::new(state),
            };
            if start_paused {
                clock.pause();
            }
            clock
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            if self.is_shifted() {
                self.state.lock().now()
            } else {
                Instant::now()
            }
        }

        /// Says whether time stands still.
        #[inline]
        pub(crate) fn is_paused(&self) -> bool {
            self.is_shifted() && self.state.lock().running_since.is_none()
        }

        /// Says whether this clock may differ from the system's.
        #[inline]
        fn is_shifted(&self) -> bool {
            // Ordering: Relaxed. Only a hint: the state itself is read under its lock, and a thread
            // that cannot know of the pause yet sees the system's time, which is what it was.
            EVER_PAUSED.load(Ordering::Relaxed)
        }

        #[track_caller]
        pub(in crate::time) fn pause(&self) {
            assert!(
                self.may_pause,
                "`time::pause()` requires a `current_thread` runtime, such as `#[kamon::test]` \
                 makes by default"
            );
            let was_running = {
                let mut state = self.state.lock();
                state.base = state.now();
                state.running_since.take().is_some()
            };
            assert!(was_running, "time is already frozen");
            // Ordering: Relaxed, see `is_shifted`.
            EVER_PAUSED.store(true, Ordering::Relaxed);
        }

        #[track_caller]
        pub(in crate::time) fn resume(&self) {
            let was_paused = {
                let mut state = self.state.lock();
                let paused = state.running_since.is_none();
                if paused {
                    state.running_since = Some(Instant::now());
                }
                paused
            };
            assert!(was_paused, "time is not frozen");
        }

        /// Moves a paused clock, or says that it is not paused.
        pub(in crate::time) fn advance(&self, duration: Duration) -> Result<(), &'static str> {
            let mut state = self.state.lock();
            if state.running_since.is_some() {
                return Err("time is not frozen");
            }
            let moved = state.base.checked_add(duration);
            state.base = moved.ok_or("time cannot be advanced that far")?;
            Ok(())
        }

        /// Says whether time jumps when nothing else is left to be done.
        pub(in crate::time) fn may_jump(&self) -> bool {
            self.is_shifted() && {
                let state = self.state.lock();
                state.running_since.is_none() && state.holds == 0
            }
        }

        pub(in crate::time) fn hold(&self) {
            if self.may_pause {
                self.state.lock().holds += 1;
            }
        }

        pub(in crate::time) fn release(&self) {
            if self.may_pause {
                self.state.lock().holds -= 1;
            }
        }
    }

    pub(crate) fn now() -> Instant {
        // Ordering: Relaxed, see `Clock::is_shifted`.
        if !EVER_PAUSED.load(Ordering::Relaxed) {
            return Instant::now();
        }
        crate::time::current::now().unwrap_or_else(Instant::now)
    }
}
