//! Tasks that stay on their thread do so when others wake them, and when their set goes.

use kamon_loomed::task::LocalSet;
use kamon_loomed::with_context;

use crate::model::check_bounded;
use crate::model::house::{beside, current_thread, Event};
use crate::model::witness::{expect, expect_here, request, Drops};

/// A set goes while another thread wakes its task, and may be anywhere in that wake.
#[test]
fn a_set_goes_while_its_task_is_woken() {
    check_bounded("a_set_goes_while_its_task_is_woken", 3, || {
        let runtime = current_thread();
        let set = LocalSet::new();
        let drops = Drops::default();
        let (begun, event) = (Event::new(), Event::new());
        let (begins, awaited) = (begun.clone(), event.clone());
        let probe = drops.probe(1, "a local future");
        let task = async move {
            expect_here(1, "a poll");
            begins.set();
            awaited.wait().await;
            expect_here(1, "a later poll");
            drop(probe);
        };
        drop(with_context(request(1), || set.spawn_local(task)));
        // As long as it takes until the task waits.
        runtime.block_on(set.run_until(begun.wait()));
        let thread = beside(2001, move || event.set());
        drop(set);
        expect(
            drops.count() == 1,
            "the future is dropped once, on this thread",
        );
        thread.join().unwrap();
    });
}
