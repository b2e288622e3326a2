//! Whole-executor scenarios under shuttle: more tasks and threads than loom could explore, and more
//! reasons to go another way.

mod model;

use std::future::pending;

use kamon_loomed::task::{block_in_place, yield_now};
use kamon_loomed::time::{sleep, Duration};
use kamon_loomed::{spawn, spawn_blocking, with_context};

use crate::model::check;
use crate::model::house::{beside, workers, Event};
use crate::model::witness::{expect, expect_here, request, Drops, Probe};

const TASKS: u32 = 8;

fn ms(n: u32) -> Duration {
    Duration::from_millis(n.into())
}

/// What a task does: it waits, in one of five ways, and looks around before and after.
async fn errand(number: u32, probe: Probe) -> u32 {
    expect_here(number, "the first poll");
    match number % 5 {
        0 => sleep(ms(number)).await,
        1 => {
            yield_now().await;
            yield_now().await;
        }
        2 => {
            let closure = move || expect_here(number, "a blocking closure");
            expect(spawn_blocking(closure).await.is_ok(), "the closure ends");
        }
        3 => {
            let child = spawn(async move {
                expect_here(number, "a child");
                sleep(ms(1)).await;
                expect_here(number, "a child that slept");
            });
            expect(child.await.is_ok(), "the child ends");
        }
        _ => block_in_place(|| expect_here(number, "a closure in place")),
    }
    expect_here(number, "what comes after the wait");
    drop(probe);
    number
}

/// Everything comes to its end, and everybody is told.
#[test]
fn eight_tasks_on_three_workers() {
    check("eight_tasks_on_three_workers", || {
        let runtime = workers(3);
        let drops = Drops::default();
        let spawn = |number| {
            let probe = drops.probe(number, "a future");
            with_context(request(number), || runtime.spawn(errand(number, probe)))
        };
        let tasks: Vec<_> = (1..=TASKS).map(spawn).collect();
        let all = async {
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap_or_default();
                expect_here(9, "what comes after a join");
            }
            sum
        };
        let sum = with_context(request(9), || runtime.block_on(all));
        expect(sum == (1..=TASKS).sum(), "each task gives its number");
        drop(runtime);
        expect(drops.count() == TASKS as usize, "each future is dropped");
    });
}

/// The runtime ends at any moment: in a queue, in a turn, asleep, in a closure.
#[test]
fn a_shutdown_in_the_middle() {
    check("a_shutdown_in_the_middle", || {
        let runtime = workers(3);
        let drops = Drops::default();
        for number in 1..=TASKS {
            let probe = drops.probe(number, "a future");
            with_context(request(number), || {
                drop(runtime.spawn(async move {
                    let (own, child) = (probe, spawn(pending::<()>()));
                    sleep(ms(number % 3)).await;
                    expect_here(number, "what comes after a sleep");
                    let closure = move || expect_here(number, "a blocking closure");
                    let _ = spawn_blocking(closure).await;
                    let _ = child.await;
                    drop(own);
                }));
            });
        }
        drop(runtime);
        expect(drops.count() == TASKS as usize, "each future is dropped");
    });
}

/// Tasks that wait are woken by one thread and aborted by another.
#[test]
fn wakes_and_aborts_from_outside() {
    check("wakes_and_aborts_from_outside", || {
        let runtime = workers(2);
        let drops = Drops::default();
        let events: Vec<Event> = (0..TASKS).map(|_| Event::new()).collect();
        let spawn = |number: u32| {
            let probe = drops.probe(number, "a future");
            let event = events[number as usize - 1].clone();
            with_context(request(number), || {
                runtime.spawn(async move {
                    event.wait().await;
                    expect_here(number, "what comes after the wake");
                    drop(probe);
                })
            })
        };
        let tasks: Vec<_> = (1..=TASKS).map(spawn).collect();
        let aborts: Vec<_> = tasks
            .iter()
            .step_by(2)
            .map(|task| task.abort_handle())
            .collect();
        let waking = beside(2001, move || events.iter().for_each(Event::set));
        let aborting = beside(2002, move || aborts.iter().for_each(|abort| abort.abort()));
        let ended = with_context(request(9), || {
            runtime.block_on(async {
                let mut ended = 0;
                for task in tasks {
                    ended += usize::from(task.await.is_ok());
                    expect_here(9, "what comes after a join");
                }
                ended
            })
        });
        waking.join().unwrap();
        aborting.join().unwrap();
        expect(ended >= TASKS as usize / 2, "who is not aborted ends well");
        drop(runtime);
        expect(drops.count() == TASKS as usize, "each future is dropped");
    });
}
