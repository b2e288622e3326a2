//! A set of tasks that are joined in the order in which they end.

mod reports;
mod set;

pub use set::JoinSet;
