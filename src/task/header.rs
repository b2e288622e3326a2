//! What every task carries besides its future: the metadata in `async-task`'s allocation.

use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;
use std::task::Waker;

use async_task::Runnable;

use crate::context::Context;
use crate::sync::in_task::{AtomicBool, AtomicU8, Ordering};
use crate::sync::{Arc, Living};
use crate::task::{Hooks, Id, RegistryKey, TaskMeta};

/// A task that was woken: whoever holds it may poll it once, and must run or drop it.
pub(crate) type Notified = Runnable<Header>;

/// What a task needs from the executor that it belongs to.
pub(crate) trait Scheduler: Send + Sync {
    /// Queues a task that was woken. `yielded` says that it was woken while it ran.
    fn schedule(&self, task: Notified, yielded: bool);

    /// Remembers a task that has returned `Pending` for the first time, or returns `None` if
    /// the executor is shutting down and the task has to end now.
    ///
    /// # Safety
    ///
    /// `raw` must be the address of a task that calls [`unbind`](Self::unbind) before its future
    /// is gone.
    unsafe fn bind(&self, raw: NonNull<()>) -> Option<RegistryKey>;

    /// Forgets a task, whose future is gone. Returns what the caller has to drop when it is done
    /// with the scheduler, if that task was the last thing that kept the scheduler's memory.
    fn unbind(&self, key: RegistryKey) -> Option<Keep>;

    /// The callbacks to run for tasks that were allocated with `hooked`.
    fn hooks(&self) -> &Hooks;

    /// Takes note that a task's future is gone.
    fn finished(&self);

    /// Keeps the scheduler's memory beyond the present call. `None` if its tasks are never handed
    /// to somebody who does not hold it.
    fn keep(&self) -> Option<Keep>;
}

/// Keeps a scheduler's memory.
pub(crate) type Keep = Arc<dyn Send + Sync>;

/// Where the tasks of a scheduler find it. They hold a thin pointer to this, which stands in the
/// scheduler itself: a fat pointer would cost each task a word, and with it the size class that
/// allocators treat best.
pub(crate) struct Link(NonNull<dyn Scheduler>);

// SAFETY: schedulers are `Send + Sync`, and only `Header::scheduler` follows the pointer.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Link {
    /// A link to the scheduler that it is going to be a part of.
    pub(crate) fn new<S: Scheduler + 'static>(scheduler: *const S) -> Link {
        let scheduler: *const dyn Scheduler = scheduler;
        Link(NonNull::new(scheduler.cast_mut()).expect("a scheduler has an address"))
    }
}

/// The metadata of a task.
pub(crate) struct Header {
    /// The task's Context until the task is complete, when it moves on to the output.
    ///
    /// Owned by whoever has the right to poll or drop the future: `async-task` gives that right
    /// to one thread at a time and orders them one after the other.
    context: UnsafeCell<Context>,
    /// Where the task is bound; same owner as `context`.
    bound: Cell<RegistryKey>,
    flags: AtomicU8,
    /// How far the future has come. Written by the owner of `context`, and in the end by who joins.
    stage: AtomicU8,
    /// Whether nobody can join the task any more. Written by who could.
    detached: AtomicBool,
    /// Valid until [`Scheduler::release`] is called for this task.
    scheduler: NonNull<Link>,
    id: Id,
    location: &'static Location<'static>,
    _living: Living,
}

/// Somebody asked for the task to end; it does so at its next turn.
const ABORTED: u8 = 1;
/// A thread in `block_on` waits for it.
const AWAITED: u8 = 1 << 1;
/// There are callbacks to run for this task.
const HOOKED: u8 = 1 << 2;

/// The future is there.
const LIVE: u8 = 0;
/// The future is gone, or about to go.
const RETIRED: u8 = 1;
/// The future is gone and the result is there.
const FINISHED: u8 = 2;
/// The result was handed to whoever joined.
const CLAIMED: u8 = 3;

// SAFETY: `context` and `bound` are touched only under the right to poll (see the field), the
// scheduler is `Send + Sync`, the flags are atomic, and the rest is immutable.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

// A word more, and the tasks of small futures are in a class of sizes that allocators treat worse.
#[cfg(all(target_pointer_width = "64", not(kamon_loom)))]
const _: () = assert!(size_of::<Header>() == 40);

