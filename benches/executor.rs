//! How fast is the scheduler, on two workers?

mod side_by_side;

fn main() {
    side_by_side::measure(&benches::executor::group(), |_| true);
}
