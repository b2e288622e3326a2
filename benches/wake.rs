//! How long does a wake take from a thread to a task, and what does waiting cost?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::wake::group(), |_| true);
}
