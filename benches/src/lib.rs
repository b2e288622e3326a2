//! What kamon costs, measured side by side with its peers: the workloads, and `versus`, which runs
//! each candidate in a process of its own. The criterion benchmarks stand beside this folder.

pub mod context;
pub mod echo;
pub mod executor;
mod measure;
pub mod versus;
mod workload;

pub use measure::{Meter, Run};
pub use workload::{groups, Body, Candidate, Group, Role, Unit, Workers, Workload};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
