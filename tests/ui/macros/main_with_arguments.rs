//! Nobody is there to pass them.

#[kamon::main]
async fn main(arguments: u32) {}
