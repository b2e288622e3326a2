//! Building a runtime: what the builder is told is what one gets, and what cannot be is an error.

mod locks;

use std::collections::HashSet;
use std::future::poll_fn;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use kamon::runtime::{worker_index, Builder, Handle, Runtime, RuntimeFlavor};
use kamon::time::Duration;
use locks::Mutex;

/// Both kinds of builder.
fn on_each(test: impl Fn(&mut Builder)) {
    test(&mut Builder::new_current_thread());
    test(Builder::new_multi_thread().worker_threads(2));
}

/// Says that a runtime does what runtimes do.
fn assert_works(runtime: &Runtime) {
    let sum = runtime.block_on(async {
        let task = kamon::spawn(async { 1 });
        let blocking = kamon::spawn_blocking(|| 2);
        kamon::time::sleep(Duration::from_millis(1)).await;
        task.await.unwrap() + blocking.await.unwrap()
    });
    assert_eq!(sum, 3);
}

/// The message of the panic in `f`.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("it should have panicked"),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

/// A counter, and a callback that counts.
fn counter() -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let counter = Arc::new(AtomicUsize::new(0));
    let counted = counter.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    (counter, count)
}

#[test]
fn has_the_workers_asked_for_and_no_others() {
    let (started, start) = counter();
    let (stopped, stop) = counter();
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(start)
        .on_thread_stop(stop)
        .build()
        .unwrap();
    assert_eq!(runtime.metrics().num_workers(), 3);
    // Three that wait for each other need three threads.
    let barrier = Arc::new(Barrier::new(3));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn(async move {
                barrier.wait();
                thread::current().id()
            })
        })
        .collect();
    let threads: HashSet<_> = tasks
        .into_iter()
        .map(|task| futures_lite::future::block_on(task).unwrap())
        .collect();
    assert_eq!(threads.len(), 3);
    assert_eq!(started.load(Ordering::SeqCst), 3);
    drop(runtime);
    assert_eq!(started.load(Ordering::SeqCst), 3);
    assert_eq!(stopped.load(Ordering::SeqCst), 3);
}

#[test]
fn a_builder_builds_as_often_as_it_is_asked() {
    on_each(|builder| {
        let (first, second) = (builder.build().unwrap(), builder.build().unwrap());
        assert_ne!(first.handle().id(), second.handle().id());
        assert_works(&first);
        drop(first);
        assert_works(&second);
    });
}

#[test]
fn flavors_and_names_are_told() {
    on_each(|builder| {
        let runtime = builder.build().unwrap();
        assert_eq!(runtime.handle().name(), None);
        let runtime = builder.name("the one").build().unwrap();
        assert_eq!(runtime.handle().name(), Some("the one"));
        let name = runtime.block_on(async { Handle::current().name().map(str::to_owned) });
        assert_eq!(name.as_deref(), Some("the one"));
    });
    let flavor = |builder: &mut Builder| builder.build().unwrap().handle().runtime_flavor();
    let current_thread = flavor(&mut Builder::new_current_thread());
    assert_eq!(current_thread, RuntimeFlavor::CurrentThread);
    let multi_thread = flavor(Builder::new_multi_thread().worker_threads(1));
    assert_eq!(multi_thread, RuntimeFlavor::MultiThread);
}

#[test]
fn threads_are_named_one_by_one() {
    let number = AtomicUsize::new(0);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name_fn(move || format!("number {}", number.fetch_add(1, Ordering::SeqCst)))
        .build()
        .unwrap();
    let name = || thread::current().name().unwrap().to_owned();
    let mut names: Vec<String> = vec![futures_lite::future::block_on(runtime.spawn_blocking(name))
        .expect("a name never stands in the way")];
    let barrier = Arc::new(Barrier::new(2));
    let tasks = [(); 2].map(|()| {
        let barrier = barrier.clone();
        runtime.spawn(async move {
            barrier.wait();
            name()
        })
    });
    names.extend(tasks.map(|task| futures_lite::future::block_on(task).unwrap()));
    names.sort();
    assert_eq!(names, ["number 0", "number 1", "number 2"]);
}

#[test]
fn a_name_that_the_system_does_not_take_is_an_error_or_another_name() {
    let refused = Builder::new_multi_thread().thread_name("a\0b").build();
    assert!(refused.unwrap_err().to_string().contains("null byte"));
    // The threads of the blocking pool come later, when nobody can be told.
    let runtime = Builder::new_current_thread()
        .thread_name("a\0b")
        .build()
        .unwrap();
    assert_works(&runtime);
}

#[test]
fn a_panic_in_naming_comes_before_anything_is_started() {
    let (started, start) = counter();
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .on_thread_start(start)
        .thread_name_fn(|| std::panic::panic_any("nameless"));
    assert_eq!(panic_of(|| builder.build()), "nameless");
    assert_eq!(started.load(Ordering::SeqCst), 0);
}

