//! `Builder`: what kind of runtime, how many threads, and what they are like.

use std::fmt;
use std::time::Duration;

use crate::executor::config::ThreadHook;
use crate::executor::looks;
use crate::sync::Arc;
use crate::task::Hooks;

/// Builds a [`Runtime`](crate::runtime::Runtime) with settings of one's own.
///
/// The names and defaults are those of tokio's builder. Settings that mean nothing here are
/// accepted, so that a program can change over, and say so in their documentation.
///
/// # Examples
///
/// ```
/// let runtime = kamon::runtime::Builder::new_multi_thread()
///     .worker_threads(4)
///     .thread_name("my-service")
///     .enable_all()
///     .build()?;
/// # drop(runtime);
/// # std::io::Result::Ok(())
/// ```
pub struct Builder {
    pub(super) multi_thread: bool,
    pub(super) worker_threads: Option<usize>,
    pub(super) max_blocking_threads: usize,
    pub(super) keep_alive: Duration,
    pub(super) thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    pub(super) thread_stack_size: Option<usize>,
    pub(super) name: Option<String>,
    pub(super) event_interval: u32,
    /// How long after a look the next one is due at the earliest, however many turns there were.
    pub(super) look_period: Duration,
    pub(super) global_queue_interval: Option<u32>,
    pub(super) max_io_events: usize,
    pub(super) max_io_events_busy: Option<usize>,
    pub(super) on_start: Option<ThreadHook>,
    pub(super) on_stop: Option<ThreadHook>,
    pub(super) on_park: Option<ThreadHook>,
    pub(super) on_unpark: Option<ThreadHook>,
    pub(super) task_hooks: Hooks,
    pub(super) start_paused: bool,
}

/// After how many turns a worker looks at the outside world.
const EVENT_INTERVAL: u32 = 61;

/// The smallest stack that a thread gets, in bytes.
const SMALLEST_STACK: usize = 128 * 1024;

impl Builder {
    fn new(multi_thread: bool) -> Builder {
        Builder {
            multi_thread,
            worker_threads: None,
            max_blocking_threads: 512,
            keep_alive: Duration::from_secs(10),
            thread_name: Arc::new(|| "kamon-worker".into()),
            thread_stack_size: None,
            name: None,
            event_interval: EVENT_INTERVAL,
            look_period: match multi_thread {
                true => looks::PERIOD,
                false => Duration::ZERO,
            },
            global_queue_interval: None,
            max_io_events: 1024,
            max_io_events_busy: None,
            on_start: None,
            on_stop: None,
            on_park: None,
            on_unpark: None,
            task_hooks: Hooks::default(),
            start_paused: false,
        }
    }

    /// Starts a runtime whose tasks run on the thread that calls
    /// [`block_on`](crate::runtime::Runtime::block_on), and only while it does.
    pub fn new_current_thread() -> Builder {
        Builder::new(false)
    }

    /// Starts a runtime whose tasks run on worker threads.
    pub fn new_multi_thread() -> Builder {
        Builder::new(true)
    }

    /// Does nothing: timers are always there, and sockets are with the feature `tokio`.
    pub fn enable_all(&mut self) -> &mut Self {
        self
    }

    /// Does nothing: sockets are always there with the feature `tokio`.
    pub fn enable_io(&mut self) -> &mut Self {
        self
    }

    /// Does nothing: timers are always there.
    pub fn enable_time(&mut self) -> &mut Self {
        self
    }

    /// Sets the number of worker threads. A current-thread runtime has none, whatever is set.
    ///
    /// The default is the environment variable `KAMON_WORKER_THREADS`, or one for each core.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn worker_threads(&mut self, number: usize) -> &mut Self {
        assert!(number > 0, "Worker threads cannot be set to 0");
        self.worker_threads = Some(number);
        self
    }

    /// Sets the most threads that the blocking pool may have; by default 512.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, number: usize) -> &mut Self {
        assert!(number > 0, "Max blocking threads cannot be set to 0");
        self.max_blocking_threads = number;
        self
    }

    /// Sets for how long an idle thread of the blocking pool stays; by default 10 seconds.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.keep_alive = duration;
        self
    }

    /// Sets the name of the threads; by default `kamon-worker`.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Sets a function that names the threads one by one.
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.thread_name = Arc::new(f);
        self
    }

    /// Names the runtime, for [`Handle::name`](crate::runtime::Handle::name).
    ///
    /// # Panics
    ///
    /// If the name is blank.
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// Sets the size of the threads' stacks, in bytes; by default the standard library's. With less
    /// than 128 KiB they get that much, since a thread needs some before it comes to the first task.
    ///
    /// A thread in `block_on` has the stack that it has, so on a multi-thread runtime where this is set
    /// it runs no tasks: see [`Runtime::block_on`](crate::runtime::Runtime::block_on).
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.thread_stack_size = Some(bytes.max(SMALLEST_STACK));
        self
    }

    /// Sets whether the clock stands still from the beginning, as after
    /// [`time::pause`](crate::time::pause). For tests, on a current-thread runtime.
    #[cfg(feature = "test-util")]
    pub fn start_paused(&mut self, paused: bool) -> &mut Self {
        self.start_paused = paused;
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("multi_thread", &self.multi_thread)
            .field("worker_threads", &self.worker_threads)
            .field("max_blocking_threads", &self.max_blocking_threads)
            .field("event_interval", &self.event_interval)
            .field("global_queue_interval", &self.global_queue_interval)
            .finish_non_exhaustive()
    }
}
