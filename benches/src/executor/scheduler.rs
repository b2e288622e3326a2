//! What the workloads ask of a scheduler, and the schedulers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::thread;

use async_channel::Sender;
use async_executor::{Executor, StaticExecutor, Task};
use futures_lite::future;
use kamon::{Context, Key};

/// A scheduler with a number of worker threads that runs until the process ends.
pub trait Scheduler: Sized + Sync + 'static {
    /// The name of its column.
    const NAME: &'static str;

    /// Waits for a task and returns its output; a failed task is a failed benchmark.
    type Join<T: Send + 'static>: Future<Output = T> + Send + 'static;

    /// Starts the threads.
    fn start(workers: usize) -> Self;

    /// Runs a future on this thread, beside the workers.
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Spawns a task from anywhere.
    fn spawn_from_outside<F>(&self, future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Spawns a task from within a task or `block_on`.
    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Lets a task go on by itself.
    fn detach<T: Send + 'static>(join: Self::Join<T>) {
        drop(join);
    }

    /// Gives way to other tasks, the scheduler's own way.
    fn yield_now() -> impl Future<Output = ()> + Send;

    /// What a thread that spawns has to hold: a Context, where the scheduler knows of one.
    fn enter() -> impl Sized {}
}

static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("requestID");

/// Returns a Context as a service has it: with a user and a request.
pub(crate) fn context() -> Context {
    Context::empty()
        .with_key(&USER_ID, "1234".into())
        .with_key(&REQUEST_ID, Some("4bf92f3577b34da6".into()))
}

/// A runtime with tokio's API, and a type that stands for it.
macro_rules! runtime {
    ($(#[$docs:meta])* $type:ident, $name:literal, $crate_:ident $(, $enter:expr)?) => {
        $(#[$docs])*
        pub struct $type($crate_::runtime::Runtime);

        impl Scheduler for $type {
            const NAME: &'static str = $name;
            type Join<T: Send + 'static> = Unfailing<$crate_::task::JoinHandle<T>>;

            fn start(workers: usize) -> Self {
                let runtime = $crate_::runtime::Builder::new_multi_thread()
                    .worker_threads(workers)
                    .enable_all()
                    .build()
                    .expect("the runtime starts");
                $type(runtime)
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                self.0.block_on(future)
            }

            fn spawn_from_outside<F>(&self, future: F) -> Self::Join<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                Unfailing(self.0.spawn(future))
            }

            fn spawn<F>(future: F) -> Self::Join<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                Unfailing($crate_::task::spawn(future))
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                $crate_::task::yield_now()
            }

            $(
                fn enter() -> impl Sized {
                    $enter
                }
            )?
        }
    };
}

runtime! {
    /// kamon's multi-thread runtime. All its tasks carry a Context with two keys.
    Kamon, "kamon", kamon, kamon::store_context(context())
}

runtime! {
    /// kamon with the Context compiled out of the path.
    WithoutContext, "without", kamon_without_context
}

runtime! {
    /// tokio's multi-thread runtime.
    Tokio, "tokio", tokio
}

/// A future whose errors fail the benchmark.
pub struct Unfailing<F>(F);

impl<F, T, E> Future for Unfailing<F>
where
    F: Future<Output = Result<T, E>> + Unpin,
    E: std::fmt::Debug,
{
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<T> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|result| result.expect("no task fails"))
    }
}

/// One of async-executor's executors, and a type that stands for it.
macro_rules! async_executor {
    ($(#[$docs:meta])* $type:ident, $name:literal, $executor:ident: $executor_type:ty) => {
        static $executor: $executor_type = <$executor_type>::new();

        $(#[$docs])*
        pub struct $type {
            /// The threads run until this is dropped.
            _running: Sender<()>,
        }

        impl Scheduler for $type {
            const NAME: &'static str = $name;
            type Join<T: Send + 'static> = Task<T>;

            fn start(workers: usize) -> Self {
                let (running, stopped) = async_channel::bounded(1);
                for _ in 0..workers {
                    let stopped = stopped.clone();
                    thread::spawn(move || future::block_on($executor.run(stopped.recv())));
                }
                $type { _running: running }
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                future::block_on(future)
            }

            fn spawn_from_outside<F>(&self, future: F) -> Self::Join<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                $executor.spawn(future)
            }

            fn spawn<F>(future: F) -> Self::Join<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                $executor.spawn(future)
            }

            fn detach<T: Send + 'static>(join: Task<T>) {
                join.detach();
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                future::yield_now()
            }
        }
    };
}

async_executor! {
    /// async-executor's `Executor`, run by as many threads as there are workers.
    AsyncExecutor, "async-executor", EXECUTOR: Executor<'static>
}

async_executor! {
    /// async-executor's `StaticExecutor`, run by as many threads as there are workers.
    AsyncExecutorStatic, "async-executor-static", STATIC_EXECUTOR: StaticExecutor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_kamon_carry_the_context() {
        let scheduler = Kamon::start(2);
        let _entered = Kamon::enter();
        let user = scheduler.block_on(scheduler.spawn_from_outside(async {
            Kamon::spawn(async { kamon::current_context().get(&USER_ID).clone() }).await
        }));
        assert_eq!(user, "1234");
    }

    #[test]
    fn without_context_there_is_none() {
        static USER_ID: kamon_without_context::Key<u32> =
            kamon_without_context::Key::local("userID", || 0);
        let scheduler = WithoutContext::start(2);
        let context = kamon_without_context::Context::empty().with_key(&USER_ID, 1234);
        let user = scheduler.block_on(async {
            let task = kamon_without_context::spawn_in(context, async {
                *kamon_without_context::current_context().get(&USER_ID)
            });
            task.await
        });
        assert_eq!(user.ok(), Some(0));
    }
}