#[test]
fn zero_is_refused_in_the_builders_own_words() {
    type Set = fn(&mut Builder) -> &mut Builder;
    let cases: [(Set, &str); 6] = [
        (|b| b.worker_threads(0), "Worker threads cannot be set to 0"),
        (
            |b| b.max_blocking_threads(0),
            "Max blocking threads cannot be set to 0",
        ),
        (
            |b| b.event_interval(0),
            "event_interval must be greater than 0",
        ),
        (
            |b| b.global_queue_interval(0),
            "global_queue_interval must be greater than 0",
        ),
        (
            |b| b.max_io_events_per_tick(0),
            "max_io_events_per_tick must be non-zero",
        ),
        (
            |b| b.max_io_events_per_busy_tick(0),
            "max_io_events_per_busy_tick must be non-zero",
        ),
    ];
    for (set, message) in cases {
        assert_eq!(
            panic_of(|| set(&mut Builder::new_multi_thread()).build()),
            message
        );
    }
    let blank = panic_of(|| Builder::new_current_thread().name(" ").build());
    assert_eq!(blank, "runtime name shouldn't be empty");
}

#[test]
fn absurd_values_make_a_runtime_all_the_same() {
    type Set = fn(&mut Builder) -> &mut Builder;
    let cases: [Set; 11] = [
        |b| b.max_blocking_threads(usize::MAX),
        |b| b.thread_keep_alive(Duration::MAX),
        |b| b.thread_keep_alive(Duration::ZERO),
        |b| b.thread_stack_size(0),
        |b| b.event_interval(1),
        |b| b.event_interval(u32::MAX),
        |b| b.global_queue_interval(1),
        |b| b.global_queue_interval(u32::MAX),
        |b| b.max_io_events_per_tick(usize::MAX),
        |b| b.max_io_events_per_busy_tick(usize::MAX),
        |b| b.thread_name(""),
    ];
    for set in cases {
        on_each(|builder| {
            set(builder);
            assert_works(&builder.build().unwrap());
        });
    }
}

#[test]
fn more_workers_than_any_machine_has_are_an_error() {
    for number in [100_000, usize::MAX] {
        let mut builder = Builder::new_multi_thread();
        let error = builder.worker_threads(number).build().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&number.to_string()), "{error}");
        // It means nothing on a runtime that has none.
        let mut builder = Builder::new_current_thread();
        assert_works(&builder.worker_threads(number).build().unwrap());
    }
}

#[test]
fn a_thread_that_the_system_refuses_is_an_error() {
    let (started, start) = counter();
    let error = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(usize::MAX / 2)
        .on_thread_start(start)
        .build()
        .unwrap_err();
    assert!(
        error.to_string().contains("worker thread 1 of 2"),
        "{error}"
    );
    assert_eq!(started.load(Ordering::SeqCst), 0);
}

#[test]
fn a_worker_that_parks_says_so() {
    on_each(|builder| {
        let (parked, park) = counter();
        let (unparked, unpark) = counter();
        let runtime = builder
            .on_thread_park(park)
            .on_thread_unpark(unpark)
            .build()
            .unwrap();
        let (sender, receiver) = mpsc::channel();
        let task = runtime.spawn(async move {
            kamon::time::sleep(Duration::from_millis(1)).await;
            sender.send(()).unwrap();
        });
        runtime.block_on(task).unwrap();
        receiver.recv().unwrap();
        drop(runtime);
        assert!(parked.load(Ordering::SeqCst) > 0);
        assert!(unparked.load(Ordering::SeqCst) > 0);
    });
}

/// What a park hook wakes must not wait for somebody else to wake the worker: there is nobody.
#[test]
fn a_task_that_a_park_hook_wakes_runs() {
    on_each(|builder| {
        let waiting: Arc<Mutex<Vec<Waker>>> = Arc::default();
        let to_wake = waiting.clone();
        let runtime = builder
            .on_thread_park(move || wake_all(&to_wake))
            .build()
            .unwrap();
        let tasks = [(); 4].map(|()| runtime.spawn(woken(waiting.clone(), 3)));
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

/// The same for a worker that does not wait in the driver, because another one does.
#[test]
fn a_task_that_a_park_hook_wakes_runs_on_a_worker_without_the_driver() {
    let waiting: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let busy: Arc<Mutex<Option<ThreadId>>> = Arc::default();
    let (to_wake, on) = (waiting.clone(), busy.clone());
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_park(move || {
            if *on.lock().unwrap() == Some(thread::current().id()) {
                wake_all(&to_wake);
            }
        })
        .build()
        .unwrap();
    let (ready, is_ready) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let keep_busy = runtime.spawn(async move {
        *busy.lock().unwrap() = Some(thread::current().id());
        ready.send(worker_index().unwrap()).unwrap();
        released.recv().unwrap();
    });
    let other = 1 - is_ready.recv().unwrap();
    // The other one runs this, finds nobody in the driver, and goes there to wait.
    let task = runtime.spawn(woken(waiting.clone(), 1));
    let metrics = runtime.metrics();
    let has_polled = || waiting.lock().unwrap().len() == 1;
    while !has_polled() || metrics.worker_park_unpark_count(other) % 2 == 0 {
        thread::yield_now();
    }
    release.send(()).unwrap();
    futures_lite::future::block_on(async { (keep_busy.await.unwrap(), task.await.unwrap()) });
}

fn wake_all(waiting: &Mutex<Vec<Waker>>) {
    let woken = std::mem::take(&mut *waiting.lock().unwrap());
    woken.into_iter().for_each(Waker::wake);
}

/// Waits until it was woken so many times.
async fn woken(waiting: Arc<Mutex<Vec<Waker>>>, times: usize) {
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        if polls > times {
            return Poll::Ready(());
        }
        waiting.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    })
    .await;
}