impl Header {
    pub(crate) fn new(
        context: Context,
        scheduler: NonNull<Link>,
        id: Id,
        location: &'static Location<'static>,
        hooked: bool,
    ) -> Header {
        Header {
            context: UnsafeCell::new(context),
            bound: Cell::new(RegistryKey::NONE),
            flags: AtomicU8::new(if hooked { HOOKED } else { 0 }),
            stage: AtomicU8::new(LIVE),
            detached: AtomicBool::new(false),
            scheduler,
            id,
            location,
            _living: Living::new("task"),
        }
    }

    /// The header of the task at `raw`.
    ///
    /// # Safety
    ///
    /// `raw` must come from `Runnable::into_raw`, and the task must stay alive for `'a`.
    pub(crate) unsafe fn of<'a>(raw: NonNull<()>) -> &'a Header {
        // SAFETY: a `Runnable` is nothing but that address. This one never runs nor drops the
        // task: it only reads the metadata, which anybody who keeps the task alive may do.
        let runnable = ManuallyDrop::new(unsafe { Notified::from_raw(raw) });
        let header: *const Header = runnable.metadata();
        // SAFETY: the metadata lives in the task's own allocation, which the caller keeps alive.
        unsafe { &*header }
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    /// The flags as they were when the task was woken, or newer.
    #[inline(always)]
    pub(crate) fn flags(&self) -> Flags {
        // Relaxed is enough: an abort that must be seen by this poll was made before a wake, and
        // `async-task` orders wakes before the polls they cause, the coalesced ones included.
        Flags(self.flags.load(Ordering::Relaxed))
    }

    /// Asks the task to end at its next turn. The caller wakes it afterwards.
    pub(crate) fn mark_aborted(&self) {
        // Relaxed: the wake that follows publishes it. See `flags`.
        self.flags.fetch_or(ABORTED, Ordering::Relaxed);
    }

    /// Says that the future is gone and the result is decided.
    pub(crate) fn mark_finished(&self) {
        // Ordering: release; pairs with the acquire in `is_finished`: who sees a finished task
        // also sees what its destructor did.
        self.stage.store(FINISHED, Ordering::Release);
    }

    pub(crate) fn is_finished(&self) -> bool {
        // Ordering: acquire; pairs with the release in `mark_finished`.
        self.stage.load(Ordering::Acquire) >= FINISHED
    }

    /// Says that the result is with whoever joined: there is only one handle to join by.
    #[inline]
    pub(crate) fn mark_claimed(&self) {
        // Ordering: release, since this hides from `is_finished` what `mark_finished` has stored.
        self.stage.store(CLAIMED, Ordering::Release);
    }

    /// Whether the result was handed out.
    #[inline]
    pub(crate) fn is_claimed(&self) -> bool {
        // Relaxed: asked through the handle that has said it.
        self.stage.load(Ordering::Relaxed) == CLAIMED
    }

    /// Says that nobody is going to join the task.
    #[inline(always)]
    pub(crate) fn mark_detached(&self) {
        // Relaxed: a hint.
        self.detached.store(true, Ordering::Relaxed);
    }

    /// Whether nobody can join the task, as far as is known here.
    #[inline(always)]
    pub(crate) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::Relaxed)
    }

    /// The task's Context.
    ///
    /// # Safety
    ///
    /// The caller must have the right to poll or drop the task's future, and the reference must
    /// end before [`take_context`](Self::take_context).
    #[inline(always)]
    pub(crate) unsafe fn context(&self) -> &Context {
        // SAFETY: as the contract says, nobody else touches the cell.
        unsafe { &*self.context.get() }
    }

    /// Moves the Context out.
    ///
    /// # Safety
    ///
    /// As for [`context`](Self::context), and no reference to it may be alive.
    #[inline]
    pub(crate) unsafe fn take_context(&self) -> Context {
        // SAFETY: as the contract says, nobody else touches the cell.
        unsafe { std::mem::take(&mut *self.context.get()) }
    }

    /// What hooks are told.
    ///
    /// # Safety
    ///
    /// As for [`context`](Self::context).
    pub(crate) unsafe fn meta(&self) -> TaskMeta<'_> {
        // SAFETY: the caller's promise is the one that `context` asks for.
        TaskMeta::new(self.id, self.location, unsafe { self.context() })
    }

    /// The executor of this task.
    ///
    /// # Safety
    ///
    /// The task's future must still be there: [`release`](Self::release) ends the reference.
    #[inline(always)]
    pub(crate) unsafe fn scheduler(&self) -> &dyn Scheduler {
        // SAFETY: a bound task keeps its scheduler, and the link in it, until `release`. One that is
        // not bound is in a queue of its scheduler or with somebody who keeps that.
        unsafe { self.scheduler.as_ref().0.as_ref() }
    }

    /// Binds the task to its executor unless it already is. Returns false if the executor is
    /// shutting down.
    ///
    /// # Safety
    ///
    /// The caller must have the right to poll this task, which is the one at `raw`.
    #[inline]
    pub(crate) unsafe fn bind(&self, raw: NonNull<()>) -> bool {
        if self.bound.get().is_some() {
            return true;
        }
        // SAFETY: the future is there, since the caller polls it; `release` unbinds.
        match unsafe { self.scheduler().bind(raw) } {
            Some(key) => {
                self.bound.set(key);
                true
            }
            None => false,
        }
    }

    /// Whether the task has returned `Pending` before.
    ///
    /// # Safety
    ///
    /// The caller must have the right to poll the task.
    pub(crate) unsafe fn is_bound(&self) -> bool {
        self.bound.get().is_some()
    }

    /// Whether the future is gone.
    ///
    /// # Safety
    ///
    /// As for [`context`](Self::context).
    #[inline(always)]
    pub(crate) unsafe fn is_retired(&self) -> bool {
        // Relaxed: who has the right to poll or drop the future is ordered after who had it.
        self.stage.load(Ordering::Relaxed) != LIVE
    }

    /// Says that the future is gone, or just about to go, and returns what was said before.
    ///
    /// # Safety
    ///
    /// As for [`context`](Self::context).
    #[inline(always)]
    pub(crate) unsafe fn retire(&self) -> bool {
        // SAFETY: the contract is the same.
        let before = unsafe { self.is_retired() };
        // Relaxed: says nothing to those who only look, in `is_finished`.
        self.stage.store(RETIRED, Ordering::Relaxed);
        before
    }

    /// Says that the future of a thread in `block_on`, or a task that this thread runs for it,
    /// awaits the task.
    pub(crate) fn mark_awaited(&self) {
        // Relaxed: a hint.
        self.flags.fetch_or(AWAITED, Ordering::Relaxed);
    }

    /// Takes leave of the executor. The future must be gone.
    ///
    /// # Safety
    ///
    /// The caller must have the right to drop the task's future, has done so, and calls this once.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: this is the call that ends the scheduler's duty to stay.
        let scheduler = unsafe { self.scheduler() };
        scheduler.finished();
        let key = self.bound.replace(RegistryKey::NONE);
        if key.is_some() {
            let memory = scheduler.unbind(key);
            drop(memory);
        }
    }
}

