//! Stand-ins that loom can see, with the interface of the real queues.
//!
//! There are two kinds, and a model chooses. A *strong* one has a lock around all it does: it is
//! cheap to explore. A *weak* one has a word beside the lock that says whether there is anything,
//! stored with release and loaded with acquire, and nobody takes the lock of a queue that looks
//! empty: as with the real queues, a push that a thread has not been made to see may be missed. The
//! protocol by which workers fall asleep is explored with weak ones, because a lock promises more
//! than the real queues do and hides a fence that is missing.
#![allow(missing_docs)] // The models call what they see by its own name.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::queue::funnel::Funnel;
use crate::queue::injector;
use crate::queue::lifo::{LifoSlot, Pointer};
use crate::queue::ring::{Producer, Push, Ring};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, UnsafeCell};

std::thread_local! {
    // loom runs all threads of a model on one thread of the system.
    static WEAK: Cell<bool> = const { Cell::new(false) };
}

/// Says of which kind the queues are that are made from now on.
pub fn make_weak_queues(weak: bool) {
    WEAK.with(|cell| cell.set(weak));
}

/// What all stand-ins are made of.
struct Guarded<T> {
    items: Mutex<Items<T>>,
    /// The word beside the lock, if it is a weak one.
    len: Option<AtomicUsize>,
}

struct Items<T> {
    closed: bool,
    queue: VecDeque<T>,
}

impl<T> Guarded<T> {
    fn new() -> Self {
        let items = Items {
            closed: false,
            queue: VecDeque::new(),
        };
        let weak = WEAK.with(Cell::get);
        Guarded {
            items: Mutex::new(items),
            len: weak.then(|| AtomicUsize::new(0)),
        }
    }

    /// Changes what is inside.
    fn with<R>(&self, change: impl FnOnce(&mut Items<T>) -> R) -> R {
        let mut items = self.items.lock();
        let before = items.queue.len();
        let result = change(&mut items);
        match &self.len {
            // Ordering: release; pairs with the acquire in `len`, as an index of a real queue does.
            Some(len) if items.queue.len() != before => {
                len.store(items.queue.len(), Ordering::Release);
            }
            _ => {}
        }
        result
    }

    fn pop(&self) -> Option<T> {
        if self.looks_empty() {
            return None;
        }
        self.with(|items| items.queue.pop_front())
    }

    fn looks_empty(&self) -> bool {
        self.len.is_some() && self.len() == 0
    }

    fn len(&self) -> usize {
        match &self.len {
            // Ordering: acquire; pairs with the release in `with`.
            Some(len) => len.load(Ordering::Acquire),
            None => self.with(|items| items.queue.len()),
        }
    }
}

/// Stand-in for the injector.
pub(crate) struct Injector<T>(Guarded<T>);

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Injector(Guarded::new())
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        self.0.with(|items| {
            if items.closed {
                return Err(item);
            }
            items.queue.push_back(item);
            Ok(())
        })
    }

    pub(crate) fn take(
        &self,
        _enough: usize,
        share: impl FnOnce(usize) -> usize,
        more: impl FnMut(T),
    ) -> Option<T> {
        if self.0.looks_empty() {
            return None;
        }
        let mut taken: VecDeque<T> = self.0.with(|items| {
            let len = items.queue.len();
            let most = if len == 0 {
                0
            } else {
                share(len).clamp(1, len)
            };
            items.queue.drain(..most).collect()
        });
        let first = taken.pop_front();
        taken.into_iter().for_each(more);
        first
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lock is the word that a push changes, too.
    pub(crate) fn is_empty_to_pushers(&self) -> bool {
        self.0.with(|items| items.queue.is_empty())
    }

    pub(crate) fn close(&self) {
        self.0.with(|items| items.closed = true);
    }
}

/// Stand-in for a lock-free queue with room for one, where the injector keeps an empty block.
pub(crate) struct Spare<T>(Mutex<Option<T>>);

impl<T> Spare<T> {
    pub(crate) fn bounded(_room: usize) -> Self {
        Spare(Mutex::new(None))
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut room = self.0.lock();
        match *room {
            Some(_) => Err(item),
            None => {
                *room = Some(item);
                Ok(())
            }
        }
    }

    pub(crate) fn pop(&self) -> Result<T, ()> {
        self.0.lock().take().ok_or(())
    }
}

/// Stand-in for the worker's end of the deque.
pub(crate) struct LocalQueue<T>(Arc<Guarded<T>>);

impl<T> LocalQueue<T> {
    pub(crate) fn new() -> Self {
        LocalQueue(Arc::new(Guarded::new()))
    }

