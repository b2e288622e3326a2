//! The global runtime: there for everybody who has built none, from the first use on.

mod witness;

use std::process::{Command, Output};

use kamon::runtime::{Handle, RuntimeFlavor};
use kamon::time::{call_later, sleep, Duration};
use kamon::{current_context, with_context};
use witness::{current, request, workers, Log};

#[test]
fn is_there_for_all_threads() {
    assert!(Handle::try_current().is_err());
    let here = kamon::block_on(kamon::spawn(async { Handle::current().id() }));
    let there = std::thread::spawn(|| kamon::block_on(async { Handle::current().id() }));
    assert_eq!(here.unwrap(), there.join().unwrap());
    let flavor = kamon::block_on(async { Handle::current().runtime_flavor() });
    assert_eq!(flavor, RuntimeFlavor::MultiThread);
    assert!(Handle::try_current().is_err(), "it is not entered outside");
}

#[test]
fn carries_the_context_like_any_other() {
    let log = Log::new();
    let told = log.clone();
    let seen = with_context(request(1), || {
        drop(call_later(Duration::from_millis(1), move || {
            told.note("called")
        }));
        kamon::block_on(async {
            sleep(Duration::from_millis(1)).await;
            let task = kamon::spawn(async { current() });
            let blocking = kamon::spawn_blocking(current);
            let root = kamon::spawn_root(async { current_context().is_empty() });
            (
                current(),
                task.await.unwrap(),
                blocking.await.unwrap(),
                root.await.unwrap(),
            )
        })
    });
    assert_eq!(seen, (1, 1, 1, true));
    log.wait("called", 1);
    assert_eq!(log.once("called").request, 1);
}

#[test]
fn is_not_where_another_one_is_entered() {
    let runtime = workers(1);
    let global = kamon::block_on(async { Handle::current().id() });
    let _guard = runtime.enter();
    let task = kamon::spawn(async { Handle::current().id() });
    let blocking = kamon::spawn_blocking(|| Handle::current().id());
    let (task, blocking) = runtime.block_on(async { (task.await, blocking.await) });
    assert_eq!(task.unwrap(), runtime.handle().id());
    assert_eq!(blocking.unwrap(), runtime.handle().id());
    assert_ne!(runtime.handle().id(), global);
}

#[test]
fn what_is_polled_elsewhere_goes_by_its_clock() {
    // No runtime is entered, and another executor polls.
    futures_lite::future::block_on(sleep(Duration::from_millis(1)));
    let task = kamon::spawn(async { 7 });
    assert_eq!(futures_lite::future::block_on(task).unwrap(), 7);
}

/// Variable that tells a test that it is the one in the other process.
const CHILD: &str = "KAMON_TEST_CHILD";

/// Runs one test of this file in a process of its own, with a number of worker threads.
fn child(test: &str, threads: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("KAMON_WORKER_THREADS", threads)
        .env(CHILD, "yes")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

#[test]
fn has_as_many_workers_as_the_environment_says() {
    let test = "has_as_many_workers_as_the_environment_says";
    if std::env::var_os(CHILD).is_some() {
        let workers = kamon::block_on(async { Handle::current().metrics().num_workers() });
        println!("workers: {workers}");
        return;
    }
    for (threads, workers) in [("1", 1), ("3", 3), (" 2 ", 2)] {
        let output = child(test, threads);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("workers: {workers}\n")), "{text}");
    }
    for nonsense in ["0", "many", ""] {
        let output = child(test, nonsense);
        assert!(!output.status.success(), "{nonsense:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("KAMON_WORKER_THREADS"), "{text}");
    }
}
