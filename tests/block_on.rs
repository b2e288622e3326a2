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

/// How many of a hundred tasks, each awaited at once, had their turn on the thread that awaits them.
fn at_home(runtime: &Runtime) -> usize {
    let home = thread::current().id();
    runtime.block_on(async {
        let mut at_home = 0;
        for _ in 0..100 {
            let thread = kamon::spawn(async { thread::current().id() }).await;
            at_home += usize::from(thread.unwrap() == home);
        }
        at_home
    })
}

#[test]
fn tasks_have_the_threads_that_were_asked_for() {
    let build = |set: fn(&mut Builder)| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        set(&mut builder);
        builder.build().unwrap()
    };
    let as_it_comes = build(|_| {});
    assert!((0..ROUNDS).any(|_| at_home(&as_it_comes) > 0));
    for set in [
        (|builder| _ = builder.thread_stack_size(64 << 20)) as fn(&mut Builder),
        |builder| _ = builder.on_thread_start(|| {}),
    ] {
        assert_eq!(at_home(&build(set)), 0);
    }
}