    pub(crate) fn push(&self, item: T) {
        self.0.with(|items| items.queue.push_back(item));
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }
}

/// Stand-in for the thieves' end of the deque.
pub(crate) struct Stealer<T>(Arc<Guarded<T>>);

impl<T> Stealer<T> {
    pub(crate) fn steal_into(&self, into: &LocalQueue<T>) -> Option<T> {
        if self.0.looks_empty() {
            return None;
        }
        let mut stolen: VecDeque<T> = self.0.with(|items| {
            let half = items.queue.len().div_ceil(2);
            items.queue.drain(..half).collect()
        });
        let first = stolen.pop_front();
        if !stolen.is_empty() {
            into.0.with(|items| items.queue.extend(stolen));
        }
        first
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A [`LifoSlot`] for something whose every access loom checks.
pub struct Parcels(LifoSlot<Parcel>);

struct Parcel(NonNull<UnsafeCell<u32>>);

// SAFETY: it owns what it points to.
unsafe impl Send for Parcels {}
// SAFETY: a parcel has one owner at a time, which is for the models to find out.
unsafe impl Sync for Parcels {}

impl Pointer for Parcel {
    fn into_pointer(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.cast()
    }

    unsafe fn from_pointer(pointer: NonNull<()>) -> Self {
        Parcel(pointer.cast())
    }
}

impl Parcel {
    fn new(content: u32) -> Parcel {
        Parcel(NonNull::from(Box::leak(Box::new(UnsafeCell::new(content)))))
    }

    fn open(self) -> u32 {
        // SAFETY: as in `drop`.
        unsafe { self.0.as_ref() }.with_mut(|content| unsafe { std::mem::take(&mut *content) })
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak` in `new`, and the only owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl Parcels {
    pub fn new() -> Parcels {
        Parcels(LifoSlot::new())
    }

    pub fn replace(&self, content: u32) -> Option<u32> {
        self.0.replace(Parcel::new(content)).map(Parcel::open)
    }

    pub fn take(&self) -> Option<u32> {
        self.0.take().map(Parcel::open)
    }
}

/// A [`Ring`] for something whose every access loom checks.
pub struct ParcelRing(Arc<Ring<Parcel>>);

/// The end of a [`ParcelRing`] where parcels go in.
pub struct ParcelProducer(Producer<Parcel>);

/// A [`Funnel`] for something whose every access loom checks.
pub struct ParcelFunnel(Funnel<Parcel>);

/// The injector itself, and not its stand-in, for something whose every access loom checks.
pub struct ParcelInjector(injector::Injector<Parcel>);

// SAFETY: it owns what it points to, and only its owner opens it.
unsafe impl Send for Parcel {}

impl ParcelRing {
    pub fn new(capacity: usize) -> ParcelRing {
        ParcelRing(Arc::new(Ring::new(capacity)))
    }

    pub fn claim(&self) -> Option<ParcelProducer> {
        self.0.claim().map(ParcelProducer)
    }

    pub fn drain(&self) -> Vec<u32> {
        let mut contents = Vec::new();
        self.0.drain(|parcel| contents.push(parcel.open()));
        contents
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl ParcelProducer {
    /// Returns whether there was room.
    pub fn push(&self, content: u32) -> bool {
        !matches!(self.0.push(Parcel::new(content)), Push::Full(_))
    }
}

impl ParcelFunnel {
    pub fn new(capacity: usize) -> ParcelFunnel {
        ParcelFunnel(Funnel::new(capacity))
    }

    /// Returns whether there was room.
    pub fn push(&self, content: u32) -> bool {
        !matches!(self.0.push(Parcel::new(content)), Push::Full(_))
    }

    pub fn drain(&self) -> Vec<u32> {
        let mut contents = Vec::new();
        self.0.drain(|parcel| contents.push(parcel.open()));
        contents
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl ParcelInjector {
    pub fn new() -> ParcelInjector {
        ParcelInjector(injector::Injector::new())
    }

    /// Returns whether it was taken in.
    pub fn push(&self, content: u32) -> bool {
        self.0.push(Parcel::new(content)).is_ok()
    }

    pub fn take(&self, most: usize) -> Vec<u32> {
        let mut more = Vec::new();
        let first = self
            .0
            .take(most, |_| most, |parcel| more.push(parcel.open()));
        first.map(Parcel::open).into_iter().chain(more).collect()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty_to_pushers(&self) -> bool {
        self.0.is_empty_to_pushers()
    }

    pub fn close(&self) {
        self.0.close();
    }
}
