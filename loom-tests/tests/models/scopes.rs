//! Scopes that end in the wrong order, or never, disturb nobody else.

use kamon_loomed::spawn_local;
use kamon_loomed::task::yield_now;
use kamon_loomed::{store_context, with_context};

use crate::model::check;
use crate::model::house::{beside, current_thread, workers, Event};
use crate::model::witness::{expect, expect_here, request};

/// Two tasks on one worker, each closing its Scopes in the wrong order.
#[test]
fn closed_out_of_order() {
    check("closed_out_of_order", || {
        let runtime = workers(1);
        let task = |number: u32| async move {
            let first = store_context(request(number + 10));
            let second = store_context(request(number + 20));
            drop(first);
            expect_here(number + 20, "what is left of two Scopes");
            drop(second);
            expect_here(number, "what is left after both Scopes");
        };
        for number in [1, 2] {
            with_context(request(number), || drop(runtime.spawn(task(number))));
        }
        drop(runtime);
    });
}

/// Local tasks may hold a Scope across an await. It is put aside between two polls, whoever wakes
/// them.
#[test]
fn held_across_an_await() {
    check("held_across_an_await", || {
        let runtime = current_thread();
        let event = Event::new();
        let awaited = event.clone();
        let thread = beside(2001, move || event.set());
        let main = async move {
            let local = with_context(request(1), || {
                spawn_local(async move {
                    let first = store_context(request(11));
                    awaited.wait().await;
                    expect_here(11, "a Scope held across an await");
                    let second = store_context(request(12));
                    drop(first);
                    yield_now().await;
                    expect_here(12, "a Scope held across another await");
                    drop(second);
                    expect_here(1, "what is left after both Scopes");
                })
            });
            let other = with_context(request(2), || {
                spawn_local(async {
                    expect_here(2, "a poll");
                    yield_now().await;
                    expect_here(2, "a later poll");
                })
            });
            expect(
                local.await.is_ok() && other.await.is_ok(),
                "both tasks end well",
            );
        };
        with_context(request(9), || runtime.block_on(main));
        thread.join().unwrap();
    });
}
