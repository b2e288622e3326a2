//! The result of a task on its way to whoever joins or drops it.

use std::mem::ManuallyDrop;

use crate::context::contain::{contain, discard, drop_contained, Payload};
use crate::context::{slot, slot::Frame, Context};
use crate::task::{Entered, Id, JoinError};

/// A task's result, and the Context it has to be dropped in if nobody takes it.
pub(crate) struct Output<T> {
    id: Id,
    context: Context,
    result: ManuallyDrop<Result<T, Failure>>,
}

/// Why there is no output: the payload of a panic, or a mark that says cancelled. With an enum in its
/// place every task would be a word larger.
pub(crate) struct Failure(Payload);

/// What no panic of a user can have as its payload. A box of nothing allocates nothing.
struct Cancelled;

impl Failure {
    pub(crate) fn cancelled() -> Failure {
        Failure(Box::new(Cancelled))
    }

    pub(crate) fn panicked(payload: Payload) -> Failure {
        Failure(payload)
    }

    /// The payload, if there was a panic.
    pub(crate) fn into_payload(self) -> Option<Payload> {
        (!self.0.is::<Cancelled>()).then_some(self.0)
    }
}

impl<T> Output<T> {
    #[inline]
    pub(crate) fn new(id: Id, context: Context, result: Result<T, Failure>) -> Self {
        Output {
            id,
            context,
            result: ManuallyDrop::new(result),
        }
    }

    /// Hands the result to the caller, in whose Context it lives from then on.
    #[inline]
    pub(crate) fn claim(self) -> Result<T, JoinError> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped or read again, so each field is moved out once.
        let (context, result) = unsafe {
            (
                std::ptr::read(&this.context),
                ManuallyDrop::take(&mut this.result),
            )
        };
        // Whoever joins is most often in the same Context, and may have it back for nothing.
        if let Some(context) = slot::take_back(context) {
            drop_contained(context);
        }
        result.map_err(|failure| match failure.into_payload() {
            None => JoinError::cancelled(this.id),
            Some(payload) => JoinError::panic(this.id, payload),
        })
    }
}

impl<T> Drop for Output<T> {
    #[inline]
    fn drop(&mut self) {
        // Without a destructor nobody could tell where it is dropped.
        if std::mem::needs_drop::<T>() || self.result.is_err() {
            let _entered = Entered::new(self.id);
            let _frame = Frame::enter(&self.context);
            // SAFETY: dropped once, here; `claim` forgets the value it takes apart.
            if let Err(payload) = contain(|| unsafe { ManuallyDrop::drop(&mut self.result) }) {
                discard(payload);
            }
        }
        drop_contained(std::mem::take(&mut self.context));
    }
}
