//! What does a timer cost, and how late is it?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::time::group(), |_| true);
}
