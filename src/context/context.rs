//! The Context: an immutable set of typed values that belongs to one request.

use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::context::credits;
use crate::context::key::{Flags, Key};
use crate::context::node::{Entry, Header, Node};
use crate::context::registry::{KeyId, KEYS};

/// An immutable set of values, each under its [`Key`], that belongs to one request.
///
/// One word wide; the empty Context allocates nothing, [`with_key`](Context::with_key) allocates
/// once, and a clone is one counter. A value is dropped when the last Context that shows it goes:
/// one that was overridden or taken out is not kept by the Contexts made from its own.
///
/// Two Contexts are equal when they have the same keys with the same values, "the same" meaning
/// put there by the same call.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// let empty = Context::empty();
/// let context = empty.with_key(&USER_ID, "1234".into());
/// assert_eq!(context.get(&USER_ID), "1234");
/// assert_eq!(empty.get(&USER_ID), "undefined");
/// ```
#[repr(transparent)]
pub struct Context {
    /// This Context owns one `shown` of the node.
    node: Option<Node>,
}

// SAFETY: all values are `Send + Sync` (`with_key` asks for it) and are shared, never changed;
// the counts are atomic.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}

impl Context {
    /// Returns the Context without values.
    #[inline]
    pub const fn empty() -> Self {
        Context { node: None }
    }

