//! Running a future on the calling thread until it is done.

use std::cell::Cell;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc as StdArc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use crate::context::hand::KeptHand;
use crate::context::{slot, Context, ContextFutureExt as _};
use crate::executor::account::{Account, Accounted, Wakes};
use crate::executor::burial::Aside;
use crate::executor::core::{Core, OwnedCore};
use crate::executor::enter::{is_polling, Entrance, Polling, PollingGuard};
use crate::executor::guest::Guest;
use crate::executor::local::{ImplicitLocal, Scoped};
use crate::executor::parker::Parker;
use crate::executor::shared::{Shared, Spare};
use crate::executor::worker::{give_turn, Worker};
use crate::sync::in_task::{AtomicBool, Ordering};
use crate::sync::Arc;
use crate::task::Entered;

/// Runs `future` on this thread, in the Context that is current, with `shared` as the runtime.
///
/// # Panics
///
/// If the thread polls tasks already. Panics of the future come through.
#[track_caller]
pub(crate) fn block_on<F: Future>(shared: &Arc<Shared>, polling: Polling, future: F) -> F::Output {
    if is_polling() {
        panic!(
            "Cannot start a runtime from within a runtime. This happens because a function (like \
             `block_on`) attempted to block the current thread while the thread is being used to \
             drive asynchronous tasks. If you are in an async function, use `.await` on the future \
             instead of blocking on it."
        );
    }
    let _entrance = Entrance::new(shared);
    let _polling = PollingGuard::set(polling);
    let _aside = Aside::begin();
    // Each turn gets its budget; what this thread had is not touched.
    let account = Account::open(shared.config.task_hooks.attribution, Location::caller());
    crate::lift_budget(|| drive(shared, account, future))
}

fn drive<F: Future>(shared: &Arc<Shared>, account: Option<Account>, future: F) -> F::Output {
    let mut root = Root::new(shared, account.as_ref().map(Account::wakes));
    // What else this thread attends to in here (tasks, timers, hooks, the driver) is not the
    // future's: it finds no Context, and the future takes its own along.
    let outside = Context::empty();
    let context = slot::current();
    let _outside = slot::Frame::enter(&outside);
    let local = ImplicitLocal::new();
    let future = Accounted::new(account, Scoped::new(future));
    let mut future = pin!(future.in_context(context));
    // SAFETY: the future has it, and goes later than what is made here.
    let _hand = unsafe { KeptHand::of(future.context()) };
    let mut step = |cx: &mut TaskContext<'_>| {
        let _entered = Entered::root();
        let _local = local.enter();
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            local.poll(cx);
            if let Some(home) = shared.local.get() {
                home.poll(cx);
            }
        }
        polled
    };
    if shared.config.workers > 0 {
        return match Guest::borrow(shared) {
            Some(guest) => guest.work(&mut root, &mut step),
            None => root.wait_beside_workers(&mut step),
        };
    }
    loop {
        match root.borrow_core() {
            Some(core) => {
                if let Some(output) = root.work_with(core, &mut step) {
                    return output;
                }
            }
            // Another thread runs the tasks; this one looks after its own future.
            None => {
                if let Poll::Ready(output) = root.poll(&mut step) {
                    return output;
                }
                shared.fail_broken();
                root.parker.park();
            }
        }
    }
}

/// What one call of `block_on` waits with.
pub(crate) struct Root<'a> {
    shared: &'a Arc<Shared>,
    pub(crate) parker: Arc<Parker>,
    signal: StdArc<Signal>,
    waker: Waker,
    /// Whether the parker may be among those that are called when a core comes free.
    in_line: Cell<bool>,
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        if self.in_line.get() {
            self.leave_the_line(&mut self.shared.spare.lock());
        }
    }
}

/// Whether the future was woken, and where its thread sleeps.
struct Signal {
    woken: AtomicBool,
    parker: Arc<Parker>,
    shared: Arc<Shared>,
    wakes: Option<Wakes>,
}

impl Signal {
    /// A signal that says that the future was woken: nobody has polled it yet, or nobody can tell.
    fn new(shared: &Arc<Shared>, parker: &Arc<Parker>, wakes: Option<Wakes>) -> StdArc<Signal> {
        StdArc::new(Signal {
            woken: AtomicBool::new(true),
            parker: parker.clone(),
            shared: shared.clone(),
            wakes,
        })
    }
}

impl Wake for Signal {
    fn wake(self: StdArc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &StdArc<Self>) {
        // Ordering: release what was done before the wake to the poll that it causes, acquire
        // for the wakes that are merged into this one. Pairs with the swap in `take_woken`. The
        // call comes after it: a thread that is called and finds nothing sleeps again.
        if !self.woken.swap(true, Ordering::AcqRel) {
            if let Some(wakes) = self.wakes {
                wakes.note();
            }
            self.parker.unpark(&*self.shared.driver);
        }
    }
}

/// One poll of the future that is blocked on.
pub(crate) type Step<'s, T> = dyn FnMut(&mut TaskContext<'_>) -> Poll<T> + 's;

