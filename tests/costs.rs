//! What carrying the Context costs a task: no allocation in a poll, and few bytes. (That no hold is counted either is shown in
//! `src/context/tests/costs.rs`, where the count can be read.)

mod counting;

use counting::{allocations, bytes};
use kamon::runtime::Builder;
use kamon::{Context, Key};

static USER: Key<String> = Key::local("costs user", || "nobody".into());

#[test]
fn a_poll_allocates_nothing_and_a_spawn_its_task() {
    let runtime = Builder::new_current_thread()
        .build()
        .expect("the runtime starts");
    let context = Context::empty().with_key(&USER, "ada".into());
    kamon::with_context(context, || {
        runtime.block_on(async {
            // The first rounds fill what is kept: ids, queues, the registry.
            for _ in 0..3 {
                kamon::spawn(kamon::task::yield_now())
                    .await
                    .expect("the task ends well");
            }

            let yields = 10_000;
            let before = allocations();
            let handle = kamon::spawn(async move {
                for _ in 0..yields {
                    kamon::task::yield_now().await;
                    assert!(!kamon::current_context().is_empty());
                }
            });
            handle.await.expect("the task ends well");
            let allocated = allocations() - before;
            assert_eq!(allocated, 1, "one for the task, none for {yields} polls");

            // Up to this size glibc keeps what is freed for the next one to come, without a lock
            // and without looking at the neighbours (`M_MXFAST` in mallopt(3)).
            let captured = [1_usize; 3];
            let before = bytes();
            let handle = kamon::spawn(async move {
                std::hint::black_box(captured);
            });
            let size = bytes() - before;
            assert_eq!(size_of_val(&handle), size_of::<usize>());
            handle.await.expect("the task ends well");
            if cfg!(target_pointer_width = "64") {
                assert!(size <= 120, "a small task takes {size} bytes");
            }
        });
    });
}