    /// Returns the value of `key`, or the key's default where this Context has none.
    ///
    /// # Panics
    ///
    /// When the key's name is known with another type, or when its default panics.
    #[inline]
    pub fn get<'a, T: Send + Sync + 'static>(&'a self, key: &'a Key<T>) -> &'a T {
        match self.find(key) {
            Some(value) => value,
            None => key.default_value(),
        }
    }

    /// Tells whether a value was put in for `key`.
    ///
    /// # Panics
    ///
    /// When the key's name is known with another type.
    #[inline]
    pub fn contains<T: Send + Sync + 'static>(&self, key: &Key<T>) -> bool {
        self.find(key).is_some()
    }

    /// Tells whether there are no values at all.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.node.is_none()
    }

    /// Returns a Context with all values of this one and `value` under `key`, in place of the
    /// value that is there now.
    ///
    /// # Panics
    ///
    /// When the key's name is known with another type.
    #[must_use = "a Context never changes: the new one is returned"]
    pub fn with_key<T: Send + Sync + 'static>(&self, key: &Key<T>, value: T) -> Context {
        let (id, flags) = (key.id(), key.flags());
        // SAFETY: `self` holds the node during the calls; `link` is taken only where the key is
        // absent, and the filter leaves the key out.
        let node = unsafe {
            match self.node {
                Some(node) if node.find(id).is_some() => {
                    Node::flat_with(node, |entry| entry.key != id, id, flags, value)
                }
                parent => Node::link(parent, id, flags, value),
            }
        };
        Context { node: Some(node) }
    }

    /// Returns a Context with all values of this one but that of `key`.
    ///
    /// # Panics
    ///
    /// When the key's name is known with another type.
    #[must_use = "a Context never changes: the new one is returned"]
    pub fn without_key<T: Send + Sync + 'static>(&self, key: &Key<T>) -> Context {
        let id = key.id();
        match self.node {
            // SAFETY: `self` holds the node during the calls.
            Some(node) if unsafe { node.find(id) }.is_some() => Context {
                // SAFETY: as above.
                node: unsafe { Node::filtered(node, |entry| entry.key != id) },
            },
            _ => self.clone(),
        }
    }

    /// What a child task gets: this Context without the values that stay in their task.
    #[inline]
    pub(crate) fn inherited(&self) -> Context {
        match self.is_inherited() {
            true => self.clone(),
            false => self.filtered(),
        }
    }

    /// Whether a child task gets this Context as it is.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.node.is_none_or(|node| {
            // SAFETY: `self` holds the node during the call.
            !unsafe { node.flags() }.contains(Flags::NOT_INHERITED)
        })
    }

    #[cold]
    fn filtered(&self) -> Context {
        let stays = |entry: &Entry| !entry.flags.contains(Flags::NOT_INHERITED);
        let filtered = self.node.and_then(|node| {
            // SAFETY: `self` holds the node during the call.
            unsafe { Node::filtered(node, stays) }
        });
        Context { node: filtered }
    }

    /// The entries, newest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        // SAFETY: the iterator borrows `self`, which holds the node.
        self.node
            .into_iter()
            .flat_map(|node| unsafe { node.entries() })
    }

    /// Whether there is a value for the key, and it is not to leave the process.
    pub(crate) fn keeps(&self, key: KeyId) -> bool {
        self.entries()
            .any(|entry| entry.key == key && !entry.flags.contains(Flags::BROADCAST))
    }

    /// The keys of those values of `other` that this Context does not show.
    #[allow(dead_code)] // For integrations that carry Contexts beside the tasks'.
    pub(crate) fn missing<'a>(&'a self, other: &'a Context) -> impl Iterator<Item = KeyId> + 'a {
        let others = (!self.is_same(other)).then(|| other.entries());
        let lacks = |theirs: &Entry| {
            !self
                .entries()
                .any(|mine| (mine.key, mine.cell) == (theirs.key, theirs.cell))
        };
        let missing = others.into_iter().flatten().filter(lacks);
        missing.map(|theirs| theirs.key)
    }

    /// Whether both are one and the same, and not only equal.
    #[inline(always)]
    pub(crate) fn is_same(&self, other: &Context) -> bool {
        self.node == other.node
    }

    /// How many hold the node; `None` if there is none.
    #[cfg(all(test, not(kamon_loom)))]
    pub(crate) fn holds(&self) -> Option<usize> {
        // SAFETY: `self` holds the node.
        self.node.map(|node| unsafe { node.holds() })
    }

    /// The pointer that the slot holds while this Context is current; null when empty.
    #[inline(always)]
    pub(crate) fn as_raw(&self) -> *const Header {
        self.node.map_or(std::ptr::null(), Node::as_ptr)
    }

    /// Gives up the Context for a pointer that owns it.
    pub(crate) fn into_raw(self) -> *const Header {
        ManuallyDrop::new(self).as_raw()
    }

    /// Takes over what [`Context::into_raw`] gave up.
    ///
    /// # Safety
    ///
    /// The pointer must own a Context, which the caller hands over; or the result must neither
    /// be dropped nor outlive a Context that shows the node.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(raw: *const Header) -> Context {
        Context {
            node: Node::from_ptr(raw),
        }
    }

    /// The value of a key, if it was put in.
    #[inline(always)]
    pub(super) fn find<T: Send + Sync + 'static>(&self, key: &Key<T>) -> Option<&T> {
        let id = key.id();
        let node = self.node?;
        // SAFETY: `self` holds the node, so the cell is kept for as long as `self` is borrowed;
        // the registry gives `id` to keys of type `T` only.
        unsafe { node.find(id).map(|cell| cell.value::<T>()) }
    }
}

impl Clone for Context {
    #[inline]
    fn clone(&self) -> Self {
        if let Some(node) = self.node {
            // SAFETY: `self` shows the node.
            unsafe { node.show() };
        }
        Context { node: self.node }
    }
}

impl Drop for Context {
    #[inline]
    fn drop(&mut self) {
        if let Some(node) = self.node {
            if credits::keep(node) {
                return;
            }
            // SAFETY: this Context owns one `shown` and ends here.
            unsafe { node.unshow() };
        }
    }
}

impl Default for Context {
    /// Returns the empty Context.
    fn default() -> Self {
        Context::empty()
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        if self.node == other.node {
            return true;
        }
        // A key is in a table once, so equal lengths and one inclusion are enough.
        self.entries().count() == other.entries().count()
            && self.entries().all(|mine| {
                other
                    .entries()
                    .any(|theirs| (mine.key, mine.cell) == (theirs.key, theirs.cell))
            })
    }
}

impl Eq for Context {}

impl fmt::Debug for Context {
    /// Shows the names of the keys; values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")?;
        f.debug_set()
            .entries(self.entries().map(|entry| KEYS.name(entry.key)))
            .finish()
    }
}
