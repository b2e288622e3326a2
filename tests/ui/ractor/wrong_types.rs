//! What is no message of ractor's.

#[derive(kamon::ractor::Message)]
union Either {
    one: u8,
    other: i8,
}

#[derive(kamon::ractor::ClusterMessage)]
struct Alone(String);

fn main() {}
