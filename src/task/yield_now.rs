//! Giving way to other tasks.

use std::future::poll_fn;
use std::task::Poll;

/// Yields to the scheduler once: the task goes to the back of its worker's queue.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     kamon::spawn(async { /* gets its turn */ });
///     kamon::task::yield_now().await;
/// });
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        // Waking while running makes `async-task` hand the task back with the remark that it was
        // woken while running, which the scheduler takes for "to the back of the queue".
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
