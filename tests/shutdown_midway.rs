//! A runtime ends while a task is in its turn: whoever waits for it or not, the task is cancelled, or told.

mod witness;

use std::future::{poll_fn, Future};
use std::sync::mpsc;

use kamon::runtime::{Handle, Runtime};
use kamon::task::block_in_place;
use kamon::time::{sleep, Duration};
use witness::{workers, Log};

const HOUR: Duration = Duration::from_secs(3600);

/// Waits on this thread, which enters no runtime.
fn wait_for<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}

/// The ends of a runtime that wait for no task.
const IMPATIENT: [fn(Runtime); 2] = [Runtime::shutdown_background, |runtime| {
    runtime.shutdown_timeout(Duration::from_millis(1));
}];

/// Ends a runtime in the middle of a task's turn, which then comes to its first `.await`.
fn is_cancelled_at<F>(end: fn(Runtime), number: usize, wait: fn() -> F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let (runtime, log) = (workers(number).into_runtime(), Log::new());
    let (go_on, gone_on) = mpsc::channel::<()>();
    let told = log.clone();
    let task = runtime.spawn(async move {
        told.note("running");
        gone_on.recv().unwrap();
        wait().await;
    });
    log.wait("running", 1);
    end(runtime);
    go_on.send(()).unwrap();
    wait_for(task).unwrap_err().is_cancelled()
}

#[test]
fn a_task_that_comes_to_a_sleep_is_cancelled() {
    for end in IMPATIENT {
        for number in [1, 2] {
            assert!(is_cancelled_at(end, number, || sleep(HOUR)));
        }
    }
}

#[cfg(feature = "tokio")]
#[test]
fn and_so_is_one_that_comes_to_a_sleep_of_tokios() {
    for end in IMPATIENT {
        for number in [1, 2] {
            assert!(is_cancelled_at(end, number, || tokio::time::sleep(HOUR)));
        }
    }
}

#[test]
fn a_task_that_blocks_in_place_for_a_timer_is_told() {
    for end in [drop, IMPATIENT[0], IMPATIENT[1]] {
        for number in [1, 2] {
            let (runtime, log) = (workers(number).into_runtime(), Log::new());
            let told = log.clone();
            let asleep = async move {
                let mut hour = Box::pin(sleep(HOUR));
                poll_fn(|cx| {
                    let polled = hour.as_mut().poll(cx);
                    told.note("asleep");
                    polled
                })
                .await;
            };
            let task =
                runtime.spawn(async { block_in_place(|| Handle::current().block_on(asleep)) });
            log.wait("asleep", 1);
            end(runtime);
            assert!(wait_for(task).unwrap_err().is_panic());
        }
    }
}
