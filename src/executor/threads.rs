//! The threads of a runtime's workers, and handing a worker over to another thread.

use std::io;
use std::time::Duration;

use crate::executor::burial::Aside;
use crate::executor::core::OwnedCore;
use crate::executor::enter::{
    is_polling, may_block, with_entered, Entrance, Polling, PollingGuard,
};
use crate::executor::local::is_running_local;
use crate::executor::shared::Shared;
use crate::executor::worker::Worker;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::Arc;

/// Starts a thread for each core, which has the name of the same place.
///
/// # Errors
///
/// When the system refuses a thread: those that were started have ended again.
pub(crate) fn start(
    shared: &Arc<Shared>,
    cores: Vec<OwnedCore>,
    names: Vec<String>,
    stack_size: Option<usize>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::with_capacity(cores.len());
    let mut cores = cores.into_iter();
    for name in names {
        let Some(core) = cores.next() else { break };
        let index = core.index;
        let mut builder = thread::Builder::new().name(name);
        if let Some(size) = stack_size {
            builder = builder.stack_size(size);
        }
        let of_thread = shared.clone();
        shared.running.worker_started();
        shared.running.thread_started();
        match builder.spawn(move || work(&of_thread, core, Whose::Ours)) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                // The core went down with the closure; the others have not begun to count.
                let _nobody_waits = shared.running.worker_retired();
                shared.running.thread_stopped();
                shared.close();
                let spare = std::mem::take(&mut shared.spare.lock().cores);
                for core in cores.chain(spare) {
                    shared.retire(core);
                }
                shared.running.wait_for_threads(None);
                for thread in threads {
                    // A worker contains every panic; its thread ends well.
                    let _ = thread.join();
                }
                shared.bury_tasks();
                return Err(io::Error::new(
                    error.kind(),
                    format!(
                        "failed to start worker thread {} of {}: {error}",
                        index + 1,
                        shared.config.workers
                    ),
                ));
            }
        }
    }
    Ok(threads)
}

/// Whose thread it is that is a worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The runtime's, for this and nothing else.
    Ours,
    /// The blocking pool's, which calls the hooks at its beginning and its end.
    ThePools,
}

/// What a worker's thread does all its life.
fn work(shared: &Arc<Shared>, core: OwnedCore, whose: Whose) {
    shared.remotes[core.index].parker.attach();
    // Each is undone at the end, the last one first, also if a panic comes this far.
    let _counted = Counted { shared };
    let _entrance = Entrance::new(shared);
    let _polling = PollingGuard::set(Polling::Yes);
    let _hooked = (whose == Whose::Ours).then(|| Hooked::begin(shared));
    let worker = Worker::new(shared.clone(), core);
    let _sitting = worker.enter();
    let _retiring = Retiring { worker: &worker };
    worker.run();
}

/// A thread that is counted as a worker's.
struct Counted<'a> {
    shared: &'a Shared,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.shared.running.thread_stopped();
    }
}

/// A thread that has called the hook at its beginning.
struct Hooked<'a> {
    shared: &'a Shared,
}

impl Hooked<'_> {
    fn begin(shared: &Shared) -> Hooked<'_> {
        shared.config.call(&shared.config.on_start);
        Hooked { shared }
    }
}

impl Drop for Hooked<'_> {
    fn drop(&mut self) {
        self.shared.config.call(&self.shared.config.on_stop);
    }
}

/// A worker that ends with what its thread does. Where that is a panic it ends the runtime, whose
/// tasks would wait for it for ever.
struct Retiring<'a> {
    worker: &'a Worker,
}

impl Drop for Retiring<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.worker.shared().close();
        }
        let shared = self.worker.shared();
        if self.worker.retire() && shared.running.worker_retired() {
            shared.end_outside(|| Some(Duration::ZERO));
        }
    }
}

/// Runs a closure that blocks, on the thread of a worker, without keeping the worker from its
/// other tasks.
///
/// On a worker of a multi-thread runtime the rest of the worker (its queue and its duties) moves
/// to another thread first. The closure runs in the current Context. On a thread that polls no
/// tasks it is simply called.
///
/// # Panics
///
/// On a current-thread runtime, which has no other thread to move to, and inside of a
/// [`LocalSet`](crate::task::LocalSet), whose tasks must not move.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     kamon::spawn(async {
///         let sum = kamon::task::block_in_place(|| (1..=100).sum::<u32>());
///         assert_eq!(sum, 5050);
///     })
///     .await
///     .unwrap();
/// });
/// ```
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    let _aside = Aside::begin();
    if !is_polling() {
        return f();
    }
    // Of the runtime whose worker this is; the one that was entered may be another.
    let on_current_thread = Worker::with_current(|worker| worker.shared().config.workers == 0)
        .unwrap_or_else(|| with_entered(|shared| shared.is_some_and(|s| s.config.workers == 0)));
    if is_running_local() || on_current_thread && !may_block() {
        panic!("can call blocking only when running on the multi-threaded runtime");
    }
    Worker::with_current(hand_over);
    let _blocking = PollingGuard::set(Polling::No);
    crate::lift_budget(f)
}

/// Gives this worker's core to a thread of the blocking pool.
fn hand_over(worker: &Worker) {
    let Some(core) = worker.give_up_core() else {
        return;
    };
    let shared = worker.shared().clone();
    shared.running.thread_started();
    // The job takes the core out when it begins; if no thread can be had, it is still here.
    let cell = Arc::new(crate::sync::Mutex::new(Some(core)));
    let of_thread = cell.clone();
    let job = {
        let shared = shared.clone();
        move || {
            let core = of_thread.lock().take();
            match core {
                Some(core) => work(&shared, core, Whose::ThePools),
                None => shared.running.thread_stopped(),
            }
        }
    };
    if shared.blocking.spawn_thread(Box::new(job)).is_err() {
        shared.running.thread_stopped();
        if let Some(core) = cell.lock().take() {
            // Blocking the worker is what remains.
            worker.take_back(core);
        }
    }
}
