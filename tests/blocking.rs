//! `spawn_blocking`: a bounded pool of threads that belong to their runtime and carry the Context.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use kamon::runtime::{Builder, Handle};
use kamon::task::JoinSet;
use kamon::Key;

static USER: Key<&'static str> = Key::local("blocking user", || "nobody");

/// Far more than anything here takes; reached only when something is wrong.
const LONG: Duration = Duration::from_secs(60);

fn user() -> &'static str {
    kamon::current_context().get::<&'static str>(&USER)
}

fn as_user<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    kamon::with_context_key(&USER, name, f)
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}

fn builder() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.max_blocking_threads(1);
    builder
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "{what}");
        thread::yield_now();
    }
}

#[test]
fn closures_run_elsewhere_in_the_context_of_the_call() {
    let runtime = builder().build().unwrap();
    let this_thread = thread::current().id();
    let handle = as_user("ada", || {
        runtime.spawn_blocking(move || {
            assert_ne!(thread::current().id(), this_thread);
            // The runtime is entered, the closure is a task, and what it spawns inherits.
            let nested = Handle::current().spawn_blocking(user);
            (user(), kamon::task::id(), nested)
        })
    });
    let expected = handle.id();
    let (seen, id, nested) = runtime.block_on(handle).unwrap();
    assert_eq!((seen, id), ("ada", expected));
    assert_eq!(runtime.block_on(nested).unwrap(), "ada");
    // The thread keeps nothing of it.
    assert_eq!(
        runtime.block_on(runtime.spawn_blocking(user)).unwrap(),
        "nobody"
    );
}

#[test]
fn a_panic_is_an_error_and_the_thread_survives() {
    let runtime = builder().build().unwrap();
    let first = runtime
        .block_on(runtime.spawn_blocking(|| thread::current().id()))
        .unwrap();
    let bad = runtime.spawn_blocking(|| panic!("on purpose"));
    assert!(runtime.block_on(bad).unwrap_err().is_panic());
    let last = runtime
        .block_on(runtime.spawn_blocking(|| thread::current().id()))
        .unwrap();
    assert_eq!(first, last);
}

#[test]
fn no_more_threads_than_allowed_and_no_fewer() {
    const LIMIT: usize = 3;
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(LIMIT)
        .build()
        .unwrap();
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    // Each round needs all three threads at the same time.
    let barrier = Arc::new(Barrier::new(LIMIT));
    let handles: Vec<_> = (0..LIMIT * 10)
        .map(|_| {
            let (running, most, barrier) = (running.clone(), most.clone(), barrier.clone());
            runtime.spawn_blocking(move || {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                barrier.wait();
                running.fetch_sub(1, Ordering::SeqCst);
                thread::current().id()
            })
        })
        .collect();
    let threads: HashSet<_> = handles
        .into_iter()
        .map(|handle| runtime.block_on(handle).unwrap())
        .collect();
    assert_eq!(threads.len(), LIMIT);
    assert_eq!(most.load(Ordering::SeqCst), LIMIT);
    assert_eq!(runtime.metrics().num_blocking_threads(), LIMIT);
}

#[test]
fn idle_threads_are_used_again_and_leave_in_time() {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(100)
        .thread_keep_alive(LONG)
        .build()
        .unwrap();
    let first = runtime
        .block_on(runtime.spawn_blocking(|| thread::current().id()))
        .unwrap();
    for _ in 0..20 {
        eventually("the thread rests", || {
            runtime.metrics().num_idle_blocking_threads() == 1
        });
        let next = runtime
            .block_on(runtime.spawn_blocking(|| thread::current().id()))
            .unwrap();
        assert_eq!(next, first);
    }

    let stopped = Arc::new(AtomicUsize::new(0));
    let of_hook = stopped.clone();
    let runtime = Builder::new_current_thread()
        .thread_keep_alive(Duration::from_millis(1))
        .on_thread_stop(move || count(&of_hook))
        .build()
        .unwrap();
    for round in 1..=5 {
        runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
        eventually("the thread leaves", || {
            stopped.load(Ordering::SeqCst) == round
        });
        assert_eq!(runtime.metrics().num_blocking_threads(), 0);
        assert_eq!(runtime.metrics().num_idle_blocking_threads(), 0);
    }
}

