//! The schedulers against each other: tokio's `rt_multi_threaded` and `remote_spawn`, the workloads
//! of async-executor, and request and reply from `block_on`.
//!
//! The bodies are the same for all, and so are the channels and the numbers. Each candidate has as
//! many workers as it is told to, besides the thread that calls `block_on`.

mod across;
mod connected;
mod many;
mod scheduler;
mod tasks;

pub use scheduler::{AsyncExecutor, AsyncExecutorStatic, Kamon, Scheduler, Tokio};

use crate::workload::{Candidate, Group, Role, Unit, Workers, Workload};

/// A row with the same generic body for every scheduler.
macro_rules! row {
    ($name:literal, $body:path $(, $parameter:expr)*) => {
        Workload {
            name: $name,
            workers: Workers::Each(&[1, 2, 4]),
            unit: Unit::Nanoseconds,
            candidates: vec![
                row!(@ Kamon, Role::Ours, $body $(, $parameter)*),
                row!(@ Tokio, Role::Peer, $body $(, $parameter)*),
                row!(@ AsyncExecutor, Role::Peer, $body $(, $parameter)*),
                row!(@ AsyncExecutorStatic, Role::Peer, $body $(, $parameter)*),
            ],
        }
    };
    (@ $scheduler:ty, $role:expr, $body:path $(, $parameter:expr)*) => {
        Candidate::new(<$scheduler>::NAME, $role, |meter, workers| {
            use $body as body;
            body::<$scheduler>(meter, workers $(, $parameter)*)
        })
    };
}

/// Returns the group.
pub fn group() -> Group {
    Group {
        name: "executor",
        about: "the schedulers; kamon with two keys in the Context",
        workloads: vec![
            row!("spawn_many_local", many::spawn_many_local),
            row!("spawn_many_remote_idle", many::spawn_many_remote_idle),
            row!("spawn_many_remote_busy1", many::spawn_many_remote_busy1),
            row!("spawn_many_remote_busy2", many::spawn_many_remote_busy2),
            row!("yield_many", many::yield_many),
            row!("ping_pong", many::ping_pong),
            row!("chained_spawn", many::chained_spawn),
            row!("remote_spawn_1", across::remote_spawn, 1),
            row!("remote_spawn_2", across::remote_spawn, 2),
            row!("remote_spawn_4", across::remote_spawn, 4),
            row!("request_reply", across::request_reply),
            row!("spawn_one", tasks::spawn_one),
            row!("spawn_25000_from_block_on", tasks::spawn_many_local),
            row!("spawn_25000_from_worker", tasks::spawn_many_from_worker),
            row!("spawn_recursively", tasks::spawn_recursively),
            row!("yield_now", tasks::yield_now),
            row!("channels", connected::channels),
            row!("web_server", connected::web_server),
        ],
    }
}
