//! tokio's net, time, fs, process, signal and sync work unwrapped inside kamon tasks, and keep the
//! Context.
#![cfg(feature = "tokio")]

mod witness;

use std::future::{pending, poll_fn, Future as _};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{mpsc, Arc};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Duration, Instant};

use kamon::{with_context, Context, Key};
use witness::{current, on_each, quiet_panic, request, workers, Watched};

/// Runs a future as a task of request 1, beside some others that are always awake.
fn run<F>(runtime: &Watched, future: F) -> F::Output
where
    F: std::future::Future + Send + 'static,
    F::Output: Send + 'static,
{
    let task = with_context(request(1), || runtime.spawn(future));
    with_context(request(2), || runtime.block_on(task)).unwrap()
}

#[test]
fn tcp() {
    on_each(|runtime| {
        run(runtime, async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            assert_eq!(current(), 1);
            let server = kamon::spawn_root(async move {
                let mut connections = Vec::new();
                for _ in 0..20 {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    assert_eq!(current(), 0);
                    connections.push(kamon::spawn(async move {
                        let mut bytes = [0; 64];
                        loop {
                            let read = stream.read(&mut bytes).await.unwrap();
                            assert_eq!(current(), 0);
                            if read == 0 {
                                return;
                            }
                            stream.write_all(&bytes[..read]).await.unwrap();
                        }
                    }));
                }
                for connection in connections {
                    connection.await.unwrap();
                }
            });
            let clients: Vec<_> = (10..30)
                .map(|number: u32| {
                    kamon::spawn_in(request(number), async move {
                        let mut stream = TcpStream::connect(address).await.unwrap();
                        for round in 0..20 {
                            let sent = (number * 100 + round).to_be_bytes();
                            stream.write_all(&sent).await.unwrap();
                            let mut received = [0; 4];
                            stream.read_exact(&mut received).await.unwrap();
                            assert_eq!((received, current()), (sent, number));
                        }
                    })
                })
                .collect();
            for client in clients {
                client.await.unwrap();
            }
            server.await.unwrap();
            assert_eq!(current(), 1);
        });
    });
}

