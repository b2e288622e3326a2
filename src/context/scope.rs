//! Scopes: a Context made current until something is dropped.

use std::fmt;

use crate::context::context::Context;
use crate::context::opened::{Opened, Ticket};
use crate::context::slot::SLOT;

/// Makes `context` current on this thread until the returned [`Scope`] is closed or dropped.
///
/// Prefer [`with_context`](super::with_context) around synchronous code and
/// [`in_context`](super::ContextFutureExt::in_context) around futures: they cannot be left open.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// let scope = kamon::store_context(Context::empty().with_key(&USER_ID, "1234".into()));
/// assert_eq!(kamon::current_context().get(&USER_ID), "1234");
/// scope.close();
/// assert_eq!(kamon::current_context().get(&USER_ID), "undefined");
/// ```
pub fn store_context(context: Context) -> Scope {
    let ticket = SLOT.with(|slot| Opened::push(slot, context));
    Scope {
        opened: ticket.opened.cast(),
        generation: ticket.generation,
    }
}

/// A Context being current on this thread for a while; closed when dropped.
///
/// Scopes stack: closing the newest one makes current again what was current before. Closing an
/// older one first takes it out of the stack, and what is current stays what it is. A Scope that
/// is still open when its surroundings end (the closure of `with_context`, the poll of a task, the
/// future of `in_context`) ends with them. Both are counted, see [`stats`](super::stats).
///
/// A Scope cannot leave its thread, and a future that holds one across an `.await` is not `Send`:
/// the thread would run another task with this one's Context, and this one would go on elsewhere
/// without. In [`block_on`] and [`spawn_local`], where such a future is accepted, the Scope is
/// put aside between two polls and no other task sees its Context.
///
/// [`block_on`]: crate::block_on
/// [`spawn_local`]: crate::task::spawn_local
///
/// ```compile_fail
/// let scope = kamon::store_context(kamon::Context::empty());
/// std::thread::spawn(move || drop(scope));
/// ```
#[must_use = "the Context is current only until the Scope is dropped, which is at once"]
pub struct Scope {
    /// An [`Opened`]. The type pointed at is what the compiler names when a Scope is sent.
    opened: *const ScopesMustNotBeHeldAcrossAwaitUseInContextInstead,
    generation: usize,
}

/// Names, in the compiler's message, why a [`Scope`] cannot be sent.
///
/// Wrap the future in [`in_context`](super::ContextFutureExt::in_context), or close the Scope
/// before the `.await`.
#[derive(Debug)]
pub struct ScopesMustNotBeHeldAcrossAwaitUseInContextInstead {
    _private: (),
}

impl Scope {
    /// Returns the Context of this Scope, which need not be current any more: the empty one once
    /// the closure or task in which the Scope was opened has ended.
    pub fn context(&self) -> Context {
        Opened::context(self.ticket())
    }

    /// Closes the Scope: what was current when it was opened is current again, if it is the
    /// newest one that is open.
    pub fn close(self) {}

    /// Whether closing it would still change something: not once its surroundings have ended.
    #[allow(dead_code)] // For integrations that open Scopes for others.
    pub(crate) fn is_open(&self) -> bool {
        Opened::is_open(self.ticket())
    }

    fn ticket(&self) -> Ticket {
        Ticket {
            opened: self.opened.cast(),
            generation: self.generation,
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let context = SLOT.with(|slot| Opened::close(slot, self.ticket()));
        // Values go when the slot is in order again: their destructors may look at it.
        drop(context);
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("context", &self.context())
            .finish()
    }
}
