//! `#[kamon::main]` and `#[kamon::test]`: what they build, and what they refuse.

#![cfg(feature = "macros")]

use std::num::ParseIntError;
use std::thread;

use kamon::runtime::{Handle, RuntimeFlavor};

fn flavor() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[kamon::main]
async fn threads_by_default() -> RuntimeFlavor {
    flavor()
}

#[test]
fn main_is_multi_threaded_by_default() {
    assert_eq!(threads_by_default(), RuntimeFlavor::MultiThread);
}

#[kamon::main(flavor = "current_thread")]
async fn one_thread() -> (RuntimeFlavor, thread::ThreadId) {
    let inner = kamon::spawn(async { thread::current().id() });
    (flavor(), inner.await.unwrap())
}

#[test]
fn current_thread_runs_tasks_on_the_caller() {
    let (flavor, id) = one_thread();
    assert_eq!(flavor, RuntimeFlavor::CurrentThread);
    assert_eq!(id, thread::current().id());
}

#[kamon::main(flavor = "multi_thread", worker_threads = 3)]
async fn three_workers() -> usize {
    Handle::current().metrics().num_workers()
}

#[test]
fn worker_threads_reaches_the_builder() {
    assert_eq!(three_workers(), 3);
}

#[kamon::main]
async fn body_thread() -> thread::ThreadId {
    thread::current().id()
}

#[test]
fn the_body_runs_on_the_calling_thread() {
    assert_eq!(body_thread(), thread::current().id());
}

#[kamon::main(flavor = "local")]
async fn spawns_local() -> usize {
    let shared = std::rc::Rc::new(7);
    let clone = shared.clone();
    kamon::task::spawn_local(async move { *clone })
        .await
        .unwrap()
}

#[test]
fn local_flavor_takes_tasks_that_are_not_send() {
    assert_eq!(spawns_local(), 7);
}

#[kamon::main(name = "named", flavor = "current_thread")]
async fn named() -> Option<String> {
    Handle::current().name().map(str::to_owned)
}

#[test]
fn name_reaches_the_builder() {
    assert_eq!(named().as_deref(), Some("named"));
}

#[kamon::main]
async fn takes_arguments(body: &str, mut numbers: Vec<usize>) -> usize {
    numbers.push(body.len());
    numbers.iter().sum()
}

#[test]
fn functions_other_than_main_take_arguments() {
    assert_eq!(takes_arguments("abc", vec![1, 2]), 6);
}

#[kamon::main]
async fn question_mark(text: &str) -> Result<i32, ParseIntError> {
    let number: i32 = text.parse()?;
    Ok(number)
}

#[test]
fn main_returns_results() {
    assert_eq!(question_mark("17"), Ok(17));
    assert!(question_mark("x").is_err());
}

#[kamon::main]
async fn opaque() -> impl Iterator<Item = u32> {
    [1, 2].into_iter()
}

#[test]
fn main_returns_impl_trait() {
    assert_eq!(opaque().sum::<u32>(), 3);
}

#[kamon::main]
async fn early(stop: bool) -> u32 {
    if stop {
        return 1;
    }
    2
}

#[test]
fn return_leaves_the_body() {
    assert_eq!((early(true), early(false)), (1, 2));
}

#[kamon::main]
async fn diverges() -> ! {
    panic!("as planned")
}

#[test]
#[should_panic(expected = "as planned")]
fn main_may_never_return() {
    diverges();
}

mod renamed {
    use kamon as nomak;

    mod deeper {
        pub(super) use kamon as inner;
    }

    #[nomak::main(crate = "nomak")]
    async fn simple() -> u32 {
        5
    }

    #[kamon::main(crate = "self::deeper::inner")]
    async fn path() -> u32 {
        6
    }

    #[nomak::test(crate = "nomak")]
    async fn crate_names_the_path() {}

    #[test]
    fn crate_takes_any_path() {
        assert_eq!((simple(), path()), (5, 6));
    }
}

/// What a `macro_rules!` is given as a block comes in invisible braces.
mod bodies_from_a_macro {
    macro_rules! with_body {
        ($body:block) => {
            #[kamon::main]
            async fn entry() -> Result<u32, std::num::ParseIntError> $body

            #[kamon::span]
            pub(super) fn span() -> Result<u32, std::num::ParseIntError> $body
        };
    }

    with_body!({ "7".parse::<u32>() });

    macro_rules! test {
        ($name:ident $body:block) => {
            #[kamon::test]
            async fn $name() $body
        };
    }

    test!(are_bodies {
        let entered = kamon::task::spawn_blocking(entry).await.unwrap();
        assert_eq!((entered, span()), (Ok(7), Ok(7)));
    });
}

mod shadowed {
    /// Stands in the way of `kamon::`, not of `::kamon::`.
    #[allow(dead_code)]
    mod kamon {}

    #[::kamon::test]
    async fn a_module_called_kamon_is_no_obstacle() {}
}

#[kamon::test]
async fn test_is_current_thread_by_default() {
    assert_eq!(flavor(), RuntimeFlavor::CurrentThread);
}

#[kamon::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_takes_a_flavor() {
    assert_eq!(flavor(), RuntimeFlavor::MultiThread);
    assert_eq!(Handle::current().metrics().num_workers(), 2);
}

#[kamon::test]
async fn test_returns_results() -> Result<(), ParseIntError> {
    let number: i32 = "17".parse()?;
    assert_eq!(number, 17);
    Ok(())
}

#[kamon::test]
#[should_panic(expected = "seen by libtest")]
async fn other_attributes_stay() {
    panic!("seen by libtest");
}

#[kamon::test]
async fn inner_attributes_stay() {
    #![allow(unused_variables, clippy::no_effect_underscore_binding)]
    let unused = 1;
}

#[cfg(feature = "test-util")]
mod paused {
    use kamon::time::{sleep, Duration, Instant};

    async fn slept() -> bool {
        let start = std::time::Instant::now();
        let paused = Instant::now();
        sleep(Duration::from_secs(3600)).await;
        paused.elapsed() >= Duration::from_secs(3600) && start.elapsed() < Duration::from_secs(600)
    }

    #[kamon::test(start_paused = true)]
    async fn start_paused_stops_the_clock() {
        assert!(slept().await);
    }

    #[kamon::main(flavor = "current_thread", start_paused = true)]
    async fn main_sleeps() -> bool {
        slept().await
    }

    #[test]
    fn start_paused_in_main() {
        assert!(main_sleeps());
    }
}

// Once is enough, with the default features: the compiler is the same, and it builds everything anew.
#[cfg(all(feature = "tokio", not(feature = "http")))]
#[test]
fn compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/ui/macros/*.rs");
}
