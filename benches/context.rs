//! What does the Context cost for each poll, for each value, for each call?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::context::group(), |name| {
        !name.starts_with("spawn_") && !name.starts_with("whole/") && name != "poll_more_than_bare"
    });
}
