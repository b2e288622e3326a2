//! What the tests of local tasks have in common: a user in the Context, and who was dropped where.
#![allow(dead_code)] // Each test uses its own part of it.

#[path = "../locks/mod.rs"]
pub(crate) mod locks;

use std::sync::Arc;
use std::thread::{self, ThreadId};

use kamon::runtime::{Builder, Runtime};
use kamon::Key;
use locks::Mutex;

pub(crate) static USER: Key<&'static str> = Key::local("local user", || "nobody");

pub(crate) fn user() -> &'static str {
    kamon::current_context().get::<&'static str>(&USER)
}

pub(crate) fn as_user<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    kamon::with_context_key(&USER, name, f)
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

pub(crate) async fn settle() {
    for _ in 0..10 {
        kamon::task::yield_now().await;
    }
}

/// Notes on which thread and in whose Context it is dropped.
pub(crate) struct Dropped(pub(crate) Arc<Mutex<Vec<(ThreadId, &'static str)>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let here = (thread::current().id(), user());
        self.0.lock().unwrap().push(here);
    }
}

pub(crate) fn users(drops: &Mutex<Vec<(ThreadId, &'static str)>>) -> Vec<&'static str> {
    let drops = drops.lock().unwrap();
    let mut users: Vec<_> = drops.iter().map(|(_, user)| *user).collect();
    users.sort_unstable();
    users
}
