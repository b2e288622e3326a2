//! The memory of a runtime goes with the last that needs it, and not before.

use kamon_loomed::__model::Left;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::model::check;
use crate::model::check_bounded;
use crate::model::house::{beside, workers, Event};
use crate::model::witness::{await_threads, count_threads};
use crate::model::witness::{expect, expect_here, request, Drops};
use crate::sync::atomic::{AtomicUsize, Ordering};
use kamon_loomed::with_context;

/// The runtime's memory: loom reports an access that does not come before its end.
struct Memory {
    left: Left,
    cell: UnsafeCell<u32>,
    freed: AtomicUsize,
}

// SAFETY: whether the accesses are ordered is what loom finds out.
unsafe impl Sync for Memory {}

impl Memory {
    fn read(&self) {
        self.cell.with(|_| ());
    }

    fn free_if(&self, last: bool) {
        if last {
            self.freed.fetch_add(1, Ordering::Relaxed);
            self.cell.with_mut(|_| ());
        }
    }
}

/// Two tasks that are bound end on threads of their own, while the runtime closes its registry.
#[test]
fn the_last_one_is_told() {
    check_bounded("the_last_one_is_told", 3, || {
        let memory = Arc::new(Memory {
            left: Left::new(),
            cell: UnsafeCell::new(0),
            freed: AtomicUsize::new(0),
        });
        let foreign = [0, 1].map(|_| {
            // A shard is closed, where one of them is bound.
            memory.left.join(1);
            let memory = memory.clone();
            thread::spawn(move || {
                memory.read();
                memory.free_if(memory.left.leave());
            })
        });
        memory.read();
        memory.free_if(memory.left.leave());
        for thread in foreign {
            thread.join().unwrap();
        }
        expect(
            memory.freed.load(Ordering::Relaxed) == 1,
            "the memory is freed once",
        );
    });
}

/// A task is woken by another thread while its runtime goes; the wake may find the injector open,
/// closed, or nobody there any more. What it touches of the runtime is still there.
#[test]
fn a_wake_keeps_the_runtime_for_as_long_as_it_lasts() {
    check("a_wake_keeps_the_runtime_for_as_long_as_it_lasts", || {
        count_threads();
        let runtime = workers(1);
        let drops = Drops::default();
        let event = Event::new();
        let (awaited, probe) = (event.clone(), drops.probe(1, "a future"));
        let task = async move {
            awaited.wait().await;
            expect_here(1, "a poll");
            drop(probe);
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        let thread = beside(2001, move || event.set());
        // Waits for nobody, so that the worker may be anywhere.
        runtime.shutdown_background();
        thread.join().unwrap();
        await_threads(1);
        expect(drops.count() == 1, "the future is dropped once");
    });
}
