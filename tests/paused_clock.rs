//! A clock that stands still, on a real runtime: it jumps when nothing is left to do, and only then.
#![cfg(feature = "test-util")]

mod locks;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{mpsc, Arc};

use kamon::runtime::{Builder, Handle, LocalOptions, Runtime};
use kamon::task::{spawn_local, yield_now, JoinSet, LocalSet};
use kamon::time::{
    advance, call_later, interval, pause, resume, sleep, sleep_until, timeout, Duration, Instant,
};
use locks::Mutex;

const HOUR: Duration = Duration::from_secs(3600);

fn paused() -> Runtime {
    Builder::new_current_thread()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn sleeps_take_no_time_and_end_in_order() {
    let started = std::time::Instant::now();
    paused().block_on(async {
        let start = Instant::now();
        let mut set = JoinSet::new();
        for hours in [3, 1, 4, 2] {
            set.spawn(async move {
                sleep(HOUR * hours).await;
                (hours, start.elapsed())
            });
        }
        let mut order = Vec::new();
        while let Some(done) = set.join_next().await {
            order.push(done.unwrap());
        }
        assert_eq!(order, [1, 2, 3, 4].map(|hours| (hours, HOUR * hours)));
    });
    assert!(started.elapsed() < HOUR);
}

#[test]
fn the_clock_stands_still_while_anything_runs() {
    paused().block_on(async {
        let start = Instant::now();
        let alarm = kamon::spawn(sleep(HOUR));
        let busy = kamon::spawn(async move {
            for _ in 0..1000 {
                yield_now().await;
                assert_eq!(start.elapsed(), Duration::ZERO);
            }
        });
        busy.await.unwrap();
        alarm.await.unwrap();
        assert_eq!(start.elapsed(), HOUR);
    });
}

#[test]
fn the_clock_waits_for_blocking_closures() {
    paused().block_on(async {
        let start = Instant::now();
        let (release, released) = mpsc::channel();
        let blocking = kamon::spawn_blocking(move || released.recv().unwrap());
        // Woken by another thread, when the closure runs or waits: nothing but time was left.
        let other = std::thread::spawn({
            let handle = kamon::runtime::Handle::current();
            move || {
                let task = handle.spawn(async move { start.elapsed() });
                let seen = futures_lite::future::block_on(task).unwrap();
                release.send(()).unwrap();
                seen
            }
        });
        let alarm = kamon::spawn(async move {
            sleep(HOUR).await;
            start.elapsed()
        });
        blocking.await.unwrap();
        assert_eq!(other.join().unwrap(), Duration::ZERO);
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing was missed");
        assert_eq!(alarm.await.unwrap(), HOUR);
    });
}

#[test]
fn a_closure_that_ends_while_the_thread_lies_down_is_noticed() {
    let (release, released) = mpsc::channel();
    let (of_hook, runtime) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    // On its way to sleep, since the closure holds up the clock.
    let lie_down = {
        let (of_hook, runtime) = (of_hook.clone(), runtime.clone());
        move || {
            let release: Option<mpsc::Sender<()>> = of_hook.lock().unwrap().take();
            let handle: Option<Handle> = runtime.lock().unwrap().clone();
            if let (Some(release), Some(handle)) = (release, handle) {
                release.send(()).unwrap();
                while handle.metrics().num_idle_blocking_threads() == 0 {
                    std::thread::yield_now();
                }
            }
        }
    };
    let paused = Builder::new_current_thread()
        .start_paused(true)
        .on_thread_park(lie_down)
        .build()
        .unwrap();
    *runtime.lock().unwrap() = Some(paused.handle().clone());
    paused.block_on(async {
        drop(kamon::spawn_blocking(move || released.recv().unwrap()));
        *of_hook.lock().unwrap() = Some(release);
        sleep(HOUR).await;
    });
    runtime.lock().unwrap().take();
}

#[test]
fn a_closure_that_is_cancelled_holds_nothing_up() {
    let runtime = Builder::new_current_thread()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let running = kamon::spawn_blocking(move || released.recv().unwrap());
        let waiting = kamon::spawn_blocking(|| ());
        waiting.abort();
        release.send(()).unwrap();
        running.await.unwrap();
        assert!(waiting.await.unwrap_err().is_cancelled());
        sleep(HOUR).await;
    });
}

