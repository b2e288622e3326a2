//! Names of operations that are put together once: those of routes and of hosts, and what functions say.
//!
//! A router has few routes and a client few hosts, so their names stay. Where they are made up
//! without end, so many of each kind stay, and the rest are put together each time.

use std::cell::Cell;

use crate::trace::{Names, TagKey};

const SLOTS: usize = 64;

/// A name that stays.
#[derive(Clone, Copy)]
struct Name {
    /// Nothing where it is a host's, or was said.
    method: &'static str,
    /// The method, a blank and the route; or the host; or what was said.
    text: &'static str,
}

static ROUTES: Names = Names::new();
static HOSTS: Names = Names::new();
static SAID: Names = Names::new();

thread_local! {
    /// The names that the thread had last, by what they end with.
    static RECENT: [Cell<Option<Name>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

/// What a request with this method is called that has gone to this route.
pub(super) fn route(method: &'static str, route: &str) -> TagKey {
    name(&ROUTES, method, route)
}

/// What a request to this host is called.
pub(super) fn host(host: &str) -> TagKey {
    name(&HOSTS, "", host)
}

/// What a function has said.
pub(super) fn said(name: TagKey) -> TagKey {
    match name {
        TagKey::Borrowed(_) => name,
        TagKey::Owned(name) => self::name(&SAID, "", &name),
    }
}

fn name(names: &Names, method: &'static str, end: &str) -> TagKey {
    let known = RECENT.try_with(|recent| {
        let slot = &recent[slot(method, end)];
        let known = slot.get().filter(|name| name.is(method, end));
        if known.is_some() {
            return known;
        }
        let text = names.keep(&together(method, end))?.0;
        slot.set(Some(Name { method, text }));
        slot.get()
    });
    match known {
        Ok(Some(name)) => TagKey::Borrowed(name.text),
        _ => TagKey::Owned(together(method, end)),
    }
}

impl Name {
    #[inline]
    fn is(&self, method: &str, end: &str) -> bool {
        let begin = match method.len() {
            0 => 0,
            length => length + 1,
        };
        self.method == method && self.text.get(begin..) == Some(end)
    }
}

fn together(method: &str, end: &str) -> String {
    match method {
        "" => end.to_owned(),
        method => [method, end].join(" "),
    }
}

/// By the last bytes of the name, in which routes and hosts differ.
#[inline]
fn slot(method: &str, end: &str) -> usize {
    let last = match end.as_bytes().last_chunk() {
        Some(last) => u64::from_le_bytes(*last),
        None => end
            .bytes()
            .fold(0, |word, byte| word << 8 | u64::from(byte)),
    };
    // No two methods have both in common.
    let method = u64::from(method.bytes().next().unwrap_or(0)) << 8 | method.len() as u64;
    let mixed = last ^ method << 32 ^ end.len() as u64;
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    #[test]
    fn names_are_put_together_once_and_not_without_end() {
        let first = route("GET", "/users/{name}");
        assert_eq!(first, "GET /users/{name}");
        let elsewhere = String::from("/users/{name}");
        assert!(ptr::eq(&*first, &*route("GET", &elsewhere)));
        assert_eq!(route("PUT", &elsewhere), "PUT /users/{name}");
        // In the same slot, and something else.
        assert_eq!(route("GET", "/USERS/{name}"), "GET /USERS/{name}");
        // More than stay.
        for number in 0..=1024 {
            assert_eq!(
                route("GET", &format!("/{number}")),
                format!("GET /{number}")
            );
        }
        assert!(matches!(route("GET", "/late"), TagKey::Owned(_)));
        assert_eq!(route("GET", "/late"), "GET /late");
        assert!(ptr::eq(&*first, &*route("GET", "/users/{name}")));
        // Hosts are others.
        let one = host("a.example");
        assert_eq!((&*one, &*host("b.example")), ("a.example", "b.example"));
        assert!(ptr::eq(&*one, &*host("a.example")));
    }

    #[test]
    fn a_name_is_that_of_its_method_and_its_end() {
        let (get, none) = ("GET", "");
        let of_route = Name {
            method: get,
            text: "GET /a",
        };
        let of_host = Name {
            method: none,
            text: "a",
        };
        assert!(of_route.is(get, "/a") && of_host.is(none, "a"));
        for (method, end) in [("PUT", "/a"), (get, "a"), (get, "/b"), (none, "GET /a")] {
            assert!(!of_route.is(method, end), "{method} {end}");
        }
        assert!(!of_host.is(get, "a") && !of_host.is(none, "b") && !of_host.is(none, ""));
    }
}
