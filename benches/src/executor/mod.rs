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

pub(crate) use many::stall;
pub use scheduler::{AsyncExecutor, AsyncExecutorStatic, Kamon, Scheduler, Tokio, WithoutContext};

use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// A row with the same generic body for all the schedulers.
macro_rules! row {
    (
        $name:expr, $workers:expr, [$($scheduler:ident: $role:ident),*],
        $body:path, $parameters:tt
    ) => {
        Workload {
            name: $name,
            workers: Workers::Each($workers),
            unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
            candidates: vec![$(row!(@ $scheduler, $role, $body, $parameters)),*],
        }
    };
    (@ $scheduler:ident, $role:ident, $body:path, ($($parameter:expr),*)) => {
        Candidate::new($scheduler::NAME, Role::$role, |meter, workers| {
            use $body as body;
            body::<$scheduler>(meter, workers $(, $parameter)*)
        })
    };
}

/// kamon against the others.
macro_rules! against_peers {
    ($name:literal, $body:path $(, $parameter:expr)*) => {
        row!(
            $name,
            &[1, 2, 4],
            [Kamon: Ours, Tokio: Peer, AsyncExecutor: Peer, AsyncExecutorStatic: Peer],
            $body,
            ($($parameter),*)
        )
    };
}

/// kamon against itself without the Context.
macro_rules! against_itself {
    ($name:literal, $body:path) => {
        row!(
            concat!("whole/", $name),
            &[1, 2],
            [Kamon: Ours, WithoutContext: Peer],
            $body,
            ()
        )
    };
}

/// Returns the group.
pub fn group() -> Group {
    Group {
        name: "executor",
        about: "the schedulers; kamon with two keys in the Context",
        workloads: vec![
            against_peers!("spawn_many_local", many::spawn_many_local),
            against_peers!("spawn_many_remote_idle", many::spawn_many_remote_idle),
            against_peers!("spawn_many_remote_busy1", many::spawn_many_remote_busy1),
            against_peers!("spawn_many_remote_busy2", many::spawn_many_remote_busy2),
            against_peers!("yield_many", many::yield_many),
            against_peers!("ping_pong", many::ping_pong),
            against_peers!("chained_spawn", many::chained_spawn),
            against_peers!("remote_spawn_1", across::remote_spawn, 1),
            against_peers!("remote_spawn_2", across::remote_spawn, 2),
            against_peers!("remote_spawn_4", across::remote_spawn, 4),
            against_peers!("request_reply", across::request_reply),
            against_peers!("spawn_one", tasks::spawn_one),
            against_peers!("spawn_25000_from_block_on", tasks::spawn_many_local),
            against_peers!("spawn_25000_from_worker", tasks::spawn_many_from_worker),
            against_peers!("spawn_recursively", tasks::spawn_recursively),
            against_peers!("yield_now", tasks::yield_now),
            against_peers!("channels", connected::channels),
            against_peers!("web_server", connected::web_server),
        ],
    }
}

/// Returns workloads of the group as rows of the group `context`: what the Context costs as a part
/// of the whole.
pub(crate) fn with_and_without_context() -> Vec<Workload> {
    vec![
        against_itself!("yield_alone", tasks::yield_alone),
        against_itself!("spawn_many_local", many::spawn_many_local),
        against_itself!("yield_many", many::yield_many),
        against_itself!("ping_pong", many::ping_pong),
        against_itself!("chained_spawn", many::chained_spawn),
        against_itself!("spawn_25000_from_worker", tasks::spawn_many_from_worker),
        against_itself!("spawn_recursively", tasks::spawn_recursively),
        against_itself!("yield_now", tasks::yield_now),
        against_itself!("channels", connected::channels),
        against_itself!("web_server", connected::web_server),
    ]
}
