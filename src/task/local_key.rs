//! `task_local!`: values that belong to one future, in kamon and in any other executor.

use std::cell::{BorrowMutError, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::mem::{needs_drop, swap};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::thread;

use pin_project_lite::pin_project;

/// Declares task-local keys of type [`LocalKey`](crate::task::LocalKey).
///
/// A task-local value belongs to the future it is [scoped](crate::task::LocalKey::scope) to. It
/// is *not* inherited by what that future spawns: what a whole request needs belongs in a
/// [`Key`](crate::Key).
///
/// # Examples
///
/// ```
/// kamon::task_local! {
///     /// Which page is being fetched.
///     pub static PAGE: u32;
///     static SIZE: u32;
/// }
///
/// kamon::block_on(async {
///     let first = PAGE.scope(3, SIZE.scope(50, async { PAGE.get() * SIZE.get() }));
///     assert_eq!(first.await, 150);
///     assert!(PAGE.try_get().is_err());
/// });
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident : $type:ty $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = {
            ::std::thread_local! {
                static SLOT: ::std::cell::RefCell<::std::option::Option<$type>> = const {
                    ::std::cell::RefCell::new(::std::option::Option::None)
                };
            }
            $crate::task::LocalKey { slot: SLOT }
        };
        $($crate::task_local! { $($rest)* })?
    };
}

/// Names a value that belongs to one future: see [`task_local!`](crate::task_local).
pub struct LocalKey<T: 'static> {
    /// The thread's slot, in which the value lies while its future is being polled.
    #[doc(hidden)]
    pub slot: thread::LocalKey<RefCell<Option<T>>>,
}

impl<T: 'static> LocalKey<T> {
    /// Wraps a future so that it finds `value` under this key, in every poll and while it is
    /// dropped.
    ///
    /// # Panics
    ///
    /// Polling the wrapped future panics if this key is being read at that moment, further up in
    /// the same call stack, or if the thread has destroyed its thread-locals.
    ///
    /// # Examples
    ///
    /// ```
    /// kamon::task_local! {
    ///     static NUMBER: u32;
    /// }
    ///
    /// kamon::block_on(NUMBER.scope(1, async {
    ///     assert_eq!(NUMBER.get(), 1);
    ///     NUMBER.scope(2, async { assert_eq!(NUMBER.get(), 2) }).await;
    ///     assert_eq!(NUMBER.get(), 1);
    /// }));
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
            _pin: PhantomPinned,
        }
    }

    /// Calls `f`, which finds `value` under this key.
    ///
    /// # Panics
    ///
    /// If this key is being read at that moment, further up in the same call stack, or if the
    /// thread has destroyed its thread-locals.
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        let lent = Lent::new(self, &mut value);
        match lent {
            Ok(_lent) => f(),
            Err(refused) => refused.panic(),
        }
    }

    /// Calls `f` with the current value.
    ///
    /// # Panics
    ///
    /// If there is no value: see [`try_with`](Self::try_with).
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!("cannot access a task-local storage value without setting it first"),
        }
    }

    /// Calls `f` with the current value.
    ///
    /// # Errors
    ///
    /// If what runs is not inside of a scope of this key.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        // A thread that has destroyed its slots has none with a value in it.
        match self.slot.try_with(|slot| slot.borrow().as_ref().map(f)) {
            Ok(Some(result)) => Ok(result),
            Ok(None) | Err(_) => Err(AccessError { _private: () }),
        }
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// Returns a clone of the current value.
    ///
    /// # Panics
    ///
    /// If there is no value: see [`try_get`](Self::try_get).
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// Returns a clone of the current value.
    ///
    /// # Errors
    ///
    /// If what runs is not inside of a scope of this key.
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

pin_project! {
    /// Future returned by [`LocalKey::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        // Here between polls, in the thread's slot during one.
        value: Option<T>,
        // Gone once it is ready, so that it too is dropped with its value in place.
        #[pin]
        future: Option<F>,
        #[pin]
        _pin: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            if !needs_drop::<F>() {
                return;
            }
            let mut this = this.project();
            if this.future.is_none() {
                return;
            }
            // If the value cannot be lent, the future goes without it, with its field.
            if let Ok(_lent) = Lent::new(this.key, this.value) {
                this.future.set(None);
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out of the scope, which has none from then on.
    ///
    /// Returns `None` if it was taken before.
    ///
    /// # Examples
    ///
    /// ```
    /// kamon::task_local! {
    ///     static NUMBER: u32;
    /// }
    ///
    /// kamon::block_on(async {
    ///     let mut future = Box::pin(NUMBER.scope(7, async {}));
    ///     future.as_mut().await;
    ///     assert_eq!(future.as_mut().take_value(), Some(7));
    ///     assert_eq!(future.as_mut().take_value(), None);
    /// });
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let lent = match Lent::new(this.key, this.value) {
            Ok(lent) => lent,
            Err(refused) => refused.panic(),
        };
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            drop(lent);
            panic!("`TaskLocalFuture` polled after completion");
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: &dyn fmt::Debug = match &self.value {
            Some(value) => value,
            None => &format_args!("<missing>"),
        };
        f.debug_struct("TaskLocalFuture")
            .field("value", value)
            .finish()
    }
}

/// Says that there is no value under a [`LocalKey`]: what runs is outside of its scopes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    _private: (),
}

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessError")
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}

/// A value that lies in the thread's slot, and what was there before, until this is dropped.
struct Lent<'a, T: 'static> {
    key: &'static LocalKey<T>,
    value: &'a mut Option<T>,
}

impl<'a, T: 'static> Lent<'a, T> {
    fn new(key: &'static LocalKey<T>, value: &'a mut Option<T>) -> Result<Self, Refused> {
        let exchange = |slot: &RefCell<Option<T>>| match slot.try_borrow_mut() {
            Ok(mut current) => {
                swap(&mut *current, value);
                Ok(())
            }
            Err(error) => Err(Refused::from(error)),
        };
        key.slot
            .try_with(exchange)
            .unwrap_or(Err(Refused::Destroyed))?;
        Ok(Lent { key, value })
    }
}

impl<T: 'static> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        // The slot was there and free when the value was lent. What ran since then has borrowed
        // it only for the time of a closure, so it is free again, and a thread destroys its
        // slots only after its last frame has ended.
        self.key
            .slot
            .with(|slot| swap(&mut *slot.borrow_mut(), self.value));
    }
}

/// Why a value cannot be lent to the thread.
enum Refused {
    /// Somebody up the stack is reading the slot.
    Borrowed,
    Destroyed,
}

impl Refused {
    #[track_caller]
    fn panic(self) -> ! {
        match self {
            Refused::Borrowed => {
                panic!("cannot enter a task-local scope while the task-local storage is borrowed")
            }
            Refused::Destroyed => panic!(
                "cannot enter a task-local scope during or after destruction of the underlying \
                 thread-local"
            ),
        }
    }
}

impl From<BorrowMutError> for Refused {
    fn from(_: BorrowMutError) -> Refused {
        Refused::Borrowed
    }
}
