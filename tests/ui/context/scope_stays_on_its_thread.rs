//! A Scope cannot be sent to another thread, and the message says what to use instead.

fn main() {
    let scope = kamon::store_context(kamon::Context::empty());
    is_send(scope);
}

fn is_send<T: Send>(_: T) {}