#[test]
fn a_call_that_meets_a_leaving_thread_is_answered() {
    // The keep-alive runs out at about the time of the next call, again and again.
    let runtime = builder()
        .thread_keep_alive(Duration::from_micros(50))
        .build()
        .unwrap();
    for round in 0..2000_u64 {
        assert_eq!(
            runtime
                .block_on(runtime.spawn_blocking(move || round))
                .unwrap(),
            round
        );
        let pause = Instant::now();
        while pause.elapsed() < Duration::from_micros(round % 100) {
            std::hint::spin_loop();
        }
    }
}

#[test]
fn threads_have_names_and_callbacks() {
    let started = Arc::new(AtomicUsize::new(0));
    let stopped = Arc::new(AtomicUsize::new(0));
    let number = AtomicUsize::new(0);
    let (of_start, of_stop) = (started.clone(), stopped.clone());
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(2)
        .thread_name_fn(move || format!("pool-{}", number.fetch_add(1, Ordering::SeqCst)))
        .on_thread_start(move || count(&of_start))
        .on_thread_stop(move || count(&of_stop))
        .build()
        .unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let handles: Vec<_> = (0..2)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn_blocking(move || {
                barrier.wait();
                thread::current().name().unwrap().to_owned()
            })
        })
        .collect();
    let mut names: Vec<_> = handles
        .into_iter()
        .map(|h| runtime.block_on(h).unwrap())
        .collect();
    names.sort();
    assert!(
        names.iter().all(|name| name.starts_with("pool-")),
        "{names:?}"
    );
    assert_ne!(names[0], names[1]);
    assert_eq!(started.load(Ordering::SeqCst), 2);
    drop(runtime);
    assert_eq!(stopped.load(Ordering::SeqCst), 2);
}

#[test]
fn a_name_function_may_ask_for_metrics() {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    let (done, named) = mpsc::channel();
    // In a thread of its own, which is left alone if it does not come back.
    thread::spawn(move || {
        let runtime = builder()
            .thread_name_fn(|| match HANDLE.get() {
                Some(handle) => format!("pool-{}", handle.metrics().num_blocking_threads()),
                None => String::from("worker"),
            })
            .build()
            .unwrap();
        HANDLE.set(runtime.handle().clone()).unwrap();
        let name = runtime.spawn_blocking(|| thread::current().name().unwrap().to_owned());
        done.send(runtime.block_on(name).unwrap()).unwrap();
    });
    let name = named.recv_timeout(LONG).expect("it waits for itself");
    assert_eq!(name, "pool-0");
}

#[test]
fn callbacks_that_panic_harm_nobody() {
    let runtime = builder()
        .thread_name_fn(|| panic!("on purpose"))
        .on_thread_start(|| panic!("on purpose"))
        .on_thread_stop(|| panic!("on purpose"))
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 1)).unwrap(), 1);
    drop(runtime);
}

#[test]
fn closures_have_no_budget_to_run_out_of() {
    let runtime = builder().build().unwrap();
    let joined = runtime.spawn_blocking(|| {
        // An executor that knows nothing of budgets never gives a new one.
        futures_lite::future::block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..300 {
                set.spawn(async {});
            }
            let mut joined = 0;
            while set.join_next().await.is_some() {
                joined += 1;
            }
            joined
        })
    });
    assert_eq!(runtime.block_on(joined).unwrap(), 300);
}

#[test]
fn a_closure_can_block_on_its_runtime() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let seen = as_user("ada", || {
        runtime.spawn_blocking(|| {
            Handle::current()
                .block_on(async { (user(), kamon::spawn(async { user() }).await.unwrap()) })
        })
    });
    assert_eq!(runtime.block_on(seen).unwrap(), ("ada", "ada"));
}

#[test]
fn many_threads_spawn_at_once() {
    let runtime = Arc::new(
        Builder::new_current_thread()
            .max_blocking_threads(4)
            .build()
            .unwrap(),
    );
    let sum = Arc::new(AtomicUsize::new(0));
    let spawners: Vec<_> = (0..4)
        .map(|_| {
            let (runtime, sum) = (runtime.clone(), sum.clone());
            thread::spawn(move || {
                let handles: Vec<_> = (0..500)
                    .map(|_| {
                        let sum = sum.clone();
                        runtime.spawn_blocking(move || count(&sum))
                    })
                    .collect();
                for handle in handles {
                    futures_lite::future::block_on(handle).unwrap();
                }
            })
        })
        .collect();
    for spawner in spawners {
        spawner.join().unwrap();
    }
    assert_eq!(sum.load(Ordering::SeqCst), 2000);
}
