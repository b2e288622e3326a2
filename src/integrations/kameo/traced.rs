//! The envelope in which messages reach an actor.

use std::fmt;

use crate::channel::Envelope;
use crate::context::Context;
use crate::integrations::actors::{Class, Origin};

/// A message to an actor of kameo, with the Context in which it was sent.
///
/// [`ActorRefExt`](super::ActorRefExt) makes them; an actor with [`#[actor]`](macro@super::actor) handles each as
/// the message that is inside, in its Context. One that is never handled is dropped in its Context.
pub struct Traced<M> {
    envelope: Envelope<M>,
    origin: Origin,
}

impl<M> Traced<M> {
    /// Puts a message into an envelope with the Context that is current now, for what takes messages and
    /// is no `ActorRef`: a [`Recipient`](::kameo::actor::Recipient), a stream, a message queue.
    ///
    /// # Examples
    ///
    /// ```
    /// let traced = kamon::kameo::Traced::capture("hello");
    /// assert_eq!(traced.into_inner(), "hello");
    /// ```
    pub fn capture(message: M) -> Self {
        Traced {
            envelope: Envelope::capture(message),
            origin: Origin::now(None, false),
        }
    }

    pub(super) fn to(class: &'static Class, asked: bool, message: M) -> Self {
        Traced {
            envelope: Envelope::capture(message),
            origin: Origin::now(Some(class), asked),
        }
    }

    /// Puts a message into an envelope with a Context of the caller's choice.
    pub(super) fn with(context: Context, class: &'static Class, message: M) -> Self {
        Traced {
            envelope: Envelope::from_parts(context, message),
            origin: Origin::now(Some(class), false),
        }
    }

    /// Returns the Context in which the message was sent.
    pub fn context(&self) -> &Context {
        self.envelope.context()
    }

    /// Returns the message, to look at it outside of its Context.
    pub fn message(&self) -> &M {
        self.envelope.message()
    }

    /// Returns the message without its Context: for one that comes back in a
    /// [`SendError`](::kameo::error::SendError).
    pub fn into_inner(self) -> M {
        self.envelope.into_parts().1
    }

    pub(super) fn open(self) -> (Context, M, Origin) {
        let (context, message) = self.envelope.into_parts();
        (context, message, self.origin)
    }
}

impl<M: fmt::Debug> fmt::Debug for Traced<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced")
            .field("context", self.context())
            .field("message", self.message())
            .finish()
    }
}
