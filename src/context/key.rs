//! Keys: typed handles to one value of a Context.

use std::any::{type_name, TypeId};
use std::fmt;
use std::sync::OnceLock;

use crate::context::registry::{KeyId, KEYS};
use crate::context::slot;
use crate::sync::statics::{AtomicU32, Ordering};

/// A typed handle to one value of a [`Context`](super::Context): a name, a type, a default and
/// where the value may go.
///
/// Keys are meant to be statics, but need not be: two keys are the same key when name and type
/// agree. A key costs one number in a table that is never shortened, so names should not be made
/// up from data.
///
/// # Panics
///
/// The first use of a key whose name is known with another type panics, naming the key and both
/// types.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
/// static SESSION_ID: Key<Option<i32>> = Key::broadcast("sessionID", || None);
///
/// let context = Context::empty().with_key(&USER_ID, "1234".into());
/// assert_eq!(context.get(&USER_ID), "1234");
/// assert_eq!(context.get(&SESSION_ID), &None);
/// ```
pub struct Key<T: 'static> {
    name: &'static str,
    default: fn() -> T,
    flags: Flags,
    /// The key's [`KeyId`], or 0 before the first use.
    id: AtomicU32,
    value: OnceLock<T>,
}

/// Where a value may go: stored with each entry, so that filters need no registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags(u32);

impl Flags {
    /// Stays in the process, is inherited by child tasks.
    pub(crate) const LOCAL: Flags = Flags(0);
    /// Crosses to other processes.
    pub(crate) const BROADCAST: Flags = Flags(1);
    /// Stays in the task it was put in.
    pub(crate) const NOT_INHERITED: Flags = Flags(2);

    pub(crate) const fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub(crate) const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl<T: Send + Sync + 'static> Key<T> {
    /// Creates a key whose value stays in this process.
    ///
    /// `default` makes what [`Context::get`](super::Context::get) returns where the key is absent.
    /// It runs once for this key, at the first such read; when it panics, that read panics and
    /// the next one tries again. It must not read its own key.
    pub const fn local(name: &'static str, default: fn() -> T) -> Self {
        Key::new(name, default, Flags::LOCAL)
    }

    /// Creates a key whose value also crosses to other processes, where a codec is configured
    /// for its name.
    ///
    /// `default` is as in [`Key::local`]; a default is never sent.
    pub const fn broadcast(name: &'static str, default: fn() -> T) -> Self {
        Key::new(name, default, Flags::BROADCAST)
    }

    /// Calls `f` with the value that is current on this thread, or with the default where the key is absent.
    ///
    /// The value is read in place. `current_context().get(key)` gives the same and holds the Context meanwhile,
    /// which may change its count; use that where the Context is needed for longer than a call.
    ///
    /// # Panics
    ///
    /// Those of `f` come through, and those of the key's default.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::Key;
    ///
    /// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
    ///
    /// assert!(USER_ID.with(|id| id == "undefined"));
    /// kamon::with_context_key(&USER_ID, "1234".into(), || {
    ///     assert_eq!(USER_ID.with(|id| id.len()), 4);
    /// });
    /// ```
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        slot::with_value(self, f)
    }

    /// Returns the key with its values kept from child tasks: what is spawned, wrapped or
    /// scheduled while such a value is current starts without it.
    ///
    /// For what must not be shared, such as an open database transaction.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::Key;
    ///
    /// static TRANSACTION: Key<Option<u64>> = Key::local("transaction", || None).not_inherited();
    ///
    /// kamon::with_context_key(&TRANSACTION, Some(7), || {
    ///     let elsewhere = kamon::wrap(|| *kamon::current_context().get(&TRANSACTION));
    ///     assert_eq!(*kamon::current_context().get(&TRANSACTION), Some(7));
    ///     assert_eq!(elsewhere(), None);
    /// });
    /// ```
    #[must_use = "the key is returned, not changed in place"]
    pub const fn not_inherited(mut self) -> Self {
        self.flags = self.flags.union(Flags::NOT_INHERITED);
        self
    }

    /// Returns the name, unique in this process.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Tells whether the value crosses to other processes.
    pub const fn is_broadcast(&self) -> bool {
        self.flags.contains(Flags::BROADCAST)
    }

    /// Tells whether child tasks see the value.
    pub const fn is_inherited(&self) -> bool {
        !self.flags.contains(Flags::NOT_INHERITED)
    }

    const fn new(name: &'static str, default: fn() -> T, flags: Flags) -> Self {
        Key {
            name,
            default,
            flags,
            id: AtomicU32::new(0),
            value: OnceLock::new(),
        }
    }

    #[inline(always)]
    pub(crate) fn flags(&self) -> Flags {
        self.flags
    }

    /// The number under which the value is filed.
    #[inline(always)]
    pub(crate) fn id(&self) -> KeyId {
        // Ordering: the number is all there is to read, and the registry's lock guards the rest.
        match KeyId::new(self.id.load(Ordering::Relaxed)) {
            Some(id) => id,
            None => self.intern(),
        }
    }

    /// What a Context without this key shows.
    pub(crate) fn default_value(&self) -> &T {
        self.value.get_or_init(self.default)
    }

    #[cold]
    fn intern(&self) -> KeyId {
        match KEYS.intern(self.name, TypeId::of::<T>(), type_name::<T>()) {
            Ok(id) => {
                // Ordering: racing threads store the same number, see `id`.
                self.id.store(id.get(), Ordering::Relaxed);
                id
            }
            Err(conflict) => panic!("{conflict}"),
        }
    }
}

impl Key<Option<String>> {
    /// Creates a broadcast key for text, absent by default: what a codec can carry knowing only
    /// the name of a header.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::{Context, Key};
    ///
    /// static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("requestID");
    ///
    /// assert_eq!(Context::empty().get(&REQUEST_ID), &None);
    /// ```
    pub const fn broadcast_string(name: &'static str) -> Self {
        Key::new(name, none, Flags::BROADCAST)
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("type", &type_name::<T>())
            .field("broadcast", &self.flags.contains(Flags::BROADCAST))
            .field("inherited", &!self.flags.contains(Flags::NOT_INHERITED))
            .finish()
    }
}

fn none() -> Option<String> {
    None
}
