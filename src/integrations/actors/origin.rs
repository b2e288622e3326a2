//! What a message brings along besides its Context: when and where to it was sent.

use crate::integrations::actors::Class;
use crate::trace::Timestamp;

/// Where a message comes from. As long as it is there and has not arrived, the message is counted as
/// waiting.
#[derive(Debug)]
pub(crate) struct Origin {
    /// When it was sent; nobody knows that of a message from another process.
    pub(crate) sent: Option<Timestamp>,
    /// Whether the sender waits for an answer.
    pub(crate) asked: bool,
    /// Whose mailbox it waits in, where the sender knows that.
    waiting_for: Option<&'static Class>,
}

impl Origin {
    /// A message that is sent now, to an actor of this class.
    pub(crate) fn now(to: Option<&'static Class>, asked: bool) -> Self {
        if let Some(class) = to {
            class.mailbox_size.increment();
        }
        Origin {
            sent: Some(Timestamp::now()),
            asked,
            waiting_for: to,
        }
    }

    /// A message from another process.
    #[allow(dead_code)] // Not every library has them.
    pub(crate) fn remote(asked: bool) -> Self {
        Origin {
            sent: None,
            asked,
            waiting_for: None,
        }
    }

    /// The message does not wait any more.
    pub(crate) fn arrive(&mut self) {
        if let Some(class) = self.waiting_for.take() {
            class.mailbox_size.decrement();
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.arrive();
    }
}
