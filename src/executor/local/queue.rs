//! The part of a local set that its tasks know: their scheduler and its two queues.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::{OnceLock, Weak};
use std::task::{Context as TaskContext, Waker};

use crate::context::Context;
use crate::executor::enter::with_entered;
use crate::executor::local::current::AtHome;
use crate::executor::local::scoped::Scoped;
use crate::sync::statics::{AtomicU64, Ordering};
use crate::sync::{tls, Arc, Condvar, Mutex};
use crate::task::{
    self, Hooks, JoinHandle, Keep, Link, Notified, Registry, RegistryKey, Scheduler,
};

/// How many turns a poll of a set gives at most before it lets others run.
pub(super) const TURNS: usize = 61;

/// What a set and its tasks share.
pub(super) struct Shared {
    me: Weak<Shared>,
    link: Link,
    /// The thread that the set belongs to.
    owner: u64,
    own: Own,
    remote: Mutex<Remote>,
    /// Says to an owner who waits while it closes the set that a task has arrived.
    arrived: Condvar,
    /// The tasks that wait for something.
    registry: Registry,
    /// What is said of a task's turns. A set belongs to no runtime and has no callbacks, but spans
    /// get their time as the runtime has it in which such a task was spawned first.
    hooks: OnceLock<Hooks>,
}

/// What only the owner touches.
struct Own {
    /// The tasks that are to run, in order. Never borrowed while anything but the queue's own
    /// code runs.
    queue: RefCell<VecDeque<Notified>>,
    /// How many tasks have a future.
    live: Cell<usize>,
    /// Whether the set runs tasks, or is about to, so that nobody need wake it.
    polling: Cell<bool>,
    closed: Cell<bool>,
}

/// What other threads touch.
struct Remote {
    /// Tasks that were woken elsewhere.
    queue: VecDeque<Notified>,
    /// Who has to poll the set, until he is told.
    waker: Option<Waker>,
}

