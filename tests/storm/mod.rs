//! A random program of tasks, the simple model of what each of its hops must see, and the book in
//! which they compare the two.

mod book;
mod program;
mod walk;

pub(crate) use book::{Book, Seen};
pub(crate) use program::program;
pub(crate) use walk::{claim, claim_panic, walk, Walk};
