//! The models: the sources of kamon, explored by loom. Each module proves one promise.

#[path = "../model/mod.rs"]
mod model;

#[path = "../model/quarantine.rs"]
mod quarantine;

#[global_allocator]
static ALLOCATOR: quarantine::Quarantine = quarantine::Quarantine::new();

/// The library's own atomics, with their shadow accesses, for what the models add.
#[path = "../../../src/sync/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod sync;

mod abort;
mod blocking;

mod context;
#[cfg(kamon_visible)]
mod finished;
mod guests;
mod idle;
mod injector;
mod join;
mod keys;
mod lifo;
mod local;
mod memory;
mod metrics;
mod panics;
mod parker;
mod report;
mod ring;
mod scopes;
mod shutdown;
mod spans;
mod spawn;
mod time;
mod wake;
mod watch;
