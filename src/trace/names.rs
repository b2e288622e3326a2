//! Names of operations that outlive their spans.
//!
//! A child says in its metrics what its parent is called, and must not keep the parent alive for
//! that. Nearly all names are part of the program and stay anyway. The others are kept here, once
//! each: names of operations are few, because each is a time series. If a program makes them up
//! without end, so many are kept, and the rest have one name together.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::trace::TagKey;

/// How many names are kept.
const MOST: usize = 1024;

/// What a parent is called in its children's metrics when there are too many names.
const OVERFLOW: &str = "kamon.overflow";

/// A name that stays.
pub(crate) struct Name(pub(crate) &'static str);

static NAMES: Names = Names::new();

/// Names that stay, so many at most.
pub(crate) struct Names(RwLock<Option<HashMap<&'static str, &'static Name>>>);

/// The name as text that stays.
#[inline]
pub(super) fn staying(name: &TagKey) -> &'static str {
    match name {
        TagKey::Borrowed(name) => name,
        TagKey::Owned(name) => NAMES.find(name).0,
    }
}

/// As [`staying`], behind one word.
pub(super) fn kept(name: &TagKey) -> &'static Name {
    NAMES.find(name)
}

impl Names {
    pub(crate) const fn new() -> Names {
        Names(RwLock::new(None))
    }

    fn find(&self, name: &str) -> &'static Name {
        self.keep(name).unwrap_or(&Name(OVERFLOW))
    }

    /// The name, kept from now on; `None` if too many are.
    #[cold]
    pub(crate) fn keep(&self, name: &str) -> Option<&'static Name> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = known.as_ref().and_then(|known| known.get(name)) {
            return Some(kept);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        match known.get(name) {
            Some(kept) => Some(kept),
            None if known.len() >= MOST => None,
            None => {
                let text: &'static str = Box::leak(name.into());
                Some(known.entry(text).or_insert(Box::leak(Box::new(Name(text)))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_not_without_end() {
        let names = Names::new();
        let name = |number: usize| names.find(&format!("name {number}"));
        assert!(std::ptr::eq(name(1), name(1)));
        for number in 0..MOST {
            assert_eq!(name(number).0, format!("name {number}"));
        }
        assert_eq!(name(MOST).0, OVERFLOW);
        assert_eq!(name(7).0, "name 7");
    }

    #[test]
    fn names_of_the_program_are_not_kept() {
        const NAME: &str = "part of the program";
        assert!(std::ptr::eq(staying(&TagKey::Borrowed(NAME)), NAME));
    }
}
