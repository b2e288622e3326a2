//! The registry of keys: a name and a type become a small number, the same one everywhere.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::sync::statics::{Mutex, MutexGuard};

/// The number that stands for a key: equal where name and type are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct KeyId(NonZeroU32);

impl KeyId {
    /// Reads back what [`KeyId::get`] gave; zero stands for "none yet".
    #[inline(always)]
    pub(crate) fn new(raw: u32) -> Option<KeyId> {
        NonZeroU32::new(raw).map(KeyId)
    }

    /// The number itself.
    #[inline(always)]
    pub(crate) fn get(self) -> u32 {
        self.0.get()
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What is known of a key besides its number.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code)] // `id` is for those who come by name.
pub(crate) struct Record {
    pub(crate) id: KeyId,
    pub(crate) name: &'static str,
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
}

/// Two keys claim one name for two types.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub(crate) name: &'static str,
    pub(crate) known: &'static str,
    pub(crate) claimed: &'static str,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the context key \"{}\" holds a `{}`, and a second key of that name wants a `{}`: \
             give one of them another name",
            self.name, self.known, self.claimed
        )
    }
}

/// The keys of this process. Names are never forgotten: a key is meant to be a static.
#[derive(Debug)]
pub(crate) struct Registry {
    // No user code runs under it.
    records: Mutex<Records>,
}

#[derive(Debug)]
struct Records {
    by_name: BTreeMap<&'static str, KeyId>,
    by_id: Vec<Record>,
}

/// The registry that every [`Key`](super::Key) uses.
pub(crate) static KEYS: Registry = Registry::new();

impl Registry {
    /// An empty registry.
    pub(crate) const fn new() -> Self {
        Registry {
            records: Mutex::new(Records {
                by_name: BTreeMap::new(),
                by_id: Vec::new(),
            }),
        }
    }

    /// The number of the key with this name and type, a new one at its first use.
    ///
    /// # Errors
    ///
    /// When the name is known with another type.
    pub(crate) fn intern(
        &self,
        name: &'static str,
        type_id: TypeId,
        type_name: &'static str,
    ) -> Result<KeyId, Conflict> {
        let mut records = self.lock();
        if let Some(&id) = records.by_name.get(name) {
            let known = records.by_id[id.index()];
            if known.type_id == type_id {
                return Ok(id);
            }
            return Err(Conflict {
                name,
                known: known.type_name,
                claimed: type_name,
            });
        }
        let next = u32::try_from(records.by_id.len() + 1)
            .ok()
            .and_then(KeyId::new);
        let id = next.expect("fewer than 2^32 context keys");
        records.by_id.push(Record {
            id,
            name,
            type_id,
            type_name,
        });
        records.by_name.insert(name, id);
        Ok(id)
    }

    /// What is known of the key with this name, if any was used yet.
    #[allow(dead_code)] // Codecs are configured by the names of keys.
    pub(crate) fn named(&self, name: &str) -> Option<Record> {
        let records = self.lock();
        records
            .by_name
            .get(name)
            .map(|id| records.by_id[id.index()])
    }

    /// The name of a key.
    pub(crate) fn name(&self, id: KeyId) -> &'static str {
        self.lock().by_id[id.index()].name
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::type_name;

    fn intern<T: 'static>(registry: &Registry, name: &'static str) -> Result<KeyId, Conflict> {
        registry.intern(name, TypeId::of::<T>(), type_name::<T>())
    }

    #[test]
    fn name_and_type_make_the_key() {
        let registry = Registry::new();
        let user = intern::<String>(&registry, "user").unwrap();
        let session = intern::<i32>(&registry, "session").unwrap();
        assert_ne!(user, session);
        assert_eq!(intern::<String>(&registry, "user").unwrap(), user);
        assert_eq!(registry.name(session), "session");
        let record = registry.named("user").unwrap();
        assert_eq!((record.id, record.name), (user, "user"));
        assert_eq!(record.type_name, type_name::<String>());
        assert!(registry.named("nobody").is_none());
    }

    #[test]
    fn a_second_type_is_a_conflict_and_changes_nothing() {
        let registry = Registry::new();
        let user = intern::<String>(&registry, "user").unwrap();
        let conflict = intern::<u8>(&registry, "user").unwrap_err().to_string();
        assert!(conflict.contains("\"user\""), "{conflict}");
        assert!(
            conflict.contains("String`") && conflict.contains("`u8`"),
            "{conflict}"
        );
        assert_eq!(intern::<String>(&registry, "user").unwrap(), user);
    }

    #[test]
    fn threads_agree_on_the_number() {
        let registry = Registry::new();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| ["a", "b", "c"].map(|n| intern::<u8>(&registry, n).unwrap()))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(ids.iter().all(|seen| seen == &ids[0]), "{ids:?}");
    }
}