// SAFETY: `own` is touched by the owner alone: `schedule` asks which thread it is on, and all else
// is reached through types that are not `Send`, or, in `release`, from the owner's turns. When the
// last count goes on another thread, `own` is empty.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(super) fn new() -> Arc<Shared> {
        Arc::new_cyclic(|me| Shared {
            me: me.clone(),
            link: Link::new(me.as_ptr()),
            owner: thread_number(),
            own: Own {
                queue: RefCell::new(VecDeque::new()),
                live: Cell::new(0),
                polling: Cell::new(false),
                closed: Cell::new(false),
            },
            remote: Mutex::new(Remote {
                queue: VecDeque::new(),
                waker: None,
            }),
            arrived: Condvar::new(),
            registry: Registry::new(1),
            hooks: OnceLock::new(),
        })
    }

    /// Spawns a future; on the owner's thread, as for all that is not [`Scheduler`].
    pub(super) fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        context: Context,
        location: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        debug_assert!(self.is_owner());
        let future = Scoped::new(future);
        let hooks = self.hooks_here();
        // SAFETY: the set outlives the task's future, which runs
        // and is dropped on this thread alone: see the module. A handle whose output is not
        // `Send` is not `Send`. Nothing is borrowed.
        let (task, handle) =
            unsafe { task::allocate(future, context, &self.link, location, hooks.is_some()) };
        if let Some(hooks) = hooks {
            // SAFETY: nobody else can know the task yet, so the right to its Context is ours.
            hooks.spawned(&unsafe { task.metadata().meta() });
        }
        self.own.live.set(self.own.live.get() + 1);
        self.push_own(task);
        if self.own.closed.get() && !self.own.polling.get() {
            // Through an enter guard that has outlived the set.
            self.close();
        }
        handle
    }

    /// The set's hooks, if the runtime that is current here attributes time to spans.
    fn hooks_here(&self) -> Option<&Hooks> {
        let attribution =
            with_entered(|runtime| runtime.and_then(|r| r.config.task_hooks.attribution));
        let hooks = Hooks {
            attribution: Some(attribution?),
            ..Hooks::NONE
        };
        Some(self.hooks.get_or_init(|| hooks))
    }

    /// How many tasks have a future.
    pub(super) fn live(&self) -> usize {
        self.own.live.get()
    }

    /// Whether tasks are queued that the owner knows of.
    pub(super) fn has_ready(&self) -> bool {
        !self.own.queue.borrow().is_empty()
    }

    /// Whether the set is being polled, further up this thread's stack.
    pub(super) fn is_polling(&self) -> bool {
        self.own.polling.get()
    }

    /// Says that the set is being polled until the guard is dropped.
    pub(super) fn begin_poll(self: &Arc<Self>) -> Polling<'_> {
        let home = AtHome::enter(self.clone());
        Polling {
            shared: self,
            previous: self.own.polling.replace(true),
            home,
        }
    }

    /// Gives tasks that are ready a turn. Returns whether any task is left.
    pub(super) fn poll_tasks(self: &Arc<Self>, cx: &mut TaskContext<'_>) -> bool {
        let polling = self.begin_poll();
        self.register(cx.waker());
        polling.run(TURNS);
        if self.has_ready() {
            cx.waker().wake_by_ref();
        }
        self.live() > 0
    }

    /// Makes `waker` the one to wake for this set, and fetches what was woken elsewhere.
    pub(super) fn register(&self, waker: &Waker) {
        let mut fresh: Option<Waker> = None;
        let mut remote = self.remote.lock();
        while !remote
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            // Wakers are cloned and dropped outside of the lock: that is somebody else's code.
            let old = fresh.take().map(|fresh| remote.waker.replace(fresh));
            match old {
                Some(old) => {
                    self.fetch(&mut remote);
                    drop(remote);
                    drop(old);
                    return;
                }
                None => {
                    drop(remote);
                    fresh = Some(waker.clone());
                    remote = self.remote.lock();
                }
            }
        }
        self.fetch(&mut remote);
        drop(remote);
        drop(fresh);
    }

    /// Ends the set: every future it has is dropped, each in its own Context, and none comes in.
    pub(super) fn close(self: &Arc<Self>) {
        debug_assert!(!self.is_polling(), "who runs tasks borrows the set");
        let polling = self.begin_poll();
        self.own.closed.set(true);
        let _leaving = self.registry.close();
        loop {
            self.fetch(&mut self.remote.lock());
            while let Some(task) = self.pop() {
                task.metadata().mark_aborted();
                polling.turn(task);
            }
            if self.live() == 0 {
                break;
            }
            // What is missing is in the schedule function of another thread.
            let mut remote = self.remote.lock();
            while remote.queue.is_empty() {
                remote = self.arrived.wait(remote);
            }
        }
        drop(polling);
        let waker = self.remote.lock().waker.take();
        drop(waker);
    }

    /// Whether its futures are gone. Asked by the owner.
    pub(super) fn is_closed(&self) -> bool {
        self.own.closed.get()
    }

    pub(super) fn is_owner(&self) -> bool {
        thread_number() == self.owner
    }

    fn pop(&self) -> Option<Notified> {
        self.own.queue.borrow_mut().pop_front()
    }

    fn fetch(&self, remote: &mut Remote) {
        self.own.queue.borrow_mut().append(&mut remote.queue);
    }

    fn push_own(&self, task: Notified) {
        self.own.queue.borrow_mut().push_back(task);
        if !self.own.polling.get() {
            let waker = self.remote.lock().waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn push_remote(&self, task: Notified) {
        let waker = {
            let mut remote = self.remote.lock();
            remote.queue.push_back(task);
            self.arrived.notify_one();
            remote.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Scheduler for Shared {
    fn schedule(&self, task: Notified, _yielded: bool) {
        if self.is_owner() {
            self.push_own(task);
        } else {
            // Once the task is in the queue the owner may run it and be done with the set, which
            // must stay until this call is over.
            let _keep = self.me.upgrade();
            self.push_remote(task);
        }
    }

    unsafe fn bind(&self, raw: NonNull<()>) -> Option<RegistryKey> {
        // SAFETY: the contract is the same.
        unsafe { self.registry.bind(raw) }
    }

    fn unbind(&self, key: RegistryKey) -> Option<Keep> {
        // `close` waits for every task, and the set is there until then.
        let _leaving = self.registry.unbind(key);
        None
    }

    fn hooks(&self) -> &Hooks {
        static NONE: Hooks = Hooks::NONE;
        self.hooks.get().unwrap_or(&NONE)
    }

    fn finished(&self) {
        debug_assert!(self.is_owner());
        self.own.live.set(self.own.live.get() - 1);
    }

    fn keep(&self) -> Option<Keep> {
        None
    }
}

/// A set that is being polled.
pub(super) struct Polling<'a> {
    shared: &'a Shared,
    previous: bool,
    home: AtHome,
}

impl Polling<'_> {
    /// Gives up to `turns` tasks a turn.
    pub(super) fn run(&self, turns: usize) {
        for _ in 0..turns {
            let Some(task) = self.shared.pop() else {
                return;
            };
            crate::renew_budget();
            self.turn(task);
        }
    }

    fn turn(&self, task: Notified) {
        // What the task before has entered and not left is nothing to this one.
        self.home.leave_others();
        // Does not unwind: the task contains what its future does.
        task.run();
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.shared.own.polling.set(self.previous);
    }
}

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

tls! {
    /// This thread's number; zero while it has none. Unlike the address of a thread-local it is
    /// never another thread's later, and unlike `std`'s id it can be had to the thread's very end.
    static THREAD: Cell<u64> = Cell::new(0);
}

fn thread_number() -> u64 {
    THREAD.with(|thread| {
        if thread.get() == 0 {
            thread.set(NEXT_THREAD.fetch_add(1, Ordering::Relaxed));
        }
        thread.get()
    })
}
