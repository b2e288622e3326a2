//! The envelope: a message and the Context of its sender.

use std::fmt;
use std::future::Future;

use crate::context::slot::{self, Frame};
use crate::context::{Context, ContextFutureExt as _, InContext};

/// A message with the Context in which it was sent.
///
/// The message is handled, cloned and dropped in that Context: one that nobody takes out, because
/// the channel was closed or the receiver has ended, goes as its sender's too.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
///
/// use kamon::channel::Envelope;
/// use kamon::Key;
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// let (sender, receiver) = mpsc::channel();
/// kamon::with_context_key(&USER, "ada".into(), || {
///     sender.send(Envelope::capture("reads")).unwrap();
/// });
/// receiver.recv().unwrap().run(|action| {
///     assert_eq!(action, "reads");
///     assert_eq!(kamon::current_context().get(&USER), "ada");
/// });
/// assert_eq!(kamon::current_context().get(&USER), "nobody");
/// ```
#[must_use = "a message is handled by `run` or `in_context`"]
pub struct Envelope<M> {
    context: Context,
    /// There until it is taken out, which is the end of the envelope.
    message: Option<M>,
}

impl<M> Envelope<M> {
    /// Puts a message into an envelope with the Context that is current now, at the call.
    ///
    /// Values of keys that are [not inherited](crate::Key::not_inherited) stay behind, as they do
    /// when a task is spawned: who handles the message is another task.
    #[inline]
    pub fn capture(message: M) -> Self {
        Envelope::from_parts(slot::capture(), message)
    }

    /// Puts a message into an envelope with a Context of the caller's choice: one that was decoded
    /// from what came over the network, or the empty one for a message of nobody's.
    ///
    /// The Context is taken as it is, with the values that are not inherited.
    #[inline]
    pub fn from_parts(context: Context, message: M) -> Self {
        Envelope {
            context,
            message: Some(message),
        }
    }

    /// Returns the Context and the message, for a receiver that makes the Context current in a way
    /// of its own.
    #[inline]
    pub fn into_parts(mut self) -> (Context, M) {
        let message = self.take();
        (std::mem::take(&mut self.context), message)
    }

    /// Returns the Context in which the message was sent.
    #[inline]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the message, to look at it outside of its Context.
    #[inline]
    pub fn message(&self) -> &M {
        self.message.as_ref().expect(THERE)
    }

    /// Returns the message, to change it outside of its Context.
    #[inline]
    pub fn message_mut(&mut self) -> &mut M {
        self.message.as_mut().expect(THERE)
    }

    /// Calls `f` with the message, in the message's Context, and returns what it returns.
    ///
    /// What was current before is current again afterwards, also when `f` panics.
    #[inline]
    pub fn run<R>(mut self, f: impl FnOnce(M) -> R) -> R {
        let message = self.take();
        let _frame = Frame::enter(&self.context);
        f(message)
    }

    /// Calls `f` with the message, in the message's Context, and returns the future that `f` makes,
    /// which is polled and dropped in that Context.
    ///
    /// `f` is called at once and not at the first poll, so that the future may have a name. Await
    /// it in the receiving task, or hand it to [`spawn_root`](crate::spawn_root) to handle several
    /// messages at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::channel::Envelope;
    /// use kamon::Key;
    ///
    /// static USER: Key<String> = Key::local("user", || "nobody".into());
    ///
    /// let envelope = kamon::with_context_key(&USER, "ada".into(), || Envelope::capture(7));
    /// let handled = envelope.in_context(|number| async move {
    ///     (kamon::current_context().get(&USER).clone(), number)
    /// });
    /// assert_eq!(kamon::block_on(handled), ("ada".into(), 7));
    /// ```
    pub fn in_context<F: Future>(mut self, f: impl FnOnce(M) -> F) -> InContext<F> {
        let message = self.take();
        let future = {
            let _frame = Frame::enter(&self.context);
            f(message)
        };
        future.in_context(std::mem::take(&mut self.context))
    }

    /// Returns an envelope with what `f` makes of the message and with the same Context: for a
    /// receiver that passes messages on and does not handle them.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::channel::Envelope;
    ///
    /// enum Command {
    ///     Add(u32),
    /// }
    ///
    /// let number = Envelope::capture(7);
    /// let context = number.context().clone();
    /// let command = number.map(Command::Add);
    /// assert!(matches!(command.message(), Command::Add(7)));
    /// assert_eq!(command.context(), &context);
    /// ```
    pub fn map<N>(mut self, f: impl FnOnce(M) -> N) -> Envelope<N> {
        let message = self.take();
        let mapped = {
            let _frame = Frame::enter(&self.context);
            f(message)
        };
        Envelope::from_parts(std::mem::take(&mut self.context), mapped)
    }

    #[inline]
    fn take(&mut self) -> M {
        self.message.take().expect(THERE)
    }
}

const THERE: &str = "the message is there until the envelope is used up";

impl<M: Clone> Clone for Envelope<M> {
    fn clone(&self) -> Self {
        let _frame = Frame::enter(&self.context);
        Envelope::from_parts(self.context.clone(), self.message().clone())
    }
}

impl<M> Drop for Envelope<M> {
    #[inline]
    fn drop(&mut self) {
        if self.message.is_some() {
            let _frame = Frame::enter(&self.context);
            self.message = None;
        }
    }
}

impl<M: fmt::Debug> fmt::Debug for Envelope<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("context", &self.context)
            .field("message", self.message())
            .finish()
    }
}
