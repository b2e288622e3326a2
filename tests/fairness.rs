//! Everybody gets a turn: no task, timer or socket waits for ever because others are busy.

mod locks;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;

use kamon::runtime::{Builder, Runtime};
use kamon::task::yield_now;
use kamon::time::{sleep, Duration};

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn multi_thread(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .build()
        .unwrap()
}

fn on_each(test: impl Fn(Runtime)) {
    test(current_thread());
    test(multi_thread(1));
    test(multi_thread(2));
}

/// A flag that ends busy loops.
#[derive(Clone, Default)]
struct End(Arc<AtomicBool>);

impl End {
    fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Is awake all the time until the end.
    async fn spin(self) {
        while !self.0.load(Ordering::SeqCst) {
            yield_now().await;
        }
    }
}

/// Tasks that keep every worker busy.
fn keep_busy(runtime: &Runtime) -> (End, Vec<kamon::task::JoinHandle<()>>) {
    let end = End::default();
    let tasks = (0..2 * runtime.metrics().num_workers())
        .map(|_| runtime.spawn(end.clone().spin()))
        .collect();
    (end, tasks)
}

#[test]
fn a_future_that_only_yields_lets_the_clock_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let end = End::default();
            let alarm = end.clone();
            let timer = kamon::spawn(async move {
                sleep(Duration::from_millis(1)).await;
                alarm.now();
            });
            end.spin().await;
            timer.await.unwrap();
        });
    });
}

