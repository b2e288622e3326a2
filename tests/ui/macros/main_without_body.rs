//! There is nothing to block on.

struct Service;

impl Service {
    #[kamon::main]
    async fn main();
}

#[kamon::main]
struct NotAFunction;

fn main() {}
