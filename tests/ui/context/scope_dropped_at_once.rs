//! A Scope that is not bound to a name is closed at once, which the compiler remarks on.
#![deny(unused_must_use)]

fn main() {
    kamon::store_context(kamon::Context::empty());
}
