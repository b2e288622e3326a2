//! What kamon costs, measured side by side with its peers: the workloads, and `versus`, which runs
//! each candidate in a process of its own. The criterion benchmarks stand beside this folder.

pub mod actor;
mod allocator;
pub mod context;
pub mod echo;
pub mod executor;
pub mod http;
mod measure;
pub mod memory;
pub mod span;
pub mod time;
pub mod versus;
pub mod wake;
mod workload;

pub use measure::{Meter, Run};
pub use workload::{groups, Body, Candidate, Group, Role, Rounds, Unit, Workers, Workload};
