//! `async` is what makes the body a future.

#[kamon::main]
fn main() {}