#[test]
fn udp() {
    on_each(|runtime| {
        run(runtime, async {
            let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let two = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = two.local_addr().unwrap();
            let receiver = kamon::spawn_in(request(3), async move {
                let mut bytes = [0; 16];
                let (read, from) = two.recv_from(&mut bytes).await.unwrap();
                two.send_to(&bytes[..read], from).await.unwrap();
                current()
            });
            one.send_to(b"hello", address).await.unwrap();
            let mut bytes = [0; 16];
            assert_eq!(one.recv(&mut bytes).await.unwrap(), 5);
            assert_eq!((&bytes[..5], current()), (&b"hello"[..], 1));
            assert_eq!(receiver.await.unwrap(), 3);
        });
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets() {
    on_each(|runtime| {
        run(runtime, async {
            let (mut one, mut two) = tokio::net::UnixStream::pair().unwrap();
            let echo = kamon::spawn_in(request(3), async move {
                let mut text = String::new();
                two.read_to_string(&mut text).await.unwrap();
                (text, current())
            });
            one.write_all(b"hello").await.unwrap();
            drop(one);
            assert_eq!(echo.await.unwrap(), (String::from("hello"), 3));
        });
    });
}

#[test]
fn time() {
    on_each(|runtime| {
        run(runtime, async {
            let start = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert!(start.elapsed() >= Duration::from_millis(2));
            let never = std::future::pending::<()>();
            let late = tokio::time::timeout(Duration::from_millis(1), never).await;
            assert!(late.is_err());
            let mut interval = tokio::time::interval(Duration::from_millis(1));
            for _ in 0..3 {
                interval.tick().await;
                assert_eq!(current(), 1);
            }
            // Both clocks in one task.
            kamon::time::sleep(Duration::from_millis(1)).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert_eq!(current(), 1);
        });
    });
}

#[test]
fn fs() {
    on_each(|runtime| {
        run(runtime, async {
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
            let text = tokio::fs::read_to_string(manifest).await.unwrap();
            assert!(text.contains("name = \"kamon\""));
            assert_eq!(current(), 1);
            let mut file = tokio::fs::File::open(manifest).await.unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).await.unwrap();
            assert_eq!((bytes, current()), (text.into_bytes(), 1));
        });
    });
}

#[cfg(unix)]
#[test]
fn processes() {
    use std::process::Stdio;
    on_each(|runtime| {
        run(runtime, async {
            let mut child = tokio::process::Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"hello").await.unwrap();
            drop(stdin);
            let output = child.wait_with_output().await.unwrap();
            assert!(output.status.success());
            assert_eq!((&output.stdout[..], current()), (&b"hello"[..], 1));
            let failed = tokio::process::Command::new("false").status();
            assert!(!failed.await.unwrap().success());
            assert_eq!(current(), 1);
        });
    });
}

#[cfg(unix)]
#[test]
fn signals() {
    use tokio::signal::unix::{signal, SignalKind};
    on_each(|runtime| {
        run(runtime, async {
            let mut signals = signal(SignalKind::user_defined1()).unwrap();
            let waits = kamon::spawn_in(request(3), async move {
                signals.recv().await.unwrap();
                current()
            });
            let process = std::process::id().to_string();
            let kill = tokio::process::Command::new("kill")
                .args(["-USR1", &process])
                .status();
            assert!(kill.await.unwrap().success());
            assert_eq!(waits.await.unwrap(), 3);
        });
    });
}

#[test]
fn sync() {
    on_each(|runtime| {
        run(runtime, async {
            let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
            let mutex = Arc::new(tokio::sync::Mutex::new(0));
            let barrier = Arc::new(tokio::sync::Barrier::new(8));
            let tasks: Vec<_> = (10..18)
                .map(|number| {
                    let (sender, mutex) = (sender.clone(), mutex.clone());
                    let barrier = barrier.clone();
                    kamon::spawn_in(request(number), async move {
                        for _ in 0..50 {
                            *mutex.lock().await += 1;
                            sender.send((number, current())).await.unwrap();
                        }
                        barrier.wait().await;
                        current()
                    })
                })
                .collect();
            drop(sender);
            let mut received = 0;
            while let Some((number, seen)) = receiver.recv().await {
                assert_eq!((number, current()), (seen, 1));
                received += 1;
            }
            assert_eq!((received, *mutex.lock().await), (400, 400));
            for (number, task) in (10..).zip(tasks) {
                assert_eq!(task.await.unwrap(), number);
            }
        });
    });
}

#[test]
fn macros_over_futures() {
    on_each(|runtime| {
        run(runtime, async {
            let (one, two) =
                tokio::join!(kamon::spawn_in(request(3), async { current() }), async {
                    tokio::task::yield_now().await;
                    current()
                },);
            assert_eq!((one.unwrap(), two), (3, 1));
            let first = tokio::select! {
                () = std::future::pending() => 0,
                seen = kamon::spawn(async { current() }) => seen.unwrap(),
            };
            assert_eq!((first, current()), (1, 1));
        });
    });
}

#[test]
fn a_context_in_a_context() {
    // Values of a Context may be tokio's own: a channel that belongs to the request.
    type Sender = tokio::sync::mpsc::UnboundedSender<u32>;
    static SENDER: Key<Option<Sender>> = Key::local("ecosystem sender", || None);
    on_each(|runtime| {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let context = Context::empty().with_key(&SENDER, Some(sender));
        let tasks = with_context(context, || {
            [1, 2, 3].map(|number| {
                runtime.spawn(async move {
                    let context = kamon::current_context();
                    context.get(&SENDER).as_ref().unwrap().send(number).unwrap();
                })
            })
        });
        let sum = runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
            let mut sum = 0;
            // Ends when the last Context of the request is gone.
            while let Some(number) = receiver.recv().await {
                sum += number;
            }
            sum
        });
        assert_eq!(sum, 6);
    });
}

struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        quiet_panic("planned")
    }
}

#[test]
fn a_waker_that_panics_in_the_event_loop_ends_the_runtime() {
    const LONG: Duration = Duration::from_secs(60);
    for number in [0, 1, 2] {
        let (done, ended) = mpsc::channel();
        // In a thread of its own, which is left alone if it does not come back.
        thread::spawn(move || {
            let runtime = workers(number).into_runtime();
            let (alive, end) = mpsc::channel::<()>();
            let mut sleep = None;
            let task = runtime.spawn(poll_fn(move |_| {
                let _alive = &alive;
                let wait = Duration::from_millis(10);
                let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
                let waker = Waker::from(Arc::new(Panicking));
                while sleep
                    .as_mut()
                    .poll(&mut TaskContext::from_waker(&waker))
                    .is_ready()
                {
                    sleep.as_mut().reset(Instant::now() + wait);
                }
                Poll::<()>::Pending
            }));
            // More threads than have a queue of their own: all of them hear of it.
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let block = || runtime.block_on(pending::<()>());
                        assert!(catch_unwind(AssertUnwindSafe(block)).is_err());
                    });
                }
            });
            let end = end.recv_timeout(LONG);
            assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
            assert!(kamon::block_on(task).unwrap_err().is_cancelled());
            let late = runtime.spawn(async {});
            assert!(kamon::block_on(late).unwrap_err().is_cancelled());
            drop(runtime);
            done.send(()).unwrap();
        });
        ended.recv_timeout(LONG).expect("the runtime ends");
    }
}