impl<'a> Root<'a> {
    fn new(shared: &'a Arc<Shared>, wakes: Option<Wakes>) -> Root<'a> {
        let parker = Arc::new(Parker::new());
        parker.attach();
        let signal = Signal::new(shared, &parker, wakes);
        Root {
            shared,
            parker,
            waker: Waker::from(signal.clone()),
            signal,
            in_line: Cell::new(false),
        }
    }

    fn take_woken(&self) -> bool {
        // Ordering: see `wake_by_ref`.
        self.signal.woken.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.signal.woken.load(Ordering::Relaxed)
    }

    pub(crate) fn poll<T>(&self, step: &mut Step<'_, T>) -> Poll<T> {
        if !self.take_woken() {
            return Poll::Pending;
        }
        crate::fill_budget();
        step(&mut TaskContext::from_waker(&self.waker))
    }

    /// The workers run the tasks; this thread has only its own future.
    pub(crate) fn wait_beside_workers<T>(&mut self, step: &mut Step<'_, T>) -> T {
        loop {
            if let Poll::Ready(output) = self.poll(step) {
                return output;
            }
            // So that whoever closes the runtime calls this thread too.
            self.line_up(&mut self.shared.spare.lock());
            self.shared.fail_broken();
            self.parker.park();
        }
    }

    /// Takes the core of a current-thread runtime, or lines up for it.
    pub(crate) fn borrow_core(&mut self) -> Option<OwnedCore> {
        let mut spare = self.shared.spare.lock();
        if let Some(core) = spare.cores.pop() {
            self.leave_the_line(&mut spare);
            drop(spare);
            self.sleep_at(self.shared.remotes[core.index].parker.clone());
            return Some(core);
        }
        self.line_up(&mut spare);
        None
    }

    /// Has this thread called when a core comes free, and when the runtime is closed.
    fn line_up(&self, spare: &mut Spare) {
        self.leave_the_line(spare);
        spare.waiting.push(self.parker.clone());
        self.in_line.set(true);
    }

    fn leave_the_line(&self, spare: &mut Spare) {
        if self.in_line.replace(false) {
            let is_other = |parker: &Arc<Parker>| !Arc::ptr_eq(parker, &self.parker);
            spare.waiting.retain(is_other);
        }
    }

    /// From now on this thread sleeps at `parker`, and wakes of the future go there.
    pub(crate) fn sleep_at(&mut self, parker: Arc<Parker>) {
        parker.attach();
        if !Arc::ptr_eq(&self.parker, &parker) {
            self.signal = Signal::new(self.shared, &parker, self.signal.wakes);
            self.waker = Waker::from(self.signal.clone());
            self.parker = parker;
        }
    }

    /// Runs the tasks, and the future whenever it was woken. Returns `None` when the runtime was
    /// shut down from elsewhere: there are no tasks any more, and the core is gone.
    fn work_with<T>(&mut self, core: OwnedCore, step: &mut Step<'_, T>) -> Option<T> {
        let worker = Worker::new(self.shared.clone(), core);
        let _return = ReturnCore::new(&worker);
        let _sitting = worker.enter();
        worker.begin_work();
        let core = worker.core()?;
        loop {
            let look = self.is_woken() && worker.tick(core);
            if let Poll::Ready(output) = self.poll(step) {
                worker.end_work();
                return Some(output);
            }
            if self.shared.is_closed() {
                worker.retire();
                return None;
            }
            if look {
                worker.look_outside();
            }
            // The future is one among the tasks: those go first that are in the queue by now.
            let round = core.queue.len().max(1);
            let mut turns = 0;
            while let Some(task) = worker.next_task(core) {
                let look = worker.begin_turn(core);
                give_turn(task);
                if look {
                    worker.look_outside();
                }
                turns += 1;
                if turns >= round && (self.is_woken() || core.looks.only_yields(turns))
                    || turns == self.shared.config.event_interval as usize
                    || self.shared.is_closed()
                {
                    break;
                }
            }
            if core.looks.only_yields(turns) || turns == 0 && self.is_woken() {
                // Everybody has had a turn and only yielded: they wait for something outside.
                worker.look_outside();
            } else if turns == 0 && !self.skip_ahead(&worker, core) {
                worker.end_work();
                worker.sleep(core, None);
                worker.begin_work();
            }
        }
    }

    /// Lets a paused clock jump to the next deadline, if nothing else is left to be done. Returns
    /// whether there is something to do now.
    fn skip_ahead(&self, worker: &Worker, core: &Core) -> bool {
        let timers = &self.shared.timers;
        if !timers.clock().is_paused() {
            return false;
        }
        // What has happened comes before what time would bring.
        worker.look_outside();
        // Asked first: what held the clock has woken whom it wakes before it lets go.
        let may_jump = timers.may_jump();
        let woken = self.is_woken() || worker.has_work(core) || !self.shared.injector.is_empty();
        woken || may_jump && timers.auto_advance()
    }
}

/// Puts the core back, also when the future panics.
pub(crate) struct ReturnCore<'a> {
    worker: &'a Worker,
}

impl<'a> ReturnCore<'a> {
    pub(crate) fn new(worker: &'a Worker) -> ReturnCore<'a> {
        ReturnCore { worker }
    }
}

impl Drop for ReturnCore<'_> {
    fn drop(&mut self) {
        let Some(core) = self.worker.take_core() else {
            return;
        };
        let shared = self.worker.shared();
        let mut spare = shared.spare.lock();
        if shared.is_closed() {
            drop(spare);
            shared.retire(core);
            return;
        }
        spare.cores.push(core);
        let waiting = std::mem::take(&mut spare.waiting);
        drop(spare);
        for parker in waiting {
            parker.unpark(&*shared.driver);
        }
    }
}
