//! A future that holds a Scope across an await is not `Send`, and the message says why.

fn main() {
    let future = async {
        let _scope = kamon::store_context(kamon::Context::empty());
        std::future::ready(()).await;
    };
    is_send(future);
}

fn is_send<T: Send>(_: T) {}