/// A reading of a task's flags.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u8);

impl Flags {
    #[inline(always)]
    pub(crate) fn aborted(self) -> bool {
        self.0 & ABORTED != 0
    }

    pub(crate) fn awaited(self) -> bool {
        self.0 & AWAITED != 0
    }

    #[inline(always)]
    pub(crate) fn hooked(self) -> bool {
        self.0 & HOOKED != 0
    }

    /// Whether this is a poll like most: neither aborted nor hooked.
    #[inline(always)]
    pub(crate) fn plain(self) -> bool {
        self.0 & (ABORTED | HOOKED) == 0
    }
}

/// Makes a waker for the task at `raw`.
///
/// # Safety
///
/// `raw` must come from `Runnable::into_raw`, and the task must be alive.
pub(crate) unsafe fn waker(raw: NonNull<()>) -> Waker {
    // SAFETY: see `Header::of`. Making a waker only increments the count of the task, which is
    // what any holder of a waker may do at any time.
    let runnable = ManuallyDrop::new(unsafe { Notified::from_raw(raw) });
    runnable.waker()
}

/// Asks the task at `raw` to end, and wakes it.
///
/// # Safety
///
/// As for [`waker`].
pub(crate) unsafe fn abort(raw: NonNull<()>) {
    // SAFETY: the contract is the same.
    let (header, waker) = unsafe { (Header::of(raw), waker(raw)) };
    header.mark_aborted();
    waker.wake();
}

/// The schedule function of every task. It captures nothing, which spares `async-task` a count.
#[inline]
pub(crate) fn schedule(task: Notified, info: async_task::ScheduleInfo) {
    let header = task.metadata();
    // SAFETY: a task that is scheduled has its future, so its scheduler is there. Once the task is
    // handed over it may end on another thread; keeping the memory for the rest of the call is
    // the scheduler's own business.
    let scheduler = unsafe { header.scheduler.as_ref().0.as_ref() };
    if header.flags().hooked() {
        scheduler.hooks().woken(header.id, info.woken_while_running);
    }
    scheduler.schedule(task, info.woken_while_running);
}
