//! What does a span cost, started, finished and recorded?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::span::group(), |_| true);
}
