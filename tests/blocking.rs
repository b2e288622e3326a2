//! `spawn_blocking`: a bounded pool that belongs to its runtime, carries the Context, can be
//! cancelled as long as a closure has not begun, and ends with the runtime.

use std::collections::HashSet;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kamon::runtime::{Builder, Handle, Runtime};
use kamon::task::JoinSet;
use kamon::Key;

static USER: Key<&'static str> = Key::local("blocking user", || "nobody");

/// Far more than anything here takes; reached only when something is wrong.
const LONG: Duration = Duration::from_secs(60);

fn user() -> &'static str {
    *kamon::current_context().get(&USER)
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

/// A closure that has begun and waits for the word to end.
struct Busy {
    go: Sender<()>,
}

impl Busy {
    fn on(runtime: &Runtime) -> Busy {
        let (go, wait) = channel();
        let (begun, has_begun): (Sender<()>, Receiver<()>) = channel();
        runtime.spawn_blocking(move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        });
        has_begun.recv_timeout(LONG).unwrap();
        Busy { go }
    }

    fn end(self) {
        let _ = self.go.send(());
    }
}

struct Dropped(Arc<Mutex<Vec<&'static str>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(user());
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
fn an_abort_before_the_start_cancels() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let ran = Arc::new(AtomicBool::new(false));
    let runtime = builder().build().unwrap();
    let busy = Busy::on(&runtime);
    let (guard, of_closure) = (Dropped(drops.clone()), ran.clone());
    let waiting = as_user("ada", || {
        runtime.spawn_blocking(move || {
            let _guard = guard;
            of_closure.store(true, Ordering::SeqCst);
        })
    });
    assert_eq!(runtime.metrics().blocking_queue_depth(), 1);
    waiting.abort();
    busy.end();
    assert!(runtime.block_on(waiting).unwrap_err().is_cancelled());
    assert!(!ran.load(Ordering::SeqCst));
    assert_eq!(*drops.lock().unwrap(), ["ada"]);
}

#[test]
fn an_abort_after_the_start_does_nothing() {
    let runtime = builder().build().unwrap();
    let (go, wait) = channel::<()>();
    let (begun, has_begun) = channel::<()>();
    let handle = runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        wait.recv_timeout(LONG).is_ok()
    });
    has_begun.recv_timeout(LONG).unwrap();
    handle.abort();
    assert!(!handle.is_finished());
    go.send(()).unwrap();
    assert!(runtime.block_on(handle).unwrap());
}

#[test]
fn results_that_nobody_claims_are_dropped_in_their_context() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let runtime = builder().build().unwrap();
    let output = Dropped(drops.clone());
    as_user("ada", || drop(runtime.spawn_blocking(move || output)));
    drop(runtime);
    assert_eq!(*drops.lock().unwrap(), ["ada"]);
}

#[test]
fn shutdown_cancels_what_waits_and_waits_for_what_runs() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let stopped = Arc::new(AtomicUsize::new(0));
    let of_hook = stopped.clone();
    let runtime = builder()
        .on_thread_stop(move || count(&of_hook))
        .build()
        .unwrap();
    let finished = Arc::new(AtomicBool::new(false));
    let (go, wait) = channel::<()>();
    let (begun, has_begun) = channel::<()>();
    let of_closure = finished.clone();
    runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        wait.recv_timeout(LONG).unwrap();
        of_closure.store(true, Ordering::SeqCst);
    });
    has_begun.recv_timeout(LONG).unwrap();
    let guard = Dropped(drops.clone());
    let (cancelled, is_cancelled) = channel();
    let waiting = as_user("ada", || runtime.spawn_blocking(move || drop(guard)));
    let observer = thread::spawn(move || {
        let result = futures_lite::future::block_on(waiting);
        cancelled.send(result.unwrap_err().is_cancelled()).unwrap();
        // Only now may the running closure end, so `drop` has cancelled before it waited.
        go.send(()).unwrap();
    });
    drop(runtime);
    assert!(is_cancelled.recv_timeout(LONG).unwrap());
    assert!(finished.load(Ordering::SeqCst));
    assert_eq!(stopped.load(Ordering::SeqCst), 1, "the thread has ended");
    assert_eq!(*drops.lock().unwrap(), ["ada"]);
    observer.join().unwrap();
}

#[test]
fn shutdown_waits_no_longer_than_told() {
    let runtime = builder().build().unwrap();
    let busy = Busy::on(&runtime);
    let start = Instant::now();
    runtime.shutdown_timeout(Duration::from_millis(10));
    assert!(start.elapsed() >= Duration::from_millis(10));
    assert!(start.elapsed() < LONG);
    busy.end();

    let runtime = builder().build().unwrap();
    let busy = Busy::on(&runtime);
    runtime.shutdown_background();
    busy.end();
}

#[test]
fn after_the_shutdown_closures_are_cancelled() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let runtime = builder().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let guard = Dropped(drops.clone());
    let task = as_user("late", || handle.spawn_blocking(move || drop(guard)));
    assert!(futures_lite::future::block_on(task)
        .unwrap_err()
        .is_cancelled());
    assert_eq!(*drops.lock().unwrap(), ["late"]);
}

#[test]
fn a_closure_may_drop_its_own_runtime() {
    let runtime = Arc::new(builder().build().unwrap());
    let (done, is_done) = channel();
    let inner = runtime.clone();
    let gone = Arc::new((Mutex::new(false), Condvar::new()));
    let of_closure = gone.clone();
    runtime.spawn_blocking(move || {
        let (flag, changed) = &*of_closure;
        let mut flag = flag.lock().unwrap();
        while !*flag {
            flag = changed.wait(flag).unwrap();
        }
        let runtime = Arc::into_inner(inner).expect("the last one");
        drop(runtime);
        done.send(()).unwrap();
    });
    drop(runtime);
    *gone.0.lock().unwrap() = true;
    gone.1.notify_all();
    is_done.recv_timeout(LONG).unwrap();
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

#[test]
fn without_a_thread_spawning_panics() {
    // More stack than there is address space: the system refuses the thread.
    let runtime = builder().thread_stack_size(1 << 46).build().unwrap();
    let drops = Arc::new(Mutex::new(Vec::new()));
    let guard = Dropped(drops.clone());
    let payload = catch_unwind(AssertUnwindSafe(|| {
        drop(runtime.spawn_blocking(move || drop(guard)))
    }))
    .unwrap_err();
    let message = payload.downcast::<String>().unwrap();
    assert!(
        message.starts_with("OS can't spawn worker thread: "),
        "{message}"
    );
    assert_eq!(
        drops.lock().unwrap().len(),
        1,
        "the closure does not wait for ever"
    );
}
