//! What a thread in `block_on` runs besides its future.

use std::thread;

use kamon::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Far more than it takes, most often one or two.
const ROUNDS: usize = 10_000;
const LINKS: usize = 100;

/// Has a message go through a chain of tasks when something from outside has woken the future. Returns how many
/// of them had it on the future's own thread.
fn pass_on(runtime: &Runtime) -> usize {
    let home = thread::current().id();
    runtime.block_on(async {
        let (first, mut last) = oneshot::channel();
        for _ in 0..LINKS {
            let (next, its_end) = oneshot::channel();
            let previous = std::mem::replace(&mut last, its_end);
            kamon::spawn(async move {
                let so_far: usize = previous.await.unwrap();
                let here = usize::from(thread::current().id() == home);
                next.send(so_far + here).unwrap();
            });
        }
        let (call, called) = oneshot::channel();
        let outside = thread::spawn(move || call.send(()).unwrap());
        called.await.unwrap();
        first.send(0).unwrap();
        let at_home = last.await.unwrap();
        outside.join().unwrap();
        at_home
    })
}

#[test]
fn a_chain_that_the_future_begins_and_awaits_needs_no_other_thread() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    // A worker is called besides, and takes it away if it is there in time.
    assert!((0..ROUNDS).any(|_| pass_on(&runtime) > LINKS / 2));
}
