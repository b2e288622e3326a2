//! Building a runtime.

use std::fmt;
use std::io;
use std::sync::Weak;
use std::time::Duration;

use crate::executor::blocking::{Around, BlockingConfig, BlockingPool};
use crate::executor::config::{Config, ThreadHook};
use crate::executor::core::{Core, OwnedCore};
use crate::executor::driver::DriverOptions;
use crate::executor::enter::Entrance;
use crate::executor::global::default_worker_threads;
use crate::executor::runtime::{Handle, Runtime};
use crate::executor::shared::{Parts, Shared};
use crate::executor::threads;
use crate::sync::{Arc, Mutex};
use crate::task::{Hooks, TaskMeta};
use crate::time::{Clock, Host, Timers};

/// Builds a [`Runtime`] with settings of one's own.
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
    multi_thread: bool,
    worker_threads: Option<usize>,
    max_blocking_threads: usize,
    keep_alive: Duration,
    thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    thread_stack_size: Option<usize>,
    name: Option<String>,
    event_interval: u32,
    global_queue_interval: Option<u32>,
    max_io_events: usize,
    on_start: Option<ThreadHook>,
    on_stop: Option<ThreadHook>,
    on_park: Option<ThreadHook>,
    on_unpark: Option<ThreadHook>,
    task_hooks: Hooks,
    start_paused: bool,
}

/// The most worker threads: more than any machine has, and less than the idle word can count.
const MAX_WORKERS: usize = 32_768;
/// After how many turns a worker looks at the injector first, unless the builder says otherwise.
const GLOBAL_QUEUE_INTERVAL: u32 = 31;
/// After how many turns a worker looks at the outside world.
const EVENT_INTERVAL: u32 = 61;

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
            global_queue_interval: None,
            max_io_events: 1024,
            on_start: None,
            on_stop: None,
            on_park: None,
            on_unpark: None,
            task_hooks: Hooks::default(),
            start_paused: false,
        }
    }

    /// Starts a runtime whose tasks run on the thread that calls
    /// [`block_on`](Runtime::block_on), and only while it does.
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

    /// Names the runtime, for [`Handle::name`].
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

    /// Sets the size of the threads' stacks, in bytes; by default the standard library's.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.thread_stack_size = Some(bytes);
        self
    }

    /// Sets a function that every worker and every thread of the blocking pool runs first.
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_start = Some(Arc::new(f));
        self
    }

    /// Sets a function that every worker and every thread of the blocking pool runs last.
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

    /// Sets a function that runs when a task is spawned, on the thread that spawns it.
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

    /// Sets after how many turns a worker looks at the global queue first; by default 31.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn global_queue_interval(&mut self, turns: u32) -> &mut Self {
        assert!(turns > 0, "global_queue_interval must be greater than 0");
        self.global_queue_interval = Some(turns);
        self
    }

    /// Sets after how many turns a worker looks at timers and sockets; by default 61.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn event_interval(&mut self, turns: u32) -> &mut Self {
        assert!(turns > 0, "event_interval must be greater than 0");
        self.event_interval = turns;
        self
    }

    /// Sets how many events the driver takes from the system at once; by default 1024.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, events: usize) -> &mut Self {
        assert!(events > 0, "max_io_events_per_tick must be non-zero");
        self.max_io_events = events;
        self
    }

    /// Sets whether the clock stands still from the beginning, as after
    /// [`time::pause`](crate::time::pause). For tests, on a current-thread runtime.
    #[cfg(feature = "test-util")]
    pub fn start_paused(&mut self, paused: bool) -> &mut Self {
        self.start_paused = paused;
        self
    }

    /// Builds the runtime and starts its threads.
    ///
    /// # Errors
    ///
    /// When the system refuses what the runtime needs (threads, descriptors), or when more than
    /// 32,768 worker threads are asked for. Nothing is left running then.
    ///
    /// # Panics
    ///
    /// If the clock is to start paused on a multi-thread runtime, or if the number of workers
    /// comes from `KAMON_WORKER_THREADS` and that is not a positive number.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        let workers = if self.multi_thread {
            self.worker_threads.unwrap_or_else(default_worker_threads)
        } else {
            0
        };
        if workers > MAX_WORKERS {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("worker_threads({workers}) is more than {MAX_WORKERS}"),
            ));
        }
        let driver = crate::make_driver(&DriverOptions {
            max_blocking_threads: self.max_blocking_threads,
            thread_name: self.thread_name.clone(),
            max_io_events: self.max_io_events,
        })?;
        let timers = Timers::new(workers + 2, self.clock());
        let home = Arc::new(Mutex::new(Weak::new()));
        let (shared, cores) = Shared::new(Parts {
            config: self.config(workers),
            cores: (0..workers.max(1)).map(|index| OwnedCore::new(Core::new(index))).collect(),
            driver,
            timers: timers.clone(),
            blocking: BlockingPool::new(self.blocking_config(), inside(home.clone())),
        });
        *home.lock() = Arc::downgrade(&shared);
        let host: Arc<dyn Host> = shared.clone();
        timers.set_host(Arc::downgrade(&host));

        let handle = Handle::new(shared.clone());
        if !self.multi_thread {
            shared.spare_core.lock().core = cores.into_iter().next();
            return Ok(Runtime::from_parts(handle, Vec::new()));
        }
        let threads = threads::start(&shared, cores, &*self.thread_name, self.thread_stack_size)?;
        Ok(Runtime::from_parts(handle, threads))
    }

    fn config(&self, workers: usize) -> Config {
        Config {
            workers,
            name: self.name.clone(),
            event_interval: self.event_interval,
            global_queue_interval: self.global_queue_interval.unwrap_or(GLOBAL_QUEUE_INTERVAL),
            on_start: self.on_start.clone(),
            on_stop: self.on_stop.clone(),
            on_park: self.on_park.clone(),
            on_unpark: self.on_unpark.clone(),
            hooked: self.task_hooks.any(),
            task_hooks: self.task_hooks.clone(),
        }
    }

    fn blocking_config(&self) -> BlockingConfig {
        BlockingConfig {
            max_threads: self.max_blocking_threads,
            keep_alive: self.keep_alive,
            thread_name: self.thread_name.clone(),
            stack_size: self.thread_stack_size,
            on_start: self.on_start.clone(),
            on_stop: self.on_stop.clone(),
            hooks: self.task_hooks.clone(),
        }
    }

    fn clock(&self) -> Clock {
        Clock::new(!self.multi_thread, self.start_paused)
    }
}

/// Enters the runtime, once it is there, around the life of a thread of its blocking pool.
fn inside(home: Arc<Mutex<Weak<Shared>>>) -> Around {
    Arc::new(move |run: &mut dyn FnMut()| {
        let shared = home.lock().upgrade();
        match &shared {
            Some(shared) => {
                let _entrance = Entrance::new(shared);
                run();
            }
            None => run(),
        }
    })
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
