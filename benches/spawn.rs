//! What does it cost to spawn a task that carries values?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::context::group(), |name| {
        name.starts_with("spawn_")
    });
}
