//! What a runtime calls back at its threads' and its tasks' turning points.

use std::time::Duration;

use crate::executor::runtime::Builder;
use crate::sync::Arc;
use crate::task::{Attribution, TaskMeta};

impl Builder {
    /// Sets a function that every worker and every thread of the blocking pool runs first, once.
    ///
    /// A thread in `block_on` does not run it, and so runs no tasks of a multi-thread runtime that has
    /// such a function: see [`Runtime::block_on`](crate::runtime::Runtime::block_on).
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_start = Some(Arc::new(f));
        self
    }

    /// Sets a function that every worker and every thread of the blocking pool runs last, once.
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_stop = Some(Arc::new(f));
        self
    }

    /// Sets a function that a worker runs before it goes to sleep.
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_park = Some(Arc::new(f));
        self
    }

    /// Sets a function that a worker runs after it has slept.
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_unpark = Some(Arc::new(f));
        self
    }

    /// Says of each span what the executor did for it: how long its tasks ran, how long they waited
    /// for a worker after they had been woken, how long they waited to be woken, and how often they
    /// were polled. Off by default, and then it costs nothing.
    ///
    /// The four are in [`SpanRecord::work`](crate::trace::SpanRecord), and the first three are recorded
    /// by operation in the timers `span.cpu-time`, `span.queue-time` and `span.await-time`.
    ///
    /// Time belongs to the span that is innermost: during a poll the current span, be it current by
    /// [`in_span`](crate::ContextFutureExt::in_span), by [`with_span`](crate::with_span) or by the
    /// Context that the task carries; between two polls the innermost span whose future returned
    /// `Pending`. A child task carries its parent's span unless it has one of its own, and what it does
    /// is then charged to that one too, so that the sum may exceed the span's duration. The time of a
    /// poll is what the clock says, also while the system gives the processor to somebody else.
    /// Closures of the blocking pool count as tasks, and so does the future of a `block_on`. Local tasks
    /// do if they are spawned while such a runtime is current.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::ContextFutureExt as _;
    ///
    /// let runtime = kamon::runtime::Builder::new_multi_thread()
    ///     .worker_threads(1)
    ///     .attribute_latency(true)
    ///     .build()?;
    /// let span = kamon::build_span("find-users").start();
    /// let trace = span.trace_id();
    /// let find = async { kamon::task::yield_now().await }.in_span(span);
    /// runtime.block_on(runtime.spawn(find)).unwrap();
    ///
    /// kamon::flush();
    /// let spans = kamon::recent_spans();
    /// let span = spans.iter().find(|span| span.trace_id == trace).unwrap();
    /// assert_eq!(span.work.polls, 2);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn attribute_latency(&mut self, on: bool) -> &mut Self {
        self.task_hooks.attribution = match (on, self.task_hooks.attribution) {
            (true, None) => Some(Attribution::default()),
            (true, kept) => kept,
            (false, _) => None,
        };
        self
    }

    /// Remarks upon polls that last longer than `longest`: the current span gets the mark
    /// `long-poll`, and the counter `executor.long-polls` counts them by operation and by the place
    /// where the task was spawned. Such a poll keeps a worker from all other tasks.
    ///
    /// Switches [`attribute_latency`](Self::attribute_latency) on.
    pub fn long_poll_threshold(&mut self, longest: Duration) -> &mut Self {
        self.task_hooks.attribution = Some(Attribution {
            longest_poll: Some(longest),
        });
        self
    }

    /// Sets a function that runs when a task is spawned, on the thread that spawns it, in the task's
    /// Context.
    ///
    /// Here and in the other task hooks: a hook that panics is contained, and harms neither the
    /// task nor its worker.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = kamon::runtime::Builder::new_current_thread()
    ///     .on_task_spawn(|task| println!("{} spawned at {}", task.id(), task.spawned_at()))
    ///     .build()?;
    /// runtime.block_on(async { kamon::spawn(async {}).await }).unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.task_hooks.spawn = Some(Arc::new(f));
        self
    }

    /// Sets a function that runs before each poll of a task, in the task's Context.
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.task_hooks.before_poll = Some(Arc::new(f));
        self
    }

    /// Sets a function that runs after each poll of a task, in the task's Context.
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.task_hooks.after_poll = Some(Arc::new(f));
        self
    }

    /// Sets a function that runs when a task has ended, its future dropped, in its Context.
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.task_hooks.terminate = Some(Arc::new(f));
        self
    }
}
