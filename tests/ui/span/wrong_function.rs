//! What `#[kamon::span]` cannot stand on.

#[kamon::span]
const fn constant() -> u32 {
    1
}

#[kamon::span]
fn forever() -> ! {
    loop {}
}

#[kamon::span]
struct NoFunction;

#[kamon::span(err)]
fn no_result() -> u32 {
    1
}

fn main() {
    let _in_span = async {}.in_span(7);
    use kamon::ContextFutureExt as _;
}
