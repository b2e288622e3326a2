//! What operations are called by their routes: each name is put together once.
//!
//! A router has few routes, so their names stay. A function that makes up routes has so many that
//! stay, and the rest are put together each time.

use std::cell::Cell;
use std::collections::HashSet;
use std::ptr;

use crate::sync::statics::Mutex;
use crate::trace::TagKey;

/// How many names stay.
const MOST: usize = 1024;
const SLOTS: usize = 64;

/// A name that stays.
#[derive(Clone, Copy)]
struct Name {
    method: &'static str,
    /// The method, a blank and the route.
    text: &'static str,
}

thread_local! {
    /// The names that the thread had last, by where the route lies: a router's routes stay there.
    static RECENT: [Cell<Option<Name>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// What a request with this method is called that has gone to this route.
pub(super) fn name(method: &'static str, route: &str) -> TagKey {
    let known = RECENT.try_with(|recent| {
        let slot = &recent[slot(method, route)];
        let known = slot.get().filter(|name| name.is(method, route));
        if known.is_some() {
            return known;
        }
        let name = Name {
            method,
            text: staying(method, route)?,
        };
        slot.set(Some(name));
        Some(name)
    });
    match known {
        Ok(Some(name)) => TagKey::Borrowed(name.text),
        _ => TagKey::Owned(format!("{method} {route}")),
    }
}

impl Name {
    fn is(&self, method: &str, route: &str) -> bool {
        ptr::eq(self.method, method) && self.text.get(method.len() + 1..) == Some(route)
    }
}

#[inline]
fn slot(method: &str, route: &str) -> usize {
    let place = |text: &str| text.as_ptr() as usize as u64;
    let mixed = place(route) ^ place(method).rotate_left(32) ^ route.len() as u64;
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cold]
fn staying(method: &str, route: &str) -> Option<&'static str> {
    let text = format!("{method} {route}");
    let mut names = NAMES.lock();
    let names = names.get_or_insert_default();
    if let Some(name) = names.get(&*text) {
        return Some(name);
    }
    if names.len() >= MOST {
        return None;
    }
    let text: &'static str = Box::leak(text.into());
    names.insert(text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_together_once_and_not_without_end() {
        let route = String::from("/users/{name}");
        let first = name("GET", &route);
        assert_eq!(first, "GET /users/{name}");
        let again = name("GET", &route.clone());
        assert!(ptr::eq(&*first, &*again));
        let known = Name {
            method: "GET",
            text: "GET /",
        };
        assert!(known.is(known.method, "/"));
        assert!(
            !known.is("PUT", "/") && !known.is(known.method, "") && !known.is(known.method, "//")
        );
        // In the same place, and something else.
        assert_eq!(name("PUT", &route), "PUT /users/{name}");
        let mut route = route;
        route.replace_range(1..6, "USERS");
        assert_eq!(name("GET", &route), "GET /USERS/{name}");
        for number in 0..=MOST {
            assert_eq!(name("GET", &format!("/{number}")), format!("GET /{number}"));
        }
        assert!(matches!(name("GET", "/late"), TagKey::Owned(_)));
        assert!(ptr::eq(&*first, &*name("GET", "/users/{name}")));
    }
}
