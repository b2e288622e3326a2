//! What does it cost to have many tasks in flight, each in a Context of its own?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::memory::group(), |_| true);
}
