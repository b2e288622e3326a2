//! Closures that run in a Context.

use std::fmt;

use crate::context::context::Context;
use crate::context::frame::Frame;
use crate::context::key::Key;
use crate::context::slot;

/// Calls `f` with `context` current on this thread, and returns what it returns.
///
/// What was current before is current again afterwards, also when `f` panics.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// let context = Context::empty().with_key(&USER_ID, "1234".into());
/// let seen = kamon::with_context(context, || kamon::current_context().get(&USER_ID).clone());
/// assert_eq!(seen, "1234");
/// ```
#[inline]
pub fn with_context<R>(context: Context, f: impl FnOnce() -> R) -> R {
    let _frame = Frame::enter(&context);
    f()
}

/// Calls `f` with the current Context plus `value` under `key`, and returns what it returns.
///
/// # Panics
///
/// When the key's name is known with another type.
///
/// # Examples
///
/// ```
/// use kamon::Key;
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// kamon::with_context_key(&USER_ID, "5678".into(), || {
///     assert_eq!(kamon::current_context().get(&USER_ID), "5678");
/// });
/// assert_eq!(kamon::current_context().get(&USER_ID), "undefined");
/// ```
pub fn with_context_key<T, R>(key: &Key<T>, value: T, f: impl FnOnce() -> R) -> R
where
    T: Send + Sync + 'static,
{
    let context = slot::with_current(|current| current.with_key(key, value));
    with_context(context, f)
}

/// Returns a closure that runs `f` in the Context that is current now, on whichever thread and
/// whenever it is called: for threads, thread pools and callbacks.
///
/// What the closure captured is dropped in that Context too, also when it is never called. Values
/// of keys that are [not inherited](Key::not_inherited) stay behind.
///
/// # Examples
///
/// ```
/// use kamon::Key;
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// kamon::with_context_key(&USER_ID, "1234".into(), || {
///     let thread = std::thread::spawn(kamon::wrap(|| {
///         assert_eq!(kamon::current_context().get(&USER_ID), "1234");
///     }));
///     thread.join().unwrap();
/// });
/// ```
pub fn wrap<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let wrapped = Wrapped {
        context: slot::capture(),
        closure: Some(f),
    };
    move || wrapped.call()
}

/// Returns a closure that runs `f` in the Context that is current now, each time it is called:
/// [`wrap`] for what runs more than once.
///
/// # Examples
///
/// ```
/// use kamon::Key;
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// let callback = kamon::with_context_key(&USER_ID, "1234".into(), || {
///     kamon::context::wrap_fn(|| kamon::current_context().get(&USER_ID).len())
/// });
/// assert_eq!(callback() + callback(), 8);
/// ```
pub fn wrap_fn<R>(f: impl Fn() -> R) -> impl Fn() -> R {
    let wrapped = Wrapped {
        context: slot::capture(),
        closure: Some(f),
    };
    move || {
        let _frame = Frame::enter(&wrapped.context);
        let f = wrapped
            .closure
            .as_ref()
            .expect("the closure is there until it is dropped");
        f()
    }
}

/// A closure and the Context in which it runs and is dropped.
struct Wrapped<F> {
    context: Context,
    closure: Option<F>,
}

impl<F> Wrapped<F> {
    fn call<R>(mut self) -> R
    where
        F: FnOnce() -> R,
    {
        let closure = self
            .closure
            .take()
            .expect("the closure is there until it is dropped");
        let _frame = Frame::enter(&self.context);
        closure()
    }
}

impl<F> Drop for Wrapped<F> {
    fn drop(&mut self) {
        if self.closure.is_some() {
            let _frame = Frame::enter(&self.context);
            self.closure = None;
        }
    }
}

impl<F> fmt::Debug for Wrapped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
