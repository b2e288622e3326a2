//! Putting a runtime together.

use std::io;
use std::sync::Weak;

use crate::executor::blocking::{Around, BlockingConfig, BlockingPool};
use crate::executor::config::Config;
use crate::executor::core::{Core, OwnedCore};
use crate::executor::driver::DriverOptions;
use crate::executor::enter::Entrance;
use crate::executor::global::{default_worker_threads, processors};
use crate::executor::looks::Looks;
use crate::executor::runtime::{Builder, Handle, LocalOptions, LocalRuntime, Runtime};
use crate::executor::shared::{Parts, Shared};
use crate::executor::threads;
use crate::sync::{scaled, Arc, Mutex};
use crate::time::{Clock, Host, Timers};

/// The most worker threads: more than any machine has, and less than the idle word can count.
const MAX_WORKERS: usize = 32_768;
/// After how many turns a worker looks at the injector first, unless the builder says otherwise.
const GLOBAL_QUEUE_INTERVAL: u32 = 8;

/// How many threads in `block_on` can have a queue of their own at the same time.
const GUESTS: usize = scaled(4);

impl Builder {
    /// Builds the runtime and starts its threads.
    ///
    /// # Errors
    ///
    /// When the system refuses what the runtime needs (threads, descriptors), when more than
    /// 32,768 worker threads are asked for, or when a thread's name contains a null byte. Nothing
    /// is left running then.
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
        let names = self.names(workers)?;
        let driver = crate::make_driver(&DriverOptions {
            max_blocking_threads: self.max_blocking_threads,
            thread_name: self.thread_name.clone(),
            max_io_events: self.max_io_events,
            max_io_events_busy: self.max_io_events_busy,
        })?;
        let timers = Timers::new(scaled(workers + 2), self.clock());
        let home = Arc::new(Mutex::new(Weak::new()));
        let total = if self.multi_thread {
            workers + GUESTS
        } else {
            1
        };
        let (shared, mut cores) = Shared::new(Parts {
            config: self.config(workers),
            cores: (0..total)
                .map(|index| OwnedCore::new(Core::new(index, Looks::new(self.look_period))))
                .collect(),
            driver,
            timers: timers.clone(),
            blocking: BlockingPool::new(self.blocking_config(&timers), inside(home.clone())),
        });
        *home.lock() = Arc::downgrade(&shared);
        let host: Arc<dyn Host> = shared.clone();
        timers.set_host(Arc::downgrade(&host));

        let handle = Handle::new(shared.clone());
        if !self.multi_thread {
            shared.spare.lock().cores = cores;
            return Ok(Runtime::from_parts(handle, Vec::new()));
        }
        let mut guests = cores.split_off(workers);
        // They are lent from the end: the first ones first.
        guests.reverse();
        shared.spare.lock().cores = guests;
        let threads = threads::start(&shared, cores, names, self.thread_stack_size)?;
        Ok(Runtime::from_parts(handle, threads))
    }

    /// Builds a current-thread runtime that also runs tasks which are not `Send`.
    ///
    /// # Errors
    ///
    /// When the system refuses what the runtime needs.
    ///
    /// # Panics
    ///
    /// If the builder was made for a multi-thread runtime: local tasks need a thread of their own.
    #[track_caller]
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        let LocalOptions { .. } = options;
        assert!(
            !self.multi_thread,
            "multi_thread is not supported for LocalRuntime"
        );
        self.build().map(LocalRuntime::over)
    }

    /// The workers' names. Asked for before anything is there that a panic would leave behind.
    fn names(&self, workers: usize) -> io::Result<Vec<String>> {
        let names: Vec<String> = (0..workers).map(|_| (self.thread_name)()).collect();
        if names.iter().any(|name| name.contains('\0')) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a thread's name contains a null byte",
            ));
        }
        Ok(names)
    }

    fn config(&self, workers: usize) -> Config {
        Config {
            workers,
            // To a model the processors are threads of its own.
            crowded: !cfg!(kamon_loom) && workers >= processors(),
            guests_help: self.thread_stack_size.is_none() && self.on_start.is_none(),
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

    fn blocking_config(&self, timers: &Arc<Timers>) -> BlockingConfig {
        BlockingConfig {
            timers: timers.clone(),
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
