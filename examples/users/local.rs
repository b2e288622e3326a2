//! A thread of its own for tasks that must not leave their thread: a `LocalSet` fed by a channel.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;

use kamon::runtime::Handle;
use kamon::task::{spawn_local, LocalSet};
use tokio::sync::{mpsc, oneshot};

use crate::ledger::Ledger;

/// The thread, for whoever starts and stops it.
pub(crate) struct LocalWorker {
    orders: mpsc::UnboundedSender<Order>,
    thread: thread::JoinHandle<()>,
}

impl LocalWorker {
    /// Starts the thread; its tasks use the timers and sockets of the runtime behind `handle`.
    pub(crate) fn start(handle: Handle, ledger: Arc<Ledger>) -> io::Result<Self> {
        let (orders, mut received) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name("users-local".into())
            .spawn(move || {
                let tasks = LocalSet::new();
                handle.block_on(tasks.run_until(async {
                    while let Some(Order::Run(job)) = received.recv().await {
                        ledger.idle();
                        job();
                    }
                }));
                drop(tasks);
                ledger.look_at_ending_thread();
            })?;
        Ok(Self { orders, thread })
    }

    /// The way for requests to reach the thread.
    pub(crate) fn jobs(&self) -> Jobs {
        Jobs(self.orders.clone())
    }

    /// Ends the thread, dropping what tasks it still has.
    pub(crate) fn stop(self) {
        let _ = self.orders.send(Order::Stop);
        if self.thread.join().is_err() {
            eprintln!("users: the local worker panicked");
        }
    }
}

/// Runs futures that are not `Send` on the local worker.
pub(crate) struct Jobs(mpsc::UnboundedSender<Order>);

impl Jobs {
    /// Runs the future that `make` makes there, in the Context of the caller here; `None` if it
    /// panicked.
    pub(crate) async fn run<M, F>(&self, make: M) -> Option<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        // `wrap` takes the caller's Context along, and `spawn_local` inherits it from there.
        let job = kamon::wrap(move || {
            spawn_local(async move {
                let _ = reply.send(make().await);
            });
        });
        self.0.send(Order::Run(Box::new(job))).ok()?;
        answer.await.ok()
    }
}

enum Order {
    Run(Box<dyn FnOnce() + Send>),
    Stop,
}