#[test]
fn tasks_that_only_yield_let_the_clock_go_on() {
    on_each(|runtime| {
        let (end, tasks) = keep_busy(&runtime);
        runtime.block_on(async {
            sleep(Duration::from_millis(1)).await;
            end.now();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

#[cfg(feature = "tokio")]
#[test]
fn what_is_awake_all_the_time_lets_sockets_go_on() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    on_each(|runtime| {
        let (end, tasks) = keep_busy(&runtime);
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let client = kamon::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"hello").await.unwrap();
            });
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"hello");
            client.await.unwrap();
            end.now();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

#[test]
fn what_comes_from_outside_gets_in() {
    on_each(|runtime| {
        let (end, tasks) = keep_busy(&runtime);
        let handle = runtime.handle().clone();
        let outside = thread::spawn(move || {
            let task = handle.spawn(async { 7 });
            let seven = futures_lite::future::block_on(task).unwrap();
            end.now();
            seven
        });
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(outside.join().unwrap(), 7);
    });
}

/// The thread that blocks spawns a task that only others can run, and they never run out of work.
#[test]
fn what_block_on_spawns_gets_in() {
    on_each(|runtime| {
        let (end, tasks) = keep_busy(&runtime);
        runtime.block_on(async {
            let (sender, receiver) = mpsc::channel();
            for number in 0..10 {
                let sender = sender.clone();
                kamon::spawn(async move { sender.send(number).unwrap() });
            }
            drop(sender);
            let alarm = kamon::spawn(async move {
                // Not by its handle, which would be a reason to run it here.
                let mut numbers = Vec::new();
                while numbers.len() < 10 {
                    numbers.extend(receiver.try_iter());
                    yield_now().await;
                }
                end.now();
            });
            for task in tasks {
                task.await.unwrap();
            }
            alarm.await.unwrap();
        });
    });
}

/// So many tasks that the only worker is busy for long.
const MANY: usize = 20_000;

/// A runtime whose only worker never runs out of work, and is held up until it is let go.
struct Busy {
    runtime: Runtime,
    end: End,
    go: mpsc::Sender<()>,
    done: Arc<AtomicUsize>,
}

impl Busy {
    fn new() -> Busy {
        let runtime = multi_thread(1);
        let (go, ready) = mpsc::channel();
        runtime.spawn(async move { ready.recv().unwrap() });
        let (end, _) = keep_busy(&runtime);
        let done = Arc::default();
        Busy {
            runtime,
            end,
            go,
            done,
        }
    }

    fn spawn_many(&self) {
        for _ in 0..MANY {
            let done = self.done.clone();
            self.runtime
                .spawn(async move { done.fetch_add(1, Ordering::SeqCst) });
        }
    }

    /// A thread that blocks spawns two tasks that only the worker can run, and lets it go. They must not
    /// have waited for the many.
    fn two_tasks_of_block_on_get_in(&self) {
        let before = self.runtime.block_on(async {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..2 {
                let (sender, done) = (sender.clone(), self.done.clone());
                kamon::spawn(async move { sender.send(done.load(Ordering::SeqCst)).unwrap() });
            }
            self.go.send(()).unwrap();
            [(); 2].map(|()| receiver.recv().unwrap())
        });
        assert!(before.iter().all(|done| *done < MANY / 10), "{before:?}");
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.end.now();
    }
}

#[test]
fn what_block_on_spawns_gets_in_beside_what_comes_from_outside() {
    let busy = Busy::new();
    busy.spawn_many();
    busy.two_tasks_of_block_on_get_in();
}

#[test]
fn what_block_on_spawns_gets_in_beside_what_another_thread_spawns_there() {
    let busy = Busy::new();
    thread::scope(|scope| {
        let (spawned, all) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let busy = &busy;
        scope.spawn(move || {
            busy.runtime.block_on(async {
                busy.spawn_many();
                spawned.send(()).unwrap();
                // The thread blocks, and what it has spawned stays where it is.
                let _ = ended.recv();
            });
        });
        all.recv().unwrap();
        busy.two_tasks_of_block_on_get_in();
        drop(end);
    });
}

/// Two tasks that wake each other all the time, right beside a third one.
#[test]
fn a_pair_that_plays_ping_pong_lets_others_play() {
    on_each(|runtime| {
        let end = Arc::new(AtomicBool::new(false));
        let pairs: Vec<_> = (0..4)
            .flat_map(|_| {
                let (ping, pong) = (async_channel(), async_channel());
                let over = end.clone();
                [
                    runtime.spawn(play(ping.clone(), pong.clone(), over.clone(), true)),
                    runtime.spawn(play(pong, ping, over, false)),
                ]
            })
            .collect();
        runtime.block_on(async {
            let third = kamon::spawn(async {
                for _ in 0..5 {
                    yield_now().await;
                }
            });
            third.await.unwrap();
            end.store(true, Ordering::SeqCst);
            for player in pairs {
                player.await.unwrap();
            }
        });
    });
}

type Ball = Arc<(AtomicUsize, locks::Mutex<Option<std::task::Waker>>)>;

fn async_channel() -> Ball {
    Arc::default()
}

fn throw(ball: &Ball) {
    ball.0.fetch_add(1, Ordering::SeqCst);
    let waker = ball.1.lock().unwrap().take();
    waker.into_iter().for_each(std::task::Waker::wake);
}

async fn caught(ball: &Ball) {
    std::future::poll_fn(|cx| {
        *ball.1.lock().unwrap() = Some(cx.waker().clone());
        let one_less = |thrown: usize| thrown.checked_sub(1);
        match ball
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        {
            Ok(_) => std::task::Poll::Ready(()),
            Err(_) => std::task::Poll::Pending,
        }
    })
    .await;
}

async fn play(throws: Ball, catches: Ball, over: Arc<AtomicBool>, begins: bool) {
    if begins {
        throw(&throws);
    }
    while !over.load(Ordering::SeqCst) {
        caught(&catches).await;
        throw(&throws);
    }
    // Whoever notices last must not wait for somebody who has left.
    throw(&throws);
}

/// On a runtime without workers the future is one among the tasks.
#[test]
fn the_future_and_the_tasks_take_turns() {
    current_thread().block_on(async {
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = turns.clone();
        let task = kamon::spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::SeqCst);
                yield_now().await;
            }
        });
        for turn in 0..1000 {
            assert_eq!(turns.load(Ordering::SeqCst), turn);
            yield_now().await;
        }
        task.abort();
    });
}

/// First in, first out.
#[test]
fn tasks_begin_in_the_order_in_which_they_were_spawned() {
    let (sender, receiver) = mpsc::channel();
    current_thread().block_on(async {
        for number in 0..100 {
            let sender = sender.clone();
            kamon::spawn(async move { sender.send(number).unwrap() });
        }
        yield_now().await;
    });
    let order: Vec<u32> = receiver.try_iter().collect();
    assert!(!order.is_empty());
    assert!(order.iter().copied().eq(0..order.len() as u32), "{order:?}");
}