#[test]
fn a_timeout_is_no_race() {
    paused().block_on(async {
        for _ in 0..100 {
            let blocking = kamon::spawn_blocking(|| 1);
            assert_eq!(timeout(HOUR, blocking).await.unwrap().unwrap(), 1);
            assert!(timeout(HOUR, std::future::pending::<()>()).await.is_err());
        }
    });
}

#[test]
fn callbacks_and_local_tasks_go_by_it() {
    let runtime = Builder::new_current_thread()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let seen = seen.clone();
            move || seen.lock().unwrap().push((what, start.elapsed()))
        };
        drop(call_later(HOUR, note("called")));
        let noted = note("slept");
        let local = spawn_local(async move {
            sleep(2 * HOUR).await;
            noted();
        });
        let set = LocalSet::new();
        set.run_until(async {
            let noted = note("in a set");
            spawn_local(async move {
                sleep(3 * HOUR).await;
                noted();
            })
            .await
            .unwrap();
        })
        .await;
        local.await.unwrap();
        let expected = [
            ("called", HOUR),
            ("slept", 2 * HOUR),
            ("in a set", 3 * HOUR),
        ];
        assert_eq!(*seen.lock().unwrap(), expected);
    });
}

#[test]
fn it_can_be_stopped_moved_and_started_again() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let alarm = kamon::spawn(sleep(2 * HOUR));
        pause();
        let start = Instant::now();
        advance(HOUR).await;
        assert_eq!(start.elapsed(), HOUR);
        assert!(!alarm.is_finished());
        advance(HOUR).await;
        assert_eq!(start.elapsed(), 2 * HOUR);
        alarm.await.unwrap();
        resume();
        let before = Instant::now();
        sleep(Duration::from_millis(2)).await;
        assert!(before.elapsed() >= Duration::from_millis(2));
        assert!(before.elapsed() < HOUR);
    });
}

#[test]
fn a_timer_that_was_cancelled_is_no_stop_on_the_way() {
    paused().block_on(async {
        let start = Instant::now();
        let cancelled = kamon::spawn(sleep(HOUR));
        yield_now().await;
        cancelled.abort();
        let _ = cancelled.await;
        assert!(call_later(HOUR, || unreachable!()).cancel());
        sleep_until(start + 3 * HOUR).await;
        assert_eq!(start.elapsed(), 3 * HOUR);
    });
}

#[test]
fn an_interval_ticks_at_each_of_its_times() {
    paused().block_on(async {
        let start = Instant::now();
        let mut interval = interval(HOUR);
        for hours in 0..24 {
            assert_eq!(interval.tick().await, start + HOUR * hours);
            assert_eq!(start.elapsed(), HOUR * hours);
        }
    });
}

/// What has arrived comes before what time would bring.
#[cfg(feature = "tokio")]
#[test]
fn sockets_that_are_ready_come_first() {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    paused().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..10 {
            let client = std::net::TcpStream::connect(address).unwrap();
            let accepted = timeout(HOUR, listener.accept()).await;
            let (mut stream, _): (TcpStream, _) = accepted.expect("it is there").unwrap();
            drop(client);
            let mut heard = Vec::new();
            let read = timeout(HOUR, stream.read_to_end(&mut heard)).await;
            assert_eq!(read.expect("it was closed").unwrap(), 0);
        }
    });
}

#[test]
fn a_runtime_of_many_threads_has_no_such_clock() {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1);
    let runtime = builder.build().unwrap();
    let refused = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { pause() })));
    assert!(refused.is_err());
    builder.start_paused(true);
    assert!(catch_unwind(AssertUnwindSafe(|| builder.build())).is_err());
}
