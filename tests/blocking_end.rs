//! Blocking closures can be cancelled until they begin, and end with their runtime.

mod locks;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kamon::runtime::{Builder, Runtime};
use kamon::Key;
use locks::{Condvar, Mutex};

static USER: Key<&'static str> = Key::local("blocking_end user", || "nobody");

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
