//! How a worker that found nothing sleeps until there is something.

use std::time::Duration;

use crate::context::slot::end_scopes;
use crate::executor::census::bump;
use crate::executor::core::Core;
use crate::executor::idle::Parking;
use crate::executor::watch::Seen;
use crate::executor::worker::Worker;
use crate::time::ParkFor;

/// For how long a worker sleeps at first while it watches over others, and how often that doubles.
const FIRST_NAP: Duration = Duration::from_micros(50);
const NAP_DOUBLINGS: u32 = 5;
/// The shortest time that a driver can wait; shorter naps are taken outside of it.
const DRIVER_RESOLUTION: Duration = Duration::from_millis(1);

impl Worker {
    /// Sleeps until there is something to do.
    pub(super) fn rest(&self, core: &Core) {
        let shared = &*self.shared;
        let index = core.index;
        let remote = &shared.remotes[index];
        let searching = core.searching.replace(false);
        shared.keeps_nothing(core);
        core.looks.rest();
        let mut watching = shared.watch.lie_down(|watches| {
            if shared.idle.park(index, searching) == Parking::LookAgain {
                shared.notify_if_work_pending(watches);
            }
        });
        self.end_work();
        bump(&remote.stats.rests);
        loop {
            if shared.is_closed() || self.core().is_none() {
                break;
            }
            let nap = watching.is_some().then(|| nap(core));
            if nap.is_some() {
                shared.note_turns();
            }
            self.sleep(core, nap);
            let seen = nap.map(|nap| shared.look_after(nap));
            let left_lying = seen == Some(Seen::LeftLying);
            if !shared.idle.is_asleep(index) {
                // Somebody chose us, and counts on our searching.
                core.searching.set(true);
                break;
            }
            if left_lying || self.has_work(core) || shared.is_closed() {
                // With work of our own we watch over nobody. Without, we search, at the end of which
                // somebody is called or watches.
                let kept = watching
                    .take()
                    .is_some_and(|watch| watch.leave(|| shared.somebody_keeps_tasks()));
                let kept = kept && self.has_work(core);
                // The driver or a timer woke tasks of ours.
                if !shared.idle.get_up(index) {
                    core.searching.set(true);
                }
                if (kept || !core.queue.is_empty()) && shared.config.workers > 1 {
                    shared.notify_one();
                }
                break;
            }
            watching = match watching.take() {
                Some(watching) => {
                    // A worker that takes no turn in a short nap may have lost its processor.
                    let is_quiet = seen == Some(Seen::Nothing) && core.naps.get() > NAP_DOUBLINGS;
                    let kept = || shared.somebody_keeps_tasks();
                    shared.watch.go_on(watching, is_quiet, kept)
                }
                None => shared.watch.begin(),
            };
        }
        drop(watching);
        core.naps.set(0);
        bump(&remote.stats.unparks);
        self.begin_work();
    }

    /// Sleeps once, for at most `limit`: in the driver if its seat is free, else until called.
    pub(crate) fn sleep(&self, core: &Core, limit: Option<Duration>) {
        let shared = &*self.shared;
        let remote = &shared.remotes[core.index];
        shared.config.call(&shared.config.on_park);
        bump(&remote.stats.parks);
        if let Some(limit) = limit.filter(|&limit| limit < DRIVER_RESOLUTION) {
            self.look_outside();
            if !self.has_work(core) {
                remote.parker.park_for(Some(limit));
            }
            return shared.config.call(&shared.config.on_unpark);
        }
        match shared.seat.take_to_wait(&remote.parker) {
            Some(seat) => {
                // Read after the seat is taken: whoever arms an earlier deadline from here on
                // finds us there and calls.
                let timeout = match shared.timers.park_for() {
                    ParkFor::Forever => limit,
                    ParkFor::Timeout(timeout) => Some(limit.map_or(timeout, |l| l.min(timeout))),
                    ParkFor::Now => Some(Duration::ZERO),
                };
                self.driving.set(true);
                let interrupted = || self.has_work(core);
                remote
                    .parker
                    .park_driving(&*shared.driver, timeout, &interrupted);
                self.driving.set(false);
                drop(seat);
                shared.end_if_broken();
                shared.timers.turn();
                end_scopes();
            }
            // The hook has woken a task.
            None if self.has_work(core) => {}
            None => remote.parker.park_for(limit),
        }
        shared.config.call(&shared.config.on_unpark);
    }

    /// Whether this worker's own queues hold anything.
    pub(crate) fn has_work(&self, core: &Core) -> bool {
        !self.shared.remotes[core.index].lifo_slot.is_empty() || !core.queue.is_empty()
    }
}

/// For how long a worker sleeps next while it watches over others, or a guest over workers.
pub(super) fn nap(core: &Core) -> Duration {
    let naps = core.naps.get();
    core.naps.set(naps + 1);
    FIRST_NAP * (1 << naps.min(NAP_DOUBLINGS))
}
