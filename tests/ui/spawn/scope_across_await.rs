//! A task that holds a Scope across an `.await` cannot be spawned, and the message says why.

fn main() {
    kamon::spawn(async {
        let scope = kamon::store_context(kamon::Context::empty());
        std::future::ready(()).await;
        scope.close();
    });
}
